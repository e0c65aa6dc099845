"""Liveness: what the policy grants, a standard browser lets pages do."""

from dataclasses import replace
from typing import Final

from cors_conformance.application import ApplicationResponse
from cors_conformance.fetch import headers as header_list
from cors_conformance.fetch.methods import is_cors_safelisted_method
from cors_conformance.fetch.responses import NULL_BODY_STATUSES, is_ok_status
from cors_conformance.fetch.steps import show
from cors_conformance.grant import (
    asked_for,
    origin_grant,
    readable_grant,
)
from cors_conformance.implementation import Capability
from cors_conformance.policy import WILDCARD
from cors_conformance.rules.asking import fetch_asking, is_served
from cors_conformance.rules.base import Breach, Level, Look, Rule
from cors_conformance.rules.options import null_shared, private_network
from cors_conformance.rules.remembering import not_modified
from cors_conformance.rules.telling import lines, readable, require_shared
from cors_conformance.scenario import API, PLAIN
from cors_conformance.world import Fetched, World

ERROR = 400


def _is_simple(fetched: Fetched) -> bool:
    return (
        is_cors_safelisted_method(asked_for(fetched.visit)[0]) and not asked_for(fetched.visit)[1]
    )


def _simple(_: World, fetched: Fetched) -> bool:
    if not fetched.grant.granted or not _is_simple(fetched):
        return False
    if fetched.visit.credentials == "include" or fetched.visit.application.status >= ERROR:
        return False
    require_shared(fetched)
    return True


def _credentials(_: World, fetched: Fetched) -> bool:
    if not fetched.grant.granted or fetched.visit.credentials != "include":
        return False
    if fetched.visit.application.status >= ERROR:
        return False
    require_shared(fetched)
    return True


def _preflight(_: World, fetched: Fetched) -> bool:
    if not fetched.grant.granted or not fetched.outcome.preflights:
        return False
    if fetched.visit.application.status >= ERROR:
        return False
    require_shared(fetched)
    return True


def _safelisted_method(world: World, fetched: Fetched) -> bool:
    """Judge a listed GET, HEAD or POST with unsafe headers, or with an upload listener alone."""
    method = asked_for(fetched.visit)[0]
    if not fetched.grant.granted or not is_cors_safelisted_method(method):
        return False
    if fetched.visit.application.status >= ERROR:
        return False
    if asked_for(fetched.visit)[1]:
        require_shared(fetched)
        return True
    if method == b"POST":
        require_shared(world.fetch(replace(fetched.visit, use_cors_preflight=True)))
        return True
    return False


def _header_case(world: World, fetched: Fetched) -> bool:
    names = asked_for(fetched.visit)[1]
    spelt = {name.encode("latin-1") for name in world.policy.allow_headers}
    if not fetched.grant.granted or not any(
        name not in spelt and name in {item.lower() for item in spelt} for name in names
    ):
        return False
    if fetched.visit.application.status >= ERROR:
        return False
    # Where the preflight fails without the headers too, their letter case is not why.
    plainer = replace(fetched.visit, headers=(), use_cors_preflight=True)
    if not fetched.shared and not world.fetch(plainer).shared:
        return False
    require_shared(fetched)
    return True


def _wildcard_method(world: World, fetched: Fetched) -> bool:
    method = asked_for(fetched.visit)[0]
    if WILDCARD not in world.policy.allow_methods or is_cors_safelisted_method(method):
        return False
    if not fetched.grant.granted or fetched.visit.credentials == "include":
        return False
    if fetched.visit.application.status >= ERROR:
        return False
    require_shared(fetched)
    return True


