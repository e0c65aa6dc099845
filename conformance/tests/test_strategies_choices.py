"""Choices shrink, and examples are neither copies nor poor."""

from collections import Counter
from collections.abc import Iterator

import pytest
from hypothesis import Phase, find, given, settings
from hypothesis import strategies as st

from cors_conformance.fetch.methods import is_cors_safelisted_method, normalize_method
from cors_conformance.fetch.request_headers import cors_unsafe_request_header_names
from cors_conformance.policy import Policy
from cors_conformance.scenario import Batch
from cors_conformance.strategies import batches, policies
from cors_conformance.strategies.choices import Choices
from cors_conformance.strategies.mutations import OPERATORS

# Not profiles, but what `find` does, without the explain phase, which leaves it with a larger
# example than it shrank to, and without shrinking where any example will do.
SHRINK = settings(phases=(Phase.generate, Phase.shrink))

ALL = ("*",)


@st.composite
def pools(draw: st.DrawFn) -> tuple[int, ...]:
    return Choices(draw).pool((1, 2), (2, 3), (None, 4), otherwise=(0,))


@given(pools())
def test_a_pool_has_at_most_one_value_of_each_slot(pool: tuple[int, ...]) -> None:
    assert len({*pool}) == len(pool) <= 3
    assert {*pool} <= {0, 1, 2, 3, 4}


def test_a_pool_shrinks_to_what_stands_in_for_it() -> None:
    assert find(pools(), lambda _: True, settings=SHRINK) == (0,)


def test_a_pool_shrinks_to_the_value_that_matters() -> None:
    assert find(pools(), lambda pool: 3 in pool, settings=SHRINK) == (3,)


@pytest.fixture(scope="module")
def examples() -> list[tuple[Policy, Batch]]:
    """What one run of the profile draws."""
    drawn: list[tuple[Policy, Batch]] = []

    @given(policies().flatmap(lambda policy: st.tuples(st.just(policy), batches(policy))))
    def draw(example: tuple[Policy, Batch]) -> None:
        drawn.append(example)

    draw()
    return drawn


def test_most_examples_have_a_policy_of_their_own(examples: list[tuple[Policy, Batch]]) -> None:
    assert len({policy for policy, _ in examples}) > 0.8 * len(examples)


def encounters(policy: Policy, batch: Batch) -> Iterator[str]:
    """Name the mistakes that an example can show."""
    allowed = {*policy.allow_origins} - {"*"}
    own = [origin for origin in batch.origins if origin in allowed]
    if policy.allow_origins == ALL:
        own = [origin for origin in batch.origins if origin != "null"]
        yield "* with credentials" if policy.allow_credentials else "* without credentials"
    foreign = [origin for origin in batch.origins if origin not in own]
    for name, operator in OPERATORS.items():
        if any(origin in operator(other) for origin in foreign for other in allowed):
            yield name
    yield from ("null" for origin in foreign if origin == "null" and allowed)
    yield from ("a later origin" for origin in own if origin in policy.allow_origins[1:])
    if own and "include" in batch.credentials:
        yield "credentials allowed" if policy.allow_credentials else "credentials denied"
    if own:
        yield from _preflights(policy, batch)
    if foreign and any(
        name == b"access-control-allow-origin"
        for application in batch.applications
        for name, _ in application.headers
    ):
        yield "an application that lets everybody in"
    for request in batch.hostile:
        origins = [value for name, value in request.headers if name == b"origin"]
        if len(origins) > 1:
            yield "several Origin lines"
        if not origins:
            yield "no Origin line"


def _preflights(policy: Policy, batch: Batch) -> Iterator[str]:
    for method in (normalize_method(method).decode() for method in batch.methods):
        if policy.allow_methods == ALL or method in policy.allow_methods:
            yield "a granted method"
        elif not is_cors_safelisted_method(method.encode()):
            yield "a denied method"
            if method.upper() in {listed.upper() for listed in policy.allow_methods}:
                yield "a method in another case"
    listed = {name.lower().encode() for name in policy.allow_headers}
    for names in ({*cors_unsafe_request_header_names(lines)} for lines in batch.header_sets):
        if policy.allow_headers == ALL:
            yield "authorization and *" if b"authorization" in names else "a name and *"
        elif names:
            yield "granted names" if names <= listed else "a denied name"
            if names & listed and names - listed:
                yield "a denied name among granted ones"
            if names < listed:
                yield "some of the names"


AIMS = (
    *("prefix-label", "suffix", "scheme", "other-port", "added-port", "trailing-dot"),
    *("subdomain", "dot", "last-cut", "null", "a later origin"),
    *("* with credentials", "* without credentials", "credentials allowed", "credentials denied"),
    *("a granted method", "a denied method", "a method in another case"),
    *("authorization and *", "a name and *", "granted names", "a denied name"),
    *("a denied name among granted ones", "some of the names"),
    *("an application that lets everybody in", "several Origin lines", "no Origin line"),
)


@pytest.mark.parametrize("aim", AIMS)
def test_one_run_meets_the_mistake_more_than_once(
    examples: list[tuple[Policy, Batch]], aim: str
) -> None:
    met = Counter(name for example in examples for name in {*encounters(*example)})
    assert met[aim] > 1
