"""`cors-conformance check-live`: real pages against real servers, judged by what policies grant."""

import argparse
from typing import Final

from cors_conformance.browsers.command import (
    FAILURES,
    SEED,
    add_engine_arguments,
    complain,
    positive,
    say,
)
from cors_conformance.browsers.driving import Theatre
from cors_conformance.browsers.engines import (
    ENGINES,
    Engine,
    EngineMissing,
    locate,
    started,
    version,
)
from cors_conformance.browsers.interrupting import ended_by_signals
from cors_conformance.browsers.live import LiveReport, check
from cors_conformance.browsers.verdicts import DISAGREE, FAULT, OK, USAGE, overall
from cors_conformance.implementation import Implementation
from cors_conformance.implementations.errors import BadImplementation, UnknownImplementation
from cors_conformance.implementations.registry import find

PAIRS: Final = 300
SHOWN: Final = 5


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options of `cors-conformance check-live`."""
    parser.add_argument("implementations", nargs="+", metavar="IMPLEMENTATION", help="as for `run`")
    add_engine_arguments(parser)
    parser.add_argument(
        "--pairs",
        type=positive,
        default=PAIRS,
        metavar="N",
        help="policies with requests, for each",
    )
    parser.add_argument("--seed", type=int, default=SEED, metavar="S", help="of the pairs")


def main(options: argparse.Namespace) -> int:
    """Check each implementation in each engine that is here.

    Returns:
        0 where pages can do what policies grant and nothing else, 1 where not, 2 where there is
        no such implementation, 3 where an engine that is here cannot be made to work, 4 where
        there is no engine.

    """
    try:
        implementations = [find(name) for name in options.implementations]
    except (UnknownImplementation, BadImplementation) as error:
        complain("check-live", str(error))
        return USAGE
    statuses: list[int] = []
    with ended_by_signals():
        for name in options.engine or ENGINES:
            engine = ENGINES[name]
            try:
                executable = locate(engine, getattr(options, name))
            except EngineMissing as error:
                say(f"{name}: not tested: {error}")
                continue
            say(f"{name}: {engine.product} {version(engine, executable)}, seed {options.seed}")
            try:
                statuses.append(_engine(options, engine, executable, implementations))
            except FAILURES as error:
                complain("check-live", f"{name}: not tested: {engine.product} fails: {error}")
                statuses.append(FAULT)
    return overall(statuses)


def _engine(
    options: argparse.Namespace,
    engine: Engine,
    executable: str,
    implementations: list[Implementation],
) -> int:
    status = OK
    with Theatre().running() as theatre, started(engine, executable, theatre.start_url) as running:
        for implementation in implementations:
            report = check(
                theatre,
                implementation,
                options.pairs,
                options.seed,
                last_words=running.last_words,
            )
            _tell(engine, implementation, report)
            if report.findings:
                status = DISAGREE
    return status


def _tell(engine: Engine, implementation: Implementation, report: LiveReport) -> None:
    strange = sum(not finding.model_agrees for finding in report.findings)
    say(
        f"{engine.name}: {implementation.name}: {report.pairs} pairs, {report.free} left free,"
        f" {report.refused} policies refused, {report.died} servers died,"
        f" {len(report.findings)} findings ({strange} in which the model differs from the engine)"
    )
    for finding in report.findings[:SHOWN]:
        say(f"  {finding.visit}")
        say(f"    with {finding.policy}")
        say(f"    {finding.grant}; the page got {finding.seen.result}")
