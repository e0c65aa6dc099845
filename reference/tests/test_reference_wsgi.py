from collections.abc import Iterable, Iterator
from typing import Any
from wsgiref.types import StartResponse, WSGIApplication, WSGIEnvironment
from wsgiref.util import setup_testing_defaults
from wsgiref.validate import validator

import pytest

from cors_reference import WSGICORSMiddleware

ORIGIN = {"HTTP_ORIGIN": "https://a.example"}
METHOD = {"HTTP_ACCESS_CONTROL_REQUEST_METHOD": "PUT"}
SHARED = [("vary", "Origin"), ("access-control-allow-origin", "https://a.example")]


class Server:
    """Calls an application and keeps what it answers."""

    def __init__(self, app: WSGIApplication, method: str, headers: dict[str, str]) -> None:
        self.started: list[tuple[str, list[tuple[str, str]], Any]] = []
        self.written: list[bytes] = []
        self.environ: WSGIEnvironment = {}
        setup_testing_defaults(self.environ)
        self.environ |= {"REQUEST_METHOD": method, "QUERY_STRING": "", **headers}
        self.body = app(self.environ, self.start_response)

    def start_response(
        self, status: str, headers: list[tuple[str, str]], exc_info: object = None, /
    ) -> Any:
        self.started.append((status, headers, exc_info))
        return self.written.append


class Application:
    """Answers with its headers and remembers what it was called with."""

    def __init__(self, *headers: tuple[str, str]) -> None:
        self.headers = [("Content-Type", "text/plain"), *headers]
        self.calls: list[WSGIEnvironment] = []
        self.body = [b"body"]

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        self.calls.append(environ)
        start_response("200 Fine", self.headers)
        return self.body


def guard(app: WSGIApplication) -> WSGICORSMiddleware:
    return WSGICORSMiddleware(app, ["https://a.example"], allow_headers=["X-A"])


def test_a_granted_preflight_is_answered_without_the_application() -> None:
    app = Application()
    server = Server(guard(app), "OPTIONS", ORIGIN | METHOD)
    ((status, headers, _),) = server.started
    assert (status, b"".join(server.body), app.calls) == ("204 No Content", b"", [])
    assert set(SHARED) < set(headers)


@pytest.mark.parametrize(
    "headers",
    [
        {**METHOD, "HTTP_ORIGIN": "null"},
        {**METHOD, "HTTP_ORIGIN": ""},
        {**METHOD, "HTTP_ORIGIN": "https://a.example,https://a.example"},
        {**ORIGIN, "HTTP_ACCESS_CONTROL_REQUEST_METHOD": ""},
        {**ORIGIN, **METHOD, "HTTP_ACCESS_CONTROL_REQUEST_HEADERS": "x-b"},
    ],
)
def test_a_refused_preflight_is_answered_without_the_application(headers: dict[str, str]) -> None:
    app = Application()
    server = Server(guard(app), "OPTIONS", headers)
    ((status, lines, _),) = server.started
    assert (status, app.calls) == ("403 Forbidden", [])
    assert ("content-length", str(len(b"".join(server.body)))) in lines


@pytest.mark.parametrize(
    ("method", "headers"),
    [("OPTIONS", {}), ("OPTIONS", ORIGIN), ("OPTIONS", METHOD), ("PUT", ORIGIN | METHOD)],
)
def test_nothing_else_is_a_preflight(method: str, headers: dict[str, str]) -> None:
    app = Application()
    server = Server(guard(app), method, headers)
    assert app.calls == [server.environ]
    assert app.calls[0] is server.environ


def test_requested_headers_are_granted_as_in_the_core() -> None:
    names = {"HTTP_ACCESS_CONTROL_REQUEST_HEADERS": "x-a"}
    server = Server(guard(Application()), "OPTIONS", ORIGIN | METHOD | names)
    assert server.started[0][0] == "204 No Content"


def test_a_response_is_shared_with_its_status_and_body_untouched() -> None:
    app = Application(("Set-Cookie", "a=b"), ("X-Latin", "\xe9"), ("Vary", "Accept"))
    server = Server(guard(app), "GET", ORIGIN)
    assert server.started == [("200 Fine", [*app.headers, *SHARED], None)]
    assert server.body is app.body


def test_the_application_s_cors_headers_are_replaced_and_not_mutated() -> None:
    app = Application(("Access-Control-Allow-Origin", "*"))
    server = Server(guard(app), "GET", {})
    assert server.started[0][1] == [("Content-Type", "text/plain"), ("vary", "Origin")]
    assert len(app.headers) == 2


def test_write_is_the_server_s() -> None:
    def app(_: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        start_response("200 OK", [])(b"written")
        return []

    assert Server(guard(app), "GET", ORIGIN).written == [b"written"]


def test_exc_info_reaches_the_server() -> None:
    def app(_: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        start_response("500 Error", [], (None, None, None))
        return []

    assert Server(guard(app), "GET", ORIGIN).started == [
        ("500 Error", SHARED, (None, None, None)),
    ]


def test_exceptions_propagate() -> None:
    def app(_: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        Server(guard(app), "GET", ORIGIN)


def test_a_body_that_starts_late_is_not_consumed() -> None:
    def app(_: WSGIEnvironment, start_response: StartResponse) -> Iterator[bytes]:
        start_response("200 OK", [])
        yield b"late"

    server = Server(guard(app), "GET", ORIGIN)
    assert server.started == []
    assert list(server.body) == [b"late"]
    assert server.started == [("200 OK", SHARED, None)]


@pytest.mark.parametrize(
    ("method", "headers"),
    [
        ("GET", {}),
        ("GET", ORIGIN),
        ("OPTIONS", ORIGIN | METHOD),
        ("OPTIONS", {**METHOD, "HTTP_ORIGIN": "null"}),
    ],
)
def test_the_rules_of_wsgi_are_kept(method: str, headers: dict[str, str]) -> None:
    server = Server(validator(guard(validator(Application()))), method, headers)
    assert isinstance(b"".join(server.body), bytes)
    server.body.close()  # type: ignore[attr-defined]  # the validator's has it, and insists
