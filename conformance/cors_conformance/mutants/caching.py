"""Mutants whose `Vary` keeps caches from knowing what a response depends on."""

# ruff: noqa: ANN401, ARG002, D102 - a mutant overrides what its base documents, and takes it all

from collections.abc import Iterable
from typing import Any, Final

from cors_conformance.mutants.base import (
    ORIGIN,
    VARY,
    ASGIApp,
    Chapter,
    CORSMiddleware,
    Editing,
    Header,
    Scope,
    first,
    names_in,
    replaced,
    without,
)

CACHED: Final = Chapter()

_MIXED: Final = "caches serve one origin's response to another, whose pages are blocked"
_STUCK: Final = "a response stored without CORS headers keeps allowed pages out"
_LOST: Final = "caches serve one client's representation to another"


def _unvaried(lines: list[Header]) -> list[Header]:
    return [line for line in lines if line != (VARY, b"Origin")]


@CACHED.add("K13", "vary-dynamic", "st-http-cache", copies="express #105", consequence=_MIXED)
class NoVary(Editing):
    """Vary never names Origin."""

    def edited(self, scope: Scope, status: int, lines: list[Header]) -> list[Header]:
        return _unvaried(lines)


@CACHED.add("K13", "vary-dynamic", copies="Kong #3765, vert.x 26919f07e", consequence=_MIXED)
class NoVaryWithCredentials(Editing):
    """Vary does not name Origin where credentials are allowed."""

    def __init__(self, app: ASGIApp, **parameters: Any) -> None:
        super().__init__(app, **parameters)
        self.is_credentialed = parameters["allow_credentials"]

    def edited(self, scope: Scope, status: int, lines: list[Header]) -> list[Header]:
        return _unvaried(lines) if self.is_credentialed else lines


@CACHED.add("K13", "vary-dynamic", copies="wai-cors #1", consequence=_MIXED)
class VaryOnPreflightsOnly(CORSMiddleware):
    """Vary names Origin in answers to preflights only, which nobody caches."""

    def share(self, origin: bytes | None, headers: Iterable[Header]) -> list[Header]:
        return _unvaried(super().share(origin, headers))


@CACHED.add(
    "K13", "vary-dynamic", "vary-static-or-always", copies="express #331", consequence=_STUCK
)
class NoVaryForOneOrigin(Editing):
    """One allowed origin is taken for a static answer, though it is not always given."""

    def edited(self, scope: Scope, status: int, lines: list[Header]) -> list[Header]:
        return _unvaried(lines) if len(self.grants) == 1 else lines


@CACHED.add("K14", "vary-dynamic", copies="gorilla/handlers #248, SPR-16224", consequence=_STUCK)
class NoVaryForDenied(Editing):
    """Responses to denied origins do not vary."""

    def edited(self, scope: Scope, status: int, lines: list[Header]) -> list[Header]:
        is_denied = first(scope, b"origin") is not None and ORIGIN not in dict(lines)
        return _unvaried(lines) if is_denied else lines


@CACHED.add("K14", "vary-dynamic", "vary-static-or-always", copies="play #7886", consequence=_STUCK)
class NoVaryWithoutOrigin(Editing):
    """Responses to requests without Origin do not vary."""

    def edited(self, scope: Scope, status: int, lines: list[Header]) -> list[Header]:
        return _unvaried(lines) if first(scope, b"origin") is None else lines


@CACHED.add("K14", "vary-dynamic", copies="quart-cors 3fc4433", consequence=_STUCK)
class NoVaryForNull(Editing):
    """Responses to the origin `null` do not vary."""

    def edited(self, scope: Scope, status: int, lines: list[Header]) -> list[Header]:
        return _unvaried(lines) if first(scope, b"origin") == b"null" else lines


