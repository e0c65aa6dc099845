"""Concurrency: two requests inside one middleware at once, by a script and not by chance.

ASGI: each call stops before every message that it sends and where the application begins, and the
script says whose turn it is. A middleware that lets one call in at a time is right, too: whoever
does not get on is left where it is. WSGI: two threads meet inside of the application. HTTP: what
happens inside is the server's, and so connections send at once and are compared with one alone.
"""

import asyncio
import threading
from collections.abc import Awaitable, Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from dataclasses import replace
from itertools import permutations
from typing import Any, Final, Protocol, TypeAlias, runtime_checkable

from cors_conformance.application import ApplicationResponse
from cors_conformance.fetch.http import HTTPRequest, HTTPResponse
from cors_conformance.fetch.steps import show
from cors_conformance.grant import CORS_RESPONSE_HEADER_NAMES
from cors_conformance.implementation import Capability
from cors_conformance.rules.asking import plain_grant
from cors_conformance.rules.base import Breach
from cors_conformance.rules.picking import is_picked
from cors_conformance.scenario import API, Batch
from cors_conformance.servers.address import address_of
from cors_conformance.servers.base import SECONDS
from cors_conformance.servers.exchange import Exchange, http_scope
from cors_conformance.servers.http import HTTPClient, NoResponse
from cors_conformance.servers.loop import EntryLoop
from cors_conformance.servers.origin import Environ, Message, Receive, Scope, Send, WSGIOrigin
from cors_conformance.servers.start import wrapped
from cors_conformance.servers.time_limit import TimeIsUp
from cors_conformance.servers.wsgi import WSGIServer
from cors_conformance.world import World

PASSES: Final = 25
"""Turns of the event loop within which a call gets to its next stop, unless something holds it."""
MOMENT: Final = 0.1
"""Seconds that a thread gets for that."""
_TICK: Final = 0.0005

_STRANGER: Final = "https://stranger.example"
_TURNS: Final = 12
"""More stops than a call has."""
_ROUNDS: Final = 4

Seen: TypeAlias = tuple[int, bytes, tuple[tuple[bytes, tuple[bytes, ...]], ...]]
"""Status, body, and the headers that are compared, the elements of each sorted."""


@runtime_checkable
class Connecting(Protocol):
    """A server that takes further connections."""

    def connect(self) -> HTTPClient:
        """Return one more."""
        ...


def concurrent(world: World, batch: Batch) -> bool:
    """Hold that requests get at the same time what they get alone."""
    requests = _requests(world)
    if not requests or not is_picked(world, batch):
        return False
    _ = world.server  # what hangs alone is told by another rule
    if world.implementation.interface == "http":
        return _over_http(world, requests)
    alone = [_alone(world, request) for request in requests]
    for one, two in permutations(range(len(requests)), 2):
        if (requests[one].method == b"OPTIONS") is not (requests[two].method == b"OPTIONS"):
            continue
        for replies in _together(world, (requests[one], requests[two])):
            for index, reply in zip((one, two), replies, strict=True):
                _require(requests[index], alone[index], reply)
    return True


def _require(request: HTTPRequest, alone: Seen | None, together: Seen | None) -> None:
    if alone is None or together == alone:
        return
    origin = dict(request.headers).get(b"origin")
    message = (
        f"{show(request.method)} by a page of {show(origin)} gets {_told(together)} while another"
        f" request is under way, and alone {_told(alone)}"
    )
    raise Breach(message)


def _told(seen: Seen | None) -> str:
    if seen is None:
        return "no response"
    status, body, headers = seen
    listed = "; ".join(f"{show(name)}: {show(b', '.join(values))}" for name, values in headers)
    return f"status {status}, body {show(body)} and {listed or 'no CORS headers'}"


def _requests(world: World) -> list[HTTPRequest]:
    """Give what is asked at once: by an allowed page and by a stranger, each in both ways."""
    origin, method = plain_grant(world)
    if origin is None or method is None:
        return []
    made: list[HTTPRequest] = []
    for page in dict.fromkeys((origin, _STRANGER)):
        line = (b"origin", page.encode("latin-1"))
        asks = (b"access-control-request-method", method)
        made.append(HTTPRequest(method=b"GET", url=f"{API}/{len(made)}", headers=(line,)))
        made.append(HTTPRequest(method=b"OPTIONS", url=f"{API}/{len(made)}", headers=(line, asks)))
    return made


