"""The command line: what it prints, and the status with which it ends."""

import json
import signal
import subprocess
import sys
from pathlib import Path
from typing import Final

import pytest

from cors_conformance import cli, strategies
from cors_conformance.named_policies import NAMED_POLICIES, BadPolicy, find_policy
from cors_conformance.policy import Policy
from cors_conformance.replay import encode
from cors_conformance.rules import RULES
from cors_conformance.scenario import Visit
from programs import launched

PROGRAM: Final = (sys.executable, "-m", "cors_conformance.cli")
QUICK: Final = ("--profile", "quick", "--no-baseline")
NEEDS_FULL: Final = pytest.mark.skipif(
    not Path("/dev/full").exists(), reason="the system has no /dev/full"
)
ACCESS: Final = ("--rule", "safe-*", "--rule", "live-*")

MIDDLEWARES: Final = '''
import sys

from cors_conformance.implementation import Implementation
from cors_conformance.servers.base import HarnessError


class Reflecting:
    """Lets every page do everything."""

    def __init__(self, app, **parameters):
        self.app = app

    async def __call__(self, scope, receive, send):
        origin = dict(scope.get("headers", ())).get(b"origin", b"*")
        added = [
            (b"access-control-allow-origin", origin),
            (b"access-control-allow-credentials", b"true"),
            (b"x-evil", b"\\x1b[2J\\x07[bold]"),
        ]

        async def adding(message):
            if message["type"] == "http.response.start":
                message = {**message, "headers": [*message["headers"], *added]}
            await send(message)

        await self.app(scope, receive, adding)


def factory(app, allow_origins, allow_methods, allow_headers, allow_credentials, expose_headers,
            max_age):
    return Reflecting(app)


def raising(error):
    def serve(policy):
        print("started", file=sys.stderr, flush=True)
        raise error

    return Implementation(name="x", interface="http", serve=serve)


def refuse(app, policy):
    raise ValueError("never\\x1b[2J")


def slow(app, policy):
    import time

    print("started", file=sys.stderr, flush=True)
    time.sleep(60)


broken_harness = raising(HarnessError("the harness\\x1b[2J is broken"))
broken_suite = raising(RuntimeError("a bug"))
refusing = Implementation(name="refusing", interface="asgi", wrap=refuse)
slow = Implementation(name="slow", interface="asgi", wrap=slow)
'''


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A directory with middlewares, from which commands are run."""
    (tmp_path / "middlewares_to_run.py").write_text(MIDDLEWARES)
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.delitem(sys.modules, "middlewares_to_run", raising=False)
    return tmp_path


def test_version_is_printed(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as stop:
        cli.main(["--version"])
    assert stop.value.code == 0
    assert capsys.readouterr().out.startswith("cors-conformance ")


def test_version_needs_nothing_heavy() -> None:
    program = "import sys, cors_conformance.cli; print(*sys.modules)"
    ran = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )
    assert {"hypothesis", "pytest", "rich", "msgspec"}.isdisjoint(ran.stdout.split())


def test_no_command_is_a_wrong_one() -> None:
    with pytest.raises(SystemExit) as stop:
        cli.main([])
    assert stop.value.code == 2


def test_reference_has_no_finding(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["run", "reference", *ACCESS, *QUICK]) == 0
    out = capsys.readouterr().out
    assert out.startswith("reference 0.")
    assert "profile quick, " in out
    assert ", 0 failed" in out


def test_no_cors_at_all_fails(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["run", "--implementation", "none", *ACCESS, *QUICK]) == 1
    out = capsys.readouterr().out
    assert "MUST live-simple" in out
    assert "follows from another finding:" in out
    assert "not tested:" in out


@pytest.mark.usefixtures("here")
def test_reflecting_any_origin_with_credentials_fails(capsys: pytest.CaptureFixture[str]) -> None:
    name = "middlewares_to_run:factory"
    assert cli.main(["run", name, "--rule", "safe-*", *QUICK]) == 1
    out = capsys.readouterr().out
    assert "MUST safe-origin-simple" in out
    assert "MUST safe-credentials-off" in out
    # What it says to the terminal stays unheard.
    assert "x-evil: \\x1b[2J\\x07[bold]" in out
    assert all(char.isprintable() or char == "\n" for char in out)


def test_all_origins_with_credentials_is_a_matter_of_security(
    here: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (here / "policy.json").write_text('{"allow_origins": ["*"], "allow_credentials": true}')
    name = "middlewares_to_run:factory"
    rule = ("--rule", "safe-wildcard-credentials")
    assert cli.main(["run", name, *rule, "--policy", "policy.json", *QUICK]) == 1
    assert "SECURITY safe-wildcard-credentials" in capsys.readouterr().out


def test_a_finding_is_replayed_by_its_token(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "report.json"
    rule = ("--rule", "live-simple")
    assert cli.main(["run", "none", *rule, *QUICK, "--json", str(out)]) == 1
    (run,) = json.loads(out.read_text())["runs"]
    token = run["findings"][0]["token"]
    capsys.readouterr()
    assert cli.main(["run", "none", "--replay", token]) == 1
    replayed = capsys.readouterr().out
    assert "none (Python, asgi), profile replay, 1 rule" in replayed
    assert "MUST live-simple" in replayed
    assert cli.main(["run", "reference", "--replay", token]) == 0


@pytest.mark.usefixtures("here")
def test_a_finding_is_gone_where_its_policy_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    token = encode(RULES["live-simple"], Policy(), Visit(origin="https://a.example", method=b"GET"))
    assert cli.main(["run", "middlewares_to_run:refusing", "--replay", token]) == 0
    out = capsys.readouterr().out
    assert "refused policies:\n  1 x " in out
    assert "1 passed, 0 failed; 0 policies, 0 exchanges, 1 refused" in out


@pytest.mark.usefixtures("here")
@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ([], "name an implementation"),
        (["starlete"], "did you mean 'starlette'"),
        (["none", "--rule", "no-such-*"], "no rule matches 'no-such-*'"),
        (["none", "--profile", "slow"], "no profile 'slow'; there are quick, default, long"),
        (["none", "--policy", "none.json"], "policy 'none.json': No such file"),
        (["none", "--baseline", "none.toml"], "baseline none.toml: No such file"),
        (["none", "--replay", "abc"], "'abc' is no token"),
        (["middlewares_to_run:refusing"], "refuses the policy"),
        (["middlewares_to_run:nothing"], "has no 'nothing'"),
        (["none", "--replay", "1.a", "--rule", "live-*"], "leave out --rule and --policy"),
        (["none", "--replay", "1.a", "--policy", "none.json"], "leave out --rule and --policy"),
        (["none", "--database", ""], "database: the name is empty"),
    ],
)
def test_bad_input_is_named_and_is_no_finding(
    arguments: list[str], message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert cli.main(["run", *arguments]) == 2
    error = capsys.readouterr().err
    assert message in error
    assert "\x1b" not in error


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["run", "none", "--json", "no/out"], "'no/out' cannot be written: there is no folder"),
        (["run", "none", "--json", "."], "'.' is no name of a file"),
        (["cases", "cases.json", "--json", "no/out"], "there is no folder 'no'"),
        (["mutants", "--markdown", "no/out"], "there is no folder 'no'"),
        (["benchmarks", "chart", "a", "--output", "no/chart.svg"], "there is no folder 'no'"),
        (["mutants", "--processes", "two"], "'two' is no whole number"),
        (["variants", "--runs", "0"], "0 is less than 1"),
        (["benchmarks", "compare", "a", "b", "--threshold", "x"], "'x' is no percentage"),
    ],
)
def test_bad_input_is_told_before_the_work(
    arguments: list[str], message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as ended:
        cli.main(arguments)
    assert ended.value.code == 2
    assert message in capsys.readouterr().err


@NEEDS_FULL
@pytest.mark.usefixtures("here")
def test_a_report_that_cannot_be_written_is_bad_input(capsys: pytest.CaptureFixture[str]) -> None:
    arguments = ["run", "none", "--rule", "safe-null", *QUICK]
    assert cli.main([*arguments, "--json", "/dev/full"]) == 2
    assert "/dev/full: cannot be written: No space left" in capsys.readouterr().err


@pytest.mark.usefixtures("here")
@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("broken_harness", "HarnessError: the harness\\x1b[2J is broken"),
        ("broken_suite", "RuntimeError: a bug"),
    ],
)
def test_faults_of_others_are_not_the_implementations(
    name: str, message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert (
        cli.main(["run", f"middlewares_to_run:{name}", "none", "--rule", "live-simple", *QUICK])
        == 3
    )
    captured = capsys.readouterr()
    assert f"a fault of the suite or a harness, and none of x: {message}" in captured.err
    assert ("Traceback" in captured.err) == (name == "broken_suite")
    # The others are judged all the same.
    assert "MUST live-simple" in captured.out


def test_known_findings_are_green_and_told(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    known = tmp_path / "known.toml"
    known.write_text(
        '[[known]]\nrule = "live-simple"\nimplementation = "none"\nversions = ""\n'
        'reason = "It has no CORS."\n'
    )
    arguments = ["run", "none", "--rule", "live-simple", "--profile", "quick"]
    assert cli.main([*arguments, "--baseline", str(known)]) == 0
    out = capsys.readouterr().out
    assert "known:\n  live-simple: It has no CORS.\n" in out
    assert "MUST live-simple" not in out


def test_one_policy_may_be_fixed(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "policy.json"
    file.write_text('{"allow_origins": ["https://a.example"]}')
    assert cli.main(["run", "reference", "--policy", str(file), *ACCESS, *QUICK]) == 0
    assert "; 1 policy, " in capsys.readouterr().out


def test_seed_is_named(capsys: pytest.CaptureFixture[str]) -> None:
    arguments = ["run", "none", "--rule", "safe-null", "--seed", "7", *QUICK]
    assert cli.main(arguments) == 0
    assert "profile quick with seed 7, 1 rule\n" in capsys.readouterr().out


def test_implementations_are_listed(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["implementations"]) == 0
    out = capsys.readouterr().out
    assert "reference-wsgi 0." in out
    assert "  lacks asgi: it is reached as a WSGI application\n" in out
    assert "  documents wildcard_covers_null: yes\n" in out


def test_implementations_are_listed_for_programs(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["implementations", "--json"]) == 0
    rows = {row["name"]: row for row in json.loads(capsys.readouterr().out)}
    assert rows["none"]["interface"] == "asgi"
    assert rows["reference"]["dialect"]["wildcard_with_credentials"] == "refused"


def test_what_is_missing_is_listed_with_what_would_help(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setitem(sys.modules, "cors_conformance.implementations.starlette", None)
    assert cli.main(["implementations"]) == 0
    out = capsys.readouterr().out
    assert "starlette cannot be tested here\n  starlette is not installed" in out
    assert "pip install" in out
    assert cli.main(["implementations", "--json"]) == 0
    rows = {row["name"]: row for row in json.loads(capsys.readouterr().out)}
    assert "pip install" in rows["starlette"]["problem"]


def test_rules_are_listed_one_a_line(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["rules"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert [line.split()[0] for line in lines] == list(RULES)


def test_rules_are_listed_for_programs(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["rules", "safe-no-*", "--json"]) == 0
    rows = json.loads(capsys.readouterr().out)
    assert {row["id"] for row in rows} == {"safe-no-carryover"}
    assert all(row["link"].startswith("https://") for row in rows)


def test_unknown_rules_are_not_listed(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["rules", "safe-nul"]) == 2
    assert "no rule matches 'safe-nul'; close: safe-null" in capsys.readouterr().err


def test_cases_are_run(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "cases.json"
    file.write_text("{}")
    assert cli.main(["cases", str(file)]) == 2
    assert "cors-conformance cases: " in capsys.readouterr().err


def test_interrupting_ends_quietly(here: Path) -> None:
    command = [*PROGRAM, "run", "middlewares_to_run:slow"]
    with launched(command, cwd=here) as process:
        assert process.stderr is not None
        assert process.stderr.readline() == "started\n"
        process.send_signal(signal.SIGINT)
        assert process.stderr.read() == "cors-conformance: interrupted\n"
        assert process.wait(timeout=10) == cli.INTERRUPTED


@pytest.mark.parametrize("arguments", [["rules"], ["rules", "--json"], ["implementations"]])
def test_a_reader_that_has_enough_is_no_error(arguments: list[str]) -> None:
    command = [*PROGRAM, *arguments]
    with launched(command) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        process.stdout.close()
        assert process.stderr.read() == ""
        assert process.wait(timeout=30) == cli.BROKEN_PIPE


def test_named_policies_are_among_those_that_always_run() -> None:
    assert set(NAMED_POLICIES.values()) <= set(strategies.corner_policies())


@pytest.mark.parametrize("name", NAMED_POLICIES)
def test_policies_are_found_by_name(name: str) -> None:
    assert find_policy(name) is NAMED_POLICIES[name]


def test_missing_parameters_take_their_defaults(tmp_path: Path) -> None:
    file = tmp_path / "policy.json"
    file.write_text('{"allow_origins": ["https://a.example", "null"], "max_age": 0}')
    expected = Policy(allow_origins=("https://a.example", "null"), max_age=0)
    assert find_policy(str(file)) == expected


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (b"", "a policy is a JSON object"),
        (b"[]", "a policy is a JSON object"),
        (b"[" * 100_000, "a policy is a JSON object"),
        (b'{"max_age": 1, "max_age": 2}', 'the key "max_age" stands twice'),
        (b'{"\xff": 1}', "a policy is a JSON object"),
        (b'{"allow_origin": []}', "no parameter 'allow_origin'; there is allow_origins"),
        (b'{"zzz": []}', "no parameter 'zzz'; there is allow_origins, allow_methods"),
        (b'{"allow_origins": "*"}', r"Expected `array`, got `str` - at `\$.allow_origins`"),
        (b'{"max_age": true}', r"Expected `int`, got `bool` - at `\$.max_age`"),
        (b'{"allow_origins": ["https://a.example/"]}', "allow_origins: 'https://a.example/'"),
        (b'{"allow_origins": ["https://a.example:443"]}', "expected https://a.example$"),
        (b'{"allow_origins": ["https://a.example:70000"]}', "host or port is not one of a URL"),
        (b'{"allow_methods": ["GET, PUT"]}', "allow_methods: 'GET, PUT' is no token"),
        (b'{"max_age": -1}', "max_age: seconds are not negative"),
        (b" " * 2_000_000, "more than 1048576 bytes"),
    ],
)
def test_malformed_policies_name_file_and_key(tmp_path: Path, text: bytes, message: str) -> None:
    file = tmp_path / "policy.json"
    file.write_bytes(text)
    with pytest.raises(BadPolicy, match=message) as caught:
        find_policy(str(file))
    assert "policy.json" in str(caught.value)


def test_mutants_die_and_the_matrix_is_printed(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["mutants", "credentials-titled", "--processes", "1"]) == 0
    printed = capsys.readouterr().out
    assert "syn-acac" in printed
    assert "1 mutants, 0 survived" in printed


def test_the_matrix_is_written(tmp_path: Path) -> None:
    file = tmp_path / "matrix.md"
    command = ["mutants", "credentials-titled", "--processes", "1", "--markdown"]
    assert cli.main([*command, str(file)]) == 0
    assert "| credentials-titled | K18 |" in file.read_text(encoding="utf-8")


@NEEDS_FULL
def test_a_matrix_that_cannot_be_written_is_bad_input(capsys: pytest.CaptureFixture[str]) -> None:
    command = ["mutants", "credentials-titled", "--processes", "1", "--markdown"]
    assert cli.main([*command, "/dev/full"]) == 2
    assert "/dev/full cannot be written: No space left" in capsys.readouterr().err


def test_a_glob_that_matches_no_mutant_is_an_error(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["mutants", "no-such-*"]) == 2
    assert "no mutant matches 'no-such-*'; without a glob, all are run" in capsys.readouterr().err
    assert cli.main(["mutants", "credentials-titled", "credential-titled"]) == 2
    assert "'credential-titled'; close: credentials-titled" in capsys.readouterr().err
