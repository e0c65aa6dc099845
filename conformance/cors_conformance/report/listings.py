"""Listings: what can be tested here, and by which rules."""

import json
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import fields
from typing import Any

from rich.text import Text

from cors_conformance.dialect import Dialect
from cors_conformance.implementation import Implementation, Interface
from cors_conformance.implementations import registry
from cors_conformance.implementations.errors import BadImplementation
from cors_conformance.report.escape import printable
from cors_conformance.rules.base import Rule

_REACHED: dict[Interface, str] = {
    "asgi": "ASGI, in process",
    "wsgi": "WSGI, in process",
    "http": "HTTP, a real server",
}


def rules(selected: Sequence[Rule]) -> Iterator[Text]:
    """Yield a line per rule: id, level, statement, where it is written."""
    widest = max(len(rule.id) for rule in selected)
    for rule in selected:
        yield Text(f"{rule.id:<{widest}}  {rule.level:<8}  {rule.statement}  {rule.link}")


def rules_json(selected: Iterable[Rule]) -> str:
    """Return a JSON array of rules."""
    rows = [
        {
            "id": rule.id,
            "level": rule.level.value,
            "chapter": rule.chapter,
            "statement": rule.statement,
            "link": rule.link,
            "needs": sorted(rule.needs),
            "depends_on": rule.depends_on,
            "special_of": rule.special_of,
        }
        for rule in selected
    ]
    return json.dumps(rows, indent=2) + "\n"


def implementations() -> Iterator[Text]:
    """Yield the lines that tell what can be tested here, and what is missing."""
    for name, found in _found():
        if isinstance(found, BadImplementation):
            yield Text.assemble((name, "bold"), " cannot be tested here")
            yield Text(f"  {printable(str(found))}")
            continue
        version = f" {printable(found.version)}" if found.version else ""
        reached = f"{found.language}, {_REACHED[found.interface]}"
        yield Text.assemble((name, "bold"), version, f" ({printable(reached)})")
        for capability, why in found.lacks.items():
            yield Text(f"  lacks {capability}: {printable(why)}")
        for choice, value in _choices(found.dialect).items():
            yield Text(f"  documents {choice}: {printable(_words(value))}")


def implementations_json() -> str:
    """Return the same as a JSON array."""
    rows: list[dict[str, Any]] = []
    for name, found in _found():
        if isinstance(found, BadImplementation):
            rows.append({"name": name, "problem": str(found)})
            continue
        rows.append(
            {
                "name": name,
                "version": found.version,
                "language": found.language,
                "interface": found.interface,
                "lacks": {str(capability): why for capability, why in found.lacks.items()},
                "dialect": _choices(found.dialect),
            }
        )
    return json.dumps(rows, indent=2) + "\n"


def _found() -> Iterator[tuple[str, Implementation | BadImplementation]]:
    for name in registry.names():
        try:
            yield name, registry.find(name)
        except BadImplementation as error:
            yield name, error


def _choices(dialect: Dialect) -> dict[str, Any]:
    """Return what the dialect declares; the rest is left free."""
    values = {field.name: getattr(dialect, field.name) for field in fields(dialect)}
    return {
        name: sorted(value) if isinstance(value, frozenset) else value
        for name, value in values.items()
        if value != getattr(Dialect(), name)
    }


def _words(value: bool | str | Sequence[str]) -> str:  # noqa: FBT001 - a value, not a flag
    if isinstance(value, bool):
        return "yes" if value else "no"
    return value if isinstance(value, str) else ", ".join(value) or "none"
