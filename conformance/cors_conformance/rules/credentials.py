"""Credentials: a server does not see a request's mode, and its answers do not guess at it."""

from dataclasses import replace
from typing import Final

from cors_conformance.application import ApplicationResponse
from cors_conformance.fetch import headers as header_list
from cors_conformance.fetch.steps import show
from cors_conformance.grant import sets_cors_headers
from cors_conformance.implementation import Capability
from cors_conformance.rules.asking import fetch_with
from cors_conformance.rules.base import Breach, Level, Look, Rule
from cors_conformance.rules.telling import is_passed_on, lines, require_shared
from cors_conformance.world import Fetched, Sent, World

_COOKIE: Final = (b"cookie", b"session=1")
_AUTHORIZATION: Final = (b"authorization", b"Basic dXNlcjpwYXNz")
_COOKIES: Final = ApplicationResponse(
    headers=(
        (b"set-cookie", b"a=1; Secure; SameSite=None"),
        (b"set-cookie", b"b=2; Expires=Fri, 01 Jan 2100 00:00:00 GMT; Path=/; Secure"),
    )
)
_UNAUTHORIZED: Final = ApplicationResponse(
    status=401, headers=((b"www-authenticate", b'Basic realm="x"'),), body=(b"who are you",)
)


def _mode_invisible(world: World, fetched: Fetched) -> bool:
    """Fetch with credentials, before there are any and once there are some.

    Only the verdict counts, since the spelling may depend on what the request carries.
    """
    visit = replace(fetched.visit, credentials="include")
    without = fetch_with(world, visit)
    for line in (_COOKIE, _AUTHORIZATION):
        if header_list.contains(visit.headers, line[0]):
            continue
        with_it = fetch_with(world, visit, actual=(line,))
        if with_it.result != without.result:
            message = (
                f"a credentialed fetch of {visit.origin} with {show(visit.method)} is a"
                f" {_tell(without.result)} without and a {_tell(with_it.result)} with"
                f" {line[0].decode()}; whether a request carries credentials says nothing of"
                f" its mode: {(with_it if with_it.result != 'success' else without).steps[-1].text}"
            )
            raise Breach(message)
    return True


def _tell(result: str) -> str:
    return result.replace("_", " ")


def _set_cookie(world: World, fetched: Fetched) -> bool:
    asked = world.fetch(replace(fetched.visit, application=_COOKIES))
    if not asked.actual or not is_passed_on(world, asked.actual[0]):
        return False
    cookies = [value for _, value in _COOKIES.headers]
    seen = lines(asked.actual[0], b"set-cookie")
    # Servers out of process may have cookies of their own.
    is_near = world.implementation.interface != "http"
    if cookies != (seen if is_near else [value for value in seen if value in cookies]):
        message = (
            f"the application set {len(cookies)} cookies,"
            f" {' and '.join(map(show, cookies))}; the response to {fetched.visit.origin} has"
            f" {' and '.join(map(show, seen)) or 'none'}"
        )
        raise Breach(message)
    response = asked.outcome.response
    if response is not None and header_list.contains(response.headers, b"set-cookie"):
        message = f"a page of {fetched.visit.origin} could read Set-Cookie"
        raise Breach(message)
    return True


def _true_only_if_allowed(world: World, sent: Sent) -> bool:
    """Look at what is not a preflight: a preflight that fails may carry anything."""
    if sent.is_preflight or sent.origin is None or sets_cors_headers(sent.application):
        return False
    credentials = lines(sent, b"access-control-allow-credentials")
    if credentials and not lines(sent, b"access-control-allow-origin"):
        message = (
            f"a response to {show(sent.origin)} has Access-Control-Allow-Credentials"
            f" {show(credentials[0])} and no Access-Control-Allow-Origin"
        )
        raise Breach(message)
    return bool(credentials) or world.policy.allow_credentials


def _unauthorized(world: World, fetched: Fetched) -> bool:
    if not fetched.grant.granted:
        return False
    asked = world.fetch(replace(fetched.visit, application=_UNAUTHORIZED))
    if not asked.actual:
        return False  # that preflights need no credentials has a rule of its own
    require_shared(asked)
    response = asked.outcome.response
    if response is not None and response.status != _UNAUTHORIZED.status:
        message = f"the page saw the status {response.status}, not the application's 401"
        raise Breach(message)
    ((name, challenge),) = _UNAUTHORIZED.headers
    if challenge not in lines(asked.actual[0], name):
        message = f"the application's 401 arrived without its WWW-Authenticate {show(challenge)}"
        raise Breach(message)
    return True


CREDENTIALS: Final = (
    Rule(
        id="cred-mode-invisible",
        statement="What a page is granted does not depend on whether its request carries cookies"
        " or Authorization.",
        anchor="#cors-protocol-and-credentials",
        level=Level.MUST,
        look=Look.RELATION,
        check=_mode_invisible,
        chapter="credentials",
    ),
    Rule(
        id="cred-set-cookie",
        statement="The application's Set-Cookie lines pass unchanged and uncombined, and no page"
        " reads them.",
        anchor="#example-cors-with-credentials",
        level=Level.MUST,
        look=Look.RELATION,
        check=_set_cookie,
        needs=frozenset({Capability.APPLICATION_HEADERS}),
        chapter="credentials",
    ),
    Rule(
        id="cred-true-only-if-allowed",
        statement="Access-Control-Allow-Credentials does not appear without"
        " Access-Control-Allow-Origin.",
        anchor="#concept-cors-check",
        level=Level.INFO,
        look=Look.RESPONSE,
        check=_true_only_if_allowed,
        needs=frozenset({Capability.CREDENTIALS}),
        chapter="credentials",
    ),
    Rule(
        id="cred-401",
        statement="A 401 of the application reaches the page, with its WWW-Authenticate.",
        anchor="#http-responses",
        level=Level.SHOULD,
        look=Look.RELATION,
        check=_unauthorized,
        needs=frozenset({Capability.APPLICATION_STATUS, Capability.APPLICATION_HEADERS}),
        depends_on=("live-simple",),
        chapter="credentials",
    ),
)
"""Chapter E."""
