"""Mutants that share some responses and forget others, or expose the wrong headers."""

# ruff: noqa: ANN401, ARG002, D102 - a mutant overrides what its base documents, and takes it all

from collections.abc import Iterable, Mapping
from typing import Any, Final

from cors_conformance.mutants.base import (
    CREDENTIALS,
    EXPOSE,
    HEADERS,
    METHODS,
    ORIGIN,
    Answer,
    ASGIApp,
    Chapter,
    CORSMiddleware,
    Editing,
    Header,
    Message,
    Receive,
    Scope,
    Send,
    first,
    names_in,
    replaced,
    without,
)

SHARED: Final = Chapter()

_UNREADABLE: Final = "pages see a network error where the application says what is wrong"
_HIDDEN: Final = "pages cannot read the headers that the operator exposed"
_READ: Final = "pages read headers that the operator did not expose"


class _Forgetting(Editing):
    """Shares no responses of some statuses."""

    forgotten: frozenset[int]

    def edited(self, scope: Scope, status: int, lines: list[Header]) -> list[Header]:
        is_preflight = first(scope, b"access-control-request-method") is not None
        return without(lines, ORIGIN) if status in self.forgotten and not is_preflight else lines


@SHARED.add("K23", "live-error-readable", copies="litestar #1141, koa #13", consequence=_UNREADABLE)
class ErrorsForgotten(_Forgetting):
    """Errors are not shared."""

    forgotten = frozenset(range(400, 600))


@SHARED.add("K23", "live-error-readable", copies="play 7c5b485ccc", consequence=_UNREADABLE)
class ServerErrorsForgotten(_Forgetting):
    """Server errors are not shared."""

    forgotten = frozenset(range(500, 600))


@SHARED.add(
    "K23", "live-error-readable", "cred-401", copies="play 7c5b485ccc", consequence=_UNREADABLE
)
class UnauthorizedForgotten(_Forgetting):
    """A 401 is not shared, so that pages do not know to ask for a login."""

    forgotten = frozenset({401})


@SHARED.add("K23", "live-error-readable", copies="koa #17", consequence=_UNREADABLE)
class NotFoundForgotten(_Forgetting):
    """A 404 is not shared."""

    forgotten = frozenset({404})


@SHARED.add(
    "K23",
    "live-redirect",
    copies="koa #17, redirects",
    consequence="pages cannot follow a redirect to where they may read",
)
class RedirectsForgotten(_Forgetting):
    """Redirects are not shared."""

    forgotten = frozenset({301, 302, 303, 307, 308})


@SHARED.add("K23", "live-error-readable", copies="koa #17, 304", consequence=_UNREADABLE)
class NotModifiedForgotten(_Forgetting):
    """A 304 is not shared."""

    forgotten = frozenset({304})


@SHARED.add("K23", "live-simple", copies="koa #17, statuses", consequence=_UNREADABLE)
class OnlyOkay(_Forgetting):
    """Only a 200 is shared: no 201, no 204, no 206."""

    forgotten = frozenset(range(201, 300))


@SHARED.add(
    "K22",
    "live-options-actual",
    copies="go-restful #174",
    consequence="pages cannot read the answer to OPTIONS",
)
class OptionsForgotten(Editing):
    """Responses to OPTIONS requests that are no preflights are not shared."""

    def edited(self, scope: Scope, status: int, lines: list[Header]) -> list[Header]:
        is_preflight = first(scope, b"access-control-request-method") is not None
        return lines if is_preflight or scope["method"] != "OPTIONS" else without(lines, ORIGIN)


@SHARED.add(
    "K23",
    "live-simple",
    copies="routes for HEAD made from those for GET",
    consequence="pages cannot see what HEAD is for",
)
class HeadForgotten(Editing):
    """Responses to HEAD are not shared."""

    def edited(self, scope: Scope, status: int, lines: list[Header]) -> list[Header]:
        return without(lines, ORIGIN) if scope["method"] == "HEAD" else lines


