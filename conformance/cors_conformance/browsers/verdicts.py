"""What a run says in the end: exit statuses, lines for people, JSON for programs.

Only a version that the table was made with can fail: what another one does otherwise may be its
own, and is for somebody to look at.
"""

import json
from collections.abc import Iterable, Iterator
from typing import Any, Final

from cors_conformance.browsers.deviations import is_listed, versions_of
from cors_conformance.browsers.running import EngineReport
from cors_conformance.browsers.scenario import as_json

OK: Final = 0
DISAGREE: Final = 1
USAGE: Final = 2
FAULT: Final = 3
NOT_TESTED: Final = 4
"""Exit statuses, as in the README."""


def overall(statuses: Iterable[int]) -> int:
    """Return the status of a run, given those of the engines that are here."""
    told = set(statuses) or {NOT_TESTED}
    return next(status for status in (DISAGREE, FAULT, NOT_TESTED, OK) if status in told)


def status_of(report: EngineReport) -> int:
    """Return what one engine contributes to the status of the run."""
    if not report.unexplained:
        return OK
    return DISAGREE if is_listed(report.engine.name, report.version) else NOT_TESTED


def lines_of(report: EngineReport) -> Iterator[str]:
    """Yield what is printed."""
    name = report.engine.name
    yield (
        f"{name}: {report.scenarios} scenarios in {report.seconds:.0f} s: {report.agreed} agree"
        f" ({report.forgetful} where a cache forgot), {report.covered} are covered by known"
        f" deviations, {report.unexplained} are unexplained"
    )
    for identifier, count in report.met.most_common():
        yield f"    {count:6} {identifier}"
    for identifier in report.gone:
        yield f"    no more {identifier}: not even in its own example"
    if report.unsteady:
        yield f"    {report.unsteady} were unexplained once, and not when they were done again"
    for found in report.smallest:
        yield f"  unexplained: {json.dumps(as_json(found.scenario))}"
        for difference in found.differences:
            yield f"    {difference}"
    yield f"{name}: {_reason(report)}"


def _reason(report: EngineReport) -> str:
    """Return the verdict in words."""
    status = status_of(report)
    if status == OK:
        return "passed"
    if status == DISAGREE:
        return "disagrees with the model in points that docs/engines.md does not list"
    listed = " and ".join(versions_of(report.engine.name))
    return (
        f"not tested: {report.engine.product} {report.version} disagrees with the model in points"
        f" that docs/engines.md does not list, which was made with {listed}"
    )


def json_of(report: EngineReport) -> dict[str, Any]:
    """Return what is written with `--json`."""
    return {
        "reason": _reason(report),
        "scenarios": report.scenarios,
        "seconds": round(report.seconds, 1),
        "agreed": report.agreed,
        "agreed_after_forgetting": report.forgetful,
        "covered": report.covered,
        "met": dict(report.met.most_common()),
        "gone": list(report.gone),
        "unsteady": report.unsteady,
        "unexplained": report.unexplained,
        "smallest": [
            {
                "scenario": as_json(found.scenario),
                "differences": [str(difference) for difference in found.differences],
            }
            for found in report.smallest
        ],
    }
