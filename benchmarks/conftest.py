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
from cors_conformance.implementations.registry import find, missing
from kinds import HOSTILE, KINDS, OVER_HTTP, over_http
from measuring import CONFIDENCE
from over_http import Subject as Served
from over_http import subjects_of, unavailable

STANDARDS = ("reference", "starlette")
"""They are measured in every run: what others add is told as a share of what these add."""

DEFAULTS = ("reference-wsgi", "fastapi", "fastrapi")
"""What is measured beside them unless something else is asked for, as far as it is installed."""

_SELECTED = pytest.StashKey[dict[str, Implementation]]()
_ROWS = pytest.StashKey[list[Row]]()
_NOTES = pytest.StashKey[list[str]]()


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
    asked = config.getoption("--implementation")
    absent = {} if asked else {one.name: one.reason for one in missing() if one.name in DEFAULTS}
    names = asked or [name for name in DEFAULTS if name not in absent]
    try:
        selected = {name: find(name) for name in (*STANDARDS, *names)}
    except BadImplementation as error:
        raise pytest.UsageError(str(error)) from error
    reason = unavailable()
    servers = [one.name for one in selected.values() if one.wrap is None]
    if asked and servers and reason is not None:
        message = f"{', '.join(servers)}: a server, which is measured over HTTP: {reason}"
        raise pytest.UsageError(message)
    config.stash[_SELECTED] = selected
    config.stash[_ROWS] = []
    config.stash[_NOTES] = [f"{name}: not measured: {reason}" for name, reason in absent.items()]


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    if "subject" in metafunc.fixturenames:
        selected = _in_process(metafunc.config)
        metafunc.parametrize("subject", list(calls_of(selected, KINDS["no Origin"])))


def _in_process(config: pytest.Config) -> tuple[Implementation, ...]:
    return tuple(one for one in config.stash[_SELECTED].values() if one.wrap is not None)


@pytest.fixture(params=[*KINDS, *HOSTILE])
def kind(request: pytest.FixtureRequest) -> str:
    """The name of a kind of request."""
    return str(request.param)


@pytest.fixture(scope="session")
def chosen(request: pytest.FixtureRequest) -> tuple[Implementation, ...]:
    """What is measured in process."""
    return _in_process(request.config)


@pytest.fixture(scope="session")
def served(request: pytest.FixtureRequest) -> dict[str, Served]:
    """What is measured over HTTP, and what its costs are counted from."""
    notes = request.config.stash[_NOTES]
    reason = unavailable()
    if reason is not None:
        notes.append(f"not measured over HTTP: {reason}")
        pytest.skip(reason)
    selected = request.config.stash[_SELECTED]
    subjects = subjects_of(selected)
    for one in selected.values():
        if one.name not in subjects:
            notes.append(f"{one.name}: not measured over HTTP, for uvicorn serves no WSGI")
        elif not subjects[one.name].bare:
            notes.append(f"{one.name}: no cost over HTTP, for it has no server without it (`bare`)")
    return subjects


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
    for note in config.stash[_NOTES]:
        terminalreporter.write_line(note)
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
        f"{'':{width}} {'':23} {'µs':>10}" + "".join(f"{f'of {one}':>30}" for one in STANDARDS),
    ]
    order = [*KINDS, *HOSTILE, *map(over_http, OVER_HTTP)]
    for row in sorted(rows, key=lambda row: order.index(row.kind)):
        shares = [row.shares[one] for one in STANDARDS]
        cells = [f"{_told(one.value)} [{_told(one.low)}, {_told(one.high)}]" for one in shares]
        lines.append(
            f"{row.implementation:{width}} {row.kind:23} {row.added:10.2f}"
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
