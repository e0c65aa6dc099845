"""State: browsers remember permissions and responses, and pages fare as if they did not."""

from typing import Final

from cors_conformance.implementation import Capability
from cors_conformance.rules import remembering
from cors_conformance.rules.base import Level, Look, Rule
from cors_conformance.rules.travelling import (
    LONG,
    is_cacheable,
    refuse_narrowed,
    refuse_the_gap,
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


def _star_entry(world: World, journey: Journey) -> bool:
    if is_cacheable(journey) or not world.policy.allow_credentials:
        return False
    steps = travelled(world, journey, browser_caches=True, shared_cache=False)
    refuse_the_gap(steps)
    return any(cached.outcome.preflights for cached, _ in steps)


def _http_cache(world: World, journey: Journey) -> bool:
    # Two visits are what the caching rules look at.
    if not is_cacheable(journey) or len(visits(journey)) <= LONG:
        return False
    steps = travelled(world, journey, browser_caches=True, shared_cache=True)
    refuse_widened(world, steps)
    refuse_narrowed(world, steps)
    return True


_APPLICATION: Final = frozenset({Capability.APPLICATION_HEADERS, Capability.APPLICATION_STATUS})

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
        id="st-star-entry",
        statement="No `*` in the answer to a preflight with credentials, which names a method or"
        " header there, becomes a permission for all once it is cached.",
        anchor="#concept-cache-match-method",
        level=Level.INFO,
        look=Look.JOURNEY,
        check=_star_entry,
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
        depends_on=("vary-dynamic", "vary-static-or-always"),
        chapter="stateful",
    ),
    Rule(
        id="st-preflight-count",
        statement="Within max_age a page that comes again needs no further preflight; with a"
        " max_age of 0 it does.",
        anchor="#concept-cache",
        level=Level.SHOULD,
        look=Look.RELATION,
        check=remembering.preflight_count,
        needs=frozenset({Capability.MAX_AGE}),
        depends_on=("live-preflight",),
        chapter="stateful",
    ),
    Rule(
        id="st-both",
        statement="With all caches, cookies and redirects together, pages get what they get"
        " without.",
        anchor="#cors-protocol-and-http-caches",
        level=Level.MUST,
        look=Look.POLICY,
        check=remembering.everything,
        needs=_APPLICATION,
        depends_on=("vary-dynamic", "vary-static-or-always"),
        chapter="stateful",
    ),
    Rule(
        id="st-revalidate",
        statement="A response that is validated and used again is judged by the request that it is"
        " used for.",
        anchor="RFC 9111, 4.3.4",
        level=Level.SHOULD,
        look=Look.POLICY,
        check=remembering.revalidated,
        needs=_APPLICATION,
        depends_on=("vary-dynamic", "vary-static-or-always"),
        chapter="stateful",
    ),
    Rule(
        id="st-policy-change",
        statement="A page whose origin is taken out of the policy gets nothing after a restart, and"
        " permissions end with max_age.",
        anchor="#concept-cache",
        level=Level.INFO,
        look=Look.RELATION,
        check=remembering.policy_change,
        depends_on=("live-simple",),
        chapter="stateful",
    ),
)
"""Chapter K."""
