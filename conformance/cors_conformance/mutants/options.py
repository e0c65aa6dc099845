"""Mutants that have options beside the six parameters, and misread them."""

# ruff: noqa: ARG002, D102 - a mutant overrides what its base documents, and takes it all

import re
from collections.abc import Callable
from typing import Any, Final

from cors_conformance.implementation import Application, Option, OriginPattern
from cors_conformance.mutants.base import (
    Answer,
    Chapter,
    CORSMiddleware,
    Editing,
    Header,
    Loose,
    Scope,
    first,
)
from cors_conformance.policy import Policy

OPTIONAL: Final = Chapter()

_LOOK_ALIKE: Final = "a site whose name resembles an allowed one reads what is meant for that one"
_PLACE: Final = "https://the-place-of-a-pattern.example"
"""An origin that stands for all that the pattern allows."""


def _pattern(text: str, covers: str, make: Callable[[], type[Loose]]) -> OriginPattern:
    def wrap(app: Application) -> Application:
        return make()(app, allow_origins=[_PLACE])

    return OriginPattern(
        text=text,
        covers=lambda origin: re.fullmatch(covers, origin) is not None,
        samples=("https://b.a.example", "https://www.a.example"),
        wrap=wrap,
    )


_EXPRESSION: Final = r"https://[a-z]+\.a\.example"


@OPTIONAL.add(
    "K03",
    "safe-pattern-anchored",
    copies="starlette #800, Kong #3832",
    consequence=_LOOK_ALIKE,
    patterns=(_pattern(_EXPRESSION, _EXPRESSION, lambda: PatternOpenAtItsEnd),),
)
class PatternOpenAtItsEnd(Loose):
    """A regular expression has to match at the beginning of an origin only."""

    def matches(self, origin: bytes, allowed: bytes) -> bool:
        is_place = allowed == _PLACE.encode()
        return is_place and re.match(_EXPRESSION.encode(), origin) is not None


@OPTIONAL.add(
    "K06",
    "safe-pattern-anchored",
    copies="asgi-cors, fiber 1b961aa95",
    consequence=_LOOK_ALIKE,
    patterns=(
        _pattern("https://*.a.example", r"https://.+\.a\.example", lambda: DotOfAPatternLost),
    ),
)
class DotOfAPatternLost(Loose):
    """`https://*.a.example` allows what ends in `a.example`, with or without a dot before it."""

    def matches(self, origin: bytes, allowed: bytes) -> bool:
        is_place = allowed == _PLACE.encode()
        return is_place and origin.startswith(b"https://") and origin.endswith(b"a.example")


def _null(make: Callable[[], type[CORSMiddleware]]) -> Option:
    def wrap(app: Application, policy: Policy) -> Application:
        parameters: dict[str, Any] = dict(policy.parameters())
        return make()(app, **{**parameters, "allow_origins": (*policy.allow_origins, _PLACE)})

    return Option(text="allow_null=True", wrap=wrap)


@OPTIONAL.add(
    "K08",
    "safe-null-option",
    copies="middlewares that look for null in an origin",
    consequence=_LOOK_ALIKE,
    null_origin=_null(lambda: NullAnywhere),
)
class NullAnywhere(Loose):
    """Where `null` is allowed, so is every origin with that in its name."""

    def matches(self, origin: bytes, allowed: bytes) -> bool:
        return allowed == _PLACE.encode() and b"null" in origin


@OPTIONAL.add(
    "K08",
    "live-null-option",
    copies="middlewares that look at a list for preflights, and at an option for the rest",
    consequence="sandboxed pages, which are allowed, fail at their preflights",
    null_origin=_null(lambda: NullHasNoPreflights),
)
class NullHasNoPreflights(Loose):
    """Where `null` is allowed, its preflights are not."""

    def matches(self, origin: bytes, allowed: bytes) -> bool:
        return allowed == _PLACE.encode() and origin == b"null"

    def answer(self, origin: bytes, method: bytes, headers: bytes) -> Answer:
        return CORSMiddleware.answer(self, origin, method, headers)


def _wrap_private_network(app: Application, policy: Policy) -> Application:
    parameters: dict[str, Any] = dict(policy.parameters())
    made = PrivateNetworkTitled(app, **parameters)
    made.is_allowed = True
    return made


@OPTIONAL.add(
    "K30",
    "live-private-network-option",
    copies="middlewares that write booleans of their language",
    consequence="pages of the internet cannot reach a private network that lets them",
    private_network=Option(
        text="allow_private_network=True",
        wrap=_wrap_private_network,
    ),
)
class PrivateNetworkTitled(Editing):
    """Where private networks are allowed, the header says `True`."""

    is_allowed = False

    def edited(self, scope: Scope, status: int, lines: list[Header]) -> list[Header]:
        asked = first(scope, b"access-control-request-private-network")
        if not self.is_allowed or asked is None:
            return lines
        return [*lines, (b"access-control-allow-private-network", b"True")]
