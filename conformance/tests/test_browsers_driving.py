"""Servers, sessions and commands, with stand-ins where a browser would be."""

import argparse
import asyncio
import http.client
import json
import os
import signal
import socket
import sys
import threading
import time
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, Self, cast

import pytest

from cors_conformance import cases
from cors_conformance.browsers import (
    command,
    driving,
    interrupting,
    live,
    live_command,
    running,
    verdicts,
)
from cors_conformance.browsers.bending import predict
from cors_conformance.browsers.bends.asking import user_agent_is_forbidden
from cors_conformance.browsers.bends.sending import request_headers_are_utf8
from cors_conformance.browsers.casefile import examples
from cors_conformance.browsers.deviations import DEVIATIONS, deviations_of
from cors_conformance.browsers.driving import PageLost, Theatre
from cors_conformance.browsers.engines import (
    ENGINES,
    Engine,
    EngineMissing,
    locate,
    started,
    version,
)
from cors_conformance.browsers.observing import Seen, observe_outcomes
from cors_conformance.browsers.places import API, PAGE
from cors_conformance.browsers.scenario import Scenario
from cors_conformance.browsers.scenarios import one_step
from cors_conformance.cases.schema import Hop, Request, Response
from cors_conformance.fetch.http import HTTPRequest
from cors_conformance.implementations import reference
from cors_conformance.implementations.registry import find
from programs import launched

URL = f"{API}/ID/a"


def simple() -> Scenario:
    answer = Response(headers=(("Access-Control-Allow-Origin", "*"), ("X-A", " 1\t")), body="hi")
    return one_step("x", PAGE, Request(url=URL), Hop(url=URL, actual=answer))


def work(start_url: str) -> None:
    """Be a page that fetches with a plain client and takes every response for readable."""
    host, port = start_url.split("/")[2].split(":")
    page = http.client.HTTPConnection(host, int(port))
    page.request("GET", "/poll")
    assert b"page.js" in page.getresponse().read()
    page.request("GET", "/work")
    turn = json.loads(page.getresponse().read())
    results = {}
    for item in turn["items"]:
        step = item["steps"][0]
        target = step["url"].split("/", 3)
        client = http.client.HTTPConnection(target[2])
        client.request(step["init"]["method"], f"/{target[3]}", headers={"Accept": "*/*"})
        response = client.getresponse()
        body = response.read().decode()
        headers = response.getheaders()
        results[item["number"]] = [
            {"result": "success", "type": "cors", "status": response.status, "body": body}
            | {"headers": headers}
        ]
        client.close()
    page.request("POST", "/results", json.dumps({"turn": turn["turn"], "results": results}))
    page.getresponse().read()
    page.close()


def test_pages_get_the_bytes_of_a_scenario_and_their_requests_are_logged() -> None:
    with Theatre().running() as theatre:
        page = threading.Thread(target=work, args=(theatre.start_url,))
        page.start()
        ((seen,),) = theatre.play([simple()], seconds=20)
        page.join()
    assert (seen.status, seen.body) == (200, "hi")
    # This client leaves the tab where it is.
    assert ("x-a", "1\t") in seen.headers
    assert [(sent.method, sent.url) for sent in seen.sent] == [("GET", URL)]


def test_header_values_are_written_with_their_white_space() -> None:
    with Theatre().running() as theatre:
        port = theatre.start_url.split(":")[2].split("/")[0]
        with socket.create_connection(("127.0.0.1", int(port))) as client:
            client.sendall(
                b"HEAD /nowhere HTTP/1.1\r\nHost: x\r\n\r\nGET /page.js HTTP/1.1\r\n\r\n"
            )
            answer = b""
            while b"poll" not in answer:
                answer += client.recv(1 << 16)
    assert answer.startswith(b"HTTP/1.1 404 Said So\r\nContent-Length: 0\r\n\r\nHTTP/1.1 200")


def test_pages_that_do_not_answer_are_lost() -> None:
    with Theatre().running() as theatre:
        with pytest.raises(PageLost):
            theatre.play([simple()], seconds=0.05)
        theatre.forget()


def program(folder: Path, text: str) -> str:
    path = folder / "browser"
    path.write_text(f"#!{sys.executable}\n{text}")
    path.chmod(0o755)
    return str(path)


def stand_in(executable: str) -> Engine:
    return Engine(
        name="firefox",
        product="Stand-in",
        executables=(executable,),
        packages=("stand-in",),
        command=lambda executable, folder, url: [executable, str(folder), url],
        version_command=lambda executable: [executable, "--version"],
    )


