"""The scripted server of one fetch: a pure function, the same for the model and for an engine.

`cases.running.ScriptedServer` gives what an HTTP parser makes of an answer; this one gives the
bytes, white space and framing included, and leaves the parsing to whoever reads them.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Final

from cors_conformance.browsers.scenario import lines
from cors_conformance.cases.schema import Hop
from cors_conformance.fetch import headers as header_list
from cors_conformance.fetch.http import HeaderLine, HeaderLines, HTTPRequest, HTTPResponse

_PLACEHOLDER: Final = re.compile(rb"\$(ORIGIN|ACRM|ACRH)")
_HEADERS: Final = {
    b"ORIGIN": b"origin",
    b"ACRM": b"access-control-request-method",
    b"ACRH": b"access-control-request-headers",
}
BODILESS: Final = frozenset({204, 304})
"""Statuses whose messages end with their header lines. RFC 9112, 6.3"""


@dataclass(frozen=True, slots=True, kw_only=True)
class RawResponse:
    """A response as it is written; `headers` have the values with white space at their ends."""

    status: int
    headers: HeaderLines
    body: bytes

    def parsed(self) -> HTTPResponse:
        """Return what an HTTP parser makes of it: it strips SP and HTAB. RFC 9110, 5.5"""
        return HTTPResponse(
            status=self.status,
            headers=tuple((name, value.strip(b"\t ")) for name, value in self.headers),
            body=self.body,
        )


NOT_FOUND: Final = RawResponse(status=404, headers=((b"Content-Length", b"0"),), body=b"")


@dataclass(slots=True, kw_only=True)
class Script:
    """Answers the requests of one fetch from its hops, visited in order, again and again.

    A preflight and its request share a hop. Where no hop has that URL, or has no such answer, the
    answer is a 404 without any header that grants something.
    """

    hops: tuple[Hop, ...]
    _next: int = field(default=0)

    def answer(self, request: HTTPRequest) -> RawResponse:
        """Return the response to one request."""
        count = len(self.hops)
        order = [(self._next + offset) % count for offset in range(count)]
        index = next((item for item in order if self.hops[item].url == request.url), None)
        if index is None:
            return NOT_FOUND
        is_asking = is_preflight(request)
        self._next = index if is_asking else (index + 1) % count
        hop = self.hops[index]
        answer = hop.preflight if is_asking else hop.actual
        if answer is None:
            return NOT_FOUND
        body = (answer.body or "").encode("latin-1")
        written = tuple(_filled_in(lines(answer.headers), request))
        if answer.status in BODILESS:
            return RawResponse(status=answer.status, headers=written, body=b"")
        framing = (b"Content-Length", str(len(body)).encode())
        return RawResponse(status=answer.status, headers=(*written, framing), body=body)


def is_preflight(request: HTTPRequest) -> bool:
    """Whether it is one. https://fetch.spec.whatwg.org/#cors-preflight-request"""
    return request.method == b"OPTIONS" and header_list.contains(
        request.headers, b"access-control-request-method"
    )


def _filled_in(written: HeaderLines, request: HTTPRequest) -> Iterator[HeaderLine]:
    """Yield the lines with the placeholders replaced, without those that lack one."""
    values = {key: header_list.get(request.headers, name) for key, name in _HEADERS.items()}
    for name, value in written:
        if all(values[key] is not None for key in _PLACEHOLDER.findall(value)):
            yield name, _PLACEHOLDER.sub(lambda match: values[match[1]] or b"", value)
