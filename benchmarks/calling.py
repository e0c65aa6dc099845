"""One request through one implementation, in process: no event loop, no server, no client.

Next to nothing but the middleware is timed. What is left of the harness is in the bare
application's row too, and goes out in what is compared: the cost above the bare application.
"""

from collections.abc import Callable, Coroutine, Generator, Iterable
from typing import Any, Final, TypeAlias

from cors_conformance.implementation import Application, Implementation
from cors_conformance.servers.start import wrapped
from kinds import POLICY, Kind

Call: TypeAlias = Callable[[], None]
"""One request, ready to be timed."""

BARE: Final = {"asgi": "bare application", "wsgi": "bare application (WSGI)"}
"""What the application without a middleware is called, by interface."""

USUAL: Final = (
    (b"host", b"api.example.com"),
    (b"accept", b"*/*"),
    (b"accept-encoding", b"gzip, deflate, br, zstd"),
    (b"accept-language", b"en-GB,en;q=0.9"),
    (b"user-agent", b"Mozilla/5.0 (X11; Linux x86_64; rv:145.0) Gecko/20100101 Firefox/145.0"),
)
"""What a browser sends anyway: a middleware that looks at every line pays for it."""


class WrongAnswer(Exception):
    """An implementation does not answer as the kind of request says: its time means nothing."""


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


class _Pause:
    def __await__(self) -> Generator[None]:
        yield


async def waiting_asgi(scope: Any, receive: Any, send: Any) -> None:
    """Be the bare application, but let others have a turn before it answers."""
    await _Pause()
    await bare_asgi(scope, receive, send)


def bare_wsgi(_environ: Any, start_response: Any) -> Iterable[bytes]:
    start_response("200 OK", [("Content-Type", "text/plain"), ("Content-Length", "2")])
    return [b"ok"]


def calls_of(implementations: Iterable[Implementation], kind: Kind) -> dict[str, Call]:
    """Build every implementation anew, and give its call, by its name; the bare ones come first.

    Raises:
        WrongAnswer: an implementation does not answer as the kind says.

    """
    chosen = list(implementations)
    calls: dict[str, Call] = {}
    if any(one.interface == "asgi" for one in chosen):
        calls[BARE["asgi"]] = asgi_call(bare_asgi, kind)
    if any(one.interface == "wsgi" for one in chosen):
        calls[BARE["wsgi"]] = wsgi_call(bare_wsgi, kind)
    for one in chosen:
        is_wsgi = one.interface == "wsgi"
        application = wrapped(one, bare_wsgi if is_wsgi else bare_asgi, POLICY)
        check_answer(one.name, kind, answered_names(application, kind, wsgi=is_wsgi))
        calls[one.name] = (wsgi_call if is_wsgi else asgi_call)(application, kind)
    return calls


def check_answer(name: str, kind: Kind, answered: set[bytes]) -> None:
    """See whether the response of an implementation, by its header names, is what the kind says.

    Raises:
        WrongAnswer: it is not.

    """
    granted = b"access-control-allow-origin" in answered
    # `none` is measured as well: its answer is wrong by design.
    if kind.granted not in {None, granted} and name != "none":
        message = f"{name}: the origin is {'' if granted else 'not '}allowed"
        raise WrongAnswer(message)


async def _receive() -> dict[str, Any]:
    return {"type": "http.request", "body": b"", "more_body": False}


async def _ignore_message(_message: Any) -> None:
    pass


def _ignore_start(_status: str, _headers: Any, _exc_info: Any = None) -> None:
    pass


def asgi_call(application: Application, kind: Kind, send: Any = _ignore_message) -> Call:
    """Prepare one request through an ASGI application, whose messages go to `send`."""
    scope = _scope(kind)

    def call() -> None:
        try:
            # A copy, since frameworks write into it.
            application(scope.copy(), _receive, send).send(None)
        except StopIteration:
            return
        message = "the application waits for something: there is no event loop here"
        raise RuntimeError(message)

    return call


def at_once(application: Application, kind: Kind, size: int) -> Call:
    """Prepare requests that are all begun before one of them ends."""
    scope = _scope(kind)

    def call() -> None:
        waiting = [application(scope.copy(), _receive, _ignore_message) for _ in range(size)]
        while waiting:
            waiting = [one for one in waiting if _goes_on(one)]

    return call


def _goes_on(request: Coroutine[Any, Any, None]) -> bool:
    try:
        request.send(None)
    except StopIteration:
        return False
    return True


def _scope(kind: Kind) -> dict[str, Any]:
    return {
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


def wsgi_call(application: Application, kind: Kind, start_response: Any = _ignore_start) -> Call:
    """Prepare one request through a WSGI application, which calls `start_response`."""
    environ = {
        "REQUEST_METHOD": kind.method,
        "SCRIPT_NAME": "",
        "PATH_INFO": "/items",
        "QUERY_STRING": "",
        "SERVER_PROTOCOL": "HTTP/1.1",
        "wsgi.url_scheme": "https",
    }
    lines: dict[str, list[str]] = {}
    for name, value in (*USUAL, *kind.headers):
        key = "HTTP_" + name.decode().upper().replace("-", "_")
        lines.setdefault(key, []).append(value.decode())
    environ.update({key: ",".join(values) for key, values in lines.items()})

    def call() -> None:
        for _ in application(environ.copy(), start_response):
            pass

    return call


def answered_names(application: Application, kind: Kind, *, wsgi: bool) -> set[bytes]:
    """Return the names, in lower case, of the response headers."""
    names: set[bytes] = set()

    async def send(message: Any) -> None:
        names.update(name.lower() for name, _ in message.get("headers", ()))

    def start_response(_status: str, headers: Any, _exc_info: Any = None) -> None:
        names.update(name.lower().encode() for name, _ in headers)

    call = (
        wsgi_call(application, kind, start_response) if wsgi else asgi_call(application, kind, send)
    )
    call()
    return names