@SHARED.add(
    "K17",
    "safe-acao-closed",
    "safe-origin-simple",
    copies="robyn, ALLOW_CORS",
    consequence="everybody reads everything",
)
class StaticForSeveral(Editing):
    """With two or more origins, all responses get the same headers, `*` among them."""

    def edited(self, scope: Scope, status: int, lines: list[Header]) -> list[Header]:
        if len(self.grants) <= 1:
            return lines
        return [*without(lines, ORIGIN, CREDENTIALS), (ORIGIN, b"*")]


class _Exposing(Editing):
    """Exposes other headers than the policy's."""

    def exposed(self, names: list[bytes], scope: Scope, status: int) -> bytes:
        """Return the value of Access-Control-Expose-Headers; empty for none."""
        raise NotImplementedError

    def edited(self, scope: Scope, status: int, lines: list[Header]) -> list[Header]:
        values = [value for name, value in lines if name == EXPOSE]
        value = self.exposed(names_in(b",".join(values)), scope, status)
        rest = without(lines, EXPOSE)
        return [*rest, (EXPOSE, value)] if value and ORIGIN in dict(lines) else rest


@SHARED.add("K31", "live-expose", "syn-lists", copies="tuupola #40", consequence=_HIDDEN)
class ExposedWithSemicolons(_Exposing):
    """Exposed names are joined by semicolons."""

    def exposed(self, names: list[bytes], scope: Scope, status: int) -> bytes:
        return b"; ".join(names)


@SHARED.add("K31", "live-expose", "syn-lists", copies="micronaut #1659", consequence=_HIDDEN)
class ExposedAsPrinted(_Exposing):
    """Exposed names are written as the language prints a list."""

    def exposed(self, names: list[bytes], scope: Scope, status: int) -> bytes:
        return str([name.decode() for name in names]).encode() if names else b""


@SHARED.add("K31", "syn-lists", copies="rs/cors #159", consequence="some browsers expose nothing")
class ExposedWithACommaTooMany(_Exposing):
    """The list of exposed names ends with a comma."""

    def exposed(self, names: list[bytes], scope: Scope, status: int) -> bytes:
        return b"".join(name + b", " for name in names).rstrip()


@SHARED.add("K31", "live-expose", copies="micronaut #1659", consequence=_HIDDEN)
class OnlyTheFirstExposed(_Exposing):
    """Of several exposed names only the first one is written."""

    def exposed(self, names: list[bytes], scope: Scope, status: int) -> bytes:
        return b"".join(names[:1])


@SHARED.add("K31", "live-expose", copies="go-restful, on success", consequence=_HIDDEN)
class ExposedOnSuccessOnly(_Exposing):
    """Headers are exposed in responses of status 200 to 299 only."""

    def exposed(self, names: list[bytes], scope: Scope, status: int) -> bytes:
        return b", ".join(names) if status < 300 else b""  # noqa: PLR2004 - see the RFC


@SHARED.add("K31", "live-expose", copies="go-restful, on GET", consequence=_HIDDEN)
class ExposedForGetOnly(_Exposing):
    """Headers are exposed to GET only."""

    def exposed(self, names: list[bytes], scope: Scope, status: int) -> bytes:
        return b", ".join(names) if scope["method"] == "GET" else b""


@SHARED.add("K31", "live-expose", copies="robyn, the wrong branch", consequence=_HIDDEN)
class ExposedWithoutCredentialsOnly(Editing):
    """Headers are exposed where there are no credentials only."""

    def edited(self, scope: Scope, status: int, lines: list[Header]) -> list[Header]:
        return without(lines, EXPOSE) if CREDENTIALS in dict(lines) else lines


