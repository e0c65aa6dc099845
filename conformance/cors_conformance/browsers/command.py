"""`cors-conformance browsers`: the model beside real engines."""

import argparse
import json
import sys
from collections.abc import Iterator
from importlib.metadata import version as version_of
from pathlib import Path
from typing import Any, Final

from cors_conformance.arguments import positive
from cors_conformance.browsers import casefile
from cors_conformance.browsers.deviations import DEVIATIONS
from cors_conformance.browsers.driving import PageLost
from cors_conformance.browsers.engines import (
    ENGINES,
    Engine,
    EngineFails,
    EngineMissing,
    locate,
    version,
)
from cors_conformance.browsers.interrupting import ended_by_signals
from cors_conformance.browsers.running import EngineReport, EngineRun
from cors_conformance.browsers.verdicts import (
    FAULT,
    NOT_TESTED,
    USAGE,
    json_of,
    lines_of,
    overall,
    status_of,
)

SCENARIOS: Final = 3000
SEED: Final = 1
EPILOG: Final = (
    "Exit status: 0 nothing unexplained, 1 an unexplained disagreement, 2 bad input, 3 an engine"
    " does not work, 4 no engine is here, or one of a version new to this project disagrees."
)
FAILURES: Final = (EngineFails, OSError, PageLost)
"""What is raised where an engine that is here cannot be made to work."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options of `cors-conformance browsers`."""
    parser.epilog = EPILOG
    add_engine_arguments(parser)
    parser.add_argument(
        "--scenarios",
        type=positive,
        default=SCENARIOS,
        metavar="N",
        help="how many for each engine (3000)",
    )
    parser.add_argument("--seed", type=int, default=SEED, metavar="S", help="of the scenarios (1)")
    parser.add_argument("--json", type=Path, metavar="OUT", help="write the results there, too")
    parser.add_argument(
        "--cases", type=Path, metavar="OUT", help="write what is unexplained there, as a case file"
    )
    parser.add_argument(
        "--examples",
        type=Path,
        metavar="OUT",
        help="write a small case of each deviation that is met there, as a case file",
    )


def add_engine_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare which engines, and where they are."""
    parser.add_argument(
        "--engine",
        action="append",
        choices=tuple(ENGINES),
        help="this one only (may be repeated); without it, all three",
    )
    for engine in ENGINES.values():
        parser.add_argument(
            f"--{engine.name}",
            metavar="PATH",
            help=f"where {engine.product} is, if not on the PATH",
        )


def main(options: argparse.Namespace) -> int:
    """Compare the engines that are here, one after the other.

    Returns:
        0 where standard and table have everything as it is; 1 where an engine of a version that
        the table was made with does something else; 2 where a file cannot be written; 3 where an
        engine that is here cannot be made to work; 4 where nothing was decided: there is no
        engine, or one of another version does something else. 1 goes before 3, and 3 before 4.

    """
    outputs = [path for path in (options.json, options.cases, options.examples) if path is not None]
    try:
        for path in outputs:
            # Now, rather than after the work.
            path.touch()
    except OSError as error:
        complain("browsers", f"{error.filename}: cannot be written: {error.strerror}")
        return USAGE
    with ended_by_signals():
        told = [_compare(ENGINES[name], options) for name in options.engine or ENGINES]
    _write(options, [report for report, _ in told if report], [result for _, result in told])
    return overall(result["status"] for _, result in told if "version" in result)


def _compare(
    engine: Engine, options: argparse.Namespace
) -> tuple[EngineReport | None, dict[str, Any]]:
    """Compare one engine; return the report, if there is one, and what is written as JSON."""
    name = engine.name
    result: dict[str, Any] = {"engine": name, "product": engine.product}
    try:
        executable = locate(engine, getattr(options, name))
    except EngineMissing as error:
        say(f"{name}: not tested: {error}")
        return None, result | {"status": NOT_TESTED, "reason": f"not tested: {error}"}
    told = version(engine, executable)
    result |= {"executable": executable, "version": told}
    say(f"{name}: {engine.product} {told}, seed {options.seed}")
    try:
        report = EngineRun(engine, executable, told, options.seed).run(
            options.scenarios,
            progress=_Progress(name),
            exemplify=options.examples is not None,
        )
    except FAILURES as error:
        reason = f"not tested: {engine.product} fails: {error}"
        complain("browsers", f"{name}: {reason}")
        return None, result | {"status": FAULT, "reason": reason}
    for line in lines_of(report):
        say(line)
    return report, result | {"status": status_of(report), **json_of(report)}


def complain(command: str, message: str) -> None:
    """Print what went wrong."""
    sys.stderr.write(f"cors-conformance {command}: {message}\n")


def say(line: str) -> None:
    """Print a line at once."""
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


class _Progress:
    """A line on a terminal that says how far it is."""

    def __init__(self, name: str) -> None:
        self._name = name

    def __call__(self, done: int) -> None:
        if sys.stderr.isatty():
            sys.stderr.write(f"\r{self._name}: {done} scenarios ")
            sys.stderr.flush()


def _write(
    options: argparse.Namespace, reports: list[EngineReport], results: list[dict[str, Any]]
) -> None:
    engines = {report.engine.name: report.version for report in reports}
    if options.json is not None:
        versions = {name: version_of(name) for name in ("cors-conformance", "hypothesis")}
        document = {"versions": versions, "seed": options.seed, "engines": results}
        options.json.write_text(json.dumps(document, indent=1) + "\n", encoding="ascii")
    if options.cases is not None:
        cases = [
            casefile.case(f"{report.engine.name}-{index}", _source(report), found.scenario)
            for report in reports
            for index, found in enumerate(report.smallest, start=1)
        ]
        options.cases.write_text(casefile.dumps({"engines": engines}, cases), encoding="ascii")
    if options.examples is not None:
        meta = {"engines": casefile.meta()["engines"] | engines}
        text = casefile.dumps(meta, list(_examples(reports)))
        options.examples.write_text(text, encoding="ascii")


def _examples(reports: list[EngineReport]) -> Iterator[dict[str, Any]]:
    """Yield a case for each deviation: a new one, or the one that is there."""
    known = casefile.documents()
    for deviation in DEVIATIONS:
        found = next((report for report in reports if deviation.id in report.examples), None)
        if found is not None:
            _, scenario = found.examples[deviation.id]
            yield casefile.case(deviation.id, _source(found), scenario)
        elif deviation.id in known:
            yield known[deviation.id]


def _source(report: EngineReport) -> str:
    return f"{report.engine.product} {report.version}, seed {report.seed}"