def _seen(response: HTTPResponse | None) -> Seen | None:
    if response is None:
        return None
    found: dict[bytes, list[bytes]] = {}
    for name, value in response.headers:
        if name.lower() in CORS_RESPONSE_HEADER_NAMES | {b"vary", b"x-served"}:
            parts = (part.strip(b" \t") for part in value.split(b","))
            found.setdefault(name.lower(), []).extend(parts)
    headers = tuple(sorted((name, tuple(sorted(values))) for name, values in found.items()))
    return response.status, response.body, headers


def _alone(world: World, request: HTTPRequest) -> Seen | None:
    if world.implementation.interface == "wsgi":
        app = wrapped(world.implementation, _serve_wsgi, world.policy)
        return _wsgi_reply(app, request)
    ((reply,),) = _played(world, (request,), [[0] * _TURNS])
    return reply


def _together(world: World, requests: Sequence[HTTPRequest]) -> Iterator[tuple[Seen | None, ...]]:
    if world.implementation.interface == "wsgi":
        for first_out in (0, 1):
            yield _met(world, requests, first_out)
        return
    yield from _played(world, requests, _SCRIPTS)


# Whose turn it is. The second request from begin to end while the first is at one of its stops;
# and both side by side, the loop deciding what comes first wherever a middleware itself waits.
_BOTH: Final = -1
_SCRIPTS: Final = (
    *([0] * before + [1] * _TURNS + [0] * _TURNS for before in (1, 2)),
    [_BOTH] * _TURNS,
)


class _Player:
    """One call that stops before what others may see, until it is its turn."""

    def __init__(self, request: HTTPRequest) -> None:
        self.exchange = Exchange(request)
        self.scope = http_scope(request, address_of(request.url))
        self.task: asyncio.Task[None] | None = None
        self._turn: asyncio.Future[None] | None = None
        self._is_free = False

    async def stop(self) -> None:
        if not self._is_free:
            self._turn = asyncio.get_running_loop().create_future()
            await self._turn

    async def send(self, message: Message) -> None:
        await self.stop()
        await self.exchange.send(message)

    def go(self) -> None:
        if self._turn is not None and not self._turn.done():
            self._turn.set_result(None)

    def free(self) -> None:
        self._is_free = True
        self.go()

    def is_waiting(self) -> bool:
        stopped = self._turn is not None and not self._turn.done()
        return stopped or self.task is None or self.task.done()

    async def settled(self) -> None:
        for _ in range(PASSES):
            if self.is_waiting():
                return
            await asyncio.sleep(0)


async def _play(
    app: Callable[..., Awaitable[object]], players: Sequence[_Player], script: Sequence[int]
) -> None:
    async def call(player: _Player) -> None:
        await player.stop()
        with suppress(Exception, TimeIsUp):
            await app(player.scope, player.exchange.receive, player.send)

    for player in players:
        player.task = asyncio.get_running_loop().create_task(call(player))
    await asyncio.sleep(0)
    for turn in script:
        chosen = players if turn == _BOTH else [players[turn]]
        for player in chosen:
            player.go()
        # One pass first: who was just let go is not waiting where it was.
        await asyncio.sleep(0)
        for player in chosen:
            await player.settled()
    for player in players:
        player.free()
    await asyncio.wait([player.task for player in players if player.task is not None])


def _played(
    world: World, requests: Sequence[HTTPRequest], scripts: Sequence[Sequence[int]]
) -> Iterator[tuple[Seen | None, ...]]:
    """Play each script with one instance; give the responses."""
    current: dict[str, _Player] = {}

    async def serve(scope: Scope, receive: Receive, send: Send) -> None:
        await current[scope["path"][-1:]].stop()
        await receive()
        await send(_start(scope["path"]))
        await send({"type": "http.response.body", "body": b"served ", "more_body": True})
        await send({"type": "http.response.body", "body": scope["path"].encode("latin-1")})

    app = wrapped(world.implementation, serve, world.policy)
    loop = EntryLoop()
    try:
        for script in scripts:
            players = [_Player(request) for request in requests]
            current |= {
                request.url[-1:]: player for request, player in zip(requests, players, strict=True)
            }
            ended = loop.run(SECONDS, _play, app, players, script)
            if ended is not None:
                message = f"two requests at once: {ended}"
                raise Breach(message)
            yield tuple(_seen(player.exchange.response) for player in players)
    finally:
        loop.close()


