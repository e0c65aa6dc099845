"""Rules about configurations catch what does harm with them, and spare what refuses or forgives."""

import json
from collections.abc import Callable
from dataclasses import replace
from typing import Any, Final

import pytest

from batches import BATCH
from cors_conformance.implementation import Application, Implementation
from cors_conformance.implementations.registry import find
from cors_conformance.mutants import MUTANTS
from cors_conformance.policy import Policy
from cors_conformance.report.escape import printable
from cors_conformance.report.text import finding_lines, plain
from cors_conformance.rules import RULES
from cors_conformance.rules.base import Breach
from cors_conformance.rules.picking import ONE_ORIGIN
from cors_conformance.shrinking import finding
from cors_conformance.variants import VARIANTS
from cors_conformance.world import World

RULES_OF_CONFIGURATIONS: Final = (
    "cfg-bad-origin",
    "cfg-bad-token",
    "cfg-max-age",
    "cfg-star-mixed",
    "cfg-str-not-iterable",
    "cfg-snapshot",
    "cfg-forbidden",
)


def judged(implementation: Implementation, rule: str) -> bool:
    with World(implementation, ONE_ORIGIN) as world:
        return RULES[rule].check(world, BATCH)


def given(understand: Callable[..., dict[str, Any]]) -> Implementation:
    """The forgiving variant, with parameters that are understood in another way before."""
    forgiving = VARIANTS["forgiving"].implementation
    inner = forgiving.wrap
    assert inner is not None

    def wrap(app: Application, policy: Policy) -> Application:
        return inner(app, replace(policy, **understand(**policy.parameters())))

    return replace(forgiving, wrap=wrap)


def split(*, allow_methods: Any, allow_headers: Any, **_: Any) -> dict[str, Any]:
    return {"allow_methods": list(allow_methods), "allow_headers": list(allow_headers)}


def no_path(*, allow_origins: Any, **_: Any) -> dict[str, Any]:
    """Takes what is no URL for everybody."""
    is_odd = any("://" not in origin and origin != "null" for origin in allow_origins)
    return {"allow_origins": ["*"]} if is_odd else {}


def nobody_by_cookies(*, allow_headers: Any, **_: Any) -> dict[str, Any]:
    return {"allow_origins": []} if "Cookie" in allow_headers else {}


WRONG: Final = {
    "a slash ends a prefix": ("cfg-bad-origin", MUTANTS["slash-ends-aprefix"].implementation),
    "what is no URL is everybody": ("cfg-bad-origin", given(no_path)),
    "any tokens": ("cfg-bad-token", MUTANTS["any-tokens"].implementation),
    "any age": ("cfg-max-age", MUTANTS["any-max-age"].implementation),
    "a star among names": ("cfg-star-mixed", MUTANTS["star-among-names"].implementation),
    "a string is searched": ("cfg-str-not-iterable", MUTANTS["text-is-alist"].implementation),
    "a string is a list": ("cfg-str-not-iterable", given(split)),
    "lists are not copied": ("cfg-snapshot", MUTANTS["lists-are-not-copied"].implementation),
    "forbidden names break": ("cfg-forbidden", MUTANTS["forbidden-names-break"].implementation),
    "forbidden names close": ("cfg-forbidden", given(nobody_by_cookies)),
}


@pytest.mark.parametrize("name", WRONG)
def test_harm_by_a_configuration_is_found(name: str) -> None:
    rule, implementation = WRONG[name]
    with pytest.raises(Breach):
        judged(implementation, rule)


@pytest.mark.parametrize("name", WRONG)
def test_a_finding_shows_the_configuration_and_nothing_of_others(name: str) -> None:
    rule, implementation = WRONG[name]
    with World(implementation, ONE_ORIGIN) as world, pytest.raises(Breach):
        RULES[rule].check(world, BATCH)
    assert world.tried is not None
    found = finding(implementation, RULES[rule], ONE_ORIGIN, BATCH)
    assert found is not None
    assert found.tried == world.tried.policy != ONE_ORIGIN
    assert found.wire
    # What was tried before, and showed nothing, is not told.
    assert len(found.wire) == len(world.tried.log) <= len(world.log)
    shown = plain(finding_lines(found, implementation))
    ((parameter, value),) = [
        (key, value)
        for key, value in found.tried.parameters().items()
        if value != ONE_ORIGIN.parameters()[key]
    ][:1]
    text = json.dumps(value) if isinstance(value, list) else repr(value)
    assert f"    {parameter}={printable(text)},\n" in shown


def test_a_configuration_is_shown_as_it_was_given() -> None:
    implementation = MUTANTS["lists-are-not-copied"].implementation
    found = finding(implementation, RULES["cfg-snapshot"], ONE_ORIGIN, BATCH)
    assert found is not None
    assert found.tried is not None
    assert found.tried.parameters()["allow_origins"] == ["https://a.example"]


@pytest.mark.parametrize("rule", RULES_OF_CONFIGURATIONS)
@pytest.mark.parametrize("name", ["reference", "reference-wsgi"])
def test_refusing_is_right(name: str, rule: str) -> None:
    assert judged(find(name), rule)


@pytest.mark.parametrize("rule", RULES_OF_CONFIGURATIONS)
def test_understanding_what_is_misspelt_is_right(rule: str) -> None:
    assert judged(VARIANTS["forgiving"].implementation, rule)


def leaving(app: Application, policy: Policy) -> Application:
    """Ends the process over what it does not understand."""
    forgiving = VARIANTS["forgiving"].implementation.wrap
    reference = find("reference").wrap
    assert forgiving is not None
    assert reference is not None
    try:
        reference(app, policy)
    except ValueError as error:
        raise SystemExit(1) from error
    return forgiving(app, policy)


@pytest.mark.parametrize("rule", RULES_OF_CONFIGURATIONS)
def test_dying_is_another_rules_matter(rule: str) -> None:
    tiny = Implementation(name="tiny", interface="asgi", wrap=leaving, as_given=True)
    assert judged(tiny, rule)


def test_only_what_takes_parameters_as_they_are_is_judged() -> None:
    def wrap(app: Application, _: Policy) -> Application:
        return app

    tiny = Implementation(name="tiny", interface="asgi", wrap=wrap)
    assert all(RULES[rule].needs & tiny.lacks.keys() for rule in RULES_OF_CONFIGURATIONS)
    assert not RULES["cfg-bad-token"].needs & replace(tiny, lacks={}, as_given=True).lacks.keys()


def test_configurations_are_tried_under_one_policy() -> None:
    with World(MUTANTS["any-max-age"].implementation, Policy()) as world:
        assert not RULES["cfg-max-age"].check(world, BATCH)