@SHARED.add("K31", "live-expose", "safe-expose", copies="go-restful c56dd82", consequence=_HIDDEN)
class AllowedAreExposed(_Exposing):
    """Access-Control-Expose-Headers has the request headers that are allowed."""

    def exposed(self, names: list[bytes], scope: Scope, status: int) -> bytes:
        return b", ".join(sorted(self.headers - {b"*"}))


@SHARED.add("K31", "live-expose", copies="elysia, exposeHeaders", consequence=_HIDDEN)
class RequestNamesAreExposed(_Exposing):
    """Access-Control-Expose-Headers has the names of the request's headers."""

    def exposed(self, names: list[bytes], scope: Scope, status: int) -> bytes:
        return b", ".join(name for name, _ in scope["headers"])


@SHARED.add("K31", "safe-expose", copies="elysia, exposeHeaders", consequence=_READ)
class EverythingExposed(_Exposing):
    """Access-Control-Expose-Headers is `*`, whatever the policy says."""

    def exposed(self, names: list[bytes], scope: Scope, status: int) -> bytes:
        return b"*"


@SHARED.add("K31", "safe-expose", copies="elysia, the default", consequence=_READ)
class EverythingExposedByDefault(CORSMiddleware):
    """Where no headers are to be exposed, all of the application's are."""

    def share(self, origin: bytes | None, headers: Iterable[Header]) -> list[Header]:
        lines = super().share(origin, headers)
        if EXPOSE in dict(lines) or ORIGIN not in dict(lines):
            return lines
        return [*lines, (EXPOSE, b", ".join(dict.fromkeys(name for name, _ in lines)))]


@SHARED.add("K31", "live-expose", copies="express, exposed on preflights", consequence=_HIDDEN)
class ExposedOnPreflightsOnly(CORSMiddleware):
    """Access-Control-Expose-Headers is sent in answers to preflights, where it means nothing."""

    def answer(self, origin: bytes, method: bytes, headers: bytes) -> Answer:
        status, lines, body = super().answer(origin, method, headers)
        shared = self.shared.get(origin, self.shared_with_others)
        return status, lines + [line for line in shared if line[0] == EXPOSE], body

    def share(self, origin: bytes | None, headers: Iterable[Header]) -> list[Header]:
        return without(super().share(origin, headers), EXPOSE)


@SHARED.add(
    "K31",
    "syn-lists",
    copies="rs/cors #151",
    consequence="browsers fail the preflight for one element that is no token",
)
class MethodsQuoted(Editing):
    """Allowed methods are quoted."""

    def edited(self, scope: Scope, status: int, lines: list[Header]) -> list[Header]:
        value = b", ".join(b'"%s"' % name for name in dict(lines).get(METHODS, b"").split(b", "))
        return replaced(lines, METHODS, value)


@SHARED.add(
    "K31",
    "live-preflight",
    copies="tuupola, wrong separator",
    consequence="preflights for anything but the only header fail",
)
class NamesWithSpaces(Editing):
    """Allowed headers are joined by spaces."""

    def edited(self, scope: Scope, status: int, lines: list[Header]) -> list[Header]:
        value = dict(lines).get(HEADERS, b"").replace(b",", b" ")
        return replaced(lines, HEADERS, value)


@SHARED.add(
    "K34",
    "tr-no-origin",
    copies="gin-contrib/cors #60, quarkus #29542",
    consequence="tools, health checks and same-origin pages are locked out",
)
class OriginRequired(CORSMiddleware):
    """Requests without Origin are refused."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or first(scope, b"origin") is not None:
            await super().__call__(scope, receive, send)
        else:
            await send({"type": "http.response.start", "status": 403, "headers": []})
            await send({"type": "http.response.body", "body": b"Origin?"})


@SHARED.add(
    "K34",
    "live-simple",
    "tr-response",
    copies="Tomcat BZ57724",
    consequence="forms are refused whose type names a charset",
)
class CharsetRefused(CORSMiddleware):
    """A POST with parameters in its Content-Type is none that is safelisted, and is refused."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        is_post = scope["type"] == "http" and scope["method"] == "POST"
        if not is_post or b";" not in (first(scope, b"content-type") or b""):
            await super().__call__(scope, receive, send)
        else:
            await send({"type": "http.response.start", "status": 403, "headers": []})
            await send({"type": "http.response.body", "body": b"Not simple"})


