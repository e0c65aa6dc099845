"""The shipped suite under pytest: outcomes, selection, and silence everywhere else."""

import json
import sys
from pathlib import Path
from typing import Final

import pytest

from cors_conformance import selection
from cors_conformance.baseline import Verdict
from cors_conformance.policy import Policy
from cors_conformance.replay import encode
from cors_conformance.rules import RULES
from cors_conformance.run import Run
from cors_conformance.scenario import Visit
from cors_conformance.suite import progress, session

pytest_plugins = ["pytester"]

SUITE: Final = ("--pyargs", "cors_conformance.suite", "-p", "no:cacheprovider", "--color=no")
# One policy, so that a run takes a tenth of a second.
POLICY: Final = ("--policy", "fastrapi-specific-origins")
QUICK: Final = ("--conformance-profile", "quick", "--conformance-no-baseline", *POLICY)
NONE: Final = ("--implementation", "none")
SIMPLE: Final = ("--rule", "live-simple")
TOKEN: Final = encode(
    RULES["live-simple"],
    Policy(allow_origins=("https://a.example",)),
    Visit(origin="https://a.example", method=b"GET"),
)

MIDDLEWARES: Final = """
from cors_conformance.implementation import Implementation
from cors_conformance.servers.base import HarnessError


class Reflecting:
    def __init__(self, app, allow_origins, allow_methods, allow_headers, allow_credentials,
                 expose_headers, max_age):
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


def serve(policy):
    raise HarnessError("the harness is broken")


def refuse(app, policy):
    raise ValueError("never\\x1b[2J")


broken = Implementation(name="broken", interface="http", serve=serve)
refusing = Implementation(name="refusing", interface="asgi", wrap=refuse)
"""

BASELINE: Final = """
[[known]]
rule = "live-simple"
implementation = "none"
versions = ""
reason = "It has no CORS."
"""


