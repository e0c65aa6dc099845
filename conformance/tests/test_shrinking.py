"""Simpler policies, one after the other."""

import pytest

from cors_conformance.policy import Policy
from cors_conformance.shrinking import simpler

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
