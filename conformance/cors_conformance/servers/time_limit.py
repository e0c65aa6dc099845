"""A limit on what holds the thread: loops, locks and regular expressions that do not come back.

An event loop can end what waits for something; what does not return to the loop, only a signal can.
"""

import signal
from threading import current_thread, main_thread
from types import FrameType, TracebackType
from typing import Any, Final

_AGAIN: Final = 1.0
"""Seconds until whoever takes no notice is told again."""


class TimeIsUp(BaseException):
    """Raised in whatever holds the thread; no `Exception`, which middlewares may catch."""


class TimeLimit:
    """A context that raises `TimeIsUp` in what runs inside it for longer than it may.

    Signals get to the main thread alone, and SIGALRM may be somebody else's: elsewhere, and
    where it is, there is no limit.
    """

    __slots__ = ("_before", "_is_set", "_seconds")

    def __init__(self, seconds: float) -> None:
        """Take the seconds, by the clock."""
        self._seconds = seconds
        self._is_set = False
        self._before: Any = None

    def __enter__(self) -> None:
        """Set the limit."""
        if current_thread() is not main_thread() or not hasattr(signal, "SIGALRM"):
            return
        if signal.getsignal(signal.SIGALRM) is not signal.SIG_DFL:
            return
        self._before = signal.signal(signal.SIGALRM, _tell)
        self._is_set = True
        signal.setitimer(signal.ITIMER_REAL, self._seconds, _AGAIN)

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
        /,
    ) -> None:
        """Take it back."""
        if not self._is_set:
            return
        try:
            signal.setitimer(signal.ITIMER_REAL, 0)
        finally:
            signal.signal(signal.SIGALRM, self._before)


def _tell(_: int, __: FrameType | None) -> None:
    message = "it did not come back in time"
    raise TimeIsUp(message)