@pytest.fixture
def run(pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> pytest.Pytester:
    """Where a user runs the suite: a directory with middlewares of their own."""
    pytester.makepyfile(middlewares_to_judge=MIDDLEWARES)
    # Options of the run that runs this are not those of the run within.
    monkeypatch.delenv("PYTEST_ADDOPTS", raising=False)
    return pytester


def outcomes(result: pytest.RunResult) -> dict[str, int]:
    """What came out, without what no test is about."""
    found = result.parseoutcomes()
    return {noun: count for noun, count in found.items() if not noun.startswith("warning")}


def test_reference_passes(run: pytest.Pytester) -> None:
    result = run.runpytest(*SUITE, *QUICK, "--implementation", "reference", "--rule", "live-*")
    assert result.ret == 0
    assert outcomes(result).keys() <= {"passed", "skipped"}
    result.stdout.fnmatch_lines(
        [
            "cors-conformance: reference 0.* (Python, asgi), profile quick, * rules",
            "reference 0.*:*",
        ]
    )


def test_no_cors_at_all_fails_with_the_report_and_nothing_else(run: pytest.Pytester) -> None:
    result = run.runpytest(*SUITE, *QUICK, *NONE, *SIMPLE)
    assert result.ret == 1
    assert outcomes(result) == {"failed": 1}
    result.stdout.fnmatch_lines(
        [
            "_* test_rule?none-live-simple? _*",
            "MUST live-simple: Pages of *",
            "  on the wire:",
            "    cors-conformance run none --replay 1.*",
            "none: 0 passed, 1 failed; * polic*, * exchange*, 0 refused",
        ]
    )
    for noise in ("Traceback", "Falsifying", "hypothesis.", "Captured", "Error"):
        result.stdout.no_fnmatch_line(f"*{noise}*")


def test_reflecting_any_origin_fails_and_its_bytes_stay_unheard(run: pytest.Pytester) -> None:
    name = "middlewares_to_judge:Reflecting"
    result = run.runpytest(
        *SUITE, *QUICK, "--implementation", name, "--rule", "safe-origin-simple", "--junitxml=x.xml"
    )
    assert result.ret == 1
    result.stdout.fnmatch_lines([r"*< x-evil: \x1b[[]2J\x07[[]bold]"])
    assert "\x1b" not in result.stdout.str()
    assert "MUST safe-origin-simple" in (run.path / "x.xml").read_text()


def test_what_follows_from_a_finding_is_no_finding_of_its_own(run: pytest.Pytester) -> None:
    rules = (*SIMPLE, "--rule", "live-redirect")
    result = run.runpytest(*SUITE, *QUICK, *NONE, *rules, "-rx")
    assert outcomes(result) == {"failed": 1, "xfailed": 1}
    result.stdout.fnmatch_lines(["XFAIL *none-live-redirect? - follows from another finding: *"])


def test_deselecting_the_root_of_a_finding_does_not_excuse_it(run: pytest.Pytester) -> None:
    result = run.runpytest(*SUITE, *QUICK, *NONE, "--rule", "live-*", "-k", "live-redirect")
    assert result.ret == 1
    assert outcomes(result).keys() == {"failed", "deselected"}


def test_known_findings_are_expected_failures(run: pytest.Pytester) -> None:
    (run.path / "known.toml").write_text(BASELINE)
    options = ("--conformance-profile=quick", "--conformance-baseline=known.toml", "-rx", *POLICY)
    result = run.runpytest(*SUITE, *NONE, *SIMPLE, *options)
    assert result.ret == 0
    assert outcomes(result) == {"xfailed": 1}
    result.stdout.fnmatch_lines(["XFAIL *none-live-simple? - It has no CORS."])


def test_runxfail_makes_known_findings_fail(run: pytest.Pytester) -> None:
    (run.path / "known.toml").write_text(BASELINE)
    options = ("--conformance-profile=quick", "--conformance-baseline=known.toml", *POLICY)
    rules = (*SIMPLE, "--rule", "live-redirect")
    result = run.runpytest(*SUITE, *NONE, *rules, *options, "--runxfail")
    assert outcomes(result) == {"failed": 2}
    result.stdout.fnmatch_lines(["MUST live-simple*", "follows from another finding: *"])


@pytest.mark.usefixtures("untraced")
def test_entries_that_no_longer_fail_fail(run: pytest.Pytester) -> None:
    (run.path / "known.toml").write_text(BASELINE.replace("live-simple", "safe-null"))
    rule = ("--rule", "safe-null")
    result = run.runpytest(*SUITE, *NONE, *rule, "--conformance-baseline", "known.toml")
    assert result.ret == 1
    result.stdout.fnmatch_lines(["it no longer fails; remove it from the baseline: *"])


def test_what_cannot_be_shown_is_skipped_with_its_reason(run: pytest.Pytester) -> None:
    rule = next(rule for rule in RULES.values() if rule.id == "safe-wildcard-credentials")
    policy = '{"allow_origins": ["https://a.example"]}'
    (run.path / "policy.json").write_text(policy)
    options = ("--rule", rule.id, "--policy", "policy.json", "-rs")
    result = run.runpytest(*SUITE, *QUICK, *NONE, *options)
    assert outcomes(result) == {"skipped": 1}
    result.stdout.fnmatch_lines(
        [
            "not tested:",
            f"  {rule.id}: nothing of this run concerned it",
            "SKIPPED*nothing of this*",
        ]
    )


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("broken", "a fault of a harness, and none of broken: HarnessError: the harness is broken"),
        ("refusing", r"refusing refuses the policy *: ValueError: never\x1b[[]2J"),
    ],
)
def test_without_a_verdict_there_are_errors_and_no_failures(
    run: pytest.Pytester, name: str, message: str
) -> None:
    selector = f"middlewares_to_judge:{name}"
    rules = (*SIMPLE, "--rule", "safe-null")
    result = run.runpytest(*SUITE, *QUICK, "--implementation", selector, *rules)
    assert result.ret == 1
    assert outcomes(result) == {"errors": 2}
    result.stdout.fnmatch_lines([message, f"{name} could not be judged; the first error *"])
    result.stdout.no_fnmatch_line("*Traceback*")


