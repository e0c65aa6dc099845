"""Mutants of the shell: what they do to messages, scopes and exceptions."""

# ruff: noqa: ARG002, D102 - a mutant overrides what its base documents, and takes it all

import asyncio
from collections.abc import Iterable, Mapping
from typing import Any, Final
from urllib.parse import urlsplit

from cors_conformance.mutants.base import (
    ORIGIN,
    VARY,
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
    without,
)

SHELL: Final = Chapter()

_LATE: Final = "pages wait for the end of a stream that should come piece by piece"


class _Sending(CORSMiddleware):
    """Sends the application's messages on in another way."""

    async def pass_on(self, message: Message, send: Send) -> None:
        """Send it."""
        raise NotImplementedError

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async def through(message: Message) -> None:
            await self.pass_on(message, send)

        await super().__call__(scope, receive, through if scope["type"] == "http" else send)


@SHELL.add("ASGI", "tr-streaming", copies="middlewares that buffer", consequence=_LATE)
class BodyBuffered(CORSMiddleware):
    """The body is sent when it is complete."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        body: list[bytes] = []

        async def buffer(message: Message) -> None:
            if message["type"] != "http.response.body":
                await send(message)
                return
            body.append(message.get("body", b""))
            if not message.get("more_body", False):
                await send({**message, "body": b"".join(body)})

        await super().__call__(scope, receive, buffer if scope["type"] == "http" else send)


@SHELL.add(
    "ASGI",
    "tr-streaming",
    copies="middlewares that know two types of messages",
    consequence="trailers, early hints and pushes are lost",
)
class ExtensionsDropped(_Sending):
    """Only the start and the body of a response are passed on."""

    async def pass_on(self, message: Message, send: Send) -> None:
        if message["type"] in {"http.response.start", "http.response.body"}:
            await send(message)


@SHELL.add(
    "ASGI",
    "tr-streaming",
    copies="middlewares that make messages anew",
    consequence="servers do not wait for trailers",
)
class StartMadeAnew(_Sending):
    """The start is made anew, of its status and headers only."""

    async def pass_on(self, message: Message, send: Send) -> None:
        if message["type"] == "http.response.start":
            kept = {"type", "status", "headers"}
            message = {key: value for key, value in message.items() if key in kept}
        await send(message)


@SHELL.add(
    "ASGI",
    "tr-streaming",
    "tr-response",
    copies="middlewares that make messages anew",
    consequence="pages get the first piece of the response only",
)
class FirstChunkIsAll(_Sending):
    """The first piece of the body is sent as the whole."""

    async def pass_on(self, message: Message, send: Send) -> None:
        is_body = message["type"] == "http.response.body"
        await send({**message, "more_body": False} if is_body else message)


@SHELL.add(
    "K33",
    "syn-asgi",
    copies="starlette #88",
    consequence="servers break off: no page gets any response",
)
class StartedTwice(_Sending):
    """The start of a response that is shared is sent twice."""

    async def pass_on(self, message: Message, send: Send) -> None:
        if message["type"] == "http.response.start" and ORIGIN in dict(message["headers"]):
            await send(message)
        await send(message)


@SHELL.add(
    "K33",
    "syn-asgi",
    copies="starlette #88, for bodies",
    consequence="servers complain, and some break off",
)
class EndedTwice(_Sending):
    """An empty end follows the end of a response."""

    async def pass_on(self, message: Message, send: Send) -> None:
        await send(message)
        if message["type"] == "http.response.body" and not message.get("more_body", False):
            await send({"type": "http.response.body", "body": b""})


@SHELL.add(
    "K33",
    "syn-asgi",
    copies="traefik 545f2feacc",
    consequence="browsers wait for the end of the preflight",
)
class PreflightWithoutAnEnd(CORSMiddleware):
    """An answer to a preflight has no body message."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        is_preflight = (
            scope["type"] == "http"
            and scope["method"] == "OPTIONS"
            and first(scope, b"access-control-request-method") is not None
        )

        async def send_start(message: Message) -> None:
            if message["type"] != "http.response.body":
                await send(message)

        await super().__call__(scope, receive, send_start if is_preflight else send)