def _start(path: str) -> Message:
    headers = [(b"x-served", path.encode("latin-1")), (b"content-type", b"text/plain")]
    return {"type": "http.response.start", "status": 200, "headers": headers}


def _serve_wsgi(environ: Environ, start_response: Callable[..., Any]) -> list[bytes]:
    path = environ["PATH_INFO"]
    start_response("200 OK", [("x-served", path), ("content-type", "text/plain")])
    return [b"served ", path.encode("latin-1")]


def _wsgi_reply(app: Callable[..., Any], request: HTTPRequest) -> Seen | None:
    server = WSGIServer(app, WSGIOrigin())
    return _seen(server.send(request, ApplicationResponse()).response)


def _met(world: World, requests: Sequence[HTTPRequest], first_out: int) -> tuple[Seen | None, ...]:
    """Let two threads meet in the application, the first in before the second, and leave."""
    inside = [threading.Event() for _ in requests]
    may_leave = [threading.Event() for _ in requests]

    def serve(environ: Environ, start_response: Callable[..., Any]) -> list[bytes]:
        index = [request.url[-1:] for request in requests].index(environ["PATH_INFO"][-1:])
        inside[index].set()
        may_leave[index].wait(SECONDS)
        return _serve_wsgi(environ, start_response)

    app = wrapped(world.implementation, serve, world.policy)
    jobs = []
    for index, request in enumerate(requests):
        jobs.append(_begun(_wsgi_reply, app, request))
        _wait_for(inside[index].is_set, jobs[-1].done)
    for index in (first_out, 1 - first_out):
        may_leave[index].set()
        _wait_for(jobs[index].done)
    try:
        return tuple(job.result(SECONDS) for job in jobs)
    except TimeoutError:
        message = f"two requests at once: one of them did not end within {SECONDS:g} s"
        raise Breach(message) from None


def _begun(call: Callable[..., Seen | None], *arguments: object) -> "Future[Seen | None]":
    """Call in a thread that ends with the process: no signal gets there if it never comes back."""
    future: Future[Seen | None] = Future()

    def run() -> None:
        try:
            future.set_result(call(*arguments))
        except BaseException as error:  # noqa: BLE001 - it is raised where the result is asked for
            future.set_exception(error)

    threading.Thread(target=run, daemon=True).start()
    return future


def _wait_for(*happened: Callable[[], bool]) -> None:
    """Wait for one of what happens at once, unless the middleware lets one request in at a time."""
    ticker = threading.Event()
    for _ in range(int(MOMENT / _TICK)):
        if any(it() for it in happened):
            return
        ticker.wait(_TICK)


def _over_http(world: World, requests: Sequence[HTTPRequest]) -> bool:
    server = world.server
    if not isinstance(server, Connecting):
        return False

    def seen(response: HTTPResponse | None) -> Seen | None:
        if response is not None and not world.can(Capability.APPLICATION_BODY):
            response = replace(response, body=b"")  # a clock, for all that is known
        return _seen(response)

    alone = [seen(server.send(request, ApplicationResponse()).response) for request in requests]
    start = threading.Barrier(len(requests))

    def ask(request: HTTPRequest) -> list[Seen | None]:
        client = server.connect()
        try:
            start.wait(SECONDS)
            return [seen(client.exchange(request)) for _ in range(_ROUNDS)]
        except (NoResponse, threading.BrokenBarrierError):
            return []
        finally:
            client.close()

    with ThreadPoolExecutor(len(requests)) as pool:
        answers = list(pool.map(ask, requests))
    for request, expected, answered in zip(requests, alone, answers, strict=True):
        for each in answered:
            _require(request, expected, each)
    return True
