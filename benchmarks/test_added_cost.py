"""What a middleware adds to a request, and how that compares with Starlette's.

The added cost of a middleware is its time less that of the bare application for the same request
(a preflight that a middleware answers itself saves the application's time, and that counts).

Subjects take turns in one process, in small batches and in a new order each round; differences
are taken within a round and their median is shown, so that a machine that slows down for a while
slows all of them. Nothing is asserted about time: whoever runs this reads the table.
"""

import gc
import random
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from statistics import median
from time import perf_counter_ns
from typing import Final

import pytest

ROUNDS: Final = 300
BATCH: Final = 50

BASELINES: Final = {
    "reference": "bare application",
    "starlette": "bare application",
    "fastapi": "bare application",
    "reference (WSGI)": "bare application (WSGI)",
}
STANDARD: Final = "starlette"


@contextmanager
def no_garbage_collection() -> Iterator[None]:
    gc.collect()
    gc.disable()
    try:
        yield
    finally:
        gc.enable()


def microseconds(call: Callable[[], None]) -> float:
    started = perf_counter_ns()
    for _ in range(BATCH):
        call()
    return (perf_counter_ns() - started) / BATCH / 1000


def added_costs(calls: dict[str, Callable[[], None]]) -> dict[str, float]:
    """Microseconds per request that each subject adds to its bare application."""
    differences: dict[str, list[float]] = {subject: [] for subject in BASELINES}
    order = list(calls)
    shuffle = random.Random(0).shuffle  # noqa: S311 - an order, not a secret
    with no_garbage_collection():
        for _ in range(ROUNDS):
            shuffle(order)
            times = {subject: microseconds(calls[subject]) for subject in order}
            for subject, baseline in BASELINES.items():
                differences[subject].append(times[subject] - times[baseline])
    return {subject: median(values) for subject, values in differences.items()}


def test_added_cost(
    calls: dict[str, dict[str, Callable[[], None]]], capsys: pytest.CaptureFixture[str]
) -> None:
    rows = {kind: added_costs(calls[kind]) for kind in calls}

    with capsys.disabled():
        print(f"\n\nadded cost per request in µs, and as a share of what {STANDARD} adds\n")
        print(f"{'':18}", *(f"{subject:>17}" for subject in BASELINES))
        for kind, added in rows.items():
            cells = [f"{cost:9.2f}  {cost / added[STANDARD]:5.0%}" for cost in added.values()]
            print(f"{kind:18}", *(f"{cell:>17}" for cell in cells))
