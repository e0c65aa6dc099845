"""Variants that are asked for what makes no sense, or for two things at once."""

import asyncio
from contextlib import suppress
from dataclasses import replace
from typing import Any, Final

import ada_url

from cors_conformance.fetch.abnf import is_token
from cors_conformance.implementation import Application
from cors_conformance.policy import WILDCARD, Policy
from cors_conformance.variants.base import Chapter, Receive, Scope, Send
from cors_conformance.variants.styled import plain

FORGIVING: Final = Chapter()

_DEFAULT: Final = Policy()


def _items(value: Any) -> list[str]:  # noqa: ANN401 - what an operator has written
    """Give the strings of a list, one for a string; all of them are `*` if one is."""
    listed = [value] if isinstance(value, str) else list(value or ())
    texts = [item for item in listed if isinstance(item, str)]
    return [WILDCARD] if WILDCARD in texts else texts


def _origins(value: Any) -> tuple[str, ...]:  # noqa: ANN401 - see above
    origins = []
    for text in _items(value):
        if text == WILDCARD or not text.startswith(("http", "HTTP")):
            origins.append(text)
            continue
        with suppress(ValueError):
            origins.append(ada_url.URL(text).origin)
    return tuple(origins)


def _tokens(value: Any) -> tuple[str, ...]:  # noqa: ANN401 - see above
    return tuple(item for item in _items(value) if is_token(item.encode()))


def forgiving(app: Application, policy: Policy) -> Application:
    """Serve what can be made of a configuration."""
    age: Any = policy.max_age
    is_age = isinstance(age, int) and not isinstance(age, bool) and age >= 0
    understood = replace(
        policy,
        allow_origins=_origins(policy.allow_origins),
        allow_methods=_tokens(policy.allow_methods),
        allow_headers=_tokens(policy.allow_headers),
        expose_headers=_tokens(policy.expose_headers),
        max_age=age if is_age else _DEFAULT.max_age,
    )
    return plain(app, understood)


FORGIVING.add(
    "forgiving",
    "Normalises what is misspelt in its configuration, and ignores what cannot be understood.",
    forgiving,
    as_given=True,
)


class OneAtATime:
    """A lock around everything."""

    def __init__(self, app: Application, policy: Policy) -> None:
        self.inner = plain(app, policy)
        self.lock = asyncio.Lock()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve, when it is this call's turn."""
        if scope["type"] != "http":
            await self.inner(scope, receive, send)
            return
        async with self.lock:
            await self.inner(scope, receive, send)


FORGIVING.add("one-at-a-time", "Serves requests one after the other.", OneAtATime)
