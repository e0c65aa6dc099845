"""What origin apps answer."""

from dataclasses import dataclass
from functools import lru_cache
from itertools import cycle
from typing import Final

from hypothesis import strategies as st

from cors_conformance.application import ApplicationResponse
from cors_conformance.fetch.http import HeaderLines
from cors_conformance.scenario import PLAIN
from cors_conformance.strategies.choices import Choices

_NO_BODY: Final = frozenset({204, 205, 304})

# 407 and 421 are the connection's business, and a browser hides them or asks again.
_STATUSES: Final = (
    *(404, 500, 401, 304, 204, 302) * 3,
    *(201, 403, 405, 503),
    *(202, 203, 205, 206, 300, 301, 303, 307, 308, 400, 409, 410, 418, 422, 429, 451, 501, 502),
    599,
)

_CACHEABLE: Final[tuple[HeaderLines, ...]] = (
    ((b"cache-control", b"public, max-age=60"),),
    ((b"cache-control", b"max-age=60"), (b"etag", b'"1"')),
    ((b"cache-control", b"public, max-age=600"), (b"vary", b"accept-encoding")),
    ((b"cache-control", b"public, s-maxage=60, max-age=0"),),
    ((b"cache-control", b"public, no-cache"), (b"etag", b'"1"')),
    ((b"cache-control", b"public, max-age=60"), (b"vary", b"*")),
    # What is taken for `Origin`, and what `Origin` must stand beside.
    ((b"cache-control", b"public, max-age=60"), (b"vary", b"x-origin")),
    ((b"cache-control", b"public, max-age=60"), (b"vary", b"accept-encoding, accept-language")),
    (
        (b"cache-control", b"public, max-age=60"),
        (b"vary", b"accept-encoding"),
        (b"vary", b"accept-language"),
    ),
    ((b"cache-control", b"private, max-age=60"),),
)

# Where a browser goes on, and comes with which origin, is the server's to see.
_REDIRECTS: Final = (
    (302, b"/landing"),
    (307, b"/landing?x=1"),
    (303, b"https://api.example/landing#x"),
    (308, b"https://api.example:8443/landing"),
    (301, b"http://[bad"),
)

_LINES: Final[tuple[HeaderLines, ...]] = (
    ((b"x-secret", b"1"),),
    # Vary: the application's own members must survive, wherever and however they are written.
    ((b"vary", b"accept-encoding"),),
    ((b"vary", b"Accept-Encoding, Cookie"), (b"x-secret", b"1")),
    ((b"vary", b"accept-encoding"), (b"vary", b"x-tenant")),
    ((b"vary", b"*"),),
    ((b"vary", b"ORIGIN"),),
    ((b"vary", b"origin,accept-language"),),
    ((b"vary", b"x-origin"),),
    # Lines that must stay apart, and in their order, which is that of no alphabet.
    ((b"set-cookie", b"b=2; Path=/, x; Secure"), (b"set-cookie", b"a=1; Secure; SameSite=None")),
    ((b"set-cookie", b"a=1; HttpOnly; Secure; SameSite=None"), (b"cache-control", b"no-store")),
    ((b"x-repeated", b"3"), (b"x-other", b"2"), (b"x-repeated", b"1")),
    ((b"link", b"</b>; rel=preload"), (b"link", b"</a>; rel=preload")),
    # The application's own CORS headers: one party must win.
    ((b"access-control-allow-origin", b"*"),),
    ((b"access-control-allow-origin", b"https://evil.example"),),
    (
        (b"access-control-allow-origin", b"https://a.example"),
        (b"access-control-allow-credentials", b"true"),
    ),
    ((b"access-control-allow-origin", b"*"), (b"access-control-allow-origin", b"*")),
    ((b"access-control-allow-credentials", b"true"),),
    ((b"access-control-expose-headers", b"x-secret"), (b"x-secret", b"1")),
    ((b"access-control-allow-methods", b"*"), (b"access-control-allow-headers", b"*")),
    ((b"access-control-max-age", b"99"),),
    # What is for pages, for scripts and for an EventSource is shared alike.
    ((b"content-type", b"text/html; charset=utf-8"),),
    ((b"content-type", b"application/json"),),
    ((b"content-type", b"font/woff2"),),
    ((b"content-type", b"text/event-stream"), (b"cache-control", b"no-cache")),
    # What pages may always read, and what they never may.
    ((b"content-type", b"text/plain;charset=utf-8"), (b"content-language", b"en")),
    ((b"pragma", b"x"), (b"last-modified", b"Thu, 01 Jan 2026 00:00:00 GMT")),
    ((b"www-authenticate", b'Basic realm="x"'),),
    ((b"x-empty", b""), (b"x-latin", b"caf\xe9")),
    ((b"x!#$%&'*+-.^_`|~", b"1"), (b"server-timing", b"db;dur=1")),
    ((b"timing-allow-origin", b"*"), (b"cross-origin-resource-policy", b"same-origin")),
)

