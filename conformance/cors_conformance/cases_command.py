"""The command `cors-conformance cases`: run case files against the browser and say what differs."""

import json
from collections.abc import Iterable, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Final

from rich.console import Console
from rich.progress import track
from rich.text import Text

from cors_conformance.cases import Case, CaseResult, Disagreement, MalformedCaseFile, read, run

AGREE: Final = 0
DISAGREE: Final = 1
MALFORMED: Final = 2

_PROGRESS_FROM: Final = 200
"""Cases from which on a progress bar is worth its line: some tenths of a second."""


def main(files: Sequence[Path], json_out: Path | None, console: Console) -> int:
    """Run the cases of `files`, print each disagreement with the steps taken, then the sums.

    Everything is read before anything is run, and each malformed case is told; the others are run
    all the same. Nothing from a file reaches the terminal but as printable characters.

    Returns:
        0 where all agree, 1 where one does not, 2 where a file or a case is malformed or the result
        cannot be written (said on standard error).

    """
    cases: list[tuple[Path, Case]] = []
    malformed: list[str] = []
    for path in files:
        for item in read(path):
            if isinstance(item, MalformedCaseFile):
                malformed.append(f"{item}")
                _complain(malformed[-1])
            else:
                cases.append((path, item))
    if not cases:
        if not malformed:
            _complain("no case files")
        return MALFORMED

    results: list[tuple[Path, CaseResult]] = []
    for path, case in _with_progress(cases, console):
        result = _run(path, case)
        results.append((path, result))
        for line in _lines(path, result):
            _print(console, line)

    disagree = sum(not result.agrees for _, result in results)
    _print(console, f"{len(results) - disagree} agree, {disagree} disagree")
    if json_out is not None:
        try:
            json_out.write_text(_json(results, malformed), encoding="utf-8")
        except OSError as error:
            _complain(f"{json_out}: cannot be written: {error.strerror}")
            return MALFORMED
    if malformed:
        _complain(f"{len(malformed)} malformed, see above")
        return MALFORMED
    return DISAGREE if disagree else AGREE


def _run(path: Path, case: Case) -> CaseResult:
    try:
        return run(case)
    except Exception as error:
        # A fault of the browser, not of the case: let it show itself, and say where.
        error.add_note(f"while running case {_printable(case.id)} of {_printable(str(path))}")
        raise


def _with_progress(
    cases: Sequence[tuple[Path, Case]], console: Console
) -> Iterable[tuple[Path, Case]]:
    if len(cases) < _PROGRESS_FROM or not console.is_terminal:
        return cases
    return track(cases, description="cases", console=console, transient=True)


def _lines(path: Path, result: CaseResult) -> Iterable[str]:
    """Yield a line per disagreement, each followed by the notes and steps of the fetch."""
    shown: set[int] = set()
    for disagreement in result.disagreements:
        yield f"{path}: {result.id}: {_told(disagreement, many=len(result.steps) > 1)}"
        # The steps explain every disagreement of one fetch; once is enough.
        if disagreement.step in shown:
            continue
        shown.add(disagreement.step)
        yield from (f"    {note}" for note in result.notes[disagreement.step])
        yield from (f"    {step}" for step in result.steps[disagreement.step])


def _told(disagreement: Disagreement, *, many: bool) -> str:
    step = f"step {disagreement.step + 1}: " if many else ""
    expected, got = (json.dumps(value) for value in (disagreement.expected, disagreement.got))
    return f"{step}{disagreement.key}: expected {expected}, got {got}"


def _json(results: Sequence[tuple[Path, CaseResult]], malformed: Sequence[str]) -> str:
    disagree = sum(not result.agrees for _, result in results)
    document = {
        "summary": {"agree": len(results) - disagree, "disagree": disagree},
        "malformed": malformed,
        "cases": [
            {
                "id": result.id,
                "file": str(path),
                "agrees": result.agrees,
                "disagreements": [asdict(disagreement) for disagreement in result.disagreements],
                "steps": [
                    {"step": index, "anchor": step.anchor, "text": step.text}
                    for index, steps in enumerate(result.steps)
                    for step in steps
                ],
            }
            for path, result in results
        ],
    }
    return json.dumps(document, indent=2) + "\n"


def _complain(message: str) -> None:
    _print(Console(stderr=True), f"cors-conformance cases: {message}")


def _print(console: Console, line: str) -> None:
    # `Text` is no markup; soft wrapping keeps a line one line for whoever greps.
    console.print(Text(_printable(line)), soft_wrap=True, highlight=False)


def _printable(text: str) -> str:
    """Escape what is not printable: control characters would talk to the terminal."""
    return "".join(
        character if character.isprintable() else character.encode("unicode_escape").decode("ascii")
        for character in text
    )
