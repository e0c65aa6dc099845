"""The kill matrix: which rules catch which mutants, and how soon.

It judges the rule book. A mutant that no rule catches is a hole in it, and a rule that catches no
mutant has not shown that it can.
"""

import os
import platform
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from statistics import median
from typing import Final, TypeAlias

from rich.table import Table

from cors_conformance.mutants import MUTANTS, Mutant
from cors_conformance.pool import each_done
from cors_conformance.profiles import PROFILES, Profile
from cors_conformance.rules import RULES
from cors_conformance.rules.base import Rule, breaks
from cors_conformance.run import CannotTest, Run, smoke
from cors_conformance.scenario import Batch
from cors_conformance.servers.base import ConfigurationRefused, ServerDied
from cors_conformance.shrinking import Drawn, Enough
from cors_conformance.subjects import sources, subjects
from cors_conformance.world import World

DEAD_ON_ARRIVAL: Final = "(answers nothing)"
"""What stands for a rule where a mutant does not get past the smoke check."""

Told: TypeAlias = Callable[["Kill"], None]
"""Called with what came of each mutant as soon as it is known."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Kill:
    """What came of one mutant.

    Attributes:
        mutant: its id.
        rules: the rules that failed, each with the seconds until it first did.
        named: those of them that name the mistake.
        seconds: how long all of it took.

    """

    mutant: str
    rules: Mapping[str, float]
    named: tuple[str, ...]
    seconds: float

    @property
    def first(self) -> float | None:
        """The seconds until any rule failed; `None` for a survivor."""
        return min(self.rules.values(), default=None)


class _Hunt(Run):
    """A run that shrinks nothing, and forgets each rule that has failed."""

    def hunt(self, *, until: Iterable[str]) -> dict[str, float]:
        """Return the rules that failed, with seconds; stop after the example in which `until` did.

        Raises:
            CannotTest: the implementation answers nothing.

        """
        self._until = frozenset(until)
        self._failed: dict[str, float] = {}
        self._started = time.perf_counter()
        smoke(self.implementation)
        self._explore(self.testable(), list(self._stages()))
        return self._failed

    def _judge_all(self, drawn: Drawn, rules: Sequence[Rule], stage: int, example: int) -> None:
        del stage, example
        policy, batch = drawn
        with World(self.implementation, policy) as world:
            try:
                _ = world.server
            except ConfigurationRefused:
                return
            except ServerDied:
                pass  # there is a rule about that
            # Who names the mistake is asked first; the others have their say on what killed it.
            self._judge([rule for rule in rules if rule.id in self._until], world, batch)
            if self._until and self._until.isdisjoint(self._failed):
                return
            self._judge([rule for rule in rules if rule.id not in self._until], world, batch)
            if self._until:
                raise Enough

    def _judge(self, rules: Iterable[Rule], world: World, batch: Batch) -> None:
        for rule in rules:
            if rule.id not in self._failed and _is_broken(rule, world, batch):
                self._failed[rule.id] = time.perf_counter() - self._started


def _is_broken(rule: Rule, world: World, batch: Batch) -> bool:
    try:
        return any(
            breaks(rule.check, world, subject)
            for source in sources(rule.look, batch)
            for subject in subjects(rule.look, world, source)
        )
    except ServerDied:
        return False


def kill(
    mutant: Mutant, rules: Sequence[Rule], profile: Profile, *, until_named: bool = True
) -> Kill:
    """Judge a mutant by rules, in the order in which a run does.

    The hunt ends with the example in which a rule failed that names the mistake; with
    `until_named` off it goes on, and finds all rules that ever fail.
    """
    started = time.perf_counter()
    hunt = _Hunt(implementation=mutant.implementation, rules=rules, profile=profile)
    try:
        failed = hunt.hunt(until=mutant.dies_by if until_named else ())
    except CannotTest:
        failed = {DEAD_ON_ARRIVAL: time.perf_counter() - started}
    return Kill(
        mutant=mutant.id,
        rules=failed,
        named=tuple(name for name in mutant.dies_by if name in failed),
        seconds=time.perf_counter() - started,
    )


def kill_thoroughly(mutant: Mutant, rules: Sequence[Rule], profiles: Sequence[Profile]) -> Kill:
    """Judge a mutant with one profile after the other until a rule that names it has failed."""
    seconds = 0.0
    named: tuple[str, ...] = ()
    found: dict[str, float] = {}
    for profile in profiles:
        result = kill(mutant, rules, profile)
        for name, after in result.rules.items():
            found.setdefault(name, seconds + after)
        seconds += result.seconds
        named = result.named
        if named:
            break
    else:
        # No rule names it: whether any other one kills it tells a gap from a wrong name.
        result = kill(mutant, rules, profiles[0], until_named=False)
        found = {name: seconds + after for name, after in result.rules.items()}
        seconds += result.seconds
    return Kill(mutant=mutant.id, rules=found, named=named, seconds=seconds)


def _by_name(mutant: str, rules: tuple[str, ...], profiles: tuple[str, ...]) -> Kill:
    # What goes to another process is text: implementations hold functions made on the spot.
    return kill_thoroughly(
        MUTANTS[mutant],
        [RULES[name] for name in rules],
        [PROFILES[name] for name in profiles],
    )


def matrix(
    mutants: Iterable[Mutant],
    rules: Iterable[Rule],
    *,
    profiles: Sequence[str] = ("quick", "default"),
    processes: int = 1,
    told: Told = lambda _: None,
) -> tuple[Kill, ...]:
    """Judge mutants by rules, in the order given, in so many processes."""
    names = tuple(rule.id for rule in rules)
    ids = [mutant.id for mutant in mutants]
    jobs = [(each, names, tuple(profiles)) for each in ids]
    found: dict[str, Kill] = {}
    for result in each_done(_by_name, jobs, processes=processes):
        found[result.mutant] = result
        told(result)
    return tuple(found[each] for each in ids)


def survivors(kills: Iterable[Kill]) -> tuple[Kill, ...]:
    """Return those that no rule killed."""
    return tuple(kill for kill in kills if not kill.rules)


def misnamed(kills: Iterable[Kill]) -> tuple[Kill, ...]:
    """Return those that died, and by no rule that names their mistake."""
    return tuple(kill for kill in kills if kill.rules and not kill.named)


def idle(kills: Iterable[Kill], rules: Iterable[Rule]) -> tuple[str, ...]:
    """Return the ids of rules that killed nothing."""
    busy = {name for kill in kills for name in kill.rules}
    return tuple(rule.id for rule in rules if rule.id not in busy)


def median_seconds(kills: Iterable[Kill]) -> float:
    """Return the median of the seconds to the first finding; of nothing, 0."""
    return median([kill.first for kill in kills if kill.first is not None] or [0.0])


def table(kills: Iterable[Kill]) -> Table:
    """Lay the matrix out: a row per mutant, with the rules that killed it, the named ones first."""
    laid = Table("mutant", "class", "first", "killed by the rules that name it", "and by")
    for each in kills:
        others = [name for name in each.rules if name not in each.named]
        laid.add_row(
            each.mutant,
            MUTANTS[each.mutant].defect,
            "-" if each.first is None else f"{each.first:.2f} s",
            ", ".join(each.named) or "[red]none[/red]",
            ", ".join(others),
        )
    return laid


_PAGE_HEAD: Final = """\
# Kill matrix

