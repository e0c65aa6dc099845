"""Servers that run already, over HTTP/1.1 and a socket: https://www.rfc-editor.org/rfc/rfc9112."""

import socket
import time
from typing import Final, Self

import h11

from cors_conformance.application import ApplicationResponse
from cors_conformance.fetch.http import HTTPRequest, HTTPResponse
from cors_conformance.servers.address import Address, address_of
from cors_conformance.servers.base import SECONDS, HarnessError, Reply, Server, ServerDied
from cors_conformance.servers.text import describe_error, describe_value

LOOPBACK: Final = "127.0.0.1"
"""The only address that is ever connected to: hostile requests are for one's own machine."""

LARGEST_HEAD: Final = 4 << 20
"""Bytes of a response's head: an echo of the largest request fits, an endless one does not."""

_CHUNK: Final = 1 << 16
# The line breaks that would end a line of ours, and the byte that no parser takes.
_UNSENDABLE: Final = (b"\r", b"\n", b"\x00")


class NoResponse(Exception):
    """No well-formed response came: the connection broke, or the bytes are no HTTP."""


class Refused(NoResponse):
    """Nobody listens there."""


class TimedOut(NoResponse):
    """No response came in time."""


class _Reused(Exception):
    """A connection that was kept had been closed by the server meanwhile, as servers may."""


def request_bytes(request: HTTPRequest, address: Address) -> bytes:
    """Return the request as it goes over the wire.

    The head is written here and not by h11, which refuses what hostile requests are made of.

    Raises:
        HarnessError: a part has CR, LF or NUL, which would make it another request.

    """
    lines = list(request.headers)
    names = [name.lower() for name, _ in lines]
    if b"host" not in names:
        lines.insert(0, (b"Host", address.host_line))
    if request.body is not None and b"content-length" not in names:
        lines.append((b"Content-Length", b"%d" % len(request.body)))
    head = [request.method + b" " + address.target + b" HTTP/1.1"]
    head += [name + b": " + value for name, value in lines]
    for line in head:
        if any(byte in line for byte in _UNSENDABLE):
            message = f"{describe_value(line)} has CR, LF or NUL and cannot be sent as one line"
            raise HarnessError(message)
    return b"\r\n".join(head) + b"\r\n\r\n" + (request.body or b"")


class HTTPClient:
    """A client with one connection, kept alive as long as the server likes."""

    def __init__(self, port: int, *, seconds: float = SECONDS) -> None:
        """Take the port of a server on this machine; nothing is sent yet."""
        self._port = port
        self._seconds = seconds
        self._socket: socket.socket | None = None
        self._h11 = h11.Connection(h11.CLIENT, max_incomplete_event_size=LARGEST_HEAD)

    def exchange(self, request: HTTPRequest) -> HTTPResponse:
        """Send a request and return its response.

        Raises:
            NoResponse: none came.
            HarnessError: the request cannot be sent.

        """
        try:
            address = address_of(request.url)
        except ValueError as error:
            raise HarnessError(describe_error(error)) from error
        data = request_bytes(request, address)
        deadline = time.monotonic() + self._seconds
        try:
            try:
                return self._attempt(request.method, data, deadline)
            except _Reused:
                return self._attempt(request.method, data, deadline)
        except BaseException:
            self.close()
            raise

    def _attempt(self, method: bytes, data: bytes, deadline: float) -> HTTPResponse:
        reused = self._socket is not None
        try:
            connection = self._connected(deadline)
            # Only what decides the framing of the response matters to h11 here.
            known = method if method in {b"HEAD", b"CONNECT"} else b"GET"
            self._h11.send(h11.Request(method=known, target=b"/", headers=[(b"Host", b"-")]))
            self._h11.send(h11.EndOfMessage())
            connection.settimeout(_left(deadline))
            self._send(connection, data)
            return self._read(connection, deadline, reused=reused)
        except TimeoutError as error:
            message = f"no response within {self._seconds:g} s"
            raise TimedOut(message) from error
        except h11.RemoteProtocolError as error:
            message = f"the response is no HTTP: {describe_error(error)}"
            raise NoResponse(message) from error
        except OSError as error:
            if reused and not isinstance(error, ConnectionRefusedError):
                self.close()
                raise _Reused from error
            message = f"the connection broke: {describe_error(error)}"
            kind = Refused if isinstance(error, ConnectionRefusedError) else NoResponse
            raise kind(message) from error

    def _connected(self, deadline: float) -> socket.socket:
        if self._socket is None:
            self._socket = socket.create_connection((LOOPBACK, self._port), _left(deadline))
            self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            self._h11 = h11.Connection(h11.CLIENT, max_incomplete_event_size=LARGEST_HEAD)
        else:
            self._h11.start_next_cycle()
        return self._socket

    @staticmethod
    def _send(connection: socket.socket, data: bytes) -> None:
        try:
            connection.sendall(data)
        except TimeoutError:
            raise
        except OSError:
            # A server may have answered, and closed, before it has read all: reading will tell.
            return

    def _read(self, connection: socket.socket, deadline: float, *, reused: bool) -> HTTPResponse:
        head: h11.Response | None = None
        body = bytearray()
        fresh = True
        while True:
            event = self._h11.next_event()
            if event is h11.NEED_DATA:
                connection.settimeout(_left(deadline))
                data = connection.recv(_CHUNK)
                if not data and fresh and reused:
                    raise ConnectionResetError
                if not data and fresh:
                    message = "the connection was closed without a response"
                    raise NoResponse(message)
                fresh = False
                self._h11.receive_data(data)
            elif isinstance(event, h11.Response):
                head = event
            elif isinstance(event, h11.Data):
                body += event.data
            elif isinstance(event, h11.EndOfMessage) and head is not None:
                break
            elif not isinstance(event, h11.InformationalResponse):  # paused, or closed
                message = f"the response ended with {type(event).__name__}"
                raise NoResponse(message)
        if self._h11.our_state is not h11.DONE or self._h11.their_state is not h11.DONE:
            self.close()
        headers = tuple([(bytes(name), bytes(value)) for name, value in head.headers.raw_items()])
        return HTTPResponse(status=head.status_code, headers=headers, body=bytes(body))

    def again(self) -> Self:
        """Return another client of the same server."""
        return type(self)(self._port, seconds=self._seconds)

    def close(self) -> None:
        """Close the connection."""
        if self._socket is not None:
            self._socket.close()
            self._socket = None


def _left(deadline: float) -> float:
    left = deadline - time.monotonic()
    if left <= 0:
        raise TimeoutError
    return left


class HTTPServer(Server):
    """A `Server` that somebody else started on this machine; its application is not scripted."""

    def __init__(self, port: int, *, seconds: float = SECONDS) -> None:
        """Take the port on the loopback address."""
        self._client = HTTPClient(port, seconds=seconds)

    def send(self, request: HTTPRequest, application: ApplicationResponse) -> Reply:  # noqa: ARG002 - nobody could be told
        """Send one request; what `application` says reaches nobody.

        Raises:
            HarnessError: the request cannot be sent over HTTP/1.1.
            ServerDied: nobody listens there any more.

        """
        try:
            return Reply(response=self._client.exchange(request))
        except Refused as error:
            raise ServerDied(str(error)) from error
        except NoResponse as error:
            return Reply(response=None, failure=str(error))

    def connect(self) -> HTTPClient:
        """Return one more connection."""
        return self._client.again()

    def close(self) -> None:
        """Close the connection; the server is not ours to stop."""
        self._client.close()
