"""WSGI: what PEP 3333 asks of a middleware beside the bytes of its responses.

The application of each call does one thing that servers and applications may rely on. What a
framework between the middleware and the application makes of it is not the middleware's, and such
implementations are not judged.
"""

import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, Final, TypeAlias

from cors_conformance.application import ApplicationError
from cors_conformance.fetch.headers import get_all
from cors_conformance.fetch.http import HTTPRequest, HTTPResponse
from cors_conformance.fetch.steps import show
from cors_conformance.implementation import Capability
from cors_conformance.rules.asking import plain_grant
from cors_conformance.rules.base import Breach
from cors_conformance.rules.picking import is_picked
from cors_conformance.scenario import API, Batch
from cors_conformance.servers.address import address_of
from cors_conformance.servers.base import SECONDS
from cors_conformance.servers.origin import Environ
from cors_conformance.servers.start import wrapped
from cors_conformance.servers.text import describe_error, describe_value
from cors_conformance.servers.time_limit import TimeLimit
from cors_conformance.servers.wsgi import Exchange, WSGIApplication, environ_of
from cors_conformance.world import World

StartResponse: TypeAlias = Callable[..., Any]

_STATUS: Final = "299 As The Application Says"
_LINES: Final = (("Content-Type", "text/plain"), ("X-Of-The-Application", "1"))
_CHUNKS: Final = (b"one ", b"two ", b"three")
_FAILED: Final = "500 The Application Failed"
_OWN_KEY: Final = "x_conformance.own"
_ORIGIN: Final = b"access-control-allow-origin"


@dataclass(slots=True)
class _Called:
    """What came of one call.

    Attributes:
        given: the environment as the server made it.
        status_line: what `start_response` was called with last.
        taken: the items that the server has taken so far.
        response: what the server would send; `None` where it got none, or not all of it.
        error: the exception that left the middleware.

    """

    given: Environ
    status_line: str = ""
    taken: list[bytes] = field(default_factory=list)
    response: HTTPResponse | None = None
    error: BaseException | None = None


