"""`cors-conformance browsers`: the model beside real engines.

    def main(arguments) -> int      0 green, 1 unexplained disagreements, 3 an engine fails

A missing engine is *not tested*, which is said and is no failure.
"""

import argparse
import json
import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import FrameType
from typing import Any, Final, NoReturn

from cors_conformance.browsers import casefile
from cors_conformance.browsers.deviations import DEVIATIONS
from cors_conformance.browsers.driving import PageLost
from cors_conformance.browsers.engines import ENGINES, EngineMissing, locate, version
from cors_conformance.browsers.running import EngineReport, EngineRun
from cors_conformance.browsers.scenario import as_json

OK: Final = 0
DISAGREE: Final = 1
FAULT: Final = 3
SCENARIOS: Final = 3000
SEED: Final = 1


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options of `cors-conformance browsers`."""
    add_engine_arguments(parser)
    parser.add_argument(
        "--scenarios", type=int, default=SCENARIOS, metavar="N", help="how many for each engine"
    )
    parser.add_argument("--seed", type=int, default=SEED, metavar="S", help="of the scenarios")
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
        0 where the table covers every disagreement, 1 where it does not, 3 where an engine that
        is here cannot be made to work.

    """
    statuses = [OK]
    reports: list[EngineReport] = []
    for name in options.engine or ENGINES:
        engine = ENGINES[name]
        try:
            executable = locate(engine, getattr(options, name))
        except EngineMissing as error:
            say(f"{name}: not tested: {error}")
            continue
        told = version(engine, executable)
        say(f"{name}: {engine.product} {told}, seed {options.seed}")
        run = EngineRun(engine, executable, told, options.seed)
        try:
            with ended_by_signals():
                report = run.run(
                    options.scenarios,
                    progress=_Progress(name),
                    exemplify=options.examples is not None,
                )
        except (PageLost, OSError, RuntimeError) as error:
            sys.stderr.write(f"cors-conformance browsers: {name}: {error}\n")
            statuses.append(FAULT)
            continue
        reports.append(report)
        for line in _lines(report):
            say(line)
        statuses.append(DISAGREE if report.unexplained else OK)
    _write(options, reports)
    return max(statuses)


@contextmanager
def ended_by_signals() -> Iterator[None]:
    """Turn SIGTERM into an exception, so that browsers end with the command."""

    def leave(_: int, __: FrameType | None) -> NoReturn:
        raise KeyboardInterrupt

    before = signal.signal(signal.SIGTERM, leave)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


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


def _lines(report: EngineReport) -> Iterator[str]:
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
    for found in report.smallest:
        yield f"  unexplained: {json.dumps(as_json(found.scenario))}"
        for difference in found.differences:
            yield f"    {difference}"


def _write(options: argparse.Namespace, reports: list[EngineReport]) -> None:
    meta = {"engines": {report.engine.name: report.version for report in reports}}
    if options.json is not None:
        options.json.write_text(
            json.dumps([_as_json(report) for report in reports], indent=1) + "\n", encoding="ascii"
        )
    if options.cases is not None:
        cases = [
            casefile.case(f"{report.engine.name}-{index}", _source(report), found.scenario)
            for report in reports
            for index, found in enumerate(report.smallest, start=1)
        ]
        options.cases.write_text(casefile.dumps(meta, cases), encoding="ascii")
    if options.examples is not None:
        options.examples.write_text(casefile.dumps(meta, _examples(reports)), encoding="ascii")


def _examples(reports: list[EngineReport]) -> list[dict[str, Any]]:
    """Return a case for each deviation: a new one, or the one that is there."""
    cases: list[dict[str, Any]] = []
    known = casefile.examples()
    for deviation in DEVIATIONS:
        found = [
            (report, report.examples[deviation.id])
            for report in reports
            if deviation.id in report.examples
        ]
        if found:
            report, (_, scenario) = found[0]
            cases.append(casefile.case(deviation.id, _source(report), scenario))
        elif deviation.id in known:
            cases.append(casefile.case(deviation.id, "as before", known[deviation.id]))
    return cases


def _source(report: EngineReport) -> str:
    return f"{report.engine.product} {report.version}, seed {report.seed}"


def _as_json(report: EngineReport) -> dict[str, Any]:
    return {
        "engine": report.engine.name,
        "version": report.version,
        "seed": report.seed,
        "scenarios": report.scenarios,
        "seconds": round(report.seconds, 1),
        "agreed": report.agreed,
        "agreed_after_forgetting": report.forgetful,
        "covered": report.covered,
        "met": dict(report.met),
        "gone": list(report.gone),
        "unexplained": report.unexplained,
        "smallest": [
            {
                "scenario": as_json(found.scenario),
                "differences": [str(difference) for difference in found.differences],
            }
            for found in report.smallest
        ],
    }
