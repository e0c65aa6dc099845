"""ASGI calls that a middleware must pass on message by message.

https://asgi.readthedocs.io/en/latest/specs/www.html and, for the extensions,
https://asgi.readthedocs.io/en/latest/extensions.html
"""

from typing import Any, Final

from cors_conformance.fetch.http import HeaderLines
from cors_conformance.scenario import CATCH_UP, RAISE, RECEIVE, WORK, ASGICall, MessageItems

_LINES: Final[HeaderLines] = (
    (b"content-type", b"text/plain"),
    (b"x-repeated", b"2"),
    (b"vary", b"accept-encoding"),
    (b"x-repeated", b"1"),
)
_NO_BODY: Final[tuple[MessageItems, ...]] = (
    (("type", "http.request"), ("body", b""), ("more_body", False)),
)


def _message(kind: str, **items: Any) -> MessageItems:  # noqa: ANN401 - any part of a message
    return (("type", kind), *items.items())


def _start(headers: HeaderLines = _LINES, status: int = 200, **items: Any) -> MessageItems:  # noqa: ANN401 - see above
    return _message("http.response.start", status=status, headers=headers, **items)


def _chunk(body: bytes, *, more: bool = True) -> MessageItems:
    return _message("http.response.body", body=body, more_body=more)


def _upload(body: bytes, *, more: bool = True) -> MessageItems:
    return _message("http.request", body=body, more_body=more)


def _response(
    name: str,
    *script: MessageItems,
    is_cors: bool = True,
    extensions: tuple[str, ...] = (),
) -> ASGICall:
    return ASGICall(
        name=name,
        about="response",
        is_cors=is_cors,
        extensions=extensions,
        received=_NO_BODY,
        script=(RECEIVE, *script),
    )


_CHUNKS: Final = (_start(), _chunk(b"one"), _chunk(b"two"), CATCH_UP, _chunk(b"three", more=False))

_RESPONSES: Final = (
    _response("chunks", *_CHUNKS),
    _response("chunks without an Origin", *_CHUNKS, is_cors=False),
    _response("a late end", _start(), _chunk(b"all of it"), CATCH_UP, _chunk(b"", more=False)),
    _response("a body message without a body", _start(), _message("http.response.body")),
    _response("work after the response", _start(), _chunk(b"all of it", more=False), WORK),
    _response("an exception after a chunk", _start(), _chunk(b"one"), CATCH_UP, RAISE),
    _response(
        "trailers",
        _start(trailers=True),
        _chunk(b"one"),
        _chunk(b"", more=False),
        _message(
            "http.response.trailers", headers=((b"server-timing", b"db;dur=1"),), more_trailers=True
        ),
        _message("http.response.trailers", headers=((b"x-checksum", b"1"),), more_trailers=False),
        extensions=("http.response.trailers",),
    ),
    _response(
        "an early hint",
        _message("http.response.early_hint", links=(b"</style.css>; rel=preload",)),
        _start(),
        _chunk(b"one", more=False),
        extensions=("http.response.early_hint",),
    ),
    _response(
        "a push",
        _start(),
        _message("http.response.push", path="/style.css", headers=((b"accept", b"text/css"),)),
        _chunk(b"one", more=False),
        extensions=("http.response.push",),
    ),
    _response(
        "debug information",
        _message("http.response.debug", info=(("template", "index.html"),)),
        _start(),
        _chunk(b"one", more=False),
        extensions=("http.response.debug",),
    ),
)

_ANSWER: Final = (_start((), 200), _chunk(b"done", more=False))

_REQUESTS: Final = (
    ASGICall(
        name="an upload in chunks",
        about="request",
        is_cors=True,
        received=(_upload(b"one"), _upload(b"two"), _upload(b"three", more=False)),
        script=(RECEIVE, RECEIVE, RECEIVE, *_ANSWER),
    ),
    ASGICall(
        name="an upload in chunks without an Origin",
        about="request",
        received=(_upload(b"one"), _upload(b"two", more=False)),
        script=(RECEIVE, RECEIVE, *_ANSWER),
    ),
    ASGICall(
        name="a client that leaves during its upload",
        about="request",
        is_cors=True,
        received=(_upload(b"one"), _message("http.disconnect")),
        script=(RECEIVE, RECEIVE, *_ANSWER),
    ),
    ASGICall(
        name="a client that leaves during the response",
        about="request",
        is_cors=True,
        received=(*_NO_BODY, _message("http.disconnect")),
        script=(RECEIVE, _start(()), _chunk(b"one"), RECEIVE, _chunk(b"two", more=False)),
    ),
    ASGICall(
        name="an answer before the upload is read",
        about="request",
        is_cors=True,
        received=(_upload(b"one"), _upload(b"two", more=False)),
        script=(_start(()), _chunk(b"one"), RECEIVE, RECEIVE, _chunk(b"two", more=False)),
    ),
    ASGICall(
        name="an upload that goes on when it is answered",
        about="request",
        is_cors=True,
        received=(_upload(b"one"), _upload(b"two", more=False)),
        script=(RECEIVE, _start(()), _chunk(b"one"), RECEIVE, _chunk(b"two", more=False)),
        held_from=1,
    ),
    ASGICall(
        name="an upload that begins when it is answered",
        about="request",
        is_cors=True,
        received=(_upload(b"one"), _upload(b"two", more=False)),
        script=(_start(()), _chunk(b"one"), RECEIVE, RECEIVE, _chunk(b"two", more=False)),
        held_from=0,
    ),
)

