"""Variants of designs of their own."""

from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from dataclasses import replace
from typing import Any, Final, TypeAlias

from cors_conformance.fetch.abnf import is_token
from cors_conformance.implementation import Application
from cors_conformance.policy import WILDCARD, Policy
from cors_conformance.variants.base import (
    WORDS,
    Chapter,
    Header,
    Message,
    Receive,
    Scope,
    Send,
    elements,
    encoded,
    refuse_everyone_with_credentials,
    value_of,
)

DESIGNED: Final = Chapter()

_ALL_METHODS: Final = ("DELETE", "GET", "HEAD", "OPTIONS", "PATCH", "POST", "PUT")
_SAFELISTED_HEADERS: Final = (b"accept", b"accept-language", b"content-language", b"content-type")
_MANY: Final = 100


class Precomputed:
    """All headers are made at construction; a request picks one of three dictionaries.

    `*` for methods is a documented list, a few request headers are always allowed, and where all
    headers are allowed what is asked for is repeated after a check.
    """

    def __init__(self, app: Application, policy: Policy) -> None:
        refuse_everyone_with_credentials(policy)
        self.app = app
        self.allows_all = WILDCARD in policy.allow_origins
        self.origins = frozenset(policy.allow_origins)
        methods = _ALL_METHODS if WILDCARD in policy.allow_methods else policy.allow_methods
        self.methods = frozenset(methods)
        self.all_headers = WILDCARD in policy.allow_headers
        names = {*_SAFELISTED_HEADERS, *(name.lower() for name in encoded(policy.allow_headers))}
        self.names = frozenset(names)
        self.simple = {b"vary": b"Origin"}
        if policy.allow_credentials:
            self.simple[b"access-control-allow-credentials"] = b"true"
        self.exposed = encoded(policy.expose_headers)
        self.is_credentialed = policy.allow_credentials
        self.preflight = {
            **self.simple,
            b"access-control-allow-methods": ", ".join(sorted(methods)).encode() or b"GET",
            b"access-control-max-age": str(policy.max_age).encode(),
        }
        if not self.all_headers:
            self.preflight[b"access-control-allow-headers"] = b", ".join(sorted(names))

    def knows(self, origin: bytes) -> bool:
        """Whether an origin is allowed."""
        return self.allows_all or origin.decode("latin-1") in self.origins

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve."""
        request: dict[bytes, bytes] = {}
        for name, value in scope.get("headers", ()) if scope["type"] == "http" else ():
            request[name] = request[name] + b", " + value if name in request else value
        origin = request.get(b"origin")
        if scope["type"] != "http":
            await self.app(scope, receive, send)
        elif scope["method"] == "OPTIONS" and {b"origin", b"access-control-request-method"} <= (
            request.keys()
        ):
            await self.answer(request, send)
        else:
            await self.app(scope, receive, self.sender(origin, send))

    async def answer(self, request: dict[bytes, bytes], send: Send) -> None:
        """Answer a preflight, and say in words what is wrong with it."""
        headers, wrong = dict(self.preflight), []
        if self.knows(request[b"origin"]):
            headers[b"access-control-allow-origin"] = request[b"origin"]
        else:
            wrong.append("origin")
        method = request[b"access-control-request-method"].decode("latin-1")
        if method not in self.methods | {"GET", "HEAD", "POST"}:
            wrong.append("method")
        names = elements(request.get(b"access-control-request-headers"))
        if self.all_headers and len(names) <= _MANY and all(map(is_token, names)):
            headers[b"access-control-allow-headers"] = b", ".join(names) or b"accept"
        elif self.all_headers or not self.names.issuperset(names):
            wrong.append("headers")
        body = f"Disallowed CORS {', '.join(wrong)}".encode() if wrong else b"OK"
        if wrong:
            headers = {**self.simple, b"content-type": b"text/plain"}
            headers.pop(b"access-control-allow-credentials", None)
        headers[b"content-length"] = b"%d" % len(body)
        start = {"type": "http.response.start", "status": 400 if wrong else 200}
        await send({**start, "headers": list(headers.items())})
        await send({"type": "http.response.body", "body": body})

    def sender(self, origin: bytes | None, send: Send) -> Send:
        """Return what puts headers on a response."""

        async def with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                lines = [tuple(line) for line in message.get("headers", ())]
                message = {**message, "headers": self.lines(origin, lines)}
            await send(message)

        return with_headers

    def lines(self, origin: bytes | None, lines: list[Header]) -> list[Header]:
        """Return the application's lines with the middleware's before them."""
        grant: dict[bytes, bytes] = {b"vary": b"Origin"}
        if origin is not None and self.knows(origin):
            grant = {**self.simple, b"access-control-allow-origin": origin}
            exposed: Iterable[bytes] = self.exposed
            if b"*" in self.exposed and self.is_credentialed:
                exposed = sorted({name for name, _ in lines} - {b"set-cookie", b"vary"})
            if value := b", ".join(exposed):
                grant[b"access-control-expose-headers"] = value
        kept = [line for line in lines if not line[0].startswith(b"access-control-")]
        return [*grant.items(), *kept]


DESIGNED.add(
    "precomputed",
    "Always allows a few headers, lists seven methods for `*`, and says what it refuses.",
    Precomputed,
    dialect=replace(
        WORDS,
        always_allowed_headers=frozenset(name.decode() for name in _SAFELISTED_HEADERS),
        wildcard_methods=frozenset(_ALL_METHODS),
    ),
)


class Strict:
    """Understands Access-Control-Request-Headers only as browsers write it: sorted and unique.

    What is allowed is a tuple of lower-case names, walked along with the request's.
    """

    def __init__(self, app: Application, policy: Policy) -> None:
        refuse_everyone_with_credentials(policy)
        self.app = app
        self.policy = policy
        self.origins = set(encoded(policy.allow_origins))
        self.methods = set(encoded(policy.allow_methods))
        self.names = sorted({name.lower() for name in encoded(policy.allow_headers)})

    def passes(self, asked: list[bytes]) -> bool:
        """Whether the lines that ask for headers ask for allowed ones, in order."""
        names = elements(b",".join(asked))
        if b",".join(asked).count(b",") > len(names) + 16:
            return False
        if self.names == [b"*"]:
            return len(names) <= _MANY and all(map(is_token, names))
        allowed = iter(self.names)
        return all(any(name == known for known in allowed) for name in names)

    def grant(self, origin: bytes) -> list[Header]:
        """Return what shares a response."""
        lines: list[Header] = [(b"access-control-allow-origin", origin)]
        if self.policy.allow_credentials:
            return [*lines, (b"access-control-allow-credentials", b"true")]
        return [(b"access-control-allow-origin", b"*")] if b"*" in self.origins else lines

    async def preflight(self, scope: Scope, send: Send, origin: bytes) -> None:
        """Answer a preflight step by step, and break off where a step fails."""
        headers = scope["headers"]
        method = value_of(headers, b"access-control-request-method") or b""
        asked = [value for name, value in headers if name == b"access-control-request-headers"]
        lines: list[Header] = [(b"vary", b"Origin")]
        status = 403
        if b"*" in self.origins or origin in self.origins:
            lines += self.grant(origin)
            is_listed = method in self.methods or method in {b"GET", b"HEAD", b"POST"}
            if is_listed or (b"*" in self.methods and is_token(method)):
                if method not in {b"GET", b"HEAD", b"POST"}:
                    lines.append((b"access-control-allow-methods", method))
                if self.passes(asked):
                    status = 204
                    names = b",".join(elements(b",".join(asked)))
                    lines += [(b"access-control-allow-headers", names)] if names else []
                    lines.append((b"access-control-max-age", b"%d" % self.policy.max_age))
        await send({"type": "http.response.start", "status": status, "headers": lines})
        await send({"type": "http.response.body"})

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve."""
        origins: list[bytes] = []
        asks = False
        if scope["type"] == "http":
            origins = [value for name, value in scope["headers"] if name == b"origin"]
            asks = any(name == b"access-control-request-method" for name, _ in scope["headers"])
        if asks and origins and scope["method"] == "OPTIONS":
            await self.preflight(scope, send, origins[0] if len(origins) == 1 else b"")
            return

        async def share(message: Message) -> None:
            if scope["type"] == "http" and message["type"] == "http.response.start":
                message = {**message, "headers": self.share(origins, message.get("headers", ()))}
            await send(message)

        await self.app(scope, receive, share)

    def share(self, origins: list[bytes], own: Iterable[Header]) -> list[Header]:
        """Return an application's lines with the middleware's after them."""
        lines = [(name, value) for name, value in own if b"access-control-" not in name]
        known = len(origins) == 1 and ({b"*", origins[0]} & self.origins)
        lines.append((b"vary", b"Origin"))
        if known:
            lines += self.grant(origins[0])
            exposed = encoded(self.policy.expose_headers)
            if b"*" in exposed and self.policy.allow_credentials:
                exposed = tuple(dict.fromkeys(name for name, _ in lines if name != b"set-cookie"))
            lines += [(b"access-control-expose-headers", name) for name in exposed]
        return lines


