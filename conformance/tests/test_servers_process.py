"""Servers in processes of their own: how they start, answer, die and are ended."""

import os
import signal
import socket
import subprocess
import sys
import textwrap
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from cors_conformance.application import ApplicationResponse
from cors_conformance.fetch.http import HTTPRequest
from cors_conformance.policy import Policy
from cors_conformance.servers import process
from cors_conformance.servers.base import (
    ConfigurationRefused,
    HarnessError,
    ServerDied,
    ServerProcess,
)
from cors_conformance.servers.http import LOOPBACK
from cors_conformance.servers.process import ProcessServer

GET = HTTPRequest(method=b"GET", url="https://api.example/")
PLAIN = ApplicationResponse()

TARGETS = """
import http.server, os, signal, sys, time

def build(parameters, script):
    class Handler(http.server.BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        def do_GET(self):
            status, body, raises = script.read()
            if raises:
                raise ValueError("scripted")
            if self.path == "/pid":
                body = str(os.getpid()).encode()
            if self.path == "/abort":
                panic = "thread 'main' panicked at src/main.rs:1:2:\\nbecause\\nnote: a"
                print(panic, file=sys.stderr, flush=True)
                os.abort()
            if self.path == "/exit":
                os._exit(7)
            if self.path == "/hang":
                time.sleep(60)
            if self.path == "/drop":
                self.close_connection = True
                return
            self.send_response(status)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)
        def log_message(self, *_):
            print("x" * 10_000)
    return lambda port: http.server.HTTPServer(("127.0.0.1", port), Handler).serve_forever()

def refuse(parameters, script):
    raise ValueError(f"refused with {parameters['max_age']}")

def fail(parameters, script):
    def serve(port):
        raise OSError("cannot serve")
    return serve

def greet(parameters, script, *names):
    raise ValueError(" ".join(names))

def leave(parameters, script):
    return lambda port: None

def silent(parameters, script):
    return lambda port: time.sleep(60)

def broken(parameters, script):
    def serve(port):
        import socket
        with socket.create_server(("127.0.0.1", port)) as listener:
            while True:
                connection, _ = listener.accept()
                connection.recv(1000)
                connection.sendall(b"HTTP/1.1 200 OK\\r\\nContent-Length: 5\\r\\n\\r\\nwrong")
                connection.close()
    return serve
"""


@pytest.fixture(autouse=True)
def targets(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "process_targets.py").write_text(TARGETS, encoding="utf-8")
    monkeypatch.syspath_prepend(tmp_path)


def started(name: str = "build", *, seconds: float = 5.0) -> ProcessServer:
    return ProcessServer(f"process_targets:{name}", Policy(max_age=7), seconds=seconds)


def alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


def eventually(condition: Callable[[], bool]) -> bool:
    deadline = time.monotonic() + 10
    while not condition() and time.monotonic() < deadline:
        time.sleep(0.01)
    return condition()


def get(path: str) -> HTTPRequest:
    return HTTPRequest(method=b"GET", url=f"https://api.example{path}")


def pid_of(server: ProcessServer) -> int:
    response = server.send(get("/pid"), PLAIN).response
    assert response is not None
    return int(response.body)


def test_server_says_where_and_who_it_is() -> None:
    with started() as server:
        assert isinstance(server, ServerProcess)
        assert server.pid == pid_of(server)
        socket.create_connection((LOOPBACK, server.port)).close()


def test_arguments_reach_what_builds_the_server() -> None:
    with pytest.raises(ConfigurationRefused, match="ValueError: one two"):
        ProcessServer("process_targets:greet", Policy(), "one", "two")


def test_server_answers_what_it_is_told() -> None:
    with started() as server:
        for status, body in ((200, (b"a", b"b")), (404, ())):
            reply = server.send(GET, ApplicationResponse(status=status, body=body))
            assert reply.response is not None
            assert (reply.response.status, reply.response.body) == (status, b"".join(body))


def test_body_that_does_not_fit_is_the_suites_fault() -> None:
    with started() as server, pytest.raises(HarnessError, match="does not fit"):
        server.send(GET, ApplicationResponse(body=(b"x" * 1_000_000,)))


def test_servers_are_processes_of_their_own_and_end_when_closed() -> None:
    with started() as one, started() as other:
        pids = {pid_of(one), pid_of(other), os.getpid()}
        assert len(pids) == 3
        one.close()
        assert pid_of(other) in pids
    assert [pid for pid in pids if alive(pid)] == [os.getpid()]


def test_abort_is_a_death_with_its_reason() -> None:
    with started() as server, pytest.raises(ServerDied) as death:
        server.send(get("/abort"), PLAIN)
    assert str(death.value) == "its process was ended by SIGABRT: because"


def test_exit_is_a_death_with_its_status() -> None:
    with started() as server, pytest.raises(ServerDied, match="exited with status 7"):
        server.send(get("/exit"), PLAIN)


