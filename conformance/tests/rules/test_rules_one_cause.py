"""A rule says nothing where another one names what is wrong, or where nothing can be set."""

from collections.abc import MutableMapping
from dataclasses import replace
from typing import Any, Final

import pytest

from cors_conformance.dialect import Dialect
from cors_conformance.findings import Status
from cors_conformance.implementation import Application, Capability, Implementation
from cors_conformance.policy import Policy
from cors_conformance.profiles import PROFILES
from cors_conformance.rules import RULES, select
from cors_conformance.rules.base import Look
from cors_conformance.run import Run, smoke
from cors_conformance.scenario import Visit
from cors_conformance.shrinking import judge
from cors_conformance.world import World
from cors_reference import CORSMiddleware

# Its runs go through the same code as those of others do.
pytestmark = pytest.mark.usefixtures("untraced")

USUAL: Final = ("DELETE", "GET", "HEAD", "OPTIONS", "PATCH", "POST", "PUT")


def reference(app: Application, policy: Policy) -> Application:
    parameters: dict[str, Any] = dict(policy.parameters())
    return CORSMiddleware(app, **parameters)


def with_usual_methods(app: Application, policy: Policy) -> Application:
    """Takes `*` for a list of methods that it does not document."""
    methods = list(USUAL) if "*" in policy.allow_methods else list(policy.allow_methods)
    parameters: dict[str, Any] = {**policy.parameters(), "allow_methods": methods}
    return CORSMiddleware(app, **parameters)


def with_any_header(app: Application, policy: Policy) -> Application:
    parameters: dict[str, Any] = {**policy.parameters(), "allow_headers": ["*"]}
    return CORSMiddleware(app, **parameters)


def without_some_method(method: str) -> Any:
    """Answers a method in place of the application, as routers do."""

    def wrap(app: Application, policy: Policy) -> Application:
        async def routed(scope: MutableMapping[str, Any], receive: Any, send: Any) -> None:
            if scope["type"] == "http" and scope["method"] == method:
                await send({"type": "http.response.start", "status": 204, "headers": []})
                await send({"type": "http.response.body", "body": b""})
                return
            await app(scope, receive, send)

        return reference(routed, policy)

    return wrap


def statuses(
    wrap: Any,
    rule: str,
    policy: Policy,
    *lacks: Capability,
) -> Status:
    implementation = Implementation(
        name="tiny",
        interface="asgi",
        wrap=wrap,
        dialect=Dialect(wildcard_lists_with_credentials=True),
        lacks=dict.fromkeys(lacks, "it is like that"),
    )
    run = Run(
        implementation=implementation,
        rules=select([rule]),
        profile=PROFILES["quick"],
        policy=policy,
    )
    (result,) = run.report().results
    return result.status


A: Final = ("https://a.example",)


@pytest.mark.parametrize("rule", ["live-header-case", "live-preflight-no-credentials"])
def test_a_wildcard_that_is_a_list_is_told_by_its_own_rule(rule: str) -> None:
    policy = Policy(allow_origins=A, allow_methods=("*",), allow_headers=("X-A",))
    assert statuses(with_usual_methods, "live-wildcard-method", policy) is Status.FAILED
    assert statuses(with_usual_methods, rule, policy) is not Status.FAILED


POLICY: Final = Policy(allow_origins=A, allow_methods=("PATCH",), allow_headers=("X-A",))
PAGE: Final = Visit(origin=A[0], method=b"GET")
GRANTED_BY_MISTAKE: Final[dict[str, tuple[Policy, Visit]]] = {
    "safe-method": (replace(POLICY, allow_methods=("*",)), replace(PAGE, method=b"patch")),
    "safe-method-case": (
        replace(POLICY, allow_methods=("PATCH", "patch")),
        replace(PAGE, method=b"patch"),
    ),
    "safe-header": (
        replace(POLICY, allow_headers=("*",)),
        replace(PAGE, headers=((b"authorization", b"1"),)),
    ),
    "safe-authorization": (
        replace(POLICY, allow_headers=("X-A", "Authorization")),
        replace(PAGE, headers=((b"authorization", b"1"),)),
    ),
}
"""By rule: what a middleware takes the policy for, and who gets something by that."""


@pytest.mark.parametrize("rule", GRANTED_BY_MISTAKE)
def test_what_is_granted_by_mistake_is_told_by_one_rule(rule: str) -> None:
    policy, visit = GRANTED_BY_MISTAKE[rule]

    def wrap(app: Application, _: Policy) -> Application:
        return reference(app, policy)

    with World(Implementation(name="tiny", interface="asgi", wrap=wrap), POLICY) as world:
        fetched = world.fetch(visit)
        fetching = [rule for rule in RULES.values() if rule.look is Look.FETCH]
        judged = {each.id: judge(each, world, [fetched], RULES) for each in fetching}
    broken = {name: found.ground for name, found in judged.items() if found.message is not None}
    assert [name for name, ground in broken.items() if not ground] == [rule]
    assert len(broken) > 1


@pytest.mark.parametrize("rule", ["live-expose", "mm-mono-methods-headers"])
@pytest.mark.parametrize("method", ["OPTIONS", "CHICKEN"])
def test_headers_that_the_application_did_not_send_are_no_matter_of_exposing(
    method: str, rule: str
) -> None:
    policy = Policy(allow_origins=A, allow_methods=(method,), expose_headers=("X-A",))
    wrap = without_some_method(method)
    assert statuses(wrap, rule, policy, Capability.ANY_METHOD) is not Status.FAILED


def test_a_denial_that_cannot_be_told_to_the_middleware_is_not_asked_of_it() -> None:
    policy = Policy(allow_origins=A)
    assert statuses(with_any_header, "pf-denied-clean", policy) is Status.FAILED
    found = statuses(with_any_header, "pf-denied-clean", policy, Capability.HEADERS)
    assert found is Status.PASSED


def test_what_cannot_express_the_plain_policy_is_started_with_another() -> None:
    def refuses(policy: Policy) -> str | None:
        return None if policy.expose_headers else "an empty expose_headers"

    smoke(Implementation(name="tiny", interface="asgi", wrap=reference, refuses=refuses))
