"""The command `cors-conformance exhaust`: enumerate the small world and say what differs.

def main(options) -> int      0 clean, 1 a counterexample, 2 bad input, 3 a fault of the suite
"""

import argparse
import sys
import time
from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from traceback import format_exception
from typing import Final

from rich.progress import Progress
from rich.text import Text

from cors_conformance import baseline
from cors_conformance.exhaust.enumerating import Exhausted, exhaust
from cors_conformance.exhaust.small_world import description
from cors_conformance.implementation import Implementation
from cors_conformance.implementations.errors import BadImplementation
from cors_conformance.implementations.registry import find
from cors_conformance.report import text
from cors_conformance.report.complaint import complain
from cors_conformance.report.console import PipedConsole
from cors_conformance.report.escape import printable
from cors_conformance.run import CannotTest
from cors_conformance.servers.base import HarnessError
from cors_conformance.servers.text import describe_error

CLEAN: Final = 0
COUNTEREXAMPLE: Final = 1
USAGE: Final = 2
FAULT: Final = 3

_REASONS: Final = 5
"""How many reasons of refusals are printed."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments of `cors-conformance exhaust`, and say what will be enumerated."""
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    parser.description = (
        "Compare, for every policy and every request of a small world, what a browser lets the\n"
        "page do with what the policy grants. In process only.\n\n" + description()
    )
    parser.epilog = (
        "Exit status: 0 clean, but for what the baseline knows; 1 a counterexample, the smallest\n"
        "of which is printed; 2 bad input; 3 a fault of the suite."
    )
    parser.add_argument(
        "implementation",
        metavar="IMPLEMENTATION",
        help="a name that `cors-conformance implementations` lists, or package.module:Class",
    )
    known = parser.add_mutually_exclusive_group()
    known.add_argument("--baseline", metavar="FILE", help="more findings that are known")
    known.add_argument("--no-baseline", action="store_true", help="count known findings as new")


def main(options: argparse.Namespace) -> int:
    """Enumerate, with progress on a terminal, and print what came of it.

    Returns:
        0 where nothing differs but what is known, 1 where something does or the implementation
        died, 2 where it cannot be enumerated, 3 where the suite is at fault.

    """
    try:
        implementation = find(options.implementation)
        entries = {entry.rule: entry for entry in reversed(_entries(options, implementation))}
    except (BadImplementation, baseline.BadBaseline) as error:
        complain(str(error))
        return USAGE
    if implementation.wrap is None:
        message = (
            f"{implementation.name} is reached over {implementation.interface.upper()}, where"
            " enumerating would take hours; `cors-conformance run` judges it by a search"
        )
        complain(message)
        return USAGE
    started, worked = time.perf_counter(), time.process_time()
    try:
        result = _exhaust(implementation, frozenset(entries))
    except CannotTest as error:
        complain(str(error))
        return USAGE
    except Exception as error:  # noqa: BLE001 - whatever it is, it is not the implementation's
        if not isinstance(error, HarnessError):
            complain("".join(format_exception(error)))
        complain(
            "a fault of the suite or a harness, and none of"
            f" {implementation.name}: {describe_error(error)}"
        )
        return FAULT
    seconds, processor = time.perf_counter() - started, time.process_time() - worked
    console = PipedConsole()
    for line in _lines(result, implementation, entries):
        console.print(line, soft_wrap=True, highlight=False, markup=False)
    # Not on standard output, which is the same every time.
    sys.stderr.write(
        f"{seconds:.1f} s, {processor:.1f} s of processor time,"
        f" {result.exchanges / processor:,.0f} exchanges a second of it\n"
    )
    return CLEAN if result.is_clean else COUNTEREXAMPLE


def _entries(
    options: argparse.Namespace, implementation: Implementation
) -> tuple[baseline.Entry, ...]:
    own = () if options.baseline is None else baseline.read(Path(options.baseline))
    entries = own if options.no_baseline else (*own, *baseline.read())
    return tuple(
        entry
        for entry in entries
        if entry.implementation == implementation.name and entry.applies_to(implementation.version)
    )


def _exhaust(implementation: Implementation, known: frozenset[str]) -> Exhausted:
    console = PipedConsole(stderr=True)
    with Progress(console=console, transient=True, disable=not console.is_terminal) as bar:
        task = bar.add_task("pairs of a policy and a request")

        def progress(done: int, total: int) -> None:
            bar.update(task, completed=done, total=total)

        return exhaust(implementation, known=known, progress=progress)


def _lines(
    result: Exhausted, implementation: Implementation, entries: dict[str, baseline.Entry]
) -> Iterator[Text | str]:
    """Tell the counterexample, what is known, what was refused, and the sums."""
    if result.counterexample is not None:
        yield from text.finding_lines(result.counterexample, implementation)
        yield ""
    if result.died is not None:
        policy, why = result.died
        yield printable(f"it died under {policy}, where the enumeration ended: {why}", 2000)
    elif result.counterexample is None:
        for rule, count in result.known.items():
            yield printable(f"known: {count:,} pairs, {rule}: {entries[rule].reason}", 2000)
    yield from _reasons("refused", list(result.refused.values()))
    yield from _reasons("cannot express", list(result.inexpressible.elements()))
    yield (
        f"{text.titled(implementation)}: {result.pairs:,} pairs of {result.served:,} policies and"
        f" {len(result.world.visits):,} requests, {result.differing:,} differ;"
        f" {result.exchanges:,} exchanges judged, {result.sent:,} requests sent"
    )


def _reasons(title: str, reasons: list[str]) -> Iterator[str]:
    counts = {why: reasons.count(why) for why in dict.fromkeys(reasons)}
    for why, count in islice(counts.items(), _REASONS):
        yield printable(f"{title}: {count:,} policies: {why}", 1000)
    if len(counts) > _REASONS:
        yield f"{title}: {len(counts) - _REASONS:,} more reasons"