def test_browsers_and_their_folders_are_gone_after_the_block(tmp_path: Path) -> None:
    # It has a helper and does not end when it is asked to.
    executable = program(
        tmp_path,
        "import os, pathlib, signal, sys, time\n"
        "signal.signal(signal.SIGTERM, signal.SIG_IGN)\n"
        "pathlib.Path(sys.argv[1], 'pids').write_text(f'{os.getpid()} {os.fork()}')\n"
        "time.sleep(60)\n",
    )
    folders = set(Path(os.environ.get("TMPDIR", "/tmp")).glob("cors-conformance-*"))  # noqa: S108
    with (  # noqa: PT012 - the block is what is interrupted
        pytest.MonkeyPatch.context() as patch,
        pytest.raises(KeyboardInterrupt),
        started(stand_in(executable), executable, "http://localhost/") as running,
    ):
        patch.setattr("cors_conformance.browsers.engines.PATIENCE", 0.3)
        pids = Path(cast("list[str]", running.process.args)[-2], "pids")
        while not (pids.exists() and pids.read_text().count(" ")):
            time.sleep(0.01)
        alive = [int(pid) for pid in pids.read_text().split() if pid != "0"]
        raise KeyboardInterrupt
    assert not pids.exists()
    for pid in alive:
        assert not Path(f"/proc/{pid}").exists() or "Z" in Path(f"/proc/{pid}/stat").read_text()
    after = set(Path(os.environ.get("TMPDIR", "/tmp")).glob("cors-conformance-*"))  # noqa: S108
    assert pids.parent not in after - folders


def test_versions_are_read_from_what_a_browser_says(tmp_path: Path) -> None:
    executable = program(tmp_path, "print('Browser 12.3.4 of today')")
    engine = stand_in(executable)
    assert version(engine, locate(engine)) == "12.3.4"
    assert version(engine, str(tmp_path / "missing")) == "unknown"


def test_missing_engines_name_their_packages() -> None:
    missing = replace(ENGINES["chromium"], executables=("no-such-program",))
    with pytest.raises(EngineMissing, match="apt-get install chromium"):
        locate(missing)


def test_a_path_that_is_no_engine_is_named() -> None:
    with pytest.raises(EngineMissing, match="'no-such-program' is no program that can be run"):
        locate(ENGINES["chromium"], "no-such-program")


def options(module: Any, *arguments: str) -> argparse.Namespace:
    parser = argparse.ArgumentParser()
    module.add_arguments(parser)
    return parser.parse_args(arguments)


@pytest.mark.parametrize("module", [command, live_command])
def test_missing_engines_are_not_tested(module: Any, capsys: pytest.CaptureFixture[str]) -> None:
    arguments = ["--engine", "webkit", "--webkit", "no-such-program"]
    if module is live_command:
        arguments.append("reference")
    assert module.main(options(module, *arguments)) == 4
    assert "webkit: not tested: 'no-such-program' is no program" in capsys.readouterr().out


class Stage:
    """A theatre in which the model itself plays, bent in some places."""

    start_url = "http://localhost/"
    bends: Sequence[Any] = ()
    """What the engine does otherwise than the standard."""

    def running(self) -> "Stage":
        return self

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        pass

    def play(self, scenarios: Sequence[Scenario], **_: object) -> list[tuple[Seen, ...]]:
        return [self._play(scenario) for scenario in scenarios]

    def _play(self, scenario: Scenario) -> tuple[Seen, ...]:
        if self.is_hiccup(scenario):
            return (Seen(result="crash"),) * len(scenario.steps)
        return predict(scenario, self.bends)

    def is_hiccup(self, scenario: Scenario) -> bool:
        return False

    def forget(self) -> None:
        pass


SLEEPER = """\
import sys, time
print("Stand-in 156.0.1")
sys.argv[1] == "--version" or time.sleep(60)
"""


