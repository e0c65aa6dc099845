"""One call of an ASGI application with any scope, and every message that passed, in order.

For what an HTTP response cannot show: whether messages, extensions and other protocols pass a
middleware untouched.
"""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, Literal

from cors_conformance.servers.base import SECONDS
from cors_conformance.servers.loop import Call, EntryLoop
from cors_conformance.servers.origin import Message, Scope

NO_BODY: Final[tuple[Message, ...]] = ({"type": "http.request", "body": b"", "more_body": False},)

# What ends an exchange, and what an application that goes on to receive gets from then on.
_DISCONNECT: Final[dict[object, Message]] = {
    "http": {"type": "http.disconnect"},
    "websocket": {"type": "websocket.disconnect", "code": 1005},
}


@dataclass(frozen=True, slots=True, kw_only=True)
class ASGIEvent:
    """A message that the application received or sent: the very object, not a copy."""

    direction: Literal["received", "sent"]
    message: Message


@dataclass(frozen=True, slots=True, kw_only=True)
class ASGICall:
    """What came of a call.

    Attributes:
        events: what was received and sent, in order.
        error: the exception that left the application; `DidNotEnd` if it hung.

    """

    events: tuple[ASGIEvent, ...]
    error: BaseException | None

    def sent(self) -> tuple[Message, ...]:
        """Return the messages the application sent."""
        return tuple(event.message for event in self.events if event.direction == "sent")

    def received(self) -> tuple[Message, ...]:
        """Return the messages the application took."""
        return tuple(event.message for event in self.events if event.direction == "received")


class _Script:
    """Gives out the messages of the script, then waits for the end and disconnects."""

    def __init__(self, scope: Scope, messages: Sequence[Message]) -> None:
        self._left = list(messages)
        self._kind = scope.get("type")
        self._trailers = False
        self._over = asyncio.Event()
        self.events: list[ASGIEvent] = []

    async def receive(self) -> Message:
        if self._left:
            message = self._left.pop(0)
        else:
            await self._over.wait()
            message = dict(_DISCONNECT.get(self._kind, {"type": f"{self._kind}.disconnect"}))
        self.events.append(ASGIEvent(direction="received", message=message))
        return message

    async def send(self, message: Message) -> None:
        self.events.append(ASGIEvent(direction="sent", message=message))
        if isinstance(message, dict) and self._ends(message):
            self._over.set()

    def _ends(self, message: Message) -> bool:
        kind = message.get("type")
        if kind == "http.response.start":
            self._trailers = bool(message.get("trailers", False))
        if kind == "http.response.body":
            return not message.get("more_body", False) and not self._trailers
        if kind == "http.response.trailers":
            return not message.get("more_trailers", False)
        return kind in {"websocket.close", "lifespan.shutdown.complete"}


def call(
    app: Call,
    scope: Scope,
    messages: Sequence[Message] = NO_BODY,
    *,
    seconds: float = SECONDS,
) -> ASGICall:
    """Call `app` once, in a loop of its own, and return what passed.

    `app` receives `messages`; asked for more, it waits until its response is over and is then
    told of a disconnect. There is no lifespan around the call, and nothing is checked.
    """
    script = _Script(scope, messages)
    loop = EntryLoop()
    try:
        error = loop.run(seconds, app, scope, script.receive, script.send)
    finally:
        loop.close()
    return ASGICall(events=tuple(script.events), error=error)
