"""The shell for WSGI (https://peps.python.org/pep-3333/), whose strings are bytes in Latin-1."""

from __future__ import annotations  # An inner function has its own made at each call.

from collections.abc import Callable, Iterable
from types import TracebackType
from wsgiref.types import StartResponse, WSGIApplication, WSGIEnvironment

from cors_reference.core import Header, Policy

Lines = list[tuple[str, str]]
Write = Callable[[bytes], object]
ExcInfo = tuple[type[BaseException], BaseException, TracebackType] | tuple[None, None, None]
STATUS_LINES = {204: "204 No Content", 403: "403 Forbidden"}


class WSGICORSMiddleware(Policy[WSGIApplication]):
    """A WSGI application, and the pages that it shares its responses with."""

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        """Answer a preflight; leave everything else to the application."""
        origin = get(environ, "HTTP_ORIGIN")
        method = get(environ, "HTTP_ACCESS_CONTROL_REQUEST_METHOD")
        if environ["REQUEST_METHOD"] == "OPTIONS" and origin is not None and method is not None:
            names = get(environ, "HTTP_ACCESS_CONTROL_REQUEST_HEADERS") or b""
            status, lines, body = self.answer(origin, method, names)
            start_response(STATUS_LINES[status], decode(lines))
            return [body]

        def share(status: str, headers: Lines, exc_info: ExcInfo | None = None, /) -> Write:
            own = [(name.encode("latin-1"), value.encode("latin-1")) for name, value in headers]
            return start_response(status, decode(self.share(origin, own)), exc_info)

        return self.app(environ, share)


def get(environ: WSGIEnvironment, key: str) -> bytes | None:
    """Return a header's value; servers join lines by commas, so that two origins make none."""
    return environ[key].encode("latin-1") if key in environ else None


def decode(lines: list[Header]) -> Lines:
    """Return header lines as WSGI writes them."""
    return [(name.decode("latin-1"), value.decode("latin-1")) for name, value in lines]