@pytest.fixture
def stage(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> str:
    monkeypatch.setattr(running, "Theatre", Stage)
    monkeypatch.setattr(Stage, "bends", BENDS)
    return program(tmp_path, SLEEPER)


BENDS = tuple(item.bend for item in deviations_of("chromium"))
UNHEARD_OF = (*BENDS, request_headers_are_utf8)
"""WebKit's own: the table has no such line for Chromium."""


def run(executable: str, folder: Path, *more: str) -> tuple[int, dict[str, Any]]:
    out = folder / "out.json"
    arguments = ["--engine", "chromium", "--chromium", executable, "--json", str(out)]
    status = command.main(options(command, *arguments, "--scenarios", "100", *more))
    return status, json.loads(out.read_text())["engines"][0]


def test_engines_that_do_as_the_table_says_are_green(stage: str, tmp_path: Path) -> None:
    status, report = run(stage, tmp_path)
    assert (status, report["reason"], report["version"]) == (0, "passed", "156.0.1")
    assert set(report["met"]) == {item.id for item in deviations_of("chromium")}
    assert report["agreed"] + report["covered"] == report["scenarios"]


def test_mended_deviations_are_told_and_no_failure(
    stage: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    others = tuple(bend for bend in BENDS if bend is not user_agent_is_forbidden)
    monkeypatch.setattr(Stage, "bends", others)
    status, report = run(stage, tmp_path)
    assert (status, report["gone"]) == (0, ["user-agent-is-forbidden"])
    assert "no more user-agent-is-forbidden" in capsys.readouterr().out


def test_a_deviation_that_has_no_example_yet_is_no_failure(
    stage: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    known = examples()
    others = {name: known[name] for name in known if name != "listener-without-body"}
    monkeypatch.setattr(running, "examples", lambda: others)
    status, report = run(stage, tmp_path)
    assert (status, report["gone"]) == (0, [])
    assert "listener-without-body" in report["met"]


def test_engines_that_follow_the_standard_are_green(
    stage: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Stage, "bends", ())
    status, report = run(stage, tmp_path)
    assert (status, report["agreed"]) == (0, report["scenarios"])
    assert set(report["gone"]) == {item.id for item in deviations_of("chromium")}


def test_unknown_deviations_are_shrunk_and_written_as_cases(
    stage: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(Stage, "bends", UNHEARD_OF)
    found = tmp_path / "cases.json"
    status, report = run(stage, tmp_path, "--scenarios", "250", "--cases", str(found))
    assert status == 1
    assert report["unexplained"] > 0
    assert "unexplained: {" in capsys.readouterr().out
    written = json.loads(found.read_text())["cases"]
    headers = [dict(case["request"]["headers"]) for case in written]
    assert not any("".join(values.values()).isascii() for values in headers)
    assert all(scripted.agrees for scripted in map(cases.run, cases.load(found)))


def test_unknown_deviations_of_other_versions_are_nobodys_failure(
    stage: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Stage, "bends", UNHEARD_OF)
    monkeypatch.setattr(running, "shrink", lambda scenario, _: scenario)
    executable = program(tmp_path, SLEEPER.replace("156.0.1", "157.0.1"))
    status, report = run(executable, tmp_path, "--scenarios", "250")
    assert status == 4
    assert report["reason"].startswith("not tested: Chromium 157.0.1 disagrees")


def test_what_happens_once_is_told_and_no_failure(
    stage: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    done: set[Scenario] = set()

    def is_hiccup(_: Stage, scenario: Scenario) -> bool:
        once = scenario.aim == "status" and scenario not in done
        done.add(scenario)
        return once

    monkeypatch.setattr(Stage, "is_hiccup", is_hiccup)
    status, report = run(stage, tmp_path)
    assert status == 0
    assert report["unsteady"] == sum(scenario.aim == "status" for scenario in done)


def test_examples_of_what_is_met_are_written(
    stage: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(
        running, "shrink", lambda scenario, holds: scenario if holds([scenario]) == [True] else None
    )
    found = tmp_path / "examples.json"
    run(stage, tmp_path, "--scenarios", "1", "--examples", str(found))
    written = {case.id: case for case in cases.load(found)}
    assert list(written) == [item.id for item in DEVIATIONS]
    assert written["empty-location"].source == "Chromium 156.0.1, seed 1"
    assert "Firefox" in (written["header-lines-are-merged"].source or "")


def test_engines_that_end_are_told_with_their_last_words(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    executable = program(tmp_path, "import sys\nprint('Stand-in 156.0')\nsys.exit('no screen')\n")
    status, report = run(executable, tmp_path)
    assert status == 3
    assert report["reason"].endswith("it ended with status 1: no screen")
    assert "chromium: not tested: Chromium fails" in capsys.readouterr().err


def test_engines_that_hang_are_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(driving, "SILENCE", 0.1)
    status, report = run(program(tmp_path, SLEEPER), tmp_path)
    assert status == 3
    assert "nothing was heard of its page" in report["reason"]


def test_disagreements_outweigh_failures_and_these_what_was_not_tested() -> None:
    assert [verdicts.overall(told) for told in ([0, 4, 3, 1], [3, 4, 0], [4, 0], [0], [])] == [
        *(1, 3, 4, 0, 4)
    ]


@pytest.mark.parametrize(
    "arguments",
    [["--engine", "foo"], ["--scenarios", "0"], ["--scenarios", "few"], ["--seed", "x"]],
    ids=" ".join,
)
def test_bad_options_are_refused(arguments: list[str]) -> None:
    with pytest.raises(SystemExit, match="2"):
        options(command, *arguments)


def test_files_that_cannot_be_written_are_told_before_the_work(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "nowhere" / "out.json"
    assert command.main(options(command, "--json", str(out))) == 2
    assert f"{out}: cannot be written" in capsys.readouterr().err


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_signals_end_a_run_and_its_browser(number: int, tmp_path: Path) -> None:
    pid = tmp_path / "pid"
    executable = program(
        tmp_path,
        "import os, pathlib, sys, time\n"
        "if sys.argv[1] != '--version':\n"
        f"    pathlib.Path({str(pid)!r}).write_text(str(os.getpid()) + '.')\n"
        "    time.sleep(60)\n",
    )
    scratch = tmp_path / "scratch"
    scratch.mkdir()
    command = [sys.executable, "-m", "cors_conformance.cli", "browsers"]
    with launched(
        [*command, "--engine", "firefox", "--firefox", executable],
        env={**os.environ, "TMPDIR": str(scratch)},
    ) as started_run:
        while started_run.poll() is None and not (pid.exists() and pid.read_text().endswith(".")):
            time.sleep(0.02)
        assert list(scratch.iterdir())
        started_run.send_signal(number)
        started_run.communicate(timeout=60)
    assert started_run.returncode == 130
    assert not list(scratch.iterdir())
    assert not Path(f"/proc/{pid.read_text()[:-1]}").exists()


@pytest.fixture
def interruptible() -> Iterator[None]:
    """SIGINT as Python has it: whoever is started in the background of a shell inherits none."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


@pytest.mark.usefixtures("interruptible")
def test_signals_wait_for_the_end_of_a_block() -> None:
    reached: list[str] = []
    with (  # noqa: PT012 - the block is what is interrupted
        pytest.raises(KeyboardInterrupt),
        interrupting.signals_wait(),
    ):
        signal.raise_signal(signal.SIGINT)
        reached.append("the end")
    assert reached


def test_browsers_that_crash_once_are_started_again(
    stage: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    plays = iter([PageLost("it ended with status 11: crash")])

    def play(stage: Stage, scenarios: Sequence[Scenario], **_: object) -> list[tuple[Seen, ...]]:
        for lost in plays:
            raise lost
        return [predict(scenario, stage.bends) for scenario in scenarios]

    monkeypatch.setattr(Stage, "play", play)
    status, report = run(stage, tmp_path)
    assert (status, report["reason"]) == (0, "passed")


class Gateway(Stage):
    """A theatre in which the model plays against whatever answers."""

    def play(self, scenarios: Sequence[Scenario], **more: Any) -> list[tuple[Seen, ...]]:
        answerer = more["answerer"]
        return [self._against(scenario, answerer(scenario)[0]) for scenario in scenarios]

    def _against(self, scenario: Scenario, answer: Any) -> tuple[Seen, ...]:
        async def ask(request: HTTPRequest) -> Any:
            return await answer(request)

        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(
                "cors_conformance.browsers.observing.Script.answer",
                lambda _, request: asyncio.run(ask(request)),
            )
            return tuple(seen for seen, _ in observe_outcomes(scenario))


def test_reference_grants_pages_what_its_policies_grant() -> None:
    report = live.check(Gateway().play, reference.asgi(), 60, 1)
    assert report.findings == []
    assert report.pairs > report.free
    assert report.pairs >= 60
    assert report.refused


def test_pages_without_cors_get_what_no_policy_denies() -> None:
    report = live.check(Gateway().play, find("none"), 60, 1)
    assert report.findings
    assert all(finding.model_agrees and finding.grant.granted for finding in report.findings)


def test_live_checks_are_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(live_command, "Theatre", Gateway)
    arguments = ["--engine", "chromium", "--chromium", program(tmp_path, SLEEPER), "--pairs", "40"]
    assert live_command.main(options(live_command, *arguments, "reference", "none")) == 1
    told = capsys.readouterr().out
    assert "chromium: reference: passed: pages could do what the policies grant" in told
    assert "the policy says granted" in told
    assert "the page got a network error" in told
    assert "0 of them with the browser model at odds with the engine" in told


def test_implementations_that_are_not_there_are_bad_input(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert live_command.main(options(live_command, "nothing-like-it")) == 2
    assert "nothing-like-it" in capsys.readouterr().err
