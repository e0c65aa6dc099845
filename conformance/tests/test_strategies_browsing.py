"""Browsing: long journeys of several pages, the same ones every time."""

from collections.abc import Callable

import pytest
from hypothesis import Phase, seed, settings
from hypothesis.stateful import run_state_machine_as_test

from cors_conformance.policy import Policy
from cors_conformance.scenario import Batch, Visit, Wait
from cors_conformance.strategies import browsing, policies
from cors_conformance.strategies.requests import STEPS

SETTINGS = settings(max_examples=30, stateful_step_count=12, phases=(Phase.generate,))

Drawn = tuple[Policy, Batch]
Step = Visit | Wait


class Refused(Exception):
    """A journey that is looked for."""


def browse(
    body: Callable[[Drawn], None], how: settings = SETTINGS, *, application_headers: bool = True
) -> None:
    machine = browsing(policies(), body, application_headers=application_headers)
    run_state_machine_as_test(seed("a seed")(machine), settings=how)


def journeys(*, application_headers: bool = True) -> list[tuple[Step, ...]]:
    drawn: list[Drawn] = []
    browse(drawn.append, application_headers=application_headers)
    return [batch.journeys[0].steps for _, batch in drawn]


def test_journeys_are_longer_than_those_of_batches() -> None:
    assert max(map(len, journeys())) > STEPS


def test_several_pages_ask_read_and_wait() -> None:
    met = [step for steps in journeys() for step in steps]
    assert {type(step) for step in met} == {Visit, Wait}
    visits = [step for step in met if isinstance(step, Visit)]
    assert len({visit.origin for visit in visits}) > 5
    assert {"/", "/cached"} == {visit.path for visit in visits}
    assert {"omit", "include"} == {visit.credentials for visit in visits}


def test_without_application_headers_nothing_is_kept_by_http_caches() -> None:
    met = [step for steps in journeys(application_headers=False) for step in steps]
    assert {step.path for step in met if isinstance(step, Visit)} == {"/"}


def test_machines_do_the_same_every_time() -> None:
    assert journeys() == journeys()


def test_a_journey_shrinks_to_what_matters() -> None:
    last: list[Batch] = []

    def refuse_waits(drawn: Drawn) -> None:
        steps = drawn[1].journeys[0].steps
        if sum(isinstance(step, Wait) for step in steps) > 1:
            last.append(drawn[1])
            raise Refused

    with pytest.raises(Refused):
        browse(refuse_waits, settings(SETTINGS, phases=(Phase.generate, Phase.shrink)))

    assert len(last[-1].journeys[0].steps) == 3
