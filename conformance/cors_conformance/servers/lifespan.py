"""Startup and shutdown: https://asgi.readthedocs.io/en/latest/specs/lifespan.html."""

import asyncio
from typing import Any

from cors_conformance.servers.base import ServerDied, ServerHung
from cors_conformance.servers.loop import Call, CallTask, EntryLoop
from cors_conformance.servers.origin import Message
from cors_conformance.servers.text import describe_value
from cors_conformance.servers.time_limit import TimeIsUp


class Lifespan:
    """The lifespan of one application in one loop.

    Attributes:
        state: what the application keeps for its requests; `None` if it knows no lifespan.

    """

    def __init__(self, loop: EntryLoop, app: Call, seconds: float) -> None:
        """Start the application up.

        Raises:
            ServerDied: it says that it cannot start.
            ServerHung: it does not say anything in time.

        """
        self._loop = loop
        self._seconds = seconds
        self._failed: str | None = None
        self._received = 0
        self._started = asyncio.Event()
        self._stopping = asyncio.Event()
        self.state: dict[str, Any] | None = {}
        asgi = {"version": "3.0", "spec_version": "2.0"}
        scope = {"type": "lifespan", "asgi": asgi, "state": self.state}
        self._task: CallTask = loop.start(app, scope, self._receive, self._send, seconds=seconds)
        if not self._over():
            loop.run(seconds, self._wait)
        if self._failed is not None:
            message = f"its startup failed: {describe_value(self._failed)}"
            raise ServerDied(message)
        if not self._over() or self._was_held():
            message = f"its startup did not end within {seconds:g} s"
            raise ServerHung(message)
        # An application that raises or returns instead does not know the protocol: go on without.
        if not self._started.is_set():
            self.state = None

    def _over(self) -> bool:
        return self._started.is_set() or self._task.done()

    def _was_held(self) -> bool:
        return self._task.done() and isinstance(self._task.result(), TimeIsUp)

    async def _wait(self) -> None:
        started = asyncio.ensure_future(self._started.wait())
        await asyncio.wait({started, self._task}, return_when=asyncio.FIRST_COMPLETED)
        started.cancel()

    async def _receive(self) -> Message:
        self._received += 1
        if self._received == 1:
            return {"type": "lifespan.startup"}
        await self._stopping.wait()
        return {"type": "lifespan.shutdown"}

    async def _send(self, message: Message) -> None:
        kind = message["type"]
        if kind == "lifespan.startup.failed":
            self._failed = message.get("message", "")
        if kind in {"lifespan.startup.failed", "lifespan.startup.complete"}:
            self._started.set()

    def end(self) -> None:
        """Shut the application down; one that fails at it has nothing left to lose."""
        if self._started.is_set() and not self._task.done():
            self._stopping.set()
            self._loop.wait(self._task, self._seconds)
