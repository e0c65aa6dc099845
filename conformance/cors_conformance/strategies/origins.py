"""Origins: as browsers serialize them, and those that resemble an allowed one.

https://html.spec.whatwg.org/multipage/browsers.html#ascii-serialisation-of-an-origin
"""

from collections.abc import Collection
from functools import cache, lru_cache
from ipaddress import IPv4Address, IPv6Address
from typing import Final

from hypothesis import strategies as st

from cors_conformance.scenario import API
from cors_conformance.strategies.choices import Choices
from cors_conformance.strategies.mutations import EVIL, mutations, recombinations

COMMON: Final = (
    "https://a.example",
    "https://b.example",
    "https://a.example:8443",
    "http://a.example",
    "https://app.example.com",
    "https://example.com",
    "http://localhost:3000",
    "http://localhost",
    "https://xn--mnchen-3ya.example",
    "http://127.0.0.1:5173",
    "https://192.168.0.10",
    "https://[2001:db8::1]",
    "http://[::1]:8080",
    "https://a.b.c.d.e.f.example",
    "https://under_score.example",
    "https://a-b.example",
    "https://intranet",
    # The other scheme's default port is no default.
    "http://a.example:443",
    "https://a.example:80",
    "chrome-extension://abcdefghijklmnopabcdefghijklmnop",
    "moz-extension://0a1b2c3d-1111-4222-8333-444455556666",
    "capacitor://localhost",
    "app://x",
)
"""Origins that people configure, simplest first."""

_MANY: Final = 20
"""Of how many allowed origins there are near misses: a list may have thousands."""

_FIXED: Final = (
    EVIL,
    "null",
    # The server's own host, under another scheme or port: no less foreign.
    "http://api.example",
    "https://api.example:8443",
    "https://api.example.evil.example",
    "null",
    "https://localhost",
    "https://null",
)
_LABELS: Final = ("a", "b", "app", "www", "a-b", "x_y", "xn--bcher-kva", "0", "0x1", "null")
_IPV6: Final = 0x20010DB8 << 96
_SCHEMES: Final = ("https://", "http://")
_PORTS: Final = ("", "", "", ":8080", ":3000", ":1", ":1024", ":65535")


@cache
def serialized_origins() -> st.SearchStrategy[str]:
    """Generate tuple origins as browsers serialize them.

    With ports, addresses, punycode and custom schemes. Never `null`, to which opaque origins
    serialize, and never the API server's own.
    """
    hosts = st.one_of(
        st.integers(0, len(_LABELS) ** 5 - 1).map(_domain),
        st.integers(0, 2**32 - 1).map(lambda number: f"{IPv4Address(number)}"),
        # Documentation addresses: no IPv4-mapped ones, which Python and URLs spell differently.
        st.integers(0, 2**96 - 1).map(lambda number: f"[{IPv6Address(_IPV6 + number)}]"),
    )
    constructed = st.tuples(st.sampled_from(_SCHEMES), hosts, st.sampled_from(_PORTS)).map("".join)
    return st.one_of(st.sampled_from(COMMON), constructed)


def _domain(number: int) -> str:
    """Spell a number in labels instead of digits; it shrinks to `a.example`."""
    name = "example"
    while True:
        number, index = divmod(number, len(_LABELS))
        name = f"{_LABELS[index]}.{name}"
        if not number:
            return name


_HOSTS: Final = (
    *map(_domain, range(100)),
    *("1.2.3.4", "10.0.0.1", "255.255.255.255", "0.0.0.0"),  # noqa: S104 - nobody binds it
    *(f"[{IPv6Address(_IPV6 + number)}]" for number in (0, 1, 0x10000, 2**96 - 1)),
)


def choose_uncommon(choices: Choices) -> str:
    """Choose an origin that, most of the time, nobody would think of."""
    return "".join(map(choices.one, (_SCHEMES, _HOSTS, _PORTS)))


def near_misses(origin: str, *, browser: bool = True) -> st.SearchStrategy[str]:
    """Generate mutations of an origin: origins that a browser sends, or else bytes that none sends.

    Aims at comparisons by prefix, suffix or substring, without scheme or port, by unescaped
    regular expressions, and after normalisation. A mutation may be another allowed origin; where
    that matters, take the wider `foreign_origins`.
    """
    return st.sampled_from(mutations(origin, audience="browser" if browser else "raw"))


@lru_cache(maxsize=256)
def foreign_near_misses(allowed: tuple[str, ...]) -> tuple[str, ...]:
    """Return the browser's near misses of `allowed` origins that are not allowed themselves.

    Of many, those of the first ones and of the last.
    """
    parted = tuple(origin for origin in allowed if origin != "null")
    near = (
        *(
            miss
            for origin in (*parted[:_MANY], *parted[_MANY:][-1:])
            for miss in mutations(origin, audience="browser")
        ),
        *recombinations(allowed),
    )
    excluded = {*allowed, API}
    return tuple(miss for miss in dict.fromkeys(near) if miss not in excluded)


@lru_cache(maxsize=256)
def fixed_foreign_origins(allowed: tuple[str, ...]) -> tuple[str, ...]:
    """Return origins, and `null`, that have nothing to do with the `allowed` ones."""
    return tuple(origin for origin in _FIXED if origin not in allowed)


def foreign_origins(allowed: Collection[str]) -> st.SearchStrategy[str]:
    """Generate origins, `null` among them, that are not `allowed`, most of them near misses.

    Aims at what `near_misses` does, at opaque origins taken for no origin or for all, and at
    servers that trust their own host name.
    """
    allowed = tuple(allowed)
    return st.sampled_from(fixed_foreign_origins(allowed) + foreign_near_misses(allowed))
