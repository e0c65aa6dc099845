"""Results of benchmarks as JSON: what was measured, where, and of which versions."""

from pathlib import Path
from typing import Annotated, Final

import msgspec

FORMAT: Final = 1

Microseconds = float


class BadResults(Exception):
    """A file that is no result of benchmarks; the message says which, and what is wrong."""


class Share(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What one implementation adds as a share of what another adds, and its interval.

    All three are of one run, in which the two took turns; 1 is: as much.
    """

    value: float
    low: float
    high: float


class Row(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One implementation and one kind of request.

    Attributes:
        implementation: its name.
        kind: of request.
        added: what it adds to a request, above the bare application, in microseconds.
        shares: of what others add, by their names.

    """

    implementation: str
    kind: str
    added: Microseconds
    shares: dict[str, Share]


class Machine(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Where it was measured."""

    system: str
    processor: str
    cores: int
    python: str


class Subject(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """An implementation: its version, and the rules it breaks in a quick run of the suite."""

    version: str
    findings: int


class Results(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One run of the benchmarks.

    Attributes:
        format: of the file.
        taken: when, in ISO 8601.
        commit: of the project, "" where that is not known.
        machine: where.
        confidence: of the intervals.
        subjects: the implementations, by name.
        rows: what was measured.

    """

    format: int = FORMAT
    taken: str
    commit: str
    machine: Machine
    confidence: Annotated[float, msgspec.Meta(gt=0, lt=1)]
    subjects: dict[str, Subject]
    rows: tuple[Row, ...]


def load(path: Path) -> Results:
    """Read results.

    Raises:
        BadResults: the file cannot be read, is no JSON, or is not what `dump` writes.

    """
    try:
        results = msgspec.json.decode(path.read_bytes(), type=Results)
    except OSError as error:
        message = f"{path}: cannot be read: {error.strerror}"
        raise BadResults(message) from error
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        message = f"{path}: no results of benchmarks: {error}"
        raise BadResults(message) from error
    if results.format != FORMAT:
        message = f"{path}: format {results.format}, expected {FORMAT}"
        raise BadResults(message)
    return results


def dump(results: Results) -> bytes:
    """Write results, for people as well."""
    return msgspec.json.format(msgspec.json.encode(results), indent=1) + b"\n"
