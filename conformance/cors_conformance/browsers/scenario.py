"""A scenario: what a page does, and what the servers answer. Case files have the same parts."""

import json
from dataclasses import dataclass, replace
from typing import Any, Final, Literal, TypeAlias

import msgspec

from cors_conformance.browsers.places import PAGE
from cors_conformance.cases import schema
from cors_conformance.fetch.http import HeaderLines

Cache: TypeAlias = Literal["no-store", "default"]

NOTHING: Final = schema.Expected()


@dataclass(frozen=True, slots=True, kw_only=True)
class Scenario:
    """One page's fetches, one after the other, and a scripted server for each.

    Attributes:
        aim: which algorithm of the model it is aimed at; the name of its strategy.
        client_origin: the page's origin, `places.PAGE` or `null`.
        steps: the fetches; `expected` is left empty, since the model says what to expect.
        cache: the cache mode of every fetch; `no-store` takes the HTTP cache out of play.

    """

    aim: str
    client_origin: str
    steps: tuple[schema.Step, ...]
    cache: Cache = "no-store"

    @property
    def is_alone(self) -> bool:
        """Whether it must not run beside others: it is about what a browser remembers."""
        return len(self.steps) > 1

    def size(self) -> tuple[int, int]:
        """Return what shrinking makes smaller: the length as JSON, then the sum of its bytes."""
        document = as_json(self)
        # A plain page is simpler than one in a sandbox, though its origin has more letters.
        document["client_origin"] = "" if self.client_origin == PAGE else PAGE
        text = json.dumps(document)
        return len(text), sum(text.encode("utf-8"))


def with_step(scenario: Scenario, index: int, step: schema.Step) -> Scenario:
    """Return the scenario with another step there."""
    steps = scenario.steps
    return replace(scenario, steps=(*steps[:index], step, *steps[index + 1 :]))


def lines(pairs: schema.Lines) -> HeaderLines:
    """Return header lines as bytes."""
    return tuple((name.encode("latin-1"), value.encode("latin-1")) for name, value in pairs)


def as_json(scenario: Scenario) -> dict[str, Any]:
    """Return the scenario's part of a case, defaults left out."""
    parts = [_part(step) for step in scenario.steps]
    fetches: dict[str, Any] = parts[0] if len(parts) == 1 else {"steps": parts}
    return {"client_origin": scenario.client_origin, **fetches}


def _part(step: schema.Step) -> dict[str, Any]:
    part: dict[str, Any] = {
        "request": _without_defaults(step.request),
        "server": {"hops": [_without_defaults(hop) for hop in step.server.hops]},
    }
    if step.wait_before_s:
        part["wait_before_s"] = step.wait_before_s
    return part


def _without_defaults(struct: msgspec.Struct) -> dict[str, Any]:
    kept: dict[str, Any] = {}
    for field in msgspec.structs.fields(struct):
        value = getattr(struct, field.name)
        if value == field.default:
            continue
        if isinstance(value, msgspec.Struct):
            kept[field.name] = _without_defaults(value)
        else:
            kept[field.name] = msgspec.to_builtins(value)
    return kept