@SHARED.add(
    "K34",
    "live-preflight",
    "live-credentials",
    copies="rs/cors, the method of the actual request checked",
    consequence="requests fail after their preflight has passed",
)
class ActualMethodCheckedAgain(CORSMiddleware):
    """Requests are refused if their method is not in the policy, in which `*` is just a name."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        known = {b"OPTIONS"} | self.methods
        is_http = scope["type"] == "http" and first(scope, b"origin") is not None
        if not is_http or scope["method"].encode() in known:
            await super().__call__(scope, receive, send)
        else:
            await send({"type": "http.response.start", "status": 405, "headers": []})
            await send({"type": "http.response.body", "body": b"No"})


@SHARED.add(
    "K36",
    "pf-route-independent",
    copies="flask-cors CVE-2024-6844, nelmio #186",
    consequence="what holds for one address does not for another",
)
class OnlyAtTheRoot(Editing):
    """The policy holds for the path `/` only, because the pattern for paths has an end."""

    def edited(self, scope: Scope, status: int, lines: list[Header]) -> list[Header]:
        return lines if scope["path"].count("/") <= 1 else without(lines, ORIGIN)


@SHARED.add(
    "K36",
    "pf-route-independent",
    copies="flask-cors CVE-2024-6844",
    consequence="an address with a query has no policy",
)
class NotWithAQuery(Editing):
    """The policy does not hold for addresses with a query."""

    def edited(self, scope: Scope, status: int, lines: list[Header]) -> list[Header]:
        return without(lines, ORIGIN) if scope["query_string"] else lines


@SHARED.add(
    "K40",
    "live-simple",
    copies="robyn 4083bfc",
    consequence="no page gets any response",
)
class HeadersOnTheRequest(CORSMiddleware):
    """The CORS headers are added to the request that the application sees."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http":
            lines: Mapping[bytes | None, list[Header]] = self.shared
            more = lines.get(first(scope, b"origin"), [])
            scope = {**scope, "headers": [*scope["headers"], *more]}
        await self.app(scope, receive, send)


@SHARED.add(
    "K40",
    "live-simple",
    copies="elysia 61e4966, without its return",
    consequence="no page gets any response",
)
class HeadersNotReturned(CORSMiddleware):
    """What a response is to gain is made, and then dropped."""

    def __init__(self, app: ASGIApp, **parameters: Any) -> None:
        super().__init__(app, **parameters)
        self.shared = {}
        self.shared_with_others = []


@SHARED.add(
    "K34",
    "tr-denied-actual",
    copies="gin-contrib/cors, AbortWithStatus after the handler",
    consequence="what a denied page asks for is done, and the page is told that it is not",
)
class RefusedWhenDone(CORSMiddleware):
    """A denied request is answered 403 after the application has served it."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        origin = first(scope, b"origin") if scope["type"] == "http" else None

        async def refuse(message: Message) -> None:
            if message["type"] == "http.response.start":
                message = {**message, "status": 403}
            await send(message)

        is_denied = origin is not None and not self.all_origins and origin not in self.grants
        await super().__call__(scope, receive, refuse if is_denied else send)


@SHARED.add(
    "K23",
    "live-simple",
    copies="middlewares that are for APIs",
    consequence="scripts cannot read the pages that they fetch",
)
class PagesNotShared(Editing):
    """Responses that are HTML have no CORS headers."""

    def edited(self, scope: Scope, status: int, lines: list[Header]) -> list[Header]:
        is_page = any(name == b"content-type" and b"html" in value for name, value in lines)
        return without(lines, ORIGIN) if is_page else lines