DESIGNED.add(
    "strict-about-browsers",
    "Refuses header names that are not sorted or not unique, as no browser sends them.",
    Strict,
)


def routed(app: Application, policy: Policy) -> Application:
    """Let preflights reach the application as OPTIONS, and answer in its place."""
    inner = Strict(app, policy)

    async def middleware(scope: Scope, receive: Receive, send: Send) -> None:
        is_options = scope["type"] == "http" and scope["method"] == "OPTIONS"
        asked = {name for name, _ in scope["headers"]} if is_options else set()
        if {b"origin", b"access-control-request-method"} <= asked:

            async def drop(_: Message) -> None:
                pass

            # What it answers, or raises, is of no interest.
            with suppress(Exception):
                await app(scope, receive, drop)
        await inner(scope, receive, send)

    return middleware


DESIGNED.add(
    "after-routing",
    "Lets the application see preflights as the OPTIONS requests that they are.",
    routed,
)


StartResponse: TypeAlias = Callable[..., Any]


class ByTable:
    """A WSGI application with a table from origins to the lines that they get."""

    def __init__(self, app: Application, policy: Policy) -> None:
        refuse_everyone_with_credentials(policy)
        self.app = app
        self.policy = policy
        self.table = {origin: self.row(origin) for origin in policy.allow_origins}

    def row(self, origin: str) -> list[tuple[str, str]]:
        """Return the lines of an origin."""
        row = [("Access-Control-Allow-Origin", origin)]
        if self.policy.allow_credentials:
            row.append(("Access-Control-Allow-Credentials", "true"))
        return row

    def __call__(self, environ: dict[str, Any], start_response: StartResponse) -> Iterable[bytes]:
        """Serve."""
        origin = environ.get("HTTP_ORIGIN")
        method = environ.get("HTTP_ACCESS_CONTROL_REQUEST_METHOD")
        row = self.table.get("*") or self.table.get(origin or "", []) if origin is not None else []
        if environ["REQUEST_METHOD"] == "OPTIONS" and origin is not None and method is not None:
            asked = environ.get("HTTP_ACCESS_CONTROL_REQUEST_HEADERS", "")
            lines = row + self.permissions(method, asked) if row else []
            start_response("200 OK", [("Vary", "Origin"), *lines])
            return [b""]

        def start(status: str, headers: list[tuple[str, str]], *error: Any) -> Any:  # noqa: ANN401 - PEP 3333
            kept = [line for line in headers if not line[0].lower().startswith("access-control-")]
            lines = [*kept, ("Vary", "Origin"), *row, *(self.exposed(kept) if row else [])]
            return start_response(status, lines, *error)

        result: Iterable[bytes] = self.app(environ, start)
        return result

    def permissions(self, method: str, asked: str) -> list[tuple[str, str]]:
        """Return the lists, in full or as far as `*` needs what is asked for; browsers compare."""
        methods, names = list(self.policy.allow_methods), list(self.policy.allow_headers)
        if WILDCARD in methods:
            methods = [method] if is_token(method.encode("latin-1")) else []
        if WILDCARD in names:
            parts = [part.decode("latin-1") for part in elements(asked.encode("latin-1"))]
            is_list = all(is_token(part.encode("latin-1")) for part in parts)
            names = parts if is_list and len(parts) <= _MANY else []
        lists = (("Methods", methods), ("Headers", names))
        return [
            *((f"Access-Control-Allow-{name}", ",".join(items)) for name, items in lists if items),
            ("Access-Control-Max-Age", str(self.policy.max_age)),
        ]

    def exposed(self, lines: list[tuple[str, str]]) -> list[tuple[str, str]]:
        """Return the line that exposes headers."""
        names = list(self.policy.expose_headers)
        if WILDCARD in names and self.policy.allow_credentials:
            names = sorted({name.lower() for name, _ in lines} - {"set-cookie"})
        return [("Access-Control-Expose-Headers", ",".join(names))] if names else []


