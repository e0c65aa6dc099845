"""`cors-conformance check-live`: real pages against real servers, judged by what policies grant."""

import argparse
from collections.abc import Iterator
from functools import partial
from typing import Final

from cors_conformance.arguments import positive
from cors_conformance.browsers.command import (
    FAILURES,
    SEED,
    add_engine_arguments,
    complain,
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
from cors_conformance.browsers.observing import Seen
from cors_conformance.browsers.verdicts import DISAGREE, FAULT, OK, USAGE, overall
from cors_conformance.implementation import Implementation
from cors_conformance.implementations.errors import BadImplementation, UnknownImplementation
from cors_conformance.implementations.registry import find
from cors_conformance.policy import Policy
from cors_conformance.scenario import Visit

EPILOG: Final = (
    "Exit status: 0 pages can do what policies grant and nothing else, 1 not so, 2 bad input,"
    " 3 an engine does not work, 4 no engine is here."
)
PAIRS: Final = 300
SHOWN: Final = 5
PATIENCE: Final = 120.0
"""Seconds for the visits under one policy."""

UNLIKE: Final = ", unlike the browser model"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options of `cors-conformance check-live`."""
    parser.epilog = EPILOG
    parser.add_argument("implementations", nargs="+", metavar="IMPLEMENTATION", help="as for `run`")
    add_engine_arguments(parser)
    parser.add_argument(
        "--pairs",
        type=positive,
        default=PAIRS,
        metavar="N",
        help="policies with requests, for each (300)",
    )
    parser.add_argument("--seed", type=int, default=SEED, metavar="S", help="of the pairs (1)")


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
    with (
        Theatre().running() as theatre,
        started(engine, executable, theatre.start_url) as running,
    ):
        play = partial(theatre.play, seconds=PATIENCE, last_words=running.last_words)
        for implementation in implementations:
            report = check(play, implementation, options.pairs, options.seed)
            for line in _lines(engine, implementation, report):
                say(line)
            if report.findings or report.died:
                status = DISAGREE
    return status


def _lines(engine: Engine, implementation: Implementation, report: LiveReport) -> Iterator[str]:
    strange = sum(not finding.model_agrees for finding in report.findings)
    name = f"{engine.name}: {implementation.name}"
    yield (
        f"{name}: {report.pairs} pairs, {report.free} of them left free by the policy,"
        f" {len(report.refused)} policies refused, {len(report.died)} servers died"
    )
    for policy in report.died[:SHOWN]:
        yield f"  a server died with {_policy(policy)}"
    for finding in report.findings[:SHOWN]:
        yield f"  a page of {finding.visit.origin}: {_fetch(finding.visit)}"
        yield f"    with {_policy(finding.policy)}"
        yield (
            f"    the policy says {finding.grant.verdict.value}: {finding.grant.reason};"
            f" the page got {_got(finding.seen)}{'' if finding.model_agrees else UNLIKE}"
        )
    if len(report.findings) > SHOWN:
        yield f"  and {len(report.findings) - SHOWN} more"
    if report.findings or report.died:
        yield (
            f"{name}: {len(report.findings)} findings, {strange} of them with the browser model"
            " at odds with the engine"
        )
    elif not report.pairs:
        yield f"{name}: not tested: no policy could be built"
    else:
        yield f"{name}: passed: pages could do what the policies grant, and nothing else"


def _got(seen: Seen) -> str:
    names = ", ".join(name for name, _ in seen.headers) or "no headers"
    return f"{seen.status} with {names}" if seen.result == "success" else "a network error"


def _fetch(visit: Visit) -> str:
    headers = {name.decode("latin-1"): value.decode("latin-1") for name, value in visit.headers}
    method = visit.method.decode("latin-1")
    return f"{method} with {headers or 'no headers'}, credentials {visit.credentials!r}"


def _policy(policy: Policy) -> str:
    return ", ".join(f"{name}={value!r}" for name, value in policy.parameters().items())
