"""Simpler policies, and plainer things to do under them, one after the other."""

from dataclasses import replace

import pytest

from cors_conformance.application import ApplicationResponse
from cors_conformance.mutants import MUTANTS
from cors_conformance.policy import Policy
from cors_conformance.profiles import PROFILES
from cors_conformance.rules import RULES
from cors_conformance.run import Run
from cors_conformance.scenario import PLAIN, Batch, Journey, RawRequest, Visit, Wait
from cors_conformance.shrinking import plainer, simpler

ORIGINS = tuple(f"https://{name}.example" for name in "abcd")


def test_a_default_policy_has_no_simpler_one() -> None:
    assert list(simpler(Policy())) == []


def test_parameters_go_back_to_their_defaults_one_by_one() -> None:
    policy = Policy(allow_credentials=True, max_age=5)
    assert list(simpler(policy)) == [Policy(max_age=5), Policy(allow_credentials=True)]


@pytest.mark.parametrize("count", [2, 3, 4])
def test_lists_lose_a_half_and_then_single_values(count: int) -> None:
    origins = ORIGINS[:count]
    nobody, *fewer = (policy.allow_origins for policy in simpler(Policy(allow_origins=origins)))
    assert nobody == ()
    assert fewer[:2] == [origins[: count // 2], origins[count // 2 :]]
    assert all({*some} < {*origins} for some in fewer)
    assert {origins[:-1], origins[1:]} <= {*fewer} or count == 2


def test_long_lists_are_not_tried_value_by_value() -> None:
    tenants = tuple(f"https://tenant-{number}.example" for number in range(1000))
    assert len(list(simpler(Policy(allow_origins=tenants)))) < 20


PAGE = Visit(origin="https://a.example", method=b"GET")
RICH = Visit(
    origin="https://a.example",
    method=b"PUT",
    headers=((b"x-a", b"1"), (b"x-b", b"2")),
    credentials="include",
    body=b"page",
    application=ApplicationResponse(status=404),
)


def test_visits_lose_what_is_beside_the_point() -> None:
    found = list(plainer(RICH))
    assert replace(RICH, application=PLAIN) in found
    assert replace(RICH, credentials="omit") in found
    assert replace(RICH, method=b"GET", body=None) in found
    assert replace(RICH, headers=((b"x-b", b"2"),)) in found
    assert all(isinstance(each, Visit) and each.origin == RICH.origin for each in found)


def test_journeys_lose_steps_and_never_all_of_them() -> None:
    found = list(plainer(Journey(steps=(PAGE, RICH, Wait(seconds=1), PAGE))))
    assert Journey(steps=(PAGE, RICH)) in found
    assert Journey(steps=(PAGE, RICH, PAGE)) in found
    plain = replace(RICH, application=PLAIN)
    assert Journey(steps=(PAGE, plain, Wait(seconds=1), PAGE)) in found
    assert all(isinstance(each, Journey) and each.steps for each in found)
    assert all(
        isinstance(each, Journey) and len(each.steps) == 1
        for each in plainer(Journey(steps=(PAGE,)))
    )


def test_requests_by_hand_lose_lines() -> None:
    raw = RawRequest(method=b"GET", headers=((b"origin", b"x"), (b"x-a", b"1")), body=b"x")
    found = list(plainer(raw))
    assert replace(raw, headers=((b"origin", b"x"),)) in found
    assert replace(raw, body=None) in found


def test_batches_lose_all_but_one_of_each_pool() -> None:
    batch = Batch(
        origins=("https://a.example", "https://b.example"),
        methods=(b"GET", b"PUT"),
        header_sets=((), ((b"x-a", b"1"),)),
        credentials=("omit", "include"),
        applications=(PLAIN, ApplicationResponse(status=404)),
        journeys=(Journey(steps=(PAGE,)),),
    )
    found = list(plainer(batch))
    assert replace(batch, journeys=()) in found
    assert replace(batch, methods=(b"GET",)) in found
    assert replace(batch, applications=(PLAIN,)) in found


def test_what_is_swept_is_shown_at_its_plainest() -> None:
    report = Run(
        implementation=MUTANTS["no-vary"].implementation,
        rules=[RULES["st-http-cache"]],
        profile=PROFILES["quick"],
    ).report()
    (found,) = report.findings
    assert isinstance(found.source, Journey)
    assert len(found.source.steps) == 3


def test_a_policy_that_was_asked_for_stays_as_it_is() -> None:
    policy = Policy(allow_origins=("https://a.example", "https://b.example"), max_age=7)
    report = Run(
        implementation=MUTANTS["no-vary"].implementation,
        rules=[RULES["vary-dynamic"]],
        profile=PROFILES["quick"],
        policy=policy,
    ).report()
    assert [found.policy for found in report.findings] == [policy]
