"""Mutants: each dies by a rule that names its mistake."""

import re
from pathlib import Path

import pytest

from cors_conformance.kill_matrix import (
    Kill,
    idle,
    kill,
    kill_thoroughly,
    matrix,
    median_seconds,
    misnamed,
    page,
    survivors,
    table,
)
from cors_conformance.mutants import MUTANTS
from cors_conformance.mutants.defects import CLASSES, UNSEEN
from cors_conformance.profiles import PROFILES
from cors_conformance.rules import RULES
from cors_conformance.rules.base import Rule

ENOUGH = 80


def rules_of(*ids: str) -> list[Rule]:
    return [rule for rule in RULES.values() if rule.id in ids]


@pytest.mark.usefixtures("untraced")
@pytest.mark.parametrize("name", MUTANTS)
def test_every_mutant_dies_by_a_rule_that_names_its_mistake(name: str) -> None:
    mutant = MUTANTS[name]
    # The long search only for what the short one misses.
    profiles = (PROFILES["quick"], PROFILES["default"])
    found = kill_thoroughly(mutant, rules_of(*mutant.dies_by), profiles)
    assert found.named


def test_there_are_enough_mutants() -> None:
    assert len(MUTANTS) >= ENOUGH


def test_every_class_of_defects_has_a_mutant() -> None:
    assert {mutant.defect for mutant in MUTANTS.values()} == set(CLASSES) - {"K19"}


def test_a_class_without_a_mutant_has_its_reason() -> None:
    without = set(CLASSES) - {mutant.defect for mutant in MUTANTS.values()}
    assert without <= {unseen.defect for unseen in UNSEEN} <= set(CLASSES)


def test_mutants_name_rules_of_the_book() -> None:
    named = {rule for mutant in MUTANTS.values() for rule in mutant.dies_by}
    assert named <= set(RULES)


@pytest.mark.parametrize("name", MUTANTS)
def test_every_mutant_says_what_it_copies(name: str) -> None:
    mutant = MUTANTS[name]
    assert mutant.mistake.endswith(".")
    assert mutant.copies
    assert mutant.consequence
    assert mutant.dies_by
    assert mutant.implementation.name == f"mutant {name}"


def test_a_matrix_has_a_row_for_each_mutant_in_order() -> None:
    names = ["credentials-titled", "no-vary"]
    told: list[Kill] = []
    kills = matrix(
        [MUTANTS[name] for name in names],
        rules_of("syn-acac", "vary-dynamic"),
        profiles=("quick",),
        told=told.append,
    )
    assert [each.mutant for each in kills] == names
    assert tuple(told) == kills
    assert [each.named for each in kills] == [("syn-acac",), ("vary-dynamic",)]
    assert median_seconds(kills) > 0
    assert table(kills).row_count == len(names)


def test_what_no_rule_kills_survives() -> None:
    found = kill(MUTANTS["no-vary"], rules_of("syn-acac"), PROFILES["quick"])
    assert survivors([found]) == (found,)
    assert misnamed([found]) == ()
    assert found.first is None


def test_what_dies_by_another_rule_is_misnamed() -> None:
    found = kill_thoroughly(MUTANTS["no-vary"], rules_of("cache-shared-live"), [PROFILES["quick"]])
    assert misnamed([found]) == (found,)
    assert survivors([found]) == ()


def test_a_rule_that_kills_nothing_is_idle() -> None:
    rules = rules_of("syn-acac", "vary-dynamic")
    found = kill(MUTANTS["no-vary"], rules, PROFILES["quick"])
    assert idle([found], rules) == ("syn-acac",)


def test_a_hunt_ends_with_the_example_in_which_a_rule_named_the_mistake() -> None:
    mutant = MUTANTS["no-vary"]
    rules = rules_of("vary-dynamic", "cache-shared-live", "live-simple", "safe-origin-simple")
    short = kill(mutant, rules, PROFILES["quick"])
    whole = kill(mutant, rules, PROFILES["quick"], until_named=False)
    assert "vary-dynamic" in short.rules
    assert {*short.rules} <= {*whole.rules}
    assert short.seconds < whole.seconds


def test_the_published_matrix_has_every_mutant_killed() -> None:
    page = (Path(__file__).parents[2] / "docs" / "kill-matrix.md").read_text(encoding="utf-8")
    rows = [line.strip("| ").split(" | ") for line in page.splitlines() if line.startswith("| ")]
    found = {row[0]: row for row in rows[2:]}
    assert [*found] == [*MUTANTS]
    for name, (_, defect, seconds, named, *_others) in found.items():
        assert defect == MUTANTS[name].defect
        assert float(seconds) >= 0
        rules = re.findall(r"\[([a-z0-9-]+)\]", named)
        assert rules
        assert {*rules} <= {*MUTANTS[name].dies_by}


def test_a_matrix_is_a_page_of_markdown() -> None:
    survivor = Kill(mutant="no-vary", rules={}, named=(), seconds=1.0)
    killed = Kill(
        mutant="credentials-titled",
        rules={"syn-acac": 0.5, "live-credentials": 0.7},
        named=("syn-acac",),
        seconds=1.0,
    )
    rows = page([survivor, killed]).splitlines()[-2:]
    assert rows[0] == "| no-vary | K13 | - | none |  |"
    rule, other = "[syn-acac](rules.md#syn-acac)", "[live-credentials](rules.md#live-credentials)"
    assert rows[1] == f"| credentials-titled | K18 | 0.50 | {rule} | {other} |"
