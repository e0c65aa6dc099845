"""What the kernel knows of a process: its CPU time, its memory, and where it may run.

CPU time is the measure of cost over HTTP: it is the inverse of the rate at which a saturated server
answers on a core of its own, and goes on being that where the core has other work as well.
"""

import os
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

PROC: Final = Path("/proc")

CAN_WATCH: Final = sys.platform == "linux"
"""Whether processes can be watched and pinned here."""

# https://man7.org/linux/man-pages/man3/clock_getcpuclockid.3.html does this; Python has only that
# of threads. The lowest bits: of a process, as the scheduler counts.
_OF_PROCESS: Final = 2
_RESET_PEAK: Final = b"5"


def cpu_nanoseconds(pid: int) -> int:
    """Return the CPU time that all threads of a process have taken so far.

    Raises:
        OSError: there is no such process.

    """
    return time.clock_gettime_ns((~pid << 3) | _OF_PROCESS)


def ready_nanoseconds(pid: int) -> int:
    """Return the time that the threads of a process have been on a core, or waiting for one.

    As much of it as time passed means that the process never waited for anybody's request.
    """
    ready = 0
    for thread in (PROC / str(pid) / "task").iterdir():
        running, waiting, _ = (thread / "schedstat").read_text().split()
        ready += int(running) + int(waiting)
    return ready


def peak_memory(pid: int) -> int:
    """Return the KiB of the largest resident set of a process, since `forget_peak`."""
    for line in (PROC / str(pid) / "status").read_text().splitlines():
        name, _, value = line.partition(":")
        if name == "VmHWM":
            return int(value.split()[0])
    message = f"the kernel does not tell the peak of memory of process {pid}"
    raise OSError(message)


def forget_peak(pid: int) -> None:
    """Let the peak begin anew with what is resident now."""
    (PROC / str(pid) / "clear_refs").write_bytes(_RESET_PEAK)


@dataclass(frozen=True, slots=True)
class Cores:
    """The cores of the servers and of the generator; the same ones where there is only one."""

    server: int
    generator: int


@contextmanager
def apart() -> Iterator[Cores]:
    """Move this process, and what it starts from now on, to the generator's core."""
    before = os.sched_getaffinity(0)
    cores = Cores(min(before), max(before))
    os.sched_setaffinity(0, {cores.generator})
    try:
        yield cores
    finally:
        os.sched_setaffinity(0, before)


@contextmanager
def starting_on(core: int) -> Iterator[None]:
    """Let what is started meanwhile begin on a core, so that it starts no more threads than fit."""
    before = os.sched_getaffinity(0)
    os.sched_setaffinity(0, {core})
    try:
        yield
    finally:
        os.sched_setaffinity(0, before)


def pin(pid: int, core: int) -> None:
    """Keep all threads of a process on a core, and those which they start."""
    for thread in (PROC / str(pid) / "task").iterdir():
        os.sched_setaffinity(int(thread.name), {core})
