"""Safety: nothing is granted that the policy does not grant."""

from dataclasses import replace
from typing import Final

from cors_conformance.fetch import headers as header_list
from cors_conformance.fetch.methods import is_cors_safelisted_method
from cors_conformance.fetch.steps import show
from cors_conformance.grant import (
    Verdict,
    asked_for,
    header_grant,
    method_grant,
    origin_grant,
    readable_grant,
    sets_cors_headers,
)
from cors_conformance.implementation import Capability
from cors_conformance.policy import WILDCARD, Policy
from cors_conformance.rules.base import Breach, Level, Look, Rule
from cors_conformance.rules.options import anchored, null_only
from cors_conformance.rules.telling import is_echo, lines, refuse_shared
from cors_conformance.scenario import Batch, Visit
from cors_conformance.world import Fetched, Sent, World


def _is_denied_origin(world: World, fetched: Fetched) -> bool:
    """Whether the page's origin alone is a reason to deny."""
    dialect = world.implementation.dialect
    return fetched.grant.denied and origin_grant(world.policy, dialect, fetched.visit.origin).denied


def _origin_simple(world: World, fetched: Fetched) -> bool:
    if not _is_denied_origin(world, fetched) or fetched.outcome.preflights:
        return False
    refuse_shared(fetched)
    return True


def _origin_preflight(world: World, fetched: Fetched) -> bool:
    if not _is_denied_origin(world, fetched) or not fetched.outcome.preflights:
        return False
    if fetched.outcome.actual:
        message = (
            f"the preflight of a page of {fetched.visit.origin} was granted;"
            f" the policy says {fetched.grant}"
        )
        raise Breach(message)
    return True


def _host_and_port(origin: str) -> str:
    return origin.partition("://")[2]


def _resembles(origin: str, allowed: str) -> bool:
    """Whether a careless comparison takes one for the other: but for a character, or of parts.

    Hyphens apart is one of the ways to be careless.
    """
    one, other = _host_and_port(origin), _host_and_port(allowed)
    if not one or not other:
        return False
    if len(one) == len(other):
        others = (mine for mine, its in zip(one, other, strict=True) if its not in {mine, "."})
        return len([*others]) < 2  # noqa: PLR2004 - dots apart, one character
    return one in other or other in one or one.replace("-", "") == other.replace("-", "")


def _origin_near_miss(world: World, fetched: Fetched) -> bool:
    if not _is_denied_origin(world, fetched):
        return False
    near = [item for item in world.policy.allow_origins if _resembles(fetched.visit.origin, item)]
    if not near:
        return False
    refuse_shared(fetched)
    for sent in fetched.sent:
        if lines(sent, b"access-control-allow-origin") == [fetched.visit.origin.encode("latin-1")]:
            message = (
                f"Access-Control-Allow-Origin names {fetched.visit.origin}, which is not"
                f" {near[0]} of allow_origins"
            )
            raise Breach(message)
    return True


def _null(world: World, fetched: Fetched) -> bool:
    if sets_cors_headers(fetched.visit.application):
        return False
    is_denied = _is_denied_origin(world, fetched)
    if fetched.visit.origin == "null" and is_denied:
        refuse_shared(fetched)
    elif not is_denied:
        return False
    for sent in fetched.sent:
        if b"null" in lines(sent, b"access-control-allow-origin"):
            message = (
                f"a request from {fetched.visit.origin}, which is denied, was answered"
                " Access-Control-Allow-Origin: null; every sandboxed page has that origin"
            )
            raise Breach(message)
    return True


def _acao_closed(world: World, sent: Sent) -> bool:
    values = lines(sent, b"access-control-allow-origin")
    # Browsers join several lines to what is no origin, which is a matter of syntax.
    if len(values) != 1 or sets_cors_headers(sent.application):
        return False
    (value,) = values
    policy = world.policy
    # With the policy `*`, an echo of what the request carries says the same; a library that
    # grants nothing to `null` is judged by the rule about `null`.
    is_everybodys = value == b"*" or is_echo(sent, value)
    is_listed = value in {origin.encode("latin-1") for origin in policy.allow_origins}
    if not is_listed and not (WILDCARD in policy.allow_origins and is_everybodys):
        message = (
            f"Access-Control-Allow-Origin is {show(value)}, which is not in allow_origins"
            f" {list(policy.allow_origins)}; the request's Origin is {show(sent.origin)}"
        )
        raise Breach(message)
    return True


