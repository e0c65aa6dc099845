"""The command `cors-conformance mutants`: run the rules over wrong middlewares.

def main(options) -> int      0 all die as they should, 1 one does not, or a rule idles; 2 bad input
"""

import argparse
from typing import Final

from rich.progress import Progress

from cors_conformance import kill_matrix
from cors_conformance.arguments import add_processes, output
from cors_conformance.choosing import NothingMatches, choose
from cors_conformance.mutants import MUTANTS
from cors_conformance.report.complaint import complain
from cors_conformance.report.console import PipedConsole
from cors_conformance.rules import RULES

KILLED: Final = 0
SURVIVED: Final = 1
USAGE: Final = 2


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments of `cors-conformance mutants`."""
    parser.description = (
        "Judge the mutants, middlewares with one mistake each, by all rules in the default profile,"
        " and print which rules find which. It is the rules that are tested."
    )
    parser.epilog = (
        "Exit status: 0 each mutant dies by a rule that names its mistake, 1 one does not, or a"
        " rule finds none of all, 2 bad input."
    )
    parser.add_argument("globs", nargs="*", metavar="GLOB", help="such as 'vary-*'")
    add_processes(parser)
    parser.add_argument(
        "--markdown", type=output, metavar="FILE", help="write the matrix as a page of Markdown"
    )


def main(options: argparse.Namespace) -> int:
    """Judge, with progress on a terminal, and print the matrix and what is wrong with it.

    Returns:
        0 where each mutant dies by a rule that names its mistake, 1 where one does not or a rule
        finds none of all, 2 where a glob matches none or the page cannot be written.

    """
    try:
        chosen = choose(MUTANTS, options.globs, kind="mutant", listed="without a glob, all are run")
    except NothingMatches as error:
        complain(str(error))
        return USAGE
    console, errors = PipedConsole(), PipedConsole(stderr=True)
    with Progress(console=errors, transient=True, disable=not errors.is_terminal) as bar:
        task = bar.add_task("judging", total=len(chosen))
        kills = kill_matrix.matrix(
            [MUTANTS[name] for name in chosen],
            RULES.values(),
            processes=options.processes,
            told=lambda _: bar.advance(task),
        )
    console.print(kill_matrix.table(kills))
    if options.markdown is not None:
        try:
            options.markdown.write_text(kill_matrix.page(kills), encoding="utf-8")
        except OSError as error:
            complain(f"{options.markdown} cannot be written: {error.strerror}")
            return USAGE
    survivors = kill_matrix.survivors(kills)
    misnamed = kill_matrix.misnamed(kills)
    # What kills nothing of a few mutants says nothing.
    idle = () if options.globs else kill_matrix.idle(kills, RULES.values())
    for what, ids in (
        ("survived", [kill.mutant for kill in survivors]),
        ("died by no rule that names the mistake", [kill.mutant for kill in misnamed]),
        ("rules that killed nothing", idle),
    ):
        if ids:
            console.print(f"{what}: {', '.join(ids)}", markup=False, highlight=False)
    console.print(
        f"{len(kills)} mutants, {len(survivors)} survived,"
        f" median {kill_matrix.median_seconds(kills):.2f} s to the first finding",
        highlight=False,
    )
    return SURVIVED if survivors or misnamed or idle else KILLED
