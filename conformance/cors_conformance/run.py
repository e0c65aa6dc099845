"""A run: explore once, judge by all, shrink by one.

Hypothesis draws a policy with a batch of requests, one server is built for it, and every rule
judges everything that it can concern. A rule that failed gets a search of its own, in which
Hypothesis shrinks the example to that rule's smallest policy and request.
"""

import random
from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from typing import Final, Protocol, TypeAlias

from hypothesis import given, seed, settings
from hypothesis import strategies as st
from hypothesis.errors import Flaky
from hypothesis.stateful import run_state_machine_as_test

from cors_conformance import strategies
from cors_conformance.application import ApplicationResponse
from cors_conformance.fetch.http import HTTPRequest
from cors_conformance.findings import Finding, Report, RuleResult, Status
from cors_conformance.implementation import Capability, Implementation
from cors_conformance.policy import Parameter, Policy
from cors_conformance.profiles import Profile
from cors_conformance.rules.base import Breach, Look, Rule
from cors_conformance.scenario import API
from cors_conformance.servers.base import ConfigurationRefused, ServerDied
from cors_conformance.servers.start import start
from cors_conformance.shrinking import (
    HANGS,
    Drawn,
    Enough,
    Failure,
    Judged,
    Smallest,
    finding,
    judge,
)
from cors_conformance.subjects import Source, sources, subjects
from cors_conformance.world import World

Progress: TypeAlias = Callable[[str, int, int], None]
"""Called with what is being done, how much of it is done, and how much there is; 0: no end."""

_ONCE: Final = frozenset({Look.POLICY, Look.CALL})
"""What is the same in every batch of a policy."""

KEPT: Final = 2000
"""How many policies a run tells apart: more than a profile that ends has."""

PARAMETERS: Final[tuple[tuple[Capability, Parameter], ...]] = (
    (Capability.METHODS, "allow_methods"),
    (Capability.HEADERS, "allow_headers"),
    (Capability.CREDENTIALS, "allow_credentials"),
    (Capability.EXPOSE, "expose_headers"),
    (Capability.MAX_AGE, "max_age"),
)


class Corpus(Protocol):
    """Counterexamples that outlive a run."""

    @property
    def notes(self) -> tuple[str, ...]:
        """What is to be told of them."""

    def replay(self, rules: Collection[str], policy: Policy | None) -> Iterator[Finding]:
        """Do again those that were not done yet, and give what still fails.

        At most one for each of the `rules`, by id; with a `policy` those of that one only.
        """

    def save(self, finding: Finding) -> None:
        """Keep one."""


class CannotTest(Exception):
    """The implementation cannot be tested at all; the message says why and whose matter it is."""


def smoke(implementation: Implementation, policy: Policy | None = None) -> None:
    """See that the implementation starts and answers anything, before it is judged.

    Raises:
        CannotTest: it does not.

    """
    policy = policy or _first_policy(implementation)
    why = implementation.cannot_express(policy)
    if why is not None:
        message = f"{implementation.name} cannot express the policy {policy}: {why}"
        raise CannotTest(message)
    origin = (b"origin", b"https://a.example")
    asks = (origin, (b"access-control-request-method", b"PUT"))
    failures: list[str] = []
    try:
        with start(implementation, policy) as server:
            for method, headers in ((b"GET", ()), (b"GET", (origin,)), (b"OPTIONS", asks)):
                request = HTTPRequest(method=method, url=API + "/", headers=headers)
                reply = server.send(request, ApplicationResponse())
                if reply.response is not None:
                    return
                failures.append(reply.failure or "no response")
    except ConfigurationRefused as error:
        message = f"{implementation.name} refuses the policy {policy}: {error}"
        raise CannotTest(message) from error
    except ServerDied as error:
        failures.append(str(error))
    message = f"{implementation.name} answers no request at all: {failures[0]}"
    raise CannotTest(message)


def _first_policy(implementation: Implementation) -> Policy:
    """Give a plain policy, or else one of those of every run that it can express."""
    plain = Policy(allow_origins=("https://a.example",))
    corners = strategies.corner_policies(parameters=_parameters(implementation))
    return next(
        (each for each in (plain, *corners) if implementation.cannot_express(each) is None), plain
    )


