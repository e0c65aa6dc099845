"""Where a request goes: the parts of its URL, as transports need them."""

from dataclasses import dataclass
from functools import lru_cache
from typing import Final
from urllib.parse import unquote, urlsplit

DEFAULT_PORTS: Final = {"http": 80, "https": 443}


@dataclass(frozen=True, slots=True, kw_only=True)
class Address:
    """The parts of an absolute URL.

    Attributes:
        scheme: `http` or `https`.
        server: the host without brackets, and the port, explicit or the scheme's.
        host_line: the value of the `Host` header.
        path: decoded, as interfaces hand it to applications.
        raw_path: as it stands in the URL; at least `/`.
        query: without its `?`.
        target: the request target, `raw_path` and `query`.

    """

    scheme: str
    server: tuple[str, int]
    host_line: bytes
    path: str
    raw_path: bytes
    query: bytes
    target: bytes


@lru_cache(maxsize=1024)
def address_of(url: str) -> Address:
    """Take an absolute URL, serialized as a browser does, apart.

    Raises:
        ValueError: the URL is not absolute, or not of http or https.

    """
    parts = urlsplit(url)
    if parts.scheme not in DEFAULT_PORTS or parts.hostname is None:
        message = f"{url!r} is no absolute http or https URL"
        raise ValueError(message)
    raw_path = parts.path or "/"
    target = f"{raw_path}?{parts.query}" if parts.query else raw_path
    return Address(
        scheme=parts.scheme,
        server=(parts.hostname, parts.port or DEFAULT_PORTS[parts.scheme]),
        host_line=parts.netloc.rpartition("@")[2].encode("ascii"),
        path=unquote(raw_path),
        raw_path=raw_path.encode("ascii"),
        query=parts.query.encode("ascii"),
        target=target.encode("ascii"),
    )