_BODIES: Final = (
    (b"origin app",),
    (b"",),
    (),
    (b"one", b"two", b"three"),
    (b"", b"late"),
    (b"x" * 4096, b"", b"end"),
)


def _response(
    *, status: int = 200, headers: HeaderLines = (), body: tuple[bytes, ...] = PLAIN.body
) -> ApplicationResponse:
    return ApplicationResponse(
        status=status, headers=headers, body=() if status in _NO_BODY else body
    )


def _exposed(names: tuple[str, ...]) -> tuple[HeaderLines, ...]:
    if not names:
        return ()
    lines = tuple((name.lower().encode("ascii"), b"1") for name in names if name != "*")
    if not lines:
        return (((b"x-any", b"1"),), tuple((b"x-%d" % number, b"1") for number in range(12)))
    return (*lines, (b"x-secret", b"1")), lines, (*lines, (b"set-cookie", b"a=1; Secure"))


@dataclass(frozen=True, slots=True, kw_only=True)
class Peculiarities:
    """Answers with one peculiarity each: in their headers, their status, or how they are sent."""

    headers: tuple[ApplicationResponse, ...]
    statuses: tuple[ApplicationResponse, ...]
    sending: tuple[ApplicationResponse, ...]


@lru_cache(maxsize=256)
def peculiarities(
    *,
    expose: tuple[str, ...] = (),
    headers: bool = True,
    statuses: bool = True,
    exceptions: bool = True,
    chunks: bool = True,
) -> Peculiarities:
    """Return the answers of an application that can do so much; options as for the strategy."""
    exposed = _exposed(expose) if headers else ()
    lines = (*exposed * 4, *_CACHEABLE, *_LINES) if headers else ()
    codes = _STATUSES if statuses else ()
    # What is merged on 200 may be forgotten on an error: each status also meets some headers.
    with_headers = tuple(zip(codes, cycle(lines or ((),)), strict=False))
    return Peculiarities(
        headers=tuple(_response(headers=group) for group in lines),
        statuses=(
            *(_response(status=status) for status in codes),
            *(_response(status=status, headers=group) for status, group in with_headers),
        ),
        sending=(
            *(_response(body=body) for body in (_BODIES if chunks else _BODIES[:2])),
            *((_response(headers=((b"content-length", b"10"),)),) if headers else ()),
            *(
                _response(status=status, headers=((b"location", location),))
                for status, location in _REDIRECTS
                if headers and statuses
            ),
            *(
                ApplicationResponse(raises=when, headers=group)
                for when in ("before start", "before start", "after start")
                for group in ((), *exposed[:1])
                if exceptions
            ),
        ),
    )


def cacheable_applications() -> tuple[ApplicationResponse, ...]:
    """Return answers with explicit freshness, which a shared cache may or may not store."""
    # Errors and redirects are cached as well, and it is there that `Vary` is forgotten.
    return (
        *(_response(headers=headers) for headers in _CACHEABLE),
        *(_response(status=status, headers=_CACHEABLE[0]) for status in (404, 410, 301, 500)),
    )


@st.composite
def application_responses(
    draw: st.DrawFn,
    *,
    expose: tuple[str, ...] = (),
    headers: bool = True,
    statuses: bool = True,
    exceptions: bool = True,
    chunks: bool = True,
) -> ApplicationResponse:
    """Draw what an origin app answers, `expose` being the policy's `expose_headers`.

    `headers`, `statuses`, `exceptions` and `chunks` say what the application can do. Aims at
    middlewares that overwrite or duplicate `Vary`, merge or drop lines, leave the application's
    own CORS headers standing, forget errors, redirects and 304, and buffer or swallow bodies.
    """
    kinds = peculiarities(
        expose=expose, headers=headers, statuses=statuses, exceptions=exceptions, chunks=chunks
    )
    table = (PLAIN, *kinds.headers, *kinds.statuses, *kinds.sending)
    choices = Choices(draw)
    first = choices.one(table)
    # Half of the answers have one peculiarity; the others mix the peculiarities of three.
    if first.raises != "never" or not choices.one((False, True)):
        return first
    second, third = choices.one(table), choices.one(table)
    lines = tuple(line for line in first.headers + second.headers if line[0] != b"content-length")
    return _response(status=second.status, headers=lines, body=third.body)
