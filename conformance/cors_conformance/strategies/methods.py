"""Methods, as pages write them and as policies list them."""

from functools import cache, lru_cache
from typing import Final

from hypothesis import strategies as st

NORMALIZED: Final = ("GET", "HEAD", "POST", "PUT", "DELETE", "OPTIONS")
"""https://fetch.spec.whatwg.org/#concept-method-normalize upper-cases these and no others."""

FORBIDDEN: Final = ("CONNECT", "TRACE", "TRACK")
"""https://fetch.spec.whatwg.org/#forbidden-method"""

COMMON: Final = ("GET", "POST", "PUT", "DELETE", "HEAD", "OPTIONS", "PATCH")
"""The methods for which every framework has routes."""

CUSTOM: Final = (
    "patch",
    "CHICKEN",
    "chicken",
    "QUERY",
    "PROPFIND",
    "M-SEARCH",
    "Patch",
    "_x",
    "!#$%&'*+-.^_`|~",
    "0",
    "PUTS",
)
"""Tokens that are compared byte for byte."""

TOKEN_CHARACTERS: Final = "ABXYZabxyz019!#$%&'*+-.^_`|~"


@cache
def methods() -> st.SearchStrategy[str]:
    """Generate tokens that a page may use: all but the forbidden ones, in the page's own spelling.

    The six that browsers normalise also come in lower case, as pages write them.
    """
    spellings = (*COMMON, *CUSTOM, *(method.lower() for method in NORMALIZED))
    # No forbidden method starts with an M.
    tokens = st.text(TOKEN_CHARACTERS, min_size=1, max_size=6).map("M".__add__)
    return st.one_of(st.sampled_from(spellings), tokens)


def normalized(method: str) -> str:
    """Return what the browser makes of a page's spelling."""
    return method.upper() if method.upper() in NORMALIZED else method


@lru_cache(maxsize=256)
def method_mutations(method: str) -> tuple[str, ...]:
    """Return methods that resemble `method` and that a browser does not take for it."""
    candidates = (
        method.lower(),
        method.title(),
        method.swapcase(),
        f"{method}X",
        f"X{method}",
        method[:-1],
        method[1:],
        f"{method}-{method}",
    )
    return tuple(
        candidate
        for candidate in dict.fromkeys(candidates)
        if candidate
        and normalized(candidate) != normalized(method)
        and candidate.upper() not in FORBIDDEN
    )


def near_miss_methods(method: str) -> st.SearchStrategy[str]:
    """Generate mutations of a method: another case, one character more or less.

    Aims at case-insensitive comparison, `patch` against `PATCH` above all, and at comparison by
    prefix or substring, as in a search of the joined list.
    """
    return st.sampled_from(method_mutations(method))
