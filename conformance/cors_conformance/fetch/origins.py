"""Origins and sites. https://html.spec.whatwg.org/multipage/browsers.html#origin"""

import re
from dataclasses import dataclass
from functools import cache, lru_cache
from typing import Final, TypeAlias

from publicsuffixlist import PublicSuffixList

_SERIALIZED: Final = re.compile(
    r"(?P<scheme>[a-z][a-z0-9+\-.]*)://"
    r"(?P<host>\[[0-9a-f:]+\]|[^\x00-\x20\"#%/:<>?@\[\\\]^`{|}\x7f-\U0010ffff]+)"
    r"(?::(?P<port>[0-9]{1,5}))?"
)
_IP_ADDRESS: Final = re.compile(r"\[.*\]|\d+\.\d+\.\d+\.\d+")


@dataclass(frozen=True, slots=True, eq=False)
class OpaqueOrigin:
    """An origin that equals none but itself, and whose serialization is `null`."""

    def __str__(self) -> str:
        """Serialize it. https://html.spec.whatwg.org/multipage/browsers.html#ascii-serialisation-of-an-origin"""
        return "null"


@dataclass(frozen=True, slots=True, kw_only=True)
class TupleOrigin:
    """A scheme, a host (serialized, lower-case) and a port, `None` for the scheme's default."""

    scheme: str
    host: str
    port: int | None = None

    def __str__(self) -> str:
        """Serialize it. https://html.spec.whatwg.org/multipage/browsers.html#ascii-serialisation-of-an-origin"""
        authority = self.host if self.port is None else f"{self.host}:{self.port}"
        return f"{self.scheme}://{authority}"


Origin: TypeAlias = OpaqueOrigin | TupleOrigin


def same_origin(one: Origin, other: Origin) -> bool:
    """Compare. https://html.spec.whatwg.org/multipage/browsers.html#same-origin"""
    return one == other


@cache
def _public_suffixes() -> PublicSuffixList:
    # Reading the list takes tens of milliseconds, and only redirects and cookies ask.
    return PublicSuffixList()


def is_ip_address(host: str) -> bool:
    """Whether a serialized host is an IP address. https://url.spec.whatwg.org/#ip-address"""
    return _IP_ADDRESS.fullmatch(host) is not None


def is_public_suffix(host: str) -> bool:
    """Whether a host is one that registries give names under, or has one label only."""
    return not is_ip_address(host) and registrable_domain(host) is None


@lru_cache(maxsize=4096)
def registrable_domain(host: str) -> str | None:
    """Return the registrable domain. https://url.spec.whatwg.org/#host-registrable-domain"""
    if is_ip_address(host):
        return None
    domain: str | None = _public_suffixes().privatesuffix(host)
    return domain


def same_site(one: Origin, other: Origin) -> bool:
    """Compare. https://html.spec.whatwg.org/multipage/browsers.html#same-site"""
    if isinstance(one, OpaqueOrigin) or isinstance(other, OpaqueOrigin):
        return one == other
    return one.scheme == other.scheme and schemelessly_same_site(one, other)


def schemelessly_same_site(one: TupleOrigin, other: TupleOrigin) -> bool:
    """Compare. https://html.spec.whatwg.org/multipage/browsers.html#schemelessly-same-site"""
    if one.host == other.host:
        return True
    domain = registrable_domain(one.host)
    return domain is not None and domain == registrable_domain(other.host)


def site(origin: Origin) -> str | OpaqueOrigin:
    """Obtain a site, serialized. https://html.spec.whatwg.org/multipage/browsers.html#obtain-a-site"""
    if isinstance(origin, OpaqueOrigin):
        return origin
    return f"{origin.scheme}://{registrable_domain(origin.host) or origin.host}"


def parse_serialized_origin(text: str) -> Origin:
    """Read what an origin serializes to; `null` gives a fresh opaque origin.

    Wider than the ABNF of https://fetch.spec.whatwg.org/#http-origin where browsers are: a host
    with `_`, a scheme of an extension or an app.

    Raises:
        ValueError: no origin serializes to `text`.

    """
    if text == "null":
        return OpaqueOrigin()
    match = _SERIALIZED.fullmatch(text)
    if match is None or match["host"] != match["host"].lower():
        message = (
            f"{text!r} is no serialized origin: scheme://host or scheme://host:port, lower case"
        )
        raise ValueError(message)
    port = int(match["port"]) if match["port"] else None
    if port is not None and f"{port}" != match["port"]:
        message = f"{text!r} is no serialized origin: a port has no leading zeros"
        raise ValueError(message)
    return TupleOrigin(scheme=match["scheme"], host=match["host"], port=port)
