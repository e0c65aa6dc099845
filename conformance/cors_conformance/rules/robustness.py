"""Robustness: what no browser sends is refused, and neither repeated nor fatal.

Requests that a page might make, and would be granted, with one header made hostile.
"""

import re
import time
from typing import Final

from cors_conformance.fetch.abnf import TAB_OR_SPACE, is_token
from cors_conformance.fetch.browser import Browser
from cors_conformance.fetch.http import HTTPRequest, HTTPResponse
from cors_conformance.fetch.steps import show
from cors_conformance.grant import origin_grant
from cors_conformance.implementation import Capability
from cors_conformance.policy import WILDCARD, Policy
from cors_conformance.rules.base import Breach, Level, Look, Rule
from cors_conformance.rules.concurrency import concurrent
from cors_conformance.rules.telling import lines, own_cors_lines, own_lines
from cors_conformance.scenario import RawRequest
from cors_conformance.servers.address import address_of
from cors_conformance.servers.asgi_call import call
from cors_conformance.servers.exchange import http_scope
from cors_conformance.servers.origin import ASGIOrigin
from cors_conformance.servers.start import wrapped
from cors_conformance.world import Fetched, Sent, World

ORIGIN: Final = b"origin"
METHOD: Final = b"access-control-request-method"
HEADERS: Final = b"access-control-request-headers"

_KILOBYTES: Final = 1 << 16
_MEGABYTE: Final = 1 << 20
_SERVER_ERROR: Final = 500

# What servers take at the least: https://www.rfc-editor.org/rfc/rfc9112#section-3-5
_TAKEN: Final = 8000
_CONTROL: Final = re.compile(rb"[\x00-\x08\x0a-\x1f\x7f]")

# Shorter texts turn up by themselves.
_TELLING: Final = 4

AMPLIFICATION: Final = 8
"""An echo, a line for each name even, is in proportion to the request; more is not."""
_ROOM: Final = 4096

_PART: Final = 8
"""The time of a list is compared with that of one so many times shorter."""
_GROWTH: Final = 4
"""How much more than in proportion to the length the time may grow; in its square, it is 8."""
_TURNS: Final = 3
_FELT: Final = 0.1
"""Seconds of processor time: what takes less is not worth a look, and cannot be compared."""

_ORIGINS: Final = (
    *(b"", b",", b"null, null", b"NULL", b"*", b"://", b"https://", b"https://[::1"),
    *(b"https://a:b:c", b"https://a.example:99999999999999999999", b"\xff\xfe\x80", b"%00"),
    *(b"https://evil.example, https://evil.example", b"<script>", b"https://\x01\x7f.example"),
    b"https://evil.example/" + b"a" * _KILOBYTES,
)
_METHODS: Final = (
    *(b"", b",", b"P UT", b"PUT, EVIL", b"<script>", b"\xe9vil", b'"EVIL"', b"EVIL;x=1"),
    *(b"EVIL\x01", b"EVIL/1", b"E(" + b"X" * _KILOBYTES),
)
_NAMES: Final = (
    *(b"<script>alert(1)</script>", b"x evil", b"x-\xe9vil", b'"x-evil"', b"x-evil:1"),
    *(b"x-evil;q=1", b"x-\x01\x7f", b"", b",", b", ,\t, "),
)
_LARGE: Final = (
    b"," * _KILOBYTES,
    # An expression that looks for a comma behind white space may look from each of the spaces.
    b"x-a" + b" " * 16_000 + b"x-evil",
    b",".join(b"x-%d" % index for index in range(10_000)),
)
_HUGE: Final = (b"," * _MEGABYTE, b",".join(b"x-%d" % index for index in range(100_000)))

# The size has nothing to do with the rest of a policy, and with some libraries it takes its time.
_WITH_THE_HUGE: Final = (
    Policy(allow_origins=("https://a.example",)),
    Policy(allow_origins=("https://a.example",), allow_headers=("*",)),
)

_MARKUP: Final = b"<script>"

