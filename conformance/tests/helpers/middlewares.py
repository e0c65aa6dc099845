"""What tests of rules make wrong middlewares of: the reference, and changes of its responses."""

import asyncio
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any, TypeAlias

from cors_conformance.findings import RuleResult
from cors_conformance.implementation import Application
from cors_conformance.implementations.registry import find
from cors_conformance.policy import Policy

Message: TypeAlias = MutableMapping[str, Any]
Scope: TypeAlias = MutableMapping[str, Any]
Receive: TypeAlias = Callable[[], Awaitable[Message]]
Send: TypeAlias = Callable[[Message], Awaitable[None]]
Lines: TypeAlias = list[tuple[bytes, bytes]]
Edit: TypeAlias = Callable[[Scope, Lines], Lines]
Wrap: TypeAlias = Callable[[Application, Policy], Application]
Judge: TypeAlias = Callable[..., RuleResult]


def reference(app: Application, policy: Policy) -> Application:
    wrap = find("reference").wrap
    assert wrap is not None
    return wrap(app, policy)


def edited(edit: Edit, inner: Wrap = reference) -> Wrap:
    """The reference, with the header lines of its responses changed."""

    def wrap(app: Application, policy: Policy) -> Application:
        wrapped = inner(app, policy)

        async def outer(scope: Scope, receive: Receive, send: Send) -> None:
            async def change(message: Message) -> None:
                if message["type"] == "http.response.start":
                    lines = [(name.lower(), value) for name, value in message.get("headers", ())]
                    message = {**message, "headers": edit(scope, lines)}
                await send(message)

            await wrapped(scope, receive, change)

        return outer

    return wrap


def hanging_on_options(waits: list[Scope]) -> Wrap:
    """The reference, but no request with OPTIONS is ever answered; `waits` takes them down."""

    def wrap(app: Application, policy: Policy) -> Application:
        wrapped = reference(app, policy)

        async def hanging(scope: Scope, receive: Receive, send: Send) -> None:
            if scope["type"] == "http" and scope["method"] == "OPTIONS":
                waits.append(scope)
                await asyncio.Event().wait()
            await wrapped(scope, receive, send)

        return hanging

    return wrap
