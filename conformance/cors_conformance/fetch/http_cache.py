"""An HTTP cache, private or shared, over hishel's implementation of RFC 9111.

hishel decides what is stored, what is fresh and what goes first. This module adds what a
simulation needs: a clock of its own, bytes, the selection by `Vary` (RFC 9111, 4.1) before
anything is validated, since a browser does not validate a response that was chosen for another
request, and what Fetch says of a 304.

Only explicit lifetimes count. One that is guessed from `Last-Modified` (4.2.2, a MAY) would
depend on the day of the run.
"""

import time
import uuid
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from email.utils import formatdate
from typing import TYPE_CHECKING, Final

from cors_conformance.fetch import headers as header_list
from cors_conformance.fetch.abnf import (
    DELTA_SECONDS_LIMIT,
    TAB_OR_SPACE,
    parse_delta_seconds,
)
from cors_conformance.fetch.dates import parse_date
from cors_conformance.fetch.http import HeaderLines, HTTPRequest, HTTPResponse

if TYPE_CHECKING:
    import hishel

SAFE_METHODS: Final = frozenset({b"GET", b"HEAD", b"OPTIONS", b"TRACE"})
"""RFC 9110, 9.2.1"""

_NO_ERRORS: Final = range(200, 400)
_NOT_MODIFIED: Final = 304
_VALIDATORS: Final = ((b"if-none-match", b"etag"), (b"if-modified-since", b"last-modified"))
"""What to ask with, and what for. HTTP-network-or-cache fetch, step 8.25."""

_REWRITTEN: Final = frozenset({b"date", b"age", b"expires", b"last-modified"})


@dataclass(slots=True, kw_only=True)
class StoredResponse:
    """A response with the request it answered, the moment it came and its age then."""

    request: HTTPRequest
    response: HTTPResponse
    age: int
    stored_at: float

    def is_selected_by(self, request: HTTPRequest) -> bool:
        """Whether URL, method and the headers named in `Vary` agree. RFC 9111, 4 and 4.1"""
        if (self.request.url, self.request.method) != (request.url, request.method):
            return False
        for line in header_list.get_all(self.response.headers, b"vary"):
            for name in (element.strip(b" \t") for element in line.split(b",")):
                if name == b"*":
                    return False
                if _normalized(self.request, name) != _normalized(request, name):
                    return False
        return True


def _normalized(request: HTTPRequest, name: bytes) -> list[bytes] | None:
    """Combine a request header's lines and drop the white space around commas. RFC 9111, 4.1"""
    value = header_list.get(request.headers, name)
    return None if value is None else [part.strip(b" \t") for part in value.split(b",")]


@dataclass(frozen=True, slots=True, kw_only=True)
class Selection:
    """What a cache has for a request.

    `response` is a stored response that may be used as it is; else `stale` is one that must be
    validated first, and `conditions` are the headers that turn the request into a conditional
    one, empty where there is nothing to validate.
    """

    response: HTTPResponse | None = None
    stale: StoredResponse | None = None
    conditions: HeaderLines = ()


