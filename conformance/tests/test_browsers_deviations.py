"""The table of deviations, its small cases and the page that is made of it."""

from pathlib import Path

import pytest

from cors_conformance import cases
from cors_conformance.browsers.casefile import scenario_of
from cors_conformance.browsers.comparing import disagreement
from cors_conformance.browsers.deviations import (
    DEVIATIONS,
    Deviation,
    deviations_of,
    expected_of,
    met,
)
from cors_conformance.browsers.documenting import page
from cors_conformance.browsers.engines import ENGINES, EngineName
from cors_conformance.browsers.observing import observe
from cors_conformance.browsers.scenario import Scenario

ROOT = Path(__file__).parents[2]
EXAMPLES = ROOT / "conformance" / "cors_conformance" / "browsers" / "examples.json"
CASES = {case.id: case for case in cases.load(EXAMPLES)}


def scenario(deviation: Deviation) -> Scenario:
    return scenario_of(CASES[deviation.id], deviation.id)


def test_ids_are_unique() -> None:
    assert len({item.id for item in DEVIATIONS}) == len(DEVIATIONS)


def test_every_deviation_has_a_case_and_every_case_a_deviation() -> None:
    assert set(CASES) == {item.id for item in DEVIATIONS}


@pytest.mark.parametrize("case", CASES.values(), ids=CASES)
def test_cases_say_what_the_standard_wants(case: cases.Case) -> None:
    assert cases.run(case).agrees


@pytest.mark.parametrize("deviation", DEVIATIONS, ids=lambda item: item.id)
def test_cases_show_their_deviation(deviation: Deviation) -> None:
    tried = scenario(deviation)
    for name, _ in deviation.engines:
        seen = expected_of(deviations_of(name), tried)
        found = disagreement(tried, observe(tried), seen)
        assert found is not None
        assert deviation.id in met(deviations_of(name), found, seen)


@pytest.mark.parametrize("deviation", DEVIATIONS, ids=lambda item: item.id)
def test_predictions_leave_the_model_as_it_was(deviation: Deviation) -> None:
    before = observe(scenario(deviation))
    for name, _ in deviation.engines:
        expected_of(deviations_of(name), scenario(deviation), before)
    assert observe(scenario(deviation)) == before


@pytest.mark.parametrize("engine", ENGINES)
def test_engines_have_deviations(engine: EngineName) -> None:
    assert deviations_of(engine)


def test_deviations_that_are_met_are_told() -> None:
    deviation = next(item for item in DEVIATIONS if item.id == "client-hints-are-safelisted")
    tried = scenario(deviation)
    seen = expected_of(deviations_of("chromium"), tried)
    found = disagreement(tried, observe(tried), seen)
    assert found is not None
    assert list(met(deviations_of("chromium"), found, seen)) == [deviation.id]


def test_page_is_made_of_the_table() -> None:
    # python -m cors_conformance.browsers.documenting > docs/engines.md
    assert (ROOT / "docs" / "engines.md").read_text(encoding="ascii") == page()
