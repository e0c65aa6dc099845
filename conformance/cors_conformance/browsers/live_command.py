"""`cors-conformance check-live`: real pages against real servers, judged by what policies grant."""

import argparse
import sys
from typing import Final

from cors_conformance.browsers.command import (
    DISAGREE,
    FAULT,
    OK,
    SEED,
    add_engine_arguments,
    ended_by_signals,
    say,
)
from cors_conformance.browsers.driving import PageLost, Theatre
from cors_conformance.browsers.engines import (
    ENGINES,
    Engine,
    EngineMissing,
    locate,
    started,
    version,
)
from cors_conformance.browsers.live import LiveReport, check
from cors_conformance.implementation import Implementation
from cors_conformance.implementations.errors import BadImplementation, UnknownImplementation
from cors_conformance.implementations.registry import find

USAGE: Final = 2
PAIRS: Final = 300
SHOWN: Final = 5


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options of `cors-conformance check-live`."""
    parser.add_argument("implementations", nargs="+", metavar="IMPLEMENTATION", help="as for `run`")
    add_engine_arguments(parser)
    parser.add_argument(
        "--pairs", type=int, default=PAIRS, metavar="N", help="policies with requests, for each"
    )
    parser.add_argument("--seed", type=int, default=SEED, metavar="S", help="of the pairs")


def main(options: argparse.Namespace) -> int:
    """Check each implementation in each engine that is here.

    Returns:
        0 where pages can do what policies grant and nothing else, 1 where not, 2 where there is
        no such implementation, 3 where an engine that is here cannot be made to work.

    """
    try:
        implementations = [find(name) for name in options.implementations]
    except (UnknownImplementation, BadImplementation) as error:
        sys.stderr.write(f"cors-conformance check-live: {error}\n")
        return USAGE
    statuses = [OK]
    for name in options.engine or ENGINES:
        engine = ENGINES[name]
        try:
            executable = locate(engine, getattr(options, name))
        except EngineMissing as error:
            say(f"{name}: not tested: {error}")
            continue
        say(f"{name}: {engine.product} {version(engine, executable)}, seed {options.seed}")
        try:
            with ended_by_signals():
                statuses.append(_engine(options, engine, executable, implementations))
        except (PageLost, OSError, RuntimeError) as error:
            sys.stderr.write(f"cors-conformance check-live: {name}: {error}\n")
            statuses.append(FAULT)
    return max(statuses)


def _engine(
    options: argparse.Namespace,
    engine: Engine,
    executable: str,
    implementations: list[Implementation],
) -> int:
    status = OK
    with Theatre().running() as theatre, started(engine, executable, theatre.start_url):
        for implementation in implementations:
            report = check(theatre, implementation, options.pairs, options.seed)
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
