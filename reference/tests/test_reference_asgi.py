import asyncio
from collections.abc import Iterable

import pytest

from cors_reference import CORSMiddleware
from cors_reference.asgi import ASGIApp, Message, Receive, Scope, Send

Headers = list[tuple[bytes, bytes]]

ORIGIN = (b"origin", b"https://a.example")
ALSO = (b"origin", b"https://b.example")
METHOD = (b"access-control-request-method", b"PUT")
SHARED = (b"access-control-allow-origin", b"https://a.example")
VARY = (b"vary", b"Origin")


class Application:
    """Sends its messages and remembers what it was called with."""

    def __init__(self, *messages: Message) -> None:
        self.messages = messages
        self.calls: list[tuple[Scope, Receive, Send]] = []

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        self.calls.append((scope, receive, send))
        for message in self.messages:
            await send(message)


def start(headers: object = (), status: int = 200) -> Message:
    return {"type": "http.response.start", "status": status, "headers": headers}


def body(chunk: bytes = b"", *, more: bool = False) -> Message:
    return {"type": "http.response.body", "body": chunk, "more_body": more}


def scope(method: str, headers: Iterable[tuple[bytes, bytes]]) -> Scope:
    return {"type": "http", "method": method, "path": "/", "headers": [*headers]}


async def receive() -> Message:
    return {"type": "http.disconnect"}


def guard(app: ASGIApp) -> CORSMiddleware:
    return CORSMiddleware(app, allow_origins=["https://a.example", "https://b.example"])


def call(app: ASGIApp, request: Scope) -> list[Message]:
    sent: list[Message] = []

    async def send(message: Message) -> None:
        sent.append(message)

    async def run() -> None:
        await app(request, receive, send)

    asyncio.run(run())
    return sent


def test_a_granted_preflight_is_answered_without_the_application() -> None:
    app = Application(start(), body())
    first, last = call(guard(app), scope("OPTIONS", [ORIGIN, METHOD]))
    assert (first["status"], last) == (204, {"type": "http.response.body", "body": b""})
    assert SHARED in first["headers"]
    assert app.calls == []


def test_a_refused_preflight_is_answered_without_the_application() -> None:
    app = Application(start(), body())
    first, last = call(guard(app), scope("OPTIONS", [(b"origin", b"null"), METHOD]))
    assert first["status"] == 403
    assert (b"content-length", str(len(last["body"])).encode()) in first["headers"]
    assert app.calls == []


@pytest.mark.parametrize(
    ("method", "headers"),
    [
        ("OPTIONS", []),
        ("OPTIONS", [ORIGIN]),
        ("OPTIONS", [METHOD]),
        ("GET", [ORIGIN, METHOD]),
        ("options", [ORIGIN, METHOD]),
    ],
)
def test_nothing_else_is_a_preflight(method: str, headers: Headers) -> None:
    app = Application(start(), body())
    call(guard(app), scope(method, headers))
    assert len(app.calls) == 1


@pytest.mark.parametrize("method", [b"", b"PUT, PUT", b"\xff"])
def test_a_preflight_with_an_unusable_method_is_still_one(method: bytes) -> None:
    app = Application(start(), body())
    preflight = scope("OPTIONS", [ORIGIN, (b"access-control-request-method", method)])
    assert call(guard(app), preflight)[0]["status"] == 403
    assert app.calls == []


@pytest.mark.parametrize("origins", [[ORIGIN, ALSO], [ALSO, ORIGIN], [ORIGIN, ORIGIN]])
def test_two_origins_are_none(origins: Headers) -> None:
    app = guard(Application(start(), body()))
    assert call(app, scope("GET", origins))[0]["headers"] == [VARY]
    assert call(app, scope("OPTIONS", [*origins, METHOD]))[0]["status"] == 403


def test_two_requested_methods_are_none() -> None:
    app = guard(Application())
    assert call(app, scope("OPTIONS", [ORIGIN, METHOD, METHOD]))[0]["status"] == 403


def test_the_lines_of_the_requested_headers_are_one_list() -> None:
    app = CORSMiddleware(Application(), ["https://a.example"], allow_headers=["X-A", "X-B"])
    names = [(b"access-control-request-headers", name) for name in (b"x-a", b"x-b", b"x-c")]
    assert call(app, scope("OPTIONS", [ORIGIN, METHOD, *names[:2]]))[0]["status"] == 204
    assert call(app, scope("OPTIONS", [ORIGIN, METHOD, *names]))[0]["status"] == 403


