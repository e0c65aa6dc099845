"""Strategies for what pages ask for: methods, headers around every limit of the safelist."""

from functools import cache
from typing import Final

from hypothesis import strategies as st

from cors_conformance.browsers.answers import SomeLines, Texts, one_of_many
from cors_conformance.cases.schema import Lines
from cors_conformance.strategies.headers import safelist_limits

METHODS: Final = (
    "GET",
    "POST",
    "PUT",
    "HEAD",
    "DELETE",
    "OPTIONS",
    "PATCH",
    "get",
    "post",
    "put",
    "head",
    "delete",
    "options",
    "patch",
    "pAtCh",
    "Put",
    "QUERY",
    "query",
    "CHICKEN",
    "chicken",
    "M-SEARCH",
    "PROPFIND",
    "!#$%&'*+-.^_`|~",
    "*",
    "0",
)
"""Methods in the page's spelling, none forbidden."""

BAD_METHODS: Final = (
    "CONNECT",
    "trace",
    "Track",
    "TRACE",
    "track",
    "",
    "A B",
    "P\xdcT",
    "GET,",
    "a/b",
)
"""Methods that are forbidden, and what is no method."""

FORBIDDEN: Final[Lines] = (
    ("Accept-Charset", "utf-8"),
    ("Accept-Encoding", "x-forbidden"),
    ("Access-Control-Request-Headers", "x-forbidden"),
    ("Access-Control-Request-Method", "FORBIDDEN"),
    ("Access-Control-Request-Private-Network", "true"),
    ("Access-Control-Request-Local-Network", "true"),
    ("Connection", "x-forbidden"),
    ("Content-Length", "77"),
    ("Cookie", "forbidden=1"),
    ("Cookie2", "forbidden=1"),
    ("Date", "Tue, 15 Nov 1994 08:12:31 GMT"),
    ("DNT", "forbidden"),
    ("Expect", "x-forbidden"),
    ("Host", "forbidden.example"),
    ("Keep-Alive", "timeout=77"),
    ("Origin", "https://forbidden.example"),
    ("Referer", "https://forbidden.example/"),
    ("Set-Cookie", "forbidden=1"),
    ("TE", "x-forbidden"),
    ("Trailer", "x-forbidden"),
    ("Upgrade", "x-forbidden"),
    ("Via", "1.1 forbidden"),
    ("Proxy-Forbidden", "1"),
    ("proxy-", "1"),
    ("Sec-Forbidden", "1"),
    ("SEC-", "1"),
    ("X-HTTP-Method", "TRACE"),
    ("X-HTTP-Method-Override", "GET, track"),
    ("X-Method-Override", "connect"),
    ("X-Method-Override", '"TRACE"'),
    ("X-Method-Override", "PATCH"),
    ("X-HTTP-Method-Override", "TRACED"),
    ("X-HTTP-Method", " TRACE\t,GET"),
    ("Proxy", "1"),
    ("Sec", "1"),
    ("User-Agent", "page/1"),
    ("Set-Cookie2", "1"),
    ("Cookie3", "1"),
    ("Pragma", "x-page"),
    ("Cache-Control", "x-page"),
    ("Alt-Used", "x"),
)
"""Forbidden headers, and some that only look so."""

MALFORMED: Final[Lines] = (
    ("", "1"),
    ("X A", "1"),
    ("X-\xc4", "1"),
    ("X:", "1"),
    ("X-A", "a\nb"),
    ("X-A", "a\x00b"),
    ("X-A", "\r\n ok \t"),
    ("X-A", "a\x0bb"),
    ("X-A", "\x01\x7f"),
    ("X-A", "caf\xe9"),
    ("X-A", ""),
    ("(x)", "1"),
    ("x!#$%&'*+-.^_`|~", "1"),
)
"""Names and values of which some are none."""

PLAIN: Final[Lines] = (
    ("X-A", "1"),
    ("Authorization", "Basic dTpw"),
    ("Content-Type", "application/json"),
    ("x-b", "1"),
    ("X-Requested-With", "XMLHttpRequest"),
    ("Content-Type", "text/plain"),
    ("Accept", "text/html"),
    ("Accept-Language", "de"),
    ("Content-Language", "de"),
    ("Range", "bytes=0-9"),
    ("Cache-Control", "max-age=7"),
    ("If-None-Match", '"a"'),
    ("User-Agent", "page/1"),
    ("Last-Event-ID", "1"),
    ("DPR", "1"),
    ("Save-Data", "on"),
    ("Width", "1"),
    ("Downlink", "1"),
    ("traceparent", "1"),
    ("Access-Control-Allow-Origin", "*"),
    ("A", "1"),
    ("*", "1"),
    ("Upgrade-Insecure-Requests", "1"),
    ("Content-Encoding", "x"),
    ("Content-Location", "x"),
    ("Priority", "u=1"),
    ("Purpose", "prefetch"),
    ("Service-Worker", "script"),
    ("Last-Modified", "x"),
    ("Viewport-Width", "1"),
    ("Device-Memory", "1"),
    ("ECT", "4g"),
    ("RTT", "1"),
)
"""Headers of all sorts, safelisted or not."""

