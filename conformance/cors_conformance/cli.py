"""The command `cors-conformance`. Heavy modules are imported by the commands that need them."""

import argparse
import os
import sys
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Final

from cors_conformance.arguments import output
from cors_conformance.report.complaint import complain

if TYPE_CHECKING:
    from rich.console import Console
    from rich.text import Text

    from cors_conformance.baseline import Judged, Judgement
    from cors_conformance.implementation import Implementation
    from cors_conformance.selection import Selection

OK: Final = 0
FINDINGS: Final = 1
USAGE: Final = 2
FAULT: Final = 3
INTERRUPTED: Final = 130
BROKEN_PIPE: Final = 141
"""Exit statuses; the last two are those of a shell for the signals."""


_APART: Final = {
    "benchmarks": ("benchmarks.command", "compare results of the benchmarks, or draw them"),
    "browsers": ("browsers.command", "compare the browser model with real engines"),
    "check-live": (
        "browsers.live_command",
        "let pages of real engines fetch from an implementation",
    ),
    "exhaust": ("exhaust.command", "judge every policy and every request of a small world"),
    "mutants": ("mutants_command", "run the rules over wrong middlewares"),
    "variants": ("variants_command", "run the rules over right middlewares"),
}
"""Commands with a parser of their own, in these modules."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command and return its exit status."""
    given = sys.argv[1:] if arguments is None else list(arguments)
    if given[:1] and given[0] in _APART:
        options = _apart(given[0]).parse_args(given[1:])
    else:
        options = _parser().parse_args(given)
    try:
        status: int = options.command(options)
        sys.stdout.flush()
    except KeyboardInterrupt:
        # Servers were closed on the way up.
        sys.stderr.write("cors-conformance: interrupted\n")
        return INTERRUPTED
    except BrokenPipeError:
        # The reader has enough. What is still buffered must not fail again at exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return BROKEN_PIPE
    return status


def _apart(name: str) -> argparse.ArgumentParser:
    from importlib import import_module  # noqa: PLC0415 - a fast start

    module, summary = _APART[name]
    command = import_module(f"cors_conformance.{module}")
    parser = argparse.ArgumentParser(prog=f"cors-conformance {name}", description=summary)
    command.add_arguments(parser)
    parser.set_defaults(command=command.main)
    return parser


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="cors-conformance",
        description="Find out whether a CORS middleware does what its configuration says.",
        epilog="Exit status: 0 nothing new, 1 findings, 2 bad input, 3 a fault of the suite.",
    )
    parser.add_argument("--version", action=_Version, help="print the version")
    commands = parser.add_subparsers(title="commands", required=True, metavar="COMMAND")
    _add_run(
        commands.add_parser(
            "run",
            help="judge implementations",
            description="Judge CORS middlewares: a standard browser must let pages do what the"
            " policy grants, and nothing else.",
            epilog="Exit status: 0 nothing new, 1 findings, or known ones that are gone, 2 bad"
            " input, 3 a fault of the suite.",
        )
    )
    cases = commands.add_parser(
        "cases",
        help="run case files against the browser",
        description="Run case files against the browser model, and print what differs from what"
        " they expect, with the steps of the standard that were taken.",
        epilog="Exit status: 0 all agree, 1 one does not, 2 bad input.",
    )
    cases.add_argument("files", nargs="+", type=Path, metavar="FILE", help="JSON")
    cases.add_argument("--json", type=output, metavar="OUT", help="write the results there, too")
    cases.set_defaults(command=_cases)
    listed = commands.add_parser(
        "implementations",
        help="list what can be tested here",
        description="List the implementations that can be tested by name, with what each cannot"
        " express or show.",
    )
    listed.add_argument("--json", action="store_true", help="print JSON")
    listed.set_defaults(command=_implementations)
    rules = commands.add_parser(
        "rules",
        help="list the rules",
        description="List the rules: level, statement, and the anchor in the standard.",
        epilog="Exit status: 0 listed, 2 no rule matches.",
    )
    rules.add_argument("globs", nargs="*", metavar="GLOB", help="such as 'safe-*'")
    rules.add_argument("--json", action="store_true", help="print JSON")
    rules.set_defaults(command=_rules)
    for name, (_, summary) in _APART.items():
        commands.add_parser(name, help=summary)
    return parser


