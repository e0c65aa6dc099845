"""Mutants of the shell for WSGI."""

# ruff: noqa: D102 - a mutant overrides what its base documents

from collections.abc import Iterable, Iterator
from typing import Any, Final
from wsgiref.types import StartResponse, WSGIEnvironment

from cors_conformance.mutants.base import Chapter, WSGICORSMiddleware

CALLED: Final = Chapter()

_LATE: Final = "pages wait for the end of a stream that should come piece by piece"
_OPEN: Final = "files and connections of the application stay open until there are no more"
_ERROR: Final = "pages get an error that the server makes, which they cannot read"


@CALLED.add(
    "WSGI",
    "tr-wsgi-items",
    copies="middlewares that make responses anew (webob, werkzeug: from_app, buffered)",
    consequence=_LATE,
)
class ItemsJoined(WSGICORSMiddleware):
    """The body is sent when it is complete."""

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        items = super().__call__(environ, start_response)
        try:
            return [b"".join(items)]
        finally:
            _close(items)


@CALLED.add(
    "WSGI",
    "tr-wsgi-items",
    copies="middlewares that look one item ahead to know the last",
    consequence=_LATE,
)
class ItemHeldBack(WSGICORSMiddleware):
    """Each item is sent when the next one is there."""

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        items = super().__call__(environ, start_response)
        held = b""
        try:
            for item in items:
                if held:
                    yield held
                held = item
            yield held
        finally:
            _close(items)


@CALLED.add(
    "WSGI",
    "tr-wsgi-items",
    copies="middlewares that call start_response themselves, when the application has returned",
    consequence=_ERROR,
)
class StartedBeforeTheFirstItem(WSGICORSMiddleware):
    """The response is started when the application returns, whether it has started it or not."""

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        started: list[Any] = []

        def remember(status: str, headers: Any, exc_info: Any = None, /) -> Any:  # noqa: ANN401 - as it comes
            started[:] = [status, headers]
            return start_response(status, headers, exc_info) if exc_info else written.append

        written: list[bytes] = []
        items = super().__call__(environ, remember)
        start_response(*started)
        yield from written
        try:
            yield from items
        finally:
            _close(items)


@CALLED.add(
    "WSGI",
    "tr-wsgi-close",
    copies="middlewares with `for item in app(...): yield item`",
    consequence=_OPEN,
)
class ItemsLeftOpen(WSGICORSMiddleware):
    """The application's items are handed on by a generator, which does not close them."""

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterator[bytes]:
        items = super().__call__(environ, start_response)
        return (item for item in items)


@CALLED.add(
    "WSGI",
    "tr-wsgi-close",
    copies="middlewares that close behind a loop, and not in `finally`",
    consequence=_OPEN,
)
class ClosedAtTheEndOnly(WSGICORSMiddleware):
    """The application's items are closed when all were sent, and not when the client leaves."""

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterator[bytes]:
        items = super().__call__(environ, start_response)
        yield from map(bytes, items)
        _close(items)


@CALLED.add(
    "WSGI",
    "tr-wsgi-start-response",
    copies="middlewares whose start_response returns nothing",
    consequence=_ERROR,
)
class NothingToWriteWith(WSGICORSMiddleware):
    """What the application gets of `start_response` is no `write`."""

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        def start(*arguments: Any) -> Any:  # noqa: ANN401 - as they come
            start_response(*arguments)

        return super().__call__(environ, start)


@CALLED.add(
    "WSGI",
    "tr-wsgi-start-response",
    copies="middlewares whose start_response takes two arguments",
    consequence=_ERROR,
)
class TwoArgumentsOnly(WSGICORSMiddleware):
    """`exc_info` is not handed on."""

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        def start(status: str, headers: Any, _exc_info: Any = None, /) -> Any:  # noqa: ANN401 - as it comes
            return start_response(status, headers)

        return super().__call__(environ, start)


@CALLED.add(
    "WSGI",
    "tr-wsgi-environ",
    copies="middlewares that make the environment anew",
    consequence="what servers and other middlewares tell applications is lost",
)
class EnvironMadeAnew(WSGICORSMiddleware):
    """The application gets what HTTP and CGI know, and nothing of what others added."""

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        known = {key: item for key, item in environ.items() if key.isupper() or "wsgi." in key}
        return super().__call__(known, start_response)


def _close(items: Iterable[bytes]) -> None:
    close = getattr(items, "close", None)
    if close is not None:
        close()
