"""Implementations: the middlewares under test, and how each is built from a policy."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from types import MappingProxyType
from typing import Any, Final, Literal, TypeAlias, get_args

from cors_conformance.dialect import Dialect
from cors_conformance.policy import Policy
from cors_conformance.servers.base import Server

Interface: TypeAlias = Literal["asgi", "wsgi", "http"]
Application: TypeAlias = Callable[..., Any]
"""An ASGI or WSGI application."""


class Capability(StrEnum):
    """What an implementation, or the way it is reached, may be unable to express or to show."""

    METHODS = "allow_methods"
    HEADERS = "allow_headers"
    CREDENTIALS = "allow_credentials"
    EXPOSE = "expose_headers"
    MAX_AGE = "max_age"
    APPLICATION_CALLS = "application-calls"
    """What reaches the application can be observed."""
    APPLICATION_STATUS = "application-status"
    """The application can answer any status."""
    APPLICATION_BODY = "application-body"
    """The application can answer any body."""
    APPLICATION_HEADERS = "application-headers"
    """The application can set response headers."""
    APPLICATION_CHUNKS = "application-chunks"
    """The application can send its body in several pieces."""
    APPLICATION_EXCEPTIONS = "application-exceptions"
    """The application can raise, and where the exception ends up can be observed."""
    RAW_REQUESTS = "raw-requests"
    """Header values that no browser sends reach the middleware byte for byte."""
    ANY_METHOD = "any-method"
    """The application can be reached with any method, not only with the usual ones: GET, HEAD,
    POST, PUT, DELETE, PATCH and OPTIONS."""
    ASGI = "asgi"
    """The middleware is an ASGI application whose messages can be watched."""
    WSGI = "wsgi"
    """The middleware is a WSGI application whose calls can be watched."""
    CONFIGURATIONS = "configurations"
    """Parameters reach the middleware as they are, those that make no sense included."""
    PATTERNS = "origin-patterns"
    """Origins can be allowed by a pattern."""
    NULL_ORIGIN = "null-origin"
    """The origin `null` can be allowed by an option."""
    PRIVATE_NETWORK = "private-network"
    """Access to a private network can be allowed by an option."""


_WATCHED: Final = MappingProxyType({Capability.ASGI: "asgi", Capability.WSGI: "wsgi"})
_REACHED: Final = MappingProxyType(
    {
        "asgi": "it is reached as an ASGI application",
        "wsgi": "it is reached as a WSGI application",
        "http": "it is reached as a server",
    }
)
_UNDECLARED: Final = MappingProxyType(
    {
        Capability.CONFIGURATIONS: "it does not declare that it takes parameters as they are given",
        Capability.PATTERNS: "it declares no pattern for origins",
        Capability.NULL_ORIGIN: "it declares no option for the origin null",
        Capability.PRIVATE_NETWORK: "it declares no option for private networks",
    }
)


@dataclass(frozen=True, slots=True, kw_only=True)
class OriginPattern:
    """A way to allow origins beyond the six parameters, by one example of it.

    Attributes:
        text: the pattern as an operator writes it.
        covers: whether the documentation has it that the pattern allows an origin.
        samples: some origins that it allows; their near misses are tried.
        wrap: builds the middleware with this pattern, and no other origins, around an application.

    """

    text: str
    covers: Callable[[str], bool]
    samples: tuple[str, ...]
    wrap: Callable[[Application], Application]


@dataclass(frozen=True, slots=True, kw_only=True)
class Option:
    """A way to allow what the six parameters have no word for.

    Attributes:
        text: the option as an operator writes it.
        wrap: builds the middleware with a policy and the option around an application.

    """

    text: str
    wrap: Callable[[Application, Policy], Application]


@dataclass(frozen=True, slots=True, kw_only=True)
class Implementation:
    """A CORS middleware under test.

    Exactly one of `wrap` and `serve` is given.

    Attributes:
        name: how people select it, e.g. `starlette`.
        interface: how it is reached: `asgi` or `wsgi` with `wrap`, `http` with `serve`.
        version: of the package under test, as it reports itself; "" where there is none.
        language: what it is written in.
        wrap: builds the middleware around an ASGI or WSGI application. Any exception it raises
            is a refusal of the policy.
        serve: starts a server for the policy; raises `ConfigurationRefused` for a refusal and
            `ServerDied` where the process does not come up.
        bare: starts the server that `serve` starts, but without the middleware, as far as that is
            possible: what the middleware adds is measured against it.
        dialect: the freedoms it documents.
        lacks: what it cannot express or show, each with the reason, which is printed.
        refuses: names, for a policy the implementation cannot express, what of it that is;
            `None` for one that it can.
        as_given: whether `wrap` or `serve` hands `policy.parameters()` to the middleware as they
            are, so that it is the middleware that sees what makes no sense in them.
        patterns: examples of how origins are allowed by a pattern, if they can be.
        null_origin: the option that allows the origin `null` as well, if there is one.
        private_network: the option that allows access to a private network, if there is one.
        selector: what was typed to select it, if that was not its name; filled in by who finds it.

    """

    name: str
    interface: Interface
    version: str = ""
    language: str = "Python"
    wrap: Callable[[Application, Policy], Application] | None = None
    serve: Callable[[Policy], Server] | None = None
    bare: Callable[[], Server] | None = None
    dialect: Dialect = Dialect()
    lacks: Mapping[Capability, str] = field(default_factory=lambda: MappingProxyType({}))
    refuses: Callable[[Policy], str | None] | None = None
    as_given: bool = False
    patterns: tuple[OriginPattern, ...] = ()
    null_origin: Option | None = None
    private_network: Option | None = None
    selector: str = ""

    def __post_init__(self) -> None:
        """Check the declaration, and add what it lacks by its interface, or undeclared.

        Raises:
            TypeError: what is declared contradicts itself, or is of another type; the message says
                what would be right.

        """
        wrong = self._wrong()
        if wrong is not None:
            message = f"{self.name}: {wrong}"
            raise TypeError(message)
        declared = {
            Capability.CONFIGURATIONS: self.as_given,
            Capability.PATTERNS: self.patterns,
            Capability.NULL_ORIGIN: self.null_origin,
            Capability.PRIVATE_NETWORK: self.private_network,
        }
        lacking = {name: why for name, why in _UNDECLARED.items() if not declared[name]}
        for name, interface in _WATCHED.items():
            if interface != self.interface:
                lacking[name] = _REACHED[self.interface]
        object.__setattr__(self, "lacks", MappingProxyType({**lacking, **self.lacks}))

    def _wrong(self) -> str | None:
        if (self.wrap is None) == (self.serve is None):
            return "give exactly one of `wrap` and `serve`"
        if self.bare is not None and self.serve is None:
            return "`bare` is for servers, which give `serve`"
        if self.interface not in get_args(Interface):
            known = ", ".join(get_args(Interface))
            return f"unknown interface {self.interface!r}; there are {known}"
        if (self.interface == "http") is not (self.serve is not None):
            return f"`serve` is for the interface 'http', `wrap` for the others: {self.interface!r}"
        unknown = [name for name in self.lacks if name not in frozenset(Capability)]
        if unknown:
            return f"unknown capability {unknown[0]!r}; there are {', '.join(Capability)}"
        options = [one for one in (self.null_origin, self.private_network) if one is not None]
        declared: tuple[tuple[str, object, type], ...] = (
            ("a Dialect", (self.dialect,), Dialect),
            ("a tuple of OriginPattern for `patterns`", self.patterns, OriginPattern),
            ("an Option for `null_origin` and `private_network`", options, Option),
        )
        for what, values, kind in declared:
            if not isinstance(values, Sequence) or not all(isinstance(one, kind) for one in values):
                return f"expected {what}, got {values!r}"
        return None

    def why_lacking(self, needs: Iterable[Capability]) -> tuple[str, ...]:
        """Return the reasons, each once, for what it lacks of what a rule needs."""
        reasons = (self.lacks[need] for need in sorted(needs) if need in self.lacks)
        return tuple(dict.fromkeys(reasons))

    def cannot_express(self, policy: Policy) -> str | None:
        """Name what of a policy the implementation cannot express; `None` for nothing."""
        return None if self.refuses is None else self.refuses(policy)