def test_faults_of_the_suite_show_themselves(
    run: pytest.Pytester, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object) -> None:
        message = "a bug"
        raise RuntimeError(message)

    monkeypatch.setattr(Run, "report", fail)
    result = run.runpytest(*SUITE, *QUICK, *NONE, *SIMPLE)
    assert outcomes(result) == {"errors": 1}
    result.stdout.fnmatch_lines(["E*RuntimeError: a bug"])


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--implementation", "starlete"], "*did you mean 'starlette'*"),
        (["--implementation", "middlewares_to_judge:nothing"], "*has no 'nothing'*"),
        (["--rule", "no-such-*"], "*no rule matches 'no-such-*"),
        (["--policy", "none.json"], "*policy 'none.json': No such file*"),
        (["--conformance-profile", "slow"], "*no profile 'slow'*"),
        (["--conformance-baseline", "none.toml"], "*baseline none.toml: No such file*"),
        (["--conformance-replay", "abc"], "*'abc' is no token*"),
        (
            ["--conformance-json", "no/out.json"],
            "*--conformance-json: 'no/out.json' cannot be written*",
        ),
    ],
)
def test_wrong_options_are_usage_errors(
    run: pytest.Pytester, options: list[str], message: str
) -> None:
    result = run.runpytest(*SUITE, *options)
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    result.stderr.fnmatch_lines([message])


def test_deselecting_everything_is_an_error(run: pytest.Pytester) -> None:
    result = run.runpytest(*SUITE, *QUICK, *NONE, "-k", "nothing_of_that_name")
    assert result.ret == pytest.ExitCode.NO_TESTS_COLLECTED


