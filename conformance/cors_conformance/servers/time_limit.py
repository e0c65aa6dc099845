"""A limit on what holds the thread: loops, locks and regular expressions that do not come back.

An event loop can end what waits for something; what does not return to the loop, only a signal can.
"""

import signal
from threading import current_thread, main_thread
from time import monotonic, thread_time
from types import FrameType, TracebackType
from typing import ClassVar, Final, Self

_AGAIN: Final = 1.0
"""Seconds until the next look, and until whoever takes no notice is told again."""
_BUSY: Final = 0.9
"""How much of the limit is worked through by what is busy all the time, be it not quite alone."""
_PATIENCE: Final = 3
"""So many times the limit is waited for what does no work: the machine may have other work."""
_NO_TIMER: Final = (0.0, 0.0)


class TimeIsUp(BaseException):
    """Raised in whatever holds the thread; no `Exception`, which middlewares may catch."""


class Alarm:
    """A context in which SIGALRM is held for limits; one within another costs next to nothing.

    To take the signal for each request would be a tenth of a run. Signals get to the main thread
    alone, and SIGALRM may be somebody else's: elsewhere, and where it is, nothing is held.
    """

    __slots__ = ("is_held",)

    _holders = 0

    def __init__(self) -> None:
        """Hold nothing yet."""
        self.is_held = False

    def __enter__(self) -> Self:
        """Take the signal, unless it is held already; `is_held` says whether it was to be had."""
        if current_thread() is not main_thread() or not hasattr(signal, "SIGALRM"):
            return self
        if Alarm._holders == 0:
            if signal.getsignal(signal.SIGALRM) is not signal.SIG_DFL:
                return self
            signal.signal(signal.SIGALRM, _look)
        Alarm._holders += 1
        self.is_held = True
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
        /,
    ) -> None:
        """Give it back, if nobody else holds it."""
        if not self.is_held:
            return
        self.is_held = False
        Alarm._holders -= 1
        if Alarm._holders == 0 and signal.getsignal(signal.SIGALRM) is _look:
            signal.signal(signal.SIGALRM, signal.SIG_DFL)


class TimeLimit:
    """A context that raises `TimeIsUp` in what runs inside it for longer than it may.

    There is no limit where no `Alarm` is to be had, where somebody else's timer runs, and within
    another limit.
    """

    __slots__ = ("_alarm", "_is_set", "_seconds", "_since", "_worked")

    current: ClassVar["TimeLimit | None"] = None

    def __init__(self, seconds: float) -> None:
        """Take the seconds: of work, or thrice as many by the clock."""
        self._alarm = Alarm()
        self._is_set = False
        self._seconds = seconds
        self._worked = self._since = 0.0

    def __enter__(self) -> None:
        """Set the limit."""
        if TimeLimit.current is not None or not self._alarm.__enter__().is_held:
            return
        self._worked, self._since = thread_time(), monotonic()
        others = signal.setitimer(signal.ITIMER_REAL, self._seconds, min(_AGAIN, self._seconds))
        if others != _NO_TIMER:
            signal.setitimer(signal.ITIMER_REAL, *others)
            return
        TimeLimit.current = self
        self._is_set = True

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
        /,
    ) -> None:
        """Take it back."""
        try:
            if self._is_set:
                TimeLimit.current = None
                signal.setitimer(signal.ITIMER_REAL, 0)
        finally:
            self._alarm.__exit__(kind, error, trace)

    def look(self) -> None:
        """Raise `TimeIsUp` if it is."""
        worked, waited = thread_time() - self._worked, monotonic() - self._since
        if worked >= _BUSY * self._seconds or waited >= _PATIENCE * self._seconds:
            message = "it did not come back in time"
            raise TimeIsUp(message)


def _look(_: int, __: FrameType | None) -> None:
    if TimeLimit.current is not None:
        TimeLimit.current.look()
