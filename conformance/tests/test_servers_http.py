"""The HTTP server driver, against sockets that answer what they are told."""

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from cors_conformance.application import ApplicationResponse
from cors_conformance.fetch.http import HTTPRequest
from cors_conformance.servers.base import HarnessError, Reply, ServerDied
from cors_conformance.servers.http import LARGEST_HEAD, HTTPServer

GET = HTTPRequest(method=b"GET", url="https://api.example/a?b")
PLAIN = ApplicationResponse()
OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"


class Listener:
    """Accepts connections one after the other and answers each request with the next answer.

    An answer of `None` closes the connection; so does one that ends with `CLOSE`.
    """

    CLOSE = b"[close]"

    def __init__(self, answers: tuple[bytes | None, ...]) -> None:
        self.requests: list[bytes] = []
        self.connections = 0
        self._answers = list(answers)
        self._socket = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._socket.getsockname()[1]
        self._thread = threading.Thread(target=self._serve)
        self._thread.start()

    def _serve(self) -> None:
        while True:
            connection, _ = self._socket.accept()
            with connection:
                self.connections += 1
                try:
                    if not self._converse(connection):
                        return
                except OSError:  # the client has read enough
                    continue

    def _converse(self, connection: socket.socket) -> bool:
        while True:
            data = b""
            while b"\r\n\r\n" not in data:
                piece = connection.recv(65536)
                if not piece:
                    return bool(self._answers)
                data += piece
            if b"/stop" in data:
                return False
            self.requests.append(data)
            answer = self._answers.pop(0) if self._answers else None
            if answer is None:
                return True
            connection.sendall(answer.removesuffix(self.CLOSE))
            if answer.endswith(self.CLOSE):
                return True

    def stop(self) -> None:
        with socket.create_connection(("127.0.0.1", self.port)) as last:
            self._answers.clear()
            last.sendall(b"GET /stop HTTP/1.1\r\n\r\n")
            self._thread.join()
        self._socket.close()


@contextmanager
def listening(*answers: bytes | None) -> Iterator[Listener]:
    listener = Listener(answers)
    try:
        yield listener
    finally:
        listener.stop()


def ask(*answers: bytes | None, request: HTTPRequest = GET, seconds: float = 5.0) -> Reply:
    with listening(*answers) as listener, HTTPServer(listener.port, seconds=seconds) as server:
        return server.send(request, PLAIN)


def test_response_keeps_order_repetition_and_case_of_its_lines() -> None:
    reply = ask(b"HTTP/1.1 299 X\r\nVary: a\r\nx-b:  1 \r\nvary: b\r\ncontent-length: 2\r\n\r\nok")
    assert reply.failure is None
    assert reply.response is not None
    assert reply.response.status == 299
    assert reply.response.headers == (
        (b"Vary", b"a"),
        (b"x-b", b"1"),
        (b"vary", b"b"),
        (b"content-length", b"2"),
    )
    assert reply.response.body == b"ok"


def test_request_is_sent_as_it_is_with_the_host_of_its_url() -> None:
    request = HTTPRequest(
        method=b"we!rd",
        url="https://api.example/a%20b?c",
        headers=((b"X-A", b"\xff\x01"),),
        body=b"x",
    )
    with listening(OK) as listener, HTTPServer(listener.port) as server:
        server.send(request, PLAIN)
        head = b"we!rd /a%20b?c HTTP/1.1\r\nHost: api.example\r\nX-A: \xff\x01\r\n"
        assert listener.requests == [head + b"Content-Length: 1\r\n\r\nx"]


def test_host_and_content_length_of_a_request_are_not_doubled() -> None:
    headers = ((b"host", b"other.example"), (b"content-length", b"0"))
    request = HTTPRequest(method=b"POST", url="http://api.example/", headers=headers, body=b"")
    with listening(OK) as listener, HTTPServer(listener.port) as server:
        server.send(request, PLAIN)
        assert listener.requests[0].lower().count(b"host:") == 1
        assert listener.requests[0].lower().count(b"content-length:") == 1


def test_connection_is_kept_between_requests() -> None:
    with listening(OK, OK) as listener, HTTPServer(listener.port) as server:
        assert server.send(GET, PLAIN).response == server.send(GET, PLAIN).response
        assert listener.connections == 1


def test_connection_that_was_closed_meanwhile_is_opened_again() -> None:
    with listening(OK + Listener.CLOSE, OK) as listener, HTTPServer(listener.port) as server:
        assert server.send(GET, PLAIN).failure is None
        assert server.send(GET, PLAIN).failure is None
        assert listener.connections == 2


