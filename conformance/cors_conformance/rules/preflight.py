"""Preflights: what is one, how it is answered, and that its parts do not meddle with each other."""

from collections.abc import Iterator
from dataclasses import replace
from typing import Final

from cors_conformance.fetch import headers as header_list
from cors_conformance.fetch.http import HeaderLine, HeaderLines
from cors_conformance.fetch.methods import is_cors_safelisted_method, normalize_method
from cors_conformance.fetch.responses import is_ok_status
from cors_conformance.fetch.steps import show
from cors_conformance.grant import (
    asked_for,
    credentials_grant,
    header_grant,
    method_grant,
    origin_grant,
    visit_grant,
)
from cors_conformance.implementation import Capability
from cors_conformance.policy import WILDCARD
from cors_conformance.rules.asking import (
    calls_are_seen,
    fetch_unasked,
    fetch_with,
    plain_grant,
    preflight_grant,
    times_reached,
)
from cors_conformance.rules.base import Breach, Level, Look, Rule
from cors_conformance.rules.telling import lines, sets, why
from cors_conformance.scenario import API, PLAIN, RawRequest, Visit
from cors_conformance.servers.base import Reply
from cors_conformance.world import Fetched, Sent, World

_ERROR: Final = 500
_REFUSALS: Final = range(400, 500)
_USUAL_HEAD: Final = 4096
"""Bytes of header lines that every server takes."""
_PRIVATE_NETWORK: Final[HeaderLine] = (b"access-control-request-private-network", b"true")
_ASKS: Final = b"access-control-request-method"
_OVERRIDE: Final = b"x-http-method-override"


def _identify(world: World, fetched: Fetched) -> bool:
    origin, method = plain_grant(world)
    if origin is None or method is None:
        return False
    if times_reached(world, RawRequest(method=b"GET", headers=()))[0] != 1:
        return False  # whether requests reach the application is then no matter of preflights
    # The page has its say in which names are asked for, so that what shrinks is a visit.
    asked, names = asked_for(fetched.visit)
    asks: HeaderLines = ((_ASKS, asked),)
    if names:
        asks += ((b"access-control-request-headers", b",".join(names)),)
    page: HeaderLines = ((b"origin", origin.encode("latin-1")),)
    for request in (
        RawRequest(method=b"OPTIONS", headers=()),
        RawRequest(method=b"OPTIONS", headers=asks),
        RawRequest(method=b"OPTIONS", headers=page),
        RawRequest(method=b"OPTIONS", headers=page + asks[1:]),
        RawRequest(method=b"GET", headers=asks),
        RawRequest(method=method, headers=page + asks),
        RawRequest(method=method, headers=(*page, *asks, (_OVERRIDE, b"OPTIONS"))),
    ):
        _require_call(world, request)
    return True


def _require_call(world: World, request: RawRequest) -> None:
    times, reply = times_reached(world, request)
    if times == 1 or _may_refuse(world, request, reply):
        return
    has = [
        text
        for name, text in (
            (b"origin", "Origin"),
            (_ASKS, "Access-Control-Request-Method"),
            (_OVERRIDE, "X-HTTP-Method-Override"),
        )
        if header_list.contains(request.headers, name)
    ]
    message = (
        f"{show(request.method)} with {' and '.join(has) or 'neither Origin nor ' + _ASKS.decode()}"
        f" is no preflight; it reached the application {times} times, not once"
    )
    raise Breach(message)


def _may_refuse(world: World, request: RawRequest, reply: Reply) -> bool:
    """Whether it is a page's request with a method outside the policy, and it was refused."""
    response = reply.response
    if response is None or response.status not in _REFUSALS:
        return False
    grant = method_grant(world.policy, world.implementation.dialect, request.method, "omit")
    return header_list.contains(request.headers, b"origin") and not grant.granted


def _ok_status(world: World, fetched: Fetched) -> bool:
    visit = _uncredentialed(world, fetched.visit)
    grant = visit_grant(world.policy, world.implementation.dialect, visit)
    if not grant.granted or not fetched.outcome.preflights:
        return False
    asked = world.fetch(visit)
    for sent in asked.preflights:
        response = sent.reply.response
        if response is not None and not is_ok_status(response.status):
            message = (
                f"a preflight for {_tell(visit)} was answered with the status {response.status},"
                f" which no browser takes for a grant; the policy says {grant}"
            )
            raise Breach(message)
    return bool(asked.preflights)


def _not_executed(world: World, sent: Sent) -> bool:
    if not sent.is_preflight or not calls_are_seen(world):
        return False
    for call in sent.reply.calls:
        if call.method != b"OPTIONS":
            asked = header_list.get(sent.request.headers, _ASKS)
            message = (
                f"the preflight for {show(asked)} made the application serve {show(call.method)}"
            )
            raise Breach(message)
    return True


