"""Reading case files, and saying exactly what is wrong in one that is malformed."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final, NoReturn, TypeVar

import msgspec

from cors_conformance import strict_json
from cors_conformance.cases.explaining import explain
from cors_conformance.cases.schema import Case, CaseFile, OneFetch, Steps

_ALONE: Final = ("request", "server", "expected")
_T = TypeVar("_T")


class MalformedCaseFile(Exception):
    """A case file that cannot be run.

    Attributes:
        path: the file.
        case: the `id` of the case, its position where it has none, `None` outside of a case.
        key: the path of the key within the case (or within the file), `None` where there is none.
        problem: what was seen and what would be right.

    """

    def __init__(self, path: Path, problem: str, *, case: str | None, key: str | None) -> None:
        """Name what is wrong."""
        place = [f"{path}"]
        place += [f"case {case}"] if case is not None else []
        place += [f"key {key}"] if key is not None else []
        super().__init__(": ".join([*place, problem]))
        self.path = path
        self.case = case
        self.key = key
        self.problem = problem


def load(path: Path) -> tuple[Case, ...]:
    """Return the cases of a file, in its order.

    Raises:
        MalformedCaseFile: the file cannot be read, is no JSON, or is not what `schema` declares;
            of several things that are wrong, the first.

    """
    cases: list[Case] = []
    for item in read(path):
        if isinstance(item, MalformedCaseFile):
            raise item
        cases.append(item)
    return tuple(cases)


def read(path: Path) -> Iterator[Case | MalformedCaseFile]:
    """Yield each case of a file in its order, or what is wrong with it."""
    try:
        file = _convert(path, None, _document(path), CaseFile)
    except MalformedCaseFile as error:
        yield error
        return
    seen: set[str] = set()
    for index, raw in enumerate(file.cases):
        try:
            yield _case(path, _name(raw, index), raw, seen)
        except MalformedCaseFile as error:
            yield error


def _document(path: Path) -> Any:  # noqa: ANN401 - any JSON value
    try:
        text = path.read_text(encoding="utf-8-sig")
    except OSError as error:
        _refuse(path, f"cannot be read: {error.strerror}")
    except UnicodeDecodeError as error:
        _refuse(path, f"no UTF-8: byte 0x{error.object[error.start]:02X} at offset {error.start}")
    try:
        return strict_json.loads(text)
    except json.JSONDecodeError as error:
        _refuse(path, f"no JSON: line {error.lineno}, column {error.colno}: {error.msg}")
    except RecursionError:
        _refuse(path, "no case file: nested too deeply")
    except ValueError as error:
        _refuse(path, f"no JSON as a case file has it: {error}")


def _name(raw: Any, index: int) -> str:  # noqa: ANN401 - any JSON value
    identifier = raw.get("id") if isinstance(raw, dict) else None
    return json.dumps(identifier) if isinstance(identifier, str) else f"number {index + 1}"


def _case(path: Path, name: str, raw: Any, seen: set[str]) -> Case:  # noqa: ANN401 - any JSON value
    """Convert a case, whose id is none of those `seen`, and is then one of them."""
    if not isinstance(raw, dict):
        return _convert(path, name, raw, OneFetch)
    optional = (*_ALONE, "steps")
    # A writer that dumps every key writes null for what is not there.
    present = {key: value for key, value in raw.items() if key not in optional or value is not None}
    alone = [key for key in _ALONE if key in present]
    if "steps" in present and alone:
        _refuse(
            path,
            "stands beside `steps`, which takes its place; expected one of them",
            name,
            alone[0],
        )
    if "steps" not in present and not alone:
        _refuse(
            path,
            "missing; expected `request`, `server` and `expected`, or `steps`",
            name,
            "request",
        )
    into: type[Case] = Steps if "steps" in present else OneFetch
    case = _convert(path, name, present, into)
    if case.id in seen:
        _refuse(path, "seen twice in this file; expected an id of its own", name, "id")
    seen.add(case.id)
    return case


def _convert(path: Path, case: str | None, raw: Any, into: type[_T]) -> _T:  # noqa: ANN401 - any JSON value
    try:
        return msgspec.convert(raw, into)
    except msgspec.ValidationError as error:
        key, problem = explain(raw, into, f"{error}")
        _refuse(path, problem, case, key)
    except UnicodeEncodeError as error:
        _refuse(path, "unknown, and no Unicode: a lone surrogate", case, json.dumps(error.object))


def _refuse(path: Path, problem: str, case: str | None = None, key: str | None = None) -> NoReturn:
    raise MalformedCaseFile(path, problem, case=case, key=key) from None
