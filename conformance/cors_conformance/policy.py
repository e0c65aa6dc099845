"""Policies: what an operator asks of a CORS middleware."""

from dataclasses import dataclass, fields
from typing import Final, Literal, TypeAlias

Parameter: TypeAlias = Literal[
    "allow_origins",
    "allow_methods",
    "allow_headers",
    "allow_credentials",
    "expose_headers",
    "max_age",
]

WILDCARD: Final = "*"


@dataclass(frozen=True, slots=True, kw_only=True)
class Policy:
    """The six parameters, with the meanings and defaults of FastrAPI's `CORSMiddleware`.

    Attributes:
        allow_origins: serialized origins that are granted access; `("*",)` means all.
        allow_methods: methods that are granted; `("*",)` means all.
        allow_headers: request-header names that are granted; `("*",)` means all.
        allow_credentials: whether credentialed requests are granted.
        expose_headers: response-header names that pages may read; `("*",)` means all.
        max_age: seconds for which a browser may cache a preflight response.

    """

    allow_origins: tuple[str, ...] = ()
    allow_methods: tuple[str, ...] = ("GET", "POST", "PUT", "DELETE")
    allow_headers: tuple[str, ...] = ()
    allow_credentials: bool = False
    expose_headers: tuple[str, ...] = ()
    max_age: int = 600

    def parameters(self) -> dict[str, list[str] | bool | int]:
        """Return the keyword arguments of a `CORSMiddleware`: lists, fresh each time."""
        values = {field.name: getattr(self, field.name) for field in fields(self)}
        return {
            name: list(value) if isinstance(value, tuple) else value
            for name, value in values.items()
        }