_CONNECT: Final = _message("websocket.connect")
_CLOSED: Final = _message("websocket.disconnect", code=1001)

_SCOPES: Final = (
    ASGICall(
        name="a WebSocket that is accepted",
        about="scope",
        scope_type="websocket",
        is_cors=True,
        received=(
            _CONNECT,
            _message("websocket.receive", text="ping"),
            _message("websocket.receive", bytes=b"\x00\xff"),
            _CLOSED,
        ),
        script=(
            RECEIVE,
            _message("websocket.accept", subprotocol="chat", headers=((b"x-a", b"1"),)),
            RECEIVE,
            _message("websocket.send", text="pong"),
            RECEIVE,
            _message("websocket.send", bytes=b"\xff\x00"),
            RECEIVE,
        ),
    ),
    ASGICall(
        name="a WebSocket that is closed by the application",
        about="scope",
        scope_type="websocket",
        received=(_CONNECT,),
        script=(
            RECEIVE,
            _message("websocket.accept"),
            _message("websocket.close", code=4000, reason="enough"),
        ),
    ),
    ASGICall(
        name="a WebSocket that is denied with a response",
        about="scope",
        scope_type="websocket",
        is_cors=True,
        extensions=("websocket.http.response",),
        received=(_CONNECT,),
        script=(
            RECEIVE,
            _message("websocket.http.response.start", status=403, headers=((b"x-a", b"1"),)),
            _message("websocket.http.response.body", body=b"no", more_body=False),
        ),
    ),
    ASGICall(
        name="a WebSocket whose application raises",
        about="scope",
        scope_type="websocket",
        received=(_CONNECT,),
        script=(RECEIVE, _message("websocket.accept"), RAISE),
    ),
    ASGICall(
        name="a lifespan",
        about="scope",
        scope_type="lifespan",
        received=(_message("lifespan.startup"), _message("lifespan.shutdown")),
        script=(
            RECEIVE,
            _message("lifespan.startup.complete"),
            RECEIVE,
            _message("lifespan.shutdown.complete"),
        ),
    ),
    ASGICall(
        name="a lifespan whose startup fails",
        about="scope",
        scope_type="lifespan",
        received=(_message("lifespan.startup"),),
        script=(RECEIVE, _message("lifespan.startup.failed", message="no database")),
    ),
    ASGICall(
        name="a protocol that nobody knows",
        about="scope",
        scope_type="x-unheard-of",
        received=(_message("x-unheard-of.ask", payload=b"\x00"),),
        script=(RECEIVE, _message("x-unheard-of.answer", payload=b"\xff")),
    ),
)

_HTTP_SCOPES: Final = tuple(
    ASGICall(
        name=f"the scope of a request{told}",
        about="http scope",
        is_cors=is_cors,
        received=_NO_BODY,
        script=(RECEIVE, *_ANSWER),
    )
    for is_cors, told in ((True, ""), (False, " without an Origin"))
)

_REUSED: Final = (
    ASGICall(
        name="one header list for all responses",
        about="reuse",
        is_cors=True,
        received=_NO_BODY,
        script=(RECEIVE, _start(), _chunk(b"one", more=False)),
        times=3,
    ),
    ASGICall(
        name="one header list with CORS headers for all responses",
        about="reuse",
        is_cors=True,
        received=_NO_BODY,
        script=(
            RECEIVE,
            _start(
                (
                    (b"access-control-allow-origin", b"https://app.example"),
                    (b"vary", b"Origin"),
                    (b"x-a", b"1"),
                )
            ),
            _chunk(b"one", more=False),
        ),
        times=3,
    ),
    ASGICall(
        name="one header list for responses to no page",
        about="reuse",
        received=_NO_BODY,
        script=(RECEIVE, _start(), _chunk(b"one", more=False)),
        times=2,
    ),
)

_ONE_CHUNK: Final = (_start(), _chunk(b"one", more=False))

_HEADERS: Final = (
    ASGICall(
        name="headers as a tuple",
        about="headers",
        is_cors=True,
        received=_NO_BODY,
        script=(RECEIVE, *_ONE_CHUNK),
        headers_as="tuple",
    ),
    ASGICall(
        name="headers as a list of lists",
        about="headers",
        is_cors=True,
        received=_NO_BODY,
        script=(RECEIVE, *_ONE_CHUNK),
        headers_as="lists",
    ),
    ASGICall(
        name="headers as a generator",
        about="headers",
        is_cors=True,
        received=_NO_BODY,
        script=(RECEIVE, *_ONE_CHUNK),
        headers_as="generator",
    ),
    ASGICall(
        name="a start without headers",
        about="headers",
        is_cors=True,
        received=_NO_BODY,
        script=(RECEIVE, _message("http.response.start", status=200), _chunk(b"one", more=False)),
    ),
)

CALLS: Final[tuple[ASGICall, ...]] = (
    *_RESPONSES,
    *_REQUESTS,
    *_HTTP_SCOPES,
    *_SCOPES,
    *_REUSED,
    *_HEADERS,
)