def _expose(world: World, fetched: Fetched) -> bool:
    response = fetched.outcome.response
    if not fetched.grant.granted or response is None or not fetched.actual:
        return False
    # Whether OPTIONS reaches the application at all is another rule's matter.
    method = asked_for(fetched.visit)[0]
    if method == b"OPTIONS" or not is_served(world, method):
        return False
    dialect, credentials = world.implementation.dialect, fetched.visit.credentials
    judged = False
    for name, value in fetched.visit.application.headers:
        grant = readable_grant(world.policy, dialect, name, credentials)
        # What the middleware owns or adds to is not the application's to expose.
        if not grant.granted or name.lower() == b"vary":
            continue
        judged = True
        if not header_list.contains(response.headers, name):
            message = f"the page could not read {show(name)}: {show(value)}; {grant.reason}"
            raise Breach(message)
    return judged


def _options_actual(world: World, fetched: Fetched) -> bool:
    if asked_for(fetched.visit)[0] != b"OPTIONS" or not fetched.grant.granted:
        return False
    if fetched.visit.application.status >= ERROR:
        return False
    require_shared(fetched)
    response, application = fetched.outcome.response, fetched.visit.application
    body = b"" if application.status in NULL_BODY_STATUSES else b"".join(application.body)
    if response is not None and (
        response.status != application.status
        or (response.body != body and world.can(Capability.APPLICATION_BODY))
    ):
        message = (
            "an OPTIONS request that is no preflight was not answered by the application, but"
            f" with status {response.status} and body {show(response.body)}"
        )
        raise Breach(message)
    if world.can(Capability.APPLICATION_CALLS):
        calls = sum(len(sent.reply.calls) for sent in fetched.actual)
        if calls != 1:
            message = (
                f"an OPTIONS request that is no preflight reached the application {calls} times,"
                " not once"
            )
            raise Breach(message)
    return True


def _error_readable(world: World, fetched: Fetched) -> bool:
    status = fetched.visit.application.status
    if not fetched.grant.granted or is_ok_status(status):
        return False
    # Whether OPTIONS reaches the application at all is another rule's matter.
    method = asked_for(fetched.visit)[0]
    if method == b"OPTIONS" or not is_served(world, method):
        return False
    if fetched.outcome.preflights and not fetched.outcome.actual:
        return False  # so is whether the preflight passes
    require_shared(fetched)
    response = fetched.outcome.response
    if response is not None and response.status != status:
        message = f"the page saw the status {response.status}, not the application's {status}"
        raise Breach(message)
    return True


def _redirect(world: World, fetched: Fetched) -> bool:
    """Redirect within the server, and to another one that the same policy guards."""
    if not fetched.grant.granted or not _is_simple(fetched) or fetched.visit.application != PLAIN:
        return False
    for location, final_origin in ((API + "/next", fetched.visit.origin), (_OTHER, "null")):
        moved = ApplicationResponse(status=307, headers=((b"location", location.encode()),))
        visit = replace(fetched.visit, path="/moved", application=moved)
        redirected = world.fetch(visit)
        first = redirected.actual[0].reply.response
        if first is not None and first.status != moved.status:
            return False  # a rule of its own says that statuses pass
        grant = origin_grant(world.policy, world.implementation.dialect, final_origin)
        is_credentialed_null = final_origin == "null" and fetched.visit.credentials == "include"
        if grant.granted and not is_credentialed_null:
            require_shared(redirected)
        elif grant.denied and redirected.shared:
            message = f"after a redirect to {location} the origin is null; the policy says {grant}"
            raise Breach(message)
        if len(redirected.actual) < 2 and not grant.free:  # noqa: PLR2004 - a hop and its target
            message = f"the redirect to {location} was not followed: {redirected.outcome.steps[-1]}"
            raise Breach(message)
    return True


_OTHER: Final = "https://other-api.example/next"


def _preflight_without_credentials(world: World, fetched: Fetched) -> bool:
    """Let the application answer 401, as to what has no credentials, or 404 or 405 to OPTIONS."""
    if not fetched.grant.granted or not fetched.outcome.preflights or not fetched.outcome.actual:
        return False
    for status in (401, 403, 404, 405):
        application = ApplicationResponse(status=status)
        judged = world.fetch(replace(fetched.visit, application=application))
        if not judged.outcome.actual:
            message = (
                f"where the application answers {status} to OPTIONS, a granted preflight fails:"
                f" {judged.outcome.steps[-1].text}"
            )
            raise Breach(message)
    return True


