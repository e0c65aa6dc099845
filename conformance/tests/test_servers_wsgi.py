"""The in-process WSGI server, with applications good and bad."""

from collections.abc import Callable, Iterator
from typing import Any
from wsgiref.validate import validator

import pytest

from cors_conformance.application import ApplicationError, ApplicationResponse
from cors_conformance.fetch.http import HTTPRequest
from cors_conformance.servers.base import HarnessError, Reply
from cors_conformance.servers.origin import Environ, WSGIOrigin
from cors_conformance.servers.wsgi import WSGIServer

GET = HTTPRequest(method=b"GET", url="https://api.example/")
PLAIN = ApplicationResponse()
StartResponse = Callable[..., Callable[[Any], None]]
App = Callable[[Environ, StartResponse], Any]


def ask(app: App, request: HTTPRequest = GET) -> Reply:
    with WSGIServer(app, WSGIOrigin()) as server:
        return server.send(request, PLAIN)


def ask_around(
    wrap: Callable[[WSGIOrigin], App],
    request: HTTPRequest = GET,
    application: ApplicationResponse = PLAIN,
) -> Reply:
    origin = WSGIOrigin()
    with WSGIServer(wrap(origin), origin) as server:
        return server.send(request, application)


def bare(origin: WSGIOrigin) -> App:
    return origin


def answering(status: Any, headers: Any, body: Any) -> App:
    def app(environ: Environ, start_response: StartResponse) -> Any:
        start_response(status, headers)
        return body

    return app


def test_scripted_response_arrives_as_scripted() -> None:
    headers = ((b"x-a", b"\xe9"), (b"vary", b"a"), (b"vary", b"b"))
    application = ApplicationResponse(status=404, headers=headers, body=(b"a", b"b"))
    reply = ask_around(bare, application=application)
    assert reply.failure is None
    assert reply.response is not None
    assert (reply.response.status, reply.response.headers) == (404, headers)
    assert reply.response.body == b"ab"


def test_request_reaches_the_application_as_sent() -> None:
    request = HTTPRequest(
        method=b"put",
        url="https://api.example/a%2Fb%C3%A9?c=%20d",
        headers=((b"X-A", b"\xff"), (b"x-a", b"2"), (b"Content-Type", b"text/plain")),
        body=b"body",
    )
    (call,) = ask_around(bare, request).calls
    assert (call.method, call.target, call.body) == (b"put", b"/a%2Fb%C3%A9?c=%20d", b"body")
    assert dict(call.headers) == {
        b"host": b"api.example",
        b"x-a": b"\xff,2",
        b"content-type": b"text/plain",
        b"content-length": b"4",
    }


def test_path_rewritten_on_the_way_shows_in_the_call() -> None:
    def wrap(origin: WSGIOrigin) -> App:
        return lambda environ, start: origin({**environ, "PATH_INFO": "/other"}, start)

    (call,) = ask_around(wrap).calls
    assert call.target == b"/other"


@pytest.mark.parametrize("method", [b"GET", b"POST"])
def test_environment_and_origin_app_keep_to_the_protocol(method: bytes) -> None:
    request = HTTPRequest(method=method, url="http://api.example/a?b", body=b"a")
    application = ApplicationResponse(headers=((b"content-type", b"text/plain"),))
    reply = ask_around(validator, request, application)
    assert reply.failure is None


def test_exception_before_the_start_is_the_applications() -> None:
    reply = ask_around(bare, application=ApplicationResponse(raises="before start"))
    assert reply.application_raised
    assert reply.response is None


@pytest.mark.parametrize("body", [(), (b"a", b"b")])
def test_exception_after_the_start_is_the_applications(body: tuple[bytes, ...]) -> None:
    application = ApplicationResponse(raises="after start", body=body)
    reply = ask_around(bare, application=application)
    assert reply.application_raised
    assert reply.response is None


def test_response_may_be_replaced_with_exc_info_before_it_was_sent() -> None:
    def app(environ: Environ, start_response: StartResponse) -> list[bytes]:
        start_response("200 OK", [])
        start_response("500 Oops", [("x-a", " 1 ")], (ApplicationError, ApplicationError(), None))
        return [b"oops"]

    response = ask(app).response
    assert response is not None
    assert (response.status, response.headers, response.body) == (500, ((b"x-a", b"1"),), b"oops")


def test_response_may_not_be_replaced_after_it_was_sent() -> None:
    def app(environ: Environ, start_response: StartResponse) -> list[bytes]:
        write = start_response("200 OK", [])
        write(b"sent")
        start_response("500 Oops", [], (ValueError, ValueError("late"), None))
        return []

    assert ask(app).failure == "ValueError: late"


def test_written_pieces_come_before_the_returned_ones() -> None:
    def app(environ: Environ, start_response: StartResponse) -> list[bytes]:
        start_response("200 OK", [])(b"a")
        return [b"b"]

    response = ask(app).response
    assert response is not None
    assert response.body == b"ab"


def test_response_may_start_with_the_first_item() -> None:
    def app(environ: Environ, start_response: StartResponse) -> Iterator[bytes]:
        yield b""
        start_response("200 OK", [])
        yield b"a"

    assert ask(app).failure is None


@pytest.mark.parametrize("failing", [False, True])
def test_what_was_returned_is_closed(failing: bool) -> None:
    class Items:
        closed = 0

        def __iter__(self) -> Iterator[bytes]:
            if failing:
                raise ValueError
            return iter([b"a"])

        def close(self) -> None:
            Items.closed += 1

    reply = ask(answering("200 OK", [], Items()))
    assert (reply.failure is None) is not failing
    assert Items.closed == 1


@pytest.mark.parametrize(
    ("app", "failure"),
    [
        (lambda *_: [b"a"], "before start_response was called"),
        (lambda *_: [], "without having called start_response"),
        (answering(b"200 OK", [], []), "not a string such as"),
        (answering("200", [], []), "not a string such as"),
        (answering("2x0 OK", [], []), "not a string such as"),
        (answering("100 Continue", [], []), "no final status code"),
        (answering("200 OK", (), []), "not a list"),
        (answering("200 OK", [("x-a",)], []), "not a tuple of two strings"),
        (answering("200 OK", [("x-a", b"1")], []), "not a tuple of two strings"),
        (answering("200 OK", [["x-a", "1"]], []), "not a tuple of two strings"),
        (answering("200 OK", [("x-a", "\N{SNOWMAN}")], []), "beyond latin-1"),
        (answering("200 OK", [("x-a", "1\n2")], []), "CR, LF or NUL"),
        (answering("200 OK", [("content-length", "9")], [b"a"]), "Content-Length"),
        (answering("200 OK", [], ["text"]), "not bytes"),
        (answering("200 OK", [], None), "TypeError"),
        (lambda _, start: [start("200 OK", []), start("200 OK", [])], "called twice"),
    ],
)
def test_malformed_response_is_a_failure(app: App, failure: str) -> None:
    reply = ask(app)
    assert reply.response is None
    assert reply.failure is not None
    assert failure in reply.failure


def test_system_exit_of_the_application_is_a_failure() -> None:
    def app(environ: Environ, start_response: StartResponse) -> list[bytes]:
        raise SystemExit(3)

    assert ask(app).failure == "SystemExit: 3"


def test_interrupt_reaches_the_caller() -> None:
    def app(environ: Environ, start_response: StartResponse) -> list[bytes]:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        ask(app)


def test_url_of_another_kind_is_the_suites_fault() -> None:
    with pytest.raises(HarnessError):
        ask_around(bare, HTTPRequest(method=b"GET", url="relative"))