_BYTES: Final = "".join(map(chr, (*range(1, 10), 11, 12, *range(14, 256))))
_SAFELISTED: Final = ("Accept", "Accept-Language", "Content-Language", "Content-Type", "Range")
_TYPES: Final = (
    "text/plain",
    "TEXT/plain",
    "multipart/form-data",
    "application/x-www-form-urlencoded",
)


@cache
def bytewise() -> SomeLines:
    """Generate one safelisted header with one byte of any value in it.

    Aims at the tables of unsafe bytes: https://fetch.spec.whatwg.org/#cors-unsafe-request-header-byte
    """
    starts = {
        "Accept": "a",
        "Accept-Language": "de",
        "Content-Language": "de",
        "Content-Type": "text/plain;a",
        "Range": "bytes=0",
    }
    # Between two characters: at an end it might be stripped.
    return st.builds(
        lambda name, byte: ((name, f"{starts[name]}{byte}-"),),
        st.sampled_from(_SAFELISTED),
        one_of_many(_BYTES),
    )


@cache
def media_types() -> SomeLines:
    """Generate `Content-Type` around the grammar of MIME types."""
    parameters = (
        "",
        ";",
        ";charset=utf-8",
        "; charset=x",
        " ;a=b",
        ";a",
        ";=",
        ";a=b;a=c",
        ";a=b,c",
        ';a="b,c"',
        ", text/plain",
    )
    return st.builds(
        lambda before, essence, parameter: (("Content-Type", f"{before}{essence}{parameter}"),),
        st.sampled_from(("", "", " ", "x")),
        st.sampled_from(
            (
                *_TYPES,
                "text/",
                "/plain",
                "text /plain",
                "text/ plain",
                "text/plain/x",
                "text",
                "*/*",
                "",
            )
        ),
        st.sampled_from(parameters),
    )


@cache
def ranges() -> SomeLines:
    """Generate `Range` around its grammar. https://fetch.spec.whatwg.org/#simple-range-header-value"""
    numbers = ("", "0", "5", "9", "10", "007", "99999999999999999999", " 1", "-1", "x")
    return st.builds(
        lambda unit, first, dash, last: (("Range", f"{unit}{first}{dash}{last}"),),
        st.sampled_from(
            ("bytes=", "bytes=", "bytes=", "Bytes=", "bytes =", "bytes= ", "bytes", "items=")
        ),
        st.sampled_from(numbers),
        st.sampled_from(("-", "-", "-", " - ", "", "--", ",")),
        st.sampled_from(numbers),
    )


@cache
def lengths() -> SomeLines:
    """Generate safelisted headers at the limits of 128 bytes each and 1024 bytes in all.

    Unique names come nowhere near the second limit, so that one is repeated. How engines combine
    repeated headers differs, so that only a name of which they cannot differ is taken.
    """
    size = st.sampled_from((1, 100, 126, 127, 128, 129, 130, 200))
    return st.builds(
        lambda name, count: (
            (name, ("text/plain;" if name == "Content-Type" else "").ljust(count, "a")),
        ),
        st.sampled_from(_SAFELISTED[:4]),
        size,
    )


def _limits() -> tuple[Lines, ...]:
    known = (
        item for item in safelist_limits() if len({name.lower() for name, _ in item}) == len(item)
    )
    return tuple(
        tuple((name.decode("latin-1"), value.decode("latin-1")) for name, value in item)
        for item in known
    )


@cache
def header_sets() -> SomeLines:
    """Generate what a page sets: names unique in any case."""
    plain = st.lists(st.sampled_from(PLAIN), max_size=4).map(_unique)
    return st.one_of(
        st.just(()),
        plain,
        plain,
        st.sampled_from(_limits()),
        bytewise(),
        media_types(),
        ranges(),
        lengths(),
        st.tuples(lengths(), bytewise(), plain).map(lambda parts: _unique(sum(parts, ()))),
    )


@cache
def few_headers() -> SomeLines:
    """Generate a few ordinary headers, or none; a narrow sibling of `header_sets`."""
    return st.lists(st.sampled_from(PLAIN[:10]), max_size=2).map(_unique)


@cache
def forbidden_headers() -> SomeLines:
    """Generate headers that a page does not get to set, and such as look like them."""
    return st.lists(st.sampled_from(FORBIDDEN + PLAIN[:2]), min_size=1, max_size=3).map(_unique)


@cache
def malformed_headers() -> SomeLines:
    """Generate headers for which `new Request()` throws, and such as look like them."""
    return st.sampled_from(MALFORMED).map(lambda pair: (pair,))


@cache
def methods() -> Texts:
    """Generate methods that a page may use."""
    return st.one_of(st.sampled_from(METHODS[:4]), st.sampled_from(METHODS))


def _unique(pairs: "list[tuple[str, str]] | Lines") -> Lines:
    return tuple({name.lower(): (name, value) for name, value in pairs}.values())
