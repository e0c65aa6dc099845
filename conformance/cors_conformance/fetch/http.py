"""What crosses the wire: the requests a browser sends and the responses it is sent.

The browser of this package does no I/O. It yields an `HTTPRequest` and is sent an
`HTTPResponse`, or `None` where no response came (a refused connection, a reset, bytes that are
no HTTP).
"""

from dataclasses import dataclass
from typing import TypeAlias

HeaderLine: TypeAlias = tuple[bytes, bytes]
"""A name and a value, as they stand on the wire; the value is stripped of SP and HTAB."""

HeaderLines: TypeAlias = tuple[HeaderLine, ...]
"""Header lines in the order of the wire, repetitions included."""


@dataclass(frozen=True, slots=True, kw_only=True)
class HTTPRequest:
    """One request as it leaves the browser.

    `url` is absolute and without fragment; the `Host` line is the transport's business and not
    among `headers`.
    """

    method: bytes
    url: str
    headers: HeaderLines = ()
    body: bytes | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class HTTPResponse:
    """One response as it reaches the browser; `body` is what the message framing delivered."""

    status: int
    headers: HeaderLines = ()
    body: bytes = b""
