"""Mutants that take the wrong requests for preflights, or answer them wrongly."""

# ruff: noqa: ANN401, ARG002, D102 - a mutant overrides what its base documents, and takes it all

import re
from collections.abc import Mapping
from typing import Any, Final

from cors_conformance.mutants.base import (
    HEADERS,
    MAX_AGE,
    METHODS,
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

ASKED: Final = Chapter()

_ASKS: Final = b"access-control-request-method"
_NAMES: Final = b"access-control-request-headers"
_SWALLOWED: Final = "OPTIONS requests of pages and tools never reach the application"
_BLOCKED: Final = "requests that the operator allowed fail at their preflight"
_OVERRUN: Final = "pages send what the operator did not allow"


async def _answer(send: Send, status: int = 204, lines: tuple[Header, ...] = ()) -> None:
    await send({"type": "http.response.start", "status": status, "headers": list(lines)})
    await send({"type": "http.response.body", "body": b""})


class _Swallowing(CORSMiddleware):
    """Answers requests that are no preflights."""

    def swallows(self, scope: Scope) -> bool:
        """Whether it answers this one."""
        raise NotImplementedError

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        is_preflight = scope["type"] != "http" or (
            scope["method"] == "OPTIONS" and first(scope, _ASKS) and first(scope, b"origin")
        )
        if is_preflight or not self.swallows(scope):
            await super().__call__(scope, receive, send)
        else:
            lines = self.share(first(scope, b"origin"), ())
            await _answer(send, 204, tuple(lines))


@ASKED.add(
    "K20",
    "pf-identify",
    "live-options-actual",
    copies="hono, elysia, robyn",
    consequence=_SWALLOWED,
)
class AnyOptions(_Swallowing):
    """Every OPTIONS request is answered as a preflight."""

    def swallows(self, scope: Scope) -> bool:
        return bool(scope["method"] == "OPTIONS")


@ASKED.add(
    "K20",
    "pf-identify",
    "live-options-actual",
    copies="Kong #4898, cors_plug",
    consequence=_SWALLOWED,
)
class OptionsWithOrigin(_Swallowing):
    """OPTIONS with Origin is answered as a preflight, asking for a method or not."""

    def swallows(self, scope: Scope) -> bool:
        return bool(scope["method"] == "OPTIONS" and first(scope, b"origin"))


@ASKED.add("K20", "pf-identify", copies="gorilla/handlers, the 400", consequence=_SWALLOWED)
class OptionsAskingForAMethod(_Swallowing):
    """OPTIONS with Access-Control-Request-Method is answered as a preflight without Origin too."""

    def swallows(self, scope: Scope) -> bool:
        return bool(scope["method"] == "OPTIONS" and first(scope, _ASKS))


@ASKED.add(
    "K20",
    "pf-identify",
    copies="Kong, the method not checked",
    consequence="a GET that carries a stray header gets an empty response",
)
class AnyMethodAskingForAMethod(_Swallowing):
    """Any request with Origin and Access-Control-Request-Method is answered as a preflight."""

    def swallows(self, scope: Scope) -> bool:
        return bool(first(scope, b"origin") and first(scope, _ASKS))


@ASKED.add("K20", "live-simple", copies="fiber 0248e58b5", consequence="no page gets any response")
class ResponsesNeedARequestMethod(Editing):
    """Responses are shared only with requests that carry Access-Control-Request-Method."""

    def edited(self, scope: Scope, status: int, lines: list[Header]) -> list[Header]:
        return lines if first(scope, _ASKS) else without(lines, ORIGIN)


class _Running(CORSMiddleware):
    """Runs the application during a preflight."""

    async def run(self, scope: Scope, receive: Receive, send: Send, answer: Answer) -> None:
        """Serve a preflight whose right answer is known."""
        raise NotImplementedError

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        origin = first(scope, b"origin") if scope["type"] == "http" else None
        asked = first(scope, _ASKS) if scope["type"] == "http" else None
        if origin is None or asked is None or scope["method"] != "OPTIONS":
            await super().__call__(scope, receive, send)
        else:
            answer = self.answer(origin, asked, first(scope, _NAMES) or b"")
            await self.run(scope, receive, send, answer)


@ASKED.add(
    "K21",
    "live-preflight-no-credentials",
    copies="ktor KTOR-4499, Tomcat BZ63937",
    consequence="where OPTIONS is not routed, every preflight fails",
)
class ApplicationAnswersPreflights(_Running):
    """Preflights reach the application, and only gain headers."""

    async def run(self, scope: Scope, receive: Receive, send: Send, answer: Answer) -> None:
        async def send_both(message: Message) -> None:
            if message["type"] == "http.response.start":
                message = {**message, "headers": [*message.get("headers", ()), *answer[1]]}
            await send(message)

        await self.app(scope, receive, send_both)


@ASKED.add(
    "K21",
    "pf-not-executed",
    copies="ringo/stick #37",
    consequence="whatever a page asks for is done before it is allowed",
)
class PreflightsAreExecuted(_Running):
    """A preflight is routed as the request that it asks for."""

    async def run(self, scope: Scope, receive: Receive, send: Send, answer: Answer) -> None:
        async def drop(message: Message) -> None:
            pass

        await self.app({**scope, "method": (first(scope, _ASKS) or b"").decode()}, receive, drop)
        await _answer(send, answer[0], tuple(without(answer[1], b"content-length")))


@ASKED.add(
    "K21",
    "pf-not-executed",
    copies="gorilla/handlers #112",
    consequence="whatever a denied page asks for is done all the same",
)
class DeniedPreflightsAreExecuted(_Running):
    """A denied preflight falls through, and is routed as the request that it asks for."""

    async def run(self, scope: Scope, receive: Receive, send: Send, answer: Answer) -> None:
        if answer[0] == 204:  # noqa: PLR2004 - see the RFC
            await _answer(send, 204, tuple(answer[1]))
        else:
            method = (first(scope, _ASKS) or b"").decode("latin-1")
            await self.app({**scope, "method": method}, receive, send)


@ASKED.add(
    "K21",
    "syn-asgi",
    copies="hono #792",
    consequence="two responses to one request: servers break off",
)
class AnsweredAndFallenThrough(_Running):
    """A preflight is answered, and then handed on to the application."""

    async def run(self, scope: Scope, receive: Receive, send: Send, answer: Answer) -> None:
        await _answer(send, answer[0], tuple(without(answer[1], b"content-length")))
        await self.app(scope, receive, send)


@ASKED.add(
    "K21",
    "live-preflight",
    copies="micronaut 4f2817524d, Tomcat BZ63937",
    consequence="no preflight passes: browsers send them without credentials",
)
class PreflightsNeedCredentials(_Running):
    """Preflights without a cookie or Authorization are answered 401."""

    async def run(self, scope: Scope, receive: Receive, send: Send, answer: Answer) -> None:
        knows = first(scope, b"cookie") or first(scope, b"authorization")
        await _answer(
            send, answer[0] if knows else 401, tuple(without(answer[1], b"content-length"))
        )


class _Answering(CORSMiddleware):
    """Answers preflights in another way."""

    def changed(self, status: int, lines: list[Header], method: bytes, names: bytes) -> Answer:
        """Return the answer in the place of the one that has this status and these lines."""
        raise NotImplementedError

    def answer(self, origin: bytes, method: bytes, headers: bytes) -> Answer:
        status, lines, body = super().answer(origin, method, headers)
        if status != 204:  # noqa: PLR2004 - see the RFC
            return status, lines, body
        return self.changed(status, lines, method, headers)


@ASKED.add("K39", "pf-ok-status", copies="rocket_cors #100", consequence=_BLOCKED)
class GrantedAndNotFound(_Answering):
    """A preflight that is granted keeps the 404 of the missing route."""

    def changed(self, status: int, lines: list[Header], method: bytes, names: bytes) -> Answer:
        return 404, lines, b""


@ASKED.add("K39", "pf-ok-status", copies="redirects to add a slash, to https", consequence=_BLOCKED)
class GrantedAndMoved(_Answering):
    """A preflight for PUT or DELETE is redirected."""

    def changed(self, status: int, lines: list[Header], method: bytes, names: bytes) -> Answer:
        moved = method in {b"PUT", b"DELETE"}
        return (307, [*lines, (b"location", b"/x/")], b"") if moved else (status, lines, b"")


@ASKED.add(
    "K39",
    "syn-content-length",
    copies="rocket_cors #100",
    consequence="clients take the body for the start of the next response",
)
class NoContentWithABody(_Answering):
    """A 204 has a body."""

    def changed(self, status: int, lines: list[Header], method: bytes, names: bytes) -> Answer:
        return status, lines, b"OK"


@ASKED.add(
    "K39",
    "syn-content-length",
    copies="express d3304ab, the cure",
    consequence="a proxy may refuse the response",
)
class NoContentWithALength(_Answering):
    """A 204 has a Content-Length."""

    def changed(self, status: int, lines: list[Header], method: bytes, names: bytes) -> Answer:
        return status, [*lines, (b"content-length", b"0")], b""


@ASKED.add(
    "K39",
    "syn-content-length",
    copies="rocket_cors #100",
    consequence="servers break off, and the preflight fails",
)
class LongerThanItSays(_Answering):
    """A preflight's body is longer than its Content-Length."""

    def changed(self, status: int, lines: list[Header], method: bytes, names: bytes) -> Answer:
        return 200, [*lines, (b"content-length", b"2")], b"granted"


@ASKED.add("K29", "syn-acma", copies="rs/cors #152", consequence="every request has its preflight")
class MaxAgeIsZero(_Answering):
    """Access-Control-Max-Age is 0, whatever the policy says."""

    def changed(self, status: int, lines: list[Header], method: bytes, names: bytes) -> Answer:
        return status, replaced(lines, MAX_AGE, b"0"), b""


@ASKED.add(
    "K29",
    "st-preflight-count",
    copies="express 01477dc, stack-cors #62",
    consequence="permissions that should not be cached live for five seconds",
)
class ZeroIsNoMaxAge(_Answering):
    """A max_age of 0 is taken for none, and no Access-Control-Max-Age is sent."""

    def changed(self, status: int, lines: list[Header], method: bytes, names: bytes) -> Answer:
        return status, [line for line in lines if line != (MAX_AGE, b"0")], b""


@ASKED.add(
    "K29",
    "syn-acma",
    copies="echo 4bc3e475",
    consequence="permissions that should not be cached live for minutes",
)
class ZeroIsTheDefault(_Answering):
    """A max_age of 0 is taken for none, and the default is sent."""

    def changed(self, status: int, lines: list[Header], method: bytes, names: bytes) -> Answer:
        value = dict(lines)[MAX_AGE]
        return status, replaced(lines, MAX_AGE, b"600" if value == b"0" else value), b""


@ASKED.add(
    "K29", "syn-acma", copies="jetty, seconds and milliseconds", consequence="stale permissions"
)
class MaxAgeInMilliseconds(_Answering):
    """Access-Control-Max-Age is in milliseconds."""

    def changed(self, status: int, lines: list[Header], method: bytes, names: bytes) -> Answer:
        return status, replaced(lines, MAX_AGE, dict(lines)[MAX_AGE] + b"000"), b""


@ASKED.add(
    "K29", "syn-acma", copies="floating-point settings", consequence="browsers ignore the value"
)
class MaxAgeIsAFloat(_Answering):
    """Access-Control-Max-Age is written as a floating-point number."""

    def changed(self, status: int, lines: list[Header], method: bytes, names: bytes) -> Answer:
        return status, replaced(lines, MAX_AGE, dict(lines)[MAX_AGE] + b".0"), b""


@ASKED.add("K29", "syn-acma", copies="32-bit integers", consequence="browsers ignore the value")
class MaxAgeOverflows(_Answering):
    """Access-Control-Max-Age is kept in 32 bits with a sign."""

    def changed(self, status: int, lines: list[Header], method: bytes, names: bytes) -> Answer:
        seconds = (int(dict(lines)[MAX_AGE]) + 2**31) % 2**32 - 2**31
        return status, replaced(lines, MAX_AGE, b"%d" % seconds), b""


@ASKED.add(
    "K30",
    "pf-private-network",
    copies="gin-contrib/cors, preflightHeaders",
    consequence="public sites reach private services in browsers that ask",
)
class PrivateNetworkGranted(_Running):
    """A preflight that asks for the private network is granted it."""

    async def run(self, scope: Scope, receive: Receive, send: Send, answer: Answer) -> None:
        more = [(b"access-control-allow-private-network", b"true")]
        lines = without(answer[1], b"content-length")
        if first(scope, b"access-control-request-private-network") != b"true":
            more = []
        await _answer(send, answer[0], (*lines, *more))


@ASKED.add("K30", "pf-private-network", copies="koa, privateNetworkAccess", consequence=_BLOCKED)
class PrivateNetworkRefused(_Running):
    """A preflight that asks for the private network is refused."""

    async def run(self, scope: Scope, receive: Receive, send: Send, answer: Answer) -> None:
        if first(scope, b"access-control-request-private-network"):
            answer = self.refuse("network")
        await _answer(send, answer[0], tuple(without(answer[1], b"content-length")))


class _Asking(CORSMiddleware):
    """Decides over methods and header names in another way, and lists what it decided for."""

    def takes_method(self, method: bytes) -> bool:
        """Whether it grants the method."""
        return method in self.methods or self.all_methods

    def takes_names(self, names: list[bytes]) -> bool:
        """Whether it grants the names, which are in lower case."""
        return self.headers.issuperset(names) or self.all_headers

    def answer(self, origin: bytes, method: bytes, headers: bytes) -> Answer:
        names = names_in(headers)
        if not self.takes_method(method) or not self.takes_names(names):
            return self.refuse("request")
        status, lines, body = super().answer(origin, b"GET", b"")
        if status != 204:  # noqa: PLR2004 - see the RFC
            return status, lines, body
        granted = [(METHODS, method), *([(HEADERS, b",".join(names))] if names else [])]
        return status, without(lines, METHODS, HEADERS) + granted, body


@ASKED.add(
    "K24",
    "safe-method-case",
    copies="Tomcat, methods in any case",
    consequence="`patch` reaches routes that know PATCH only, or a second set of them",
)
class MethodsInAnyCase(_Asking):
    """Methods are compared regardless of case."""

    def takes_method(self, method: bytes) -> bool:
        return method.upper() in {name.upper() for name in self.methods} or self.all_methods


@ASKED.add("K24", "live-preflight", copies="go-restful 887167b", consequence=_BLOCKED)
class MethodsInUpperCase(CORSMiddleware):
    """The policy's methods are put in upper case, so that `patch` is not what it was."""

    def __init__(self, app: ASGIApp, **parameters: Any) -> None:
        methods = [method.upper() for method in parameters["allow_methods"]]
        super().__init__(app, **{**parameters, "allow_methods": methods})


@ASKED.add("K24", "safe-method", copies="prefix match of routes", consequence=_OVERRUN)
class MethodsByPrefix(_Asking):
    """A method need only start like an allowed one."""

    def takes_method(self, method: bytes) -> bool:
        return method.startswith(tuple(self.methods)) or self.all_methods


@ASKED.add("K24", "safe-method", copies="a joined list searched", consequence=_OVERRUN)
class MethodsByPart(_Asking):
    """A method need only be a part of the joined list."""

    def takes_method(self, method: bytes) -> bool:
        return method in b", ".join(sorted(self.methods)) or self.all_methods


@ASKED.add("K24", "live-preflight", copies="Tomcat BZ57180", consequence=_BLOCKED)
class CustomMethodsRefused(_Asking):
    """Methods that are not in a list of known ones are refused, whatever the policy says."""

    def takes_method(self, method: bytes) -> bool:
        known = b"GET HEAD POST PUT DELETE OPTIONS PATCH".split()
        return super().takes_method(method) and method in known


@ASKED.add("K24", "live-wildcard-method", copies="starlette #1112", consequence=_BLOCKED)
class AllMethodsAreSeven(_Asking):
    """`*` for methods is a list of seven."""

    def takes_method(self, method: bytes) -> bool:
        return method in self.methods | {b"PUT", b"DELETE", b"OPTIONS", b"PATCH"} and (
            self.all_methods or method in self.methods
        )


@ASKED.add(
    "K24",
    "live-safelisted-method",
    "live-preflight",
    copies="starlette #1112",
    consequence=_BLOCKED,
)
class AllMethodsButHead(_Asking):
    """`*` for methods does not cover HEAD, which then may not send headers."""

    def takes_method(self, method: bytes) -> bool:
        return super().takes_method(method) and not (self.all_methods and method == b"HEAD")


@ASKED.add("K25", "safe-method", copies="sanic-ext, what is asked for echoed", consequence=_OVERRUN)
class AnyMethodEchoed(_Asking):
    """Access-Control-Allow-Methods repeats whatever is asked for."""

    def takes_method(self, method: bytes) -> bool:
        return True


@ASKED.add("K25", "safe-method", copies="django, with the default list", consequence=_OVERRUN)
class DefaultMethodsAdded(_Asking):
    """The policy's methods are added to the default ones instead of taking their place."""

    def takes_method(self, method: bytes) -> bool:
        return super().takes_method(method) or method in {b"PUT", b"DELETE"}


@ASKED.add("K25", "live-safelisted-method", copies="blacksheep, POST", consequence=_BLOCKED)
class SafelistedMethodsRefused(_Asking):
    """Preflights for GET, HEAD and POST are refused: no browser should need to ask."""

    def takes_method(self, method: bytes) -> bool:
        return super().takes_method(method) and method not in {b"GET", b"HEAD", b"POST"}


@ASKED.add(
    "K26", "live-header-case", copies="starlette #411, micronaut f38f6e6222", consequence=_BLOCKED
)
class NamesAsConfigured(CORSMiddleware):
    """Header names are compared in the case in which the policy has them."""

    def __init__(self, app: ASGIApp, **parameters: Any) -> None:
        super().__init__(app, **parameters)
        self.headers = frozenset(name.encode() for name in parameters["allow_headers"])


@ASKED.add("K26", "live-header-case", copies="quart-cors 458afde", consequence=_BLOCKED)
class NamesInTitleCase(CORSMiddleware):
    """Header names of requests are put in title case before they are looked up."""

    def __init__(self, app: ASGIApp, **parameters: Any) -> None:
        super().__init__(app, **parameters)
        names = parameters["allow_headers"]
        self.headers = frozenset(name.lower().encode() for name in names if name == name.title())


@ASKED.add("K26", "live-header-case", copies="ktor KTOR-3979", consequence=_BLOCKED)
class CapitalsLost(CORSMiddleware):
    """Names that are in upper case in the policy never match."""

    def __init__(self, app: ASGIApp, **parameters: Any) -> None:
        super().__init__(app, **parameters)
        names = parameters["allow_headers"]
        self.headers = frozenset(name.lower().encode() for name in names if not name.isupper())


@ASKED.add("K26", "live-acrh-tolerant", copies="warp #792", consequence=_BLOCKED)
class SpacesKept(CORSMiddleware):
    """White space around the names that are asked for is not removed."""

    def answer(self, origin: bytes, method: bytes, headers: bytes) -> Answer:
        if b", " in headers or b" ," in headers:
            return self.refuse("headers")
        return super().answer(origin, method, headers)


@ASKED.add("K26", "live-acrh-tolerant", copies="RFC 9110, 5.3, of proxies", consequence=_BLOCKED)
class SeveralLinesRefused(_Running):
    """Access-Control-Request-Headers in several lines is refused."""

    async def run(self, scope: Scope, receive: Receive, send: Send, answer: Answer) -> None:
        if sum(name == _NAMES for name, _ in scope["headers"]) > 1:
            answer = self.refuse("headers")
        await _answer(send, answer[0], tuple(without(answer[1], b"content-length")))


@ASKED.add("K26", "live-preflight", copies="RFC 9110, 5.6.2, tchar", consequence=_BLOCKED)
class LettersAndDashesOnly(_Asking):
    """Header names are letters, digits and dashes to it, though tokens have more."""

    def takes_names(self, names: list[bytes]) -> bool:
        return super().takes_names(names) and all(
            name.replace(b"-", b"").isalnum() for name in names
        )


@ASKED.add("K27", "live-preflight", "pf-subset", copies="jetty 302556", consequence=_BLOCKED)
class NamesRequired(_Asking):
    """A preflight that asks for no headers is refused."""

    def takes_names(self, names: list[bytes]) -> bool:
        return super().takes_names(names) and bool(names)


@ASKED.add("K27", "live-acrh-tolerant", copies="stack-cors #30, wai-cors #8", consequence=_BLOCKED)
class EmptyNamesRefused(_Running):
    """An empty Access-Control-Request-Headers is refused."""

    async def run(self, scope: Scope, receive: Receive, send: Send, answer: Answer) -> None:
        if first(scope, _NAMES) == b"":
            answer = self.refuse("headers")
        await _answer(send, answer[0], tuple(without(answer[1], b"content-length")))


@ASKED.add("K27", "live-acrh-tolerant", copies="stack-cors #30", consequence=_BLOCKED)
class EmptyElementsRefused(CORSMiddleware):
    """Empty elements of Access-Control-Request-Headers are names that nobody allowed."""

    def answer(self, origin: bytes, method: bytes, headers: bytes) -> Answer:
        if headers and b"" in [item.strip() for item in headers.split(b",")]:
            return self.refuse("headers")
        return super().answer(origin, method, headers)


@ASKED.add("K28", "live-preflight", "pf-subset", copies="ring-cors 20bb9ba", consequence=_BLOCKED)
class AllNamesNeeded(_Asking):
    """A preflight must ask for all headers of the policy."""

    def takes_names(self, names: list[bytes]) -> bool:
        return not names or self.headers == set(names) or self.all_headers


@ASKED.add("K28", "safe-header", copies="any instead of all", consequence=_OVERRUN)
class OneNameSuffices(_Asking):
    """One allowed name among those that are asked for suffices for all."""

    def takes_names(self, names: list[bytes]) -> bool:
        return not names or any(super(OneNameSuffices, self).takes_names([name]) for name in names)


@ASKED.add("K28", "safe-header", copies="only the first of a list", consequence=_OVERRUN)
class FirstNameOnly(_Asking):
    """Only the first of the names is looked up."""

    def takes_names(self, names: list[bytes]) -> bool:
        return super().takes_names(names[:1])


@ASKED.add("K28", "safe-header", copies="only the last of a list", consequence=_OVERRUN)
class LastNameOnly(_Asking):
    """Only the last of the names is looked up."""

    def takes_names(self, names: list[bytes]) -> bool:
        return super().takes_names(names[-1:])


@ASKED.add("K28", "safe-header", copies="express, allowedHeaders unset", consequence=_OVERRUN)
class NoNamesMeansAll(_Asking):
    """Where the policy allows no headers, all that are asked for are granted."""

    def takes_names(self, names: list[bytes]) -> bool:
        return super().takes_names(names) or not self.headers


@ASKED.add("K28", "safe-header", copies="prefix match, ktor KTOR-3979", consequence=_OVERRUN)
class NamesByPrefix(_Asking):
    """A name need only start like an allowed one."""

    def takes_names(self, names: list[bytes]) -> bool:
        return self.all_headers or all(name.startswith(tuple(self.headers)) for name in names)


@ASKED.add("K28", "safe-header", copies="a joined list searched", consequence=_OVERRUN)
class NamesByPart(_Asking):
    """A name need only be a part of the joined list."""

    def takes_names(self, names: list[bytes]) -> bool:
        joined = b", ".join(sorted(self.headers))
        return self.all_headers or all(name in joined for name in names)


@ASKED.add("K28", "safe-header", copies="names as CGI writes them", consequence=_OVERRUN)
class UnderscoresAreDashes(_Asking):
    """Underscores in header names are taken for dashes."""

    def takes_names(self, names: list[bytes]) -> bool:
        known = {name.replace(b"_", b"-") for name in self.headers}
        return self.all_headers or known.issuperset(name.replace(b"_", b"-") for name in names)


@ASKED.add(
    "K28",
    "safe-authorization",
    "safe-header",
    copies="a list of headers that are always allowed",
    consequence="pages send tokens to a service that should get none",
)
class AuthorizationAlwaysAllowed(_Asking):
    """Authorization is allowed without being in the policy."""

    def takes_names(self, names: list[bytes]) -> bool:
        return super().takes_names([name for name in names if name != b"authorization"])


@ASKED.add("K10", "live-preflight", "pf-decompose", copies="jub0bs/cors #15", consequence=_BLOCKED)
class TwoNamesAtMost(_Asking):
    """Preflights that ask for more than two headers are refused."""

    def takes_names(self, names: list[bytes]) -> bool:
        return super().takes_names(names) and len(names) <= 2  # noqa: PLR2004 - as it says


@ASKED.add("K10", "live-preflight", copies="jub0bs/cors #15", consequence=_BLOCKED)
class BisectedUnsorted(_Asking):
    """Names are searched by bisection in a list that is in the policy's order."""

    def takes_names(self, names: list[bytes]) -> bool:
        from bisect import bisect_left  # noqa: PLC0415 - of this mistake alone

        known = names_in(dict(self.preflight).get(HEADERS, b""))
        found = [bisect_left(known, name) for name in names]
        return self.all_headers or all(
            index < len(known) and known[index] == name
            for index, name in zip(found, names, strict=True)
        )


@ASKED.add(
    "K10",
    "live-preflight",
    "pf-decompose",
    copies="jub0bs/cors #15",
    consequence=_BLOCKED,
)
class CustomMethodWithoutNames(_Asking):
    """Methods that need permission and headers that need it do not go together."""

    def answer(self, origin: bytes, method: bytes, headers: bytes) -> Answer:
        if headers and method not in {b"GET", b"HEAD", b"POST"}:
            return self.refuse("headers")
        return super().answer(origin, method, headers)


def _refused_as_html(answer: Answer, body: bytes) -> Answer:
    status, lines, granted = answer
    if status == 204:  # noqa: PLR2004 - see the RFC
        return status, lines, granted
    html = (b"content-type", b"text/html")
    return status, [*without(lines, b"content-length", b"content-type"), html], body


@ASKED.add(
    "K37",
    "rob-acrh",
    copies="nelmio 80fc71a",
    consequence="a script in the request runs where the refusal is shown",
)
class RefusalNamesTheHeaders(CORSMiddleware):
    """A refusal repeats the names that were asked for, as HTML."""

    def answer(self, origin: bytes, method: bytes, headers: bytes) -> Answer:
        answer = super().answer(origin, method, headers)
        return _refused_as_html(answer, b"Unauthorized header " + headers)


@ASKED.add(
    "K37",
    "rob-origin-bytes",
    copies="nelmio 80fc71a, another header",
    consequence="a script in the request runs where the refusal is shown",
)
class RefusalNamesTheOrigin(CORSMiddleware):
    """A refusal repeats the origin, as HTML."""

    def answer(self, origin: bytes, method: bytes, headers: bytes) -> Answer:
        answer = super().answer(origin, method, headers)
        return _refused_as_html(answer, b"Unauthorized origin " + origin)


@ASKED.add(
    "K28",
    "safe-header",
    copies="a split that ends after so many elements",
    consequence="a page sends any header, behind others that it may send",
)
class NamesBeyondTheTenth(CORSMiddleware):
    """Of the names that are asked for, ten are looked at."""

    def answer(self, origin: bytes, method: bytes, headers: bytes) -> Answer:
        status, lines, body = super().answer(origin, method, b",".join(headers.split(b",")[:10]))
        return status, replaced(lines, HEADERS, headers), body


@ASKED.add(
    "K37",
    "rob-acrh",
    "syn-lists",
    copies="echo of Access-Control-Request-Headers as it is",
    consequence="browsers drop the whole list for one element that is no token",
)
class NamesEchoedAsTheyAre(CORSMiddleware):
    """Where all headers are allowed, what is asked for is repeated byte for byte."""

    def answer(self, origin: bytes, method: bytes, headers: bytes) -> Answer:
        status, lines, body = super().answer(origin, method, b"")
        if status == 204 and self.all_headers and headers:  # noqa: PLR2004 - see the RFC
            return status, [*lines, (HEADERS, headers)], body
        return super().answer(origin, method, headers)


@ASKED.add(
    "K37",
    "rob-acrm",
    "syn-lists",
    copies="echo of Access-Control-Request-Method as it is",
    consequence="caches and logs get what an attacker wrote",
)
class MethodEchoedAsItIs(Believing):
    """Where all methods are allowed, what is asked for is repeated byte for byte."""

    def believed(self, scope: Scope) -> Mapping[str, Any]:
        self.asked = first(scope, _ASKS) or b""
        good = [(key, b"PUT" if key == _ASKS else old) for key, old in scope["headers"]]
        return {"headers": good} if self.all_methods else {}

    def answer(self, origin: bytes, method: bytes, headers: bytes) -> Answer:
        status, lines, body = super().answer(origin, method, headers)
        return status, replaced(lines, METHODS, self.asked) if self.all_methods else lines, body


@ASKED.add(
    "K38",
    "rob-acrh",
    copies="hono CVE-2026-69207",
    consequence="one request keeps the server busy for seconds",
)
class QuadraticSplit(CORSMiddleware):
    """The list is split by an expression that tries every run of spaces from each of them."""

    def answer(self, origin: bytes, method: bytes, headers: bytes) -> Answer:
        names = re.split(rb"\s*,\s*", headers)
        return super().answer(origin, method, b",".join(names))


@ASKED.add(
    "K38",
    "rob-acrh",
    copies="go-chi/cors #36",
    consequence="small requests that cost megabytes each",
)
class ListForEveryName(CORSMiddleware):
    """Access-Control-Allow-Headers is repeated for every element that is asked for."""

    def answer(self, origin: bytes, method: bytes, headers: bytes) -> Answer:
        self.headers_limit = len(headers)
        status, lines, body = super().answer(origin, method, headers)
        again = [line for line in lines if line[0] == HEADERS] * min(headers.count(b","), 20_000)
        return status, lines + again, body


@ASKED.add(
    "K29",
    "mm-maxage-neutral",
    copies="rs/cors #152, an age that is validated too late",
    consequence=_BLOCKED,
)
class LongAgesSwitchOff(CORSMiddleware):
    """A max_age of more than ten minutes switches preflights off."""

    def answer(self, origin: bytes, method: bytes, headers: bytes) -> Answer:
        if int(dict(self.preflight)[MAX_AGE]) > 600:  # noqa: PLR2004 - ten minutes
            return self.refuse("age")
        return super().answer(origin, method, headers)


@ASKED.add(
    "K25",
    "st-preflight-cache",
    copies="robyn, static lists beside a dynamic decision",
    consequence="what a fresh browser is refused, one that has asked for something else may do",
)
class ListsMoreThanItGrants(_Answering):
    """Methods that are refused are listed all the same in the answers to other preflights."""

    def changed(self, status: int, lines: list[Header], method: bytes, names: bytes) -> Answer:
        everything = b"GET, HEAD, POST, PUT, DELETE, OPTIONS, PATCH"
        listed = everything if method in everything.split(b", ") else method
        return status, [*without(lines, METHODS), (METHODS, listed)], b""


@ASKED.add(
    "K20",
    "pf-identify",
    copies="frameworks that let a header override the method",
    consequence="what a page sends is taken for a preflight, and is never done",
)
class MethodOverridden(Believing):
    """The method is that of X-HTTP-Method-Override, if there is one."""

    def believed(self, scope: Scope) -> Mapping[str, Any]:
        method = first(scope, b"x-http-method-override")
        return {} if method is None else {"method": method.decode("latin-1")}
