"""Mutants that keep something of one request for the next."""

# ruff: noqa: ANN401, ARG002, D102 - a mutant overrides what its base documents, and takes it all

import asyncio
from collections.abc import Iterable, Mapping
from typing import Any, ClassVar, Final

from cors_conformance.mutants.base import (
    CREDENTIALS,
    HEADERS,
    ORIGIN,
    Answer,
    ASGIApp,
    Believing,
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

KEPT: Final = Chapter()

_MIXED: Final = "one page's answer decides over the next page's, until the server is restarted"


@KEPT.add("K32", "mm-independent", "safe-no-carryover", copies="echo #743", consequence=_MIXED)
class FirstOriginForAll(CORSMiddleware):
    """The first origin that was granted anything is what all responses name."""

    def __init__(self, app: ASGIApp, **parameters: Any) -> None:
        super().__init__(app, **parameters)
        self.kept: bytes | None = None

    def share(self, origin: bytes | None, headers: Iterable[Header]) -> list[Header]:
        if origin in self.grants and self.kept is None:
            self.kept = origin
        return super().share(self.kept or origin, headers)


@KEPT.add(
    "K32",
    "mm-independent",
    copies="starlette 7a0f89ab",
    consequence=_MIXED,
)
class CookieOriginSticks(Editing):
    """Where all are allowed, the first origin that came with a cookie is named to all after it."""

    def __init__(self, app: ASGIApp, **parameters: Any) -> None:
        super().__init__(app, **parameters)
        self.kept: bytes | None = None

    def edited(self, scope: Scope, status: int, lines: list[Header]) -> list[Header]:
        if first(scope, b"cookie") is not None and self.kept is None:
            self.kept = first(scope, b"origin")
        return replaced(lines, ORIGIN, self.kept) if self.all_origins and self.kept else lines


@KEPT.add(
    "K32",
    "mm-idempotent",
    "mm-independent",
    copies="fastify-cors #151",
    consequence="every second request of a page fails",
)
class EverySecondDenied(CORSMiddleware):
    """Every second request of an allowed origin is denied, as by a regular expression with /g."""

    def __init__(self, app: ASGIApp, **parameters: Any) -> None:
        super().__init__(app, **parameters)
        self.count = 0

    def share(self, origin: bytes | None, headers: Iterable[Header]) -> list[Header]:
        if origin in self.grants:
            self.count += 1
        return super().share(b"" if self.count % 2 == 0 else origin, headers)


@KEPT.add(
    "K32", "mm-independent", "safe-no-carryover", copies="fastify-cors #151", consequence=_MIXED
)
class DenialSticks(CORSMiddleware):
    """The request after a denied one is denied."""

    def __init__(self, app: ASGIApp, **parameters: Any) -> None:
        super().__init__(app, **parameters)
        self.was_denied = False

    def share(self, origin: bytes | None, headers: Iterable[Header]) -> list[Header]:
        lines = super().share(b"" if self.was_denied else origin, headers)
        self.was_denied = origin is not None and ORIGIN not in dict(lines) and not self.was_denied
        return lines


@KEPT.add(
    "K32",
    "mm-independent",
    copies="middy 10be22311",
    consequence="credentials are allowed from some request on",
)
class CredentialsLearned(CORSMiddleware):
    """Once the application has allowed credentials itself, all responses allow them."""

    def __init__(self, app: ASGIApp, **parameters: Any) -> None:
        super().__init__(app, **parameters)
        self.learned = False

    def share(self, origin: bytes | None, headers: Iterable[Header]) -> list[Header]:
        headers = list(headers)
        lines = super().share(origin, headers)
        if self.learned and ORIGIN in dict(lines) and CREDENTIALS not in dict(lines):
            lines.append((CREDENTIALS, b"true"))
        self.learned = self.learned or (CREDENTIALS, b"true") in headers
        return lines


@KEPT.add(
    "K32",
    "mm-independent",
    "safe-no-carryover",
    copies="jub0bs/cors #14",
    consequence="what was refused once is granted the second time",
)
class NamesLearned(CORSMiddleware):
    """Header names that were refused once are granted from then on."""

    def answer(self, origin: bytes, method: bytes, headers: bytes) -> Answer:
        status, lines, body = super().answer(origin, method, headers)
        names = names_in(headers)
        self.headers = self.headers.union(names)
        if status == 204 and names and HEADERS in dict(lines):  # noqa: PLR2004 - see the RFC
            return status, [*without(lines, HEADERS), (HEADERS, b",".join(names))], body
        return status, lines, body


@KEPT.add("K32", "mm-independent", copies="go-restful 27a59af", consequence=_MIXED)
class FirstMethodForAll(CORSMiddleware):
    """Where all methods are allowed, the answer to the first preflight is kept for all."""

    def __init__(self, app: ASGIApp, **parameters: Any) -> None:
        super().__init__(app, **parameters)
        self.kept: bytes | None = None

    def answer(self, origin: bytes, method: bytes, headers: bytes) -> Answer:
        status, lines, body = super().answer(origin, method, headers)
        name = b"access-control-allow-methods"
        if status == 204 and self.all_methods:  # noqa: PLR2004 - see the RFC
            self.kept = self.kept or dict(lines)[name]
            lines = replaced(lines, name, self.kept)
        return status, lines, body


@KEPT.add(
    "K32", "mm-independent", copies="a cache of answers by method and names", consequence=_MIXED
)
class AnswersKeptByMethod(CORSMiddleware):
    """Answers to preflights are kept by what they ask for, and not by who asks."""

    def __init__(self, app: ASGIApp, **parameters: Any) -> None:
        super().__init__(app, **parameters)
        self.kept: dict[tuple[bytes, bytes], Answer] = {}

    def answer(self, origin: bytes, method: bytes, headers: bytes) -> Answer:
        return self.kept.setdefault((method, headers), super().answer(origin, method, headers))


@KEPT.add(
    "K32",
    "rob-concurrency",
    copies="jub0bs/cors #5, a data race",
    consequence="under load a page gets what is meant for another",
)
class OriginKeptOnTheInstance(Believing):
    """The origin is kept on the middleware while the application works."""

    def believed(self, scope: Scope) -> Mapping[str, Any]:
        self.origin = first(scope, b"origin")
        return {}

    def share(self, origin: bytes | None, headers: Iterable[Header]) -> list[Header]:
        return super().share(self.origin, headers)


@KEPT.add(
    "K32",
    "tr-no-mutation",
    copies="jub0bs/cors #14",
    consequence="headers pile up from response to response",
)
class ListOfTheApplicationExtended(CORSMiddleware):
    """CORS headers are appended to the very list that the application handed over."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async def extend(message: Message) -> None:
            lines = message.get("headers")
            if isinstance(lines, list) and message["type"] == "http.response.start":
                lines[:] = self.share(first(scope, b"origin"), lines)
            await send(message)

        is_http = scope["type"] == "http"
        asks = is_http and first(scope, b"access-control-request-method") is not None
        if is_http and not asks:
            await self.app(scope, receive, extend)
        else:
            await super().__call__(scope, receive, send)


@KEPT.add(
    "K32",
    "tr-no-mutation",
    copies="jub0bs/cors #14",
    consequence="whoever is around the middleware sees another request than it was",
)
class ScopeChanged(CORSMiddleware):
    """Origin is taken out of the scope's own list of headers."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        copy = {**scope, "headers": list(scope["headers"])} if scope["type"] == "http" else scope
        if scope["type"] == "http" and scope["method"] != "OPTIONS":
            scope["headers"][:] = [line for line in scope["headers"] if line[0] != b"origin"]
        await super().__call__(copy, receive, send)


@KEPT.add(
    "K32",
    "rob-concurrency",
    copies="a lock that is not there",
    consequence="under load a page gets what is meant for another",
)
class AnswerKeptWhileWaiting(CORSMiddleware):
    """A preflight waits for a moment with its answer kept on the middleware."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async def send_late(message: Message) -> None:
            if message["type"] == "http.response.start":
                self.lines = message["headers"]
                await asyncio.sleep(0)
                message = {**message, "headers": self.lines}
            await send(message)

        await super().__call__(scope, receive, send_late)


@KEPT.add(
    "K32",
    "mm-independent",
    copies="middlewares that keep their configuration on the class",
    consequence="of two applications in one process, one has the other's policy",
)
class OnePolicyForAll(CORSMiddleware):
    """The policy of the last instance is that of all."""

    _last: ClassVar[dict[str, Any]] = {}

    def __init__(self, app: ASGIApp, **parameters: Any) -> None:
        super().__init__(app, **parameters)
        self._last.update(vars(self))

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        vars(self).update({**self._last, "app": self.app})
        await super().__call__(scope, receive, send)


@KEPT.add(
    "K32",
    "mm-independent",
    copies="caches of preflights with a key that is too short",
    consequence="what one preflight was told decides over the next one's headers",
)
class PreflightsKeptByMethod(CORSMiddleware):
    """Answers to preflights are kept by origin and method, whatever headers they were for."""

    def __init__(self, app: ASGIApp, **parameters: Any) -> None:
        super().__init__(app, **parameters)
        self.kept: dict[tuple[bytes, bytes], Answer] = {}

    def answer(self, origin: bytes, method: bytes, headers: bytes) -> Answer:
        if (origin, method) not in self.kept:
            self.kept[origin, method] = super().answer(origin, method, headers)
        return self.kept[origin, method]


@KEPT.add(
    "K32",
    "mm-independent",
    copies="tables of decisions that are full",
    consequence="when enough strangers have asked, pages that come then are blocked",
)
class TableOfDecisionsFull(CORSMiddleware):
    """Decisions are kept in a table, and whom it has no room for is denied."""

    def __init__(self, app: ASGIApp, **parameters: Any) -> None:
        super().__init__(app, **parameters)
        self.kept: set[bytes] = set()

    def share(self, origin: bytes | None, headers: Iterable[Header]) -> list[Header]:
        if origin is not None and len(self.kept) < 256:  # noqa: PLR2004 - its size
            self.kept.add(origin)
        return super().share(origin if origin in self.kept else b"", headers)
