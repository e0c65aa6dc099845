"""An event loop that is entered for one call at a time, and left again."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Final, TypeAlias

from cors_conformance.servers.base import HarnessError
from cors_conformance.servers.time_limit import TimeIsUp, TimeLimit

GRACE: Final = 1.0
"""Seconds that a cancelled task may take to end."""

Call: TypeAlias = Callable[..., Awaitable[object]]
CallTask: TypeAlias = asyncio.Task[BaseException | None]
"""A task that returns the exception that left the call, so that none is lost or logged."""


_OCCUPIED: Final = "an event loop runs in this thread already; run the suite outside of it"


class DidNotEnd(Exception):
    """A call took longer than it may."""


class EntryLoop:
    """Runs asynchronous calls to their end, each as a task of its own, from code that is not async.

    `asyncio.run` and `run_until_complete` make two passes through the loop and more. Here the
    loop is stopped before it runs, and then it makes exactly one pass, which asyncio documents.
    That is enough for every call that never suspends; those that do get a timer and a second run.
    Everything an application may ask for is there all the time: a running loop, a current task,
    a context of its own.
    """

    def __init__(self) -> None:
        """Create the loop; it is not installed as the thread's.

        Raises:
            HarnessError: another loop runs in this thread, and Python allows only one.

        """
        try:
            asyncio.get_running_loop()
        except RuntimeError:
            self._loop = asyncio.new_event_loop()
        else:
            raise HarnessError(_OCCUPIED)

    def run(self, seconds: float, call: Call, *arguments: object) -> BaseException | None:
        """Await `call(*arguments)`; return what it raised, `DidNotEnd` after `seconds`.

        Raises:
            KeyboardInterrupt: somebody wants to stop.
            HarnessError: another loop runs in this thread.

        """
        task = self.start(call, *arguments, seconds=seconds)
        if not task.done() and not self.wait(task, seconds):
            task.cancel()
            self.wait(task, GRACE)
            return DidNotEnd(f"it did not end within {seconds:g} s")
        error = task.result()
        if isinstance(error, TimeIsUp):
            return DidNotEnd(f"it did not end within {seconds:g} s, and held the thread")
        return error

    def start(self, call: Call, *arguments: object, seconds: float) -> CallTask:
        """Start `await call(*arguments)`, go to where it first suspends, and leave it there.

        Where it suspends nowhere, it has so many seconds.
        """
        task = self._loop.create_task(_errors_of(call, arguments))
        self._loop.stop()
        try:
            with TimeLimit(seconds):
                self._loop.run_forever()
        except RuntimeError as error:  # the call's own are its task's result
            task.cancel()
            raise HarnessError(_OCCUPIED) from error
        return task

    def wait(self, task: CallTask, seconds: float) -> bool:
        """Go on with everything that was started; return whether `task` ended in time."""
        timer = self._loop.call_later(seconds, self._loop.stop)
        task.add_done_callback(self._stop)
        # The timer ends what waits, a moment before the limit.
        with TimeLimit(seconds + GRACE):
            self._loop.run_forever()
        timer.cancel()
        task.remove_done_callback(self._stop)
        return task.done()

    def _stop(self, _: CallTask) -> None:
        self._loop.stop()

    def close(self) -> None:
        """Cancel what still runs, give it a moment to end, and release the loop."""
        if self._loop.is_closed():
            return
        left = asyncio.all_tasks(self._loop)
        for task in left:
            task.cancel()
        if left:
            self.run(GRACE, asyncio.wait, left)
        self.run(GRACE, self._loop.shutdown_asyncgens)
        self._loop.close()


async def _errors_of(call: Call, arguments: tuple[object, ...]) -> BaseException | None:
    try:
        await call(*arguments)
    except KeyboardInterrupt:
        raise
    except BaseException as error:  # noqa: BLE001 - `SystemExit` and cancellation are errors here
        return error
    return None
