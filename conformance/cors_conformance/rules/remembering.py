"""Remembering: pages that come again, to browsers and proxies that know what was said before."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from itertools import combinations
from typing import Final

from cors_conformance.application import ApplicationResponse
from cors_conformance.fetch.browser import Browser, Outcome
from cors_conformance.fetch.http import HTTPRequest, HTTPResponse
from cors_conformance.fetch.steps import show
from cors_conformance.grant import origin_grant, visit_grant
from cors_conformance.policy import WILDCARD
from cors_conformance.rules.asking import plain_grant, send_for
from cors_conformance.rules.base import Breach, breaks
from cors_conformance.rules.picking import is_picked
from cors_conformance.rules.telling import lines, require_shared
from cors_conformance.rules.travelling import refuse_narrowed, refuse_widened, travelled, visits
from cors_conformance.scenario import API, PLAIN, Batch, Journey, Visit, Wait
from cors_conformance.servers.base import ServerDied
from cors_conformance.world import Clock, Fetched, World

MAX_AGE: Final = b"access-control-max-age"

SMALLEST_LIMIT: Final = 600
"""Seconds: no browser's own limit on `Access-Control-Max-Age` is smaller."""
_DEFAULT: Final = 5
"""Seconds for which a preflight without the header is remembered."""

_STRANGER: Final = "https://stranger.example"
_VALIDATED: Final = ApplicationResponse(
    headers=((b"cache-control", b"public, no-cache"), (b"etag", b'"1"'))
)
"""A response that is stored, and asked for again each time."""
_NOT_MODIFIED: Final = 304


def not_modified(world: World, fetched: Fetched) -> bool:
    """Let a page come again, and the application say that nothing has changed."""
    if not fetched.grant.granted or fetched.preflights or fetched.visit.method != b"GET":
        return False
    visit = replace(fetched.visit, path="/validated", application=_VALIDATED)
    first, second = world.travel(Journey(steps=(visit, visit)))
    statuses = [sent.reply.response.status for sent in second.sent if sent.reply.response]
    if not first.shared or statuses != [_NOT_MODIFIED]:
        return False
    require_shared(second)
    return True


def revalidated(world: World, batch: Batch) -> bool:
    """Let pages come in turn, and the application say that nothing has changed."""
    origin = plain_grant(world)[0]
    if origin is None or not is_picked(world, batch):
        return False
    page = Visit(origin=origin, method=b"GET", path="/validated", application=_VALIDATED)
    pages = (
        page,
        replace(page, origin=_STRANGER),
        replace(page, mode="no-cors"),
        replace(page, origin="null"),
    )
    # Everyone comes twice, with others in between.
    _hold(_fare_alike, world, Journey(steps=(*pages, *pages[::-1])))
    return True


def _fare_alike(world: World, journey: Journey) -> None:
    steps = travelled(world, journey, browser_caches=True, shared_cache=True)
    refuse_widened(world, steps)
    refuse_narrowed(world, steps)


def _hold(check: Callable[[World, Journey], None], world: World, journey: Journey) -> None:
    """Check a journey that a rule makes; where two of its visits are enough, tell no more.

    Raises:
        Breach: the check does not hold.

    """
    if not breaks(check, world, journey):
        return
    pairs = (Journey(steps=pair) for pair in combinations(visits(journey), 2))
    shortest = next((pair for pair in pairs if breaks(check, world, pair)), journey)
    with world.beside(world.implementation, world.policy) as fresh:
        if fresh is not None:
            check(fresh, shortest)
    check(world, journey)


def everything(world: World, batch: Batch) -> bool:
    """Let pages come in turn, with cookies, over redirects, with preflights and through caches."""
    if plain_grant(world)[0] is None or not is_picked(world, batch):
        return False
    _hold(_fare_alike_everywhere, world, Journey(steps=tuple(_tour(world))))
    return True


def _fare_alike_everywhere(world: World, journey: Journey) -> None:
    steps = travelled(world, journey, browser_caches=True, shared_cache=True)
    # Where a redirect leads is decided under the same policy, so that it is not left free here.
    judged = tuple((cached, _without_redirect(world, alone)) for cached, alone in steps)
    refuse_widened(world, judged)
    refuse_narrowed(world, judged)


def _without_redirect(world: World, fetched: Fetched) -> Fetched:
    plain = replace(fetched.visit, application=PLAIN)
    return replace(fetched, grant=visit_grant(world.policy, world.implementation.dialect, plain))


_FRESH: Final = (b"cache-control", b"public, max-age=60")
_COOKIE: Final = (b"set-cookie", b"s=1; Path=/; Secure; SameSite=None")


