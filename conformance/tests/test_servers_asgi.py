"""The in-process ASGI server, with applications good and bad."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from cors_conformance.application import ApplicationError, ApplicationResponse
from cors_conformance.fetch.http import HTTPRequest
from cors_conformance.servers.asgi import ASGIServer
from cors_conformance.servers.base import HarnessError, Reply, ServerDied, ServerHung
from cors_conformance.servers.origin import ASGIOrigin, Message, Receive, Scope, Script, Send

App = Callable[[Scope, Receive, Send], Awaitable[None]]

GET = HTTPRequest(method=b"GET", url="https://api.example/")
PLAIN = ApplicationResponse()
START = {"type": "http.response.start", "status": 200, "headers": []}
END = {"type": "http.response.body", "body": b"end"}


def ask(
    app: App, request: HTTPRequest = GET, application: ApplicationResponse = PLAIN, **options: float
) -> Reply:
    with ASGIServer(app, ASGIOrigin(), **options) as server:
        return server.send(request, application)


def ask_origin(request: HTTPRequest = GET, application: ApplicationResponse = PLAIN) -> Reply:
    return ask_around(lambda origin: origin, request, application)


def ask_around(
    wrap: Callable[[ASGIOrigin], App],
    request: HTTPRequest = GET,
    application: ApplicationResponse = PLAIN,
) -> Reply:
    origin = ASGIOrigin()
    with ASGIServer(wrap(origin), origin) as server:
        return server.send(request, application)


def sending(*messages: Any) -> App:
    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http":
            await receive()
            for message in messages:
                await send(message)

    return app


def test_scripted_response_arrives_as_scripted() -> None:
    headers = ((b"x-a", b"1"), (b"vary", b"a"), (b"vary", b"b"))
    reply = ask_origin(
        application=ApplicationResponse(status=404, headers=headers, body=(b"a", b"b"))
    )
    assert reply.response is not None
    assert reply.response.status == 404
    assert reply.response.headers == headers
    assert reply.response.body == b"ab"
    assert reply.failure is None


def test_application_without_chunks_answers_an_empty_body() -> None:
    reply = ask_origin(application=ApplicationResponse(body=()))
    assert reply.response is not None
    assert reply.response.body == b""


def test_request_reaches_the_application_as_sent() -> None:
    request = HTTPRequest(
        method=b"put",
        url="https://api.example:8443/a%2Fb?c=%20d",
        headers=((b"X-A", b"\xff"), (b"x-a", b"2")),
        body=b"body",
    )
    (call,) = ask_origin(request).calls
    assert call.method == b"put"
    assert call.target == b"/a%2Fb?c=%20d"
    assert call.headers == (
        (b"host", b"api.example:8443"),
        (b"x-a", b"\xff"),
        (b"x-a", b"2"),
        (b"content-length", b"4"),
    )
    assert call.body == b"body"


def test_host_and_content_length_of_a_request_are_not_doubled() -> None:
    headers = ((b"Content-Length", b"2"), (b"Host", b"other.example"))
    request = HTTPRequest(method=b"POST", url="http://api.example", headers=headers, body=b"ab")
    (call,) = ask_origin(request).calls
    assert call.headers == ((b"content-length", b"2"), (b"host", b"other.example"))


def test_scope_is_that_of_a_server() -> None:
    seen: list[Scope] = []

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        seen.append(scope)
        await sending(START, END)(scope, receive, send)

    ask(app, HTTPRequest(method=b"GET", url="http://[::1]/%C3%A9?q"))
    scope = seen[-1]
    assert scope["asgi"] == {"version": "3.0", "spec_version": "2.3"}
    assert (scope["type"], scope["http_version"], scope["scheme"]) == ("http", "1.1", "http")
    assert (scope["path"], scope["raw_path"]) == (
        "/\N{LATIN SMALL LETTER E WITH ACUTE}",
        b"/%C3%A9",
    )
    assert (scope["query_string"], scope["root_path"]) == (b"q", "")
    assert scope["server"] == ("::1", 80)
    assert scope["headers"] == [(b"host", b"[::1]")]


def test_path_rewritten_on_the_way_shows_in_the_call() -> None:
    def wrap(origin: ASGIOrigin) -> App:
        async def app(scope: Scope, receive: Receive, send: Send) -> None:
            if scope["type"] == "http":
                scope = {**scope, "path": "/other path"}
            await origin(scope, receive, send)

        return app

    (call,) = ask_around(wrap, HTTPRequest(method=b"GET", url="https://api.example/a?b")).calls
    assert call.target == b"/other%20path?b"
    (call,) = ask_around(wrap).calls
    assert call.target == b"/other%20path"


def test_body_that_arrives_in_pieces_is_recorded_whole() -> None:
    def wrap(origin: ASGIOrigin) -> App:
        async def app(scope: Scope, receive: Receive, send: Send) -> None:
            pieces = iter((b"a", b"b", b"c"))

            async def slowly() -> Message:
                piece = next(pieces)
                return {"type": "http.request", "body": piece, "more_body": piece != b"c"}

            await origin(scope, slowly if scope["type"] == "http" else receive, send)

        return app

    (call,) = ask_around(wrap).calls
    assert call.body == b"abc"


@pytest.mark.parametrize(("method", "status"), [(b"HEAD", 200), (b"GET", 204), (b"GET", 304)])
def test_response_without_content_has_none(method: bytes, status: int) -> None:
    request = HTTPRequest(method=method, url="https://api.example/")
    response = ask_origin(request, ApplicationResponse(status=status)).response
    assert response is not None
    assert response.body == b""


def test_header_values_are_stripped_and_names_are_kept() -> None:
    start = {**START, "headers": [(b"X-A", b"\t 1 2 ")]}
    response = ask(sending(start, END)).response
    assert response is not None
    assert response.headers == ((b"X-A", b"1 2"),)


def test_right_content_length_is_no_failure() -> None:
    start = {**START, "headers": [(b"Content-Length", b"3"), (b"x-same-length", b"0")]}
    assert ask(sending(start, END)).failure is None


def test_message_changed_after_it_was_sent_changes_nothing() -> None:
    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            raise NotImplementedError
        await receive()
        headers = [(b"x-a", b"1")]
        await send({**START, "headers": headers})
        headers.clear()
        await send(END)

    response = ask(app).response
    assert response is not None
    assert response.headers == ((b"x-a", b"1"),)


@pytest.mark.parametrize(
    ("messages", "failure"),
    [
        ((), "without a response"),
        ((START,), "without the end of its response"),
        ((START, {**END, "more_body": True}), "without the end of its response"),
        ((END,), "body was sent before its start"),
        ((START, START, END), "started twice"),
        ((START, {**END, "body": "text"}), "'text', which is not bytes"),
        (({**START, "headers": [("x-a", b"1")]}, END), "not made of bytes"),
        (({**START, "headers": [(b"x-a", "1")]}, END), "not made of bytes"),
        (({**START, "headers": [(b"x a", b"1")]}, END), "no token"),
        (({**START, "headers": [(b"x-a", b"1\r\nx-b: 2")]}, END), "CR, LF or NUL"),
        (({**START, "headers": [(b"x-a",)]}, END), "malformed ASGI message"),
        (({**START, "headers": [(b"content-length", b"4")]}, END), "Content-Length is b'4'"),
        (({**START, "status": "200"}, END), "'200', which is no final status code"),
        (({**START, "status": 103}, END), "103, which is no final status code"),
        (({"type": "http.response.start"}, END), "KeyError: 'status'"),
        (({},), "KeyError: 'type'"),
        ((["http.response.start"],), "malformed ASGI message"),
        ((START, {"type": "http.response.push"}), "no message that the server offered"),
    ],
)
def test_malformed_response_is_a_failure(messages: tuple[Any, ...], failure: str) -> None:
    reply = ask(sending(*messages))
    assert reply.response is None
    assert reply.failure is not None
    assert failure in reply.failure


def test_message_after_the_end_is_a_failure_beside_the_response() -> None:
    reply = ask(sending(START, END, END))
    assert reply.response is not None
    assert reply.failure == "malformed response: http.response.body was sent after its end"


def test_exception_before_the_start_is_the_applications() -> None:
    reply = ask_origin(application=ApplicationResponse(raises="before start"))
    assert reply.response is None
    assert reply.application_raised
    assert reply.failure == "ApplicationError: raised by the origin app, as scripted"


@pytest.mark.parametrize("body", [(), (b"a",), (b"a", b"b")])
def test_exception_after_the_start_leaves_the_response_unfinished(body: tuple[bytes, ...]) -> None:
    reply = ask_origin(application=ApplicationResponse(raises="after start", body=body))
    assert reply.response is None
    assert reply.application_raised


def test_exception_of_the_middleware_is_not_the_applications() -> None:
    def wrap(origin: ASGIOrigin) -> App:
        async def app(scope: Scope, receive: Receive, send: Send) -> None:
            try:
                await origin(scope, receive, send)
            except ApplicationError:
                message = "my\nown \N{SNOWMAN}"
                raise ValueError(message)  # noqa: B904 - a context is no cause

        return app

    reply = ask_around(wrap, application=ApplicationResponse(raises="before start"))
    assert not reply.application_raised
    assert reply.failure == "ValueError: my own \\u2603"


def test_exception_of_the_same_type_is_not_the_applications() -> None:
    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        raise ApplicationError

    reply = ask(app)
    assert reply.failure == "ApplicationError"
    assert not reply.application_raised


@pytest.mark.parametrize("how", ["cause", "group", "cause in group"])
def test_wrapped_exception_of_the_application_is_recognised(how: str) -> None:
    def wrap(origin: ASGIOrigin) -> App:
        async def app(scope: Scope, receive: Receive, send: Send) -> None:
            try:
                await origin(scope, receive, send)
            except ApplicationError as error:
                wrapped = RuntimeError("wrapped")
                wrapped.__cause__ = error
                if how == "cause":
                    raise wrapped from error
                parts = [ValueError(), error if how == "group" else wrapped]
                message = "parts"
                raise ExceptionGroup(message, parts) from None

        return app

    assert ask_around(
        wrap, application=ApplicationResponse(raises="before start")
    ).application_raised


def test_response_of_a_middleware_that_handles_the_exception_is_delivered() -> None:
    def wrap(origin: ASGIOrigin) -> App:
        async def app(scope: Scope, receive: Receive, send: Send) -> None:
            try:
                await origin(scope, receive, send)
            except ApplicationError:
                await send({**START, "status": 500})
                await send(END)
                raise

        return app

    reply = ask_around(wrap, application=ApplicationResponse(raises="before start"))
    assert reply.response is not None
    assert reply.response.status == 500
    assert reply.application_raised


def test_exception_that_cannot_be_shown_is_still_named() -> None:
    class BrokenError(Exception):
        def __str__(self) -> str:
            raise ValueError

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        raise BrokenError

    assert ask(app).failure == "BrokenError: (its message cannot be shown)"


def test_value_that_cannot_be_shown_is_still_named() -> None:
    class Broken:
        def __repr__(self) -> str:
            raise ValueError

    reply = ask(sending({**START, "status": Broken()}))
    assert reply.failure is not None
    assert "a Broken" in reply.failure


def test_overlong_messages_are_cut() -> None:
    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        raise ValueError("x" * 1000 + "\x7f")

    failure = ask(app).failure
    assert failure is not None
    assert len(failure) == 300
    assert failure.endswith("...")


def test_unprintable_characters_are_escaped() -> None:
    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        message = "\x1b[31m"
        raise ValueError(message)

    assert ask(app).failure == "ValueError: \\x1b[31m"


def test_system_exit_of_the_application_is_a_failure() -> None:
    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        raise SystemExit(3)

    assert ask(app).failure == "SystemExit: 3"


def test_interrupt_reaches_the_caller_and_the_server_goes_on() -> None:
    interrupts = iter([True])
    origin = ASGIOrigin()

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http" and next(interrupts, False):
            raise KeyboardInterrupt
        await origin(scope, receive, send)

    with ASGIServer(app, origin) as server:
        with pytest.raises(KeyboardInterrupt):
            server.send(GET, PLAIN)
        assert server.send(GET, PLAIN).response is not None


def test_application_that_hangs_is_a_failure_and_the_server_goes_on() -> None:
    hangs = iter([True])
    origin = ASGIOrigin()

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http" and next(hangs, False):
            await asyncio.Event().wait()
        await origin(scope, receive, send)

    with ASGIServer(app, origin, seconds=0.01) as server:
        assert server.send(GET, PLAIN).failure == "it did not end within 0.01 s"
        assert server.send(GET, PLAIN).response is not None


def test_application_that_suspends_is_waited_for() -> None:
    def wrap(origin: ASGIOrigin) -> App:
        async def app(scope: Scope, receive: Receive, send: Send) -> None:
            await asyncio.sleep(0.001)
            async with asyncio.timeout(5):
                await asyncio.create_task(origin(scope, receive, send))

        return app

    assert ask_around(wrap).failure is None


def test_receiving_after_the_body_waits_for_the_end_of_the_response() -> None:
    received: list[Message] = []

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            raise NotImplementedError
        await receive()
        listeners = [asyncio.ensure_future(receive()) for _ in range(2)]
        await asyncio.sleep(0)
        assert not any(listener.done() for listener in listeners)
        await send(START)
        await send(END)
        received.extend([await listener for listener in listeners])
        received.append(await receive())

    assert ask(app).failure is None
    assert received == [{"type": "http.disconnect"}] * 3


def test_lifespan_surrounds_the_requests_and_shares_its_state() -> None:
    events: list[object] = []
    origin = ASGIOrigin()

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            scope["state"]["shared"] = events
            events.append(await receive())
            await send({"type": "lifespan.startup.complete"})
            events.append(await receive())
            await send({"type": "lifespan.shutdown.complete"})
        else:
            scope["state"]["shared"].append("request")
            scope["state"]["own"] = "not seen by the next request"
            assert len(scope["state"]) == 2
            await origin(scope, receive, send)

    with ASGIServer(app, origin) as server:
        assert server.send(GET, PLAIN).failure is None
        assert server.send(GET, PLAIN).failure is None
    assert events == [
        {"type": "lifespan.startup"},
        "request",
        "request",
        {"type": "lifespan.shutdown"},
    ]


def test_slow_startup_is_waited_for() -> None:
    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        await asyncio.sleep(0.001)
        await ASGIOrigin()(scope, receive, send)

    assert ask(app).failure is None


def test_application_without_lifespan_gets_no_state() -> None:
    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        assert scope["type"] == "http"
        assert "state" not in scope
        await sending(START, END)(scope, receive, send)

    assert ask(app).failure is None


def test_failed_startup_is_a_death() -> None:
    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        await receive()
        await send({"type": "lifespan.startup.failed", "message": "no database"})

    with pytest.raises(ServerDied, match="startup failed: 'no database'"):
        ASGIServer(app, ASGIOrigin())


def test_startup_that_hangs_is_a_death() -> None:
    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        await receive()
        await receive()

    with pytest.raises(ServerHung, match=r"did not end within 0\.01 s"):
        ASGIServer(app, ASGIOrigin(), seconds=0.01)


def test_application_that_ends_after_its_startup_is_not_shut_down() -> None:
    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            await send({"type": "lifespan.startup.complete"})
            await send({"type": "lifespan.something.else"})
        else:
            await sending(START, END)(scope, receive, send)

    assert ask(app).failure is None


def test_tasks_that_outlive_their_request_end_with_the_server() -> None:
    ended: list[bool] = []
    tasks: list[asyncio.Task[None]] = []

    async def background() -> None:
        try:
            await asyncio.Event().wait()
        finally:
            ended.append(True)

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http":
            tasks.append(asyncio.create_task(background()))
            await asyncio.sleep(0)
        await sending(START, END)(scope, receive, send)

    server = ASGIServer(app, ASGIOrigin())
    server.send(GET, PLAIN)
    assert not ended
    server.close()
    server.close()
    assert ended == [True]


def test_server_refuses_to_work_within_a_running_loop() -> None:
    origin = ASGIOrigin()
    server = ASGIServer(origin, origin)

    async def within() -> None:
        with pytest.raises(HarnessError, match="already"):
            server.send(GET, PLAIN)
        with pytest.raises(HarnessError, match="already"):
            ASGIServer(origin, origin)

    asyncio.run(within())
    assert server.send(GET, PLAIN).failure is None
    server.close()


@pytest.mark.parametrize("url", ["/relative", "ftp://api.example/", "https://api.example/\u00e9"])
def test_url_of_another_kind_is_the_suites_fault(url: str) -> None:
    with pytest.raises(HarnessError):
        ask_origin(HTTPRequest(method=b"GET", url=url))


def test_origin_app_serves_nothing_but_http_and_lifespan() -> None:
    async def nothing(*_: object) -> Any:
        raise AssertionError

    with pytest.raises(ValueError, match="'websocket'"):
        ASGIOrigin()({"type": "websocket"}, nothing, nothing).__await__().send(None)


def test_script_without_a_target_takes_the_path_it_is_given() -> None:
    assert Script().target_of("/a b", b"") == b"/a%20b"


def test_middleware_with_a_task_group_works() -> None:
    base = pytest.importorskip("starlette.middleware.base")

    class Passing(base.BaseHTTPMiddleware):  # type: ignore[name-defined, misc]
        async def dispatch(self, request: Any, call_next: Any) -> Any:
            return await call_next(request)

    reply = ask_around(Passing, application=ApplicationResponse(body=(b"a", b"b")))
    assert reply.failure is None
    assert reply.response is not None
    assert reply.response.body == b"ab"