@SHELL.add(
    "K33", "syn-asgi", copies="header names in title case", consequence="HTTP/2 servers refuse them"
)
class NamesInUpperCase(Editing):
    """The middleware's header names are in title case."""

    def edited(self, scope: Scope, status: int, lines: list[Header]) -> list[Header]:
        return [
            (name.title() if name.startswith(b"access-control") else name, value)
            for name, value in lines
        ]


@SHELL.add("K33", "syn-asgi", copies="starlette 8ad85fc7", consequence="servers break off")
class HeadersAsText(Editing):
    """The middleware's headers are text instead of bytes."""

    def edited(self, scope: Scope, status: int, lines: list[Header]) -> list[Header]:
        changed: list[Any] = [
            (name.decode(), value.decode()) if name.startswith(b"access-control") else (name, value)
            for name, value in lines
        ]
        return changed


@SHELL.add(
    "ASGI",
    "tr-request-body",
    copies="middlewares that read the body",
    consequence="the application waits for a request that was read already",
)
class BodyRead(CORSMiddleware):
    """The first message of the request is read, and not given back."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http" and scope["method"] != "OPTIONS" and first(scope, b"origin"):
            message = await receive()
            if not message.get("more_body", False):

                async def ended() -> Message:
                    return {"type": "http.request", "body": b"", "more_body": False}

                await super().__call__(scope, ended, send)
                return
        await super().__call__(scope, receive, send)


@SHELL.add(
    "ASGI",
    "tr-request-body",
    copies="middlewares that wrap receive",
    consequence="the application works on for a client that has left",
)
class DisconnectHidden(CORSMiddleware):
    """That the client has left is told as an empty end of its request."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async def hiding() -> Message:
            message = await receive()
            if message["type"] != "http.disconnect":
                return message
            return {"type": "http.request", "body": b"", "more_body": False}

        await super().__call__(scope, hiding if scope["type"] == "http" else receive, send)


@SHELL.add(
    "ASGI",
    "tr-other-scopes",
    copies="middlewares that know http only",
    consequence="WebSockets do not connect",
)
class WebSocketsRefused(CORSMiddleware):
    """WebSockets of pages that are not allowed are closed."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "websocket" and first(scope, b"origin") not in self.grants:
            await send({"type": "websocket.close", "code": 1008})
        else:
            await super().__call__(scope, receive, send)


@SHELL.add(
    "ASGI",
    "tr-other-scopes",
    copies="middlewares that know http only",
    consequence="the application never starts",
)
class LifespanSwallowed(CORSMiddleware):
    """The middleware answers the lifespan itself."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "lifespan":
            await super().__call__(scope, receive, send)
            return
        for phase in ("startup", "shutdown"):
            await receive()
            await send({"type": f"lifespan.{phase}.complete"})


@SHELL.add(
    "ASGI",
    "tr-other-scopes",
    copies="middlewares that know three types",
    consequence="new protocols do not get through",
)
class UnknownScopesRefused(CORSMiddleware):
    """Scopes of other types than the three well-known ones are an error."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] not in {"http", "websocket", "lifespan"}:
            raise NotImplementedError(scope["type"])
        await super().__call__(scope, receive, send)


@SHELL.add(
    "ASGI",
    "tr-other-scopes",
    copies="middlewares for HTTP that leave notes in the scope",
    consequence="the application never starts, and has no websockets",
)
class OnlyHttpWithNote(CORSMiddleware):
    """Scopes of other types than HTTP vanish; in those of HTTP the origin is noted."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http":
            noted = {**scope, "cors.origin": first(scope, b"origin")}
            await super().__call__(noted, receive, send)


