"""Shrinking: from what failed to the smallest policy and request with which it still fails."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from typing import Final, TypeAlias

from cors_conformance.findings import Finding
from cors_conformance.implementation import Implementation
from cors_conformance.policy import Policy
from cors_conformance.rules.base import Breach, Rule, Subject
from cors_conformance.scenario import Batch, Visit
from cors_conformance.servers.base import ConfigurationRefused, ServerDied
from cors_conformance.subjects import Source, sources, subjects
from cors_conformance.world import World

Drawn: TypeAlias = tuple[Policy, Batch]

_DEFAULT: Final = Policy()
_TRIED: Final = 8
"""How many shorter versions of a list are tried."""
_SIMPLER: Final = 40
"""How many simpler policies are tried in all."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Failure:
    """A failure as it was met: the stage and example of the search, and what was done."""

    stage: int
    example: int
    policy: Policy
    source: Source
    message: str


def simpler(policy: Policy) -> Iterator[Policy]:
    """Yield policies with one parameter at its default, then with fewer values in one list."""
    different = [
        name for name in policy.parameters() if getattr(policy, name) != getattr(_DEFAULT, name)
    ]
    for name in different:
        yield replace(policy, **{name: getattr(_DEFAULT, name)})
    for name in different:
        values = getattr(policy, name)
        if isinstance(values, tuple) and len(values) > 1:
            half = len(values) // 2
            fewer = [values[:half], values[half:]]
            # The halves come first: of a long list not every value is tried.
            fewer += [(*values[:at], *values[at + 1 :]) for at in range(len(values))]
            for some in list(dict.fromkeys(fewer))[:_TRIED]:
                yield replace(policy, **{name: some})  # type: ignore[arg-type] # of the list's type


class Enough(BaseException):
    """A search is over. Hypothesis would shrink any `Exception`."""


class Smallest:
    """The search for the smallest counterexample of one rule."""

    def __init__(
        self, implementation: Implementation, rule: Rule, first: Failure, trials: int
    ) -> None:
        self._implementation = implementation
        self._rule = rule
        self._first = first
        self._trials = trials
        self._examples = 0
        self._known: dict[Drawn, tuple[Source, str]] = {}
        self.policy = first.policy
        self.source = first.source

    def trial(self, drawn: Drawn) -> None:
        """Raise the rule's breach if the example shows one.

        Examples before the one that failed while exploring are known to hold. Of those that
        fail, Hypothesis only ever tries smaller ones, so that the last one is the smallest.

        Raises:
            Enough: there were as many trials as the profile allows.

        """
        self._examples += 1
        if self._examples < self._first.example:
            return
        if drawn not in self._known:
            if self._trials == 0:
                raise Enough
            self._trials -= 1
            found = self._breach(*drawn)
            if found is None:
                return
            self._known[drawn] = found
        self.policy = drawn[0]
        self.source, message = self._known[drawn]
        raise Breach(message)

    def simplify(self) -> None:
        """Take the simplest policy under which the same thing done still breaks the rule.

        A hand-picked policy is not drawn, so that Hypothesis has nothing to shrink there.
        """
        candidates = simpler(self.policy)
        for _ in range(_SIMPLER):
            policy = next(candidates, None)
            if policy is None:
                return
            if self._is_breach(policy):
                self.policy = policy
                candidates = simpler(policy)

    def _is_breach(self, policy: Policy) -> bool:
        if self._implementation.cannot_express(policy) is not None:
            return False
        try:
            return finding(self._implementation, self._rule, policy, self.source) is not None
        except (ConfigurationRefused, ServerDied):
            return False

    def _breach(self, policy: Policy, batch: Batch) -> tuple[Source, str] | None:
        if self._implementation.cannot_express(policy) is not None:
            return None
        with World(self._implementation, policy) as world:
            try:
                for source in sources(self._rule.look, batch):
                    _, message = judge(self._rule, world, subjects(self._rule.look, world, source))
                    if message is not None:
                        return source, message
            except (ConfigurationRefused, ServerDied):
                pass
        return None


def judge(rule: Rule, world: World, seen: Iterable[Subject]) -> tuple[int, str | None]:
    """Judge the subjects of one source; give how many the rule concerned, and its breach.

    Raises:
        ServerDied: the server died, and that is not what the rule is about.

    """
    judged = 0
    try:
        for subject in seen:
            judged += rule.check(world, subject)
    except Breach as breach:
        return judged + 1, str(breach)
    return judged, None


def finding(
    implementation: Implementation, rule: Rule, policy: Policy, source: Source
) -> Finding | None:
    """Do it once more from scratch, and tell all that happened; `None` where the rule holds.

    Raises:
        ConfigurationRefused: the implementation refuses the policy.
        ServerDied: it died, and that is not what the rule is about.

    """
    with World(implementation, policy) as world:
        _, message = judge(rule, world, subjects(rule.look, world, source))
        if message is None:
            return None
        fetched = world.fetch(source) if isinstance(source, Visit) else None
        return Finding(
            rule=rule,
            message=message,
            policy=policy,
            source=source,
            wire=tuple(world.log),
            steps=() if fetched is None else fetched.outcome.steps,
            grant=None if fetched is None else fetched.grant,
        )