def _add_run(run: argparse.ArgumentParser) -> None:
    run.set_defaults(command=_run)
    run.add_argument(
        "implementations",
        nargs="*",
        metavar="IMPLEMENTATION",
        help="a name that `cors-conformance implementations` lists, or package.module:Class",
    )
    run.add_argument(
        "--implementation", action="append", default=[], metavar="NAME", help="the same"
    )
    run.add_argument(
        "--rule", action="append", default=[], metavar="GLOB", help="judge by these rules only"
    )
    run.add_argument("--policy", metavar="FILE", help="test one policy: a JSON file, or a name")
    run.add_argument(
        "--profile",
        default="default",
        metavar="NAME",
        help="quick, default, long, or fuzz, which goes on until it is stopped",
    )
    run.add_argument(
        "--seed", type=int, metavar="N", help="search by another seed: any whole number"
    )
    run.add_argument(
        "--seconds", type=float, metavar="N", help="end the profile fuzz after so long"
    )
    run.add_argument(
        "--examples", type=int, metavar="N", help="end the profile fuzz after so many examples"
    )
    run.add_argument(
        "--database",
        metavar="URL",
        help="begin with the counterexamples kept there and keep new ones: redis://HOST:PORT/NUMBER,"
        " rediss://..., unix://PATH, or a directory; a password may be in REDISCLI_AUTH",
    )
    run.add_argument(
        "--baseline",
        metavar="FILE",
        help="more findings that are known: TOML tables [[known]] of rule, implementation,"
        " versions and reason",
    )
    run.add_argument(
        "--no-baseline",
        action="store_true",
        help="count the findings that the package knows of as new",
    )
    run.add_argument("--json", type=output, metavar="OUT", help="write the report there, too")
    run.add_argument(
        "--replay",
        metavar="TOKEN",
        help="do one finding again, by the token printed with it",
    )


class _Version(argparse.Action):
    """Like argparse's own, which would want the version before it is asked for."""

    def __init__(self, option_strings: Sequence[str], dest: str, help: str) -> None:  # noqa: A002 - the name is argparse's
        super().__init__(option_strings, dest, nargs=0, help=help)

    def __call__(self, parser: argparse.ArgumentParser, *_: object) -> None:
        from importlib.metadata import version  # noqa: PLC0415 - a fast start

        sys.stdout.write(f"cors-conformance {version('cors-conformance')}\n")
        parser.exit()


def _console(*, error: bool = False) -> "Console":
    from cors_conformance.report.console import PipedConsole  # noqa: PLC0415 - a fast start

    return PipedConsole(stderr=error)


def _cases(options: argparse.Namespace) -> int:
    from cors_conformance import cases_command  # noqa: PLC0415 - a fast start

    return cases_command.main(options.files, options.json, _console())


def _run(options: argparse.Namespace) -> int:
    from cors_conformance import selection  # noqa: PLC0415 - a fast start

    names = [*options.implementations, *options.implementation]
    if not names:
        complain("name an implementation; `cors-conformance implementations` lists them")
        return USAGE
    asked = selection.Asked(
        implementations=names,
        rules=options.rule,
        policy=options.policy,
        profile=options.profile,
        seed=options.seed,
        baseline=options.baseline,
        ignore_shipped_baseline=options.no_baseline,
        token=options.replay,
        database=options.database,
        seconds=options.seconds,
        examples=options.examples,
    )
    try:
        selected = selection.read(asked)
    except selection.BadSelection as error:
        complain(str(error))
        return USAGE
    if selected.is_endless and selected.seed is None:
        import random  # noqa: PLC0415 - a fast start
        from dataclasses import replace  # noqa: PLC0415

        # Drawn here to be printed before the search, which may be ended by anything.
        selected = replace(selected, seed=random.randrange(2**32))  # noqa: S311 - no secret
    return _run_all(selected, options.json)


def _run_all(selected: "Selection", json_out: Path | None) -> int:
    from cors_conformance.report import json  # noqa: PLC0415 - a fast start

    console = _console()
    statuses, runs = [OK], []
    for implementation in selected.implementations:
        if selected.is_endless:
            _print_head(console, implementation, selected)
        status, judgement = _judge(selected, implementation)
        statuses.append(status)
        if judgement is not None:
            _print(console, judgement, is_told=selected.is_endless)
            runs.append(json.run(judgement))
            if judgement.report.is_interrupted:
                break
    if json_out is not None:
        try:
            json_out.write_text(json.dumps(runs), encoding="ascii")
        except OSError as error:
            complain(f"{json_out}: cannot be written: {error.strerror}")
            statuses.append(USAGE)
    return max(statuses)


