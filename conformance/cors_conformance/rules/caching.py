"""Caching: a response that is stored for one page does neither harm nor good to another.

That `Vary` names `Origin` proves nothing by itself: caches are put between pages and server, and
every page must fare as it does without them.
"""

from collections.abc import Iterator
from dataclasses import replace
from itertools import pairwise
from typing import Final

from cors_conformance.application import ApplicationResponse
from cors_conformance.fetch import headers as header_list
from cors_conformance.fetch.http import HeaderLine
from cors_conformance.fetch.steps import show
from cors_conformance.grant import sets_cors_headers
from cors_conformance.implementation import Capability
from cors_conformance.policy import WILDCARD
from cors_conformance.rules.asking import is_served, plain_grant
from cors_conformance.rules.base import Breach, Level, Look, Rule
from cors_conformance.rules.picking import is_picked
from cors_conformance.rules.telling import elements, is_passed_on, lines
from cors_conformance.rules.travelling import (
    Step,
    is_cacheable,
    refuse_narrowed,
    refuse_widened,
    travelled,
    visits,
)
from cors_conformance.scenario import PLAIN, Batch, Journey, RawRequest, Visit
from cors_conformance.world import Fetched, Sent, World

DECIDING: Final = (
    b"access-control-allow-origin",
    b"access-control-allow-credentials",
    b"access-control-expose-headers",
)
"""The CORS headers that mean something in a response to another request than a preflight."""

CACHE_HEADERS: Final = (b"cache-control", b"etag", b"expires", b"age", b"last-modified", b"pragma")

_STRANGER: Final = "https://stranger.example"
_PROBED: Final = 2
_OK: Final = 200
_NOT_MODIFIED: Final = 304
_CACHED_STATUSES: Final = (_OK, 203, 206, 300, 301, _NOT_MODIFIED, 308, 404, 405, 410, 500, 501)
"""Final statuses whose responses caches store or, for 304, learn from: RFC 9111, 3 and 4.3.4."""


def _cors_lines(sent: Sent) -> tuple[list[bytes], ...]:
    return tuple(sorted(lines(sent, name)) for name in DECIDING)


def _is_stored(world: World, sent: Sent) -> bool:
    """Whether a shared cache keeps the response for a while without having to guess."""
    response = sent.reply.response
    if response is None or sent.request.method not in {b"GET", b"HEAD"}:
        return False
    if not world.can(Capability.APPLICATION_HEADERS):
        # What it can answer is cacheable by its status alone: RFC 9110, 15.1.
        return response.status == _OK and not lines(sent, b"cache-control")
    if lines(sent, b"expires") == [_FAR] and not lines(sent, b"cache-control"):
        return True
    directives = elements(lines(sent, b"cache-control"))
    if directives & {b"no-store", b"no-cache", b"private"}:
        return False
    return any(item.startswith((b"max-age=", b"s-maxage=")) for item in directives)


def _varies_on(sent: Sent, name: bytes) -> bool:
    return not elements(lines(sent, b"vary")).isdisjoint({b"*", name})


def _require_vary(world: World, pair: tuple[Sent, Sent], name: bytes) -> None:
    """Hold that two responses which differ say what it is that makes the difference."""
    for sent, other in (pair, pair[::-1]):
        if _is_stored(world, sent) and not _varies_on(sent, name):
            response = sent.reply.response
            status = response.status if response is not None else "no"
            message = (
                f"the response {status} to a {show(sent.request.method)} with"
                f" {_asked(sent, name)} has Vary: {_told_vary(sent)}, although"
                f" its CORS headers, {_shown(sent)}, are others with {_asked(other, name)}:"
                f" {_shown(other)}"
            )
            raise Breach(message)


def _told_vary(sent: Sent) -> str:
    return show(b", ".join(lines(sent, b"vary")) or None)


def _asked(sent: Sent, name: bytes) -> str:
    value = header_list.get(sent.request.headers, name)
    title = name.decode().title()
    return f"no {title}" if value is None else f"{title}: {show(value)}"


def _shown(sent: Sent) -> str:
    found = [(name, value) for name in DECIDING for value in lines(sent, name)]
    return ", ".join(f"{show(name)}: {show(value)}" for name, value in found) or "none"


def _compared(world: World, journey: Journey) -> list[tuple[Fetched, Fetched]]:
    """Give neighbours that differ in `Origin` alone, each done without caches."""
    steps = visits(journey)
    if not steps or sets_cors_headers(steps[0].application):
        return []
    path, application = steps[0].path, steps[0].application
    simple = [
        world.fetch(replace(step, application=application))
        for step in dict.fromkeys(steps)
        if step.path == path and step.method == b"GET" and not step.headers
    ]
    return [
        (one, two)
        for one, two in pairwise(simple)
        if len(one.sent) == len(two.sent) == 1
        and one.visit.credentials == two.visit.credentials
        and one.sent[0].origin != two.sent[0].origin
    ]