def _parameters(implementation: Implementation) -> frozenset[Parameter]:
    lacks = implementation.lacks
    can = [parameter for capability, parameter in PARAMETERS if capability not in lacks]
    return frozenset({"allow_origins", *can})


class Stage(Protocol):
    """A part of a run."""

    @property
    def examples(self) -> int:
        """How many there are, at most."""

    def run(self, body: Callable[[Drawn], None]) -> None:
        """Do `body` with each example, the same ones every time."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Search:
    """Examples that Hypothesis draws; where `body` raises, it shrinks them."""

    strategy: st.SearchStrategy[Drawn]
    settings: settings
    seed: str

    @property
    def examples(self) -> int:
        return self.settings.max_examples

    def run(self, body: Callable[[Drawn], None]) -> None:
        @seed(self.seed)
        @self.settings
        @given(self.strategy)
        def example(drawn: Drawn) -> None:
            body(drawn)

        example()


@dataclass(frozen=True, slots=True)
class _Sweeps:
    """The sweeps of some policies, each an example."""

    policies: Sequence[Policy]
    can: dict[str, bool]

    @property
    def examples(self) -> int:
        return len(self.policies)

    def run(self, body: Callable[[Drawn], None]) -> None:
        for drawn in strategies.sweeps(self.policies, **self.can):
            body(drawn)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Machine:
    """Examples that a state machine makes step by step: journeys longer than those of batches."""

    policies: st.SearchStrategy[Policy]
    can: dict[str, bool]
    settings: settings
    seed: str

    @property
    def examples(self) -> int:
        return self.settings.max_examples

    def run(self, body: Callable[[Drawn], None]) -> None:
        can = {option: self.can[option] for option in ("application_headers", "any_method")}
        machine = seed(self.seed)(strategies.browsing(self.policies, body, **can))
        run_state_machine_as_test(machine, settings=self.settings)


@dataclass(slots=True)
class _Tally:
    """What exploring saw of one rule.

    Attributes:
        judged: how many subjects it concerned.
        failed: how many sources broke it, those included that break its ground as well.
        first: where it failed first, and nothing that it depends on did.
        followed: where it failed first together with what it depends on, by the id of that rule.
        finding: the smallest counterexample, when it has been searched for.

    """

    judged: int = 0
    failed: int = 0
    first: Failure | None = None
    followed: dict[str, Failure] = field(default_factory=dict)
    finding: Finding | None = None

    def add(self, found: Judged, policy: Policy, source: Source, place: tuple[int, int]) -> None:
        """Count what came of one source, and keep the first failure of its kind."""
        self.judged += found.count
        self.failed += found.message is not None
        known = found.ground in self.followed if found.ground else self.first is not None
        if found.message is None or known:
            return
        stage, example = place
        failure = Failure(
            stage=stage, example=example, policy=policy, source=source, message=found.message
        )
        if found.ground:
            self.followed[found.ground] = failure
        else:
            self.first = failure


@dataclass(slots=True)
class _Policies:
    """Policies, each with what was said of it; those beyond `KEPT` are only counted."""

    kept: dict[Policy, str] = field(default_factory=dict)
    more: int = 0

    def __contains__(self, policy: Policy) -> bool:
        return policy in self.kept

    def __len__(self) -> int:
        return len(self.kept) + self.more

    def add(self, policy: Policy, told: str = "") -> None:
        if policy in self.kept or len(self.kept) < KEPT:
            self.kept[policy] = told
        else:
            self.more += 1


@dataclass(slots=True, kw_only=True)
class Run:
    """One implementation, some rules, one profile.

    Attributes:
        implementation: what is tested.
        rules: the rules to judge.
        profile: how to search.
        policy: the only policy to test, if one is given.
        progress: is told what happens.
        seed: of the search; drawn where there is none and the profile is random.
        corpus: counterexamples to begin with, and where new ones go.

    """

    implementation: Implementation
    rules: Sequence[Rule]
    profile: Profile
    policy: Policy | None = None
    progress: Progress = lambda *_: None
    seed: int | None = None
    corpus: Corpus | None = None
    _tallies: dict[str, _Tally] = field(default_factory=dict)
    _served: _Policies = field(default_factory=_Policies)
    _refused: _Policies = field(default_factory=_Policies)
    _died: _Policies = field(default_factory=_Policies)
    _inexpressible: dict[str, int] = field(default_factory=dict)
    _exchanges: int = 0
    _hangs: int = 0
    _picked: int | None = None

    def report(self) -> Report:
        """Explore, then shrink.

        Raises:
            CannotTest: the implementation does not start, or serves no policy of the run.
            HarnessError: the suite or a harness is at fault; nothing is said of the implementation.

        """
        testable = self._begin()
        self._replay(testable)
        stages = list(self._stages())
        self._explore(testable, stages)
        if not self._served:
            raise CannotTest(self._nothing())
        failed = [rule for rule in testable if self._is_to_shrink(rule)]
        for number, rule in enumerate(failed):
            self.progress(f"shrinking {rule.id}", number, len(failed))
            self._shrink(rule, stages[self._first(rule).stage])
        report = self._report()
        if self._hangs < HANGS:
            return report
        note = f"it hung under {self._hangs} policies, and no further ones were tried"
        return replace(report, notes=(note, *report.notes))

    def testable(self) -> list[Rule]:
        """Return the rules for which the implementation lacks nothing."""
        return [rule for rule in self.rules if not self.implementation.why_lacking(rule.needs)]

    def examples(self) -> st.SearchStrategy[Drawn]:
        """Return what a search draws: a policy, and a batch of requests."""
        return _drawn(self._policies(), self._can())

    def first_finding(self, drawn: Drawn, picked: int) -> Finding | None:
        """Judge one thing done of an example alone; return the first finding, not shrunk, if any.

        `picked` is its number, modulo how many there are.

        Raises:
            HarnessError: the suite or a harness is at fault; nothing is said of the implementation.

        """
        testable = self.testable()
        self._tallies = {rule.id: _Tally() for rule in testable}
        self._served = _Policies()
        self._picked = picked
        self._judge_all(drawn, testable, 0, 1)
        for rule in testable:
            if self._is_to_shrink(rule):
                first = self._first(rule)
                self._found(rule, first.policy, first.source)
                return self._tallies[rule.id].finding
        return None

    def _begin(self) -> list[Rule]:
        """Draw a seed if there is to be one, see that there is something to judge, give by what."""
        if self.seed is None and not self.profile.is_deterministic:
            self.seed = random.randrange(2**32)  # noqa: S311 - a seed to print, not a secret
        smoke(self.implementation, self.policy)
        testable = self.testable()
        self._tallies = {rule.id: _Tally() for rule in testable}
        return testable

    def _replay(self, rules: Sequence[Rule]) -> None:
        """Do again what was found before; a rule that fails of it needs no search of its own."""
        if self.corpus is None:
            return
        open_rules = [rule.id for rule in rules if self._tallies[rule.id].finding is None]
        for found in self.corpus.replay(open_rules, self.policy):
            self._tallies[found.rule.id].finding = found

    def _is_to_shrink(self, rule: Rule) -> bool:
        tally = self._tallies[rule.id]
        return bool(tally.failed) and tally.finding is None and self._root_cause(rule) is None

    def _report(self) -> Report:
        return Report(
            implementation=self.implementation,
            profile=self.profile.name,
            seed=self.seed,
            results=tuple(self._result(rule) for rule in self.rules),
            policies=len(self._served),
            exchanges=self._exchanges,
            refused=tuple(self._refused.kept.items()),
            died=tuple(self._died.kept.items()),
            inexpressible=tuple(self._inexpressible.items()),
            more_refused=self._refused.more,
            more_died=self._died.more,
            notes=() if self.corpus is None else self.corpus.notes,
        )

    def _nothing(self) -> str:
        reasons = [f"it refused {policy}: {why}" for policy, why in self._refused.kept.items()]
        reasons += [f"it cannot express policies: {why}" for why in self._inexpressible]
        return f"{self.implementation.name} served no policy of this run; {reasons[0]}"

    def _root_cause(self, rule: Rule) -> str | None:
        """Say of which rule it is that this one failed: of one that never held, or not alone."""
        for name in rule.depends_on:
            tally = self._tallies.get(name)
            if tally is not None and 0 < tally.judged == tally.failed:
                return f"{name} never holds"
        tally = self._tallies[rule.id]
        if self._own(rule) is None and tally.finding is None and tally.followed:
            names = " and ".join(tally.followed)
            return f"{names} {'does' if len(tally.followed) == 1 else 'do'} not hold there either"
        return None

    def _result(self, rule: Rule) -> RuleResult:
        lacking = self.implementation.why_lacking(rule.needs)
        if lacking:
            reason = "; ".join(lacking)
            return RuleResult(rule=rule, status=Status.NOT_TESTED, reason=reason)
        tally = self._tallies[rule.id]
        # What was replayed is not counted: it says nothing of whether a rule ever holds.
        if not tally.judged and tally.finding is None:
            reason = "nothing of this run concerned it"
            return RuleResult(rule=rule, status=Status.NOT_TESTED, reason=reason)
        has_failed = bool(tally.failed) or tally.finding is not None
        cause = self._root_cause(rule) if has_failed else None
        if cause is not None:
            return RuleResult(rule=rule, status=Status.FOLLOWS, judged=tally.judged, reason=cause)
        status = Status.FAILED if has_failed else Status.PASSED
        judged = tally.judged or 1
        return RuleResult(rule=rule, status=status, judged=judged, finding=tally.finding)

    def _stages(self) -> Iterator[Stage]:
        """Give the searches: each hand-picked policy, then random ones; or the one policy."""
        if self.policy is not None:
            if self.profile.sweeps:
                yield _Sweeps((self.policy,), self._can())
            yield self._drawn(1, st.just(self.policy), self.profile.random)
            yield self._machine(2, st.just(self.policy))
            return
        parameters = _parameters(self.implementation)
        corners = strategies.corner_policies(
            parameters=parameters,
            wildcard_with_credentials=True,
            any_method=self._can()["any_method"],
        )
        drawn = self.profile.corners
        if self.implementation.interface == "http" and self.profile.sweeps:
            # An exchange takes longer there, a server is a process; the sweeps stay as they are.
            drawn = settings(drawn, max_examples=-(-drawn.max_examples // 2))
        for number, policy in enumerate(corners):
            yield self._drawn(number, st.just(policy), drawn)
        if self.profile.sweeps:
            yield _Sweeps(corners, self._can())
        policies = self._policies()
        yield self._drawn(len(corners), policies, self.profile.random)
        yield self._machine(len(corners) + 1, policies)

    def _policies(self) -> st.SearchStrategy[Policy]:
        """Give the policies of a search: random ones, or the one."""
        if self.policy is not None:
            return st.just(self.policy)
        return strategies.policies(
            parameters=_parameters(self.implementation),
            wildcard_with_credentials=True,
            any_method=self._can()["any_method"],
        )

    def _can(self) -> dict[str, bool]:
        return {
            option: capability not in self.implementation.lacks
            for option, capability in (
                ("application_headers", Capability.APPLICATION_HEADERS),
                ("application_status", Capability.APPLICATION_STATUS),
                ("exceptions", Capability.APPLICATION_EXCEPTIONS),
                ("chunks", Capability.APPLICATION_CHUNKS),
                ("raw_requests", Capability.RAW_REQUESTS),
                ("any_method", Capability.ANY_METHOD),
            )
        }

    def _drawn(self, number: int, policies: st.SearchStrategy[Policy], profile: settings) -> Stage:
        # Each has its own seed, or all hand-picked policies would meet the same choices.
        return _Search(
            strategy=_drawn(policies, self._can()),
            settings=profile,
            seed=f"{self.seed or 0} {number}",
        )

    def _machine(self, number: int, policies: st.SearchStrategy[Policy]) -> Stage:
        return _Machine(
            policies=policies,
            can=self._can(),
            settings=self.profile.machines,
            seed=f"{self.seed or 0} {number}",
        )

    def _explore(self, rules: Sequence[Rule], stages: Sequence[Stage]) -> None:
        """Judge every example by every rule, as long as the implementation mostly answers."""
        total = sum(stage.examples for stage in stages)
        before = 0
        with suppress(Enough):
            for number, stage in enumerate(stages):
                count = 0

                def body(drawn: Drawn) -> None:
                    nonlocal count
                    count += 1
                    self.progress("exploring", before + count, total)  # noqa: B023
                    self._judge_all(drawn, rules, number, count)  # noqa: B023
                    if self._hangs >= HANGS:
                        raise Enough

                stage.run(body)
                before += stage.examples

    def _judge_all(self, drawn: Drawn, rules: Sequence[Rule], stage: int, example: int) -> None:
        policy, _ = drawn
        why = self.implementation.cannot_express(policy)
        if why is not None:
            # The words may be different every time: those beyond the first are one.
            why = why if why in self._inexpressible or len(self._inexpressible) < KEPT else "others"
            self._inexpressible[why] = self._inexpressible.get(why, 0) + 1
            return
        with World(self.implementation, policy) as world:
            try:
                _ = world.server
            except ConfigurationRefused as error:
                self._refused.add(policy, str(error))
                for rule in rules:
                    if rule.refusal is not None and rule.refusal(policy):
                        self._tallies[rule.id].judged += 1
                return
            except ServerDied as error:
                self._died.add(policy, str(error))
            is_known = policy in self._served
            self._served.add(policy)
            for look in Look:
                concerned = [
                    rule
                    for rule in rules
                    if rule.look is look and not (is_known and self._is_repeated(rule))
                ]
                self._judge_look(look, concerned, world, drawn, (stage, example))
            self._exchanges += len(world.log)
        self._hangs += world.hangs

    def _is_repeated(self, rule: Rule) -> bool:
        """Whether one more batch of the same policy says nothing new: a rule may pick its batch."""
        return rule.look in _ONCE and self._tallies[rule.id].judged > 0

    def _judge_look(
        self,
        look: Look,
        rules: list[Rule],
        world: World,
        drawn: Drawn,
        place: tuple[int, int],
    ) -> None:
        """Judge one batch by the rules that look at the same."""
        policy, batch = drawn
        done = list(sources(look, batch)) if rules else []
        if self._picked is not None and done:
            done = [done[self._picked % len(done)]]
        for source in done:
            if world.hangs >= HANGS:
                return
            try:
                seen = list(subjects(look, world, source))
            except ServerDied as error:
                self._died.add(policy, str(error))
                return
            for rule in [*rules]:
                tally = self._tallies[rule.id]
                # From where a failure follows matters as long as there is none of its own.
                grounds = () if tally.first is not None else self._tallies
                try:
                    found = judge(rule, world, seen, grounds)
                except ServerDied as error:
                    self._died.add(policy, str(error))
                    rules.remove(rule)
                    continue
                tally.add(found, policy, source, place)

    def _first(self, rule: Rule) -> Failure:
        first = self._own(rule)
        assert first is not None  # noqa: S101 - asked of rules that failed only
        return first

    def _own(self, rule: Rule) -> Failure | None:
        """Give a failure that does not follow from a finding: what it depends on is none itself."""
        tally = self._tallies[rule.id]
        if tally.first is not None:
            return tally.first
        return next(
            (each for name, each in tally.followed.items() if not self._tallies[name].failed), None
        )

    def _shrink(self, rule: Rule, stage: Stage) -> None:
        """Search once more with one rule, for its smallest policy and request."""
        first = self._first(rule)
        failed = [name for name, tally in self._tallies.items() if tally.failed]
        smallest = Smallest(self.implementation, rule, first, self.profile.trials, failed)
        # What is found is found, be it that an implementation answers now so, now so.
        with suppress(Breach, Flaky, Enough):
            stage.run(smallest.trial)
        smallest.simplify(policies=self.policy is None)
        self._found(rule, smallest.policy, smallest.source)

    def _found(self, rule: Rule, policy: Policy, source: Source) -> None:
        """Take down a finding, done once more, and keep it."""
        try:
            shown = finding(self.implementation, rule, policy, source)
        except (ConfigurationRefused, ServerDied):
            shown = None
        first = self._first(rule)
        shown = shown or Finding(
            rule=rule,
            message=f"{first.message} (it does not show every time)",
            policy=first.policy,
            source=first.source,
        )
        self._tallies[rule.id].finding = shown
        if self.corpus is not None:
            self.corpus.save(shown)


@st.composite
def _drawn(draw: st.DrawFn, policies: st.SearchStrategy[Policy], can: dict[str, bool]) -> Drawn:
    policy = draw(policies)
    return policy, draw(strategies.batches(policy, **can))
