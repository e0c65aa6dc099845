"""Words that several chapters share: how a server is asked."""

from collections.abc import Iterable
from dataclasses import replace
from typing import Final

from cors_conformance.application import ApplicationResponse
from cors_conformance.fetch import headers as header_list
from cors_conformance.fetch.abnf import is_token
from cors_conformance.fetch.browser import Browser, Network, Outcome
from cors_conformance.fetch.http import HeaderLines, HTTPRequest, HTTPResponse
from cors_conformance.fetch.methods import is_forbidden_method
from cors_conformance.grant import Grant, all_of, header_grant, method_grant, origin_grant
from cors_conformance.implementation import Capability
from cors_conformance.policy import WILDCARD
from cors_conformance.scenario import API, RawRequest, Visit
from cors_conformance.servers.base import Reply
from cors_conformance.world import Sent, World

_PREFERRED = ("GET", "POST", "PUT", "DELETE", "PATCH")


def plain_grant(world: World) -> tuple[str, bytes] | tuple[None, None]:
    """Give an origin and a method, best an ordinary one, that the policy names or covers by `*`."""
    origins, methods = world.policy.allow_origins, world.policy.allow_methods
    named = [origin for origin in origins if origin != WILDCARD]
    origin = named[0] if named else "https://a.example" if origins else None
    ordinary = [name for name in _PREFERRED if name in methods or WILDCARD in methods]
    if origin is None or not ordinary:
        return None, None
    return origin, ordinary[0].encode("ascii")


USUAL_METHODS: Final = frozenset({b"GET", b"POST", b"PUT", b"DELETE", b"PATCH"})
_MARKED: Final = ApplicationResponse(body=(b"the application itself",))


def is_served(world: World, method: bytes) -> bool:
    """Whether requests with a method reach the application without any middleware."""
    if is_forbidden_method(method):
        return False
    return method in USUAL_METHODS or world.can(Capability.ANY_METHOD)


def times_reached(world: World, request: RawRequest) -> tuple[int, Reply]:
    """Send a request; tell how often it reached the application, by its calls or by its answer.

    Who sees no calls cannot tell once from twice.
    """
    if calls_are_seen(world):
        reply = world.send(request).reply
        return len(reply.calls), reply
    reply = world.send(replace(request, application=_MARKED)).reply
    response = reply.response
    return int(response is not None and response.body == b"".join(_MARKED.body)), reply


def is_near(world: World) -> bool:
    """Whether messages are seen as middleware and application make them.

    In other processes, and behind a framework that makes them anew, header lines are added and
    combined.
    """
    is_made_anew = not world.can(Capability.ASGI) and not world.can(Capability.WSGI)
    return world.implementation.interface != "http" and not is_made_anew


def calls_are_seen(world: World) -> bool:
    """Whether what reaches the application shows, tried with a request that is none of CORS."""
    if not world.can(Capability.APPLICATION_CALLS):
        return False
    return bool(world.send(RawRequest(method=b"GET", headers=())).reply.calls)


def fetch_with(
    world: World,
    visit: Visit,
    *,
    preflight: HeaderLines = (),
    actual: HeaderLines = (),
) -> Outcome:
    """Fetch with a fresh browser, with more lines on its preflight or on the request itself."""

    def network(request: HTTPRequest) -> HTTPResponse | None:
        more = preflight if is_preflight(request) else actual
        return send_for(world, request, visit.application, more=more)

    return _run(visit, network)


def fetch_asking(world: World, visit: Visit, values: Iterable[bytes]) -> Outcome:
    """Fetch with a fresh browser, whose preflight asks for headers with these lines on the way."""
    name = b"access-control-request-headers"
    asked = tuple((name, value) for value in values)

    def network(request: HTTPRequest) -> HTTPResponse | None:
        if is_preflight(request):
            kept = tuple(line for line in request.headers if line[0].lower() != name)
            request = replace(request, headers=kept + asked)
        return send_for(world, request, visit.application)

    return _run(visit, network)


def fetch_unasked(world: World, visit: Visit) -> Outcome:
    """Fetch with a fresh browser whose preflight somebody else has granted."""

    def network(request: HTTPRequest) -> HTTPResponse | None:
        if not is_preflight(request):
            return send_for(world, request, visit.application)
        asked = header_list.get(request.headers, b"access-control-request-headers")
        names = () if asked is None else ((b"access-control-allow-headers", asked),)
        granted = (
            (b"access-control-allow-origin", header_list.get(request.headers, b"origin") or b""),
            (b"access-control-allow-credentials", b"true"),
            (
                b"access-control-allow-methods",
                header_list.get(request.headers, b"access-control-request-method") or b"",
            ),
            *names,
        )
        return HTTPResponse(status=204, headers=granted)

    return _run(visit, network)


def is_preflight(request: HTTPRequest) -> bool:
    """Whether a browser's request is a preflight."""
    return header_list.contains(request.headers, b"access-control-request-method")


def send_for(
    world: World,
    request: HTTPRequest,
    application: ApplicationResponse,
    *,
    more: HeaderLines = (),
) -> HTTPResponse | None:
    """Send a browser's request, with more lines; it is sent once and remembered, as by hand."""
    raw = RawRequest(
        method=request.method,
        headers=request.headers + more,
        target=request.url.removeprefix(API).encode("latin-1"),
        body=request.body,
        application=application,
    )
    return world.send(raw).reply.response


def _run(visit: Visit, network: Network) -> Outcome:
    return Browser().run(visit.author_request(), origin=visit.origin, network=network)


def preflight_grant(world: World, sent: Sent) -> Grant | None:
    """Give what the policy says of a preflight by hand; `None` where no browser would ask so."""
    values = [
        header_list.get_all(sent.request.headers, name)
        for name in (
            b"origin",
            b"access-control-request-method",
            b"access-control-request-headers",
        )
    ]
    if any(len(lines) > 1 for lines in values):
        return None
    (origin,), (method,), asked = values
    names = asked[0].split(b",") if asked else []
    if not all(is_token(name) for name in (method, *names)):
        return None
    dialect = world.implementation.dialect
    return all_of(
        (
            origin_grant(world.policy, dialect, origin.decode("latin-1")),
            method_grant(world.policy, dialect, method, "omit"),
            *(header_grant(world.policy, dialect, name, "omit") for name in names),
        )
    )