def _acac_on_preflight(_: World, fetched: Fetched) -> bool:
    if not fetched.grant.granted or fetched.visit.credentials != "include":
        return False
    if not fetched.preflights:
        return False
    for sent in fetched.preflights:
        values = lines(sent, b"access-control-allow-credentials")
        if values != [b"true"]:
            message = (
                "the answer to the preflight of a credentialed request has"
                f" Access-Control-Allow-Credentials {show(b', '.join(values) or None)}, not `true`;"
                f" the policy says {fetched.grant}"
            )
            raise Breach(message)
    return True


_OTHER_METHODS: Final[tuple[str, ...]] = ("PUT", "DELETE", "PATCH")
_OTHER_NAMES: Final = (b"x-one", b"x-two")


def _wildcard_with_credentials(world: World, fetched: Fetched) -> bool:
    """Judge by what the library documents; where it documents nothing, all fare alike."""
    policy, dialect, visit = world.policy, world.implementation.dialect, fetched.visit
    if visit.credentials != "include" or not policy.allow_credentials:
        return False
    if WILDCARD in policy.allow_origins or visit.origin not in policy.allow_origins:
        return False
    page = replace(visit, method=b"GET", headers=(), body=None)
    if not world.fetch(page).shared:
        return False  # that is another rule's matter
    expected, judged = dialect.wildcard_lists_with_credentials, False
    if WILDCARD in policy.allow_methods:
        known = dialect.wildcard_methods or frozenset(_OTHER_METHODS)
        fared = {
            name: world.fetch(replace(page, method=name.encode(), body=b"page")).shared
            for name in _OTHER_METHODS
            if name in known
        }
        judged |= _require_alike(fared, expected, "allow_methods")
    if WILDCARD in policy.allow_headers:
        fared = {
            name.decode(): world.fetch(replace(page, headers=((name, b"1"),))).shared
            for name in _OTHER_NAMES
        }
        judged |= _require_alike(fared, expected, "allow_headers")
    if WILDCARD in policy.expose_headers and world.can(Capability.APPLICATION_HEADERS):
        headers = tuple((name, b"1") for name in _OTHER_NAMES)
        shown = world.fetch(replace(page, application=ApplicationResponse(headers=headers)))
        fared = {name.decode(): name in readable(shown) for name in _OTHER_NAMES}
        judged |= shown.shared and _require_alike(fared, expected, "expose_headers")
    return judged


def _require_alike(
    fared: dict[str, bool],
    expected: bool | None,  # noqa: FBT001 - a choice of the dialect, not a flag
    parameter: str,
) -> bool:
    wrong = [name for name, granted in fared.items() if granted is (expected is False)]
    if expected is None:
        wrong = [name for name, granted in fared.items() if not granted]
        wrong = wrong if len(wrong) < len(fared) else []
    if wrong:
        says = {True: "granted", False: "not granted", None: "left open"}[expected]
        message = (
            f"with {parameter} `*`, a credentialed request for {', '.join(fared)} is documented as"
            f" {says}, and it is {'granted' if fared[wrong[0]] else 'not granted'} for"
            f" {', '.join(wrong)}"
        )
        raise Breach(message)
    return bool(fared)


def _acrh_tolerant(world: World, fetched: Fetched) -> bool:
    """Spell what the preflight asks for as it may come through proxies."""
    if not fetched.shared or not fetched.grant.granted or not fetched.preflights:
        return False
    names = asked_for(fetched.visit)[1]
    spellings = (
        (
            ("one space around commas", [b", ".join(names)]),
            ("a tab before commas", [b"\t,".join(names)]),
            # No more than a few: RFC 9110 lets recipients count them.
            ("a few empty elements", [b",," + b",".join(names) + b","]),
            ("several lines", list(names)),
        )
        if names
        else (("no name", [b""]),)
    )
    for what, values in spellings:
        outcome = fetch_asking(world, fetched.visit, values)
        if outcome.result != "success":
            message = (
                f"Access-Control-Request-Headers {show(b' | '.join(values))}, with {what},"
                f" is refused, and granted as browsers write it: {outcome.steps[-1].text}"
            )
            raise Breach(message)
    return True


