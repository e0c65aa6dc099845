"""Grounds: a rule says nothing of a page for which the ground of the rule is already gone.

Where a page does not even get the plainest response there is nothing to say of its preflights, and
an origin that is let in by mistake is let in everywhere. One cause is one finding: of the rule on
which the others depend.
"""

from collections.abc import Collection, Iterator
from itertools import permutations
from typing import Final

from cors_conformance.fetch.headers import get
from cors_conformance.fetch.origins import parse_serialized_origin
from cors_conformance.rules import RULES
from cors_conformance.rules.base import Breach, Look, Rule, Subject
from cors_conformance.scenario import API, Batch, Journey, Visit
from cors_conformance.servers.base import ServerDied
from cors_conformance.subjects import sources, subjects
from cors_conformance.world import Fetched, Sent, World

_STRANGER: Final = "https://stranger.example"


def gone(world: World, rule: Rule, subject: Subject, judged: Collection[str]) -> str | None:
    """Name the rule, one of those judged, that `rule` depends on and that `subject` breaks, too."""
    for name in rule.depends_on:
        if name in judged and _is_broken(world, RULES[name], subject):
            return name
    return None


def _is_broken(world: World, ground: Rule, subject: Subject) -> bool:
    try:
        for each in _subjects(world, ground, subject):
            ground.check(world, each)
    except Breach:
        return True
    except ServerDied:
        pass
    return False


def _subjects(world: World, ground: Rule, subject: Subject) -> Iterator[Subject]:
    """Give the plainest of what a rule looks at, of the same page or of the same batch."""
    match subject:
        case Fetched(visit=visit):
            yield from _plainest(world, ground, visit.origin)
        case Sent(request=request):
            origin = (get(request.headers, b"origin") or b"").decode("latin-1")
            # What lets everybody in lets that in, too, of which there is no page.
            yield from _plainest(world, ground, origin if _is_of_a_page(origin) else _STRANGER)
        case Batch():
            for source in sources(ground.look, subject):
                yield from subjects(ground.look, world, source)
        case Journey(steps=steps):
            yield subject
            pages = [step for step in dict.fromkeys(steps) if isinstance(step, Visit)]
            yield from (Journey(steps=pair) for pair in permutations(pages, 2))
        case _:
            return


def _is_of_a_page(origin: str) -> bool:
    """Whether there are pages of the origin, to which the server is another one."""
    try:
        return origin == "null" or (origin != API and bool(parse_serialized_origin(origin)))
    except ValueError:
        return False


def _plainest(world: World, ground: Rule, origin: str) -> Iterator[Subject]:
    if ground.look not in {Look.FETCH, Look.RELATION}:
        return
    plain = Visit(origin=origin, method=b"GET")
    yield world.fetch(plain)
    yield world.fetch(Visit(origin=origin, method=b"GET", use_cors_preflight=True))
    for method in world.policy.allow_methods:
        if method in {"PUT", "DELETE", "PATCH"}:
            yield world.fetch(Visit(origin=origin, method=method.encode()))
            return
