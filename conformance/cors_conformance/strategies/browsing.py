"""Browsing: pages that fetch one after the other, as a state machine."""

from collections.abc import Callable
from typing import Final, TypeAlias

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, rule

from cors_conformance.application import ApplicationResponse
from cors_conformance.policy import Policy
from cors_conformance.scenario import PLAIN, Batch, Journey, Visit, Wait
from cors_conformance.strategies.applications import cacheable_applications
from cors_conformance.strategies.choices import Choices
from cors_conformance.strategies.pools import Pools, choose_pools
from cors_conformance.strategies.requests import START, cacheable_steps, preflighted_steps

_NUMBERS: Final = st.integers(0, 99)
"""Hypothesis mixes in nothing of its surroundings where there are so few."""

_Start: TypeAlias = tuple[Policy, Pools, ApplicationResponse]


def browsing(
    policies: st.SearchStrategy[Policy],
    body: Callable[[tuple[Policy, Batch]], None],
    *,
    application_headers: bool = True,
    any_method: bool = True,
) -> type[RuleBasedStateMachine]:
    """Return a machine that hands the journey of some pages to `body` when it ends.

    The pages are of several origins, share one browser's caches and one shared cache, ask for
    permissions and for a cacheable resource, and wait. Options as for `batches`.

    Aims at what takes several steps to go wrong: permissions and responses that outlive what
    they were given for, and state that one request leaves behind for another.
    """

    @st.composite
    def starts(draw: st.DrawFn) -> _Start:
        policy = draw(policies)
        choices = Choices(draw, start=START)
        pools = choose_pools(choices, policy, any_method=any_method)
        return policy, pools, choices.one(cacheable_applications())

    class Browsing(RuleBasedStateMachine):
        def __init__(self) -> None:
            super().__init__()
            self.policy = Policy()
            self.origins: tuple[str, ...] = ()
            self.asking: list[Visit] = []
            self.reading: list[Visit] = []
            self.waiting: list[Wait] = []
            self.steps: list[Visit | Wait] = []

        @initialize(start=starts())
        def open(self, start: _Start) -> None:
            self.policy, pools, application = start
            self.origins = pools.origins
            possible = (
                *preflighted_steps(self.policy, pools),
                *cacheable_steps(pools, application),
            )
            visits = [step for step in possible if isinstance(step, Visit)]
            self.asking = [visit for visit in visits if visit.application == PLAIN]
            self.reading = [visit for visit in visits if visit.application != PLAIN]
            self.waiting = [step for step in possible if isinstance(step, Wait)]

        @rule(number=_NUMBERS)
        def ask(self, number: int) -> None:
            self.steps.append(self.asking[number % len(self.asking)])

        @rule(number=_NUMBERS)
        def read(self, number: int) -> None:
            several = self.reading if application_headers else self.asking
            self.steps.append(several[number % len(several)])

        @rule(number=_NUMBERS)
        def wait(self, number: int) -> None:
            self.steps.append(self.waiting[number % len(self.waiting)])

        def teardown(self) -> None:
            if any(isinstance(step, Visit) for step in self.steps):
                body((self.policy, self._batch()))

        def _batch(self) -> Batch:
            return Batch(
                origins=self.origins[:1],
                methods=(b"GET",),
                header_sets=((),),
                credentials=("omit",),
                applications=(PLAIN,),
                journeys=(Journey(steps=tuple(self.steps)),),
            )

    return Browsing