def test_many_lines_are_refused_in_few_bytes() -> None:
    names = [(b"access-control-request-headers", b"x-%d" % number) for number in range(100_000)]
    app = CORSMiddleware(Application(), ["https://a.example"], allow_headers=["*"])
    sent = call(app, scope("OPTIONS", [ORIGIN, METHOD, *names]))
    assert sent[0]["status"] == 403
    assert len(repr(sent)) < 1000


@pytest.mark.parametrize("status", [200, 204, 301, 304, 401, 404, 500])
def test_a_response_is_shared_whatever_its_status(status: int) -> None:
    first, *_ = call(guard(Application(start([], status), body())), scope("GET", [ORIGIN]))
    assert first == start([VARY, SHARED], status)


@pytest.mark.parametrize("headers", [[], [ORIGIN], [(b"origin", b"null")]])
def test_the_application_gets_the_request_as_it_is(headers: Headers) -> None:
    app = Application(start(), body())
    request = scope("POST", headers)
    before = {**request, "headers": [*headers]}
    call(guard(app), request)
    ((seen, seen_receive, _),) = app.calls
    assert seen is request
    assert seen == before
    assert seen_receive is receive


@pytest.mark.parametrize(
    "headers", [[(b"x-a", b"1")], ((b"x-a", b"1"),), iter([(b"x-a", b"1")]), [[b"x-a", b"1"]]]
)
def test_the_headers_may_be_any_iterable_of_pairs(headers: object) -> None:
    first, _ = call(guard(Application(start(headers), body())), scope("GET", []))
    assert [tuple(line) for line in first["headers"]] == [(b"x-a", b"1"), VARY]


def test_the_headers_may_be_absent() -> None:
    app = Application({"type": "http.response.start", "status": 200}, body())
    assert call(guard(app), scope("GET", []))[0]["headers"] == [VARY]


def test_the_message_and_its_headers_are_not_mutated() -> None:
    headers = [(b"access-control-allow-origin", b"*")]
    message = start(headers)
    for _ in range(2):
        assert call(guard(Application(message, body())), scope("GET", []))[0]["headers"] == [VARY]
    assert message == start([(b"access-control-allow-origin", b"*")])
    assert message["headers"] is headers


def test_other_keys_of_the_start_are_kept() -> None:
    first, _ = call(guard(Application({**start(), "trailers": True}, body())), scope("GET", []))
    assert first["trailers"] is True


def test_other_messages_pass_one_by_one_and_as_they_are() -> None:
    messages = [
        {"type": "http.response.early_hint", "links": []},
        start(),
        body(b"1", more=True),
        body(b"2", more=True),
        body(),
        {"type": "http.response.trailers", "headers": [(b"vary", b"x")]},
        {"type": "unknown"},
    ]
    sent = call(guard(Application(*messages)), scope("GET", [ORIGIN]))
    assert all(
        out is message
        for out, message in zip(sent, messages, strict=True)
        if message["type"] != "http.response.start"
    )


@pytest.mark.parametrize("kind", ["websocket", "lifespan", "unknown"])
def test_other_scopes_reach_the_application_untouched(kind: str) -> None:
    app = Application()

    async def send(message: Message) -> None:
        raise AssertionError(message)

    request: Scope = {"type": kind, "method": "OPTIONS", "headers": [ORIGIN, METHOD]}
    asyncio.run(guard(app)(request, receive, send))
    assert app.calls == [(request, receive, send)]


@pytest.mark.parametrize("messages", [(), (start(),), (start(), body(b"1", more=True))])
def test_exceptions_propagate(messages: tuple[Message, ...]) -> None:
    error = ZeroDivisionError()

    async def failing(scope: Scope, receive: Receive, send: Send) -> None:
        await Application(*messages)(scope, receive, send)
        raise error

    with pytest.raises(ZeroDivisionError) as caught:
        call(guard(failing), scope("GET", [ORIGIN]))
    assert caught.value is error


def test_wrapping_twice_sends_no_header_twice() -> None:
    first, _ = call(guard(guard(Application(start(), body()))), scope("GET", [ORIGIN]))
    assert sorted(first["headers"]) == [SHARED, VARY]


def test_requests_do_not_influence_each_other() -> None:
    app = guard(Application(start(), body()))
    requests = [scope("GET", headers) for headers in ([], [ORIGIN], [ALSO], [(b"origin", b"x")])]
    alone = [call(app, request) for request in requests]
    assert [call(app, request) for request in reversed(requests)] == alone[::-1]