def test_what_is_not_installed_is_skipped_and_named(
    run: pytest.Pytester, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("starlette", "fastapi", "fastrapi"):
        monkeypatch.setitem(sys.modules, f"cors_conformance.implementations.{name}", None)
    result = run.runpytest(*SUITE, *QUICK, "--rule", "safe-null", "-rs")
    assert result.ret == 0
    assert outcomes(result) == {"passed": 2, "skipped": 3}
    result.stdout.fnmatch_lines(
        [
            "cors-conformance: starlette is not installed; pip install *",
            "SKIPPED *not installed: *; pip install *",
        ]
    )


def test_a_finding_is_replayed_by_its_token(run: pytest.Pytester) -> None:
    options = ("--implementation", "reference", "--conformance-replay", TOKEN)
    result = run.runpytest(*SUITE, *NONE, *options, "-v")
    assert outcomes(result) == {"failed": 1, "passed": 1}
    result.stdout.fnmatch_lines(["*profile replay, 1 rule", "*reference-live-simple? PASSED*"])


def test_a_token_that_turns_out_to_be_damaged_is_an_error(run: pytest.Pytester) -> None:
    visit = Visit(origin="no origin", method=b"GET")
    token = encode(RULES["live-simple"], Policy(), visit)
    result = run.runpytest(*SUITE, *NONE, "--conformance-replay", token)
    assert outcomes(result) == {"errors": 1}
    result.stdout.fnmatch_lines(["the token is damaged: *"])


def test_report_is_written_for_programs(run: pytest.Pytester) -> None:
    run.runpytest(*SUITE, *QUICK, *NONE, *SIMPLE, "--conformance-json", "out.json")
    (document,) = json.loads((run.path / "out.json").read_text())["runs"]
    assert document["counts"] == {verdict: int(verdict is Verdict.FAILED) for verdict in Verdict}


@pytest.mark.usefixtures("untraced")
def test_workers_of_xdist_share_the_work(run: pytest.Pytester) -> None:
    options = ("--implementation", "reference", "--rule", "*-simple", "-n", "2", "-v")
    result = run.runpytest(*SUITE, *QUICK, *NONE, *options)
    assert result.ret == 1
    count = outcomes(result)
    assert (count["failed"], count["passed"]) == (1, 3)
    result.stdout.fnmatch_lines(["none: * 1 failed*", "reference 0.*: 2 passed, 0 failed*"])
    lines = [line for line in result.outlines if " test_rules.py::test_rule[none-" in line]
    # Spread over both, the implementation would be tested twice.
    assert len({line.split()[0] for line in lines if line.startswith("[")}) == 1


@pytest.mark.usefixtures("untraced")
def test_workers_of_xdist_may_share_in_other_ways_and_search_with_one_seed(
    run: pytest.Pytester, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Changed here for the controller, which is this process, and there for the workers.
    monkeypatch.setattr(selection, "PROFILES", {})
    run.makeconftest(
        """
        from dataclasses import replace
        from cors_conformance import profiles, selection

        quick = profiles.PROFILES["quick"]
        selection.PROFILES = {"quick": replace(quick, is_deterministic=False)}
        """
    )
    rules = ("--rule", "safe-null", "--rule", "live-simple")
    options = ("-n", "2", "--dist", "load", "--conformance-json", "out.json")
    result = run.runpytest(*SUITE, *QUICK, *NONE, *rules, *options)
    assert outcomes(result) == {"failed": 1, "passed": 1}
    (document,) = json.loads((run.path / "out.json").read_text())["runs"]
    result.stdout.fnmatch_lines([f"*profile quick with seed {document['seed']}, 2 rules"])


def test_progress_is_shown_on_a_terminal_only(
    run: pytest.Pytester, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(progress, "_SECONDS", 0)
    silent = run.runpytest(*SUITE, *QUICK, *NONE, *SIMPLE)
    silent.stdout.no_fnmatch_line("*exploring*")
    talking = run.runpytest(*SUITE, *QUICK, *NONE, *SIMPLE, "--color=yes")
    assert "none: exploring " in talking.stdout.str()
    monkeypatch.setattr(progress, "_SECONDS", 600)
    quiet = run.runpytest(*SUITE, *QUICK, *NONE, *SIMPLE, "--color=yes")
    assert "none: exploring " not in quiet.stdout.str()


def test_other_runs_are_left_alone(run: pytest.Pytester) -> None:
    run.makeconftest(
        """
        def pytest_addoption(parser):
            for name in ("--implementation", "--rule", "--policy"):
                parser.addoption(name)
        """
    )
    run.makepyfile(
        test_it="""
        import sys

        def test_it(request):
            assert request.config.getoption("--rule") == "mine"
            assert "cors_conformance.suite.session" not in sys.modules
            assert "cors_conformance.run" not in sys.modules
        """
    )
    result = run.runpytest_subprocess("--rule", "mine", "-p", "no:cacheprovider")
    assert result.ret == 0
    result.stdout.no_fnmatch_line("cors-conformance:*")


def test_help_lists_the_options_and_runs_nothing(run: pytest.Pytester) -> None:
    result = run.runpytest(*SUITE, "--help")
    assert result.ret == 0
    result.stdout.fnmatch_lines(["*--implementation=NAME*", "*--conformance-replay=TOKEN*"])


def test_options_of_another_plugin_are_named(run: pytest.Pytester) -> None:
    run.makepyfile(
        other_plugin="""
        def pytest_addoption(parser):
            parser.addoption("--rule")
        """
    )
    result = run.runpytest_subprocess("-p", "other_plugin", *SUITE)
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    result.stderr.fnmatch_lines(["*another plug-in has an option of the suite*--rule*"])


def test_suite_without_its_plugin_says_what_is_missing(run: pytest.Pytester) -> None:
    result = run.runpytest_subprocess(*SUITE, "-p", "no:cors-conformance")
    assert result.ret != 0
    result.stdout.fnmatch_lines(["*run the suite with `pytest --pyargs cors_conformance.suite`*"])


def test_paths_are_as_good_as_names(run: pytest.Pytester) -> None:
    path = Path(session.__file__).parent
    result = run.runpytest(path, "-p", "no:cacheprovider", *QUICK, *NONE, "--rule", "safe-null")
    assert outcomes(result) == {"passed": 1}
