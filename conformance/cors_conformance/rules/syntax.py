"""Syntax: what a middleware writes is what the grammars allow.

Rules here read raw header lines. What an application sets itself is its own business, except that
one line is what must be left in the end.
"""

import re
from typing import Final

from cors_conformance.fetch import headers as header_list
from cors_conformance.fetch.abnf import DELTA_SECONDS, TAB_OR_SPACE, is_token
from cors_conformance.fetch.steps import show
from cors_conformance.implementation import Capability
from cors_conformance.policy import WILDCARD
from cors_conformance.rules.base import Breach, Level, Look, Rule
from cors_conformance.rules.telling import is_echo, lines, own_cors_lines, sets
from cors_conformance.servers.address import address_of
from cors_conformance.servers.asgi_call import NO_BODY, call
from cors_conformance.servers.exchange import http_scope
from cors_conformance.servers.origin import ASGIOrigin
from cors_conformance.servers.start import wrapped
from cors_conformance.world import Sent, World

ORIGIN: Final = b"access-control-allow-origin"
CREDENTIALS: Final = b"access-control-allow-credentials"
MAX_AGE: Final = b"access-control-max-age"
LISTS: Final = (
    b"access-control-allow-methods",
    b"access-control-allow-headers",
    b"access-control-expose-headers",
    b"vary",
)
SINGLETONS: Final = (ORIGIN, CREDENTIALS, MAX_AGE)

SMALLEST_LIMIT: Final = 600
"""Seconds: no browser's own limit on `Access-Control-Max-Age` is smaller."""

# https://fetch.spec.whatwg.org/#http-origin, and what browsers serialize beyond it: `_`, a root
# dot, the hosts of custom schemes.
_ORIGIN_OR_NULL: Final = re.compile(
    rb"null|[a-z][a-z0-9+.\-]*://(?:\[[0-9a-f:.]+\]|[A-Za-z0-9._\-]+)(?::[0-9]{1,5})?"
)

_MALFORMED: Final = ("malformed ", "the application returned without ")
_LENGTH: Final = "its Content-Length is "
_DANGEROUS: Final = "has CR, LF or NUL in its value"
_WITHOUT_CONTENT: Final = frozenset({204, 205, 304})
_NO_CONTENT: Final = 204
_RESET_CONTENT: Final = 205

# Shorter texts turn up by themselves.
_TELLING: Final = 6
_ASKING: Final = frozenset(
    {b"origin", b"access-control-request-method", b"access-control-request-headers"}
)


def _refuse_repetition(values: list[bytes], name: str) -> None:
    if len(values) > 1:
        message = (
            f"{name} stands on {len(values)} lines, {show(b' | '.join(values))}; browsers join"
            f" them to {show(b', '.join(values))}"
        )
        raise Breach(message)


def _acao_single(world: World, sent: Sent) -> bool:
    values = lines(sent, ORIGIN)
    if not values or sets(sent, ORIGIN):
        return False
    _refuse_repetition(values, "Access-Control-Allow-Origin")
    (value,) = values
    policy = world.policy
    if value == b"*" or value in {origin.encode("latin-1") for origin in policy.allow_origins}:
        return True
    # Where everybody is allowed, an echo is as good as `*`, and what no browser sends as an
    # origin does no harm.
    if WILDCARD in policy.allow_origins and is_echo(sent, value):
        return True
    if _ORIGIN_OR_NULL.fullmatch(value) is None:
        message = f"Access-Control-Allow-Origin is {show(value)}: no origin, not `null`, not `*`"
        raise Breach(message)
    return True


def _acac(_: World, sent: Sent) -> bool:
    values = lines(sent, CREDENTIALS)
    if not values or sets(sent, CREDENTIALS):
        return False
    _refuse_repetition(values, "Access-Control-Allow-Credentials")
    if values != [b"true"]:
        message = f"Access-Control-Allow-Credentials is {show(values[0])}; only `true` means yes"
        raise Breach(message)
    return True


def _acao_star_with_acac(world: World, sent: Sent) -> bool:
    # Elsewhere the second header is nothing but idle, or a matter of the rule about it; and an
    # echo of `*` is no `*`.
    if not world.policy.allow_credentials or sent.origin == b"*":
        return False
    values, credentials = lines(sent, ORIGIN), lines(sent, CREDENTIALS)
    if not values or sets(sent, ORIGIN) or sets(sent, CREDENTIALS):
        return False
    if values == [b"*"] and credentials == [b"true"]:
        message = (
            "Access-Control-Allow-Origin is `*` and Access-Control-Allow-Credentials `true`:"
            " browsers let no credentialed page have that"
        )
        raise Breach(message)
    return True


