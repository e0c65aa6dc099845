"""A limit on what holds the thread: loops, locks and regular expressions that do not come back.

An event loop can end what waits for something; what does not return to the loop, only a signal can.
"""

import signal
from threading import current_thread, main_thread
from time import monotonic, thread_time
from types import FrameType, TracebackType
from typing import Any, Final

_AGAIN: Final = 1.0
"""Seconds until the next look, and until whoever takes no notice is told again."""
_BUSY: Final = 0.9
"""How much of the limit is worked through by what is busy all the time, be it not quite alone."""
_PATIENCE: Final = 3
"""So many times the limit is waited for what does no work: the machine may have other work."""


class TimeIsUp(BaseException):
    """Raised in whatever holds the thread; no `Exception`, which middlewares may catch."""


class TimeLimit:
    """A context that raises `TimeIsUp` in what runs inside it for longer than it may.

    Signals get to the main thread alone, and SIGALRM may be somebody else's: elsewhere, and
    where it is, there is no limit.
    """

    __slots__ = ("_before", "_is_set", "_seconds", "_since", "_worked")

    def __init__(self, seconds: float) -> None:
        """Take the seconds: of work, or thrice as many by the clock."""
        self._seconds = seconds
        self._is_set = False
        self._before: Any = None
        self._worked = self._since = 0.0

    def __enter__(self) -> None:
        """Set the limit."""
        if current_thread() is not main_thread() or not hasattr(signal, "SIGALRM"):
            return
        if signal.getsignal(signal.SIGALRM) is not signal.SIG_DFL:
            return
        self._worked, self._since = thread_time(), monotonic()
        self._before = signal.signal(signal.SIGALRM, self._look)
        self._is_set = True
        signal.setitimer(signal.ITIMER_REAL, self._seconds, min(_AGAIN, self._seconds))

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

    def _look(self, _: int, __: FrameType | None) -> None:
        worked, waited = thread_time() - self._worked, monotonic() - self._since
        if worked >= _BUSY * self._seconds or waited >= _PATIENCE * self._seconds:
            message = "it did not come back in time"
            raise TimeIsUp(message)
