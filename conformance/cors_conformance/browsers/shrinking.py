"""From a disagreement to the smallest scenario with it: all smaller ones at once, and again."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from typing import Final, TypeAlias

import msgspec

from cors_conformance.browsers.places import PAGE
from cors_conformance.browsers.scenario import Scenario, with_step
from cors_conformance.cases import schema
from cors_conformance.cases.schema import Hop, Lines, Request, Response, Step

Holds: TypeAlias = Callable[[Sequence[Scenario]], Sequence[bool]]
"""Tells of each scenario whether it still shows what is being shrunk."""

ROUNDS: Final = 60
LARGEST_BATCH: Final = 400


def shrink(scenario: Scenario, holds: Holds) -> Scenario:
    """Return the smallest scenario found for which `holds`; each round asks once for all."""
    for _ in range(ROUNDS):
        size = scenario.size()
        smaller = [item for item in dict.fromkeys(candidates(scenario)) if item.size() < size]
        smaller = sorted(smaller, key=Scenario.size)[:LARGEST_BATCH]
        if not smaller:
            return scenario
        kept = [item for item, held in zip(smaller, holds(smaller), strict=True) if held]
        if not kept:
            return scenario
        scenario = kept[0]
    return scenario


def candidates(scenario: Scenario) -> Iterator[Scenario]:
    """Yield scenarios with one thing less, or simpler."""
    if scenario.client_origin != PAGE:
        yield replace(scenario, client_origin=PAGE)
    steps = scenario.steps
    if len(steps) > 1:
        for index in range(len(steps)):
            yield replace(scenario, steps=(*steps[:index], *steps[index + 1 :]))
    for index, step in enumerate(steps):
        for simpler in _steps(step):
            yield with_step(scenario, index, simpler)


def _steps(step: Step) -> Iterator[Step]:
    for request in _requests(step.request):
        yield msgspec.structs.replace(step, request=request)
    if step.wait_before_s:
        yield msgspec.structs.replace(step, wait_before_s=0)
    hops = step.server.hops
    for index, hop in enumerate(hops):
        if len(hops) > 1:
            yield _with_hops(step, (*hops[:index], *hops[index + 1 :]))
        for simpler in _hops(hop):
            yield _with_hops(step, (*hops[:index], simpler, *hops[index + 1 :]))


def _with_hops(step: Step, hops: tuple[Hop, ...]) -> Step:
    return msgspec.structs.replace(step, server=schema.Server(hops=hops))


def _requests(request: Request) -> Iterator[Request]:
    for field in msgspec.structs.fields(request):
        if field.name not in {"url", "headers"} and getattr(request, field.name) != field.default:
            yield msgspec.structs.replace(request, **{field.name: field.default})
    for method in ("PUT", "POST"):
        yield msgspec.structs.replace(request, method=method)
    for headers in _lines(request.headers):
        yield msgspec.structs.replace(request, headers=headers)


def _hops(hop: Hop) -> Iterator[Hop]:
    for name in ("preflight", "actual"):
        answer: Response | None = getattr(hop, name)
        if answer is not None:
            yield msgspec.structs.replace(hop, **{name: None})
            for simpler in _answers(answer):
                yield msgspec.structs.replace(hop, **{name: simpler})


def _answers(answer: Response) -> Iterator[Response]:
    yield msgspec.structs.replace(answer, status=200)
    yield msgspec.structs.replace(answer, body=None)
    for headers in _lines(answer.headers):
        yield msgspec.structs.replace(answer, headers=headers)


def _lines(lines: Lines) -> Iterator[Lines]:
    for index, (name, value) in enumerate(lines):
        before, after = lines[:index], lines[index + 1 :]
        yield (*before, *after)
        for shorter in (
            "1",
            "*",
            value[: len(value) // 2],
            value[len(value) // 2 :],
            value[1:],
            value[:-1],
        ):
            yield (*before, (name, shorter), *after)
        for part in value.split(","):
            yield (*before, (name, part.strip()), *after)