_INJECTED: Final = b"x-injected"
# No server hands on CR, LF or NUL in a value, so that it takes a middleware to make them of
# something else: by decoding percent signs, escapes, or characters whose last byte they are.
_INJECTIONS: Final = (
    b"%0d%0ax-injected:%201",
    b"%0ax-injected:%201",
    b"\\r\\nx-injected: 1",
    "\u560d\u560ax-injected: 1".encode(),
)


def _target(world: World) -> dict[bytes, bytes]:
    """Give what a preflight asks for, each the last that the policy lists."""
    methods = [method for method in world.policy.allow_methods if method != WILDCARD]
    names = [name.lower() for name in world.policy.allow_headers if name != WILDCARD]
    return {
        METHOD: (methods or ["PUT"])[-1].encode("ascii"),
        HEADERS: (names or ["x-a"])[-1].encode("ascii"),
    }


def _get(origin: bytes) -> RawRequest:
    return RawRequest(method=b"GET", headers=((ORIGIN, origin),))


def _preflight(world: World, origin: str, name: bytes = b"", *values: bytes) -> RawRequest:
    """Give a preflight with these lines in place of one of its headers."""
    headers: dict[bytes, tuple[bytes, ...]] = {ORIGIN: (origin.encode("latin-1"),)}
    headers |= {key: (value,) for key, value in _target(world).items()}
    if name:
        headers[name] = values
    return RawRequest(
        method=b"OPTIONS",
        headers=tuple((key, value) for key, lines in headers.items() for value in lines),
    )


def _may_ask(world: World, fetched: Fetched) -> bool:
    """Whether it is for the method and the headers, if for anything, that a page is refused."""
    dialect = world.implementation.dialect
    return not origin_grant(world.policy, dialect, fetched.visit.origin).denied


def _require_answer(world: World, sent: Sent, what: str) -> None:
    """Hold that a hostile request is answered, and that nothing broke over it.

    Raises:
        Breach: it is not; over sockets a server may drop what is no HTTP, or is too large.

    """
    response, failure = sent.reply.response, sent.reply.failure
    in_process = world.implementation.interface != "http"
    size = sum(len(name) + len(value) for name, value in sent.request.headers)
    is_http = size < _TAKEN and not any(_CONTROL.search(value) for _, value in sent.request.headers)
    if response is None and not sent.reply.application_raised and (in_process or is_http):
        message = f"a request with {what} got no response: {failure}"
        raise Breach(message)
    if response is not None and response.status >= _SERVER_ERROR and (in_process or is_http):
        message = f"a request with {what} was answered with status {response.status}"
        raise Breach(message)


def _origin_bytes(world: World, fetched: Fetched) -> bool:
    allows_all = WILDCARD in world.policy.allow_origins
    known = "\n".join(world.policy.allow_origins).encode("latin-1")
    for value in _ORIGINS:
        for raw in (_get(value), _preflight(world, fetched.visit.origin, ORIGIN, value)):
            sent = world.send(raw)
            _require_answer(world, sent, f"the Origin {show(value)}")
            _refuse_markup(sent, value)
            # Where everybody is allowed, an echo says no more than `*`.
            if allows_all or not value or value in known:
                continue
            for line in lines(sent, b"access-control-allow-origin"):
                if value in line:
                    message = (
                        f"a request with the Origin {show(value)} was answered"
                        f" Access-Control-Allow-Origin: {show(line)}"
                    )
                    raise Breach(message)
    return True


def _refuse_non_tokens(sent: Sent, asked: bytes) -> None:
    for name in (b"access-control-allow-methods", b"access-control-allow-headers"):
        for line in lines(sent, name):
            for part in line.split(b","):
                element = part.strip(TAB_OR_SPACE)
                if element and not is_token(element):
                    message = (
                        f"a preflight that asks for {show(asked)} was answered {show(name)}:"
                        f" {show(line)}, with {show(element)} in it, which is no token"
                    )
                    raise Breach(message)


def _refuse_markup(sent: Sent, asked: bytes) -> None:
    response = sent.reply.response
    if response is None or _MARKUP not in response.body or _MARKUP not in asked:
        return
    if any(b"html" in value.lower() for value in lines(sent, b"content-type")):
        message = f"{show(asked)} of a request stands in the HTML of its response"
        raise Breach(message)


