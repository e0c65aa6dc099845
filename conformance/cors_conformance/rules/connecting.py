"""Connecting: what a server says of a connection, or leaves out, decides over no page."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import replace
from typing import Any, Final

from cors_conformance.implementation import Application
from cors_conformance.policy import Policy
from cors_conformance.rules import watching, wsgi
from cors_conformance.rules.asking import plain_grant
from cors_conformance.rules.picking import is_picked
from cors_conformance.rules.relating import is_as_granted, require_same
from cors_conformance.scenario import Batch, Visit
from cors_conformance.servers.base import ConfigurationRefused, ServerDied
from cors_conformance.servers.origin import Environ, Receive, Scope, Send
from cors_conformance.world import World

_STRANGER: Final = "https://stranger.example"
_ERROR: Final = 400


def connection(world: World, batch: Batch) -> bool:
    """Let pages come over connections of other kinds."""
    wrap = world.implementation.wrap
    if wrap is None or not is_picked(world, batch):
        return False
    over = _OVER_ASGI if world.implementation.interface == "asgi" else _OVER_WSGI
    judged = False
    for change, connected in over.items():
        implementation = replace(world.implementation, wrap=_outside(wrap, connected))
        with World(implementation, world.policy) as other:
            other.log = world.log
            judged |= _fare_alike(world, other, change)
    return judged


def _outside(
    wrap: Callable[[Application, Policy], Application],
    connected: Callable[[Application], Application],
) -> Callable[[Application, Policy], Application]:
    return lambda app, policy: connected(wrap(app, policy))


def _fare_alike(world: World, other: World, change: str) -> bool:
    judged = False
    for visit in _visits(world):
        fetched = world.fetch(visit)
        if not is_as_granted(fetched):
            continue
        try:
            refetched = other.fetch(visit)
        except (ConfigurationRefused, ServerDied):
            return judged
        replies = [sent.reply.response for sent in refetched.sent]
        has_failed = any(reply is None or reply.status >= _ERROR for reply in replies)
        if has_failed and _is_behind_framework(world):
            continue  # what a framework needs to know is its own matter
        judged = True
        require_same(fetched, refetched, change)
    return judged


def _is_behind_framework(world: World) -> bool:
    if world.implementation.interface == "wsgi":
        return wsgi.is_behind_framework(world)
    return watching.is_behind_framework(world)


def _visits(world: World) -> Iterator[Visit]:
    origin, method = plain_grant(world)
    page = Visit(origin=origin or _STRANGER, method=b"GET")
    yield page
    yield replace(page, use_cors_preflight=True)
    yield replace(page, origin=_STRANGER)
    if method not in {None, b"GET"}:
        yield replace(page, method=method, body=b"page")


def _asgi(change: Callable[[Scope], Scope]) -> Callable[[Any], Any]:
    def connected(app: Any) -> Any:  # noqa: ANN401 - an ASGI application
        async def call(scope: Scope, receive: Receive, send: Send) -> None:
            await app(change(scope) if scope["type"] == "http" else scope, receive, send)

        return call

    return connected


def _wsgi(change: Callable[[Environ], Environ]) -> Callable[[Any], Any]:
    def connected(app: Any) -> Any:  # noqa: ANN401 - a WSGI application
        def call(environ: Environ, start_response: Callable[..., Any]) -> Iterable[bytes]:
            items: Iterable[bytes] = app(change(environ), start_response)
            return items

        return call

    return connected


def _old(scope: Scope) -> Scope:
    headers = [(name, value) for name, value in scope["headers"] if name != b"host"]
    return {**scope, "http_version": "1.0", "headers": headers}


def _without(items: Mapping[str, Any], *names: str) -> dict[str, Any]:
    return {name: item for name, item in items.items() if name not in names}


_OPTIONAL: Final = ("client", "server", "scheme", "root_path", "raw_path", "state", "extensions")

_OVER_ASGI: Final = {
    "over HTTP/1.0, without Host": _asgi(_old),
    "over HTTP/2": _asgi(lambda scope: {**scope, "http_version": "2"}),
    "over a socket that has no addresses": _asgi(
        lambda scope: {**scope, "client": None, "server": None}
    ),
    "from a server that leaves out what ASGI lets it": _asgi(
        lambda scope: _without(scope, *_OPTIONAL)
    ),
}
"""https://asgi.readthedocs.io/en/latest/specs/www.html#http-connection-scope"""

_OVER_WSGI: Final = {
    "over HTTP/1.0, without Host": _wsgi(
        lambda environ: {**_without(environ, "HTTP_HOST"), "SERVER_PROTOCOL": "HTTP/1.0"}
    ),
    "from a server that leaves out what WSGI lets it": _wsgi(
        lambda environ: _without(environ, "REMOTE_ADDR", "SCRIPT_NAME", "QUERY_STRING")
    ),
}
"""https://peps.python.org/pep-3333/#environ-variables: what would be empty may be absent."""