Which [rules](rules.md) found which of the {count} [mutants](mutants.md), and how soon: the seconds
from the start of the search to the first rule that failed, {median:.2f} in the median. The search
ends with the example in which a rule failed that names the mistake; the other rules are those that
failed up to then.

This page is what `cors-conformance mutants --markdown docs/kill-matrix.md` wrote, with
{python} on {machine}.

| mutant | class | seconds | rules that name the mistake | others |
| --- | --- | --- | --- | --- |
"""


def page(kills: Sequence[Kill]) -> str:
    """Return the matrix as a page of Markdown, a row per mutant."""
    head = _PAGE_HEAD.format(
        count=len(kills),
        median=median_seconds(kills),
        python=f"{platform.python_implementation()} {platform.python_version()}",
        machine=f"{platform.system()} ({platform.machine()}, {os.cpu_count()} cores)",
    )
    return head + "".join(f"{_row(each)}\n" for each in kills)


def _row(found: Kill) -> str:
    def linked(names: Iterable[str]) -> str:
        return ", ".join(f"[{name}](rules.md#{name})" for name in names)

    others = [name for name in found.rules if name not in found.named]
    cells = (
        found.mutant,
        MUTANTS[found.mutant].defect,
        "-" if found.first is None else f"{found.first:.2f}",
        linked(found.named) or "none",
        linked(others),
    )
    return f"| {' | '.join(cells)} |"