def _method(world: World, fetched: Fetched) -> bool:
    visit, dialect = fetched.visit, world.implementation.dialect
    method = asked_for(visit)[0]
    if is_cors_safelisted_method(method) or not fetched.grant.denied:
        return False
    if not method_grant(world.policy, dialect, method, visit.credentials).denied:
        return False
    if fetched.outcome.actual:
        message = f"the preflight for {show(method)} was granted; the policy says {fetched.grant}"
        raise Breach(message)
    return True


def _method_case(world: World, fetched: Fetched) -> bool:
    method = asked_for(fetched.visit)[0].decode("latin-1")
    others = [name for name in world.policy.allow_methods if name.upper() == method.upper()]
    if not others or method in others:
        return False
    return _method(world, fetched)


def _header(world: World, fetched: Fetched) -> bool:
    visit, dialect = fetched.visit, world.implementation.dialect
    denied_names = [
        name
        for name in asked_for(visit)[1]
        if header_grant(world.policy, dialect, name, visit.credentials).denied
    ]
    if not denied_names or not fetched.grant.denied:
        return False
    if fetched.outcome.actual:
        message = (
            f"the preflight for the header {show(denied_names[0])} was granted;"
            f" the policy says {fetched.grant}"
        )
        raise Breach(message)
    return True


def _authorization(world: World, fetched: Fetched) -> bool:
    if not header_list.contains(fetched.visit.headers, b"authorization"):
        return False
    dialect, credentials = world.implementation.dialect, fetched.visit.credentials
    if not header_grant(world.policy, dialect, b"authorization", credentials).denied:
        return False
    return _header(world, fetched)


def _credentials_off(world: World, fetched: Fetched) -> bool:
    if world.policy.allow_credentials or sets_cors_headers(fetched.visit.application):
        return False
    if fetched.grant.free:
        return False
    for sent in fetched.sent:
        values = lines(sent, b"access-control-allow-credentials")
        if values:
            message = (
                f"Access-Control-Allow-Credentials is {show(values[0])} although"
                " allow_credentials is false"
            )
            raise Breach(message)
    if fetched.visit.credentials == "include":
        refuse_shared(fetched)
    return True


def _wildcard_credentials(world: World, fetched: Fetched) -> bool:
    if not _is_wildcard_with_credentials(world.policy):
        return False
    if fetched.visit.credentials != "include" or not fetched.grant.denied:
        return False
    refuse_shared(fetched)
    return True


def _is_wildcard_with_credentials(policy: Policy) -> bool:
    return WILDCARD in policy.allow_origins and policy.allow_credentials


def _expose(world: World, fetched: Fetched) -> bool:
    response = fetched.outcome.response
    if response is None or response.type != "cors" or sets_cors_headers(fetched.visit.application):
        return False
    dialect, credentials = world.implementation.dialect, fetched.visit.credentials
    for name, value in response.headers:
        grant = readable_grant(world.policy, dialect, name, credentials)
        if grant.denied:
            message = f"the page could read {show(name)}: {show(value)}; {grant.reason}"
            raise Breach(message)
    return True


def _no_carryover(world: World, batch: Batch) -> bool:
    """Whatever was granted before, a denied page stays denied, and so on the other way round."""
    visits = [visit for visit in batch.visits() if not sets_cors_headers(visit.application)]
    fetched = [world.fetch(visit) for visit in visits]
    granted = [item for item in fetched if item.shared and item.grant.verdict is Verdict.GRANTED]
    denied = [item for item in fetched if not item.shared and item.grant.denied]
    if not granted or not denied:
        return False
    first, second = granted[0], denied[0]
    with World(world.implementation, world.policy) as fresh:
        fresh.fetch(first.visit)
        after = fresh.fetch(second.visit)
        if after.shared:
            message = (
                f"after a page of {first.visit.origin} was granted access, a page of"
                f" {second.visit.origin} was granted it too; the policy says {after.grant}"
            )
            raise Breach(message)
        again = fresh.fetch(replace(first.visit, path="/again"))
        if not again.shared:
            message = (
                f"after a page of {second.visit.origin} was denied access, a page of"
                f" {first.visit.origin} was denied it too; the policy says {again.grant}"
            )
            raise Breach(message)
    return True


