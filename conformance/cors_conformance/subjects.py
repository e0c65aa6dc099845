"""Subjects: from what a batch does to what the rules look at."""

from collections.abc import Iterator
from itertools import islice
from typing import Final, TypeAlias

from cors_conformance.calls import CALLS
from cors_conformance.rules.base import Look, Subject
from cors_conformance.scenario import PLAIN, ASGICall, Batch, Journey, RawRequest, Visit
from cors_conformance.world import World

Source: TypeAlias = Visit | RawRequest | Journey | ASGICall | Batch
"""Something done under a policy that can be written down and done again."""

RELATIONS_PER_BATCH: Final = 6


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
        case Look.HOSTILE:
            yield from batch.hostile
        case Look.JOURNEY:
            yield from batch.journeys
        case Look.CALL:
            yield from CALLS
        case Look.POLICY:
            yield batch


def _spread(batch: Batch) -> Iterator[Visit]:
    """Pick visits from all over the product, with a plain application: others have their rules."""
    visits = list(batch.visits())
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