def test_connection_that_the_response_closes_is_not_used_again() -> None:
    closing = b"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\nall of it" + Listener.CLOSE
    with listening(closing, OK) as listener, HTTPServer(listener.port) as server:
        response = server.send(GET, PLAIN).response
        assert response is not None
        assert response.body == b"all of it"
        assert server.send(GET, PLAIN).failure is None


def test_response_to_head_has_no_body() -> None:
    head = b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n"
    request = HTTPRequest(method=b"HEAD", url="https://api.example/")
    with listening(head, head) as listener, HTTPServer(listener.port) as server:
        for _ in range(2):
            response = server.send(request, PLAIN).response
            assert response is not None
            assert response.body == b""


def test_interim_responses_are_passed_over() -> None:
    assert ask(b"HTTP/1.1 103 Early Hints\r\nlink: a\r\n\r\n" + OK).failure is None


def test_chunked_response_is_put_together() -> None:
    chunks = b"2\r\nok\r\n1\r\n!\r\n0\r\n\r\n"
    reply = ask(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n" + chunks)
    assert reply.response is not None
    assert reply.response.body == b"ok!"


@pytest.mark.parametrize(
    ("answer", "failure"),
    [
        (None, "closed without a response"),
        (b"no HTTP at all\r\n\r\n", "the response is no HTTP"),
        (b"HTTP/1.1 99999 What\r\n\r\n", "the response is no HTTP"),
        (b"HTTP/1.1 200 OK\r\nna me: v\r\n\r\n", "the response is no HTTP"),
        (OK[:-1] + Listener.CLOSE, "the response is no HTTP"),
        (OK[:10] + Listener.CLOSE, "the response is no HTTP"),
        (b"HTTP/1.1 200 OK\r\nx: " + b"a" * (2 * LARGEST_HEAD) + b"\r\n\r\n", "no HTTP"),
        (b"HTTP/1.1 101 Switching Protocols\r\n\r\n", "the response is no HTTP"),
    ],
)
def test_broken_response_is_a_failure(answer: bytes | None, failure: str) -> None:
    reply = ask(answer)
    assert reply.response is None
    assert reply.failure is not None
    assert failure in reply.failure


def test_tunnel_is_a_failure() -> None:
    request = HTTPRequest(method=b"CONNECT", url="https://api.example/")
    reply = ask(b"HTTP/1.1 200 OK\r\n\r\n", request=request)
    assert reply.failure == "the response ended with PAUSED"


def test_response_without_end_is_a_failure() -> None:
    assert ask(OK[:-1], seconds=0.05).failure == "no response within 0.05 s"


def test_endless_drip_of_interim_responses_is_a_failure() -> None:
    assert ask(b"HTTP/1.1 100 Continue\r\n\r\n" * 9, seconds=0.05).failure is not None


def test_a_server_to_which_nobody_can_connect_has_died() -> None:
    with socket.create_server(("127.0.0.1", 0)) as unused:
        port = unused.getsockname()[1]
    with (
        HTTPServer(port) as server,
        pytest.raises(ServerDied, match="the connection broke: ConnectionRefusedError"),
    ):
        server.send(GET, PLAIN)


def test_reset_connection_is_a_failure() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def reset() -> None:
            connection, _ = listener.accept()
            connection.recv(1)  # the rest is unread: closing resets
            connection.close()

        thread = threading.Thread(target=reset)
        thread.start()
        request = HTTPRequest(method=b"POST", url="http://api.example/", body=b"x" * 9_000_000)
        with HTTPServer(listener.getsockname()[1]) as server:
            assert server.send(request, PLAIN).response is None
        thread.join()


def test_time_out_within_a_huge_request_is_a_failure() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        request = HTTPRequest(method=b"POST", url="http://api.example/", body=b"x" * 9_000_000)
        with HTTPServer(listener.getsockname()[1], seconds=0.05) as server:
            assert server.send(request, PLAIN).failure == "no response within 0.05 s"


def test_no_time_left_is_a_failure() -> None:
    with HTTPServer(1, seconds=0) as server:
        assert server.send(GET, PLAIN).failure == "no response within 0 s"


@pytest.mark.parametrize("value", [b"a\r\nb: c", b"a\nb", b"a\0"])
def test_line_break_in_a_request_is_the_suites_fault(value: bytes) -> None:
    request = HTTPRequest(method=b"GET", url="http://api.example/", headers=((b"x", value),))
    with HTTPServer(1) as server, pytest.raises(HarnessError, match="CR, LF or NUL"):
        server.send(request, PLAIN)


def test_url_of_another_kind_is_the_suites_fault() -> None:
    with HTTPServer(1) as server, pytest.raises(HarnessError):
        server.send(HTTPRequest(method=b"GET", url="relative"), PLAIN)