def test_death_between_requests_is_a_death() -> None:
    with started() as server:
        os.kill(pid_of(server), signal.SIGKILL)
        with pytest.raises(ServerDied, match="SIGKILL"):
            server.send(GET, PLAIN)


def test_hang_is_a_death() -> None:
    with started(seconds=0.2) as server, pytest.raises(ServerDied, match="no response within"):
        server.send(get("/hang"), PLAIN)


def test_dropped_connection_is_a_failure_of_that_request_only() -> None:
    with started() as server:
        reply = server.send(get("/drop"), PLAIN)
        assert reply.failure == "the connection was closed without a response"
        assert server.send(GET, PLAIN).failure is None


def test_exception_while_building_is_a_refusal() -> None:
    with pytest.raises(ConfigurationRefused, match="ValueError: refused with 7"):
        started("refuse")


def test_exception_while_starting_to_serve_is_a_death() -> None:
    with pytest.raises(ServerDied, match="exited with status 1: OSError: cannot serve"):
        started("fail")


def test_server_that_returns_is_a_death() -> None:
    with pytest.raises(ServerDied, match="returned instead of serving"):
        started("leave")


def test_target_that_does_not_exist_is_a_death() -> None:
    with pytest.raises(ServerDied, match="has no attribute 'nothing'"):
        started("nothing")


def test_server_that_never_answers_is_a_death(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(process, "STARTUP", 0.3)
    with pytest.raises(ServerDied, match=r"did not answer within 0\.3 s"):
        started("silent")


def test_answer_of_somebody_else_is_not_taken_for_the_servers() -> None:
    with pytest.raises(HarnessError, match="somebody else answered"):
        started("broken")


def test_taken_port_is_left_for_another(monkeypatch: pytest.MonkeyPatch) -> None:
    with started() as other:
        taken = other._run._client._port
        ports = iter([taken])
        free = process._free_port
        monkeypatch.setattr(process, "_free_port", lambda: next(ports, None) or free())
        # Who has the port is busy with another connection and lets this one wait.
        with started(seconds=0.2) as server:
            assert pid_of(server) != pid_of(other)


def test_server_that_returns_because_its_port_is_taken_gets_another(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        ports = iter([taken.getsockname()[1]])
        free = process._free_port
        monkeypatch.setattr(process, "_free_port", lambda: next(ports, None) or free())
        # The next port is free, so that this one's return is its own doing.
        with pytest.raises(ServerDied, match="returned instead of serving"):
            started("leave", seconds=0.1)
        assert next(ports, None) is None


def test_nothing_is_left_of_an_owner_that_was_killed(tmp_path: Path) -> None:
    program = """
        import os, signal
        from cors_conformance.fetch.http import HTTPRequest
        from cors_conformance.application import ApplicationResponse
        from cors_conformance.policy import Policy
        from cors_conformance.servers.process import ProcessServer
        server = ProcessServer("process_targets:build", Policy())
        request = HTTPRequest(method=b"GET", url="https://api.example/pid")
        print(server.send(request, ApplicationResponse()).response.body.decode(), flush=True)
        os.kill(os.getpid(), signal.SIGKILL)
    """
    path = os.pathsep.join(entry for entry in sys.path if entry)
    result = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(program)],
        env={**os.environ, "PYTHONPATH": path},
        stdout=subprocess.PIPE,
        timeout=30,
        check=False,
    )
    assert result.returncode == -signal.SIGKILL
    assert eventually(lambda: not alive(int(result.stdout)))


def test_loss_of_the_process_that_starts_servers_is_the_harness_fault() -> None:
    with started():
        pass
    nursery = process._nursery(os.getpid())
    nursery._process.kill()
    nursery._process.wait()
    with pytest.raises(HarnessError, match="has gone"):
        started()
    with started() as server:  # there is a new one
        assert server.send(GET, PLAIN).failure is None
    nursery._owner = 0  # as in a fork, whose parent's child this is
    nursery.close()


def test_process_that_starts_servers_ends_with_its_owner() -> None:
    nursery = process._Nursery()
    nursery.close()
    assert nursery._process.returncode == 0


def test_loss_of_the_keeper_is_seen() -> None:
    with started() as server:
        pid = pid_of(server)
        keeper = int(Path(f"/proc/{pid}/stat").read_text(encoding="ascii").split()[3])
        os.kill(keeper, signal.SIGKILL)
        os.kill(pid, signal.SIGKILL)
        with pytest.raises(ServerDied, match="vanished"):
            server.send(GET, PLAIN)


def test_url_of_another_kind_is_the_suites_fault() -> None:
    with started() as server, pytest.raises(HarnessError):
        server.send(HTTPRequest(method=b"GET", url="relative"), PLAIN)