def _is_static(world: World, visit: Visit) -> bool:
    """Whether all requests with `Origin` get the same CORS headers, whoever asks."""
    origins = [origin for origin in world.policy.allow_origins if origin != WILDCARD]
    probes = (*origins[:_PROBED], _STRANGER, "null")
    pages = (replace(visit, origin=origin, mode="cors") for origin in probes)
    answers = [world.fetch(page).sent for page in pages]
    found = [_cors_lines(sent[0]) for sent in answers if sent and sent[0].reply.response]
    return all(lines == found[0] for lines in found)


def _dynamic(world: World, journey: Journey) -> bool:
    judged = False
    for one, two in _compared(world, journey):
        pair = one.sent[0], two.sent[0]
        if not all(_is_stored(world, sent) for sent in pair):
            continue
        # Where only the absence of `Origin` makes a difference there is a rule of its own.
        without = [fetched for fetched in (one, two) if fetched.sent[0].origin is None]
        if without and _is_static(world, without[0].visit):
            continue
        judged = True
        if _cors_lines(pair[0]) != _cors_lines(pair[1]):
            _require_vary(world, pair, b"origin")
    return judged


def _every_status(world: World, batch: Batch) -> bool:
    origin = plain_grant(world)[0]
    if origin is None or not is_picked(world, batch):
        return False
    judged = False
    for asked in _alike(world):
        one, two = (
            world.send(
                replace(asked, headers=((b"origin", page.encode("latin-1")), *asked.headers))
            )
            for page in (origin, _STRANGER)
        )
        if not (_is_stored(world, one) and _is_stored(world, two)):
            continue
        if _cors_lines(one) != _cors_lines(two):
            is_plain = asked == _raw()
            if is_plain and not (_varies_on(one, b"origin") and _varies_on(two, b"origin")):
                # That nothing varies is said once: by vary-dynamic.
                return False
            judged = True
            _require_vary(world, (one, two), b"origin")
    _require_same_vary(world)
    return judged


def _require_same_vary(world: World) -> None:
    """Hold that responses to images and to navigations vary as those to other such requests."""
    bare = world.send(_raw())
    if not _varies_on(bare, b"origin"):
        return
    for mode in (b"no-cors", b"navigate"):
        sent = world.send(_raw((b"sec-fetch-mode", mode)))
        if _is_stored(world, sent) and not _varies_on(sent, b"origin"):
            message = (
                f"a response to a request without Origin has Vary:"
                f" {_told_vary(bare)}, and with Sec-Fetch-Mode: {show(mode)} Vary:"
                f" {_told_vary(sent)}"
            )
            raise Breach(message)


def _alike(world: World) -> Iterator[RawRequest]:
    """Give requests for what is public, the plainest first: no page's, for want of an `Origin`."""
    yield _raw()
    yield from map(_raw, _CREDENTIALS)
    for fresh in ((b"cache-control", b"s-maxage=60"), (b"expires", _FAR)):
        yield replace(_raw(), application=ApplicationResponse(headers=(fresh,)))
    for method in (b"GET", b"HEAD"):
        if not is_served(world, method):
            continue
        for status in _CACHED_STATUSES:
            body = () if status == _NOT_MODIFIED else PLAIN.body
            application = replace(_PUBLIC, status=status, body=body)
            yield RawRequest(method=method, headers=(), application=application)


def _static_or_always(world: World, journey: Journey) -> bool:
    judged = False
    for one, two in _compared(world, journey):
        without, asked = (one, two) if one.sent[0].origin is None else (two, one)
        first, second = without.sent[0], asked.sent[0]
        if first.origin is not None or not _is_stored(world, first):
            continue
        # What refuses a page is not what a cache would have had for it.
        if not _is_stored(world, second):
            continue
        if not _is_static(world, without.visit) or not lines(second, DECIDING[0]):
            continue
        judged = True
        if _cors_lines(first) != _cors_lines(second) and not _varies_on(first, b"origin"):
            message = (
                f"every origin gets {_shown(second)}, and a request without Origin gets"
                f" {_shown(first)} and Vary: {_told_vary(first)}:"
                " stored, it keeps pages from what they are granted"
            )
            raise Breach(message)
    return judged


def _merge(world: World, sent: Sent) -> bool:
    theirs = elements([value for name, value in sent.application.headers if name == b"vary"])
    if not theirs or not is_passed_on(world, sent):
        return False
    values = lines(sent, b"vary")
    left = elements(values)
    lost = set() if b"*" in left else theirs - left
    if lost:
        message = (
            f"the application's Vary has {show(b', '.join(sorted(lost)))}, and the response has"
            f" Vary: {show(b', '.join(values) or None)}"
        )
        raise Breach(message)
    return True