def _passes(world: World, visit: Visit) -> bool:
    """Whether a visit's preflight is granted; a visit without one forces it."""
    outcome = world.fetch(_asking(visit)).outcome
    return bool(outcome.preflights and outcome.actual)


def _asking(visit: Visit) -> Visit:
    return replace(visit, use_cors_preflight=True, application=PLAIN)


def _single_lines(visit: Visit) -> tuple[HeaderLine, ...] | None:
    """Give the lines that a browser asks for; `None` if it asks for some because of others."""
    _, names = asked_for(visit)
    asked = tuple(line for line in visit.headers if line[0].lower() in names)
    alone = [asked_for(replace(visit, headers=(line,)))[1] == (line[0].lower(),) for line in asked]
    return asked if all(alone) and len(asked) == len(names) else None


def _uncredentialed(world: World, visit: Visit) -> Visit:
    """Ask without credentials where all with them are denied, and of a plain application."""
    credentials = visit.credentials if world.policy.allow_credentials else "omit"
    return replace(visit, credentials=credentials, application=PLAIN)


def _is_free_method(world: World, visit: Visit) -> bool:
    """Whether the policy omits a CORS-safelisted method, which may pass at times or never."""
    method = normalize_method(visit.method)
    grant = method_grant(world.policy, world.implementation.dialect, method, visit.credentials)
    return grant.free and is_cors_safelisted_method(method)


def _decompose(world: World, fetched: Fetched) -> bool:
    """Hold that what is granted one by one is granted together.

    The method without the headers, each header with another method, and the whole for another
    origin: whatever a policy means, it is a set of each.
    """
    if not fetched.outcome.preflights:
        return False
    visit = _uncredentialed(world, fetched.visit)
    asked = _single_lines(visit)
    if asked is None or _is_free_method(world, visit):
        return False
    # What is denied has a part that is denied, unless another rule has something to say.
    if visit_grant(world.policy, world.implementation.dialect, visit).denied:
        return False
    other_method = _other_method(world, visit)
    parts = [
        replace(visit, headers=()),
        *(replace(visit, method=other_method, body=None, headers=(line,)) for line in asked),
    ]
    whole = _passes(world, visit)
    if not whole and all(_passes(world, part) for part in parts):
        message = (
            f"a preflight for {_tell(visit)} fails, though each of its parts passes:"
            f" {', '.join(map(_tell, parts))}; {why(world.fetch(_asking(visit)))}"
        )
        raise Breach(message)
    for origin in world.policy.allow_origins:
        if origin in {visit.origin, WILDCARD}:
            continue
        other = replace(visit, origin=origin)
        bare = replace(visit, method=other_method, body=None, headers=())
        if not _passes(world, bare) or not _passes(world, replace(bare, origin=origin)):
            continue
        if _passes(world, other) is not whole:
            message = (
                f"a preflight for {_tell(visit)} {_fate(passes=whole)} for {visit.origin} and"
                f" {_fate(passes=not whole)} for {origin}, though both are granted"
                f" {show(other_method)}"
            )
            raise Breach(message)
        break
    return True


def _other_method(world: World, visit: Visit) -> bytes:
    named = [name for name in world.policy.allow_methods if name != WILDCARD]
    others = [name for name in named if name.encode("latin-1") != normalize_method(visit.method)]
    return others[0].encode("latin-1") if others else b"POST"


def _fate(*, passes: bool) -> str:
    return "passes" if passes else "fails"


def _tell(visit: Visit) -> str:
    names = b",".join(name.lower() for name, _ in visit.headers)
    return f"{show(visit.method)} with {show(names or None)}"


def _subset(world: World, fetched: Fetched) -> bool:
    if not fetched.outcome.preflights:
        return False
    visit = _uncredentialed(world, fetched.visit)
    asked = _single_lines(visit)
    if not asked or _is_free_method(world, visit):
        return False
    if not _passes(world, visit):
        return False
    for fewer in _subsets(asked):
        subset = replace(visit, headers=fewer)
        if not _passes(world, subset):
            judged = world.fetch(_asking(subset))
            message = (
                f"a preflight for {_tell(visit)} passes, and one for {_tell(subset)} fails:"
                f" {why(judged)}"
            )
            raise Breach(message)
    return True


def _subsets(asked: tuple[HeaderLine, ...]) -> Iterator[HeaderLines]:
    """Give the empty one, all singles, and all with one line less."""
    yield ()
    if len(asked) > 1:
        yield from ((line,) for line in asked)
        yield from (asked[:index] + asked[index + 1 :] for index in range(len(asked)))


