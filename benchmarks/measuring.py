"""Costs and their ratios, measured interleaved on a machine that has other things to do.

Subjects take turns of well under a millisecond, in a new order each round, so that a machine that
slows down slows all of them; differences and ratios are taken within what is so close together. A
block of rounds gives one observation, the median. Each block builds everything anew, because where
in memory an object happens to be makes a per cent or two: between two instances that differ in
nothing else, that is a real difference, and no finding.
"""

import gc
import math
import random
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from statistics import fmean, median
from time import perf_counter_ns
from typing import Any, Final, TypeAlias

import numpy as np
from numpy.typing import NDArray
from scipy.stats import bootstrap, linregress, mstats, trim_mean

Call: TypeAlias = Callable[[], None]
Times: TypeAlias = dict[str, list[float]]
"""Microseconds a call, by subject, in the order of the rounds."""

CONFIDENCE: Final = 0.999
"""With it, one comparison in a thousand of things that are the same finds a difference."""

NEGLIGIBLE: Final = 0.01
"""A share of 1.01 is no difference: so much comes of where in memory things are."""

_TRIMMED: Final = (0.2, 0.2)
"""The share of blocks at either end that are left out: those which something else disturbed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """How much is measured: blocks, rounds in a block, microseconds a turn."""

    blocks: int = 100
    rounds: int = 12
    turn: float = 200.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Estimate:
    """A value, and the interval that has it with `CONFIDENCE`."""

    value: float
    low: float
    high: float

    def differs_from_one(self) -> bool:
        """Whether it is another than 1, and not only by what is `NEGLIGIBLE`."""
        return self.low > 1 + NEGLIGIBLE or self.high < 1 - NEGLIGIBLE


def measure(build: Callable[[], Mapping[str, Call]], plan: Plan) -> list[Times]:
    """Time what `build` makes, and give the times of each block."""
    shuffle = random.Random(0).shuffle  # noqa: S311 - an order, not a secret
    counts: dict[str, int] = {}
    blocks = []
    for _ in range(plan.blocks):
        calls = build()
        order = list(calls)
        times: Times = {subject: [] for subject in order}
        with _no_garbage_collection():
            for subject in order:
                # Twice: the first time, much is not warm.
                once = min(_microseconds(calls[subject], 2) for _ in range(2))
                counts.setdefault(subject, max(1, int(plan.turn / once)))
            for _ in range(plan.rounds):
                shuffle(order)
                for subject in order:
                    times[subject].append(_microseconds(calls[subject], counts[subject]))
        blocks.append(times)
    return blocks


@contextmanager
def _no_garbage_collection() -> Iterator[None]:
    gc.collect()
    gc.disable()
    try:
        yield
    finally:
        gc.enable()


def _microseconds(call: Call, count: int) -> float:
    for _ in range(count // 2):  # Others had their turn, and left the caches to be filled again.
        call()
    started = perf_counter_ns()
    for _ in range(count):
        call()
    return (perf_counter_ns() - started) / count / 1000


def costs(blocks: Sequence[Times], subject: str, bare: str) -> list[float]:
    """Return the microseconds that a subject adds to the bare application, block by block."""
    return [
        median(time - base for time, base in zip(times[subject], times[bare], strict=True))
        for times in blocks
    ]


def estimate(values: Sequence[float]) -> Estimate:
    """Estimate the mean of observations, a few of which are far out."""
    if len(values) == 1 or max(values) == min(values):
        return Estimate(value=fmean(values), low=min(values), high=max(values))
    low, high = mstats.trimmed_mean_ci(values, limits=_TRIMMED, alpha=1 - CONFIDENCE)
    value = mstats.trimmed_mean(values, limits=_TRIMMED)
    return Estimate(value=float(value), low=float(low), high=float(high))


def ratio(blocks: Sequence[Times], subject: tuple[str, str], standard: tuple[str, str]) -> Estimate:
    """Estimate what a subject adds as a share of what a standard adds.

    Each is a name, and the name of its bare application.
    """
    pairs = zip(costs(blocks, *subject), costs(blocks, *standard), strict=True)
    return estimate([cost / other for cost, other in pairs])


def ratio_of_means(
    blocks: Sequence[Times], subject: tuple[str, str], standard: tuple[str, str]
) -> Estimate:
    """Estimate what `ratio` does, where noise is as large as what the standard adds.

    A ratio within one block then means nothing, and each round is an observation: both means are
    those of all rounds, and the interval is that of the bootstrap over rounds.
    """
    costs = np.asarray(differences(blocks, *subject))
    others = np.asarray(differences(blocks, *standard))

    def quotient(ones: NDArray[Any], twos: NDArray[Any], axis: int = -1) -> NDArray[Any]:
        one, two = (trim_mean(values, _TRIMMED[0], axis=axis) for values in (ones, twos))
        return np.asarray(one / two)

    value = float(quotient(costs, others))
    if np.array_equal(costs, others):
        return Estimate(value=value, low=value, high=value)
    found = bootstrap(
        (costs, others),
        quotient,
        paired=True,
        vectorized=True,
        confidence_level=CONFIDENCE,
        method="percentile",
        rng=0,
    ).confidence_interval
    return Estimate(value=value, low=float(found.low), high=float(found.high))


def differences(blocks: Sequence[Times], subject: str, bare: str) -> list[float]:
    """Return the microseconds that a subject adds to the bare application, round by round."""
    return [
        time - base
        for times in blocks
        for time, base in zip(times[subject], times[bare], strict=True)
    ]


def exponent(sizes: Sequence[float], values: Sequence[float]) -> float:
    """Return the exponent of the power law that fits best: 0 is flat, 1 is linear."""
    fitted = linregress([math.log(size) for size in sizes], [math.log(value) for value in values])
    return float(fitted.slope)
