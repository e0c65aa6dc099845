"""Progress where there is no terminal: a line now and then, for a log."""

import time
from collections.abc import Callable


class Pulse:
    """A function to call with progress, which writes a line each `seconds`."""

    def __init__(
        self,
        write: Callable[[str], None],
        *,
        seconds: float = 60,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._write = write
        self._seconds = seconds
        self._clock = clock
        self._last = clock()
        self._before = 0

    def __call__(self, what: str, done: int, total: int) -> None:
        """Say what is being done, how far it is, and how fast it went since the last line."""
        since = self._clock() - self._last
        if since < self._seconds:
            return
        speed = (done - self._before) / since
        end = f" of {total}" if total else ""
        self._write(f"{what}: {done}{end} examples, {speed:.1f} a second")
        self._last += since
        self._before = done
