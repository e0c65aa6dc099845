"""WSGI applications, called in process: https://peps.python.org/pep-3333/."""

import io
import sys
from collections.abc import Callable, Iterable
from types import TracebackType
from typing import Any, Final, TypeAlias

from cors_conformance.application import ApplicationResponse
from cors_conformance.fetch.http import HeaderLines, HTTPRequest, HTTPResponse
from cors_conformance.servers.address import Address, address_of
from cors_conformance.servers.base import SECONDS, HarnessError, Reply, Server
from cors_conformance.servers.origin import Environ, Script, WSGIOrigin
from cors_conformance.servers.response import Malformed, framed, line_of, status_of
from cors_conformance.servers.text import describe_error, describe_value
from cors_conformance.servers.time_limit import TimeIsUp, TimeLimit

WSGIApplication: TypeAlias = Callable[..., Iterable[bytes]]

# The two that have no prefix, and need none: CGI/1.1, RFC 3875, section 4.1.
_BARE: Final = frozenset({"CONTENT_TYPE", "CONTENT_LENGTH"})


def environ_of(request: HTTPRequest, address: Address) -> Environ:
    """Return the environment of a request, as a server makes it from the bytes of HTTP/1.1."""
    environ: Environ = {
        "REQUEST_METHOD": request.method.decode("latin-1"),
        "SCRIPT_NAME": "",
        # Bytes, disguised as text.
        "PATH_INFO": address.path.encode().decode("latin-1"),
        "QUERY_STRING": address.query.decode("latin-1"),
        "SERVER_NAME": address.server[0],
        "SERVER_PORT": str(address.server[1]),
        "SERVER_PROTOCOL": "HTTP/1.1",
        "REMOTE_ADDR": "192.0.2.1",
        "wsgi.version": (1, 0),
        "wsgi.url_scheme": address.scheme,
        "wsgi.input": io.BytesIO(request.body or b""),
        "wsgi.errors": sys.stderr,
        "wsgi.multithread": False,
        "wsgi.multiprocess": False,
        "wsgi.run_once": False,
    }
    for name, value in request.headers:
        key = name.decode("latin-1").upper().replace("-", "_")
        if key not in _BARE:
            key = f"HTTP_{key}"
        text = value.decode("latin-1")
        # A dictionary has no room for repetitions; servers join them.
        environ[key] = f"{environ[key]},{text}" if key in environ else text
    environ.setdefault("HTTP_HOST", address.host_line.decode("latin-1"))
    if request.body is not None:
        environ.setdefault("CONTENT_LENGTH", str(len(request.body)))
    return environ


class Exchange:
    """The server's end of one call: `start_response`, `write` and the items of the body."""

    def __init__(self, method: bytes) -> None:
        self._method = method
        self._status: int | None = None
        self._lines: HeaderLines = ()
        self._chunks: list[bytes] = []

    def start_response(
        self,
        status: object,
        headers: object,
        exc_info: tuple[type[BaseException], BaseException, TracebackType] | None = None,
    ) -> Callable[[bytes], None]:
        """Take status and headers; with `exc_info` also again, as long as nothing was sent."""
        if exc_info is not None and any(self._chunks):
            raise exc_info[1].with_traceback(exc_info[2])
        if exc_info is None and self._status is not None:
            message = "start_response was called twice, the second time without exc_info"
            raise Malformed(message)
        self._status, self._lines = _status_of(status), _lines_of(headers)
        return self.write

    def write(self, chunk: object) -> None:
        """Take a piece of the body."""
        if not isinstance(chunk, bytes):
            message = f"its body has {describe_value(chunk)}, which is not bytes"
            raise Malformed(message)
        if chunk and self._status is None:
            message = "its body was sent before start_response was called"
            raise Malformed(message)
        self._chunks.append(chunk)

    def finish(self) -> HTTPResponse:
        """Return the response, now that the body is at its end."""
        if self._status is None:
            message = "the application returned without having called start_response"
            raise Malformed(message)
        return framed(self._method, self._status, self._lines, self._chunks)


def _status_of(status: object) -> int:
    # "200 OK": three digits, one space, a reason.
    if type(status) is not str or not (status[:3].isdecimal() and status[3:4] == " "):
        message = f"its status is {describe_value(status)}, not a string such as '200 OK'"
        raise Malformed(message)
    return status_of(int(status[:3]))


def _lines_of(headers: object) -> HeaderLines:
    if type(headers) is not list:
        message = f"its headers are {describe_value(headers)}, not a list"
        raise Malformed(message)
    lines = []
    for pair in headers:
        if not (type(pair) is tuple and len(pair) == 2 and type(pair[0]) is type(pair[1]) is str):  # noqa: PLR2004
            message = f"its headers have {describe_value(pair)}, not a tuple of two strings"
            raise Malformed(message)
        try:
            lines.append(line_of(pair[0].encode("latin-1"), pair[1].encode("latin-1")))
        except UnicodeEncodeError:
            message = f"its header {describe_value(pair)} has characters beyond latin-1"
            raise Malformed(message) from None
    return tuple(lines)


class WSGIServer(Server):
    """A `Server` of a WSGI application."""

    def __init__(
        self, app: WSGIApplication, origin: WSGIOrigin, *, seconds: float = SECONDS
    ) -> None:
        """Take `app`, which has `origin` inside; a request may take so many seconds."""
        self._app = app
        self._origin = origin
        self._seconds = seconds

    def send(self, request: HTTPRequest, application: ApplicationResponse) -> Reply:
        """Send one request, with the origin app scripted to answer `application`.

        Raises:
            HarnessError: the request has no http or https URL.

        """
        try:
            address = address_of(request.url)
        except ValueError as error:
            raise HarnessError(describe_error(error)) from error
        script = Script(application, address.path, address.query, address.target)
        self._origin.script = script
        response: HTTPResponse | None = None
        failure: str | None = None
        raised = hung = False
        environ = environ_of(request, address)
        try:
            with TimeLimit(self._seconds):
                response = _respond(self._app, environ, Exchange(request.method))
        except KeyboardInterrupt:
            raise
        except TimeIsUp:
            failure = f"it did not end within {self._seconds:g} s"
            hung = True
        except Malformed as problem:
            failure = f"malformed response: {problem}"
        except BaseException as error:  # noqa: BLE001 - `SystemExit` would end a server, not us
            failure = describe_error(error)
            raised = script.caused(error)
        return Reply(
            response=response,
            failure=failure,
            hung=hung,
            application_raised=raised,
            calls=tuple(script.calls),
        )

    def close(self) -> None:
        """Do nothing: nothing is held."""


def _respond(app: WSGIApplication, environ: Environ, exchange: Exchange) -> HTTPResponse:
    items: Any = app(environ, exchange.start_response)
    try:
        for chunk in items:
            exchange.write(chunk)
        return exchange.finish()
    finally:
        # Also where the iteration failed: it may hold files.
        if hasattr(items, "close"):
            items.close()
