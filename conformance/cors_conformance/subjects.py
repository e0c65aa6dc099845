"""Subjects: from what a batch does to what the rules look at."""

from collections.abc import Iterator
from dataclasses import replace
from itertools import islice, permutations, product
from typing import Final, TypeAlias

from cors_conformance.application import ApplicationResponse
from cors_conformance.calls import CALLS
from cors_conformance.rules.base import Look, Subject
from cors_conformance.scenario import PLAIN, ASGICall, Batch, Journey, RawRequest, Visit
from cors_conformance.world import World

Source: TypeAlias = Visit | RawRequest | Journey | ASGICall | Batch
"""Something done under a policy that can be written down and done again."""

RELATIONS_PER_BATCH: Final = 4

_ANSWERS: Final = (
    (b"vary", b"x-from-the-request"),
    (b"access-control-allow-origin", b"https://from-the-request.example"),
    (b"access-control-expose-headers", b"x-from-the-request"),
)
_PAGES_PER_BATCH: Final = 2
_ASKED_PER_BATCH: Final = 4
_FRESH: Final = (b"cache-control", b"public, max-age=60")
_CACHEABLE: Final = ApplicationResponse(headers=(_FRESH,))
_VARYING: Final = ApplicationResponse(headers=(_FRESH, (b"vary", b"accept-encoding")))


def sources(look: Look, batch: Batch) -> Iterator[Source]:
    """Give what of a batch concerns the rules that look at `look`."""
    match look:
        case Look.FETCH:
            yield from batch.visits()
        case Look.RELATION:
            yield from _spread(batch)
        case Look.RESPONSE:
            yield from batch.visits()
            yield from batch.hostile
            yield from _answering_requests(batch)
        case Look.HOSTILE:
            yield from batch.hostile
        case Look.JOURNEY:
            yield from _pairs(batch)
            yield from _tours(batch)
            yield from _preflighted_pairs(batch)
            yield from batch.journeys
        case Look.CALL:
            yield from CALLS
        case Look.BATCH | Look.POLICY:
            yield batch


def _answering_requests(batch: Batch) -> Iterator[RawRequest]:
    """Send what belongs into responses: a middleware that mixes the two up repeats it."""
    for origin in batch.origins:
        yield RawRequest(method=b"GET", headers=((b"origin", origin.encode("latin-1")), *_ANSWERS))


def _spread(batch: Batch) -> Iterator[Visit]:
    """Pick visits from all over the product, with a plain application: others have their rules."""
    visits = list(batch.combinations())
    step = max(1, len(visits) // RELATIONS_PER_BATCH)
    for visit in islice(visits[::step], RELATIONS_PER_BATCH):
        yield _plainly(visit)


def _plainly(visit: Visit) -> Visit:
    return Visit(
        origin=visit.origin,
        method=visit.method,
        path=visit.path,
        headers=visit.headers,
        credentials=visit.credentials,
        body=visit.body,
        application=PLAIN,
    )


def _pages(batch: Batch, application: ApplicationResponse) -> tuple[Visit, ...]:
    """Give pages that fetch one resource: one that sends no `Origin`, then some of each kind."""
    origins = dict.fromkeys((*batch.origins[:_PAGES_PER_BATCH], "null"))
    page = Visit(origin=batch.origins[0], method=b"GET", path="/cached", application=application)
    return replace(page, mode="no-cors"), *(replace(page, origin=origin) for origin in origins)


def _pairs(batch: Batch) -> Iterator[Journey]:
    """Let each page come after each other one, which finds a missing `Vary` for sure."""
    for first, second in permutations(_pages(batch, _CACHEABLE), 2):
        if second.mode == "cors":
            yield Journey(steps=(first, second))


def _tours(batch: Batch) -> Iterator[Journey]:
    """Let all pages come, with and without credentials, one way and the other way round."""
    for application, way in ((_CACHEABLE, 1), (_VARYING, -1)):
        pages = _pages(batch, application)[::way]
        with_credentials = (replace(page, credentials="include") for page in pages)
        yield Journey(steps=(*pages, *with_credentials, pages[0]))


def _preflighted_pairs(batch: Batch) -> Iterator[Journey]:
    """Let one page ask for one thing and then another: the first preflight may promise too much."""
    combinations = list(product(batch.methods, batch.header_sets, batch.credentials))
    step = max(1, len(combinations) // _ASKED_PER_BATCH)
    asked = [
        Visit(origin=batch.origins[0], method=method, headers=headers, credentials=credentials)
        for method, headers, credentials in combinations[::step][:_ASKED_PER_BATCH]
    ]
    for first, second in permutations(asked, 2):
        yield Journey(steps=(first, second))


def subjects(look: Look, world: World, source: Source) -> Iterator[Subject]:
    """Do what `source` says and give what the rules look at.

    Raises:
        ServerDied: the server died of it.

    """
    if isinstance(source, Visit):
        fetched = world.fetch(source)
        if look is Look.RESPONSE:
            yield from fetched.sent
        else:
            yield fetched
    elif isinstance(source, RawRequest):
        yield world.send(source)
    else:
        yield source