@SHELL.add(
    "ASGI",
    "tr-http-scope",
    copies="middlewares that make scopes anew",
    consequence="applications miss what they put there when they started: pages get errors",
)
class StateLost(CORSMiddleware):
    """The application gets a scope of what HTTP knows."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http":
            scope = {key: item for key, item in scope.items() if key != "state"}
        await super().__call__(scope, receive, send)


@SHELL.add(
    "ASGI",
    "tr-response",
    "tr-no-origin",
    copies="middlewares that make responses anew",
    consequence="browsers no longer tell for themselves what it is: downloads become pages",
)
class TypeAdded(Editing):
    """A response without a type is text."""

    def edited(self, scope: Scope, status: int, lines: list[Header]) -> list[Header]:
        has_type = any(name == b"content-type" for name, _ in lines)
        return lines if has_type else [*lines, (b"content-type", b"text/plain")]


@SHELL.add(
    "K23",
    "tr-exception",
    copies="litestar #1141, play 7c5b485ccc",
    consequence="no one who logs exceptions sees them, and pages see a network error",
)
class ExceptionsAnswered(CORSMiddleware):
    """An exception of the application is turned into a 500 that is not shared."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        try:
            await super().__call__(scope, receive, send)
        except Exception:  # noqa: BLE001 - the mistake
            await send({"type": "http.response.start", "status": 500, "headers": []})
            await send({"type": "http.response.body", "body": b"Internal Server Error"})


@SHELL.add(
    "K23",
    "tr-exception",
    copies="koa c4a23d9",
    consequence="a response that broke off looks complete",
)
class ExceptionsAfterTheStartLost(CORSMiddleware):
    """An exception after the start of the response is swallowed, and the response is ended."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        started = False

        async def watched(message: Message) -> None:
            nonlocal started
            started = True
            await send(message)

        try:
            await super().__call__(scope, receive, watched if scope["type"] == "http" else send)
        except Exception:
            if not started:
                raise
            await send({"type": "http.response.body", "body": b""})


@SHELL.add(
    "K23",
    "tr-other-scopes",
    "tr-streaming",
    copies="middlewares that wrap exceptions",
    consequence="handlers for the application's own exceptions do not see them",
)
class ExceptionsReplaced(CORSMiddleware):
    """An exception of the application is replaced by one of the middleware."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        try:
            await super().__call__(scope, receive, send)
        except Exception as error:
            message = "the application failed"
            raise RuntimeError(message) from error


@SHELL.add(
    "ASGI",
    "tr-response",
    "cred-set-cookie",
    copies="headers kept in a dictionary",
    consequence="of several cookies only one is set",
)
class LinesInADictionary(CORSMiddleware):
    """Header lines are kept by name, so that of several the last one is left."""

    def share(self, origin: bytes | None, headers: Iterable[Header]) -> list[Header]:
        return super().share(origin, list(dict(headers).items()))


@SHELL.add(
    "ASGI",
    "cred-set-cookie",
    copies="headers joined by commas",
    consequence="browsers set one cookie with the text of all",
)
class CookiesJoined(CORSMiddleware):
    """Set-Cookie lines are joined by commas."""

    def share(self, origin: bytes | None, headers: Iterable[Header]) -> list[Header]:
        headers = list(headers)
        joined = b", ".join(value for name, value in headers if name == b"set-cookie")
        lines = super().share(origin, without(headers, b"set-cookie"))
        return [*lines, (b"set-cookie", joined)] if joined else lines


@SHELL.add(
    "ASGI",
    "cred-set-cookie",
    "tr-response",
    copies="cookies removed where credentials are not allowed",
    consequence="logins through pages of other origins are lost",
)
class CookiesOfDeniedRemoved(CORSMiddleware):
    """Set-Cookie is removed from responses that are not shared."""

    def share(self, origin: bytes | None, headers: Iterable[Header]) -> list[Header]:
        lines = super().share(origin, headers)
        is_denied = origin is not None and ORIGIN not in dict(lines)
        return without(lines, b"set-cookie") if is_denied else lines


@SHELL.add(
    "ASGI",
    "tr-response",
    copies="headers sorted for tidiness",
    consequence="where the order of lines counts, another one comes first",
)
class LinesReversed(CORSMiddleware):
    """The application's header lines are put in another order."""

    def share(self, origin: bytes | None, headers: Iterable[Header]) -> list[Header]:
        return super().share(origin, list(headers)[::-1])


