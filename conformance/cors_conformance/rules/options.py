"""Options: what a middleware may be told beside the six parameters, where it has words for it.

Each is tried under one policy: an implementation declares one example of an option.
"""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from dataclasses import replace
from typing import Final

from cors_conformance.fetch.headers import get_all
from cors_conformance.fetch.steps import show
from cors_conformance.implementation import Application, OriginPattern
from cors_conformance.policy import Policy
from cors_conformance.rules.base import Breach
from cors_conformance.rules.misconfigured import is_tried
from cors_conformance.rules.telling import lines, why
from cors_conformance.scenario import Batch, RawRequest, Visit
from cors_conformance.strategies.mutations import EVIL, mutations
from cors_conformance.world import World

_ALLOWED: Final = b"access-control-allow-origin"
_METHODS: Final = (b"GET", b"PUT")
"""One that needs no preflight, and one that does."""
_OK_STATUSES: Final = range(200, 300)
_NAMED_NULL: Final = (
    "https://null",
    "http://null",
    "https://null.example",
    "https://null.a.example",
    "https://example.null",
    "https://nullnull.example",
)


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


def _built(
    world: World, wrap: Callable[[Application, Policy], Application]
) -> AbstractContextManager[World | None]:
    """Give the world of the same middleware, built in another way."""
    return world.beside(replace(world.implementation, wrap=wrap, serve=None), world.policy)


def _require_anchored(world: World, pattern: OriginPattern) -> bool:
    with _built(world, lambda app, _policy: pattern.wrap(app)) as other:
        if other is None or not all(_is_allowed(other, sample) for sample in pattern.samples):
            return False
        for origin in _near(pattern):
            if _is_allowed(other, origin):
                message = f"the pattern {pattern.text!r}, which does not cover {origin}, allows it"
                raise Breach(message)
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


def null_only(world: World, _: Batch) -> bool:
    """Hold that the option for `null` allows no origin that has it in its name."""
    option = world.implementation.null_origin
    if option is None or not is_tried(world):
        return False
    with _built(world, option.wrap) as other:
        if other is None or not _is_allowed(other, "null"):
            return False
        for origin in (EVIL, *_NAMED_NULL):
            if _is_allowed(other, origin):
                message = f"{option.text}, which is for null, allows {origin}"
                raise Breach(message)
    return True


def null_shared(world: World, _: Batch) -> bool:
    """Hold that pages of opaque origins, and the policy's own, get what the policy grants."""
    option = world.implementation.null_origin
    if option is None or not is_tried(world):
        return False
    with _built(world, option.wrap) as other:
        if other is None:
            return False
        for origin in ("null", *world.policy.allow_origins):
            for method in _METHODS:
                fetched = other.fetch(Visit(origin=origin, method=method))
                if not fetched.shared:
                    message = (
                        f"with {option.text}, a page of {origin} did not get the response to"
                        f" {method.decode()}; the browser says {why(fetched)}"
                    )
                    raise Breach(message)
    return True


def private_network(world: World, _: Batch) -> bool:
    """Hold that a granted preflight that asks for a private network is told that it may."""
    option = world.implementation.private_network
    if option is None or not is_tried(world):
        return False
    (origin,) = world.policy.allow_origins
    with _built(world, option.wrap) as other:
        if other is None:
            return False
        sent = other.send(
            RawRequest(
                method=b"OPTIONS",
                headers=(
                    (b"origin", origin.encode()),
                    (b"access-control-request-method", _METHODS[-1]),
                    (b"access-control-request-private-network", b"true"),
                ),
            )
        )
        found = lines(sent, b"access-control-allow-private-network")
        status = None if sent.reply.response is None else sent.reply.response.status
        if found != [b"true"] or status not in _OK_STATUSES:
            message = (
                f"with {option.text}, a granted preflight that asks for a private network was"
                f" answered {status} with Access-Control-Allow-Private-Network:"
                f" {show(b' | '.join(found) or None)}"
            )
            raise Breach(message)
    return True
