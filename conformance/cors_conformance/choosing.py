"""Choosing by globs: of rules, mutants and variants, by name."""

from collections.abc import Collection, Iterable
from difflib import get_close_matches
from fnmatch import fnmatchcase


class NothingMatches(LookupError):
    """A glob that chooses nothing."""


def choose(
    names: Collection[str], globs: Iterable[str], *, kind: str, listed: str
) -> tuple[str, ...]:
    """Give the names that any of the globs matches, in their order; without globs, all.

    `kind` is what one is called, and `listed` says where all are to be seen.

    Raises:
        NothingMatches: a glob matches no name; the message names close ones, or says `listed`.

    """
    globs = tuple(globs)
    for glob in globs:
        if not any(fnmatchcase(name, glob) for name in names):
            close = get_close_matches(glob, names)
            hint = f"close: {', '.join(close)}" if close else listed
            message = f"no {kind} matches {glob!r}; {hint}"
            raise NothingMatches(message)
    return tuple(
        name for name in names if not globs or any(fnmatchcase(name, glob) for glob in globs)
    )
