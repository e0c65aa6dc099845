"""Work that is spread over processes, and ends with the one that began it."""

import signal
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ProcessPoolExecutor, as_completed
from typing import TypeVar

Result = TypeVar("Result")


def each_done(
    function: Callable[..., Result], jobs: Iterable[tuple[object, ...]], *, processes: int
) -> Iterator[Result]:
    """Call a function with each job's arguments in so many processes; give what each call returned.

    With one process everything happens in this one, in order; else what is done first comes first,
    and the function, the jobs and the results must be picklable. Whoever stops iterating, as an
    interrupt does, waits for no job that has not begun.
    """
    if processes <= 1:
        for job in jobs:
            yield function(*job)
        return
    with ProcessPoolExecutor(processes, initializer=_die_of_interrupts) as pool:
        futures = [pool.submit(function, *job) for job in jobs]
        try:
            for future in as_completed(futures):
                yield future.result()
        finally:
            pool.shutdown(wait=False, cancel_futures=True)


def _die_of_interrupts() -> None:
    # Else Ctrl-C, which reaches every process of a terminal, would be the result of one job, and
    # the worker would go on with the next.
    signal.signal(signal.SIGINT, signal.SIG_DFL)
