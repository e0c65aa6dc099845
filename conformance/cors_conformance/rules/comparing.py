"""Comparing: whether what passed a middleware is what it was, whichever way it went."""

from collections.abc import Iterable, Sequence
from typing import Final

from cors_conformance.application import ApplicationResponse
from cors_conformance.fetch.headers import get_all
from cors_conformance.fetch.http import HeaderLines, HTTPRequest, HTTPResponse
from cors_conformance.fetch.steps import show
from cors_conformance.grant import CORS_RESPONSE_HEADER_NAMES
from cors_conformance.implementation import Capability
from cors_conformance.rules.asking import is_near
from cors_conformance.rules.base import Breach
from cors_conformance.scenario import API
from cors_conformance.servers.base import Reply
from cors_conformance.world import Sent, World

_BODILESS_STATUSES: Final = frozenset({204, 304})

CORS: Final = CORS_RESPONSE_HEADER_NAMES | {b"vary", b"access-control-allow-private-network"}
"""What a CORS middleware may add, replace and remove; `Vary` has rules of its own."""

# https://www.rfc-editor.org/rfc/rfc9110#section-7.6.1, and what servers say of themselves.
_CONNECTION: Final = frozenset(
    {
        b"alt-svc",
        b"connection",
        b"content-length",
        b"date",
        b"host",
        b"keep-alive",
        b"server",
        b"te",
        b"trailer",
        b"transfer-encoding",
        b"upgrade",
        b"via",
    }
)
_FRAMING: Final = frozenset({b"content-length", b"content-type", b"date", b"server"})
"""What a framework adds to responses that lack it."""


def names_of(headers: HeaderLines) -> list[bytes]:
    """Give the names in lower case, each once."""
    return list(dict.fromkeys(name.lower() for name, _ in headers))


def _elements(values: Iterable[bytes]) -> list[bytes]:
    """Give the elements of lines; lines of one name may be combined on the way.

    https://www.rfc-editor.org/rfc/rfc9110#section-5.3
    """
    return [element.strip(b" \t") for value in values for element in value.split(b",")]


def _is_usual(name: bytes, values: Sequence[bytes]) -> bool:
    """Whether every server passes such lines on as they are."""
    if not name.replace(b"-", b"").isalnum():
        return False
    return all(value and value.isascii() and value.decode().isprintable() for value in values)


def require_response(world: World, application: ApplicationResponse, sent: Sent) -> None:
    """Hold that a response is the application's, apart from CORS headers and `Vary`.

    Lines of different names may change places; servers out of process, and frameworks that make the
    response anew, add and combine lines.

    Raises:
        Breach: it is not.

    """
    response = sent.reply.response
    if response is None:
        if world.implementation.interface == "http":
            return
        message = f"the application's response did not arrive: {sent.reply.failure}"
        raise Breach(message)
    if response.status != application.status:
        message = f"the application's status {application.status} became {response.status}"
        raise Breach(message)
    if world.can(Capability.APPLICATION_BODY):
        _require_body(sent.request, application, response)
    if is_near(world):
        _require_lines(application, response)
    else:
        _require_elements(application, response)


def _require_body(
    request: HTTPRequest, application: ApplicationResponse, response: HTTPResponse
) -> None:
    has_none = request.method == b"HEAD" or application.status in _BODILESS_STATUSES
    body = b"" if has_none else b"".join(application.body)
    if response.body != body:
        message = f"the application's body {show(body)} became {show(response.body)}"
        raise Breach(message)


def _require_lines(application: ApplicationResponse, response: HTTPResponse) -> None:
    own = {name for name in names_of(application.headers) if name not in CORS}
    for name in names_of((*application.headers, *response.headers)):
        if name in CORS or (name not in own and _may_be_added(name)):
            continue
        expected = [value.strip(b" \t") for value in get_all(application.headers, name)]
        seen = get_all(response.headers, name)
        if seen != expected:
            _refuse_lines(name, expected, seen)


def _may_be_added(name: bytes) -> bool:
    # Neighbours of CORS are not the suite's matter.
    return name in _FRAMING | _CONNECTION or name.startswith(
        (b"access-control-", b"cross-origin-", b"timing-allow-origin")
    )


def _require_elements(application: ApplicationResponse, response: HTTPResponse) -> None:
    for name in names_of(application.headers):
        expected = get_all(application.headers, name)
        if name in CORS | _CONNECTION or not _is_usual(name, expected):
            continue
        seen = get_all(response.headers, name)
        if _elements(seen) != _elements(expected):
            _refuse_lines(name, expected, seen)


def _refuse_lines(name: bytes, expected: Sequence[bytes], seen: Sequence[bytes]) -> None:
    message = (
        f"the application's {name.decode('latin-1')}: {' and '.join(map(show, expected)) or 'none'}"
        f" became {' and '.join(map(show, seen)) or 'none'}"
    )
    raise Breach(message)


def require_request(world: World, request: HTTPRequest, reply: Reply) -> None:
    """Hold that the application saw the request as it was sent, and saw it once.

    Raises:
        Breach: it did not.

    """
    if len(reply.calls) != 1:
        message = f"the request reached the application {len(reply.calls)} times, not once"
        raise Breach(message)
    (call,) = reply.calls
    near = is_near(world)
    target = request.url.removeprefix(API).encode("latin-1")
    for what, was, became in (
        ("method", request.method, call.method),
        ("body", request.body or b"", call.body),
        # Frameworks in other processes may show a path that is decoded or normalised.
        ("target", target if near else call.target, call.target),
    ):
        if was != became:
            message = f"the request's {what} {show(was)} reached the application as {show(became)}"
            raise Breach(message)
    # WSGI writes an underscore for a hyphen, and drops some that are empty.
    seen_lines = tuple((name.replace(b"_", b"-"), value) for name, value in call.headers)
    sent_lines = tuple((name.replace(b"_", b"-"), value) for name, value in request.headers)
    for name in names_of(sent_lines):
        sent = get_all(sent_lines, name)
        if name in _CONNECTION or not any(sent) or not (near or _is_usual(name, sent)):
            continue
        seen = get_all(seen_lines, name)
        if _elements(seen) != _elements(sent):
            message = (
                f"the request's {name.decode('latin-1')} {show(b', '.join(sent))} reached the"
                f" application as {show(b', '.join(seen) if seen else None)}"
            )
            raise Breach(message)
