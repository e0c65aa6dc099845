"""An HTTP/1.1 server that shows each byte of a request's head and writes what it is given.

No framework: they normalise. It keeps connections open, reads bodies by `Content-Length` only,
which is all that browsers send here, and listens on the loopback interface only.
"""

import asyncio
import socket
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from functools import partial
from typing import Final, TypeAlias

from cors_conformance.fetch.http import HeaderLines

LARGEST_HEAD: Final = 1 << 20


@dataclass(frozen=True, slots=True, kw_only=True)
class WireRequest:
    """A request as it arrived on `port`; `headers` are its lines in their order."""

    port: int
    method: bytes
    target: bytes
    headers: HeaderLines
    body: bytes

    def value(self, name: bytes) -> bytes | None:
        """Return the value of the first line with that lower-case name."""
        return next((value for key, value in self.headers if key.lower() == name), None)


Handler: TypeAlias = Callable[[WireRequest], "bytes | Awaitable[bytes]"]
"""Gives the bytes of the response; an awaitable holds the connection until it is done."""


def response_bytes(status: int, headers: HeaderLines, body: bytes = b"") -> bytes:
    """Write a response, byte by byte as given."""
    head = b"".join(name + b": " + value + b"\r\n" for name, value in headers)
    return b"HTTP/1.1 %d Said So\r\n" % status + head + b"\r\n" + body


class Connection(asyncio.Protocol):
    """One connection; requests are answered one after the other."""

    def __init__(self, port: int, handler: Handler) -> None:
        """Serve a connection to `port`."""
        self._port = port
        self._handler = handler
        self._unread = b""
        self._transport: asyncio.Transport | None = None
        self._pending: asyncio.Future[bytes] | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Remember where to write."""
        assert isinstance(transport, asyncio.Transport)  # noqa: S101 - for the type checker
        self._transport = transport

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002 - the interface's
        """Forget who waits."""
        self._transport = None
        if self._pending is not None:
            self._pending.cancel()

    def abort(self) -> None:
        """Close the connection."""
        if self._transport is not None:
            self._transport.abort()

    def data_received(self, data: bytes) -> None:
        """Answer every request that is complete."""
        self._unread += data
        self._go_on()

    def _go_on(self) -> None:
        while self._pending is None and self._transport is not None:
            request = self._take()
            if request is None:
                return
            answer = self._handler(request)
            if isinstance(answer, bytes):
                self._write(request, answer)
                continue
            self._pending = asyncio.ensure_future(answer)
            self._pending.add_done_callback(partial(self._done, request))

    def _done(self, request: WireRequest, done: "asyncio.Future[bytes]") -> None:
        self._pending = None
        if not done.cancelled() and self._transport is not None:
            self._write(request, done.result())
            self._go_on()

    def _write(self, request: WireRequest, answer: bytes) -> None:
        assert self._transport is not None  # noqa: S101 - for the type checker
        if request.method == b"HEAD":
            answer = answer[: answer.index(b"\r\n\r\n") + 4]
        self._transport.write(answer)

    def _take(self) -> WireRequest | None:
        """Take one request from what has come; `None` where it is not all there."""
        end = self._unread.find(b"\r\n\r\n")
        if end < 0:
            if len(self._unread) > LARGEST_HEAD and self._transport is not None:
                self._transport.abort()
            return None
        first, *rest = self._unread[:end].split(b"\r\n")
        method, _, target = first.partition(b" ")
        headers: list[tuple[bytes, bytes]] = []
        length = 0
        for line in rest:
            name, _, value = line.partition(b":")
            headers.append((name, value.strip(b" \t")))
            if name.lower() == b"content-length":
                length = int(value)
        stop = end + 4 + length
        if len(self._unread) < stop:
            return None
        body = self._unread[end + 4 : stop]
        self._unread = self._unread[stop:]
        return WireRequest(
            port=self._port,
            method=method,
            target=target.rpartition(b" ")[0],
            headers=tuple(headers),
            body=body,
        )


def listen() -> tuple[int, tuple[socket.socket, ...]]:
    """Bind one free port on both loopback addresses, as far as the machine has both."""
    first = socket.create_server(("127.0.0.1", 0), backlog=256)
    port: int = first.getsockname()[1]
    try:
        second = socket.create_server(("::1", port), family=socket.AF_INET6, backlog=256)
    except OSError:
        return port, (first,)
    return port, (first, second)
