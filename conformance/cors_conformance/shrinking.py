"""Shrinking: from what failed to the smallest policy and request with which it still fails."""

from collections.abc import Callable, Collection, Iterable, Iterator
from dataclasses import dataclass, replace
from typing import Final, TypeAlias, TypeVar

from cors_conformance.findings import Finding
from cors_conformance.grounds import gone
from cors_conformance.implementation import Implementation
from cors_conformance.policy import Policy
from cors_conformance.rules.base import Breach, Rule, Subject
from cors_conformance.scenario import PLAIN, ASGICall, Batch, Journey, RawRequest, Visit
from cors_conformance.servers.base import ConfigurationRefused, ServerDied
from cors_conformance.subjects import Source, sources, subjects
from cors_conformance.world import World

Drawn: TypeAlias = tuple[Policy, Batch]
_Value = TypeVar("_Value")

_DEFAULT: Final = Policy()
_TRIED: Final = 8
"""How many shorter versions of a list are tried."""
_SIMPLER: Final = 60
"""How many simpler policies are tried, and how many plainer things to do."""


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
            for some in _fewer(values):
                yield replace(policy, **{name: some})  # type: ignore[arg-type] # of the list's type


def _fewer(values: tuple[_Value, ...]) -> list[tuple[_Value, ...]]:
    """Give shorter versions of a tuple, the halves first: of a long one not each is tried."""
    half = len(values) // 2
    fewer = [values[:half], values[half:]]
    fewer += [(*values[:at], *values[at + 1 :]) for at in range(len(values))]
    return list(dict.fromkeys(fewer))[:_TRIED]


def plainer(source: Source) -> Iterator[Source]:
    """Yield things to do with one part left out, or at its plainest."""
    match source:
        case Journey():
            yield from _shorter(source)
        case Visit():
            yield from _plainer_visit(source)
        case RawRequest(headers=headers):
            yield replace(source, application=PLAIN, body=None)
            for lines in _fewer(headers):
                yield replace(source, headers=lines)
        case Batch():
            yield from _smaller(source)
        case ASGICall():
            return


def _shorter(journey: Journey) -> Iterator[Journey]:
    steps = journey.steps
    if len(steps) > 1:
        for some in _fewer(steps):
            yield Journey(steps=some)
    for at, step in enumerate(steps):
        if isinstance(step, Visit):
            for visit in _plainer_visit(step):
                yield Journey(steps=(*steps[:at], visit, *steps[at + 1 :]))


def _plainer_visit(visit: Visit) -> Iterator[Visit]:
    yield replace(visit, application=PLAIN)
    yield replace(visit, body=None)
    yield replace(visit, headers=())
    yield replace(visit, credentials="omit")
    yield replace(visit, method=b"GET", body=None)
    if len(visit.headers) > 1:
        for lines in _fewer(visit.headers):
            yield replace(visit, headers=lines)


def _smaller(batch: Batch) -> Iterator[Batch]:
    yield replace(batch, journeys=(), hostile=(), single=())
    yield replace(batch, origins=batch.origins[:1])
    yield replace(batch, methods=batch.methods[:1])
    yield replace(batch, header_sets=batch.header_sets[:1])
    yield replace(batch, credentials=batch.credentials[:1])
    yield replace(batch, applications=batch.applications[:1])


class Enough(BaseException):
    """A search is over. Hypothesis would shrink any `Exception`."""


HANGS: Final = 5
"""So many hangs end a search that has an end: each takes seconds, and tells nothing new."""


