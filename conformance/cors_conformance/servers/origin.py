"""The origin app: it answers what the script says, and records what reached it."""

from collections.abc import Awaitable, Callable, Iterator, MutableMapping
from dataclasses import dataclass, field
from typing import Any, TypeAlias
from urllib.parse import quote

from cors_conformance.application import ApplicationCall, ApplicationError, ApplicationResponse

Message: TypeAlias = MutableMapping[str, Any]
Scope: TypeAlias = MutableMapping[str, Any]
Receive: TypeAlias = Callable[[], Awaitable[Message]]
Send: TypeAlias = Callable[[Message], Awaitable[None]]
Environ: TypeAlias = dict[str, Any]


@dataclass(slots=True)
class Script:
    """What the origin app answers during one exchange, and what it saw.

    `path`, `query` and `target` are the request's: interfaces hand applications a decoded path,
    from which the target that stood on the wire cannot be told.
    """

    response: ApplicationResponse = ApplicationResponse()
    path: str = ""
    query: bytes = b""
    target: bytes = b""
    calls: list[ApplicationCall] = field(default_factory=list)
    raised: list[ApplicationError] = field(default_factory=list)

    def target_of(self, path: str, query: bytes) -> bytes:
        """Return path and query as they reached the application, percent-encoded."""
        if path == self.path and query == self.query:
            return self.target
        raw = quote(path).encode("ascii")
        return raw + b"?" + query if query else raw

    def fail(self) -> ApplicationError:
        """Return the exception to raise, and remember it: only this very object counts."""
        error = ApplicationError("raised by the origin app, as scripted")
        self.raised.append(error)
        return error

    def caused(self, error: BaseException) -> bool:
        """Whether `error` is what the origin app raised, is caused by it or is a group with it."""
        if any(error is own for own in self.raised):
            return True
        if isinstance(error, BaseExceptionGroup):
            return any(self.caused(part) for part in error.exceptions)
        return error.__cause__ is not None and self.caused(error.__cause__)


class ASGIOrigin:
    """The origin app as an ASGI application; `script` is replaced for each exchange."""

    def __init__(self) -> None:
        """Start with the default script."""
        self.script = Script()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer `http` as scripted and `lifespan` as the protocol asks; refuse the rest."""
        if scope["type"] == "lifespan":
            return await _lifespan(receive, send)
        if scope["type"] != "http":
            message = f"the origin app serves no scope of type {scope['type']!r}"
            raise ValueError(message)
        script = self.script
        response = script.response
        script.calls.append(
            ApplicationCall(
                method=scope["method"].encode("latin-1"),
                target=script.target_of(scope["path"], scope.get("query_string", b"")),
                headers=tuple([(name, value) for name, value in scope["headers"]]),
                body=await _body(receive),
            )
        )
        if response.raises == "before start":
            raise script.fail()
        headers = list(response.headers)
        await send({"type": "http.response.start", "status": response.status, "headers": headers})
        broken = response.raises == "after start"
        for chunk in response.body[:1] if broken else response.body[:-1]:
            await send({"type": "http.response.body", "body": chunk, "more_body": True})
        if broken:
            raise script.fail()
        rest = response.body[-1] if response.body else b""
        await send({"type": "http.response.body", "body": rest, "more_body": False})
        return None


async def _lifespan(receive: Receive, send: Send) -> None:
    for phase in ("startup", "shutdown"):
        await receive()
        await send({"type": f"lifespan.{phase}.complete"})


async def _body(receive: Receive) -> bytes:
    message = await receive()
    body: bytes = message.get("body", b"")
    while message.get("more_body", False):
        message = await receive()
        body += message.get("body", b"")
    return body


class WSGIOrigin:
    """The origin app as a WSGI application; `script` is replaced for each exchange."""

    def __init__(self) -> None:
        """Start with the default script."""
        self.script = Script()

    def __call__(self, environ: Environ, start_response: Callable[..., Any]) -> Iterator[bytes]:
        """Answer as scripted; the response starts when the call is made, not when it is read."""
        script = self.script
        response = script.response
        script.calls.append(_call_of(script, environ))
        if response.raises == "before start":
            raise script.fail()
        start_response(
            f"{response.status} scripted",
            [(name.decode("latin-1"), value.decode("latin-1")) for name, value in response.headers],
        )
        return _items(script)


def _items(script: Script) -> Iterator[bytes]:
    for chunk in script.response.body:
        yield chunk
        if script.response.raises == "after start":
            break
    if script.response.raises == "after start":
        raise script.fail()


def _call_of(script: Script, environ: Environ) -> ApplicationCall:
    headers = [
        (name[5:].replace("_", "-").lower().encode("latin-1"), value.encode("latin-1"))
        for name, value in environ.items()
        if name.startswith("HTTP_")
    ]
    headers += [
        (name.replace("_", "-").lower().encode("ascii"), environ[name].encode("latin-1"))
        for name in ("CONTENT_TYPE", "CONTENT_LENGTH")
        if environ.get(name)
    ]
    # PEP 3333 hands bytes over as latin-1 text.
    path = (environ.get("SCRIPT_NAME", "") + environ.get("PATH_INFO", "")).encode("latin-1")
    query = environ.get("QUERY_STRING", "").encode("latin-1")
    length = int(environ.get("CONTENT_LENGTH") or 0)
    return ApplicationCall(
        method=environ["REQUEST_METHOD"].encode("latin-1"),
        target=script.target_of(path.decode("utf-8", "replace"), query),
        headers=tuple(headers),
        body=environ["wsgi.input"].read(length),
    )