def _tour(world: World) -> Iterator[Visit | Wait]:
    origin, method = plain_grant(world)
    names = [name for name in world.policy.allow_headers if name != WILDCARD]
    header = (names[0] if names else "X-A").encode("ascii")
    page = Visit(
        origin=origin or _STRANGER,
        method=b"GET",
        path="/both",
        application=ApplicationResponse(headers=(_FRESH, _COOKIE)),
    )
    moved = replace(page, path="/moved", application=_redirect(API + "/next"))
    asking = replace(
        page, path="/asked", method=method or b"GET", headers=((header, b"1"),), application=PLAIN
    )
    if asking.method != b"GET":
        asking = replace(asking, body=b"page")
    pages = [replace(page, mode="no-cors"), page, moved, asking]
    # After a redirect to another host the origin is `null`, which some libraries leave open.
    if not origin_grant(world.policy, world.implementation.dialect, "null").free:
        away = _redirect("https://other-api.example/next")
        pages.append(replace(page, path="/away", application=away))
    for credentials in ("include", "omit"):
        for visit in pages:
            comers = (visit, replace(visit, origin=_STRANGER))
            # What is stored for a stranger must not do for the page, and the other way round.
            for comer in comers if visit is not moved else comers[::-1]:
                yield replace(comer, credentials=credentials)
        yield Wait(seconds=4)


def _redirect(location: str) -> ApplicationResponse:
    return ApplicationResponse(
        status=307, headers=((b"location", location.encode("ascii")), _FRESH, _COOKIE)
    )


def preflight_count(world: World, fetched: Fetched) -> bool:
    """Let a page come again while its permission is remembered, or where none should be."""
    visit, seconds = fetched.visit, world.policy.max_age
    if not fetched.shared or not fetched.grant.granted or not fetched.preflights:
        return False
    is_said = all(lines(sent, MAX_AGE) for sent in fetched.preflights)
    if not is_said and (seconds or not _says_another(world, visit)):
        return False  # it never says how long
    # Just before it ends; a second is shorter than that.
    wait = min(seconds, SMALLEST_LIMIT) * 0.9
    journey = Journey(steps=(visit, Wait(seconds=wait), visit))
    _, second = world.travel(journey)
    if seconds and second.preflights:
        message = (
            f"a page that comes again after {wait:g} s needs another preflight; max_age is"
            f" {seconds}, and Access-Control-Max-Age {_said(fetched)}"
        )
        raise Breach(message)
    if not seconds and not second.preflights:
        message = (
            "a page that comes again at once needs no preflight; max_age is 0, and"
            f" Access-Control-Max-Age {_said(fetched)}"
        )
        raise Breach(message)
    return True


def _said(fetched: Fetched) -> str:
    values = [value for sent in fetched.preflights for value in lines(sent, MAX_AGE)]
    return show(b", ".join(values) or None)


def _says_another(world: World, visit: Visit) -> bool:
    """Whether the middleware says how long, if that is not zero."""
    other = world.with_policy(replace(world.policy, max_age=SMALLEST_LIMIT))
    try:
        preflights = () if other is None else other.fetch(visit).preflights
    except ServerDied:
        return False
    return any(lines(sent, MAX_AGE) for sent in preflights)


def policy_change(world: World, fetched: Fetched) -> bool:
    """Let a page come again after a restart without its origin, at once and after max_age."""
    visit, policy = fetched.visit, world.policy
    origins = [origin for origin in policy.allow_origins if origin != WILDCARD]
    if len(origins) < len(policy.allow_origins) or visit.origin not in origins[:1]:
        return False
    if not fetched.shared or not fetched.grant.granted:
        return False
    smaller = replace(policy, allow_origins=tuple(item for item in origins if item != origins[0]))
    other = world.with_policy(smaller)
    if other is None:
        return False
    clock = Clock()
    browser = Browser(clock=clock)
    try:
        _run(browser, world, visit)
        at_once = _run(browser, other, visit)
        clock.now += policy.max_age + _DEFAULT + 1
        later = _run(browser, other, visit)
    except ServerDied:
        return False
    change = f"after a restart without {visit.origin} in allow_origins"
    if at_once.result == "success" or later.result == "success":
        message = f"a page of {visit.origin} still gets responses {change}"
        raise Breach(message)
    if fetched.preflights and later.actual:
        message = (
            f"{clock.now:g} s {change}, a page of {visit.origin} still needs no preflight; max_age"
            f" is {policy.max_age}"
        )
        raise Breach(message)
    return True


def _run(browser: Browser, world: World, visit: Visit) -> Outcome:
    def network(request: HTTPRequest) -> HTTPResponse | None:
        return send_for(world, request, visit.application)

    return browser.run(visit.author_request(), origin=visit.origin, network=network)
