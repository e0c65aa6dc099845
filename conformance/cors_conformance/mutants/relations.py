"""Mutants in which things hang together that should not."""

# ruff: noqa: ANN401, ARG002, D102 - a mutant overrides what its base documents, and takes it all

import re
from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any, ClassVar, Final

from cors_conformance.mutants.base import (
    METHODS,
    ORIGIN,
    PROMISES,
    VARY,
    Answer,
    ASGIApp,
    Believing,
    Chapter,
    CORSMiddleware,
    Editing,
    Header,
    Receive,
    Scope,
    Send,
    first,
    replaced,
    without,
)

RELATED: Final = Chapter()

_BLOCKED: Final = "pages that the operator listed get network errors"
_NOT_MODIFIED: Final = 304


@RELATED.add(
    "K02",
    "live-wildcard-method-credentials",
    copies="a fixed list in the place of `*`, which nobody has written down",
    consequence="some methods pass with credentials and others fail",
    dialect=replace(PROMISES, wildcard_lists_with_credentials=None),
)
class SomeMethodsWithCredentials(Editing):
    """With credentials all methods are two of them."""

    def edited(self, scope: Scope, status: int, lines: list[Header]) -> list[Header]:
        some = self.all_methods and b"access-control-allow-credentials" in dict(lines)
        return replaced(lines, METHODS, b"GET, PUT") if some else lines


@RELATED.add(
    "K23",
    "live-304",
    "st-revalidate",
    copies="a shortcut for responses without a body",
    consequence="a page loses what its browser has stored when that turns out to be up to date",
)
class NotModifiedIsForNobody(Editing):
    """A 304 names the origin `null`."""

    def edited(self, scope: Scope, status: int, lines: list[Header]) -> list[Header]:
        return replaced(lines, ORIGIN, b"null") if status == _NOT_MODIFIED else lines


@RELATED.add(
    "K01",
    "st-revalidate",
    copies="a shortcut for responses without a body",
    consequence="any site reads what its browser has stored, once that is up to date",
)
class NotModifiedIsForEverybody(Editing):
    """A 304 names whichever origin asks."""

    def edited(self, scope: Scope, status: int, lines: list[Header]) -> list[Header]:
        origin = first(scope, b"origin")
        if status != _NOT_MODIFIED or origin is None:
            return lines
        return [*without(lines, ORIGIN), (ORIGIN, origin)]


@RELATED.add(
    "K13",
    "st-both",
    copies="express cors #145, redirects",
    consequence="caches serve one origin's redirect to another, whose pages are blocked",
)
class RedirectsWithoutVary(Editing):
    """A redirect has no Vary, although it names an origin."""

    def edited(self, scope: Scope, status: int, lines: list[Header]) -> list[Header]:
        return without(lines, VARY) if status in {301, 302, 303, 307, 308} else lines


@RELATED.add(
    "K32",
    "st-policy-change",
    copies="options kept on the class",
    consequence="pages that are no longer allowed go on reading",
)
class OptionsKeptOnTheClass(CORSMiddleware):
    """The origins of the middleware that was made before are allowed, too."""

    before: ClassVar[frozenset[str]] = frozenset()

    def __init__(self, app: ASGIApp, **parameters: Any) -> None:
        super().__init__(app, **parameters)
        self.kept = type(self).before
        type(self).before = frozenset(parameters["allow_origins"])

    def share(self, origin: bytes | None, headers: Iterable[Header]) -> list[Header]:
        lines = super().share(origin, headers)
        is_kept = origin is not None and origin.decode("latin-1") in self.kept
        return [*without(lines, ORIGIN), (ORIGIN, origin or b"")] if is_kept else lines


@RELATED.add(
    "K35",
    "rob-header-name-case",
    copies="a check in lower case, and an echo of any case",
    consequence="behind a server that keeps the case of names, any site reads everything",
)
class NamesInOddCaseTrusted(Editing):
    """An origin is checked if its header is in lower case, and repeated in any case."""

    def edited(self, scope: Scope, status: int, lines: list[Header]) -> list[Header]:
        odd = [
            value
            for name, value in scope["headers"]
            if name.lower() == b"origin" and name != b"origin"
        ]
        return [*without(lines, ORIGIN), (ORIGIN, odd[0])] if odd else lines


@RELATED.add(
    "K35",
    "mm-header-order",
    copies="a buffer for so many header lines",
    consequence="whether a page gets a response depends on what else its browser sends",
)
class OnlyTheFirstLines(Believing):
    """Origin is looked for in the first eight header lines."""

    def believed(self, scope: Scope) -> Mapping[str, Any]:
        return {"headers": scope["headers"][:8]}


@RELATED.add(
    "K07",
    "mm-rename",
    copies="a pattern for ports that knows four digits",
    consequence=_BLOCKED,
)
class PortsOfFourDigits(CORSMiddleware):
    """A port of five digits is not understood."""

    def _read(self, origin: bytes) -> bytes:
        return b"" if re.search(rb":[0-9]{5}$", origin) else origin

    def answer(self, origin: bytes, method: bytes, headers: bytes) -> Answer:
        return super().answer(self._read(origin), method, headers)

    def share(self, origin: bytes | None, headers: Iterable[Header]) -> list[Header]:
        return super().share(None if origin is None else self._read(origin), headers)


@RELATED.add(
    "K36",
    "mm-path",
    copies="resources by path, in rack-cors and flask-cors",
    consequence="pages get what is at the top of the API, and nothing below",
)
class OnlyTopLevelPaths(Editing):
    """Responses to paths of several segments get no CORS headers."""

    def edited(self, scope: Scope, status: int, lines: list[Header]) -> list[Header]:
        return without(lines, ORIGIN) if scope["path"].count("/") > 1 else lines


@RELATED.add(
    "K36",
    "mm-path",
    copies="paths compared as ASCII",
    consequence="pages get errors for every resource whose name has an accent",
)
class PathsOfAsciiOnly(CORSMiddleware):
    """A path with other letters than those of ASCII is an error."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http":
            scope["path"].encode("ascii")
        await super().__call__(scope, receive, send)


@RELATED.add(
    "K11",
    "mm-double-wrap",
    copies="tower-http, axum #1103, a layer applied to a router and to its parent",
    consequence="browsers join two values to one that is no origin",
)
class InnerLinesKept(CORSMiddleware):
    """CORS headers are added to those that are there."""

    def share(self, origin: bytes | None, headers: Iterable[Header]) -> list[Header]:
        lines = list(headers)
        own = [line for line in lines if line[0] == ORIGIN]
        return [*super().share(origin, lines), *own]
