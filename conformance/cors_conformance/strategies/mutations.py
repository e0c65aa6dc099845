"""Named operators that turn an origin into others which resemble it.

Each operator stands for a way in which servers compare origins wrongly. What an operator yields
may be an origin that a browser sends, or bytes that no browser sends as an origin;
`is_browser_origin` tells them apart.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from functools import lru_cache
from itertools import product
from types import MappingProxyType
from typing import Final, Literal, TypeAlias

import ada_url

EVIL: Final = "https://evil.example"
"""An origin that no policy lists."""

_LOOPBACK: Final = {"localhost": "127.0.0.1", "127.0.0.1": "localhost", "[::1]": "localhost"}

_RECOMBINED: Final = 3
"""Of how many origins parts are exchanged: three give up to 24 new ones."""

Operator: TypeAlias = Callable[[str], tuple[str, ...]]
Audience: TypeAlias = Literal["browser", "raw"]
"""Who sends a mutation: a page's browser, or somebody with a socket."""

_ORIGIN: Final = re.compile(r"(?P<scheme>[^:]+)://(?P<host>\[.*\]|[^:]*)(?P<port>(?::\d+)?)")
_SHAPE: Final = re.compile(
    r"[a-z][a-z0-9+.\-]*://(?:\[[0-9a-f:]+\]|[a-z0-9_\-]+(?:\.[a-z0-9_\-]+)*\.?)(?::\d{1,5})?"
)
# What is certain without a parser: the last label is no number, the port is no default.
_PLAIN: Final = re.compile(r"https?://(?:[a-z0-9_\-]+\.)*[a-z][a-z0-9_\-]*(?::[1-9]\d{3})?")


@dataclass(frozen=True, slots=True, kw_only=True)
class _Parts:
    """An origin in pieces; `port` has its colon, or is empty."""

    scheme: str
    host: str
    port: str

    def __str__(self) -> str:
        return f"{self.scheme}://{self.host}{self.port}"


def _parts(origin: str) -> _Parts:
    match = _ORIGIN.fullmatch(origin)
    if match is None:
        message = f"{origin!r} is no serialized origin"
        raise ValueError(message)
    return _Parts(**match.groupdict())


def _on_host(*changes: Callable[[str], str]) -> Operator:
    def operator(origin: str) -> tuple[str, ...]:
        parts = _parts(origin)
        return tuple(str(replace(parts, host=change(parts.host))) for change in changes)

    return operator


def _on_port(change: Callable[[str], tuple[str, ...]]) -> Operator:
    def operator(origin: str) -> tuple[str, ...]:
        parts = _parts(origin)
        return tuple(str(replace(parts, port=port)) for port in change(parts.port))

    return operator


def _on_whole(*templates: str) -> Operator:
    def operator(origin: str) -> tuple[str, ...]:
        return tuple(template.format(origin=origin, evil=EVIL) for template in templates)

    return operator


def _schemes(origin: str) -> tuple[str, ...]:
    parts = _parts(origin)
    return tuple(str(replace(parts, scheme=scheme)) for scheme in ("http", "https", "app"))


def _dots(origin: str) -> tuple[str, ...]:
    parts = _parts(origin)
    dots = [match.start() for match in re.finditer(r"\.", parts.host)]
    return tuple(
        str(replace(parts, host=f"{parts.host[:dot]}x{parts.host[dot + 1 :]}")) for dot in dots
    )


def _neighbouring_ports(port: str) -> tuple[str, ...]:
    if not port:
        return ()
    number = int(port[1:])
    return (f":{number + 1}", f"{port}0", port[:-1])


def _neighbouring_address(host: str) -> str:
    return re.sub(r"[0-9a-f]\]$", lambda end: "2]" if end[0] != "2]" else "3]", host)


def _unicode(host: str) -> str:
    if "xn--" not in host:
        return host
    try:
        return host.encode("ascii").decode("idna")
    except UnicodeError:
        # The URL parser takes labels that this older codec does not.
        return host


