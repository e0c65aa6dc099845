"""Grounds: a rule says nothing of a page for which the ground of the rule is already gone.

Where a page does not even get the plainest response there is nothing to say of its preflights, and
an origin that is let in by mistake is let in everywhere. One cause is one finding: of the rule on
which the others depend.
"""

from collections.abc import Collection, Iterator
from dataclasses import replace
from itertools import permutations
from typing import Final

from cors_conformance.application import ApplicationResponse
from cors_conformance.fetch.headers import get
from cors_conformance.fetch.origins import parse_serialized_origin
from cors_conformance.grant import asked_for
from cors_conformance.policy import WILDCARD
from cors_conformance.rules import RULES
from cors_conformance.rules.base import Look, Rule, Subject, breaks
from cors_conformance.scenario import API, PLAIN, Batch, Journey, Visit
from cors_conformance.servers.base import ConfigurationRefused, ServerDied
from cors_conformance.strategies.origins import foreign_near_misses
from cors_conformance.subjects import Source, sources, subjects
from cors_conformance.world import Fetched, Sent, World

_OF_PAGES: Final = frozenset({Look.FETCH, Look.RELATION})
_STRANGER: Final = "https://stranger.example"
_OK: Final = 200
_HISTORY: Final = "mm-independent"
_RESPONSE: Final = "syn-asgi"
_OPTIONS: Final = "pf-identify"
_PREFLIGHT: Final = "live-preflight-no-credentials"


def gone(world: World, rule: Rule, subject: Subject, judged: Collection[str]) -> str | None:
    """Name the rule, one of those judged, from which it follows that `subject` breaks `rule`."""
    if not judged:
        return None
    ground = _ground(world, rule, subject, judged)
    if ground is not None or rule.id == _HISTORY or _HISTORY not in judged:
        return ground
    return None if _is_broken_alone(world, rule, subject) else _HISTORY


def _ground(world: World, rule: Rule, subject: Subject, judged: Collection[str]) -> str | None:
    others = frozenset(judged) - {rule.id}
    for name in (*_unspoken(world, rule, subject), *rule.depends_on):
        if name in others and _is_broken(world, RULES[name], subject):
            return _ground(world, RULES[name], subject, others) or name
    if rule.special_of in judged and _is_broken_by_strangers(world, RULES[rule.special_of]):
        return rule.special_of
    for special in _special_cases(rule):
        if special.id in judged and _is_broken(world, special, subject):
            return None if _is_broken_by_strangers(world, rule) else special.id
    return None


def _unspoken(world: World, rule: Rule, subject: Subject) -> Iterator[str]:
    """Name what every rule depends on: that there is a response, and what OPTIONS are for."""
    if isinstance(subject, Fetched | Sent):
        yield _RESPONSE
    if not isinstance(subject, Fetched) or rule.look not in _OF_PAGES:
        return
    # Whom a middleware lets in that answers them itself is still a matter of safety.
    if asked_for(subject.visit)[0] == b"OPTIONS" and rule.chapter != "safety":
        yield _OPTIONS
    if (
        subject.preflights
        and not subject.outcome.actual
        and _is_the_applications(world, rule, subject)
    ):
        yield _PREFLIGHT


def _is_the_applications(world: World, rule: Rule, subject: Fetched) -> bool:
    """Whether the rule holds where the application answers 200, and says nothing more."""
    visit = subject.visit
    return visit.application != PLAIN and not breaks(
        rule.check, world, world.fetch(replace(visit, application=PLAIN))
    )


def _is_broken_alone(world: World, rule: Rule, subject: Subject) -> bool:
    """Whether the rule does not hold of a server either that was asked for nothing before."""
    with World(world.implementation, world.policy) as fresh:
        try:
            return any(
                breaks(rule.check, fresh, again)
                for again in subjects(rule.look, fresh, _source(subject))
            )
        except (ConfigurationRefused, ServerDied):
            return True


def _source(subject: Subject) -> Source:
    """Give what to do, for the same to come of it."""
    match subject:
        case Fetched(visit=visit):
            return visit
        case Sent(raw=raw):
            return raw
        case _:
            source: Source = subject
            return source


def _special_cases(rule: Rule) -> list[Rule]:
    return [special for special in RULES.values() if special.special_of == rule.id]


def _is_broken_by_strangers(world: World, rule: Rule) -> bool:
    return _any_breaks(world, rule, _strangers(world, rule))


def _strangers(world: World, rule: Rule) -> Iterator[Subject]:
    """Give pages of an origin, a header and a method of which no policy has heard."""
    yield from _plainest(world, rule, _STRANGER)
    if rule.look in _OF_PAGES:
        allowed = next((name for name in world.policy.allow_origins if name != WILDCARD), _STRANGER)
        yield world.fetch(Visit(origin=allowed, method=b"GET", headers=((b"x-stranger", b"1"),)))
        yield world.fetch(Visit(origin=allowed, method=b"STRANGER"))


def _is_broken(world: World, ground: Rule, subject: Subject) -> bool:
    return _any_breaks(world, ground, _subjects(world, ground, subject))


def _any_breaks(world: World, rule: Rule, seen: Iterator[Subject]) -> bool:
    try:
        return any(breaks(rule.check, world, each) for each in seen)
    except ServerDied:
        return False


def _subjects(world: World, ground: Rule, subject: Subject) -> Iterator[Subject]:
    """Give what a rule looks at: the same, and the plainest of the same page or batch."""
    match subject:
        case Fetched(sent=sent) if ground.look is Look.RESPONSE:
            yield from sent
        case Sent() if ground.look is Look.RESPONSE:
            yield subject
        case Fetched(visit=visit):
            if ground.look in _OF_PAGES:
                yield subject
            yield from _plainest(world, ground, visit.origin, visit.method, visit.application)
        case Sent(request=request):
            origin = (get(request.headers, b"origin") or b"").decode("latin-1")
            if _is_of_a_page(origin):
                yield from _plainest(world, ground, origin)
                return
            # What lets everybody in lets that in, too, of which there is no page, and so does what
            # lets in all that looks alike.
            yield from _plainest(world, ground, _STRANGER)
            allowed = world.policy.allow_origins
            if any(item.partition("://")[2] in origin for item in allowed):
                for near in foreign_near_misses(allowed):
                    yield world.fetch(Visit(origin=near, method=b"GET"))
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


def _plainest(
    world: World,
    ground: Rule,
    origin: str,
    method: bytes = b"GET",
    application: ApplicationResponse = PLAIN,
) -> Iterator[Subject]:
    if ground.look not in _OF_PAGES:
        return
    # With the headers of what the application answers, and with none.
    for answer in dict.fromkeys((replace(application, status=_OK), PLAIN)):
        yield world.fetch(Visit(origin=origin, method=b"GET", application=answer))
    yield world.fetch(Visit(origin=origin, method=b"GET", use_cors_preflight=True))
    yield world.fetch(Visit(origin=origin, method=method))
    for listed in world.policy.allow_methods:
        if listed in {"PUT", "DELETE", "PATCH"}:
            yield world.fetch(Visit(origin=origin, method=listed.encode()))
            return
