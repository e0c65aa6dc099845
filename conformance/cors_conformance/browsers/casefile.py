"""Disagreements and examples as case files: what the standard wants, for anybody's browser."""

import json
from collections.abc import Sequence
from importlib.resources import files
from pathlib import Path
from typing import Any, Final

import msgspec

from cors_conformance.browsers.observing import Seen, observe
from cors_conformance.browsers.scenario import Scenario, as_json
from cors_conformance.cases import load, schema
from cors_conformance.cases.schema import Expected, Hop, Response, Step

EXAMPLES: Final = "examples.json"
"""The case file beside this module with an example for each deviation of the table."""

UNDEFINED: Final = Response(status=404)
"""What the servers answer where a scenario defines nothing."""


def case(identifier: str, source: str, scenario: Scenario) -> dict[str, Any]:
    """Return the case, with what the model makes of it as `expected`."""
    steps = tuple(
        msgspec.structs.replace(_complete(step, seen), expected=_expected(seen, step))
        for step, seen in zip(scenario.steps, observe(scenario), strict=True)
    )
    document = as_json(
        Scenario(aim=scenario.aim, client_origin=scenario.client_origin, steps=steps)
    )
    parts = document.get("steps", [document])
    for part, step in zip(parts, steps, strict=True):
        part["expected"] = msgspec.to_builtins(step.expected)
    return {"id": identifier, "source": source, **document}


def dumps(meta: dict[str, Any], cases: Sequence[dict[str, Any]]) -> str:
    """Return a case file."""
    return json.dumps({"meta": meta, "cases": list(cases)}, indent=1) + "\n"


def scenario_of(document: schema.Case, aim: str) -> Scenario:
    """Return the scenario in a case; its cache mode is the one that fits the number of fetches."""
    steps = document.fetches()
    return Scenario(
        aim=aim,
        client_origin=document.client_origin,
        steps=tuple(msgspec.structs.replace(step, expected=Expected()) for step in steps),
        cache="default" if len(steps) > 1 else "no-store",
    )


def documents() -> dict[str, dict[str, Any]]:
    """Return these cases as they stand in the file, by id."""
    return {document["id"]: document for document in _file()["cases"]}


def meta() -> dict[str, Any]:
    """Return what the file says of itself."""
    found: dict[str, Any] = _file()["meta"]
    return found


def _file() -> dict[str, Any]:
    text = files("cors_conformance.browsers").joinpath(EXAMPLES).read_text(encoding="ascii")
    document: dict[str, Any] = json.loads(text)
    return document


def examples() -> dict[str, Scenario]:
    """Return a small scenario for each deviation of the table, by its id."""
    path = Path(str(files("cors_conformance.browsers").joinpath(EXAMPLES)))
    return {item.id: scenario_of(item, item.id) for item in load(path)}


def _complete(step: Step, seen: Seen) -> Step:
    """Define what a case must, and a scenario need not."""
    hops = tuple(
        msgspec.structs.replace(
            hop, preflight=hop.preflight or UNDEFINED, actual=hop.actual or UNDEFINED
        )
        for hop in step.server.hops
    )
    missing = dict.fromkeys(sent.url for sent in seen.sent)
    for hop in hops:
        missing.pop(hop.url, None)
    hops += tuple(Hop(url=url, preflight=UNDEFINED, actual=UNDEFINED) for url in missing)
    return msgspec.structs.replace(step, server=schema.Server(hops=hops))


def _expected(seen: Seen, step: Step) -> Expected:
    preflights = [sent for sent in seen.sent if sent.purpose == "preflight"]
    actual = [sent for sent in seen.sent if sent.purpose == "actual"]
    names = [name.lower() for name, _ in step.request.headers]
    headers = dict(actual[0].headers) if actual else {}
    expected = Expected(
        outcome="success" if seen.result == "success" else _failure(seen),
        preflight_count=len(preflights),
        acrm=preflights[0].acrm if preflights else None,
        acrh=preflights[0].acrh if preflights else None,
        origin_header=actual[0].origin if actual else None,
        final_origin_header=actual[-1].origin if actual else None,
        final_method=actual[-1].method if actual else None,
        sent_headers={name: headers.get(name) for name in names if name in headers},
    )
    if seen.type is None:
        return expected
    return msgspec.structs.replace(
        expected,
        status=seen.status,
        response_type=seen.type,
        visible_headers={name: value for name, value in seen.headers if name != "content-length"},
    )


def _failure(seen: Seen) -> schema.OutcomeName:
    return "type_error" if seen.result == "type_error" else "network_error"