@SHELL.add(
    "ASGI",
    "tr-response",
    copies="headers sorted for tidiness",
    consequence="where the order of lines counts, another one comes first",
)
class LinesSorted(CORSMiddleware):
    """The application's header lines are put into alphabetical order."""

    def share(self, origin: bytes | None, headers: Iterable[Header]) -> list[Header]:
        return super().share(origin, sorted(headers))


@SHELL.add(
    "ASGI",
    "tr-response",
    copies="status of empty responses corrected",
    consequence="pages see another status than the application's",
)
class NoContentIsOkay(_Sending):
    """A 204 of the application becomes a 200."""

    async def pass_on(self, message: Message, send: Send) -> None:
        if message.get("status") == 204 and VARY not in dict(message["headers"]):  # noqa: PLR2004
            message = {**message, "status": 200}
        await send(message)


@SHELL.add(
    "ASGI",
    "tr-header-iterables",
    copies="starlette 8ad85fc7",
    consequence="applications that hand over a generator get an exception",
)
class HeadersMustBeAList(CORSMiddleware):
    """The application's headers are read twice."""

    def share(self, origin: bytes | None, headers: Iterable[Header]) -> list[Header]:
        names = {name for name, _ in headers}
        lines = super().share(origin, headers)
        return lines if names.issuperset(name for name, _ in lines[:1]) or not names else []


@SHELL.add(
    "ASGI",
    "tr-header-iterables",
    copies="message['headers'] without a default",
    consequence="responses without headers end in an exception",
)
class HeadersRequired(_Sending):
    """A start without headers is an error."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async def app(scope: Scope, receive: Receive, send: Send) -> None:
            async def checked(message: Message) -> None:
                if message["type"] == "http.response.start":
                    message["headers"]
                await send(message)

            await self.app(scope, receive, checked)

        inner = CORSMiddleware.__new__(CORSMiddleware)
        inner.__dict__.update(self.__dict__, app=app)
        await inner(scope, receive, send)


@SHELL.add(
    "K33",
    "tr-no-origin",
    copies="hapi #3688",
    consequence="every request of a tool or of a same-origin page ends in an exception",
)
class OriginExpected(Believing):
    """A request without Origin is an exception."""

    def believed(self, scope: Scope) -> Mapping[str, Any]:
        dict(scope["headers"])[b"origin"]
        return {}


@SHELL.add(
    "K33",
    "pf-identify",
    copies="quart-cors 9676a6a, ring-cors 3343998",
    consequence="OPTIONS without the header of a preflight is an exception",
)
class RequestMethodExpected(Believing):
    """OPTIONS with Origin and without Access-Control-Request-Method is an exception."""

    def believed(self, scope: Scope) -> Mapping[str, Any]:
        if scope["method"] == "OPTIONS" and first(scope, b"origin"):
            dict(scope["headers"])[b"access-control-request-method"]
        return {}


@SHELL.add(
    "K33",
    "rob-origin-bytes",
    copies="quart-cors, non-ASCII values",
    consequence="anybody makes the server fail",
)
class OriginMustBeASCII(Believing):
    """An Origin that is not ASCII is an exception."""

    def believed(self, scope: Scope) -> Mapping[str, Any]:
        (first(scope, b"origin") or b"").decode("ascii")
        return {}


@SHELL.add(
    "K33",
    "rob-origin-bytes",
    copies="rocket_cors #63, a malformed Origin",
    consequence="anybody makes the server fail",
)
class OriginMustBeAURL(Believing):
    """An Origin that is no URL is an exception."""

    def believed(self, scope: Scope) -> Mapping[str, Any]:
        urlsplit((first(scope, b"origin") or b"").decode("latin-1")).port  # noqa: B018
        return {}


@SHELL.add(
    "K33",
    "pf-denied-no-5xx",
    "rob-acrh",
    copies="ring-cors 03bcfa5, odd names",
    consequence="anybody makes the server fail",
)
class NamesMustBeASCII(Believing):
    """Names in Access-Control-Request-Headers that are not ASCII are an exception."""

    def believed(self, scope: Scope) -> Mapping[str, Any]:
        (first(scope, b"access-control-request-headers") or b"").decode("ascii")
        return {}


@SHELL.add(
    "K33",
    "pf-denied-no-5xx",
    "rob-acrm",
    copies="ring-cors 03bcfa5, unknown methods",
    consequence="anybody makes the server fail",
)
class MethodMustBeKnown(Believing):
    """A method that is asked for and that nobody knows is an exception."""

    def believed(self, scope: Scope) -> Mapping[str, Any]:
        asked = first(scope, b"access-control-request-method")
        known = b"GET HEAD POST PUT DELETE OPTIONS PATCH TRACE CONNECT".split()
        if (
            asked is not None
            and asked not in known
            and asked.decode("latin-1") not in {name.decode("latin-1") for name in self.methods}
        ):
            raise ValueError(asked)
        return {}


@SHELL.add(
    "ASGI",
    "tr-request-body",
    copies="middlewares that look into the body before they decide",
    consequence="an upload that the application would refuse at once is waited for to its end",
)
class BodyAskedForFirst(CORSMiddleware):
    """The body is asked for before the application is called, and given to it afterwards."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        given: list[Message] = []
        while scope["type"] == "http" and (not given or given[-1].get("more_body", False)):
            given.append(await receive())
        left = iter(given)

        async def again() -> Message:
            return next(left, None) or await receive()

        await super().__call__(scope, again, send)


