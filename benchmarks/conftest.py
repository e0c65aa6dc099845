"""The axes of the benchmarks: who answers, and what is asked; and where results go."""

import json
import os
import platform
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

from calling import Call, calls_of
from cors_conformance.benchmarks.results import Machine, Results, Row, Subject, dump
from cors_conformance.implementation import Implementation
from cors_conformance.implementations.errors import BadImplementation
from cors_conformance.implementations.registry import find
from kinds import HOSTILE, KINDS
from measuring import CONFIDENCE

STANDARDS = ("reference", "starlette")
"""They are measured in every run: what others add is told as a share of what these add."""

_SELECTED = pytest.StashKey[dict[str, Implementation]]()
_ROWS = pytest.StashKey[list[Row]]()


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--implementation",
        action="append",
        default=[],
        metavar="NAME",
        help="measure this one beside the reference and Starlette: a name that"
        " `cors-conformance implementations` lists, or package.module:Class; repeatable",
    )
    parser.addoption(
        "--results", type=Path, metavar="FILE", help="store what was measured, as JSON"
    )


def pytest_configure(config: pytest.Config) -> None:
    names = config.getoption("--implementation") or ["reference-wsgi", "fastapi"]
    try:
        selected = {name: find(name) for name in (*STANDARDS, *names)}
    except BadImplementation as error:
        raise pytest.UsageError(str(error)) from error
    servers = [one.name for one in selected.values() if one.wrap is None]
    if servers:
        message = f"{', '.join(servers)}: a server, which cannot be measured in process"
        raise pytest.UsageError(message)
    config.stash[_SELECTED] = selected
    config.stash[_ROWS] = []


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    if "subject" in metafunc.fixturenames:
        selected = metafunc.config.stash[_SELECTED].values()
        metafunc.parametrize("subject", list(calls_of(selected, KINDS["no Origin"])))


@pytest.fixture(params=[*KINDS, *HOSTILE])
def kind(request: pytest.FixtureRequest) -> str:
    """The name of a kind of request."""
    return str(request.param)


@pytest.fixture(scope="session")
def chosen(request: pytest.FixtureRequest) -> tuple[Implementation, ...]:
    """What is measured."""
    return tuple(request.config.stash[_SELECTED].values())


@pytest.fixture(scope="session")
def rows(request: pytest.FixtureRequest) -> list[Row]:
    """Where results are collected."""
    return request.config.stash[_ROWS]


@pytest.fixture
def call(chosen: tuple[Implementation, ...], kind: str, subject: str) -> Call:
    """What to time."""
    return calls_of(chosen, {**KINDS, **HOSTILE}[kind])[subject]


def pytest_terminal_summary(
    terminalreporter: pytest.TerminalReporter, config: pytest.Config
) -> None:
    rows = config.stash[_ROWS]
    if not rows:
        return
    subjects = {one.name: _subject(one, name) for name, one in config.stash[_SELECTED].items()}
    terminalreporter.section("cost above the bare application")
    for line in _table(rows, subjects):
        terminalreporter.write_line(line)
    path = config.getoption("--results")
    if path is not None:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(dump(_results(rows, subjects)))
        terminalreporter.write_line(f"stored in {path}")


def _subject(implementation: Implementation, selector: str) -> Subject:
    """Judge the implementation quickly: the speed of a wrong middleware is no figure.

    In a process of its own, where nothing is left of what was measured.
    """
    with TemporaryDirectory() as folder:
        report = Path(folder) / "report.json"
        program = [sys.executable, "-m", "cors_conformance.cli", "run", "--profile", "quick"]
        subprocess.run([*program, "--json", report, selector], capture_output=True, check=False)
        (run,) = json.loads(report.read_bytes())["runs"]
    counts = run["counts"]
    return Subject(
        version=implementation.version,
        findings=counts["failed"] + counts["known"] + counts["follows"],
    )


def _table(rows: list[Row], subjects: dict[str, Subject]) -> list[str]:
    width = max(len(row.implementation) for row in rows)
    lines = [
        f"shares of what another adds, measured in turns, with intervals of {CONFIDENCE:.1%}",
        f"{'':{width}} {'':18} {'µs':>10}" + "".join(f"{f'of {one}':>30}" for one in STANDARDS),
    ]
    for row in sorted(rows, key=lambda row: list({**KINDS, **HOSTILE}).index(row.kind)):
        shares = [row.shares[one] for one in STANDARDS]
        cells = [f"{_told(one.value)} [{_told(one.low)}, {_told(one.high)}]" for one in shares]
        lines.append(
            f"{row.implementation:{width}} {row.kind:18} {row.added:10.2f}"
            + "".join(f"{cell:>30}" for cell in cells)
        )
    lines += [
        f"{name} {subject.version}: {subject.findings} findings in a quick run"
        for name, subject in subjects.items()
    ]
    return lines


def _told(share: float) -> str:
    return f"{share:.1%}" if abs(share) < 10 else f"{share:,.0f}x"


def _results(rows: list[Row], subjects: dict[str, Subject]) -> Results:
    return Results(
        taken=datetime.now(UTC).isoformat(timespec="seconds"),
        commit=_commit(),
        machine=Machine(
            system=platform.platform(),
            processor=platform.processor() or platform.machine(),
            cores=os.cpu_count() or 1,
            python=f"{platform.python_implementation()} {platform.python_version()}",
        ),
        confidence=CONFIDENCE,
        subjects=subjects,
        rows=tuple(rows),
    )


def _commit() -> str:
    """Return the commit of the project, "" where this is no clone of it."""
    git = subprocess.run(
        ["git", "rev-parse", "HEAD"],  # noqa: S607 - whichever git there is
        cwd=Path(__file__).parent,
        capture_output=True,
        check=False,
        text=True,
    )
    return git.stdout.strip()
