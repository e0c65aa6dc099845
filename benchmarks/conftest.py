"""The axes of the benchmarks: who answers, and what is asked.

Every subject stands in front of the same bare application and is called by hand, without event
loop, server or client, so that next to nothing but the middleware is timed. What is left of the
harness is in the bare application's row too, and goes out in "added cost".
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any, Final, TypeAlias

import pytest
from fastapi.middleware.cors import CORSMiddleware as FastAPIMiddleware
from starlette.middleware.cors import CORSMiddleware as StarletteMiddleware

from cors_conformance.policy import Policy
from cors_reference import CORSMiddleware, WSGICORSMiddleware

Call: TypeAlias = Callable[[], None]
"""One request through one subject, ready to be timed."""

POLICY: Final = Policy(
    allow_origins=("https://example.com", "https://app.example.com"),
    allow_headers=("Content-Type", "Authorization"),
    allow_credentials=True,
)
"""The configuration with specific origins of FastrAPI's documentation."""

PARAMETERS: Final[dict[str, Any]] = {**POLICY.parameters()}

PREFLIGHT: Final = (
    (b"access-control-request-method", b"PUT"),
    (b"access-control-request-headers", b"authorization,content-type"),
)
USUAL: Final = (
    (b"host", b"api.example.com"),
    (b"accept", b"*/*"),
    (b"accept-encoding", b"gzip, deflate, br, zstd"),
    (b"accept-language", b"en-GB,en;q=0.9"),
    (b"user-agent", b"Mozilla/5.0 (X11; Linux x86_64; rv:145.0) Gecko/20100101 Firefox/145.0"),
)
"""What a browser sends anyway: a middleware that looks at every line pays for it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Kind:
    """One kind of request, and whether its response names the origin as allowed."""

    method: str
    headers: tuple[tuple[bytes, bytes], ...]
    granted: bool


KINDS: Final = {
    "no Origin": Kind(method="GET", headers=(), granted=False),
    "allowed": Kind(method="GET", headers=((b"origin", b"https://app.example.com"),), granted=True),
    "denied": Kind(method="GET", headers=((b"origin", b"https://evil.example"),), granted=False),
    "granted preflight": Kind(
        method="OPTIONS",
        headers=((b"origin", b"https://app.example.com"), *PREFLIGHT),
        granted=True,
    ),
    "denied preflight": Kind(
        method="OPTIONS", headers=((b"origin", b"https://evil.example"), *PREFLIGHT), granted=False
    ),
}


async def bare_asgi(_scope: Any, _receive: Any, send: Any) -> None:
    # New lists at each call: some middlewares append to them.
    await send(
        {
            "type": "http.response.start",
            "status": 200,
            "headers": [(b"content-type", b"text/plain"), (b"content-length", b"2")],
        }
    )
    await send({"type": "http.response.body", "body": b"ok"})


def bare_wsgi(_environ: Any, start_response: Any) -> Iterable[bytes]:
    start_response("200 OK", [("Content-Type", "text/plain"), ("Content-Length", "2")])
    return [b"ok"]


ASGI: Final[dict[str, Any]] = {
    "bare application": bare_asgi,
    "reference": CORSMiddleware(bare_asgi, **PARAMETERS),
    "starlette": StarletteMiddleware(bare_asgi, **PARAMETERS),
    "fastapi": FastAPIMiddleware(bare_asgi, **PARAMETERS),
}
WSGI: Final[dict[str, Any]] = {
    "bare application (WSGI)": bare_wsgi,
    "reference (WSGI)": WSGICORSMiddleware(bare_wsgi, **PARAMETERS),
}


async def receive() -> dict[str, Any]:
    return {"type": "http.request", "body": b"", "more_body": False}


def asgi_call(application: Any, kind: Kind, send: Callable[[Any], Any]) -> Call:
    """One request through an ASGI application, whose messages go to `send`."""
    scope = {
        "type": "http",
        "asgi": {"version": "3.0", "spec_version": "2.4"},
        "http_version": "1.1",
        "method": kind.method,
        "scheme": "https",
        "path": "/items",
        "raw_path": b"/items",
        "query_string": b"",
        "root_path": "",
        "headers": [*USUAL, *kind.headers],
    }

    def call() -> None:
        try:
            application(scope, receive, send).send(None)
        except StopIteration:
            return
        message = "the application waits for something: there is no event loop here"
        raise RuntimeError(message)

    return call


def wsgi_call(application: Any, kind: Kind, start_response: Callable[..., Any]) -> Call:
    """One request through a WSGI application, whose status and headers go to `start_response`."""
    environ = {
        "REQUEST_METHOD": kind.method,
        "SCRIPT_NAME": "",
        "PATH_INFO": "/items",
        "QUERY_STRING": "",
        "SERVER_PROTOCOL": "HTTP/1.1",
        "wsgi.url_scheme": "https",
    }
    for name, value in (*USUAL, *kind.headers):
        environ["HTTP_" + name.decode().upper().replace("-", "_")] = value.decode()

    def call() -> None:
        for _ in application(environ, start_response):
            pass

    return call


def answered_header_names(subject: str, kind: Kind) -> set[str]:
    """The names, in lower case, of the response headers that a subject sends."""
    names: set[str] = set()

    async def send(message: Any) -> None:
        names.update(name.decode().lower() for name, _ in message.get("headers", ()))

    def start_response(_status: str, headers: Any, _exc_info: Any = None) -> None:
        names.update(name.lower() for name, _ in headers)

    if subject in ASGI:
        asgi_call(ASGI[subject], kind, send)()
    else:
        wsgi_call(WSGI[subject], kind, start_response)()
    return names


async def ignore_message(_message: Any) -> None:
    pass


def ignore_start(_status: str, _headers: Any, _exc_info: Any = None) -> None:
    pass


def calls_of(kind: Kind) -> dict[str, Call]:
    """Every subject's call for one kind of request, by the subject's name.

    Raises:
        AssertionError: a subject does not answer as the kind says, so its time means nothing.

    """
    for subject in [*ASGI, *WSGI]:
        granted = "access-control-allow-origin" in answered_header_names(subject, kind)
        assert granted == (kind.granted and not subject.startswith("bare")), subject
    return {
        **{name: asgi_call(app, kind, ignore_message) for name, app in ASGI.items()},
        **{name: wsgi_call(app, kind, ignore_start) for name, app in WSGI.items()},
    }


@pytest.fixture(scope="session")
def calls() -> dict[str, dict[str, Call]]:
    """What to call, by kind of request and subject."""
    return {name: calls_of(kind) for name, kind in KINDS.items()}


@pytest.fixture(params=KINDS)
def kind(request: pytest.FixtureRequest) -> str:
    """The name of a kind of request."""
    return str(request.param)


@pytest.fixture(params=[*ASGI, *WSGI])
def subject(request: pytest.FixtureRequest) -> str:
    """The name of what answers."""
    return str(request.param)