def _consistent(world: World, fetched: Fetched) -> bool:
    visit = fetched.visit
    _, method = plain_grant(world)
    # What `*` and credentials make of each other is a choice, and has rules of its own.
    if visit.credentials == "include" and WILDCARD in world.policy.allow_origins:
        return False
    if method is None or visit.origin == API:
        return False
    asking = Visit(
        origin=visit.origin,
        method=method,
        path=visit.path,
        credentials=visit.credentials,
        use_cors_preflight=True,
    )
    preflight = _passes(world, asking)
    actual = fetch_unasked(world, asking).result == "success"
    if preflight is not actual:
        message = (
            f"for {visit.origin}, with {show(method)} and credentials {visit.credentials!r},"
            f" the preflight {_fate(passes=preflight)} and the response itself"
            f" {_fate(passes=actual)}"
        )
        raise Breach(message)
    return True


def _denied_clean(world: World, fetched: Fetched) -> bool:
    if not fetched.grant.denied or not fetched.outcome.preflights:
        return False
    # That `*` does not mean all with credentials is a rule of its own.
    if WILDCARD in world.policy.allow_origins and world.policy.allow_credentials:
        without = replace(fetched.visit, credentials="omit")
        if not visit_grant(world.policy, world.implementation.dialect, without).denied:
            return False
    if not _can_be_told(world, fetched.visit):
        return False
    if fetched.outcome.actual:
        response = fetched.preflights[-1].reply.response if fetched.preflights else None
        status = "" if response is None else f", with the status {response.status},"
        message = (
            f"the answer to a denied preflight of {fetched.visit.origin} for"
            f" {_tell(fetched.visit)} and credentials {fetched.visit.credentials!r}{status} is a"
            f" grant to a browser; the policy says {fetched.grant}"
        )
        raise Breach(message)
    return True


def _can_be_told(world: World, visit: Visit) -> bool:
    """Whether the implementation has a parameter to which the denial of a visit is owed."""
    policy, dialect, credentials = world.policy, world.implementation.dialect, visit.credentials
    method, names = asked_for(visit)
    if origin_grant(policy, dialect, visit.origin).denied:
        return True
    if credentials_grant(policy, dialect, credentials).denied:
        return True
    if method_grant(policy, dialect, method, credentials).denied and world.can(Capability.METHODS):
        return True
    denied = any(header_grant(policy, dialect, name, credentials).denied for name in names)
    return denied and world.can(Capability.HEADERS)


def _denied_no_5xx(world: World, sent: Sent) -> bool:
    if not sent.is_preflight:
        return False
    # What the application answers to OPTIONS may be its own.
    if sent.application.status >= _ERROR or sent.application.raises != "never":
        return False
    grant = preflight_grant(world, sent)
    if grant is not None and grant.granted:
        return False
    response = sent.reply.response
    if response is None:
        if world.implementation.interface == "http" and not _is_usual(sent):
            return False  # the server in front may hang up on what it does not take
        message = f"a preflight {_words(sent)} got no response: {sent.reply.failure}"
        raise Breach(message)
    if response.status >= _ERROR:
        message = f"a preflight {_words(sent)} was answered with the status {response.status}"
        raise Breach(message)
    return True


def _words(sent: Sent) -> str:
    asked = header_list.get(sent.request.headers, b"access-control-request-headers")
    return (
        f"of {show(sent.origin)} for {show(header_list.get(sent.request.headers, _ASKS))} with"
        f" {show(asked)}"
    )


def _is_usual(sent: Sent) -> bool:
    """Whether a request is of a size and of bytes that no server refuses."""
    lines = sent.request.headers
    text = b"".join(name + value for name, value in lines)
    names = [name.lower() for name, _ in lines]
    is_plain = text.isascii() and text.decode("ascii").isprintable()
    return is_plain and len(text) <= _USUAL_HEAD and len(set(names)) == len(names)


def _private_network(world: World, fetched: Fetched) -> bool:
    if not fetched.outcome.preflights:
        return False
    with_it = fetch_with(world, fetched.visit, preflight=(_PRIVATE_NETWORK,))
    if bool(with_it.actual) is not bool(fetched.outcome.actual):
        message = (
            f"a preflight for {_tell(fetched.visit)}"
            f" {_fate(passes=bool(fetched.outcome.actual))}, and"
            f" {_fate(passes=bool(with_it.actual))} with Access-Control-Request-Private-Network"
        )
        raise Breach(message)
    for sent in fetched.preflights:
        more = (*sent.request.headers, _PRIVATE_NETWORK)
        raw = RawRequest(method=b"OPTIONS", headers=more, application=sent.application)
        values = lines(world.send(raw), b"access-control-allow-private-network")
        if b"true" in values and not sets(sent, b"access-control-allow-private-network"):
            message = (
                f"a preflight of {fetched.visit.origin} was answered"
                " Access-Control-Allow-Private-Network: `true`, which nobody configured"
            )
            raise Breach(message)
    return True


