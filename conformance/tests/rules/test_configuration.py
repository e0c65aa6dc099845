"""The rules about configuration catch policies that kill, and policies that are not served."""

from dataclasses import replace
from typing import Final

import pytest

from batches import BATCH
from cors_conformance.application import ApplicationResponse
from cors_conformance.fetch.http import HTTPRequest, HTTPResponse
from cors_conformance.findings import Status
from cors_conformance.implementation import Application, Implementation
from cors_conformance.policy import Policy
from cors_conformance.rules import RULES
from cors_conformance.rules.base import Breach
from cors_conformance.servers.base import Reply, Server, ServerDied
from cors_conformance.world import World
from middlewares import Judge, Lines, Receive, Scope, Send, Wrap, edited, reference

EMPTY: Final = Policy()


def leaving(app: Application, policy: Policy) -> Application:
    """Ends the process over a policy that it does not like."""
    if policy.allow_credentials and "*" in policy.allow_headers:
        raise SystemExit(1)
    return reference(app, policy)


def test_a_policy_that_ends_the_process_is_found(judge: Judge) -> None:
    result = judge("cfg-serve-or-refuse", leaving)
    assert result.status is Status.FAILED
    assert result.finding is not None
    assert "neither serves this policy nor refuses it" in result.finding.message


def test_a_policy_that_is_refused_is_no_finding(judge: Judge) -> None:
    def refusing(app: Application, policy: Policy) -> Application:
        if policy.allow_credentials:
            message = "no credentials here"
            raise ValueError(message)
        return reference(app, policy)

    assert judge("cfg-serve-or-refuse", refusing).status is Status.PASSED


def test_it_comes_before_all_other_rules() -> None:
    assert next(iter(RULES)) == "cfg-serve-or-refuse"


class Canned(Server):
    """A server that has one reply to everything, or dies."""

    def __init__(self, reply: Reply | None) -> None:
        self.reply = reply

    def send(self, request: HTTPRequest, application: ApplicationResponse) -> Reply:
        if self.reply is None:
            message = "its process vanished"
            raise ServerDied(message)
        return self.reply

    def close(self) -> None:
        pass


@pytest.mark.parametrize(
    ("reply", "said"),
    [
        (None, "its process vanished"),
        (Reply(response=None, failure="it did not end within 5 s"), "never answered"),
    ],
)
def test_a_server_that_dies_or_hangs_is_found(reply: Reply | None, said: str) -> None:
    tiny = Implementation(name="tiny", interface="http", serve=lambda _: Canned(reply))
    with World(tiny, EMPTY) as world, pytest.raises(Breach, match=said):
        RULES["cfg-serve-or-refuse"].check(world, BATCH)


def test_any_reply_is_a_reply() -> None:
    reply = Reply(response=HTTPResponse(status=500), failure="RuntimeError")
    tiny = Implementation(name="tiny", interface="http", serve=lambda _: Canned(reply))
    with World(tiny, EMPTY) as world:
        assert RULES["cfg-serve-or-refuse"].check(world, BATCH)


def everybody(app: Application, policy: Policy) -> Application:
    """Takes no origin for all of them."""
    return reference(app, replace(policy, allow_origins=policy.allow_origins or ("*",)))


def named(app: Application, policy: Policy) -> Application:
    """Has a default of its own."""
    origins = policy.allow_origins or ("https://default.example",)

    def edit(_: Scope, lines: Lines) -> Lines:
        names = dict(lines)
        own = (b"access-control-allow-origin", origins[0].encode())
        return lines if own[0] in names else [*lines, own]

    return edited(edit)(app, policy)


def closed(app: Application, policy: Policy) -> Application:
    """Serves nobody where no origin is allowed."""
    inner = reference(app, policy)

    async def middleware(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http" and not policy.allow_origins:
            await send({"type": "http.response.start", "status": 403, "headers": []})
            await send({"type": "http.response.body"})
            return
        await inner(scope, receive, send)

    return middleware


@pytest.mark.parametrize("wrap", [everybody, named, closed])
def test_an_empty_policy_that_is_not_empty_is_found(wrap: Wrap, judge: Judge) -> None:
    assert judge("cfg-empty", wrap, EMPTY).status is Status.FAILED


def transparent(app: Application, policy: Policy) -> Application:
    return reference(app, policy) if policy.allow_origins else app


def refusing_pages(app: Application, policy: Policy) -> Application:
    inner = reference(app, policy)

    async def middleware(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http" and b"origin" in dict(scope["headers"]):
            await send({"type": "http.response.start", "status": 403, "headers": []})
            await send({"type": "http.response.body"})
            return
        await inner(scope, receive, send)

    return middleware


@pytest.mark.parametrize("wrap", [reference, transparent, refusing_pages])
def test_an_empty_policy_that_grants_nothing_is_spared(wrap: Wrap, judge: Judge) -> None:
    assert judge("cfg-empty", wrap, EMPTY).status is Status.PASSED
