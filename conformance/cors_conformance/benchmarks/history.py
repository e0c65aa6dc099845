"""Results of benchmarks in the order of their time: how shares went from one to the next."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Final, TypeAlias

from cors_conformance.benchmarks.comparing import NothingInCommon
from cors_conformance.benchmarks.results import BadResults, Results, Row, Share, load
from cors_conformance.report.escape import printable

_ABBREVIATED: Final = 7
"""Characters of a commit that are shown, as git has it."""

_MOST: Final = 1e9
"""A share beyond it was not measured."""

_Key: TypeAlias = tuple[str, str]
"""An implementation, and a kind of request."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Series:
    """One implementation and one kind of request; `None` where a run did not measure it."""

    implementation: str
    shares: tuple[Share | None, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class History:
    """Runs, the oldest first.

    Attributes:
        standard: the implementation whose cost in the same run is 1.
        runs: the results.
        times: when each was taken.
        kinds: the series of each kind of request, one share a run.

    """

    standard: str
    runs: tuple[Results, ...]
    times: tuple[datetime, ...]
    kinds: Mapping[str, tuple[Series, ...]]

    def implementations(self) -> tuple[str, ...]:
        """Return what has a series, in the order of the results."""
        names = (one.implementation for series in self.kinds.values() for one in series)
        return tuple(dict.fromkeys(names))

    def labels(self) -> tuple[str, ...]:
        """Name each run: its commit, and its time where that does not tell."""
        commits = [printable(run.commit[:_ABBREVIATED]) for run in self.runs]
        count = Counter(commits)
        labels = []
        for commit, time in zip(commits, self.times, strict=True):
            named = [commit] if commit else []
            if not commit or count[commit] > 1:
                named.append(f"{time:%Y-%m-%d %H:%M}")
            labels.append(" ".join(named))
        return tuple(labels)

    def news(self) -> tuple[tuple[str, ...], ...]:
        """Return, for each run, the implementations whose version is another than before."""
        return tuple(tuple(self._news(index)) for index in range(len(self.runs)))

    def versions(self, implementation: str) -> tuple[str, ...]:
        """Return the versions that were measured, oldest first, "" where there is none."""
        measured = (run.subjects.get(implementation) for run in self.runs)
        return tuple(dict.fromkeys(one.version for one in measured if one is not None))

    def _news(self, index: int) -> Iterator[str]:
        for name, subject in self.runs[index].subjects.items():
            before = [run.subjects[name] for run in self.runs[:index] if name in run.subjects]
            if before and before[-1].version != subject.version:
                yield f"{name} {subject.version}"


def history(paths: Sequence[Path], standard: str) -> History:
    """Read results and put them in the order of their time.

    Raises:
        BadResults: a file is no result, or says of no time and no share what is one.
        NothingInCommon: nothing was compared with the standard, or one of several results has no
            row that another has.

    """
    taken = []
    for path in paths:
        run = load(path)
        taken.append((_time(run, path), path, run, _rows(run, path, standard)))
    taken.sort(key=lambda one: one[0])
    common = Counter(key for _, _, _, rows in taken for key in rows)
    for _, path, _, rows in taken:
        if not rows:
            message = f"{path}: no row is compared with {standard!r}"
            raise NothingInCommon(message)
        if len(taken) > 1 and all(common[key] == 1 for key in rows):
            message = f"{path}: no row in common with another result"
            raise NothingInCommon(message)
    kinds: dict[str, list[Series]] = {}
    for implementation, kind in common:
        shares = tuple(rows.get((implementation, kind)) for *_, rows in taken)
        kinds.setdefault(kind, []).append(Series(implementation=implementation, shares=shares))
    return History(
        standard=standard,
        runs=tuple(run for _, _, run, _ in taken),
        times=tuple(time for time, *_ in taken),
        kinds={kind: tuple(series) for kind, series in kinds.items()},
    )


def _time(run: Results, path: Path) -> datetime:
    try:
        time = datetime.fromisoformat(run.taken)
        # Results that were edited by hand may have no zone.
        return time.replace(tzinfo=UTC) if time.tzinfo is None else time.astimezone(UTC)
    except (ValueError, OverflowError) as error:
        message = f"{path}: taken at {run.taken!r}, expected a time in ISO 8601 - at `$.taken`"
        raise BadResults(message) from error


def _rows(run: Results, path: Path, standard: str) -> dict[_Key, Share]:
    """Return the shares of the standard, but for its own, which are 1."""
    rows = {}
    for row in run.rows:
        share = row.shares.get(standard)
        if share is None or row.implementation == standard:
            continue
        if not _is_measured(share):
            message = f"{path}: no share with an interval: {share}, {_told(row)}"
            raise BadResults(message)
        rows[row.implementation, row.kind] = share
    return rows


def _is_measured(share: Share) -> bool:
    return -_MOST <= share.low <= share.value <= share.high <= _MOST


def _told(row: Row) -> str:
    return f"of {row.implementation!r} for {row.kind!r}"