OPERATORS: Final[Mapping[str, Operator]] = MappingProxyType(
    {
        # Suffix comparison: `endswith`, `$` without `^`.
        "prefix-label": _on_host(lambda host: f"evil-{host}", lambda host: f"x{host}"),
        # Prefix comparison: `startswith`, `^` without `$`, `re.match`.
        "suffix": _on_host(lambda host: f"{host}.evil.example", lambda host: f"{host}x"),
        # The scheme left out of the comparison.
        "scheme": _schemes,
        # The port left out, or compared as text.
        "other-port": _on_port(_neighbouring_ports),
        "added-port": _on_port(lambda _: (":8080", ":80", ":443")),
        "removed-port": _on_port(lambda _: ("",)),
        # Case-insensitive comparison; a browser sends lower case.
        "upper-case-host": _on_host(str.upper, str.title),
        "upper-case-scheme": lambda origin: (origin.replace("http", "HTTP", 1), origin.upper()),
        # Normalisation before comparison. A host with its root dot is another host.
        "trailing-dot": _on_host(lambda host: f"{host}."),
        "trailing-slash": _on_whole("{origin}/", "{origin}//"),
        "path": _on_whole("{origin}/path", "{evil}/{origin}"),
        "query": _on_whole("{origin}?", "{evil}?{origin}"),
        "fragment": _on_whole("{origin}#", "{evil}#{origin}"),
        "userinfo": _on_whole("{origin}@evil.example", "{origin}:@evil.example"),
        "white-space": _on_whole("{origin} x", "x {origin}", "{origin}\tx"),
        # Domains taken for their subdomains or the other way round.
        "subdomain": _on_host(lambda host: f"evil.{host}", lambda host: f"www.{host}"),
        "parent-domain": _on_host(lambda host: host.partition(".")[2] or host),
        # Names of one machine, which are different hosts.
        "loopback": _on_host(lambda host: _LOOPBACK.get(host, host)),
        # A literal used as a regular expression: `.` matches any character.
        "dot": _dots,
        # An address cut at a colon that is none before a port.
        "neighbour": _on_host(_neighbouring_address),
        # Characters left out of the comparison.
        "hyphen": _on_host(
            lambda host: f"{host[:1]}-{host[1:]}", lambda host: host.replace("-", "") or host
        ),
        # One character lost in cutting at a wildcard or a separator.
        "last-cut": _on_host(lambda host: host[:-1]),
        "first-cut": _on_host(lambda host: host[1:]),
        # Substring search in either direction; RFC 6454 lists; parsing up to a separator.
        "concatenation": _on_whole("{origin}{evil}", "{evil}{origin}", "{origin}{origin}"),
        "comma-list": _on_whole("{origin},{evil}", "{evil}, {origin}", "{origin}, {origin}"),
        "space-list": _on_whole("{origin} {evil}", "{evil} {origin}", "{origin} {origin}"),
        # Decoding before comparison.
        "percent-encoding": _on_host(
            lambda host: f"%{ord(host[0]):02x}{host[1:]}", lambda host: f"{host}%2e", "{}%00".format
        ),
        "u-label": _on_host(_unicode),
        # Glob characters taken from the request instead of the policy.
        "wildcard": _on_host(lambda host: f"*.{host}", lambda _: "*"),
    }
)

UNSAFE_OPERATORS: Final[Mapping[str, Operator]] = MappingProxyType(
    {
        # `$` before a line break; C strings; header injection. No HTTP parser passes these on.
        "line-break": _on_whole(
            "{origin}\n", "{origin}\r\n", "{evil}\n{origin}", "{origin}\r\nx-injected: 1"
        ),
        "nul": _on_whole("{origin}\0", "{origin}\0.evil.example"),
    }
)


def is_browser_origin(text: str) -> bool:
    """Whether a browser sends `text` as a tuple origin.

    What the URL parser serializes unchanged; wider than the ABNF of
    https://fetch.spec.whatwg.org/#http-origin where browsers are (`_`, a root dot).
    """
    # Before the parser, which takes its time: no empty label, no `*`; none of these resolves.
    if _SHAPE.fullmatch(text) is None:
        return False
    if not text.startswith(("http://", "https://")):
        return True
    if _PLAIN.fullmatch(text) is not None and "xn--" not in text:
        return True
    try:
        return bool(ada_url.URL(text).origin == text)
    except ValueError:
        return False


def mutations(origin: str, *, audience: Audience) -> tuple[str, ...]:
    """Return what the operators make of an origin for one audience; never the origin itself."""
    return _mutations(origin)[audience]


@lru_cache(maxsize=256)
def _mutations(origin: str) -> Mapping[Audience, tuple[str, ...]]:
    results = dict.fromkeys(result for operate in OPERATORS.values() for result in operate(origin))
    results.pop(origin, None)
    sendable = {result for result in results if is_browser_origin(result)}
    return {
        "browser": tuple(result for result in results if result in sendable),
        "raw": tuple(result for result in results if result not in sendable),
    }


@lru_cache(maxsize=256)
def recombinations(origins: tuple[str, ...]) -> tuple[str, ...]:
    """Return origins that a browser sends, of the scheme, host and port of three of `origins`.

    Aims at servers that keep schemes, hosts and ports apart. None is one of `origins`.
    """
    # The origin `null` has no parts.
    tuples = [origin for origin in origins if origin != "null"]
    parts = [_parts(origin) for origin in tuples[:_RECOMBINED]]
    mixed = (
        str(_Parts(scheme=one.scheme, host=two.host, port=three.port))
        for one, two, three in product(parts, repeat=3)
    )
    return tuple(
        text for text in dict.fromkeys(mixed) if text not in origins and is_browser_origin(text)
    )