@SHELL.add(
    "K33",
    "mm-connection",
    copies="middlewares that write the client's address into a log",
    consequence="behind a socket that has no addresses every request is an error",
)
class ClientAlwaysKnown(Believing):
    """The address of the client is taken to be known."""

    def believed(self, scope: Scope) -> Mapping[str, Any]:
        return {"client": tuple(scope["client"])}


class _Leaving(CORSMiddleware):
    """Leaves some requests to the application altogether."""

    def is_left(self, scope: Scope) -> bool:
        """Whether this is one of them."""
        raise NotImplementedError

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        is_left = scope["type"] == "http" and self.is_left(scope)
        await (self.app if is_left else super().__call__)(scope, receive, send)


@SHELL.add(
    "K23",
    "mm-connection",
    copies="proxies, which ask applications over HTTP/1.0 unless they are told otherwise",
    consequence="pages are blocked where a proxy is put before the server",
)
class OldVersionsLeftOut(_Leaving):
    """Over HTTP/1.0 there are no CORS headers."""

    def is_left(self, scope: Scope) -> bool:
        return bool(scope["http_version"] == "1.0")


@SHELL.add(
    "K23",
    "mm-header-order",
    copies="middlewares that leave streams alone",
    consequence="an EventSource of another origin never opens",
)
class EventSourcesLeftOut(_Leaving):
    """Whoever asks for an event stream gets no CORS headers."""

    def is_left(self, scope: Scope) -> bool:
        return first(scope, b"accept") == b"text/event-stream"


@SHELL.add(
    "K23",
    "mm-header-order",
    copies="koa c4a23d9, another response that a framework makes by itself",
    consequence="a page whose browser has an older copy is blocked when there is a newer one",
)
class OlderCopiesLeftOut(_Leaving):
    """A request that asks for what is newer than an older copy gets no CORS headers."""

    def is_left(self, scope: Scope) -> bool:
        return first(scope, b"if-none-match") is not None


@SHELL.add(
    "ASGI",
    "tr-streaming",
    copies="starlette #1438, background tasks that are cancelled",
    consequence="what an application does after its response, such as sending a mail, is not done",
)
class BrokenOffAfterTheResponse(CORSMiddleware):
    """The application is cancelled when the end of its response is sent."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        over = asyncio.Event()

        async def until_the_end(message: Message) -> None:
            await send(message)
            is_body = message["type"] == "http.response.body"
            if is_body and not message.get("more_body", False):
                over.set()

        tasks = [
            asyncio.create_task(super().__call__(scope, receive, until_the_end)),
            asyncio.create_task(over.wait()),
        ]
        done, pending = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        for task in pending:
            task.cancel()
        for task in done:
            task.result()