def _other_inputs(world: World, fetched: Fetched) -> bool:
    origin = fetched.visit.origin.encode("latin-1")
    known = (plain_grant(world)[0] or fetched.visit.origin).encode("latin-1")
    judged = False
    for asked in (((b"origin", origin),), ()):
        bare = world.send(_raw(*asked))
        for name, value in (
            # Responses to requests with Authorization are kept where the application says `public`.
            *_CREDENTIALS,
            # Where an origin may be looked for that is not there, or is another one.
            *(
                (b"x-origin", known),
                (b"x-forwarded-origin", known),
                (b"referer", known + b"/"),
                (b"x-forwarded-host", b"x.example"),
            ),
        ):
            other = world.send(_raw(*asked, (name, value)))
            if _cors_lines(bare) != _cors_lines(other):
                _require_vary(world, (bare, other), name)
        judged |= _is_stored(world, bare)
    return judged


_CREDENTIALS: Final = ((b"cookie", b"session=1"), (b"authorization", b"Bearer x"))

_FAR: Final = b"Fri, 01 Jan 2100 00:00:00 GMT"

_PUBLIC: Final = ApplicationResponse(headers=((b"cache-control", b"public, max-age=60"),))


def _raw(*headers: HeaderLine) -> RawRequest:
    return RawRequest(method=b"GET", headers=headers, application=_PUBLIC)


def _through_shared(world: World, journey: Journey) -> tuple[Step, ...]:
    return travelled(world, journey, browser_caches=False, shared_cache=True)


def _shared_safe(world: World, journey: Journey) -> bool:
    if not is_cacheable(journey):
        return False
    refuse_widened(world, _through_shared(world, journey))
    return True


def _shared_live(world: World, journey: Journey) -> bool:
    if not is_cacheable(journey):
        return False
    refuse_narrowed(world, _through_shared(world, journey))
    return True


def _app_headers(world: World, sent: Sent) -> bool:
    if not is_passed_on(world, sent):
        return False
    judged = False
    for name in CACHE_HEADERS:
        theirs = [value for key, value in sent.application.headers if key == name]
        if not theirs:
            continue
        judged = True
        if lines(sent, name) != theirs:
            message = (
                f"the application answered {show(name)}: {show(b' | '.join(theirs))}, and the"
                f" response has {show(b' | '.join(lines(sent, name)) or None)}"
            )
            raise Breach(message)
    return judged


_HEADERS: Final = frozenset({Capability.APPLICATION_HEADERS})

_VARY_FIRST: Final = ("vary-dynamic", "vary-static-or-always")

CACHING: Final = (
    Rule(
        id="vary-dynamic",
        statement="Where CORS headers depend on Origin, every cacheable response says so in Vary,"
        " those to denied requests and to requests without Origin included.",
        anchor="#cors-protocol-and-http-caches",
        level=Level.MUST,
        look=Look.JOURNEY,
        check=_dynamic,
        chapter="caching",
    ),
    Rule(
        id="vary-every-status",
        statement="What Vary says of a 200 to GET it says of every other status that is cached, of"
        " responses to HEAD, of those to requests with credentials, and whatever keeps it fresh.",
        anchor="#cors-protocol-and-http-caches",
        level=Level.MUST,
        look=Look.POLICY,
        check=_every_status,
        needs=_HEADERS | {Capability.APPLICATION_STATUS},
        chapter="caching",
    ),
    Rule(
        id="vary-static-or-always",
        statement="CORS headers that are the same for every origin are sent on every response, or"
        " Vary names Origin.",
        anchor="#cors-protocol-and-http-caches",
        level=Level.SHOULD,
        look=Look.JOURNEY,
        check=_static_or_always,
        chapter="caching",
    ),
    Rule(
        id="vary-merge",
        statement="The members of the application's Vary survive.",
        anchor="RFC 9110, 12.5.5",
        level=Level.MUST,
        look=Look.RESPONSE,
        check=_merge,
        needs=_HEADERS,
        chapter="caching",
    ),
    Rule(
        id="vary-other-inputs",
        statement="Whatever else than Origin decides over CORS headers of a cacheable response is"
        " in Vary too.",
        anchor="RFC 9110, 12.5.5",
        level=Level.SHOULD,
        look=Look.RELATION,
        check=_other_inputs,
        chapter="caching",
    ),
    Rule(
        id="cache-shared-safe",
        statement="A shared cache never turns a denial into a grant.",
        anchor="RFC 9111, 4.1",
        level=Level.MUST,
        look=Look.JOURNEY,
        check=_shared_safe,
        needs=_HEADERS,
        depends_on=_VARY_FIRST,
        chapter="caching",
    ),
    Rule(
        id="cache-shared-live",
        statement="A shared cache never turns a grant into a denial.",
        anchor="#cors-protocol-and-http-caches",
        level=Level.MUST,
        look=Look.JOURNEY,
        check=_shared_live,
        needs=_HEADERS,
        depends_on=_VARY_FIRST,
        chapter="caching",
    ),
    Rule(
        id="cache-app-headers",
        statement="What the application tells caches is not changed.",
        anchor="RFC 9111, 5",
        level=Level.MUST,
        look=Look.RESPONSE,
        check=_app_headers,
        needs=_HEADERS,
        chapter="caching",
    ),
)
"""Chapter D."""
