"""The draws that everything which depends on a policy is made of."""

from collections.abc import Sequence
from functools import cache
from typing import Final, TypeVar

from hypothesis import strategies as st

_T = TypeVar("_T")

_DIGIT: Final = 100
"""Hypothesis mixes the constants of the modules around it into draws of more than a hundred values:
what is drawn would depend on how the project is installed, and on what else was imported."""
_FEW: Final = 10
"""So few options are chosen with one digit, so that the remainder is close to uniform."""

_USUALLY: Final = 6
"""A slot with few options is left out about as rarely as one with this many."""


@cache
def _digits(ordinal: int, place: int) -> st.SearchStrategy[int]:
    # A different range for each: what Hypothesis labels a draw by.
    start = _DIGIT * (2 * ordinal + place)
    return st.sampled_from(range(start, start + _DIGIT))


class Choices:
    """Choices among options that are only known while an example is drawn.

    As `draw(sampled_from(options))`, but

    - at a third of the price: a strategy made for one example is validated and labelled for it,
      and a batch makes some forty choices;
    - with a label for each choice of an example. Hypothesis follows an example with some in which
      one part is copied over another of the same label. Of sixty examples fifty would be such
      copies, most of them with the policy of the example before.
    """

    __slots__ = ("_draw", "_ordinal")

    def __init__(self, draw: st.DrawFn, *, start: int = 0) -> None:
        """Choose with `draw`; strategies of one example start at distant ordinals."""
        self._draw = draw
        self._ordinal = start

    def one(self, options: Sequence[_T]) -> _T:
        """Return one of `options`, the first one being the simplest."""
        self._ordinal += 1
        number = self._digit(0)
        if len(options) > _FEW:
            number = number * _DIGIT + self._digit(1)
        return options[number % len(options)]

    def _digit(self, place: int) -> int:
        return self._draw(_digits(self._ordinal, place)) % _DIGIT

    def token(self, prefix: str, characters: str) -> str:
        """Return a token of `prefix` and one to four of `characters`."""
        rest = (self.one(("", *characters)) for _ in range(3))
        return "".join((prefix, self.one(characters), *rest))

    def pool(self, *slots: tuple[_T | None, ...], otherwise: tuple[_T, ...]) -> tuple[_T, ...]:
        """Return at most one value of each slot, equal values once.

        Each slot is left out at times, the more often the more `None` it has, and shrinks to
        that; where all slots are left out the pool is what stands in `otherwise`.
        """
        chosen = (self.one((None, *slot * (1 + _USUALLY // (1 + len(slot))))) for slot in slots)
        return tuple(dict.fromkeys(value for value in chosen if value is not None)) or otherwise