def _judge(
    selected: "Selection", implementation: "Implementation"
) -> tuple[int, "Judgement | None"]:
    """Judge one implementation, with progress on a terminal; the status says whose fault it is."""
    from rich.progress import Progress  # noqa: PLC0415 - a fast start

    from cors_conformance.report.pulse import Pulse  # noqa: PLC0415 - a fast start
    from cors_conformance.run import CannotTest  # noqa: PLC0415 - a fast start
    from cors_conformance.selection import BadSelection  # noqa: PLC0415 - a fast start

    console = _console(error=True)
    pulse = Pulse(lambda line: complain(f"{implementation.name}: {line}"))
    # What is printed meanwhile is for the standard output, wherever that leads.
    bar = Progress(
        console=console, transient=True, disable=not console.is_terminal, redirect_stdout=False
    )
    try:
        with bar:
            task = bar.add_task("starting")

            def progress(what: str, done: int, total: int) -> None:
                bar.update(task, description=what, completed=done, total=total or None)
                if selected.is_endless and not console.is_terminal:
                    pulse(what, done, total)

            def told(judged: "Judged") -> None:
                bar.stop()
                _print_finding(_console(), judged, implementation)
                bar.start()

            judgement = selected.judge(implementation, progress=progress, told=told)
    except BrokenPipeError:
        raise
    except (BadSelection, CannotTest) as error:
        complain(str(error))
        return USAGE, None
    except Exception as error:  # noqa: BLE001 - whatever it is, it is not the implementation's
        _fault(implementation, error)
        return FAULT, None
    return OK if judgement.is_green else FINDINGS, judgement


def _fault(implementation: "Implementation", error: Exception) -> None:
    from traceback import format_exception  # noqa: PLC0415 - a fast start

    from cors_conformance.servers.base import HarnessError  # noqa: PLC0415 - a fast start
    from cors_conformance.servers.text import describe_error  # noqa: PLC0415 - a fast start

    if not isinstance(error, HarnessError):
        complain("".join(format_exception(error)))
    complain(
        f"a fault of the suite or a harness, and none of {implementation.name}:"
        f" {describe_error(error)}"
    )


def _print_finding(console: "Console", judged: "Judged", implementation: "Implementation") -> None:
    from cors_conformance.baseline import Verdict  # noqa: PLC0415 - a fast start
    from cors_conformance.report import text  # noqa: PLC0415 - a fast start

    if judged.verdict is Verdict.FAILED and judged.result.finding is not None:
        _print_lines(console, text.finding_lines(judged.result.finding, implementation))
        _print_lines(console, [""])


def _print(console: "Console", judgement: "Judgement", *, is_told: bool) -> None:
    """Print the report; of an endless run what was not told while it went on."""
    from cors_conformance.report import text  # noqa: PLC0415 - a fast start

    report = judgement.report
    if not is_told:
        rules = len(report.results)
        head = text.header_line(report.implementation, report.profile, report.seed, rules)
        _print_lines(console, [head, ""])
        for judged in judgement.judged:
            _print_finding(console, judged, report.implementation)
    _print_lines(console, text.summary_lines(judgement))


def _print_head(
    console: "Console", implementation: "Implementation", selected: "Selection"
) -> None:
    from cors_conformance.report import text  # noqa: PLC0415 - a fast start

    rules = len(selected.rules)
    name = selected.profile.name
    head = text.header_line(implementation, name, selected.seed, rules)
    _print_lines(console, [head, ""])


def _print_lines(console: "Console", lines: Iterable["Text | str"]) -> None:
    for line in lines:
        # Soft wrapping keeps a line one line, for whoever copies a command.
        console.print(line, soft_wrap=True, highlight=False, markup=False)
    console.file.flush()


def _implementations(options: argparse.Namespace) -> int:
    from cors_conformance.report import listings  # noqa: PLC0415 - a fast start

    if options.json:
        sys.stdout.write(listings.implementations_json())
        return OK
    for line in listings.implementations():
        _console().print(line, soft_wrap=True, highlight=False)
    return OK


def _rules(options: argparse.Namespace) -> int:
    from cors_conformance.choosing import NothingMatches  # noqa: PLC0415 - a fast start
    from cors_conformance.report import listings  # noqa: PLC0415 - a fast start
    from cors_conformance.rules import select  # noqa: PLC0415 - a fast start

    try:
        rules = select(options.globs)
    except NothingMatches as error:
        complain(str(error))
        return USAGE
    if options.json:
        sys.stdout.write(listings.rules_json(rules))
        return OK
    for line in listings.rules(rules):
        _console().print(line, soft_wrap=True, highlight=False)
    return OK


if __name__ == "__main__":
    sys.exit(main())
