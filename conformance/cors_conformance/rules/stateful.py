"""State: browsers remember permissions and responses, and pages fare as if they did not."""

from typing import Final

from cors_conformance.implementation import Capability
from cors_conformance.rules.base import Level, Look, Rule
from cors_conformance.rules.travelling import (
    LONG,
    is_cacheable,
    refuse_narrowed,
    refuse_widened,
    travelled,
    visits,
)
from cors_conformance.scenario import Journey
from cors_conformance.world import World


def _preflight_cache(world: World, journey: Journey) -> bool:
    if is_cacheable(journey):
        return False
    steps = travelled(world, journey, browser_caches=True, shared_cache=False)
    refuse_widened(world, steps)
    refuse_narrowed(world, steps)
    return any(cached.outcome.preflights for cached, _ in steps)


def _http_cache(world: World, journey: Journey) -> bool:
    # Two visits are what the caching rules look at.
    if not is_cacheable(journey) or len(visits(journey)) <= LONG:
        return False
    steps = travelled(world, journey, browser_caches=True, shared_cache=True)
    refuse_widened(world, steps)
    refuse_narrowed(world, steps)
    return True


STATEFUL: Final = (
    Rule(
        id="st-preflight-cache",
        statement="A browser that remembers permissions lets pages do what a fresh one lets them,"
        " and no more.",
        anchor="#cors-preflight-cache",
        level=Level.MUST,
        look=Look.JOURNEY,
        check=_preflight_cache,
        chapter="stateful",
    ),
    Rule(
        id="st-http-cache",
        statement="With the browsers' caches and a shared one, pages get what they get without.",
        anchor="#cors-protocol-and-http-caches",
        level=Level.MUST,
        look=Look.JOURNEY,
        check=_http_cache,
        needs=frozenset({Capability.APPLICATION_HEADERS}),
        chapter="stateful",
    ),
)
"""Chapter K."""
