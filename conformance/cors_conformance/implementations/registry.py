"""Which implementations there are, and how to name one's own."""

import importlib
import sys
from collections.abc import Callable
from dataclasses import dataclass, replace
from difflib import get_close_matches
from functools import reduce
from importlib.metadata import EntryPoint, entry_points
from pathlib import Path
from types import MappingProxyType
from typing import Any, Final

from cors_conformance.implementation import Implementation
from cors_conformance.implementations.adapt import HOW_TO, adapt
from cors_conformance.implementations.errors import BadImplementation, UnknownImplementation
from cors_conformance.servers.text import describe_error

GROUP: Final = "cors_conformance.implementations"
"""The entry-point group in which packages advertise implementations of their own."""

INSTALL: Final = 'pip install "cors-conformance[implementations]"'

_HERE: Final = "cors_conformance.implementations"
BUILT_IN: Final = MappingProxyType(
    {
        "reference": f"{_HERE}.reference:asgi",
        "reference-wsgi": f"{_HERE}.reference:wsgi",
        "starlette": f"{_HERE}.starlette:implementation",
        "fastapi": f"{_HERE}.fastapi:implementation",
        "fastrapi": f"{_HERE}.fastrapi:implementation",
        "none": f"{_HERE}.none:implementation",
    }
)
"""The functions that make the built-in implementations; each imports its framework."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Missing:
    """An implementation that cannot be tested here: why, and the command that changes it."""

    name: str
    reason: str
    install: str


def names() -> tuple[str, ...]:
    """Return the names that `find` knows: the built-in ones, then what packages advertise."""
    return (*BUILT_IN, *sorted(set(_advertised()) - set(BUILT_IN)))


def find(selector: str) -> Implementation:
    """Return the implementation that `selector` names.

    `selector` is a built-in name, a name advertised in the entry-point group, or
    `package.module:attribute`, where the attribute is an `Implementation`, a function without
    arguments that returns one, or a class or callable that takes an application and the six
    parameters of a policy. Modules of the current directory are found, as with `python -m`.

    Raises:
        UnknownImplementation: there is nothing of that name.
        BadImplementation: there is, but it cannot be imported or tested.

    """
    if selector in BUILT_IN:
        return _built_in(selector)
    advertised = _advertised()
    if selector in advertised:
        return _selected(selector, _load_entry_point(advertised[selector]))
    module, colon, attribute = selector.partition(":")
    if not (module and colon and attribute):
        raise UnknownImplementation(_unknown(selector))
    return _selected(selector, _load(selector, module, attribute))


def missing() -> tuple[Missing, ...]:
    """Return the built-in implementations whose packages are not installed here."""
    found = []
    for name in BUILT_IN:
        try:
            _make(name)
        except ImportError as error:
            found.append(Missing(name=name, reason=describe_error(error), install=INSTALL))
    return tuple(found)


def _make(name: str) -> Implementation:
    module, _, function = BUILT_IN[name].partition(":")
    implementation: Implementation = getattr(importlib.import_module(module), function)()
    return implementation


def _built_in(name: str) -> Implementation:
    try:
        return _make(name)
    except ImportError as error:
        message = f"{name} is not installed ({describe_error(error)}); try: {INSTALL}"
        raise BadImplementation(message) from error


def _advertised() -> dict[str, EntryPoint]:
    return {point.name: point for point in entry_points(group=GROUP)}


def _load_entry_point(point: EntryPoint) -> object:
    try:
        return point.load()
    except (Exception, SystemExit) as error:
        message = (
            f"{point.name}: its entry point {point.value!r} in the group {GROUP!r} cannot be"
            f" loaded: {describe_error(error)}"
        )
        raise BadImplementation(message) from error


def _unknown(selector: str) -> str:
    known = names()
    close = get_close_matches(selector, known, n=1)
    hint = f"; did you mean {close[0]!r}?" if close else ""
    return (
        f"there is no implementation {selector!r}{hint}\nKnown are {', '.join(known)}; one of your"
        " own is named by `package.module:Class`, with a colon."
    )


def _load(selector: str, module: str, attribute: str) -> object:
    if module.endswith(".py"):
        name = f"{Path(module).stem}:{attribute}"
        message = f"{selector}: a module is named as in an import, in its own folder: {name}"
        raise UnknownImplementation(message)
    here = str(Path.cwd())
    if here not in sys.path:
        sys.path.insert(0, here)
    try:
        loaded = importlib.import_module(module)
    except ModuleNotFoundError as error:
        if error.name is not None and (module == error.name or module.startswith(f"{error.name}.")):
            message = (
                f"{selector}: there is no module {error.name!r} in the current directory"
                f" ({here}) or among the installed packages"
            )
            raise UnknownImplementation(message) from error
        message = f"{selector}: {module} imports {error.name!r}, which is not installed"
        raise BadImplementation(message) from error
    except (Exception, SystemExit) as error:
        message = f"{selector}: importing {module} failed: {describe_error(error)}"
        raise BadImplementation(message) from error
    try:
        return reduce(getattr, attribute.split("."), loaded)
    except AttributeError as error:
        public = [name for name in vars(loaded) if not name.startswith("_")]
        alike = [name for name in public if name.lower() == attribute.lower()]
        close = alike or get_close_matches(attribute, public, n=1)
        hint = f"; did you mean {module}:{close[0]}?" if close else ""
        message = f"{selector}: the module {module} has no {attribute!r}{hint}"
        raise UnknownImplementation(message) from error


def _selected(selector: str, found: object) -> Implementation:
    """Keep the selector, by which a command finds the implementation again: names need not."""
    return replace(_implementation(selector, found), selector=selector)


def _implementation(selector: str, found: object) -> Implementation:
    if isinstance(found, Implementation):
        return found
    if not callable(found):
        message = (
            f"{selector}: it is {type(found).__name__!r} and neither an `Implementation` nor"
            f" something that builds a middleware.\n{HOW_TO}"
        )
        raise BadImplementation(message)
    if _is_thunk(found):
        return _called(selector, found)
    return adapt(selector, found)


def _is_thunk(found: Callable[..., Any]) -> bool:
    """Whether it is a function without parameters, as those of this package are."""
    code = getattr(found, "__code__", None)
    return (
        code is not None and code.co_argcount == code.co_kwonlyargcount == code.co_flags & 12 == 0
    )


def _called(selector: str, function: Callable[..., Any]) -> Implementation:
    try:
        made = function()
    except (Exception, SystemExit) as error:
        message = f"{selector}: calling it failed: {describe_error(error)}"
        raise BadImplementation(message) from error
    if not isinstance(made, Implementation):
        message = f"{selector}: it returned a {type(made).__name__!r}, not an `Implementation`"
        raise BadImplementation(message)
    return made
