"""The command `cors-conformance benchmarks`: what changed, as a table or a chart."""

import argparse
import math
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from rich.box import SIMPLE
from rich.table import Table
from rich.text import Text

from cors_conformance.arguments import output
from cors_conformance.benchmarks.comparing import Change, NothingInCommon, compare
from cors_conformance.benchmarks.history import history
from cors_conformance.benchmarks.results import BadResults, Results, load
from cors_conformance.report.complaint import complain
from cors_conformance.report.console import PipedConsole
from cors_conformance.report.escape import printable

OK: Final = 0
SLOWER: Final = 1
USAGE: Final = 2


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments of `cors-conformance benchmarks`."""
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    comparing = commands.add_parser(
        "compare",
        help="print what changed between two results of the benchmarks",
        epilog="Exit status: 0 nothing slower beyond the threshold, 1 something is, 2 bad input.",
    )
    comparing.add_argument("old", type=Path, metavar="OLD", help="results, a JSON file")
    comparing.add_argument("new", type=Path, metavar="NEW", help="results, a JSON file")
    comparing.add_argument(
        "--threshold",
        type=_per_cent,
        default=0.1,
        metavar="PERCENT",
        help="slow-downs up to here are let pass (default: 10)",
    )

    comparing.set_defaults(does=_compare)
    charting = commands.add_parser(
        "chart",
        help="draw how the shares went from one result to the next",
        description="Draw the shares of all results, in the order of their time, as one file that"
        " is light or dark as its reader is. Needs the extra `charts`.",
        epilog="Exit status: 0 drawn, 2 bad input.",
    )
    charting.add_argument(
        "results", nargs="+", type=Path, metavar="RESULTS", help="results, JSON files"
    )
    charting.add_argument(
        "--output",
        required=True,
        type=output,
        metavar="FILE",
        help="a page with the chart and its figures (.html), or the chart alone (.svg)",
    )
    charting.set_defaults(does=_chart)
    for command in (comparing, charting):
        command.add_argument(
            "--relative-to",
            default="starlette",
            metavar="NAME",
            help="the implementation whose cost in the same run is 1 (default: starlette)",
        )


def _per_cent(text: str) -> float:
    try:
        share = float(text) / 100
    except ValueError:
        share = math.nan
    if not 0 <= share < math.inf:
        message = f"{text!r} is no percentage of 0 or more"
        raise argparse.ArgumentTypeError(message)
    return share


def main(options: argparse.Namespace) -> int:
    """Compare or draw; see `add_arguments` for the exit status."""
    try:
        status: int = options.does(options)
    except (BadResults, NothingInCommon) as error:
        complain(str(error))
        return USAGE
    return status


def _chart(options: argparse.Namespace) -> int:
    """Draw what the suffix of the output says."""
    target: Path = options.output
    suffix = target.suffix.lower()
    if suffix not in {".html", ".svg"}:
        complain(f"{target}: cannot be drawn, expected a name that ends in .html or .svg")
        return USAGE
    runs = history(options.results, options.relative_to)
    try:
        from cors_conformance.benchmarks.drawing import draw  # noqa: PLC0415 - an extra
        from cors_conformance.benchmarks.page import page  # noqa: PLC0415 - see above
    except ModuleNotFoundError as error:
        complain(
            f"charts need {error.name}, which is not installed here:"
            " pip install 'cors-conformance[charts]'"
        )
        return USAGE
    drawn = page(runs) if suffix == ".html" else draw(runs)
    try:
        target.write_text(drawn, encoding="utf-8")
    except OSError as error:
        complain(f"{target}: cannot be written: {error.strerror}")
        return USAGE
    return OK


def _compare(options: argparse.Namespace) -> int:
    """Print the table of what changed."""
    old, new = load(options.old), load(options.new)
    changes = compare(old, new, options.relative_to)
    console = PipedConsole()
    for line in _differences(old, new):
        console.print(line, soft_wrap=True, highlight=False, markup=False)
    console.print(
        "cost above the bare application, relative to that of"
        f" {printable(options.relative_to)} in the same run",
        markup=False,
        highlight=False,
    )
    for table in _tables(changes, options.threshold):
        console.print(table)
    slower = [change for change in changes if change.is_slower_than(options.threshold)]
    console.print(
        f"{len(changes)} compared, {len(slower)} slower by more than {options.threshold:.0%}",
        highlight=False,
    )
    return SLOWER if slower else OK


def _differences(old: Results, new: Results) -> list[str]:
    """Say what else is not the same, and may be the reason."""
    lines = []
    if old.machine != new.machine:
        lines.append(f"machine: {_machine(old)} -> {_machine(new)}")
    for name, subject in new.subjects.items():
        before = old.subjects.get(name)
        if before is not None and before != subject:
            lines.append(
                f"{name}: {before.version}, {before.findings} findings ->"
                f" {subject.version}, {subject.findings} findings"
            )
    return [printable(line, limit=400) for line in lines]


def _machine(results: Results) -> str:
    machine = results.machine
    return f"{machine.processor}, {machine.cores} cores, {machine.system}, {machine.python}"


def _tables(changes: tuple[Change, ...], threshold: float) -> Iterator[Table]:
    """Yield a table per implementation, of at most eighty columns."""
    for name in dict.fromkeys(change.implementation for change in changes):
        # Not markup: a name may have brackets.
        table = Table(box=SIMPLE, pad_edge=False, collapse_padding=True)
        table.title, table.title_justify = Text(printable(name), style="bold"), "left"
        table.add_column("request", no_wrap=True)
        for heading in ("old", "new", "change"):
            table.add_column(heading, justify="right", no_wrap=True)
        table.add_column("verdict", no_wrap=True)
        for change in changes:
            if change.implementation == name:
                table.add_row(*map(Text, _cells(change, threshold)))
        yield table


def _cells(change: Change, threshold: float) -> tuple[str, ...]:
    return (
        printable(change.kind),
        f"{change.old.value:.3f}",
        f"{change.new.value:.3f}",
        f"{change.ratio - 1:+.1%} [{change.low - 1:+.0%}, {change.high - 1:+.0%}]",
        _verdict(change, threshold),
    )


def _verdict(change: Change, threshold: float) -> str:
    if not change.is_significant:
        return "no difference"
    if change.is_slower_than(threshold):
        return "slower"
    return "faster" if change.ratio < 1 else "let pass"