_SIMPLE_FIRST: Final = ("live-simple",)
_PREFLIGHT_FIRST: Final = ("live-simple", "live-preflight")

LIVENESS: Final = (
    Rule(
        id="live-simple",
        statement="Pages of the policy's origins get responses to requests that need no preflight"
        " and carry no credentials.",
        anchor="#concept-cors-check",
        level=Level.MUST,
        look=Look.FETCH,
        check=_simple,
        chapter="liveness",
    ),
    Rule(
        id="live-credentials",
        statement="With allow_credentials, credentialed fetches of the policy's origins succeed,"
        " with and without a preflight.",
        anchor="#concept-cors-check",
        level=Level.MUST,
        look=Look.FETCH,
        check=_credentials,
        needs=frozenset({Capability.CREDENTIALS}),
        depends_on=_PREFLIGHT_FIRST,
        chapter="liveness",
    ),
    Rule(
        id="live-preflight",
        statement="The policy's methods and headers pass the preflight, and the request succeeds.",
        anchor="#cors-preflight-fetch-0",
        level=Level.MUST,
        look=Look.FETCH,
        check=_preflight,
        depends_on=_SIMPLE_FIRST,
        chapter="liveness",
    ),
    Rule(
        id="live-safelisted-method",
        statement="GET, HEAD and POST pass a preflight that is made for headers or for an upload"
        " listener alone.",
        anchor="#cors-preflight-fetch-0",
        level=Level.MUST,
        look=Look.FETCH,
        check=_safelisted_method,
        depends_on=_PREFLIGHT_FIRST,
        chapter="liveness",
    ),
    Rule(
        id="live-header-case",
        statement="Header names of the policy match in any letter case: browsers ask in lower"
        " case.",
        anchor="#convert-header-names-to-a-sorted-lowercase-set",
        level=Level.MUST,
        look=Look.FETCH,
        check=_header_case,
        needs=frozenset({Capability.HEADERS}),
        depends_on=_PREFLIGHT_FIRST,
        chapter="liveness",
    ),
    Rule(
        id="live-wildcard-method",
        statement="Allowing the methods `*` grants every method to requests without credentials.",
        anchor="#http-new-header-syntax",
        level=Level.MUST,
        look=Look.FETCH,
        check=_wildcard_method,
        special_of="live-preflight",
        needs=frozenset({Capability.METHODS}),
        depends_on=_SIMPLE_FIRST,
        chapter="liveness",
    ),
    Rule(
        id="live-expose",
        statement="Pages can read the response headers in expose_headers, and the CORS-safelisted"
        " ones always.",
        anchor="#concept-filtered-response-cors",
        level=Level.MUST,
        look=Look.FETCH,
        check=_expose,
        needs=frozenset({Capability.APPLICATION_HEADERS, Capability.EXPOSE}),
        depends_on=_SIMPLE_FIRST,
        chapter="liveness",
    ),
    Rule(
        id="live-options-actual",
        statement="A page's own OPTIONS request is preflighted, then reaches the application once,"
        " and its response is shared.",
        anchor="#cors-preflight-request",
        level=Level.MUST,
        look=Look.FETCH,
        check=_options_actual,
        needs=frozenset({Capability.METHODS}),
        depends_on=("live-simple", "pf-identify"),
        chapter="liveness",
    ),
    Rule(
        id="live-error-readable",
        statement="Responses of every status that the application answers are shared alike.",
        anchor="#http-responses",
        level=Level.MUST,
        look=Look.FETCH,
        check=_error_readable,
        needs=frozenset({Capability.APPLICATION_STATUS}),
        depends_on=_SIMPLE_FIRST,
        chapter="liveness",
    ),
    Rule(
        id="live-redirect",
        statement="Redirects of the application are followed, and their target is judged with the"
        " origin it then sees.",
        anchor="#concept-http-redirect-fetch",
        level=Level.MUST,
        look=Look.RELATION,
        check=_redirect,
        needs=frozenset({Capability.APPLICATION_STATUS, Capability.APPLICATION_HEADERS}),
        depends_on=_SIMPLE_FIRST,
        chapter="liveness",
    ),
    Rule(
        id="live-preflight-no-credentials",
        statement="A granted preflight needs no credentials, whatever the application answers to"
        " OPTIONS.",
        anchor="#http-responses",
        level=Level.MUST,
        look=Look.RELATION,
        check=_preflight_without_credentials,
        needs=frozenset({Capability.APPLICATION_STATUS}),
        depends_on=_PREFLIGHT_FIRST,
        chapter="liveness",
    ),
    Rule(
        id="live-acac-on-preflight",
        statement="Where credentials are allowed, the answer to the preflight says so itself.",
        anchor="#cors-preflight-fetch-0",
        level=Level.MUST,
        look=Look.FETCH,
        check=_acac_on_preflight,
        needs=frozenset({Capability.CREDENTIALS}),
        depends_on=_SIMPLE_FIRST,
        chapter="liveness",
    ),
    Rule(
        id="live-wildcard-method-credentials",
        statement="Where a list is `*` and credentials are allowed, credentialed requests are"
        " granted all or, if that is documented, nothing by it.",
        anchor="#cors-protocol-and-credentials",
        level=Level.SHOULD,
        look=Look.RELATION,
        check=_wildcard_with_credentials,
        needs=frozenset({Capability.CREDENTIALS}),
        depends_on=_SIMPLE_FIRST,
        chapter="liveness",
    ),
    Rule(
        id="live-304",
        statement="A 304 leaves the page the response that its browser has stored.",
        anchor="#concept-http-network-or-cache-fetch",
        level=Level.SHOULD,
        look=Look.RELATION,
        check=not_modified,
        needs=frozenset({Capability.APPLICATION_STATUS, Capability.APPLICATION_HEADERS}),
        depends_on=_SIMPLE_FIRST,
        chapter="liveness",
    ),
    # Servers that take only what browsers write exist, and no browser notices: no MUST.
    Rule(
        id="live-acrh-tolerant",
        statement="White space, empty elements and several lines in Access-Control-Request-Headers"
        " change nothing.",
        anchor="RFC 9110, 5.6.1.2",
        level=Level.SHOULD,
        look=Look.RELATION,
        check=_acrh_tolerant,
        needs=frozenset({Capability.RAW_REQUESTS}),
        depends_on=("live-preflight",),
        chapter="liveness",
    ),
    Rule(
        id="live-null-option",
        statement="Where an option allows the origin null, pages that have it get what the policy"
        " grants, and so do those of its origins.",
        anchor="#http-access-control-allow-origin",
        level=Level.MUST,
        look=Look.POLICY,
        check=null_shared,
        needs=frozenset({Capability.NULL_ORIGIN}),
        depends_on=_SIMPLE_FIRST,
        chapter="liveness",
    ),
    # Browsers have given it up, and there are older ones: no MUST.
    Rule(
        id="live-private-network-option",
        statement="Where an option allows private networks, a granted preflight that asks for one"
        " is answered Access-Control-Allow-Private-Network: true.",
        anchor="https://wicg.github.io/local-network-access/",
        level=Level.SHOULD,
        look=Look.POLICY,
        check=private_network,
        needs=frozenset({Capability.PRIVATE_NETWORK}),
        depends_on=("live-preflight",),
        chapter="liveness",
    ),
)
"""Chapter B."""
