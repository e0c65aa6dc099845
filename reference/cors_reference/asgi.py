"""The shell for ASGI (https://asgi.readthedocs.io/en/latest/specs/www.html)."""

from __future__ import annotations  # An inner function has its own made at each call.

from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

from cors_reference.core import Policy

Scope = MutableMapping[str, Any]
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
ASGIApp = Callable[[Scope, Receive, Send], Awaitable[None]]


class CORSMiddleware(Policy[ASGIApp]):
    """An ASGI application, and the pages that it shares its responses with."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a preflight; leave everything else to the application."""
        app = self.app
        if scope["type"] != "http":
            await app(scope, receive, send)
            return
        origin: bytes | None = None
        for name, value in scope["headers"]:
            if name == b"origin":
                origin = value if origin is None else b""  # Two origins are none.
        if origin is not None and scope["method"] == "OPTIONS":
            method: bytes | None = None
            names = []
            for name, value in scope["headers"]:
                if name == b"access-control-request-method":
                    method = value if method is None else b""
                elif name == b"access-control-request-headers":
                    names.append(value)
            if method is not None:
                status, headers, body = self.answer(origin, method, b",".join(names))
                await send({"type": "http.response.start", "status": status, "headers": headers})
                await send({"type": "http.response.body", "body": body})
                return

        def share(message: Message) -> Awaitable[None]:
            if message["type"] == "http.response.start":
                message = {**message}
                message["headers"] = self.share(origin, message.get("headers", ()))
            return send(message)

        await app(scope, receive, share)
