"""URLs, parsed as the URL standard says. https://url.spec.whatwg.org/"""

from dataclasses import dataclass
from functools import lru_cache
from typing import Final

import ada_url

from cors_conformance.fetch.origins import (
    OpaqueOrigin,
    Origin,
    TupleOrigin,
    parse_serialized_origin,
)

HTTP_SCHEMES: Final = frozenset({"http", "https"})
DEFAULT_PORTS: Final = {"ftp": 21, "http": 80, "https": 443, "ws": 80, "wss": 443}


@dataclass(frozen=True, slots=True, kw_only=True)
class URL:
    """A URL record, as far as fetching needs it.

    `host` is serialized (an IPv6 address has its brackets); `port` is `None` where it is the
    scheme's default; `href` is the serialization without the fragment.
    """

    href: str
    scheme: str
    host: str
    port: int | None
    path: str
    includes_credentials: bool
    fragment: str | None
    origin: Origin

    @property
    def is_http(self) -> bool:
        """Whether the scheme is an HTTP(S) scheme. https://fetch.spec.whatwg.org/#http-scheme"""
        return self.scheme in HTTP_SCHEMES


@lru_cache(maxsize=4096)
def parse_url(text: str, base: str | None = None) -> URL | None:
    """Parse against a base. https://url.spec.whatwg.org/#concept-url-parser

    `None` stands for failure. `text` holds code points below U+0100: an isomorphic decoding.
    """
    try:
        record = ada_url.URL(text) if base is None else ada_url.URL(text, base=base)
    except ValueError:
        return None
    href = record.href
    fragment = record.hash
    scheme = record.protocol.removesuffix(":")
    port = int(record.port) if record.port else None
    return URL(
        href=href[: len(href) - len(fragment)] if fragment else href.removesuffix("#"),
        scheme=scheme,
        host=record.hostname,
        port=port,
        path=record.pathname,
        includes_credentials=bool(record.username or record.password),
        fragment=fragment or None,
        origin=_origin(scheme, record.hostname, port),
    )


def _origin(scheme: str, host: str, port: int | None) -> Origin:
    """Return a URL's origin. https://url.spec.whatwg.org/#concept-url-origin

    `blob:` is left out: nothing here resolves one, and fetching it is a network error.
    """
    if scheme not in DEFAULT_PORTS:
        return OpaqueOrigin()
    return TupleOrigin(scheme=scheme, host=host, port=port)


def why_no_origin(text: str) -> str | None:
    """Say why no browser sends `text` as an origin, and what would be one; `None` if one does.

    https://fetch.spec.whatwg.org/#http-origin
    """
    try:
        parse_serialized_origin(text)
    except ValueError:
        return "no serialized origin; expected scheme://host or scheme://host:port, or null"
    scheme = text.partition(":")[0]
    if scheme not in DEFAULT_PORTS:
        return None
    try:
        serialized: str = ada_url.URL(text).origin
    except ValueError:
        return "no serialized origin; its host or port is not one of a URL"
    return None if serialized == text else f"no serialized origin; expected {serialized}"
