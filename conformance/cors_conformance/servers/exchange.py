"""One HTTP request through an ASGI application: what it may receive, and what it sends."""

import asyncio
from typing import Final, TypeAlias

from cors_conformance.fetch.http import HeaderLines, HTTPRequest, HTTPResponse
from cors_conformance.servers.address import Address
from cors_conformance.servers.origin import Message, Scope
from cors_conformance.servers.response import Malformed, framed, line_of, status_of
from cors_conformance.servers.text import describe_error, describe_value

_Waiting: TypeAlias = list[asyncio.Future[None]]

# The protocol's version, and the version of its HTTP part that the usual servers speak.
_ASGI: Final = {"version": "3.0", "spec_version": "2.3"}
# https://www.rfc-editor.org/rfc/rfc5737: an address for documentation.
_CLIENT: Final = ("192.0.2.1", 50000)


def http_scope(request: HTTPRequest, address: Address) -> Scope:
    """Return the connection scope of a request, as a server makes it from the bytes of HTTP/1.1.

    https://asgi.readthedocs.io/en/latest/specs/www.html#http-connection-scope
    """
    headers = [(name.lower(), value) for name, value in request.headers]
    names = [name for name, _ in headers]
    if b"host" not in names:
        headers.insert(0, (b"host", address.host_line))
    # A browser brings its own; without any, a real server would find no body.
    if request.body is not None and b"content-length" not in names:
        headers.append((b"content-length", b"%d" % len(request.body)))
    return {
        "type": "http",
        "asgi": _ASGI.copy(),
        "http_version": "1.1",
        "method": request.method.decode("latin-1"),
        "scheme": address.scheme,
        "path": address.path,
        "raw_path": address.raw_path,
        "query_string": address.query,
        "root_path": "",
        "headers": headers,
        "client": _CLIENT,
        "server": address.server,
    }


class Exchange:
    """The server's end of one call.

    Attributes:
        response: the response, once it has come to its end.
        failure: the first thing that was wrong with what was sent; what follows is ignored.

    """

    __slots__ = (
        "_body",
        "_chunks",
        "_lines",
        "_method",
        "_status",
        "_waiting",
        "failure",
        "response",
    )

    def __init__(self, request: HTTPRequest) -> None:
        """Begin with nothing sent."""
        self._method = request.method
        self._body: bytes | None = request.body or b""
        self._status: int | None = None
        self._lines: HeaderLines = ()
        self._chunks: list[bytes] = []
        self._waiting: _Waiting | None = None
        self.response: HTTPResponse | None = None
        self.failure: str | None = None

    async def receive(self) -> Message:
        """Give the body in one message; after it, wait for the end of the response."""
        body = self._body
        if body is not None:
            self._body = None
            return {"type": "http.request", "body": body, "more_body": False}
        if self.response is None and self.failure is None:
            future = asyncio.get_running_loop().create_future()
            self._waiting = [*(self._waiting or ()), future]
            await future
        return {"type": "http.disconnect"}

    async def send(self, message: Message) -> None:
        """Take a message apart at once, since its sender may change it afterwards."""
        if self.failure is None:
            try:
                self._take(message)
            except Malformed as problem:
                self.failure = f"malformed response: {problem}"
            except Exception as error:  # noqa: BLE001 - a message of any other shape
                what = describe_value(message)
                self.failure = f"malformed ASGI message: {what} ({describe_error(error)})"
        if self._waiting is not None and (self.response is not None or self.failure is not None):
            for future in self._waiting:
                future.set_result(None)
            self._waiting = None

    def _take(self, message: Message) -> None:
        kind = message["type"]
        if kind == "http.response.body" and self._status is not None and self.response is None:
            chunk = message.get("body", b"")
            if not isinstance(chunk, bytes):
                problem = f"its body has {describe_value(chunk)}, which is not bytes"
                raise Malformed(problem)
            self._chunks.append(chunk)
            if not message.get("more_body", False):
                self.response = framed(self._method, self._status, self._lines, self._chunks)
        elif kind == "http.response.start" and self._status is None:
            lines = [line_of(name, value) for name, value in message.get("headers", ())]
            self._status, self._lines = status_of(message["status"]), tuple(lines)
        else:
            raise Malformed(self._misplaced(kind))

    def _misplaced(self, kind: object) -> str:
        if kind not in {"http.response.start", "http.response.body"}:
            return f"{describe_value(kind)} is no message that the server offered to take"
        if self._status is None:
            return "its body was sent before its start"
        if self.response is None:
            return "it was started twice"
        return f"{kind} was sent after its end"

    def missing(self) -> str:
        """Say what is missing of a response that did not come to its end."""
        part = "a response" if self._status is None else "the end of its response"
        return f"the application returned without {part}"
