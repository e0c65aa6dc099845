"""Signals that end a run: they become an exception, and wait while something must be finished."""

import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType
from typing import Final, NoReturn

ENDING: Final = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
"""What people, other programs and a closed terminal send."""


@contextmanager
def ended_by_signals() -> Iterator[None]:
    """Turn each of these signals into a `KeyboardInterrupt`, so that browsers end with the run."""

    def leave(_: int, __: FrameType | None) -> NoReturn:
        raise KeyboardInterrupt

    with _handled_by(leave):
        yield


@contextmanager
def signals_wait() -> Iterator[None]:
    """Let these signals wait for the end of the block."""
    came: list[int] = []
    try:
        with _handled_by(lambda number, _: came.append(number)):
            yield
    finally:
        if came:
            signal.raise_signal(came[0])


@contextmanager
def _handled_by(handler: Callable[[int, FrameType | None], object]) -> Iterator[None]:
    before = {number: signal.getsignal(number) for number in ENDING}
    # What is ignored stays so, as under nohup; only the main thread may have handlers.
    if threading.current_thread() is threading.main_thread():
        handled = [number for number in ENDING if before[number] not in {signal.SIG_IGN, None}]
    else:
        handled = []
    for number in handled:
        signal.signal(number, handler)
    try:
        yield
    finally:
        for number in handled:
            signal.signal(number, before[number])
