"""Options beside the six parameters: what they allow, and no more."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any, Final

import pytest

from batches import BATCH
from cors_conformance.implementation import Application, Implementation, Option
from cors_conformance.implementations.registry import find
from cors_conformance.mutants import MUTANTS
from cors_conformance.policy import Policy
from cors_conformance.rules import RULES
from cors_conformance.rules.base import Breach
from cors_conformance.rules.picking import ONE_ORIGIN
from cors_conformance.world import World
from cors_reference import CORSMiddleware

NULL_RULES: Final = ("safe-null-option", "live-null-option")


def judged(rule: str, implementation: Implementation, policy: Policy = ONE_ORIGIN) -> bool:
    with World(implementation, policy) as world:
        return RULES[rule].check(world, BATCH)


def with_null(wrap: Callable[[Application, Policy], Application]) -> Implementation:
    option = Option(text="allow_null=True", wrap=wrap)
    return replace(find("reference"), null_origin=option)


def granting_null(app: Application, policy: Policy) -> Application:
    """Takes pages that have no origin for those of the first one."""
    parameters: dict[str, Any] = dict(policy.parameters())
    inner, allowed = CORSMiddleware(app, **parameters), policy.allow_origins[0].encode()

    async def call(scope: Any, receive: Any, send: Any) -> None:
        lines = [
            (name, allowed if (name, value) == (b"origin", b"null") else value)
            for name, value in scope["headers"]
        ]
        is_null = lines != scope["headers"]

        async def send_null(message: Any) -> None:
            if is_null and message["type"] == "http.response.start":
                named = [
                    (name, b"null" if name == b"access-control-allow-origin" else value)
                    for name, value in message["headers"]
                ]
                message = {**message, "headers": named}
            await send(message)

        await inner({**scope, "headers": lines}, receive, send_null)

    return call


@pytest.mark.parametrize("rule", NULL_RULES)
def test_null_and_no_more_is_right(rule: str) -> None:
    assert judged(rule, with_null(granting_null))


@pytest.mark.parametrize(
    ("name", "rule", "message"),
    [
        ("null-anywhere", "safe-null-option", "allows https://null"),
        ("null-has-no-preflights", "live-null-option", "a page of null did not get the response"),
        ("private-network-titled", "live-private-network-option", "Network: `True`"),
        ("pattern-open-at-its-end", "safe-pattern-anchored", "does not cover"),
        ("dot-of-apattern-lost", "safe-pattern-anchored", "does not cover"),
    ],
)
def test_what_is_wrong_is_told(name: str, rule: str, message: str) -> None:
    with pytest.raises(Breach, match=message):
        judged(rule, MUTANTS[name].implementation)


def test_an_option_that_keeps_the_policys_own_pages_out_is_told() -> None:
    def only_null(app: Application, policy: Policy) -> Application:
        return granting_null(app, replace(policy, allow_origins=("https://other.example",)))

    with pytest.raises(
        Breach, match=r"a page of https://a\.example did not get the response to GET"
    ):
        judged("live-null-option", with_null(only_null))


@pytest.mark.parametrize("rule", NULL_RULES)
def test_an_option_that_is_refused_is_not_judged(rule: str) -> None:
    def refuse(app: Application, policy: Policy) -> Application:
        message = "no null here"
        raise ValueError(message)

    assert not judged(rule, with_null(refuse))


@pytest.mark.parametrize("name", ["starlette", "fastapi"])
def test_anchored_patterns_are_right(name: str) -> None:
    pytest.importorskip(name)
    assert judged("safe-pattern-anchored", find(name))


def test_starlettes_private_network_is_right() -> None:
    pytest.importorskip("starlette")
    assert judged("live-private-network-option", find("starlette"))


@pytest.mark.parametrize(
    "rule", [*NULL_RULES, "live-private-network-option", "safe-pattern-anchored"]
)
def test_options_are_tried_under_one_policy(rule: str) -> None:
    assert not judged(rule, with_null(granting_null), Policy(allow_origins=("*",)))
