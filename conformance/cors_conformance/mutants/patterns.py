"""Mutants that have patterns for origins beside the six parameters, and misread them."""

# ruff: noqa: D102 - a mutant overrides what its base documents

import re
from collections.abc import Callable
from typing import Final

from cors_conformance.implementation import Application, OriginPattern
from cors_conformance.mutants.base import Chapter, Loose

PATTERNED: Final = Chapter()

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


@PATTERNED.add(
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


@PATTERNED.add(
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