class Smallest:
    """The search for the smallest counterexample of one rule."""

    def __init__(
        self,
        implementation: Implementation,
        rule: Rule,
        first: Failure,
        trials: int,
        grounds: Collection[str] = (),
    ) -> None:
        self._implementation = implementation
        self._rule = rule
        self._first = first
        self._trials = trials
        self._hangs = 0
        self._grounds = grounds
        self._examples = 0
        self._known: dict[Drawn, tuple[Source, str]] = {}
        self.policy = first.policy
        self.source = first.source

    def trial(self, drawn: Drawn) -> None:
        """Raise the rule's breach if the example shows one.

        Examples before the one that failed while exploring are known to hold. Of those that
        fail, Hypothesis only ever tries smaller ones, so that the last one is the smallest.

        Raises:
            Enough: there were as many trials as the profile allows, or as many hangs as are enough.

        """
        self._examples += 1
        if self._examples < self._first.example:
            return
        if drawn not in self._known:
            if self._trials == 0 or self._hangs >= HANGS:
                raise Enough
            self._trials -= 1
            found = self._breach(drawn[0], sources(self._rule.look, drawn[1]))
            if found is None:
                return
            self._known[drawn] = found
        self.policy = drawn[0]
        self.source, message = self._known[drawn]
        raise Breach(message)

    def simplify(self, *, policies: bool = True) -> None:
        """Take the simplest policy and the plainest thing done that still break the rule.

        What is picked by hand is not drawn, so that Hypothesis has nothing to shrink there.
        """
        if policies:
            self._follow(lambda: ((policy, self.source) for policy in simpler(self.policy)))
        self._follow(lambda: ((self.policy, source) for source in plainer(self.source)))

    def _follow(self, candidates: Callable[[], Iterator[tuple[Policy, Source]]]) -> None:
        """Go from candidate to candidate, as long as there is one that breaks the rule."""
        tried = {(self.policy, self.source)}
        left = candidates()
        while len(tried) <= _SIMPLER and self._hangs < HANGS:
            candidate = next((each for each in left if each not in tried), None)
            if candidate is None:
                return
            tried.add(candidate)
            if self._breach(candidate[0], candidate[1:]) is not None:
                self.policy, self.source = candidate
                left = candidates()

    def _breach(self, policy: Policy, done: Iterable[Source]) -> tuple[Source, str] | None:
        if self._implementation.cannot_express(policy) is not None:
            return None
        with World(self._implementation, policy) as world:
            try:
                for source in done:
                    seen = subjects(self._rule.look, world, source)
                    found = judge(self._rule, world, seen, self._grounds)
                    if found.message is not None and not found.ground:
                        return source, found.message
            except (ConfigurationRefused, ServerDied):
                pass
            finally:
                self._hangs += world.hangs
        return None


@dataclass(frozen=True, slots=True, kw_only=True)
class Judged:
    """What came of the subjects of one source.

    Attributes:
        count: how many of them the rule concerned.
        message: of a breach, if there was one.
        ground: the rule that is broken as well, and from which the breach follows; "" for none.

    """

    count: int
    message: str | None = None
    ground: str = ""


def judge(
    rule: Rule, world: World, seen: Iterable[Subject], grounds: Collection[str] = ()
) -> Judged:
    """Judge the subjects of one source; a breach that follows from another only if there is no own.

    `grounds` are the ids of rules that are judged beside this one.

    Raises:
        ServerDied: the server died, and that is not what the rule is about.

    """
    count = 0
    followed: Judged | None = None
    for subject in seen:
        try:
            count += rule.check(world, subject)
        except Breach as breach:
            count += 1
            ground = gone(world, rule, subject, grounds)
            if ground is None:
                return Judged(count=count, message=str(breach))
            followed = followed or Judged(count=count, message=str(breach), ground=ground)
    return replace(followed, count=count) if followed else Judged(count=count)


def finding(
    implementation: Implementation, rule: Rule, policy: Policy, source: Source
) -> Finding | None:
    """Do it once more from scratch, and tell all that happened; `None` where the rule holds.

    Raises:
        ConfigurationRefused: the implementation refuses the policy.
        ServerDied: it died, and that is not what the rule is about.

    """
    with World(implementation, policy) as world:
        message = judge(rule, world, subjects(rule.look, world, source)).message
        if message is None:
            return None
        fetched = world.fetch(source) if isinstance(source, Visit) else None
        return Finding(
            rule=rule,
            message=message,
            policy=policy,
            tried=None if world.tried is None else world.tried.policy,
            source=source,
            wire=tuple(world.log if world.tried is None else world.tried.log),
            steps=() if fetched is None else fetched.outcome.steps,
            grant=None if fetched is None else fetched.grant,
        )
