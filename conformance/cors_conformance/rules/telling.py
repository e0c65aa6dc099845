"""Words that several chapters share: how a breach is told."""

from collections import Counter

from cors_conformance.fetch.headers import get_all
from cors_conformance.fetch.http import HeaderLines
from cors_conformance.fetch.steps import show
from cors_conformance.grant import CORS_RESPONSE_HEADER_NAMES
from cors_conformance.implementation import Capability
from cors_conformance.rules.base import Breach
from cors_conformance.world import Fetched, Sent, World


def refuse_shared(fetched: Fetched) -> None:
    """Hold that the page did not get the response.

    Raises:
        Breach: it did.

    """
    if fetched.shared:
        message = (
            f"a page of {fetched.visit.origin} got the response to {_request(fetched)};"
            f" the policy says {fetched.grant}"
        )
        raise Breach(message)


def require_shared(fetched: Fetched) -> None:
    """Hold that the page got the response.

    Raises:
        Breach: it did not; the message has the browser's reason.

    """
    if not fetched.shared:
        message = (
            f"a page of {fetched.visit.origin} did not get the response to {_request(fetched)};"
            f" the policy says {fetched.grant}; the browser says {why(fetched)}"
        )
        raise Breach(message)


def why(fetched: Fetched) -> str:
    """Give the browser's reason, and the server's failure where there was one."""
    failures = [sent.reply.failure for sent in fetched.sent if sent.reply.failure]
    reason = fetched.outcome.steps[-1].text
    return f"{reason} ({failures[0]})" if failures else reason


def _request(fetched: Fetched) -> str:
    visit = fetched.visit
    names = b", ".join(name for name, _ in visit.headers)
    headers = f"the headers {show(names)}" if names else "no headers"
    return f"{show(visit.method)} with {headers} and credentials {visit.credentials!r}"


def lines(sent: Sent, name: bytes) -> list[bytes]:
    """Give the values of a response header's lines, as they stand on the wire."""
    response = sent.reply.response
    if response is None:
        return []
    return get_all(response.headers, name)


def own_lines(sent: Sent) -> HeaderLines:
    """Give the response's header lines that the application did not set, names in lower case."""
    response = sent.reply.response
    if response is None:
        return ()
    theirs = Counter((name.lower(), value) for name, value in sent.application.headers)
    own = []
    for name, value in response.headers:
        line = (name.lower(), value)
        if theirs[line]:
            theirs[line] -= 1
        else:
            own.append(line)
    return tuple(own)


def own_cors_lines(sent: Sent) -> HeaderLines:
    """Give the CORS response headers and `Vary` among the lines that are the middleware's own."""
    return tuple(
        line
        for line in own_lines(sent)
        if line[0] in CORS_RESPONSE_HEADER_NAMES or line[0] == b"vary"
    )


def is_echo(sent: Sent, value: bytes) -> bool:
    """Whether a value repeats the request's Origin, one of its lines or all; white space aside."""
    asked = get_all(sent.request.headers, b"origin")
    return _squeezed(value) in map(_squeezed, (*asked, b",".join(asked)))


def _squeezed(value: bytes) -> bytes:
    return value.translate(None, b" \t")


def sets(sent: Sent, name: bytes) -> bool:
    """Whether the application sets a header of that name itself."""
    return any(key.lower() == name for key, _ in sent.application.headers)


def is_passed_on(world: World, sent: Sent) -> bool:
    """Whether the response is the application's, and not the middleware's own."""
    response = sent.reply.response
    if response is None or sent.is_preflight or sent.application.raises != "never":
        return False
    if world.can(Capability.APPLICATION_CALLS) and not sent.reply.calls:
        return False
    return response.status == sent.application.status


def elements(values: list[bytes]) -> set[bytes]:
    """Give the elements of a list header's lines in lower case, without the empty ones."""
    parts = (part.strip(b" \t").lower() for value in values for part in value.split(b","))
    return {part for part in parts if part}


def readable(fetched: Fetched) -> frozenset[bytes]:
    """Give the names of the application's headers that the page could read, in lower case."""
    response = fetched.outcome.response
    if response is None:
        return frozenset()
    names = {name.lower() for name, _ in response.headers}
    return frozenset(name.lower() for name, _ in fetched.visit.application.headers) & names
