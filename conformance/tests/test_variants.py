"""Variants: what the standard leaves free, no rule complains about."""

from dataclasses import replace
from typing import Final

import pytest
from hypothesis import settings

from cors_conformance.profiles import PROFILES
from cors_conformance.rules import RULES
from cors_conformance.run import Run
from cors_conformance.variants import VARIANTS

ENOUGH: Final = 20

QUICK: Final = PROFILES["quick"]
QUICKER: Final = replace(
    QUICK,
    corners=settings(QUICK.corners, max_examples=1),
    random=settings(QUICK.random, max_examples=5),
)
"""A small part of a quick run: there are many of them."""

LITTLE: Final = (
    "cfg-",
    "cred-",
    "live-",
    "pf-",
    "safe-",
    "syn-",
    "tr-denied",
    "tr-response",
    "vary-",
)
"""What speaks of single requests and pairs, which is soon judged."""


@pytest.mark.usefixtures("untraced")
@pytest.mark.parametrize("name", VARIANTS)
def test_no_rule_complains_about_a_freedom(name: str) -> None:
    report = Run(
        implementation=VARIANTS[name].implementation,
        rules=[rule for rule in RULES.values() if rule.id.startswith(LITTLE)],
        profile=QUICKER,
    ).report()
    assert [(found.rule.id, found.message) for found in report.findings] == []


def test_there_are_enough_variants() -> None:
    assert len(VARIANTS) >= ENOUGH


@pytest.mark.parametrize("name", VARIANTS)
def test_every_variant_says_which_freedom_it_uses(name: str) -> None:
    variant = VARIANTS[name]
    assert variant.freedom.endswith(".")
    assert variant.implementation.name == f"variant {name}"
