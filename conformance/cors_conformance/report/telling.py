"""What was done and what went over the wire, line by line."""

from collections.abc import Iterable, Iterator
from http import HTTPStatus
from itertools import islice
from typing import Final, assert_never
from urllib.parse import urlsplit

from cors_conformance.application import ApplicationResponse
from cors_conformance.fetch.http import HeaderLines
from cors_conformance.report.escape import printable, wire
from cors_conformance.report.javascript import fetch_call
from cors_conformance.scenario import (
    PLAIN,
    ASGICall,
    Batch,
    Journey,
    MessageItems,
    RawRequest,
    Visit,
)
from cors_conformance.subjects import Source
from cors_conformance.world import Sent

_FIRST: Final = 4
_LAST: Final = 8
"""Exchanges that are shown of a long log; the JSON report has all."""

_HEADERS: Final = 60
_MESSAGES: Final = 60


def cut(items: Iterable[str], limit: int, noun: str) -> Iterator[str]:
    """Yield the first `limit` items, and a note of how many more `noun` there are."""
    iterator = iter(items)
    yield from islice(iterator, limit)
    rest = sum(1 for _ in iterator)
    if rest:
        yield f"(and {rest} more {noun})"


def source_lines(source: Source) -> tuple[str, Iterator[str]]:
    """Return a title for what was done, and its lines."""
    match source:
        case Visit():
            return f"a page of {_page(source)}", _visit(source)
        case RawRequest():
            return "a request by hand", _raw(source)
        case Journey():
            return "pages, in one browser and behind one shared cache", _journey(source)
        case ASGICall():
            return f"an ASGI call: {source.name}", _call(source)
        case Batch():
            return "what the rule was given", _batch(source)
        case _:
            assert_never(source)


def _page(visit: Visit) -> str:
    return "a sandbox, of origin null" if visit.origin == "null" else visit.origin


def _visit(visit: Visit) -> Iterator[str]:
    yield from fetch_call(visit)
    yield from _application(visit.application)


def _raw(raw: RawRequest) -> Iterator[str]:
    yield f"{wire(raw.method)} {wire(raw.target)} HTTP/1.1"
    yield from _headers(raw.headers)
    if raw.body:
        yield from ("", wire(raw.body))
    yield from _application(raw.application)


def _journey(journey: Journey) -> Iterator[str]:
    for number, step in enumerate(journey.steps, start=1):
        if isinstance(step, Visit):
            yield f"{number}. a page of {_page(step)}"
            yield from (f"   {line}" for line in _visit(step))
        else:
            yield f"{number}. {step.seconds:g} seconds pass"


def _call(call: ASGICall) -> Iterator[str]:
    page = "from a page that the policy allows" if call.is_cors else "without an Origin"
    yield f"scope: {call.scope_type}, {page}"
    if call.extensions:
        yield f"extensions: {', '.join(call.extensions)}"
    for who, messages in (("server", call.received), ("application", call.script)):
        yield from cut((f"{who}: {_message(item)}" for item in messages), _MESSAGES, "messages")
    if call.headers_as != "list":
        yield f"the application hands over headers as: {call.headers_as}"
    if call.times > 1:
        yield f"{call.times} times"


def _message(items: MessageItems) -> str:
    return printable(" ".join(_item(name, value) for name, value in items))


def _item(name: str, value: object) -> str:
    return str(value) if name == "type" else f"{name}={value!r}"


def _batch(batch: Batch) -> Iterator[str]:
    yield f"pages of: {', '.join(batch.origins)}"
    yield f"methods: {', '.join(map(wire, batch.methods))}"
    for lines in batch.header_sets:
        shown = "; ".join(f"{wire(name)}: {wire(value)}" for name, value in lines)
        yield f"headers: {shown or 'none'}"
    yield f"credentials modes: {', '.join(batch.credentials)}"
    more = {"sequences": len(batch.journeys), "requests by hand": len(batch.hostile)}
    for noun, count in more.items():
        if count:
            yield f"{noun}: {count}"


def _application(application: ApplicationResponse) -> Iterator[str]:
    if application == PLAIN:
        return
    raises = "" if application.raises == "never" else f", and raises {application.raises}"
    chunks = "" if len(application.body) == 1 else f" in {len(application.body)} chunks"
    yield f"the application answers {application.status}{chunks}{raises}"
    yield from (f"  {line}" for line in _headers(application.headers))


def _headers(lines: HeaderLines) -> Iterator[str]:
    return cut((f"{wire(name)}: {wire(value)}" for name, value in lines), _HEADERS, "lines")


def wire_lines(log: tuple[Sent, ...]) -> Iterator[str]:
    """Yield requests, responses and failures, in order."""
    if not log:
        yield "nothing"
    # What began it and what gave the rule away; in between is more of the same.
    left_out = range(_FIRST, len(log) - _LAST)
    for number, sent in enumerate(log):
        if number not in left_out:
            yield from _exchange(sent)
        elif number == left_out.start:
            yield f"({len(left_out)} exchanges are left out here)"


def _exchange(sent: Sent) -> Iterator[str]:
    request, reply = sent.request, sent.reply
    parts = urlsplit(request.url)
    target = request.url.partition(parts.netloc)[2] or "/"
    yield f"> {wire(request.method)} {printable(target)} HTTP/1.1"
    yield f"> Host: {printable(parts.netloc)}"
    yield from (f"> {line}" for line in _headers(request.headers))
    if request.body:
        yield from (">", f"> {wire(request.body)}")
    if reply.response is not None:
        yield f"< {reply.response.status} {_phrase(reply.response.status)}".rstrip()
        yield from (f"< {line}" for line in _headers(reply.response.headers))
        if reply.response.body:
            yield from ("<", f"< {wire(reply.response.body)}")
    if reply.failure is not None:
        yield f"! {printable(reply.failure)}"


def _phrase(status: int) -> str:
    return HTTPStatus(status).phrase if status in frozenset(HTTPStatus) else ""
