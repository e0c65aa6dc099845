"""Servers, sessions and commands, with stand-ins where a browser would be."""

import argparse
import asyncio
import http.client
import json
import os
import socket
import sys
import threading
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Self, cast

import pytest

from cors_conformance.browsers import command, live, live_command, running
from cors_conformance.browsers.bending import predict
from cors_conformance.browsers.bends.asking import user_agent_is_forbidden
from cors_conformance.browsers.bends.receiving import reset_content_has_a_body
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
        started(stand_in(executable), executable, "http://localhost/") as process,
    ):
        patch.setattr("cors_conformance.browsers.engines.PATIENCE", 0.3)
        pids = Path(cast("list[str]", process.args)[-2], "pids")
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
    with pytest.raises(EngineMissing, match="apt-get install chromium"):
        locate(ENGINES["chromium"], "no-such-program")


def options(module: Any, *arguments: str) -> argparse.Namespace:
    parser = argparse.ArgumentParser()
    module.add_arguments(parser)
    return parser.parse_args(arguments)


@pytest.mark.parametrize("module", [command, live_command])
def test_missing_engines_are_not_tested_and_no_failure(
    module: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    arguments = ["--engine", "webkit", "--webkit", "no-such-program"]
    if module is live_command:
        arguments.append("reference")
    assert module.main(options(module, *arguments)) == 0
    assert "webkit: not tested: WebKitGTK is not here" in capsys.readouterr().out


class Stage:
    """A theatre in which the model itself plays, bent in some places."""

    start_url = "http://localhost/"
    bends: Sequence[Any] = ()

    def running(self) -> "Stage":
        return self

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        pass

    def play(self, scenarios: Sequence[Scenario], *, seconds: float) -> list[tuple[Seen, ...]]:
        return [predict(scenario, self.bends) for scenario in scenarios]


@pytest.fixture
def stage(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> str:
    executable = program(tmp_path, "import sys, time\nsys.argv[1] == '--version' or time.sleep(60)")
    monkeypatch.setattr(running, "Theatre", Stage)
    monkeypatch.setattr(Stage, "bends", ())
    return executable


def run(executable: str, tmp_path: Path, *more: str) -> tuple[int, dict[str, Any]]:
    out = tmp_path / "out.json"
    arguments = ["--engine", "chromium", "--chromium", executable, "--json", str(out)]
    status = command.main(options(command, *arguments, "--scenarios", "300", *more))
    return status, json.loads(out.read_text())[0]


def test_engines_that_follow_the_standard_are_green(stage: str, tmp_path: Path) -> None:
    status, report = run(stage, tmp_path)
    assert (status, report["agreed"]) == (0, report["scenarios"])


def test_known_deviations_are_counted(
    stage: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Stage, "bends", (user_agent_is_forbidden,))
    _, report = run(stage, tmp_path)
    assert report["covered"] + report["unexplained"] == report["scenarios"] - report["agreed"]


def test_unknown_deviations_are_shrunk_and_written_as_cases(
    stage: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    # WebKit's own: the table has no such line for Chromium.
    monkeypatch.setattr(Stage, "bends", (reset_content_has_a_body,))
    found = tmp_path / "cases.json"
    status, report = run(stage, tmp_path, "--cases", str(found), "--seed", "5")
    assert status == 1
    assert report["unexplained"] > 0
    assert "unexplained" in capsys.readouterr().out
    (case,) = json.loads(found.read_text())["cases"]
    answer = case["server"]["hops"][0]["actual"]
    assert answer["status"] == 205


class Gateway:
    """A theatre in which the model plays against whatever answers."""

    def play(
        self, scenarios: Sequence[Scenario], *, seconds: float, answerer: Any
    ) -> list[tuple[Seen, ...]]:
        return [self._play(scenario, answerer(scenario)[0]) for scenario in scenarios]

    def _play(self, scenario: Scenario, answer: Any) -> tuple[Seen, ...]:
        async def ask(request: HTTPRequest) -> Any:
            return await answer(request)

        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(
                "cors_conformance.browsers.observing.Script.answer",
                lambda _, request: asyncio.run(ask(request)),
            )
            return tuple(seen for seen, _ in observe_outcomes(scenario))


def test_reference_grants_pages_what_its_policies_grant() -> None:
    report = live.check(cast("Theatre", Gateway()), reference.asgi(), 60, 1)
    assert report.findings == []
    assert report.pairs > report.free
