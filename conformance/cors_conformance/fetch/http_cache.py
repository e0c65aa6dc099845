"""An HTTP cache, private or shared, over hishel's implementation of RFC 9111.

hishel decides what is stored, fresh and freshened. This module adds what a simulation needs: a
clock of its own, bytes, and the selection by `Vary` (RFC 9111, 4.1) before anything is validated,
since a browser does not validate a response that was chosen for another request.
"""

import time
import uuid
from collections.abc import Callable
from dataclasses import dataclass, field
from email.utils import formatdate
from functools import partial
from typing import TYPE_CHECKING, Final

from cors_conformance.fetch import headers as header_list
from cors_conformance.fetch.http import HeaderLines, HTTPRequest, HTTPResponse

if TYPE_CHECKING:
    import hishel

SAFE_METHODS: Final = frozenset({b"GET", b"HEAD", b"OPTIONS", b"TRACE"})
"""RFC 9110, 9.2.1"""

_DATED: Final = frozenset({b"date", b"age"})


@dataclass(slots=True, kw_only=True)
class StoredResponse:
    """A response with the request it answered and the moment it came."""

    entry: "hishel.Entry"
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

    `response` is a stored response that may be used as it is; else `conditions` are the headers
    that turn the request into a conditional one, empty where there is nothing to validate.
    """

    response: HTTPResponse | None
    conditions: HeaderLines
    state: "hishel.State"


@dataclass(slots=True)
class HTTPCache:
    """A cache between one or more browsers and a server.

    Attributes:
        clock: seconds; only differences count.
        shared: whether it is a proxy's (`private` and `Authorization` keep responses out of it)
            or a browser's own.

    """

    clock: Callable[[], float]
    shared: bool = False
    stored: dict[uuid.UUID, StoredResponse] = field(default_factory=dict)

    def select(self, request: HTTPRequest, *, reuse: bool = True) -> Selection:
        """Select a stored response, possibly needing validation. RFC 9111, 4

        Without `reuse` nothing stored is used, but what comes is stored and invalidates.
        """
        import hishel  # noqa: PLC0415 - a twentieth of a second that most runs need not pay

        # An unsafe method invalidates what is stored for the URL, whatever it varies on (4.4).
        is_unsafe = request.method not in SAFE_METHODS
        candidates = [
            item
            for item in self.stored.values()
            if (reuse and item.is_selected_by(request))
            or (is_unsafe and item.request.url == request.url)
        ]
        state = hishel.IdleClient(options=self._options())
        unconditional = _to_hishel_request(request)
        decision: hishel.State = _within_one_second(
            lambda: state.next(unconditional, [self._dated(item) for item in candidates])
        )
        if isinstance(decision, hishel.FromCache):
            hit = self.stored[decision.entry.id]
            return Selection(response=hit.response, conditions=(), state=decision)
        conditions: HeaderLines = ()
        if isinstance(decision, hishel.NeedRevalidation):
            conditions = tuple(
                (name.lower().encode("latin-1"), decision.request.headers[name].encode("latin-1"))
                for name in ("if-none-match", "if-modified-since")
                if name in decision.request.headers and name not in unconditional.headers
            )
        return Selection(response=None, conditions=conditions, state=decision)

    def receive(
        self, request: HTTPRequest, selection: Selection, response: HTTPResponse
    ) -> HTTPResponse:
        """Take the server's answer; give the response to use. RFC 9111, 3 and 4.3.3

        That is the stored one, freshened, where the answer is a 304 to the cache's own question.
        """
        import hishel  # noqa: PLC0415

        state: hishel.State | None = selection.state
        used = response
        while state is not None:
            match state:
                case hishel.CacheMiss() | hishel.NeedRevalidation():
                    state = _within_one_second(
                        partial(state.next, _to_hishel_response(response, self._date(0)))
                    )
                case hishel.InvalidateEntries():
                    for entry_id in state.entry_ids:
                        self.stored.pop(entry_id, None)
                    state = state.next()
                case hishel.NeedToBeUpdated():
                    for entry in state.updating_entries:
                        used = self._freshen(entry, response)
                    state = None
                case hishel.StoreAndUse():
                    self._store(request, response, state.response)
                    state = None
                case _:
                    state = None
        return used

    def _store(
        self, request: HTTPRequest, response: HTTPResponse, stored: "hishel.Response"
    ) -> None:
        """Store a response; it takes the place of one that the same request would select."""
        import hishel  # noqa: PLC0415

        for key in [key for key, item in self.stored.items() if item.is_selected_by(request)]:
            del self.stored[key]
        entry = hishel.Entry(
            id=_next_id(self.stored), request=_to_hishel_request(request), response=stored
        )
        self.stored[entry.id] = StoredResponse(
            entry=entry,
            request=request,
            response=response,
            age=_upstream_age(response),
            stored_at=self.clock(),
        )

    def _freshen(self, entry: "hishel.Entry", validation: HTTPResponse) -> HTTPResponse:
        """Update a stored response's header fields from a 304. RFC 9111, 3.2 and 4.3.4"""
        item = self.stored[entry.id]
        unchanged = {b"content-encoding", b"content-type", b"content-range", b"content-length"}
        updates = [line for line in validation.headers if line[0].lower() not in unchanged]
        updated = {name.lower() for name, _ in updates}
        kept = [line for line in item.response.headers if line[0].lower() not in updated]
        item.response = HTTPResponse(
            status=item.response.status, headers=(*kept, *updates), body=item.response.body
        )
        item.entry = entry
        item.stored_at = self.clock()
        item.age = _upstream_age(validation)
        return item.response

    def _options(self) -> "hishel.CacheOptions":
        return {"shared": self.shared, "supported_methods": ["GET", "HEAD"], "allow_stale": False}

    def _dated(self, item: StoredResponse) -> "hishel.Entry":
        """Give the entry a `Date` from which hishel, by the wall clock, computes the age here."""
        import hishel  # noqa: PLC0415

        resident = int(self.clock() - item.stored_at)
        return hishel.Entry(
            id=item.entry.id,
            request=item.entry.request,
            response=_to_hishel_response(item.response, self._date(resident + item.age)),
        )

    @staticmethod
    def _date(age: int) -> str:
        return formatdate(int(time.time()) - age, usegmt=True)


def _within_one_second(decide: Callable[[], "hishel.State"]) -> "hishel.State":
    """Decide while the wall clock stands in one second, so that ages come out exact."""
    while True:
        second = int(time.time())
        decision = decide()
        if int(time.time()) == second:
            return decision


def _next_id(stored: dict[uuid.UUID, StoredResponse]) -> uuid.UUID:
    return uuid.UUID(int=max((key.int for key in stored), default=0) + 1)


def _upstream_age(response: HTTPResponse) -> int:
    age = header_list.get(response.headers, b"age")
    return int(age[:9]) if age is not None and age.isdigit() else 0


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


def _to_hishel_response(response: HTTPResponse, date: str) -> "hishel.Response":
    import hishel  # noqa: PLC0415

    lines = tuple(line for line in response.headers if line[0].lower() not in _DATED)
    headers = _to_hishel_headers((*lines, (b"date", date.encode())))
    return hishel.Response(status_code=response.status, headers=headers)