@dataclass(slots=True)
class _Application:
    """The usual application of a call; others differ from it in one thing.

    Attributes:
        seen: the environment that reached it; `None` if it was not called.
        counts: how many items the server had taken whenever an item was asked for.
        closed: whether its items were closed.

    """

    called: _Called
    seen: Environ | None = None
    counts: list[int] = field(default_factory=list)
    closed: bool = False

    def __call__(self, environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
        self.seen = dict(environ)
        return self.serve(start_response)

    def serve(self, start_response: StartResponse) -> Iterable[bytes]:
        start_response(_STATUS, [*_LINES])
        return _Items(self)


@dataclass(slots=True)
class _Items:
    """The items of a body, which note when they are asked for, and that they are closed."""

    application: _Application
    left: list[bytes] = field(default_factory=lambda: [*_CHUNKS])

    def __iter__(self) -> Iterator[bytes]:
        return self

    def __next__(self) -> bytes:
        self.application.counts.append(len(self.application.called.taken))
        if not self.left:
            raise StopIteration
        return self.left.pop(0)

    def close(self) -> None:
        self.application.closed = True


class _LateStart(_Application):
    """Starts its response when its first item is asked for, as generators do."""

    def serve(self, start_response: StartResponse) -> Iterable[bytes]:
        start_response(_STATUS, [*_LINES])
        yield from _CHUNKS


class _Writing(_Application):
    """Writes its first item."""

    def serve(self, start_response: StartResponse) -> Iterable[bytes]:
        start_response(_STATUS, [*_LINES])(_CHUNKS[0])
        return [*_CHUNKS[1:]]


class _Failing(_Application):
    """Fails, and says so while nothing is sent."""

    def serve(self, start_response: StartResponse) -> Iterable[bytes]:
        start_response(_STATUS, [*_LINES])
        try:
            raise _failure()
        except ApplicationError:
            start_response(_FAILED, [*_LINES], sys.exc_info())
        return [*_CHUNKS]


class _FailingLate(_Application):
    """Fails when a part has been sent, and tells the server, which raises the exception again."""

    def serve(self, start_response: StartResponse) -> Iterable[bytes]:
        start_response(_STATUS, [*_LINES])
        return self._items(start_response)

    def _items(self, start_response: StartResponse) -> Iterator[bytes]:
        yield _CHUNKS[0]
        self.counts.append(len(self.called.taken))
        try:
            raise _failure()
        except ApplicationError:
            start_response(_FAILED, [*_LINES], sys.exc_info())
        yield _CHUNKS[1]


class _Raising(_Application):
    """Raises an exception in place of a response."""

    def serve(self, start_response: StartResponse) -> Iterable[bytes]:  # noqa: ARG002 - it is not needed
        raise _failure()


def _failure() -> ApplicationError:
    return ApplicationError("raised by the origin app, as scripted")


def _call(
    world: World, kind: type[_Application], *, is_cors: bool, leave: bool = False
) -> tuple[_Application, _Called]:
    """Call the middleware around an application; leave after the first item if asked to."""
    origin, method = plain_grant(world) if is_cors else (None, None)
    lines = () if origin is None else ((b"origin", origin.encode("latin-1")),)
    request = HTTPRequest(method=(method or b"GET"), url=f"{API}/path?x=1", headers=lines)
    environ = environ_of(request, address_of(request.url)) | {_OWN_KEY: "kept"}
    called = _Called(given=dict(environ))
    application = kind(called)
    app = wrapped(world.implementation, application, world.policy)
    exchange = Exchange(request.method)
    try:
        with TimeLimit(SECONDS):
            _serve(app, environ, exchange, called, leave=leave)
    except KeyboardInterrupt:
        raise
    except BaseException as error:  # noqa: BLE001 - whatever leaves a middleware
        called.error = error
    return application, called


def _serve(
    app: WSGIApplication, environ: Environ, exchange: Exchange, called: _Called, *, leave: bool
) -> None:
    def start_response(status: str, headers: object, exc_info: Any = None) -> Any:  # noqa: ANN401 - as servers have it
        called.status_line = status
        return exchange.start_response(status, headers, exc_info)

    items: Any = app(environ, start_response)
    try:
        for item in items:
            exchange.write(item)
            called.taken.append(item)
            if leave:
                return
        called.response = exchange.finish()
    finally:
        if hasattr(items, "close"):
            items.close()


def _is_judged(world: World, batch: Batch) -> bool:
    return is_picked(world, batch) and not is_behind_framework(world)


def is_behind_framework(world: World) -> bool:
    """Whether a framework stands before the application, or nothing gets there."""
    if not world.can(Capability.WSGI):
        return True
    application, called = _call(world, _Application, is_cors=False)
    if application.seen is None or not application.seen.keys() <= called.given.keys():
        return True
    # Frameworks write status lines anew, and make responses of exceptions.
    _, raising = _call(world, _Raising, is_cors=False)
    return called.status_line != _STATUS or not _is_own(raising.error)


def _calls(
    world: World, batch: Batch, kind: type[_Application]
) -> Iterator[tuple[bool, _Application, _Called]]:
    """Call it for a page and for no page, if the batch is judged; give what reaches it."""
    if not _is_judged(world, batch):
        return
    for is_cors in (True, False):
        application, called = _call(world, kind, is_cors=is_cors)
        if application.seen is not None:
            yield is_cors, application, called


def _is_own(error: BaseException | None) -> bool:
    """Whether an exception is the application's, or caused by it."""
    return isinstance(error, ApplicationError) or (error is not None and _is_own(error.__cause__))


def _told(called: _Called) -> str:
    if called.error is not None:
        return f"an exception came out: {describe_error(called.error)}"
    if called.response is None:
        return "no response came"
    return f"{called.response.status} with {show(called.response.body)} came"


def _require_response(
    what: str, called: _Called, status: str, chunks: Sequence[bytes] = _CHUNKS
) -> None:
    response, body = called.response, b"".join(chunks)
    if response is None or (response.status, response.body) != (int(status[:3]), body):
        message = f"{what} answered {status[:3]} with {show(body)}, and {_told(called)}"
        raise Breach(message)
    for name, value in _LINES:
        expected, found = value.encode(), get_all(response.headers, name.encode().lower())
        if found != [expected]:
            message = (
                f"{what} has {name}: {show(expected)}, and the response has"
                f" {show(b' | '.join(found) or None)}"
            )
            raise Breach(message)


def _require_as_shared(world: World, what: str, called: _Called, *, is_cors: bool) -> None:
    """Hold that the response is shared as the usual one is."""
    _, usual = _call(world, _Application, is_cors=is_cors)
    if usual.response is None or called.response is None:
        return
    expected = get_all(usual.response.headers, _ORIGIN)
    found = get_all(called.response.headers, _ORIGIN)
    if found != expected:
        message = (
            f"{what} got Access-Control-Allow-Origin: {show(b' | '.join(found) or None)}, and any"
            f" other gets {show(b' | '.join(expected) or None)}"
        )
        raise Breach(message)


def wsgi_items(world: World, batch: Batch) -> bool:
    """Hold that items of a body pass one by one, and that a response may start with the first."""
    judged = False
    for is_cors, application, called in _calls(world, batch, _Application):
        judged = True
        _require_response("an application of three items", called, _STATUS)
        for index, count in enumerate(application.counts[: len(_CHUNKS)]):
            if count < index:
                message = (
                    f"item {index + 1} of the body was asked for when the server had {count}:"
                    " items are held back"
                )
                raise Breach(message)
        _, late = _call(world, _LateStart, is_cors=is_cors)
        what = "an application that starts its response with the first item"
        _require_response(what, late, _STATUS)
        _require_as_shared(world, what, late, is_cors=is_cors)
    return judged


def wsgi_close(world: World, batch: Batch) -> bool:
    """Hold that the application's items are closed, also when the client leaves."""
    if not _is_judged(world, batch):
        return False
    judged = False
    for is_cors in (True, False):
        for leave, when in ((False, "at the end of the response"), (True, "when the client left")):
            application, called = _call(world, _Application, is_cors=is_cors, leave=leave)
            if application.seen is None or called.error is not None:
                continue
            judged = True
            if not application.closed:
                message = f"the close() of the application's items was not called {when}"
                raise Breach(message)
    return judged


def wsgi_start_response(world: World, batch: Batch) -> bool:
    """Hold that an application can write, and start again with `exc_info`."""
    judged = False
    for is_cors, _, writing in _calls(world, batch, _Writing):
        judged = True
        what = "an application that writes the first part of its body"
        _require_response(what, writing, _STATUS)
        _require_as_shared(world, what, writing, is_cors=is_cors)
        _, failing = _call(world, _Failing, is_cors=is_cors)
        what = "an application that starts its response again, with exc_info,"
        _require_response(what, failing, _FAILED)
        _require_as_shared(world, what, failing, is_cors=is_cors)
        application, late = _call(world, _FailingLate, is_cors=is_cors)
        # Where nothing was sent yet, since items are held back, it may start again.
        if any(application.counts) and not _is_own(late.error):
            message = (
                "an application that fails in the middle of its body, and calls start_response"
                f" with exc_info, gets its exception raised by the server; here {_told(late)}"
            )
            raise Breach(message)
    return judged


def wsgi_environ(world: World, batch: Batch) -> bool:
    """Hold that the environment arrives."""
    judged = False
    for _, application, called in _calls(world, batch, _Application):
        judged = True
        seen = application.seen or {}
        for key, value in called.given.items():
            # Streams may be wrapped.
            is_kept = key in seen and (key.startswith("wsgi.") or seen[key] == value)
            if not is_kept:
                found = describe_value(seen[key]) if key in seen else "nothing"
                message = (
                    f"the environment's {key!r}, {describe_value(value)}, reached the application"
                    f" as {found}"
                )
                raise Breach(message)
    return judged
