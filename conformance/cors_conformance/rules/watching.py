"""Watching: one scripted call of the middleware, and every message on both of its sides."""

import asyncio
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, TypeAlias

from cors_conformance.application import ApplicationError
from cors_conformance.fetch.http import HeaderLine, HTTPRequest
from cors_conformance.implementation import Capability
from cors_conformance.rules.asking import plain_grant
from cors_conformance.rules.base import Breach
from cors_conformance.scenario import (
    API,
    CATCH_UP,
    RAISE,
    RECEIVE,
    WORK,
    ASGICall,
    MessageItems,
)
from cors_conformance.servers.address import address_of
from cors_conformance.servers.asgi_call import call as call_once
from cors_conformance.servers.exchange import http_scope
from cors_conformance.servers.origin import Message, Receive, Scope, Send
from cors_conformance.servers.start import wrapped
from cors_conformance.servers.text import describe_error, describe_value
from cors_conformance.world import World

PASSES: Final = 20
"""Turns of the event loop within which a message gets through any middleware that passes it on."""
MOMENT: Final = 0.01
"""Seconds that are waited then, and for messages that the script does not have."""
SECONDS: Final = 1.0
"""Seconds that a call may take; nothing in it waits for anything else."""

Fact: TypeAlias = tuple[str, Any]
"""What a message says, however it says it: see `facts`."""

