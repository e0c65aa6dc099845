"""Configuration: a policy is served as it stands, or it is refused."""

from collections.abc import Iterator
from dataclasses import replace
from typing import Final

from cors_conformance.fetch.steps import show
from cors_conformance.implementation import Capability
from cors_conformance.rules import misconfigured
from cors_conformance.rules.asking import plain_grant
from cors_conformance.rules.base import Breach, Level, Look, Rule
from cors_conformance.rules.telling import lines, refuse_shared
from cors_conformance.scenario import Batch, RawRequest
from cors_conformance.servers.base import ServerDied
from cors_conformance.world import Fetched, Sent, World

_HUNG: Final = "did not end within"
_STRANGER: Final = "https://stranger.example"


def _serve_or_refuse(world: World, batch: Batch) -> bool:
    try:
        for visit in batch.visits():
            for sent in world.fetch(visit).sent:
                _refuse_hanging(sent)
        for raw in (*batch.hostile, *_usual(world)):
            _refuse_hanging(world.send(raw))
    except ServerDied as death:
        message = f"it neither serves this policy nor refuses it: {death}"
        raise Breach(message) from death
    return True


def _usual(world: World) -> Iterator[RawRequest]:
    """Give a page's request and its preflight, which not every batch has."""
    origin, method = plain_grant(world)
    page = (b"origin", (origin or _STRANGER).encode("latin-1"))
    asks = (b"access-control-request-method", method or b"PUT")
    yield RawRequest(method=b"GET", headers=(page,))
    yield RawRequest(method=b"OPTIONS", headers=(page, asks))


def _refuse_hanging(sent: Sent) -> None:
    failure = sent.reply.failure
    if failure is not None and _HUNG in failure:
        message = f"a request with method {show(sent.request.method)} is never answered: {failure}"
        raise Breach(message)


def _empty(world: World, fetched: Fetched) -> bool:
    if world.policy.allow_origins or not fetched.grant.denied:
        return False
    refuse_shared(fetched)
    for sent in fetched.sent:
        values = lines(sent, b"access-control-allow-origin")
        if values:
            message = (
                f"Access-Control-Allow-Origin is {show(values[0])} although allow_origins is empty"
            )
            raise Breach(message)
    image = world.fetch(
        replace(fetched.visit, mode="no-cors", method=b"GET", headers=(), body=None)
    )
    for sent in image.sent:
        _require_transparency(world, sent)
    return True


def _require_transparency(world: World, sent: Sent) -> None:
    """Hold that a request without `Origin` reaches the application, and its answer the client."""
    application, response = sent.application, sent.reply.response
    if application.raises != "never":
        return
    if world.can(Capability.APPLICATION_CALLS) and len(sent.reply.calls) != 1:
        calls = len(sent.reply.calls)
        message = f"a request without Origin reached the application {calls} times, not once"
        raise Breach(message)
    if not world.can(Capability.APPLICATION_STATUS):
        return
    if response is None or response.status != application.status:
        seen = sent.reply.failure if response is None else f"status {response.status}"
        message = (
            f"a request without Origin was answered with {seen}; the application answers"
            f" {application.status}"
        )
        raise Breach(message)


SERVING: Final = (
    Rule(
        id="cfg-serve-or-refuse",
        statement="A policy is served or refused with an error at construction; the process never"
        " dies or hangs.",
        anchor="#http-cors-protocol",
        level=Level.MUST,
        look=Look.BATCH,
        check=_serve_or_refuse,
        chapter="configuration",
    ),
)
"""What comes before all else: the first to touch a server meets its death."""

_GIVEN: Final = frozenset({Capability.CONFIGURATIONS})

CONFIGURATION: Final = (
    Rule(
        id="cfg-empty",
        statement="A policy without origins grants nothing and leaves other requests alone.",
        anchor="#http-cors-protocol",
        level=Level.MUST,
        look=Look.FETCH,
        check=_empty,
        chapter="configuration",
    ),
    Rule(
        id="cfg-bad-origin",
        statement="An item of allow_origins that no browser sends is refused, taken for the origin"
        " that it spells, or grants nothing.",
        anchor="#http-origin",
        level=Level.INFO,
        look=Look.POLICY,
        check=misconfigured.bad_origin,
        needs=_GIVEN,
        chapter="configuration",
    ),
    Rule(
        id="cfg-bad-token",
        statement="Methods and header names that are no tokens are refused, or never sent.",
        anchor="#http-new-header-syntax",
        level=Level.MUST,
        look=Look.POLICY,
        check=misconfigured.bad_token,
        needs=_GIVEN,
        chapter="configuration",
    ),
    Rule(
        id="cfg-max-age",
        statement="A max_age that is no whole number of seconds, or negative, is refused, or what"
        " is sent are digits.",
        anchor="RFC 9111, 1.2.2",
        level=Level.MUST,
        look=Look.POLICY,
        check=misconfigured.max_age,
        needs=_GIVEN | {Capability.MAX_AGE},
        chapter="configuration",
    ),
    Rule(
        id="cfg-star-mixed",
        statement="`*` beside names in a list is refused, or grants what `*` grants.",
        anchor="#http-new-header-syntax",
        level=Level.SHOULD,
        look=Look.POLICY,
        check=misconfigured.star_mixed,
        needs=_GIVEN,
        chapter="configuration",
    ),
    Rule(
        id="cfg-str-not-iterable",
        statement="A string where a list belongs is refused, or taken for one item, and not for a"
        " list of its characters.",
        anchor="#http-cors-protocol",
        level=Level.INFO,
        look=Look.POLICY,
        check=misconfigured.text_for_list,
        needs=_GIVEN,
        chapter="configuration",
    ),
    Rule(
        id="cfg-snapshot",
        statement="What is appended to a list after construction is not granted.",
        anchor="#http-cors-protocol",
        level=Level.INFO,
        look=Look.POLICY,
        check=misconfigured.snapshot,
        needs=_GIVEN,
        chapter="configuration",
    ),
    Rule(
        id="cfg-forbidden",
        statement="Methods and headers that no page can use are refused, or do no harm to what"
        " else is configured.",
        anchor="#forbidden-method",
        level=Level.SHOULD,
        look=Look.POLICY,
        check=misconfigured.forbidden,
        needs=_GIVEN,
        chapter="configuration",
    ),
)
"""Chapter I."""