@CACHED.add(
    "K14", "vary-dynamic", "cache-shared-live", copies="SPR-16224, the 403", consequence=_STUCK
)
class NoVaryOnErrors(Editing):
    """Errors do not vary, and some of them are cached."""

    def edited(self, scope: Scope, status: int, lines: list[Header]) -> list[Header]:
        return _unvaried(lines) if status >= 400 else lines  # noqa: PLR2004 - see the RFC


@CACHED.add("K14", "vary-every-status", copies="SPR-16224, another status", consequence=_MIXED)
class NoVaryOnParts(Editing):
    """Parts of a resource do not vary, which caches keep as well."""

    def edited(self, scope: Scope, status: int, lines: list[Header]) -> list[Header]:
        return _unvaried(lines) if status == 206 else lines  # noqa: PLR2004 - see the RFC


@CACHED.add("K14", "vary-every-status", copies="SPR-16224, another method", consequence=_MIXED)
class NoVaryForHead(Editing):
    """Responses to HEAD do not vary, with which caches bring up to date what they have."""

    def edited(self, scope: Scope, status: int, lines: list[Header]) -> list[Header]:
        return _unvaried(lines) if scope["method"] == "HEAD" else lines


@CACHED.add("K14", "vary-every-status", copies="SPR-16224, a credential", consequence=_MIXED)
class NoVaryWithAuthorization(Editing):
    """Responses to requests with Authorization do not vary, some of which caches keep."""

    def edited(self, scope: Scope, status: int, lines: list[Header]) -> list[Header]:
        return lines if first(scope, b"authorization") is None else _unvaried(lines)


@CACHED.add("K14", "vary-every-status", copies="middlewares for `fetch` alone", consequence=_STUCK)
class NoVaryForImages(Editing):
    """Responses to images and to navigations do not vary."""

    def edited(self, scope: Scope, status: int, lines: list[Header]) -> list[Header]:
        mode = first(scope, b"sec-fetch-mode")
        return lines if mode in {None, b"cors"} else _unvaried(lines)


@CACHED.add("K15", "vary-merge", copies="gin-contrib/cors, gorilla, Kong #4782", consequence=_LOST)
class VaryReplaced(CORSMiddleware):
    """The middleware's Vary takes the place of the application's."""

    def share(self, origin: bytes | None, headers: Iterable[Header]) -> list[Header]:
        return super().share(origin, without(headers, VARY))


@CACHED.add("K15", "vary-merge", copies="php-cors 95bebd9", consequence=_LOST)
class SecondVaryLineLost(CORSMiddleware):
    """Of several Vary lines of the application the first one is kept."""

    def share(self, origin: bytes | None, headers: Iterable[Header]) -> list[Header]:
        lines = list(headers)
        varies = [line for line in lines if line[0] == VARY]
        return super().share(origin, without(lines, VARY) + varies[:1])


@CACHED.add(
    "K15", "vary-merge", copies="effect #7692", consequence="a cache keeps what must not be reused"
)
class VaryStarReplaced(CORSMiddleware):
    """`Vary: *` of the application is replaced by `Origin`."""

    def share(self, origin: bytes | None, headers: Iterable[Header]) -> list[Header]:
        lines = [(name, b"Origin" if name == VARY else value) for name, value in headers]
        has_star = (VARY, b"*") in list(headers)
        return super().share(origin, lines if has_star else headers)


@CACHED.add(
    "K15",
    "syn-no-ctl",
    "vary-dynamic",
    copies="hono GHSA-q7jf-gf43-6x6p",
    consequence="an attacker takes Origin out of the cache's key",
)
class VaryFromTheRequest(Editing):
    """A Vary of the request takes the place of the response's."""

    def edited(self, scope: Scope, status: int, lines: list[Header]) -> list[Header]:
        asked = first(scope, b"vary")
        return lines if asked is None else [*without(lines, VARY), (VARY, asked)]