def _acrm(world: World, fetched: Fetched) -> bool:
    if not _may_ask(world, fetched):
        return False
    method = _target(world)[METHOD]
    for values in (*((value,) for value in _METHODS), (method, b"EVIL EVIL")):
        sent = world.send(_preflight(world, fetched.visit.origin, METHOD, *values))
        asked = b", ".join(values)
        _require_answer(world, sent, f"the Access-Control-Request-Method {show(asked)}")
        _refuse_non_tokens(sent, asked)
        _refuse_markup(sent, asked)
        # The last of them is no method, whatever stands before it.
        for name, line in own_cors_lines(sent):
            if len(values[-1]) >= _TELLING and values[-1] in line:
                message = (
                    f"a preflight with the Access-Control-Request-Method {show(asked)} was"
                    f" answered {show(name)}: {show(line)}"
                )
                raise Breach(message)
    return True


def _acrh(world: World, fetched: Fetched) -> bool:
    if not _may_ask(world, fetched):
        return False
    origin, name = fetched.visit.origin, _target(world)[HEADERS]
    usual = _size(world.send(_preflight(world, origin)))
    huge = _HUGE if world.policy in _WITH_THE_HUGE else ()
    after_another = tuple(name + b"," + value for value in _NAMES)
    for asked in _NAMES + after_another + _LARGE + huge:
        sent, seconds = _timed(world, origin, asked)
        if seconds > _FELT:
            _refuse_growth(world, origin, asked, seconds)
        _require_answer(world, sent, f"the Access-Control-Request-Headers {show(asked)}")
        _refuse_non_tokens(sent, asked)
        _refuse_markup(sent, asked)
        if _size(sent) > usual + AMPLIFICATION * len(asked) + _ROOM:
            message = (
                f"{len(asked)} bytes of Access-Control-Request-Headers were answered with"
                f" {_size(sent)} bytes, where {usual} are usual"
            )
            raise Breach(message)
    return True


def _timed(world: World, origin: str, asked: bytes) -> tuple[Sent, float]:
    """Send a preflight that asks for these names; give the processor time that it took, in seconds.

    That of others cannot be told from that of the machine: over HTTP it is none.
    """
    started = time.process_time()
    sent = world.send(_preflight(world, origin, HEADERS, asked))
    seconds = time.process_time() - started
    return sent, seconds if world.implementation.interface != "http" else 0.0


def _refuse_growth(world: World, origin: str, asked: bytes, seconds: float) -> None:
    """Hold that the time for reading a list is in proportion to its length.

    Raises:
        Breach: it is not.

    """
    middle = len(asked) // 2
    kept = len(asked) // (2 * _PART)
    # From the middle, where a list that differs in its ends is all the same.
    part = asked[:_TELLING] + asked[middle - kept : middle + kept] + asked[-_TELLING:]
    # The longest of several times for the short one: whatever else went on is in it.
    short = max(_timed(world, origin, part + b"%d" % turn)[1] for turn in range(_TURNS))
    limit = _GROWTH * _PART * short
    # Once more before it is said: a collection of garbage does not come twice in a row.
    if seconds > limit:
        seconds = min(seconds, _timed(world, origin, asked + b"0")[1])
    if seconds > limit:
        message = (
            f"{len(asked)} bytes of Access-Control-Request-Headers, {show(asked)}, took"
            f" {seconds / short:.0f} times the processor time of {len(part)} such bytes"
        )
        raise Breach(message)


def _size(sent: Sent) -> int:
    response = sent.reply.response
    if response is None:
        return 0
    return len(response.body) + sum(len(name) + len(value) + 4 for name, value in response.headers)


def _injection(world: World, fetched: Fetched) -> bool:
    if not _may_ask(world, fetched):
        return False
    origin = fetched.visit.origin.encode("latin-1")
    for tail in _INJECTIONS:
        _refuse_injected(world.send(_get(origin + tail)), ORIGIN, tail)
        raw = _preflight(world, fetched.visit.origin, ORIGIN, origin + tail)
        _refuse_injected(world.send(raw), ORIGIN, tail)
        for name, value in _target(world).items():
            raw = _preflight(world, fetched.visit.origin, name, value + tail)
            _refuse_injected(world.send(raw), name, tail)
    return True