def _error_paths(world: World, fetched: Fetched) -> bool:
    application = fetched.visit.application
    is_error = application.raises != "never" or application.status >= 400  # noqa: PLR2004
    if not is_error or not _is_denied_origin(world, fetched):
        return False
    refuse_shared(fetched)
    return True


def _duplicate_origin(world: World, sent: Sent) -> bool:
    origins = header_list.get_all(sent.request.headers, b"origin")
    elements = [
        element
        for origin in origins
        for element in origin.replace(b" ", b",").split(b",")
        if element
    ]
    if len(elements) < 2 or WILDCARD in world.policy.allow_origins:  # noqa: PLR2004
        return False
    if sets_cors_headers(sent.application):
        return False
    values = lines(sent, b"access-control-allow-origin")
    anyway = _named_to_strangers(world)
    # Several lines are none of them, as browsers join them.
    for value in values if len(values) == 1 else ():
        if value in elements and value not in anyway:
            message = (
                f"a request with the origins {show(b', '.join(origins))} was answered"
                f" Access-Control-Allow-Origin: {show(value)} as if it had come from that one"
            )
            raise Breach(message)
    return True


def _named_to_strangers(world: World) -> set[bytes]:
    """Give what a server names in Access-Control-Allow-Origin when somebody else asks."""
    stranger = world.fetch(Visit(origin="https://stranger.example", method=b"GET"))
    return {line for sent in stranger.sent for line in lines(sent, b"access-control-allow-origin")}


_ORIGINS_FIRST: Final = ("safe-origin-simple",)

