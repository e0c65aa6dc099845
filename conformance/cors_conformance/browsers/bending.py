"""Predicting an engine: the model with the places bent in which that engine leaves the standard.

The model itself stays as it is. A bend is a context manager that replaces one function or table
of the model for the time of a prediction, so that a deviation is stated as exactly as it can be:
whatever else the engine does otherwise is not covered by it.
"""

import contextlib
from collections.abc import Callable, Generator, Iterator, Sequence
from contextlib import AbstractContextManager
from types import ModuleType
from typing import Any, TypeAlias

from cors_conformance.browsers.observing import Seen, observe
from cors_conformance.browsers.scenario import Scenario

Bent: TypeAlias = AbstractContextManager[object]
Bend: TypeAlias = Callable[[], Bent]
Function: TypeAlias = Callable[..., Any]
"""A function of the model that is bent: of any signature."""
Fetching: TypeAlias = Generator[Any, Any, Any]
"""A generator of the model that is bent."""


@contextlib.contextmanager
def replaced(owner: ModuleType | type, name: str, value: Any) -> Iterator[None]:  # noqa: ANN401 - a function or a table
    """Put `value` in the place of an attribute until the end of the block."""
    before = getattr(owner, name)
    setattr(owner, name, value)
    try:
        yield
    finally:
        setattr(owner, name, before)


@contextlib.contextmanager
def wrapped(
    owner: ModuleType | type,
    name: str,
    wrap: Callable[[Callable[..., Any]], Callable[..., Any]],
) -> Iterator[None]:
    """Put `wrap` of a function in its place until the end of the block."""
    with replaced(owner, name, wrap(getattr(owner, name))):
        yield


def predict(
    scenario: Scenario, bends: Sequence[Bend], following: Sequence[Seen] = ()
) -> tuple[Seen, ...]:
    """Let the model do the scenario, bent in all these places; `following` as for `observe`."""
    with contextlib.ExitStack() as stack:
        for bend in bends:
            stack.enter_context(bend())
        return observe(scenario, following)
