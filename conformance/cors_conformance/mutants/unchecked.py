"""Mutants that take configurations which make no sense, and do harm with them."""

# ruff: noqa: ANN401, D102 - a mutant overrides what its base documents, and takes it all

from collections.abc import Iterable
from typing import Any, Final

from cors_conformance.mutants.base import (
    METHODS,
    ORIGIN,
    ASGIApp,
    Chapter,
    CORSMiddleware,
    Header,
    Receive,
    Scope,
    Send,
    without,
)

UNCHECKED: Final = Chapter()


class _Unchecked(CORSMiddleware):
    """Checks nothing; keeps what it is given."""

    def __init__(self, app: ASGIApp, **parameters: Any) -> None:
        try:
            super().__init__(app, **parameters)
        except ValueError:
            super().__init__(app)
            self.take(**parameters)

    def take(self, **parameters: Any) -> None:
        """Take parameters that the reference refuses."""
        raise NotImplementedError


@UNCHECKED.add(
    "K40",
    "cfg-str-not-iterable",
    copies="a string where a list belongs",
    consequence="every character is an origin, and `*` in it is everybody",
)
class TextIsAList(_Unchecked):
    """A string where a list belongs is searched for the origin."""

    def take(self, **parameters: Any) -> None:
        text = parameters["allow_origins"]
        self.text = text.encode() if isinstance(text, str) else b""

    def share(self, origin: bytes | None, headers: Iterable[Header]) -> list[Header]:
        lines = super().share(origin, headers)
        text = getattr(self, "text", b"")
        return [*lines, (ORIGIN, origin)] if origin and origin in text else lines


@UNCHECKED.add(
    "K40",
    "cfg-max-age",
    copies="a negative or fractional age",
    consequence="browsers ignore the value, and ask before every request",
)
class AnyMaxAge(_Unchecked):
    """Access-Control-Max-Age is whatever max_age is."""

    def take(self, **parameters: Any) -> None:
        age = parameters.pop("max_age")
        super().__init__(self.app, **parameters)
        self.preflight = [
            *without(self.preflight, b"access-control-max-age"),
            (b"access-control-max-age", str(age).encode()),
        ]


@UNCHECKED.add(
    "K40",
    "cfg-snapshot",
    copies="jub0bs/cors #14, lists of the operator",
    consequence="who changes a list for one middleware changes all that were made with it",
)
class ListsAreNotCopied(CORSMiddleware):
    """The operator's own list of origins is consulted at every request."""

    def __init__(self, app: ASGIApp, **parameters: Any) -> None:
        super().__init__(app, **parameters)
        self.origins = parameters["allow_origins"]

    def share(self, origin: bytes | None, headers: Iterable[Header]) -> list[Header]:
        lines = super().share(origin, headers)
        known = origin is not None and origin.decode("latin-1") in self.origins
        return [*lines, (ORIGIN, origin or b"")] if known and ORIGIN not in dict(lines) else lines


@UNCHECKED.add(
    "K40",
    "cfg-bad-origin",
    copies="a slash at the end of an origin, as in rs/cors #55",
    consequence="a page of https://a.example.evil.example reads what is for https://a.example",
)
class SlashEndsAPrefix(_Unchecked):
    """An origin with a slash at its end is what allowed origins begin with."""

    def take(self, **parameters: Any) -> None:
        listed = [item for item in parameters["allow_origins"] if isinstance(item, str)]
        self.prefixes = [item.rstrip("/").encode() for item in listed if item.endswith("/")]

    def share(self, origin: bytes | None, headers: Iterable[Header]) -> list[Header]:
        lines = super().share(origin, headers)
        prefixes = tuple(getattr(self, "prefixes", ()))
        is_taken = origin is not None and bool(prefixes) and origin.startswith(prefixes)
        return [*lines, (ORIGIN, origin or b"")] if is_taken else lines


@UNCHECKED.add(
    "K40",
    "cfg-bad-token",
    copies="a list in one string, or a line break from an environment variable",
    consequence="browsers read no list, or the server cannot send the response",
)
class AnyTokens(_Unchecked):
    """What allow_methods has is sent, whatever it is."""

    def take(self, **parameters: Any) -> None:
        methods = ", ".join(parameters.pop("allow_methods")).encode("latin-1")
        super().__init__(self.app, **parameters)
        self.preflight = [*without(self.preflight, METHODS), (METHODS, methods)]


@UNCHECKED.add(
    "K40",
    "cfg-star-mixed",
    copies="gin-contrib/cors, `*` beside origins",
    consequence="pages are blocked although the operator allowed all",
)
class StarAmongNames(_Unchecked):
    """`*` beside names is a name that nobody has."""

    def take(self, **parameters: Any) -> None:
        names = {
            name: [item for item in value if item != "*"] if isinstance(value, list) else value
            for name, value in parameters.items()
        }
        super().__init__(self.app, **names)


@UNCHECKED.add(
    "K40",
    "cfg-forbidden",
    copies="a table of known header names that is consulted too late",
    consequence="every request fails for a header that no page can send anyway",
)
class ForbiddenNamesBreak(CORSMiddleware):
    """A header that no page can set is configured without an error, and requests fail."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http" and b"cookie" in self.headers:
            message = "Cookie is no header that can be allowed"
            raise LookupError(message)
        await super().__call__(scope, receive, send)
