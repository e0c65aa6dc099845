"""Rules about requests in other words, caches and restarts: what each finds, and what it spares."""

from dataclasses import replace
from typing import Final

import pytest

from cors_conformance.implementation import Implementation
from cors_conformance.implementations.registry import find
from cors_conformance.mutants import MUTANTS
from cors_conformance.policy import Policy
from cors_conformance.rules import RULES
from cors_conformance.rules.base import Breach, Look
from cors_conformance.scenario import PLAIN, Batch, Visit
from cors_conformance.variants import VARIANTS
from cors_conformance.world import Sent, World

A: Final = "https://a.example"
POLICY: Final = Policy(
    allow_origins=(A, "https://b.example"),
    allow_methods=("GET", "PUT"),
    allow_headers=("X-A", "X-B"),
)
LISTED: Final = Policy(
    allow_origins=("https://example.com", "https://app.example.com"),
    allow_headers=("Content-Type", "Authorization"),
    allow_credentials=True,
)
"""One of the policies under which slow rules judge."""
STARS: Final = replace(
    POLICY,
    allow_methods=("*",),
    allow_headers=("*",),
    allow_credentials=True,
    expose_headers=("*",),
)

GET: Final = Visit(origin=A, method=b"GET")
DENIED: Final = Visit(origin="https://stranger.example", method=b"GET")
PUT: Final = Visit(origin=A, method=b"PUT", headers=((b"x-a", b"1"), (b"x-b", b"1")), body=b"page")
CREDENTIALED: Final = replace(GET, credentials="include")
BATCH: Final = Batch(
    origins=(A, "https://stranger.example"),
    methods=(b"GET", b"PUT"),
    header_sets=((), ((b"x-a", b"1"),)),
    credentials=("omit",),
    applications=(PLAIN,),
)

FORGETFUL: Final = replace(POLICY, max_age=0)

CASES: Final = {
    "live-wildcard-method-credentials": (STARS, CREDENTIALED, "some-methods-with-credentials"),
    "live-304": (POLICY, GET, "not-modified-is-for-nobody"),
    "live-acrh-tolerant": (POLICY, PUT, "empty-elements-refused"),
    "rob-header-name-case": (POLICY, DENIED, "names-in-odd-case-trusted"),
    "mm-header-order": (POLICY, GET, "only-the-first-lines"),
    "mm-rename": (POLICY, GET, "ports-of-four-digits"),
    "mm-path": (POLICY, GET, "only-top-level-paths"),
    "mm-double-wrap": (POLICY, GET, "inner-lines-kept"),
    "st-preflight-count": (FORGETFUL, PUT, "zero-is-no-max-age"),
    "st-both": (LISTED, GET, "redirects-without-vary"),
    "st-revalidate": (LISTED, GET, "not-modified-is-for-everybody"),
    "st-policy-change": (POLICY, GET, "options-kept-on-the-class"),
}
"""By rule: a policy and a visit that it judges by, and a mutant that it finds."""

SPELLINGS: Final = ("spaces-kept", "several-lines-refused", "empty-elements-refused")


def judged(implementation: Implementation, rule_id: str, policy: Policy, visit: Visit) -> bool:
    rule = RULES[rule_id]
    with World(implementation, policy) as world:
        looks_at_batches = rule.look in {Look.BATCH, Look.POLICY}
        return rule.check(world, BATCH if looks_at_batches else world.fetch(visit))


@pytest.mark.parametrize("rule", CASES)
def test_each_rule_finds_its_mutant(rule: str) -> None:
    policy, visit, mutant = CASES[rule]
    with pytest.raises(Breach):
        judged(MUTANTS[mutant].implementation, rule, policy, visit)


@pytest.mark.parametrize("rule", ["st-both", "st-revalidate"])
def test_of_a_long_journey_two_visits_are_told(rule: str) -> None:
    policy, _, mutant = CASES[rule]
    with World(MUTANTS[mutant].implementation, policy) as world:
        with pytest.raises(Breach, match=r"after a page of \S+( in mode no-cors)?[,;] "):
            RULES[rule].check(world, BATCH)
        assert world.tried is not None
        # The first page, the second through the caches, and the second with none; with redirects.
        assert 3 <= len(world.tried.log) <= 5
        assert world.tried.policy == policy


@pytest.mark.parametrize("mutant", SPELLINGS)
def test_each_intolerance_is_found(mutant: str) -> None:
    with pytest.raises(Breach, match="is refused, and granted as browsers write it"):
        judged(MUTANTS[mutant].implementation, "live-acrh-tolerant", POLICY, PUT)


def test_an_empty_list_is_no_header() -> None:
    bare = replace(PUT, headers=())
    with pytest.raises(Breach, match="with no name"):
        judged(MUTANTS["empty-names-refused"].implementation, "live-acrh-tolerant", POLICY, bare)


@pytest.mark.parametrize("rule", CASES)
@pytest.mark.parametrize(
    "variant",
    ["writes-stars", "static-by-lists", "blocks-denied-requests", "strict-about-browsers"],
)
def test_right_ones_are_spared(rule: str, variant: str) -> None:
    policy, visit, _ = CASES[rule]
    judged(VARIANTS[variant].implementation, rule, policy, visit)


@pytest.mark.parametrize("rule", CASES)
def test_the_reference_is_judged_and_spared(rule: str) -> None:
    policy, visit, _ = CASES[rule]
    assert judged(find("reference"), rule, policy, visit)


def test_who_never_says_how_long_is_not_asked() -> None:
    silent = VARIANTS["no-max-age"].implementation
    for policy in (POLICY, FORGETFUL):
        assert not judged(silent, "st-preflight-count", policy, PUT)


def test_a_second_preflight_within_max_age_is_found() -> None:
    never = MUTANTS["max-age-ignored"].implementation
    with pytest.raises(Breach, match="needs no preflight; max_age is 0"):
        judged(never, "st-preflight-count", FORGETFUL, PUT)


def test_what_is_documented_of_stars_is_held_to() -> None:
    rule = "live-wildcard-method-credentials"
    promising = find("reference")
    literal = VARIANTS["writes-stars"].implementation
    for implementation, says in ((promising, False), (literal, True)):
        dialect = replace(implementation.dialect, wildcard_lists_with_credentials=says)
        with pytest.raises(Breach, match="is documented as"):
            judged(replace(implementation, dialect=dialect), rule, STARS, CREDENTIALED)
    silent = VARIANTS["says-nothing-of-stars"].implementation
    assert judged(silent, rule, STARS, CREDENTIALED)


def test_star_with_credentials_is_noted() -> None:
    policy = Policy(allow_origins=("*",), allow_credentials=True)
    mutant = MUTANTS["literal-origin-with-credentials"].implementation
    with World(mutant, policy) as world:
        sent: Sent = world.fetch(GET).sent[0]
        with pytest.raises(Breach):
            RULES["syn-no-acao-star-with-acac"].check(world, sent)


def test_a_second_middleware_that_is_an_error_is_right() -> None:
    wrap = find("reference").wrap
    assert wrap is not None

    def once(app: object, policy: Policy) -> object:
        if type(app).__name__ == "CORSMiddleware":
            message = "there is one already"
            raise ValueError(message)
        return wrap(app, policy)  # type: ignore[arg-type]

    tiny = Implementation(name="tiny", interface="asgi", wrap=once)  # type: ignore[arg-type]
    assert not judged(tiny, "mm-double-wrap", POLICY, GET)