@dataclass(slots=True)
class HTTPCache:
    """A cache between one or more browsers and a server.

    Attributes:
        clock: seconds since `START_OF_TIME`.
        shared: whether it is a proxy's (`private` and `Authorization` keep responses out of it)
            or a browser's own.
        stored: the responses, oldest first.

    """

    clock: Callable[[], float]
    shared: bool = False
    stored: list[StoredResponse] = field(default_factory=list)

    def select(self, request: HTTPRequest, *, reuse: bool = True) -> Selection:
        """Select a stored response, possibly needing validation. RFC 9111, 4

        Without `reuse` nothing stored is used, but what comes is stored and invalidates.
        """
        import hishel  # noqa: PLC0415 - a twentieth of a second that most runs need not pay

        candidates = [item for item in self.stored if reuse and item.is_selected_by(request)]
        if not candidates:
            return Selection()
        state = hishel.IdleClient(options=self._options())
        decision: hishel.State = _within_one_second(
            lambda: state.next(
                _to_hishel_request(request),
                [self._entry(index, item) for index, item in enumerate(candidates)],
            )
        )
        if isinstance(decision, hishel.FromCache):
            return Selection(response=candidates[decision.entry.id.int].response)
        if not isinstance(decision, hishel.NeedRevalidation):
            return Selection()
        stale = candidates[decision.revalidating_entries[0].id.int]
        conditions = [
            (condition, value)
            for condition, validator in _VALIDATORS
            if (value := header_list.get(stale.response.headers, validator)) is not None
        ]
        # What somebody before this cache asks for is theirs to hear of, unless it is the same.
        own = [line for line in request.headers if line[0].lower() in dict(_VALIDATORS)]
        if any((name.lower(), value) not in conditions for name, value in own):
            return Selection()
        asked = {name.lower() for name, _ in own}
        return Selection(
            stale=stale, conditions=tuple(line for line in conditions if line[0] not in asked)
        )

    def receive(
        self, request: HTTPRequest, selection: Selection, response: HTTPResponse
    ) -> HTTPResponse:
        """Take the server's answer; give the response to use.

        https://fetch.spec.whatwg.org/#concept-http-network-or-cache-fetch, step 10: that is the
        stored one, freshened, where the answer to a validation is a 304, whatever its validators.
        """
        import hishel  # noqa: PLC0415

        # 3. An unsafe method invalidates what is stored for the URL, whatever it varies on.
        if request.method not in SAFE_METHODS and response.status in _NO_ERRORS:
            self.stored = [item for item in self.stored if item.request.url != request.url]
        # 4.
        if selection.stale is not None and response.status == _NOT_MODIFIED:
            return self._freshen(selection.stale, response)
        # 5.
        miss = hishel.CacheMiss(options=self._options(), request=_to_hishel_request(request))
        if isinstance(miss.next(_to_hishel_response(response)), hishel.StoreAndUse):
            # It takes the place of what the same request would select.
            self.stored = [item for item in self.stored if not item.is_selected_by(request)]
            self.stored.append(
                StoredResponse(
                    request=request,
                    response=response,
                    age=_upstream_age(response),
                    stored_at=self.clock(),
                )
            )
        return response

    def _freshen(self, item: StoredResponse, validation: HTTPResponse) -> HTTPResponse:
        """Update a stored response's header fields from a 304. RFC 9111, 3.2 and 4.3.4"""
        unchanged = {b"content-encoding", b"content-type", b"content-range", b"content-length"}
        updates = [line for line in validation.headers if line[0].lower() not in unchanged]
        updated = {name.lower() for name, _ in updates}
        kept = [line for line in item.response.headers if line[0].lower() not in updated]
        item.response = HTTPResponse(
            status=item.response.status, headers=(*kept, *updates), body=item.response.body
        )
        item.stored_at = self.clock()
        item.age = _upstream_age(validation)
        return item.response

    def _options(self) -> "hishel.CacheOptions":
        return {"shared": self.shared, "supported_methods": ["GET", "HEAD"], "allow_stale": False}

    def _entry(self, index: int, item: StoredResponse) -> "hishel.Entry":
        """Give an entry whose age and lifetime by the wall clock, hishel's, are those by ours."""
        import hishel  # noqa: PLC0415

        age = int(self.clock() - item.stored_at) + item.age
        date = int(time.time()) - min(age, DELTA_SECONDS_LIMIT)
        lines = [line for line in item.response.headers if line[0].lower() not in _REWRITTEN]
        lines.append((b"date", formatdate(date, usegmt=True).encode()))
        lifetime = _explicit_lifetime(item)
        if lifetime is not None:
            lines.append((b"expires", formatdate(date + lifetime, usegmt=True).encode()))
        return hishel.Entry(
            id=uuid.UUID(int=index),
            request=_to_hishel_request(item.request),
            response=_to_hishel_response(replace(item.response, headers=tuple(lines))),
        )


def _within_one_second(decide: Callable[[], "hishel.State"]) -> "hishel.State":
    """Decide while the wall clock stands in one second, so that ages come out exact."""
    while True:
        second = int(time.time())
        decision = decide()
        if int(time.time()) == second:
            return decision


def _explicit_lifetime(item: StoredResponse) -> int | None:
    """Give `Expires` minus `Date` in seconds, 0 for what is past. RFC 9111, 4.2.1 and 5.3"""
    lines = header_list.get_all(item.response.headers, b"expires")
    if not lines:
        return None
    expires = parse_date(lines[0])
    date = parse_date(header_list.get(item.response.headers, b"date") or b"")
    # RFC 9110, 6.6.1: without a date it is the moment of receipt.
    start = item.stored_at if date is None else date
    return 0 if expires is None else min(max(int(expires - start), 0), DELTA_SECONDS_LIMIT)


def _upstream_age(response: HTTPResponse) -> int:
    """Give the first `Age` in seconds, 0 where it is none. RFC 9111, 5.1

    The apparent age (4.2.3) is left out: it compares the server's clock with ours.
    """
    first, *_ = (header_list.get(response.headers, b"age") or b"").split(b",")
    return parse_delta_seconds(first.strip(TAB_OR_SPACE)) or 0


def _to_hishel_headers(lines: HeaderLines) -> "hishel.Headers":
    import hishel  # noqa: PLC0415

    fields: dict[str, list[str]] = {}
    for name, value in lines:
        fields.setdefault(name.decode("latin-1").lower(), []).append(value.decode("latin-1"))
    return hishel.Headers({name: ", ".join(values) for name, values in fields.items()})


def _to_hishel_request(request: HTTPRequest) -> "hishel.Request":
    import hishel  # noqa: PLC0415

    return hishel.Request(
        method=request.method.decode("latin-1"),
        url=request.url,
        headers=_to_hishel_headers(request.headers),
    )


def _to_hishel_response(response: HTTPResponse) -> "hishel.Response":
    import hishel  # noqa: PLC0415

    return hishel.Response(
        status_code=response.status, headers=_to_hishel_headers(response.headers)
    )