def _acma(world: World, sent: Sent) -> bool:
    values = lines(sent, MAX_AGE)
    if not values or sets(sent, MAX_AGE):
        return False
    _refuse_repetition(values, "Access-Control-Max-Age")
    (value,) = values
    if DELTA_SECONDS.fullmatch(value) is None:
        message = f"Access-Control-Max-Age is {show(value)}, which are no digits"
        raise Breach(message)
    if not world.can(Capability.MAX_AGE):
        return True
    # Browsers cap it themselves, and so may a server, where no browser can tell.
    wanted = world.policy.max_age
    digits = value.lstrip(b"0") or b"0"
    seconds = int(digits) if len(digits) <= len(str(wanted)) else wanted + 1
    if seconds != wanted and not SMALLEST_LIMIT <= seconds < wanted:
        message = f"Access-Control-Max-Age is {show(value)}; max_age is {wanted}"
        raise Breach(message)
    return True


def _lists(_: World, sent: Sent) -> bool:
    judged = False
    # An echo of a list that no browser sends is the business of the rule about such lists.
    asked = {
        value
        for name in (b"access-control-request-method", b"access-control-request-headers")
        for value in (
            header_list.get(sent.request.headers, name) or b"",
            *header_list.get_all(sent.request.headers, name),
        )
    }
    for name in LISTS:
        if any(flaw(value) for key, value in sent.application.headers if key.lower() == name):
            continue
        for value in lines(sent, name):
            judged = True
            wrong = None if value in asked else flaw(value)
            if wrong is not None:
                message = f"{show(name)} is {show(value)}, which has {wrong}"
                raise Breach(message)
    return judged


def flaw(value: bytes) -> str | None:
    """Say what keeps a value from being a list of tokens as a sender writes it; empty is one."""
    parts = [part.strip(TAB_OR_SPACE) for part in value.split(b",")] if value else []
    for part in parts:
        if not part:
            return "an empty element"
        if not is_token(part):
            return f"an element {show(part)} that is no token"
    return None


def _no_duplication(_: World, sent: Sent) -> bool:
    judged = False
    for name in SINGLETONS:
        theirs = [value for key, value in sent.application.headers if key.lower() == name]
        values = lines(sent, name)
        # An application that says it twice has only itself to blame.
        if len(theirs) != 1 or not values:
            continue
        judged = True
        if len(values) > 1:
            message = (
                f"the application set {show(name)}: {show(theirs[0])}, and the response has it"
                f" {len(values)} times: {show(b' | '.join(values))}; browsers join the lines"
            )
            raise Breach(message)
        # What comes in as a list may go out as one, where everybody is let in.
        asked = header_list.get(sent.request.headers, b"origin") or b""
        parts, echo = ([part.strip() for part in text.split(b",")] for text in (values[0], asked))
        if values != theirs and theirs[0] in parts and parts != echo:
            message = (
                f"the application set {show(name)}: {show(theirs[0])}, and the response has"
                f" {show(values[0])}, a list where one value belongs"
            )
            raise Breach(message)
    return judged


def _content_length(world: World, sent: Sent) -> bool:
    if sets(sent, b"content-length"):
        return False
    failure, response = sent.reply.failure, sent.reply.response
    if failure is not None and _LENGTH in failure and failure.startswith(_MALFORMED):
        raise Breach(failure)
    is_own = not sent.reply.calls if world.can(Capability.APPLICATION_CALLS) else sent.is_preflight
    if response is None or not is_own or sent.request.method == b"HEAD":
        return False
    lengths = lines(sent, b"content-length")
    if response.status == _NO_CONTENT and lengths:
        message = f"a response of status 204 has Content-Length: {show(lengths[0])}"
        raise Breach(message)
    if response.status == _RESET_CONTENT and response.body:
        message = f"a response of status 205 has the body {show(response.body)}"
        raise Breach(message)
    if response.status in _WITHOUT_CONTENT:
        body = _body_sent(world, sent)
        if body:
            message = f"a response of status {response.status} was sent with the body {show(body)}"
            raise Breach(message)
    return True


def _body_sent(world: World, sent: Sent) -> bytes:
    """Give the body that the middleware sends and that no server passes on; ASGI shows it."""
    if not world.can(Capability.ASGI) or world.implementation.interface != "asgi":
        return b""
    app = wrapped(world.implementation, ASGIOrigin(), world.policy)
    scope = http_scope(sent.request, address_of(sent.request.url))
    messages = call(app, scope, NO_BODY).sent()
    return b"".join(
        message.get("body", b"") for message in messages if message["type"] == "http.response.body"
    )


