"""The glue around the generator and the servers that it loads, with or without a generator."""

import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

import loading
import over_http
from calling import WrongAnswer
from cors_conformance.implementation import Implementation
from cors_conformance.implementations.registry import find
from cors_conformance.servers.http import HTTPServer
from kinds import KINDS
from loading import Load, LoadFailed, load, parsed
from over_http import BARE, CannotLoad, Subject, started, subjects_of, turn, warm
from processes import cpu_nanoseconds, forget_peak, peak_memory, ready_nanoseconds

LINUX = pytest.mark.skipif(sys.platform != "linux", reason="processes are watched on Linux only")
SERVERS = pytest.mark.skipif(over_http.unavailable() is not None, reason="see `unavailable`")

# As h2load of nghttp2 1.52.0 printed it.
PRINTED = """starting benchmark...
spawning thread #0: 4 total client(s). 40 total requests
Application protocol: http/1.1

finished in 6.78ms, 5899.71 req/s, 5.91KB/s
requests: 40 total, 40 started, 40 done, 30 succeeded, 10 failed, 0 errored, 0 timeout
status codes: 30 2xx, 0 3xx, 10 4xx, 0 5xx
traffic: 41B (41) total, 15B (15) headers (space savings 0.00%), 2B (2) data
"""


@pytest.fixture(autouse=True)
def _anew() -> None:
    loading.generator.cache_clear()


def pretend(monkeypatch: pytest.MonkeyPatch, folder: Path, script: str) -> None:
    """Put a program into the way that is called like the generator."""
    program = folder / loading.PROGRAM
    program.write_text(f"#!{sys.executable}\n{script}")
    program.chmod(0o755)
    monkeypatch.setenv("PATH", str(folder))


def test_output_of_the_generator_is_read() -> None:
    read = parsed(PRINTED)
    assert (read.done, read.statuses) == (40, {2: 30, 4: 10})
    assert read.seconds == pytest.approx(0.00678)


@pytest.mark.parametrize(("told", "seconds"), [("6.78s", 6.78), ("950us", 0.00095)])
def test_times_come_in_several_units(told: str, seconds: float) -> None:
    assert parsed(PRINTED.replace("6.78ms", told)).seconds == pytest.approx(seconds)


@pytest.mark.parametrize("line", ["finished in", "requests:", "status codes:"])
def test_output_that_lacks_a_line_is_not_guessed_at(line: str) -> None:
    with pytest.raises(LoadFailed, match="not understood"):
        parsed(PRINTED.replace(line, "something else"))


