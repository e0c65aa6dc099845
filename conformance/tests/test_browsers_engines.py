"""The engines themselves, where they are: few scenarios, those of which most is known."""

from pathlib import Path

import pytest

from cors_conformance import cases
from cors_conformance.browsers.casefile import scenario_of
from cors_conformance.browsers.deviations import deviations_of, expected_of
from cors_conformance.browsers.driving import Theatre
from cors_conformance.browsers.engines import (
    ENGINES,
    EngineMissing,
    EngineName,
    locate,
    started,
    version,
)
from cors_conformance.browsers.running import EngineRun

EXAMPLES = Path(__file__).parents[1] / "cors_conformance" / "browsers" / "examples.json"


def found(engine: EngineName) -> str:
    try:
        return locate(ENGINES[engine])
    except EngineMissing as error:
        pytest.skip(str(error))


@pytest.mark.parametrize("engine", ENGINES)
def test_engines_do_what_the_table_says(engine: EngineName) -> None:
    executable = found(engine)
    ids = {item.id for item in deviations_of(engine)}
    scenarios = [scenario_of(case, case.id) for case in cases.load(EXAMPLES) if case.id in ids]
    with Theatre().running() as theatre, started(ENGINES[engine], executable, theatre.start_url):
        seen = theatre.play(scenarios, seconds=60)
    for scenario, did in zip(scenarios, seen, strict=True):
        assert did == expected_of(deviations_of(engine), scenario, did), scenario.aim


@pytest.mark.parametrize("engine", ENGINES)
def test_engines_leave_nothing_unexplained(engine: EngineName) -> None:
    executable = found(engine)
    run = EngineRun(ENGINES[engine], executable, version(ENGINES[engine], executable), 1)
    assert run.run(120).unexplained == 0
