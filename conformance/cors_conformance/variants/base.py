"""What a variant is, and the words that several of them share."""

from collections.abc import Awaitable, Callable, Iterable, Iterator, MutableMapping
from dataclasses import dataclass
from typing import Any, Final, Literal, TypeAlias

from cors_conformance.dialect import Dialect
from cors_conformance.implementation import Application, Implementation
from cors_conformance.policy import WILDCARD, Policy

Header: TypeAlias = tuple[bytes, bytes]
Message: TypeAlias = MutableMapping[str, Any]
Scope: TypeAlias = MutableMapping[str, Any]
Receive: TypeAlias = Callable[[], Awaitable[Message]]
Send: TypeAlias = Callable[[Message], Awaitable[None]]
ASGIApp: TypeAlias = Callable[[Scope, Receive, Send], Awaitable[None]]

WORDS: Final = Dialect(
    always_allowed_headers=frozenset(),
    wildcard_covers_authorization=True,
    wildcard_covers_null=True,
    wildcard_lists_with_credentials=True,
    wildcard_with_credentials="refused",
)
"""`*` means all, and is refused for origins with credentials."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Variant:
    """A right middleware.

    Attributes:
        id: unique.
        freedom: what it does that the standard leaves free, a sentence.
        implementation: for a run.

    """

    id: str
    freedom: str
    implementation: Implementation


class Chapter:
    """The variants of one module, in its order."""

    def __init__(self) -> None:
        self._variants: list[Variant] = []

    def __iter__(self) -> Iterator[Variant]:
        """Iterate over the variants."""
        return iter(self._variants)

    def add(
        self,
        name: str,
        freedom: str,
        wrap: Callable[[Application, Policy], Application],
        *,
        dialect: Dialect = WORDS,
        interface: Literal["asgi", "wsgi"] = "asgi",
        as_given: bool = False,
    ) -> None:
        """Add a variant."""
        self._variants.append(
            Variant(
                id=name,
                freedom=freedom,
                implementation=Implementation(
                    name=f"variant {name}",
                    interface=interface,
                    wrap=wrap,
                    dialect=dialect,
                    as_given=as_given,
                ),
            )
        )


class Refused(ValueError):
    """A policy that a variant does not serve."""


def refuse_everyone_with_credentials(policy: Policy) -> None:
    """Refuse all origins with credentials.

    Raises:
        Refused: the policy asks for that.

    """
    if policy.allow_credentials and WILDCARD in policy.allow_origins:
        message = "allow_origins ['*'] is not for credentials"
        raise Refused(message)


def value_of(lines: Iterable[Header], name: bytes) -> bytes | None:
    """Return the values of a header's lines, joined by commas; `None` without any."""
    values = [value for key, value in lines if key == name]
    return b",".join(values) if values else None


def elements(value: bytes | None) -> list[bytes]:
    """Return the elements of a list header in lower case, without empty ones."""
    return [part.strip(b" \t").lower() for part in (value or b"").split(b",") if part.strip(b" \t")]


def encoded(texts: Iterable[str]) -> tuple[bytes, ...]:
    """Return texts as bytes."""
    return tuple(text.encode("latin-1") for text in texts)