@CACHED.add("K15", "vary-dynamic", copies="effect #7692", consequence=_MIXED)
class NoVaryBesideAnother(CORSMiddleware):
    """Where the application sets Vary, Origin is not added to it."""

    def share(self, origin: bytes | None, headers: Iterable[Header]) -> list[Header]:
        headers = list(headers)
        lines = super().share(origin, headers)
        return _unvaried(lines) if VARY in dict(headers) else lines


@CACHED.add("K15", "vary-dynamic", copies="effect #7692", consequence=_MIXED)
class VaryBySubstring(CORSMiddleware):
    """`X-Origin` in the application's Vary is taken for `Origin`."""

    def share(self, origin: bytes | None, headers: Iterable[Header]) -> list[Header]:
        headers = list(headers)
        lines = super().share(origin, headers)
        varies = b",".join(value for name, value in headers if name == VARY)
        return _unvaried(lines) if b"origin" in varies.lower() else lines


@CACHED.add("K15", "vary-dynamic", copies="stack-cors acf3142", consequence=_MIXED)
class VaryOnlyInTheFirstLine(CORSMiddleware):
    """Two lines of Vary are merged, and Origin is not among what is left."""

    def share(self, origin: bytes | None, headers: Iterable[Header]) -> list[Header]:
        headers = list(headers)
        varies = [value for name, value in headers if name == VARY]
        lines = super().share(origin, headers)
        return _unvaried(lines) if len(varies) > 1 or b"," in b"".join(varies) else lines


@CACHED.add("K16", "vary-dynamic", copies="actix-cors #369", consequence=_MIXED)
class VaryNamesTheAnswer(Editing):
    """Vary names a response header: Access-Control-Allow-Origin."""

    def edited(self, scope: Scope, status: int, lines: list[Header]) -> list[Header]:
        if (VARY, b"Origin") not in lines:
            return lines
        return [*_unvaried(lines), (VARY, b"Access-Control-Allow-Origin")]


@CACHED.add(
    "K13",
    "vary-other-inputs",
    copies="starlette, what comes with a cookie",
    consequence="a cache serves `*` to a page with credentials, which is blocked",
)
class AnswerVariesWithCookie(Editing):
    """With a cookie the origin is echoed, without one it is `*`, and Vary does not tell."""

    def edited(self, scope: Scope, status: int, lines: list[Header]) -> list[Header]:
        origin = first(scope, b"origin")
        if not self.all_origins or origin is None or first(scope, b"cookie") is None:
            return lines
        return [*replaced(lines, ORIGIN, origin), (VARY, b"Origin")]


@CACHED.add(
    "ASGI",
    "cache-app-headers",
    copies="Cache-Control set by a middleware for its own responses",
    consequence="responses are stored that the application wanted fresh",
)
class CacheControlReplaced(CORSMiddleware):
    """Responses to CORS requests may be cached for an hour, whatever the application says."""

    def share(self, origin: bytes | None, headers: Iterable[Header]) -> list[Header]:
        lines = super().share(origin, headers)
        return lines if origin is None else replaced(lines, b"cache-control", b"max-age=3600")


@CACHED.add(
    "ASGI",
    "cache-app-headers",
    copies="ETag removed together with a changed response",
    consequence="caches fetch again what they have",
)
class EtagRemoved(CORSMiddleware):
    """The application's ETag is removed from what is shared."""

    def share(self, origin: bytes | None, headers: Iterable[Header]) -> list[Header]:
        lines = super().share(origin, headers)
        return without(lines, b"etag") if ORIGIN in dict(lines) else lines


@CACHED.add("K15", "vary-merge", copies="gorilla, Header().Set", consequence=_LOST)
class VaryCutToOrigin(CORSMiddleware):
    """An application's Vary that names Origin among others is cut to it."""

    def share(self, origin: bytes | None, headers: Iterable[Header]) -> list[Header]:
        return super().share(
            origin,
            [
                (name, b"Origin" if name == VARY and b"origin" in names_in(value) else value)
                for name, value in headers
            ],
        )
