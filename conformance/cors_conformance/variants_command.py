"""The command `cors-conformance variants`: run the rules over right middlewares.

def main(options) -> int      0 silence, 1 a finding, 2 bad input
"""

import argparse
import random
import time
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from rich.progress import Progress

from cors_conformance import baseline
from cors_conformance.arguments import add_processes, positive
from cors_conformance.baseline import Verdict
from cors_conformance.choosing import NothingMatches, choose
from cors_conformance.implementation import Implementation
from cors_conformance.implementations.registry import find
from cors_conformance.pool import each_done
from cors_conformance.profiles import PROFILES
from cors_conformance.report import text
from cors_conformance.report.complaint import complain
from cors_conformance.report.console import PipedConsole
from cors_conformance.rules import RULES
from cors_conformance.run import Run
from cors_conformance.variants import VARIANTS

SILENCE: Final = 0
FINDING: Final = 1
USAGE: Final = 2

REFERENCE: Final = "reference"
"""The reference is judged beside the variants, under this name."""

_NAMES: Final = (REFERENCE, *VARIANTS)
_PROFILES: Final = tuple(name for name, profile in PROFILES.items() if not profile.is_endless)


@dataclass(frozen=True, slots=True, kw_only=True)
class Judged:
    """What one run said.

    Attributes:
        name: of the variant.
        seed: of the search; `None` where the profile has none.
        exchanges: how many requests were sent.
        seconds: of processor time.
        findings: each as it is printed.
        noted: the ids of rules that found what is worth knowing, and no finding.

    """

    name: str
    seed: int | None
    exchanges: int
    seconds: float
    findings: tuple[str, ...]
    noted: tuple[str, ...]


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments of `cors-conformance variants`."""
    parser.description = (
        "Judge the reference and the variants, middlewares that are right in a way of their own,"
        " by all rules. A finding is a false accusation."
    )
    parser.epilog = "Exit status: 0 no finding, 1 findings, 2 bad input."
    parser.add_argument("globs", nargs="*", metavar="GLOB", help="such as 'denied-*'")
    parser.add_argument(
        "--profile", default="default", choices=_PROFILES, help="how to search: %(choices)s"
    )
    parser.add_argument(
        "--runs", type=positive, default=1, metavar="N", help="so many, each with seeds of its own"
    )
    parser.add_argument(
        "--seed", type=int, metavar="N", help="of every search, in place of one that is drawn"
    )
    add_processes(parser)


def main(options: argparse.Namespace) -> int:
    """Judge, with progress on a terminal, and print a line per run and what was found.

    Returns:
        0 where nothing was found, 1 where something was, 2 where a glob matches none.

    """
    there = f"there are {', '.join(_NAMES)}"
    try:
        chosen = choose(_NAMES, options.globs, kind="variant", listed=there)
    except NothingMatches as error:
        complain(str(error))
        return USAGE
    is_same = options.seed is not None or PROFILES[options.profile].is_deterministic
    if options.runs > 1 and is_same:
        complain(
            "runs with one seed, or by a profile that has none, are the same; take --profile long"
            " without --seed"
        )
        return USAGE
    jobs = [
        (name, options.profile, options.seed if is_same else _drawn_seed())
        for _ in range(options.runs)
        for name in chosen
    ]
    console, errors = PipedConsole(), PipedConsole(stderr=True)
    found = exchanges = 0
    with Progress(console=errors, transient=True, disable=not errors.is_terminal) as bar:
        task = bar.add_task("judging", total=len(jobs))
        for judged in each_done(judge, jobs, processes=options.processes):
            bar.advance(task)
            found += len(judged.findings)
            exchanges += judged.exchanges
            for line in _lines(judged):
                console.print(line, soft_wrap=True, highlight=False, markup=False)
            console.file.flush()
    console.print(
        f"{len(jobs)} runs of {len(chosen)} middlewares, {exchanges:,} exchanges, {found} findings",
        highlight=False,
    )
    return FINDING if found else SILENCE


def judge(name: str, profile: str, seed: int | None) -> Judged:
    """Judge the reference or a variant by all rules."""
    implementation = _implementation(name)
    started = time.process_time()
    report = Run(
        implementation=implementation,
        rules=tuple(RULES.values()),
        profile=PROFILES[profile],
        seed=seed,
    ).report()
    judged = baseline.judge(report).judged
    return Judged(
        name=name,
        seed=report.seed,
        exchanges=report.exchanges,
        seconds=time.process_time() - started,
        findings=tuple(
            "\n".join(str(line) for line in text.finding_lines(each.result.finding, implementation))
            for each in judged
            if each.verdict is Verdict.FAILED and each.result.finding is not None
        ),
        noted=tuple(each.result.rule.id for each in judged if each.verdict is Verdict.NOTED),
    )


def _implementation(name: str) -> Implementation:
    return find(REFERENCE) if name == REFERENCE else VARIANTS[name].implementation


def _drawn_seed() -> int:
    return random.randrange(2**32)  # noqa: S311 - a seed to print, not a secret


def _lines(judged: Judged) -> Iterable[str]:
    seed = "" if judged.seed is None else f" seed {judged.seed},"
    noted = f"; noted: {', '.join(judged.noted)}" if judged.noted else ""
    yield (
        f"{judged.name}:{seed} {judged.exchanges:,} exchanges, {judged.seconds:.0f} s,"
        f" {len(judged.findings)} findings{noted}"
    )
    for finding in judged.findings:
        yield from (f"    {line}" for line in finding.splitlines())