def _asgi(_: World, sent: Sent) -> bool:
    # An application that breaks off leaves the rest to whoever is around it.
    if sent.application.raises != "never":
        return False
    failure = sent.reply.failure
    has_rule = failure is not None and (_LENGTH in failure or _DANGEROUS in failure)
    if failure is not None and failure.startswith(_MALFORMED) and not has_rule:
        raise Breach(failure)
    response = sent.reply.response
    if response is None:
        return False
    theirs = {name for name, _ in sent.application.headers}
    for name, _value in response.headers:
        if name != name.lower() and name not in theirs:
            message = f"the middleware sent a header name that is not in lower case: {show(name)}"
            raise Breach(message)
    return True


def _no_ctl(world: World, sent: Sent) -> bool:
    failure = sent.reply.failure
    if failure is not None and _DANGEROUS in failure:
        raise Breach(failure)
    if sent.reply.response is None:
        return False
    policy = world.policy
    asks = [value for name, value in sent.request.headers if name.lower() in _ASKING]
    texts = (
        *(policy.allow_origins + policy.allow_methods),
        *(policy.allow_headers + policy.expose_headers),
    )
    known = b"\n".join((*asks, *(text.encode("latin-1") for text in texts))).lower()
    # What the request asks for may be repeated where the policy grants it; and which origin is
    # named is the business of the rules about that.
    own = [line for line in own_cors_lines(sent) if line[0] != ORIGIN]
    for name, value in sent.request.headers:
        if name.lower() in _ASKING or len(value) < _TELLING or value.lower() in known:
            continue
        for key, line in own:
            if value in line:
                asked = f"{show(name)}: {show(value)}"
                message = f"a request with {asked} was answered {show(key)}: {show(line)}"
                raise Breach(message)
    return True


SYNTAX: Final = (
    Rule(
        id="syn-acao-single",
        statement="There is one Access-Control-Allow-Origin line at most, and it is an origin,"
        " `null` or `*`.",
        anchor="#http-new-header-syntax",
        level=Level.MUST,
        look=Look.RESPONSE,
        check=_acao_single,
        chapter="syntax",
    ),
    Rule(
        id="syn-acac",
        statement="Access-Control-Allow-Credentials is absent, or one line with the bytes `true`.",
        anchor="#http-new-header-syntax",
        level=Level.MUST,
        look=Look.RESPONSE,
        check=_acac,
        chapter="syntax",
    ),
    Rule(
        id="syn-acma",
        statement="Access-Control-Max-Age is absent, or one line with the seconds of the policy in"
        " digits.",
        anchor="#http-new-header-syntax",
        level=Level.MUST,
        look=Look.RESPONSE,
        check=_acma,
        chapter="syntax",
    ),
    Rule(
        id="syn-lists",
        statement="Access-Control-Allow-Methods, -Allow-Headers, -Expose-Headers and Vary are lists"
        " of tokens without empty elements.",
        anchor="#http-new-header-syntax",
        level=Level.MUST,
        look=Look.RESPONSE,
        check=_lists,
        chapter="syntax",
    ),
    # Harmless, since browsers refuse it: who says so promises what cannot be.
    Rule(
        id="syn-no-acao-star-with-acac",
        statement="Where the policy allows credentials, Access-Control-Allow-Origin `*` does not"
        " come with Access-Control-Allow-Credentials.",
        anchor="#cors-protocol-and-credentials",
        level=Level.INFO,
        look=Look.RESPONSE,
        check=_acao_star_with_acac,
        chapter="syntax",
    ),
    Rule(
        id="syn-no-duplication",
        statement="Where the application sets a CORS header of one value itself, one line of it is"
        " left.",
        anchor="#concept-header-list-get",
        level=Level.SHOULD,
        look=Look.RESPONSE,
        check=_no_duplication,
        needs=frozenset({Capability.APPLICATION_HEADERS}),
        chapter="syntax",
    ),
    Rule(
        id="syn-content-length",
        statement="The middleware's own responses are as long as they say, and those of status 204,"
        " 205 and 304 have no body.",
        anchor="RFC 9110, 8.6 and 15.3.5",
        level=Level.MUST,
        look=Look.RESPONSE,
        check=_content_length,
        chapter="syntax",
    ),
    Rule(
        id="syn-asgi",
        statement="Messages are as ASGI wants them: one start, one end, pairs of bytes, names in"
        " lower case.",
        anchor="ASGI, HTTP & WebSocket message format",
        level=Level.MUST,
        look=Look.RESPONSE,
        check=_asgi,
        needs=frozenset({Capability.ASGI}),
        chapter="syntax",
    ),
    Rule(
        id="syn-no-ctl",
        statement="No response header has CR, LF or NUL, and no CORS header has text of the request"
        " that nobody asked for.",
        anchor="RFC 9110, 5.5",
        level=Level.MUST,
        look=Look.RESPONSE,
        check=_no_ctl,
        chapter="syntax",
    ),
)
"""Chapter C."""