DESIGNED.add(
    "by-table",
    "A WSGI middleware that writes names in title case and refuses nothing itself.",
    ByTable,
    interface="wsgi",
)


class ByGenerator(ByTable):
    """Hands items on by a generator, which begins when it is first asked."""

    def __call__(self, environ: dict[str, Any], start_response: StartResponse) -> Iterable[bytes]:
        """Serve."""
        items = super().__call__(environ, start_response)
        try:
            yield from items
        finally:
            close(items)


DESIGNED.add(
    "by-generator",
    "A WSGI middleware that calls the application when the server asks for the first item.",
    ByGenerator,
    interface="wsgi",
)


class FirstItemTaken(ByTable):
    """Takes the first item, and with it the start of the response, before it returns."""

    def __call__(self, environ: dict[str, Any], start_response: StartResponse) -> Iterable[bytes]:
        """Serve."""
        items = super().__call__(environ, start_response)
        left = iter(items)
        try:
            first = next(left, b"")
        except BaseException:
            close(items)
            raise
        return handed_on(items, first, left)


def handed_on(items: Iterable[bytes], first: bytes, left: Iterable[bytes]) -> Iterator[bytes]:
    """Give items one by one, and close what they come from."""
    try:
        yield first
        yield from left
    finally:
        close(items)


def close(items: Iterable[bytes]) -> None:
    """Close what can be closed."""
    if hasattr(items, "close"):
        items.close()


DESIGNED.add(
    "first-item-taken",
    "A WSGI middleware that looks at the first item of a body before it answers.",
    FirstItemTaken,
    interface="wsgi",
)
