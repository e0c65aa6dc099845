"""Implementations: the middlewares under test, and how each is built from a policy."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from types import MappingProxyType
from typing import Any, Literal, TypeAlias

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
    CONFIGURATIONS = "configurations"
    """Invalid configurations can be given, and refusing them can be told from dying of them."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Implementation:
    """A CORS middleware under test.

    Exactly one of `wrap` and `serve` is given.

    Attributes:
        name: how people select it, e.g. `starlette`.
        interface: how it is reached.
        version: of the package under test, as it reports itself; "" where there is none.
        language: what it is written in.
        wrap: builds the middleware around an ASGI or WSGI application. Any exception it raises
            is a refusal of the policy.
        serve: starts a server for the policy; raises `ConfigurationRefused` for a refusal and
            `ServerDied` where the process does not come up.
        dialect: the freedoms it documents.
        lacks: what it cannot express or show, each with the reason, which is printed.
        refuses: names, for a policy the implementation cannot express, what of it that is;
            `None` for one that it can.

    """

    name: str
    interface: Interface
    version: str = ""
    language: str = "Python"
    wrap: Callable[[Application, Policy], Application] | None = None
    serve: Callable[[Policy], Server] | None = None
    dialect: Dialect = Dialect()
    lacks: Mapping[Capability, str] = field(default_factory=lambda: MappingProxyType({}))
    refuses: Callable[[Policy], str | None] | None = None

    def __post_init__(self) -> None:
        """Check the declaration.

        Raises:
            TypeError: both or neither of `wrap` and `serve`, or an unknown capability.

        """
        if (self.wrap is None) == (self.serve is None):
            message = f"{self.name}: give exactly one of `wrap` and `serve`"
            raise TypeError(message)
        unknown = [name for name in self.lacks if name not in frozenset(Capability)]
        if unknown:
            known = ", ".join(Capability)
            message = f"{self.name}: unknown capability {unknown[0]!r}; there are {known}"
            raise TypeError(message)

    def cannot_express(self, policy: Policy) -> str | None:
        """Name what of a policy the implementation cannot express; `None` for nothing."""
        return None if self.refuses is None else self.refuses(policy)