def _refuse_injected(sent: Sent, name: bytes, tail: bytes) -> None:
    failure = sent.reply.failure
    if failure is not None and "CR, LF or NUL" in failure:
        message = f"{show(tail)} at the end of {show(name)} went into the response: {failure}"
        raise Breach(message)
    for key, value in own_lines(sent):
        if key == _INJECTED:
            message = f"{show(tail)} at the end of {show(name)} added {show(key)}: {show(value)}"
            raise Breach(message)


def _header_name_case(world: World, fetched: Fetched) -> bool:
    """Judge by the answer to a browser whose server does not make names lower case."""
    implementation, visit = world.implementation, fetched.visit
    if implementation.interface != "asgi" or implementation.wrap is None:
        return False
    # Names in odd case may be no `Origin` at all, and then nothing of CORS is to be seen.
    if not fetched.grant.denied or len(fetched.sent) != 1 or not fetched.actual:
        return False
    app = wrapped(implementation, ASGIOrigin(), world.policy)

    def network(request: HTTPRequest) -> HTTPResponse | None:
        scope = http_scope(request, address_of(request.url))
        scope["headers"] = [(name.title(), value) for name, value in scope["headers"]]
        sent = call(app, scope).sent()
        start = next((item for item in sent if item["type"] == "http.response.start"), None)
        if start is None:
            return None
        return HTTPResponse(status=start["status"], headers=tuple(start.get("headers", ())))

    outcome = Browser().run(visit.author_request(), origin=visit.origin, network=network)
    if outcome.result == "success" and not fetched.shared:
        message = (
            f"a page of {visit.origin} gets the response if header names are in upper case; the"
            f" policy says {fetched.grant}"
        )
        raise Breach(message)
    return True


_RAW: Final = frozenset({Capability.RAW_REQUESTS})

ROBUSTNESS: Final = (
    Rule(
        id="rob-origin-bytes",
        statement="Whatever bytes Origin has, the request is answered without a server error, and"
        " they are not repeated.",
        anchor="RFC 9110, 5.5",
        level=Level.SHOULD,
        look=Look.RELATION,
        check=_origin_bytes,
        needs=_RAW,
        depends_on=("safe-origin-simple",),
        chapter="robustness",
    ),
    Rule(
        id="rob-acrm",
        statement="An Access-Control-Request-Method that is no method is neither repeated nor"
        " granted.",
        anchor="#http-new-header-syntax",
        level=Level.MUST,
        look=Look.RELATION,
        check=_acrm,
        needs=_RAW,
        chapter="robustness",
    ),
    Rule(
        id="rob-acrh",
        statement="Access-Control-Request-Headers of any content and size get a response in time,"
        " of bounded size, and with nothing in it that is no token.",
        anchor="RFC 9110, 5.6.1.2",
        level=Level.SHOULD,
        look=Look.RELATION,
        check=_acrh,
        needs=_RAW,
        chapter="robustness",
    ),
    Rule(
        id="rob-injection",
        statement="No request adds a header to the response or ends one.",
        anchor="RFC 9110, 5.5",
        level=Level.MUST,
        look=Look.RELATION,
        check=_injection,
        needs=_RAW,
        chapter="robustness",
    ),
    Rule(
        id="rob-concurrency",
        statement="Requests that are served at the same time get what they get alone.",
        anchor="#http-responses",
        level=Level.MUST,
        look=Look.BATCH,
        check=concurrent,
        chapter="robustness",
    ),
    Rule(
        id="rob-header-name-case",
        statement="Header names in upper case, which no ASGI server hands on, grant a stranger"
        " nothing.",
        anchor="https://asgi.readthedocs.io/en/latest/specs/www.html#http-connection-scope",
        level=Level.SHOULD,
        look=Look.RELATION,
        check=_header_name_case,
        needs=frozenset({Capability.ASGI}),
        chapter="robustness",
    ),
)
"""Chapter H."""