def test_requests_without_a_response_are_told(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    pretend(monkeypatch, tmp_path, f"print({PRINTED!r})")
    assert load(1, KINDS["allowed"], requests=40, connections=4).done == 40
    with pytest.raises(LoadFailed, match="40 of 50 requests were answered"):
        load(1, KINDS["allowed"], requests=50, connections=4)


def test_a_generator_that_fails_is_told(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    pretend(monkeypatch, tmp_path, "import sys; sys.exit('no such option')")
    with pytest.raises(LoadFailed, match="status 1: no such option"):
        load(1, KINDS["allowed"], requests=40, connections=4)


def test_a_generator_that_hangs_is_ended(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    pid = tmp_path / "pid"
    pretend(
        monkeypatch,
        tmp_path,
        f"import os, time; open({str(pid)!r}, 'w').write(str(os.getpid())); time.sleep(60)",
    )
    monkeypatch.setattr(loading, "LONGEST", 2.0)
    with pytest.raises(LoadFailed, match="were not answered within 2 s"):
        load(1, KINDS["allowed"], requests=40, connections=4)
    with pytest.raises(ProcessLookupError):
        os.kill(int(pid.read_text()), 0)


def benchmarks(*options: str) -> subprocess.CompletedProcess[str]:
    """Run benchmarks where there is no generator."""
    return subprocess.run(
        [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", *options],
        cwd=Path(__file__).parents[1],
        env={**os.environ, "PATH": "/nonexistent"},
        capture_output=True,
        check=False,
        text=True,
    )


def test_without_a_generator_the_reason_is_printed() -> None:
    ran = benchmarks("benchmarks/test_over_http.py", "--implementation", "none")
    assert ran.returncode == 0
    assert "3 skipped" in ran.stdout
    if sys.platform == "linux":
        assert (
            "not measured over HTTP: h2load is not installed; it comes with nghttp2" in ran.stdout
        )


def test_a_server_that_was_asked_for_is_not_left_out_silently() -> None:
    pytest.importorskip("fastrapi")
    ran = benchmarks("benchmarks", "--implementation", "fastrapi")
    assert ran.returncode == pytest.ExitCode.USAGE_ERROR
    assert "fastrapi: a server, which is measured over HTTP: " in ran.stderr


def test_what_is_missing_of_the_servers_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(over_http, "_NEEDED", ("uvicorn", "no_such_module"))
    monkeypatch.setattr(sys, "platform", "linux")
    assert str(over_http.unavailable()).startswith("not installed: no_such_module")


def test_costs_are_counted_from_the_same_server() -> None:
    def serve(_policy: object = None) -> HTTPServer:
        return HTTPServer(1)

    with_bare = Implementation(name="with", interface="http", serve=serve, bare=serve)
    without = Implementation(name="without", interface="http", serve=serve)
    names = ("reference", "reference-wsgi")
    subjects = subjects_of(
        {name: find(name) for name in names} | {"m:w": with_bare, "m:o": without}
    )
    assert {name: one.bare for name, one in subjects.items()} == {
        BARE: "",
        "reference": BARE,
        "bare application, with": "",
        "with": "bare application, with",
        "without": "",
    }


@LINUX
def test_a_server_that_says_not_where_it_is_cannot_be_loaded() -> None:
    with (
        pytest.raises(CannotLoad, match="mine: its server has no `port` and `pid`"),
        started({"mine": Subject(start=lambda: HTTPServer(1))}),
    ):
        raise AssertionError


@SERVERS
def test_a_wrong_answer_stops_the_run() -> None:
    start = subjects_of({"reference": find("reference")})[BARE].start
    subject = Subject(start=start)
    with started({"mine": subject}) as servers:
        with pytest.raises(WrongAnswer, match="mine: the origin is not allowed"):
            warm("mine", subject, servers["mine"], KINDS["allowed"])
        warm("mine", subject, servers["mine"], KINDS["denied"])


@SERVERS
def test_another_status_under_load_is_a_wrong_answer(monkeypatch: pytest.MonkeyPatch) -> None:
    subjects = subjects_of({"reference": find("reference")})
    failed = Load(done=32, statuses={2: 30, 5: 2}, seconds=1)
    monkeypatch.setattr(over_http, "load", lambda *_, **__: failed)
    with (
        started(subjects) as servers,
        pytest.raises(
            WrongAnswer, match="status is 2xx, and then under load 30 times 2xx, 2 times 5xx"
        ),
    ):
        warm("reference", subjects["reference"], servers["reference"], KINDS["allowed"])


@SERVERS
def test_servers_of_any_language_are_loaded_and_ended() -> None:
    pytest.importorskip("fastrapi")
    subjects = subjects_of({name: find(name) for name in ("starlette", "fastrapi")})
    before = os.sched_getaffinity(0)
    with started(subjects) as servers:
        pids = {name: server.pid for name, server in servers.items()}
        for name, server in servers.items():
            assert warm(name, subjects[name], server, KINDS["granted preflight"]).load.done == 32
            made = turn(server, KINDS["allowed"], 100)
            assert made.load.statuses == {2: 100}
            assert 0 < made.seconds <= made.ready
            assert made.load.busy > 0
    for pid in pids.values():
        with pytest.raises(ProcessLookupError):
            os.kill(pid, 0)
    assert os.sched_getaffinity(0) == before


@LINUX
def test_cpu_time_is_that_of_the_process() -> None:
    started_at = time.process_time_ns()
    seen = cpu_nanoseconds(os.getpid())
    assert started_at <= seen <= time.process_time_ns()
    # Counted at the last tick or change of who runs.
    assert ready_nanoseconds(os.getpid()) > 0


@LINUX
def test_the_peak_of_memory_can_be_forgotten() -> None:
    filled = bytearray(b"x" * (64 << 20))
    most = peak_memory(os.getpid())
    del filled
    forget_peak(os.getpid())
    assert peak_memory(os.getpid()) < most - (32 << 10)
