"""Journeys through caches, beside the same visits without any: what the two have in common."""

from typing import Final, TypeAlias
from weakref import WeakKeyDictionary

from cors_conformance.fetch import headers as header_list
from cors_conformance.grant import asked_for, method_grant
from cors_conformance.policy import WILDCARD
from cors_conformance.rules.base import Breach
from cors_conformance.rules.telling import elements, lines, readable, why
from cors_conformance.scenario import Journey, Visit
from cors_conformance.world import Fetched, World

Step: TypeAlias = tuple[Fetched, Fetched]
"""A visit with caches, and the same visit with nothing cached anywhere."""

_Options: TypeAlias = tuple[Journey, bool, bool]

# Several rules look at the same journeys, and a journey takes a millisecond.
_travelled: Final[WeakKeyDictionary[World, dict[_Options, tuple[Step, ...]]]] = WeakKeyDictionary()

LONG: Final = 2
"""Journeys with more visits than this are few and have waits; the others are many and short."""


def travelled(
    world: World, journey: Journey, *, browser_caches: bool, shared_cache: bool
) -> tuple[Step, ...]:
    """Give the visits of a journey in order; how they went is remembered."""
    known = _travelled.setdefault(world, {})
    options = (journey, browser_caches, shared_cache)
    if options not in known:
        known[options] = tuple(
            (fetched, world.fetch(fetched.visit))
            for fetched in world.travel(
                journey, browser_caches=browser_caches, shared_cache=shared_cache
            )
        )
    return known[options]


def visits(journey: Journey) -> tuple[Visit, ...]:
    """Give the visits, without the waits."""
    return tuple(step for step in journey.steps if isinstance(step, Visit))


def is_cacheable(journey: Journey) -> bool:
    """Whether the application tells caches what to do with its responses."""
    return any(
        header_list.contains(visit.application.headers, b"cache-control")
        for visit in visits(journey)
    )


def refuse_widened(world: World, steps: tuple[Step, ...]) -> None:
    """Hold that caches let no page have what it does not get without them.

    Raises:
        Breach: they do; the message says who came before.

    """
    for index, (cached, alone) in enumerate(steps):
        if _is_free(world, alone):
            continue
        before = _before(steps[:index])
        is_excused = _is_the_gap(steps[:index], cached) and not _forbids(world, alone)
        if cached.shared and not alone.shared and not is_excused:
            message = f"{_told(cached)} got the response{before}; alone it does not: {why(alone)}"
            raise Breach(message)
        names = readable(cached) - readable(alone)
        if alone.shared and names:
            message = f"{_told(cached)} could read {_listed(names)}{before}; alone it cannot"
            raise Breach(message)


def refuse_the_gap(steps: tuple[Step, ...]) -> None:
    """Hold that no page gets by a cached `*` what a fresh browser keeps from it.

    Raises:
        Breach: one does.

    """
    for index, (cached, alone) in enumerate(steps):
        if cached.shared and not alone.shared and _is_the_gap(steps[:index], cached):
            message = (
                f"{_told(cached)} got the response by a `*` that the answer to a preflight with"
                f" credentials left in the cache{_before(steps[:index])}; alone it does not:"
                f" {why(alone)}"
            )
            raise Breach(message)


def refuse_narrowed(world: World, steps: tuple[Step, ...]) -> None:
    """Hold that caches keep no page from what it gets without them.

    Raises:
        Breach: they do; the message says who came before.

    """
    for index, (cached, alone) in enumerate(steps):
        if _is_free(world, alone):
            continue
        before = _before(steps[:index])
        if alone.shared and not cached.shared:
            message = (
                f"{_told(cached)} did not get the response{before}, and alone it does; the"
                f" browser says {why(cached)}"
            )
            raise Breach(message)
        names = readable(alone) - readable(cached)
        if cached.shared and names:
            message = f"{_told(cached)} could not read {_listed(names)}{before}; alone it can"
            raise Breach(message)


def _is_free(world: World, fetched: Fetched) -> bool:
    """Whether both answers are right, so that a cache may have either.

    A server may refuse a GET that the policy does not list, or a preflight for it, and a browser
    that need not ask, or that has an older response, gets it all the same.
    """
    visit, dialect = fetched.visit, world.implementation.dialect
    method = method_grant(world.policy, dialect, asked_for(visit)[0], visit.credentials)
    return fetched.grant.free or method.free


def _forbids(world: World, fetched: Fetched) -> bool:
    """Whether it is the policy that keeps a page out, and no `*` in it is to be read."""
    named = (*world.policy.allow_methods, *world.policy.allow_headers)
    return fetched.grant.denied and WILDCARD not in named


def _is_the_gap(earlier: tuple[Step, ...], fetched: Fetched) -> bool:
    """Whether the standard itself lets a page have more, once a permission is cached.

    An entry `*` of the preflight cache is a wildcard although a credentialed preflight made it,
    whereas in the answer to a credentialed preflight `*` is just a name.
    https://fetch.spec.whatwg.org/#concept-cache-match-method
    """
    if fetched.outcome.preflights:
        return False
    for cached, _ in earlier:
        visit = cached.visit
        if visit.credentials != "include" or visit.origin != fetched.visit.origin:
            continue
        for sent in cached.preflights:
            values = [
                *lines(sent, b"access-control-allow-methods"),
                *lines(sent, b"access-control-allow-headers"),
            ]
            if b"*" in elements(values):
                return True
    return False


def _listed(names: frozenset[bytes]) -> str:
    return ", ".join(sorted(name.decode("latin-1") for name in names))


def _told(fetched: Fetched) -> str:
    visit = fetched.visit
    return f"a page of {visit.origin} with credentials {visit.credentials!r}"


def _before(steps: tuple[Step, ...]) -> str:
    if not steps:
        return ""
    visit = steps[-1][0].visit
    who = visit.origin if visit.mode == "cors" else f"{visit.origin} in mode {visit.mode}"
    more = f" and {len(steps) - 1} before it" if len(steps) > 1 else ""
    return f" after a page of {who}{more}"
