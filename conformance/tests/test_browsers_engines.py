"""The engines themselves, where they are: few scenarios, those of which most is known first."""

import pytest

from cors_conformance.browsers.command import FAILURES
from cors_conformance.browsers.deviations import deviations_of, is_listed, versions_of
from cors_conformance.browsers.engines import (
    ENGINES,
    EngineMissing,
    EngineName,
    locate,
    version,
)
from cors_conformance.browsers.running import EngineReport, EngineRun


def told(engine: EngineName, report: EngineReport) -> list[str]:
    """The disagreements, for whoever reads the failure; none where others are to be expected."""
    found = [str(item) for one in report.smallest for item in one.differences]
    if found and not is_listed(engine, report.version):
        pytest.skip(f"{report.version} is none of {versions_of(engine)}: {found}")
    return found


@pytest.mark.parametrize("engine", ENGINES)
def test_engines_do_what_standard_and_table_say(engine: EngineName) -> None:
    try:
        executable = locate(ENGINES[engine])
        number = version(ENGINES[engine], executable)
        report = EngineRun(ENGINES[engine], executable, number, seed=1).run(40)
    except EngineMissing as error:
        pytest.skip(str(error))
    except FAILURES as error:
        pytest.skip(f"{ENGINES[engine].product} does not work here: {error}")
    assert told(engine, report) == []
    assert report.unexplained == 0
    assert {*report.met, *report.gone} == {item.id for item in deviations_of(engine)}