SAFETY: Final = (
    Rule(
        id="safe-origin-simple",
        statement="Pages of an origin outside the policy do not get responses to requests that"
        " need no preflight.",
        anchor="#concept-cors-check",
        level=Level.MUST,
        look=Look.FETCH,
        check=_origin_simple,
        chapter="safety",
    ),
    Rule(
        id="safe-origin-preflight",
        statement="The preflight of an origin outside the policy fails.",
        anchor="#cors-preflight-fetch-0",
        level=Level.MUST,
        look=Look.FETCH,
        check=_origin_preflight,
        depends_on=_ORIGINS_FIRST,
        chapter="safety",
    ),
    Rule(
        id="safe-origin-nearmiss",
        statement="An origin that merely resembles an allowed one is not allowed.",
        anchor="#concept-cors-check",
        level=Level.MUST,
        look=Look.FETCH,
        check=_origin_near_miss,
        special_of="safe-origin-simple",
        chapter="safety",
    ),
    Rule(
        id="safe-null",
        statement="The origin `null` is granted only if the policy names it, and no denial"
        " answers `null`.",
        anchor="#http-access-control-allow-origin",
        level=Level.MUST,
        look=Look.FETCH,
        check=_null,
        special_of="safe-origin-simple",
        chapter="safety",
    ),
    Rule(
        id="safe-acao-closed",
        statement="Access-Control-Allow-Origin is absent, `*` under the policy `*`, or an origin"
        " of the policy.",
        anchor="#http-new-header-syntax",
        level=Level.MUST,
        look=Look.RESPONSE,
        check=_acao_closed,
        depends_on=_ORIGINS_FIRST,
        chapter="safety",
    ),
    Rule(
        id="safe-method",
        statement="A method that is neither CORS-safelisted nor in the policy fails the preflight.",
        anchor="#cors-preflight-fetch-0",
        level=Level.MUST,
        look=Look.FETCH,
        check=_method,
        needs=frozenset({Capability.METHODS}),
        chapter="safety",
    ),
    Rule(
        id="safe-method-case",
        statement="Methods are compared byte for byte: allowing PATCH does not allow patch.",
        anchor="#concept-method-normalize",
        level=Level.MUST,
        look=Look.FETCH,
        check=_method_case,
        needs=frozenset({Capability.METHODS}),
        special_of="safe-method",
        chapter="safety",
    ),
    Rule(
        id="safe-header",
        statement="A CORS-unsafe request header outside the policy fails the preflight.",
        anchor="#cors-preflight-fetch-0",
        level=Level.MUST,
        look=Look.FETCH,
        check=_header,
        needs=frozenset({Capability.HEADERS}),
        chapter="safety",
    ),
    Rule(
        id="safe-authorization",
        statement="A request with Authorization is granted only if the policy covers that header.",
        anchor="#cors-non-wildcard-request-header-name",
        level=Level.MUST,
        look=Look.FETCH,
        check=_authorization,
        needs=frozenset({Capability.HEADERS}),
        special_of="safe-header",
        chapter="safety",
    ),
    Rule(
        id="safe-credentials-off",
        statement="Without allow_credentials no response carries Access-Control-Allow-Credentials,"
        " and no credentialed fetch succeeds.",
        anchor="#concept-cors-check",
        level=Level.MUST,
        look=Look.FETCH,
        check=_credentials_off,
        needs=frozenset({Capability.CREDENTIALS}),
        chapter="safety",
    ),
    Rule(
        id="safe-wildcard-credentials",
        statement="Allowing the origins `*` never grants credentialed access to whoever asks,"
        " unless the library documents exactly that.",
        anchor="#cors-protocol-and-credentials",
        level=Level.SECURITY,
        look=Look.FETCH,
        check=_wildcard_credentials,
        refusal=_is_wildcard_with_credentials,
        needs=frozenset({Capability.CREDENTIALS}),
        chapter="safety",
    ),
    Rule(
        id="safe-expose",
        statement="Pages cannot read response headers that are neither CORS-safelisted nor in"
        " expose_headers.",
        anchor="#concept-filtered-response-cors",
        level=Level.MUST,
        look=Look.FETCH,
        check=_expose,
        needs=frozenset({Capability.APPLICATION_HEADERS, Capability.EXPOSE}),
        chapter="safety",
    ),
    Rule(
        id="safe-no-carryover",
        statement="What was granted or denied to one page changes nothing for the next.",
        anchor="#concept-cache",
        level=Level.MUST,
        look=Look.BATCH,
        check=_no_carryover,
        chapter="safety",
    ),
    Rule(
        id="safe-error-paths",
        statement="Error responses obey the same origin rule as all others.",
        anchor="#http-responses",
        level=Level.MUST,
        look=Look.FETCH,
        check=_error_paths,
        needs=frozenset({Capability.APPLICATION_STATUS}),
        depends_on=_ORIGINS_FIRST,
        chapter="safety",
    ),
    Rule(
        id="safe-duplicate-origin",
        statement="Several origins in one request are never taken for one of them.",
        anchor="#http-origin",
        level=Level.SHOULD,
        look=Look.HOSTILE,
        check=_duplicate_origin,
        needs=frozenset({Capability.RAW_REQUESTS}),
        chapter="safety",
    ),
    Rule(
        id="safe-pattern-anchored",
        statement="A pattern for origins allows what it covers from begin to end, and nothing that"
        " resembles it.",
        anchor="#concept-cors-check",
        level=Level.SECURITY,
        look=Look.POLICY,
        check=anchored,
        needs=frozenset({Capability.PATTERNS}),
        chapter="safety",
    ),
    Rule(
        id="safe-null-option",
        statement="An option that allows the origin null allows no other one.",
        anchor="#http-access-control-allow-origin",
        level=Level.SECURITY,
        look=Look.POLICY,
        check=null_only,
        needs=frozenset({Capability.NULL_ORIGIN}),
        chapter="safety",
    ),
)
"""Chapter A."""