PROBE: Final = ASGICall(
    name="a plain request",
    about="response",
    received=((("type", "http.request"), ("body", b""), ("more_body", False)),),
    script=(
        RECEIVE,
        (("type", "http.response.start"), ("status", 200), ("headers", ())),
        (("type", "http.response.body"), ("body", b"probe"), ("more_body", False)),
    ),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Watched:
    """What passed in one call.

    Messages are copies made as they passed, their headers as tuples.

    Attributes:
        before: the server's scope as it was made.
        after: the same scope when the call was over.
        seen: the scope as the application saw it; `None` if it was not called.
        given: what the server gave.
        taken: what the application took.
        handed: what the application handed over to be sent.
        passed: what the server got to send.
        late: whether the server did not have what was handed over when it should have had it, or
            had no response to an upload of which the client sends the rest when it has one.
        finished: whether the application came to the end of its script.
        changed: header lists of the application that were changed, as they were and as they are.
        raised: the exception that the application raised.
        error: the exception that left the middleware.

    """

    before: Scope
    after: Scope
    seen: Scope | None
    given: tuple[Message, ...]
    taken: tuple[Message, ...]
    handed: tuple[Message, ...]
    passed: tuple[Message, ...]
    late: bool
    finished: bool
    changed: tuple[tuple[list[HeaderLine], list[HeaderLine]], ...]
    raised: BaseException | None
    error: BaseException | None


class _Application:
    """The application of a call; one object for all the times that it is made."""

    def __init__(self, call: ASGICall) -> None:
        self._call = call
        # Made once: whoever changes them changes the next response.
        self._lists = [_headers_of(items, call) for items in call.script]
        self.begin()

    def begin(self) -> None:
        self.seen: Scope | None = None
        self.taken: list[Message] = []
        self.handed: list[Message] = []
        self.passed: list[Message] = []
        self.late = False
        self.finished = False
        self.raised: BaseException | None = None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        self.seen = dict(scope)
        for items, headers in zip(self._call.script, self._lists, strict=True):
            if items == RECEIVE:
                self.taken.append(_copy(await receive()))
            elif items == RAISE:
                self.raised = ApplicationError("raised by the origin app, as scripted")
                raise self.raised
            elif items == CATCH_UP:
                await self._catch_up()
            elif items == WORK:
                for _ in range(PASSES):
                    await asyncio.sleep(0)
            elif self._is_offered(items):
                await self._hand_over(items, headers, send)
        self.finished = True

    def _is_offered(self, items: MessageItems) -> bool:
        """Whether a message may be sent; middlewares may take an extension back."""
        kind = dict(items)["type"]
        offered = (self.seen or {}).get("extensions") or {}
        mine = [name for name in self._call.extensions if kind.startswith(name)]
        return not mine or mine[0] in offered

    async def _hand_over(self, items: MessageItems, headers: object, send: Send) -> None:
        message = dict(items)
        lines = message.get("headers", ())
        if headers is not None:
            message["headers"] = headers
        offered = (self.seen or {}).get("extensions") or {}
        if "trailers" in message and "http.response.trailers" not in offered:
            del message["trailers"]
        self.handed.append(
            _copy({**message, "headers": lines} if "headers" in message else message)
        )
        await send(message)

    async def _catch_up(self) -> None:
        for _ in range(PASSES):
            if self._is_up_to_date():
                return
            await asyncio.sleep(0)
        await asyncio.sleep(MOMENT)
        self.late = not self._is_up_to_date()

    async def answer(self) -> None:
        """Wait, for a moment, until the server has the start of the response."""
        for _ in range(PASSES):
            if self.passed:
                return
            await asyncio.sleep(0)
        await asyncio.sleep(MOMENT)
        self.late = not self.passed

    def _is_up_to_date(self) -> bool:
        handed = [fact for fact in facts(self.handed) if fact[0] == "chunk"]
        passed = [fact for fact in facts(self.passed) if fact[0] == "chunk"]
        return len(passed) >= len(handed)

    def changed(self) -> tuple[tuple[list[HeaderLine], list[HeaderLine]], ...]:
        """Compare the header lists with what they were made of."""
        return tuple(
            (list(dict(items)["headers"]), list(headers))
            for items, headers in zip(self._call.script, self._lists, strict=True)
            if isinstance(headers, list)
            and [tuple(line) for line in headers] != list(dict(items)["headers"])
        )


def _headers_of(items: MessageItems, call: ASGICall) -> Iterable[object] | None:
    lines: Sequence[HeaderLine] | None = dict(items).get("headers")
    if lines is None or call.headers_as == "tuple":
        return lines
    if call.headers_as == "generator":
        return (line for line in lines)
    return list(lines) if call.headers_as == "list" else [list(line) for line in lines]


def _copy(message: Message) -> Message:
    copy = dict(message)
    if "headers" in copy:
        copy["headers"] = tuple([tuple(line) for line in copy["headers"]])
    return copy


def watch(world: World, call: ASGICall) -> tuple[Watched, ...]:
    """Make a call through the middleware, as often as it says; give what passed each time."""
    application = _Application(call)
    app = wrapped(world.implementation, application, world.policy)
    return tuple([_watch_once(world, call, application, app) for _ in range(call.times)])


def _watch_once(world: World, call: ASGICall, application: _Application, app: Any) -> Watched:  # noqa: ANN401 - an ASGI application
    application.begin()
    given: list[Message] = []

    async def served(scope: Scope, receive: Receive, send: Send) -> None:
        async def giving() -> Message:
            is_scripted = len(given) < len(call.received)
            if is_scripted and call.held_from is not None and len(given) >= call.held_from:
                await application.answer()
            try:
                message = await asyncio.wait_for(receive(), None if is_scripted else MOMENT)
            except TimeoutError:
                # Whoever reads on gets what a client that has left gives.
                message = {"type": f"{call.scope_type}.disconnect"}
            given.append(_copy(message))
            return message

        async def sending(message: Message) -> None:
            if "headers" in message:
                # Also iterators pass through here once.
                message = {**message, "headers": list(message["headers"])}
            application.passed.append(_copy(message))
            await send(message)

        await app(scope, giving, sending)

    scope = scope_of(world, call)
    before = {**scope, "headers": list(scope["headers"])} if "headers" in scope else dict(scope)
    received = [dict(items) for items in call.received]
    ended = call_once(served, scope, received, seconds=SECONDS)
    return Watched(
        before=before,
        after=scope,
        seen=application.seen,
        given=tuple(given),
        taken=tuple(application.taken),
        handed=tuple(application.handed),
        passed=tuple(application.passed),
        late=application.late,
        finished=application.finished,
        changed=application.changed(),
        raised=application.raised,
        error=ended.error,
    )


def scope_of(world: World, call: ASGICall) -> Scope:
    """Make the scope of a call; a page's request has an origin and a method that are granted."""
    asgi = {"version": "3.0", "spec_version": "2.3"}
    if call.scope_type == "lifespan":
        return {"type": "lifespan", "asgi": asgi, "state": {"started": "yes"}}
    if call.scope_type not in {"http", "websocket"}:
        return {"type": call.scope_type, "asgi": asgi, "detail": b"\x00"}
    origin, method = plain_grant(world) if call.is_cors else (None, None)
    headers = () if origin is None else ((b"origin", origin.encode("latin-1")),)
    request = HTTPRequest(method=(method or b"GET"), url=f"{API}/path?x=1", headers=headers)
    scope = http_scope(request, address_of(request.url))
    scope["extensions"] = {name: {} for name in call.extensions}
    scope["state"] = {"started": "yes"}
    if call.scope_type == "websocket":
        scope.update({"type": "websocket", "scheme": "wss", "subprotocols": ["chat"]})
        del scope["method"]
    return scope


def facts(messages: Iterable[Message]) -> Iterator[Fact]:
    """Give what messages say: chunks of a body, its end, and every other message as it is.

    An empty chunk says nothing, and an end says the same with the last chunk and after it. The
    headers of a response are not what calls are about.
    """
    for message in messages:
        kind = message["type"]
        if kind in {"http.request", "http.response.body"}:
            if message.get("body", b""):
                yield "chunk", message["body"]
            if not message.get("more_body", False):
                yield "end", kind
        elif kind == "http.response.start":
            others = {name: item for name, item in message.items() if name != "headers" and item}
            yield "start", others
        else:
            yield "message", message


def tell(found: Iterable[Fact]) -> str:
    """Tell what messages say in a few words."""
    texts = [
        describe_value(value) if kind in {"chunk", "message"} else f"the {kind}"
        for kind, value in found
    ]
    return ", ".join(texts) or "nothing"


def is_watchable(world: World) -> bool:
    """Whether calls can be made at all."""
    implementation = world.implementation
    return implementation.interface == "asgi" and implementation.wrap is not None


_OF_ROUTES: Final = frozenset({"app", "endpoint", "path_params", "route", "router"})


def is_behind_framework(world: World) -> bool:
    """Whether something routes requests between the middleware and the application.

    It shows in the scope, to which frameworks add what routes lead to, and objects of their own. A
    middleware that leaves a note there, in text or numbers, is none. What becomes of other scopes
    and of exceptions is for the framework to say as well.
    """
    if not world.can(Capability.ASGI):
        return True
    (probe,) = watch(world, PROBE)
    if probe.seen is None:
        return True
    added = probe.seen.keys() - probe.before.keys()
    return not _OF_ROUTES.isdisjoint(added) or not all(
        _is_plain(probe.seen[name]) for name in added
    )


def _is_plain(value: object) -> bool:
    """Whether a value is text, a number, or made of nothing else."""
    if isinstance(value, Mapping):
        return all(map(_is_plain, (*value.keys(), *value.values())))
    if isinstance(value, list | tuple | set | frozenset):
        return all(map(_is_plain, value))
    return value is None or isinstance(value, str | bytes | int | float)


def require_reached(world: World, call: ASGICall, watched: Watched) -> bool:
    """Hold that the application was called, and that nothing but its own exception came out.

    Returns `False` where a framework keeps the call to itself or fails at it.

    Raises:
        Breach: the middleware does.

    """
    error = watched.error
    is_own = error is not None and error is watched.raised
    if watched.seen is None:
        if is_behind_framework(world):
            return False
        how = "nothing" if error is None else describe_error(error)
        message = f"{call.name}: the call did not reach the application; what came was {how}"
        raise Breach(message)
    if error is not None and not is_own:
        if is_behind_framework(world):
            return False
        message = (
            f"{call.name}: an exception that is not the application's: {describe_error(error)}"
        )
        raise Breach(message)
    return True
