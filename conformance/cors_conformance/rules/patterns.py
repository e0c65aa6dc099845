"""Patterns: origins that are allowed by what they look like, where a middleware has that."""

from collections.abc import Iterator
from dataclasses import replace
from typing import Final

from cors_conformance.fetch.headers import get_all
from cors_conformance.implementation import Application, OriginPattern
from cors_conformance.policy import Policy
from cors_conformance.rules.base import Breach
from cors_conformance.rules.misconfigured import is_tried
from cors_conformance.scenario import Batch, RawRequest
from cors_conformance.servers.base import ConfigurationRefused, ServerDied
from cors_conformance.strategies.mutations import EVIL, mutations
from cors_conformance.world import World

_ALLOWED: Final = b"access-control-allow-origin"


def anchored(world: World, _: Batch) -> bool:
    """Hold that a pattern allows nothing but what it covers from begin to end.

    Patterns belong to the implementation; they are tried under one policy, which they replace.
    """
    if not is_tried(world):
        return False
    judged = False
    for pattern in world.implementation.patterns:
        judged |= _require_anchored(world, pattern)
    return judged


def _require_anchored(world: World, pattern: OriginPattern) -> bool:
    def wrap(app: Application, _: Policy) -> Application:
        return pattern.wrap(app)

    implementation = replace(world.implementation, wrap=wrap, serve=None)
    with World(implementation, world.policy) as other:
        other.log = world.log
        try:
            if not all(_is_allowed(other, sample) for sample in pattern.samples):
                return False
            for origin in _near(pattern):
                if _is_allowed(other, origin):
                    message = (
                        f"the pattern {pattern.text!r}, which does not cover {origin}, allows it"
                    )
                    raise Breach(message)
        except (ConfigurationRefused, ServerDied):
            return False
    return True


def _near(pattern: OriginPattern) -> Iterator[str]:
    """Give origins that browsers send and that resemble covered ones."""
    texts = (EVIL, "null", *(text for sample in pattern.samples for text in _mutated(sample)))
    for text in dict.fromkeys(texts):
        if not pattern.covers(text):
            yield text


def _mutated(sample: str) -> tuple[str, ...]:
    return mutations(sample, audience="browser")


def _is_allowed(world: World, origin: str) -> bool:
    """Whether the answer to a GET or to a preflight names the origin, or all."""
    line = (b"origin", origin.encode("latin-1"))
    asks = (b"access-control-request-method", b"GET")
    requests = (
        RawRequest(method=b"GET", headers=(line,)),
        RawRequest(method=b"OPTIONS", headers=(line, asks)),
    )
    replies = [world.send(raw).reply.response for raw in requests]
    return any(
        value in {line[1], b"*"}
        for reply in replies
        if reply is not None
        for value in get_all(reply.headers, _ALLOWED)
    )