def _route_independent(world: World, fetched: Fetched) -> bool:
    if not fetched.outcome.preflights:
        return False
    # Servers out of process may route first: then only what follows the path is the same route.
    is_near = world.implementation.interface != "http"
    path = "/elsewhere/1?x=1" if is_near else fetched.visit.path + "?x=1"
    elsewhere = world.fetch(replace(fetched.visit, path=path))
    if bool(elsewhere.outcome.actual) is not bool(fetched.outcome.actual):
        message = (
            f"a preflight for {_tell(fetched.visit)}"
            f" {_fate(passes=bool(fetched.outcome.actual))} for {fetched.visit.path} and"
            f" {_fate(passes=bool(elsewhere.outcome.actual))} for {elsewhere.visit.path}"
        )
        raise Breach(message)
    return True


_PREFLIGHT_FIRST: Final = ("live-preflight",)

PREFLIGHT: Final = (
    Rule(
        id="pf-identify",
        statement="Only OPTIONS with Origin and Access-Control-Request-Method is a preflight;"
        " everything else reaches the application.",
        anchor="#cors-preflight-request",
        level=Level.MUST,
        look=Look.RELATION,
        check=_identify,
        chapter="preflight",
    ),
    Rule(
        id="pf-ok-status",
        statement="A preflight that is granted is answered with a status of 200 to 299.",
        anchor="#ok-status",
        level=Level.MUST,
        look=Look.FETCH,
        check=_ok_status,
        chapter="preflight",
    ),
    Rule(
        id="pf-not-executed",
        statement="A preflight never makes the application serve the method that is asked for.",
        anchor="#cors-preflight-request",
        level=Level.MUST,
        look=Look.RESPONSE,
        check=_not_executed,
        needs=frozenset({Capability.APPLICATION_CALLS}),
        chapter="preflight",
    ),
    Rule(
        id="pf-decompose",
        statement="Origin, method and headers are granted each for itself: what passes one by one"
        " passes together.",
        anchor="#cors-preflight-fetch-0",
        level=Level.MUST,
        look=Look.FETCH,
        check=_decompose,
        depends_on=_PREFLIGHT_FIRST,
        chapter="preflight",
    ),
    Rule(
        id="pf-subset",
        statement="If a preflight passes, so does one that asks for fewer headers, or none.",
        anchor="#cors-preflight-fetch-0",
        level=Level.MUST,
        look=Look.FETCH,
        check=_subset,
        depends_on=_PREFLIGHT_FIRST,
        chapter="preflight",
    ),
    Rule(
        id="pf-consistent",
        statement="Preflight and response decide alike about an origin, with and without"
        " credentials.",
        anchor="#http-responses",
        level=Level.MUST,
        look=Look.RELATION,
        check=_consistent,
        depends_on=_PREFLIGHT_FIRST,
        chapter="preflight",
    ),
    Rule(
        id="pf-denied-clean",
        statement="The answer to a denied preflight is no grant to a browser, whatever its status.",
        anchor="#http-responses",
        level=Level.MUST,
        look=Look.FETCH,
        check=_denied_clean,
        # What is granted by mistake has rules of its own.
        depends_on=(
            "safe-origin-simple",
            "safe-origin-preflight",
            "safe-method",
            "safe-header",
            "safe-credentials-off",
            "safe-wildcard-credentials",
        ),
        chapter="preflight",
    ),
    Rule(
        id="pf-denied-no-5xx",
        statement="Denied and malformed preflights get a response, and none of a server error.",
        anchor="#http-responses",
        level=Level.SHOULD,
        look=Look.RESPONSE,
        check=_denied_no_5xx,
        chapter="preflight",
    ),
    Rule(
        id="pf-private-network",
        statement="Access-Control-Request-Private-Network, which is obsolete, changes nothing, and"
        " is not granted.",
        anchor="https://wicg.github.io/local-network-access/",
        level=Level.INFO,
        look=Look.RELATION,
        check=_private_network,
        depends_on=_PREFLIGHT_FIRST,
        chapter="preflight",
    ),
    Rule(
        id="pf-route-independent",
        statement="Whether a preflight passes does not depend on path and query.",
        anchor="#cors-preflight-fetch-0",
        level=Level.SHOULD,
        look=Look.RELATION,
        check=_route_independent,
        depends_on=_PREFLIGHT_FIRST,
        chapter="preflight",
    ),
)
"""Chapter F."""
