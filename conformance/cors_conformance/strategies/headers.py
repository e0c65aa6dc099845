"""Request headers that pages set."""

from functools import cache, lru_cache
from typing import Final

from hypothesis import strategies as st

from cors_conformance.fetch.http import HeaderLine, HeaderLines

AUTHORIZATION: Final = (b"Authorization", b"Basic dXNlcjpwYXNz")

COMMON: Final = (
    "X-A",
    "Content-Type",
    "Authorization",
    "X-B",
    "X-Requested-With",
    # The first one is a prefix of these.
    "X-AB",
    "X-A-B",
    "x-lower",
    "X-UPPER",
    "x-CSRF-token",
    "Range",
    "Accept-Language",
    "traceparent",
    "Last-Event-ID",
    "A",
    "1",
    "X_Under_Score",
    "x!#$%&'*+-.^`|~",
    "Access-Control-Allow-Origin",
    "Origin-Trial",
    "Authorization-Token",
    "X-Authorization",
)
"""Names of all sorts, none of them forbidden, simplest first."""

TOKEN_CHARACTERS: Final = "abxyzABXYZ019-_.!#$%&'*+^`|~"

_VALUES: Final = {
    "accept-language": b"en_US",
    "authorization": AUTHORIZATION[1],
    "content-type": b"application/json",
    "range": b"bytes=-5",
}
"""Values with which the browser asks for the name, where a plain one would be safelisted."""

_APPENDED: Final = ((b"Accept", b"a" * 128),) * 8
"""Two limits at once: eight values of 128 bytes are the 1024 that need no permission.

Unique names cannot get there. `headers.append` can: it adds to the header list one by one.
"""


@cache
def header_names() -> st.SearchStrategy[str]:
    """Generate names that a page can set, in any case; never forbidden ones."""
    # No forbidden name starts with `x-`, but for method overrides, which depend on the value.
    tokens = st.text(TOKEN_CHARACTERS, min_size=1, max_size=8).map("X-".__add__)
    return st.one_of(st.sampled_from(COMMON), tokens)


def unsafe_header(name: str) -> HeaderLine:
    """Return a line with this name for which the browser asks the server."""
    return name.encode("ascii"), _VALUES.get(name.lower(), b"1")


@lru_cache(maxsize=256)
def name_mutations(name: str) -> tuple[str, ...]:
    """Return header names that resemble `name` and are not it in another case."""
    near = (f"{name}-x", f"x-{name}", f"{name}x", name[:-1] or "x", f"{name.partition('-')[0]}-")
    # As CGI spells them, and whoever cannot tell the two spellings apart; as a pattern reads them.
    respelt = (name.replace("-", "_"), name.replace("_", "-"), name.replace(".", "x"))
    return (*near, *(other for other in respelt if other != name))


@cache
def safelist_limits() -> tuple[HeaderLines, ...]:
    """Return header sets on both sides of every limit of the safelist.

    https://fetch.spec.whatwg.org/#cors-safelisted-request-header
    """
    media_type = b"text/plain;x="
    singles: tuple[HeaderLine, ...] = (
        (b"Accept", b"a" * 127),
        (b"Accept", b"a" * 128),
        (b"Accept", b"a" * 129),
        (b"Accept", b"*/*;q=0.8"),
        (b"ACCEPT", b'"quoted"'),
        (b"accept", b"text/html:x"),
        (b"Accept", b"caf\xe9"),
        (b"Accept", b""),
        (b"Accept-Language", b"en-GB, en;q=0.5"),
        (b"Accept-Language", b"en_GB"),
        (b"Accept-Language", b"a" * 128),
        (b"Accept-Language", b"a" * 129),
        (b"Content-Language", b"de"),
        (b"content-language", b"de/at"),
        (b"Content-Type", b"text/plain"),
        (b"Content-Type", b"text/plain;charset=UTF-8"),
        (b"content-type", b"TEXT/PLAIN"),
        (b"Content-Type", b"application/x-www-form-urlencoded"),
        (b"Content-Type", b"multipart/form-data;boundary=x"),
        (b"Content-Type", b'multipart/form-data;boundary="x"'),
        (b"Content-Type", b"application/json"),
        (b"CONTENT-TYPE", b"application/json"),
        (b"Content-Type", b"text/html"),
        (b"Content-Type", b"text/plain, text/plain"),
        (b"Content-Type", b"text"),
        (b"Content-Type", b""),
        (b"Content-Type", media_type + b"a" * (128 - len(media_type))),
        (b"Content-Type", media_type + b"a" * (129 - len(media_type))),
        (b"Range", b"bytes=0-"),
        (b"Range", b"bytes=0-5"),
        (b"Range", b"bytes=-5"),
        (b"Range", b"bytes=5-0"),
        (b"Range", b"BYTES=0-"),
        (b"Range", b"bytes = 0-"),
        (b"Range", b"bytes=0-1,3-4"),
        (b"range", b"bytes=" + b"0" * 121 + b"-"),
        (b"range", b"bytes=" + b"0" * 122 + b"-"),
        (b"Last-Event-ID", b"1"),
        (b"Save-Data", b"on"),
    )
    several: tuple[HeaderLines, ...] = (
        ((b"Accept", b"a/b"), (b"Accept-Language", b"en"), (b"Content-Type", b"text/plain")),
        ((b"Accept", b"a/b"), (b"Content-Type", b"application/json")),
        ((b"X-B", b"1"), (b"x-a", b"1"), (b"Accept", b"a/b")),
        _APPENDED,
        (*_APPENDED, (b"Content-Language", b"a")),
    )
    return tuple((single,) for single in singles) + several * 2


@cache
def author_headers() -> st.SearchStrategy[HeaderLines]:
    """Generate header sets of a page, around every limit of the safelist.

    Names are unique in any case, but for one name appended often enough to reach 1024 bytes.
    Aims at servers that take safelisted names for unsafe ones or the other way round, that
    compare names case-sensitively, and that match names by prefix.
    """
    lines = st.lists(
        header_names().map(unsafe_header),
        min_size=1,
        max_size=4,
    ).map(_unique)
    return st.one_of(
        st.sampled_from(((), ((b"X-A", b"1"),), (AUTHORIZATION,))),
        st.sampled_from(safelist_limits()),
        lines,
    )


def _unique(lines: list[HeaderLine]) -> HeaderLines:
    return tuple({name.lower(): (name, value) for name, value in lines}.values())
