"""Words that the metamorphic rules share: how two outcomes are compared."""

from cors_conformance.fetch.steps import show
from cors_conformance.rules.base import Breach
from cors_conformance.rules.telling import readable, why
from cors_conformance.world import Fetched


def is_as_granted(fetched: Fetched) -> bool:
    """Whether the visit fares as the policy says; where it does not, other rules say so."""
    grant = fetched.grant
    return fetched.shared == grant.granted and not grant.free


def require_same(fetched: Fetched, other: Fetched, change: str) -> None:
    """Hold that a page fares the same after a change that does not concern it.

    Raises:
        Breach: it does not.

    """
    visit = fetched.visit
    page = f"a page of {visit.origin} asking for {show(visit.method)}"
    if fetched.shared and not other.shared:
        message = f"{page} got the response, and does not get it {change}: {why(other)}"
        raise Breach(message)
    if other.shared and not fetched.shared:
        message = f"{page} did not get the response ({why(fetched)}), and gets it {change}"
        raise Breach(message)
    names = readable(fetched) ^ readable(other)
    if names:
        told = ", ".join(sorted(name.decode("latin-1") for name in names))
        message = f"whether {page} can read {told} is different {change}"
        raise Breach(message)


def members(values: list[bytes]) -> list[bytes]:
    """Give the elements of a header's lines, sorted: those of a hash table come in any order."""
    return sorted(part.strip() for value in values for part in value.split(b","))


def shown(values: list[bytes]) -> str:
    """Show the lines of a header."""
    return show(b" | ".join(values) if values else None)
