"""Sweeps: everything that is one thing away from what a policy grants."""

from dataclasses import replace

import pytest

from cors_conformance.policy import Policy
from cors_conformance.scenario import PLAIN, Batch, Visit
from cors_conformance.strategies.corners import CORNERS
from cors_conformance.strategies.mutations import mutations, recombinations
from cors_conformance.strategies.sweeps import sweeps

A = "https://a.example"
POLICY = Policy(allow_origins=(A,), allow_headers=("X-A",), expose_headers=("X-Total",))


def sweep(policy: Policy, **can: bool) -> Batch:
    ((_, batch),) = sweeps((policy,), **can)
    return batch


SWEEP = sweep(POLICY)


def names_of(visit: Visit) -> frozenset[bytes]:
    return frozenset(name.lower() for name, _ in visit.headers)


def test_every_near_miss_of_an_allowed_origin_is_met() -> None:
    assert {*mutations(A, audience="browser")} <= {visit.origin for visit in SWEEP.single}


@pytest.mark.parametrize("method", [b"GET", b"HEAD", b"POST", b"PUT", b"put", b"PATCH", b"QUERY"])
def test_methods_on_both_sides_of_the_policy_are_met(method: bytes) -> None:
    assert method in {visit.method for visit in SWEEP.single}


@pytest.mark.parametrize(
    "name", [b"x-a", b"x_a", b"x-ax", b"x-evil", b"authorization", b"x-requested-with"]
)
def test_names_on_both_sides_of_the_policy_are_met_alone(name: bytes) -> None:
    assert frozenset({name}) in {names_of(visit) for visit in SWEEP.single}


@pytest.mark.parametrize("status", [200, 204, 302, 304, 401, 404, 500])
@pytest.mark.parametrize("origin", [A, "https://evil.example"])
def test_every_status_meets_allowed_and_foreign_pages(status: int, origin: str) -> None:
    met = {(visit.origin, visit.application.status) for visit in SWEEP.single}
    assert (origin, status) in met


def test_every_allowed_origin_is_met() -> None:
    tenants = tuple(f"https://tenant-{number}.example" for number in range(100))
    visits = sweep(Policy(allow_origins=tenants)).single
    assert {*tenants} <= {visit.origin for visit in visits}


def test_parts_of_different_origins_are_put_together() -> None:
    origins = (A, "http://b.example:8080")
    mixed = recombinations(origins)
    assert {"http://a.example", "https://b.example:8080", "https://a.example:8080"} <= {*mixed}
    assert {*mixed}.isdisjoint(origins)
    visits = sweep(Policy(allow_origins=origins)).single
    assert {*mixed} <= {visit.origin for visit in visits}


def test_a_cacheable_error_is_asked_for_by_nobody_first() -> None:
    firsts = [journey.steps[0] for journey in SWEEP.journeys]
    assert any(
        isinstance(step, Visit) and step.mode == "no-cors" and step.application.status == 404
        for step in firsts
    )


def test_no_visit_is_made_twice() -> None:
    assert len({*SWEEP.single}) == len(SWEEP.single)


def test_what_an_application_cannot_do_is_left_out() -> None:
    visits = sweep(
        POLICY, application_headers=False, application_status=False, exceptions=False, chunks=False
    ).single
    assert {visit.application.status for visit in visits} == {200}
    assert {visit.application.headers for visit in visits} == {()}
    assert {visit.application.raises for visit in visits} == {"never"}


def test_corners_are_swept_in_their_order() -> None:
    assert [policy for policy, _ in sweeps(CORNERS)] == [*CORNERS]


def test_what_depends_on_other_parameters_is_not_swept_again() -> None:
    again = replace(POLICY, allow_methods=("PATCH",))
    (_, first), (_, second) = sweeps((POLICY, again))
    assert {visit.method for visit in second.single} >= {b"PATCH", b"patch"}
    assert {visit.application for visit in second.single} == {PLAIN}
    assert len(second.single) < len(first.single) / 4
    assert second.hostile == ()
