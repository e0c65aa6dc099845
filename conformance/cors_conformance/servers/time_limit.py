"""A limit on what holds the thread: loops, locks and regular expressions that do not come back.

An event loop can end what waits for something; what does not return to the loop, only a signal can.
"""

import signal
from collections.abc import Iterator
from contextlib import contextmanager
from threading import current_thread, main_thread
from time import monotonic, thread_time
from types import FrameType, TracebackType
from typing import Final

_AGAIN: Final = 1.0
"""Seconds until the next look, and until whoever takes no notice is told again."""
_BUSY: Final = 0.9
"""How much of the limit is worked through by what is busy all the time, be it not quite alone."""
_PATIENCE: Final = 3
"""So many times the limit is waited for what does no work: the machine may have other work."""
_NO_TIMER: Final = (0.0, 0.0)


class TimeIsUp(BaseException):
    """Raised in whatever holds the thread; no `Exception`, which middlewares may catch."""


class _Alarm:
    """SIGALRM, and how many hold it.

    Signals get to the main thread alone, and SIGALRM may be somebody else's: elsewhere, and where
    it is, it is not to be had.
    """

    def __init__(self) -> None:
        self._holders = 0
        self.limit: TimeLimit | None = None

    def take(self) -> bool:
        """Hold the signal, and say whether it was to be had; if so, it is to be given back."""
        if current_thread() is not main_thread() or not hasattr(signal, "SIGALRM"):
            return False
        if self._holders == 0:
            if signal.getsignal(signal.SIGALRM) is not signal.SIG_DFL:
                return False
            signal.signal(signal.SIGALRM, _look)
        self._holders += 1
        return True

    def give_back(self) -> None:
        """Hold it no more; what took it meanwhile keeps it."""
        self._holders -= 1
        if self._holders == 0 and signal.getsignal(signal.SIGALRM) is _look:
            signal.signal(signal.SIGALRM, signal.SIG_DFL)


_ALARM: Final = _Alarm()


@contextmanager
def alarm_held() -> Iterator[None]:
    """Hold SIGALRM for the limits within: to take it for each request is a tenth of a run."""
    is_held = _ALARM.take()
    try:
        yield
    finally:
        if is_held:
            _ALARM.give_back()


class TimeLimit:
    """A context that raises `TimeIsUp` in what runs inside it for longer than it may.

    There is no limit where SIGALRM is not to be had, where somebody else's timer runs, and within
    another limit.
    """

    __slots__ = ("_is_set", "_seconds", "_since", "_worked")

    def __init__(self, seconds: float) -> None:
        """Take the seconds: of work, or thrice as many by the clock."""
        self._seconds = seconds
        self._is_set = False
        self._worked = self._since = 0.0

    def __enter__(self) -> None:
        """Set the limit."""
        if _ALARM.limit is not None or not _ALARM.take():
            return
        self._worked, self._since = thread_time(), monotonic()
        others = signal.setitimer(signal.ITIMER_REAL, self._seconds, min(_AGAIN, self._seconds))
        if others != _NO_TIMER:
            signal.setitimer(signal.ITIMER_REAL, *others)
            _ALARM.give_back()
            return
        _ALARM.limit = self
        self._is_set = True

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
            _ALARM.limit = None
            signal.setitimer(signal.ITIMER_REAL, 0)
        finally:
            _ALARM.give_back()

    def look(self) -> None:
        """Raise `TimeIsUp` if it is."""
        worked, waited = thread_time() - self._worked, monotonic() - self._since
        if worked >= _BUSY * self._seconds or waited >= _PATIENCE * self._seconds:
            message = "it did not come back in time"
            raise TimeIsUp(message)


def _look(_: int, __: FrameType | None) -> None:
    if _ALARM.limit is not None:
        _ALARM.limit.look()
