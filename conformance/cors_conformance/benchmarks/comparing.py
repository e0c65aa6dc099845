"""What changed between two runs of the benchmarks.

Microseconds of two runs are never compared, for the machine was another one, or busy in another
way. Compared are shares: what an implementation adds, over what another added in the same run.
"""

import math
from collections.abc import Iterator
from dataclasses import dataclass
from statistics import NormalDist

from cors_conformance.benchmarks.results import Results, Share


class NothingInCommon(Exception):
    """Two results that share no row, so that there is nothing to compare."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """How the share of one row changed; `low` and `high` enclose `ratio` with the confidence."""

    implementation: str
    kind: str
    old: Share
    new: Share
    ratio: float
    low: float
    high: float

    @property
    def is_significant(self) -> bool:
        """Whether it is more than chance."""
        return not self.low <= 1 <= self.high

    def is_slower_than(self, threshold: float) -> bool:
        """Whether it is a slow-down, no chance, and one beyond the threshold."""
        return self.low > 1 and self.ratio > 1 + threshold


def compare(old: Results, new: Results, standard: str) -> tuple[Change, ...]:
    """Compare every row that both have, as a share of what the standard adds.

    Raises:
        NothingInCommon: there is no such row.

    """
    changes = tuple(_changes(old, new, standard))
    if not changes:
        message = f"the two have no row in common that is compared with {standard!r}"
        raise NothingInCommon(message)
    return changes


def _changes(old: Results, new: Results, standard: str) -> Iterator[Change]:
    before = {(row.implementation, row.kind): row.shares.get(standard) for row in old.rows}
    for row in new.rows:
        was, now = before.get((row.implementation, row.kind)), row.shares.get(standard)
        if was is None or now is None or was.value <= 0:
            continue
        # The standard is 1 in either, and what is no implementation is there for orientation.
        if row.implementation == standard or row.implementation not in new.subjects:
            continue
        ratio = now.value / was.value
        # Both shares vary: https://en.wikipedia.org/wiki/Propagation_of_uncertainty of a quotient.
        old_error, new_error = _error(was, old.confidence), _error(now, new.confidence)
        error = math.hypot(new_error / was.value, ratio * old_error / was.value)
        reach = _width(max(old.confidence, new.confidence)) * error
        yield Change(
            implementation=row.implementation,
            kind=row.kind,
            old=was,
            new=now,
            ratio=ratio,
            low=ratio - reach,
            high=ratio + reach,
        )


def _error(share: Share, confidence: float) -> float:
    return (share.high - share.low) / 2 / _width(confidence)


def _width(confidence: float) -> float:
    """Return how many standard errors an interval reaches to either side."""
    return NormalDist().inv_cdf((1 + confidence) / 2)
