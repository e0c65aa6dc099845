"""Words that several chapters share: how a breach is told."""

from cors_conformance.fetch.steps import show
from cors_conformance.rules.base import Breach
from cors_conformance.world import Fetched, Sent


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
    names = show(b", ".join(name for name, _ in visit.headers) or None)
    return f"{show(visit.method)} with headers {names} and credentials {visit.credentials!r}"


def lines(sent: Sent, name: bytes) -> list[bytes]:
    """Give the values of a response header's lines, as they stand on the wire."""
    response = sent.reply.response
    if response is None:
        return []
    return [value for key, value in response.headers if key.lower() == name]
