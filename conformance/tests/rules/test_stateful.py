"""The rules about state catch permissions and responses that outlive what they were given for."""

from dataclasses import replace
from typing import Final

import pytest

from cors_conformance.application import ApplicationResponse
from cors_conformance.findings import Status
from cors_conformance.implementation import Application, Implementation
from cors_conformance.policy import Policy
from cors_conformance.rules import RULES
from cors_conformance.rules.base import Breach
from cors_conformance.scenario import Credentials, Journey, Visit, Wait
from cors_conformance.world import World
from middlewares import Judge, Lines, Receive, Scope, Send, Wrap, edited, reference

ACAM: Final = b"access-control-allow-methods"
VARY: Final = (b"vary", b"Origin")
POLICY: Final = Policy(
    allow_origins=("https://a.example", "https://b.example"),
    allow_methods=("GET", "PUT"),
    allow_headers=("X-A",),
    allow_credentials=True,
    max_age=60,
)


def promising(promise: bytes) -> Wrap:
    """Names more methods than it grants when it is asked for them."""

    def edit(_: Scope, lines: Lines) -> Lines:
        return [(name, promise if name == ACAM else value) for name, value in lines]

    return edited(edit)


def check(rule: str, wrap: Wrap, *steps: Visit | Wait, policy: Policy | None = None) -> bool:
    implementation = Implementation(name="tiny", interface="asgi", wrap=wrap)
    with World(implementation, policy or POLICY) as world:
        return RULES[rule].check(world, Journey(steps=steps))


def put(method: bytes = b"PUT", credentials: Credentials = "omit") -> Visit:
    headers = ((b"x-a", b"1"),)
    return Visit(
        origin="https://a.example", method=method, headers=headers, credentials=credentials
    )


def test_a_promise_that_is_not_kept_is_found() -> None:
    with pytest.raises(Breach, match="got the response after"):
        check("st-preflight-cache", promising(b"GET, PUT, DELETE"), put(), put(b"DELETE"))


def test_a_promise_that_is_not_kept_is_found_by_a_run(judge: Judge) -> None:
    wrong = promising(b"GET, PUT, DELETE, PATCH, CHICKEN, OPTIONS, put, patch, Put, PUTX, XPUT")
    assert judge("st-preflight-cache", wrong, POLICY).status is Status.FAILED


def test_a_promise_lasts_as_long_as_its_max_age() -> None:
    steps = put(), Wait(seconds=61), put(b"DELETE")
    assert check("st-preflight-cache", promising(b"GET, PUT, DELETE"), *steps)


GAP: Final = put(b"GET", "include"), put(b"DELETE", "include")


def test_the_gap_of_the_standard_is_nobodys_fault() -> None:
    everything = replace(POLICY, allow_methods=("*",))
    assert check("st-preflight-cache", promising(b"*"), *GAP, policy=everything)
    with pytest.raises(Breach, match="by a `\\*` that"):
        check("st-star-entry", promising(b"*"), *GAP, policy=everything)
    assert check("st-star-entry", promising(b"GET, DELETE"), *GAP, policy=everything)


def test_what_the_policy_denies_must_not_come_through_the_gap() -> None:
    with pytest.raises(Breach, match="got the response after"):
        check("st-preflight-cache", promising(b"*"), *GAP)


def test_a_literal_star_without_credentials_is_no_gap() -> None:
    with pytest.raises(Breach, match="got the response after"):
        check("st-preflight-cache", promising(b"*"), put(), put(b"DELETE"))


def test_a_preflight_may_refuse_an_unlisted_get() -> None:
    def strict(app: Application, policy: Policy) -> Application:
        inner = reference(app, policy)

        async def middleware(scope: Scope, receive: Receive, send: Send) -> None:
            asked = dict(scope.get("headers", ())).get(b"access-control-request-method")
            if asked == b"POST":
                await send({"type": "http.response.start", "status": 403, "headers": []})
                await send({"type": "http.response.body"})
                return
            await inner(scope, receive, send)

        return middleware

    assert check("st-preflight-cache", strict, put(), put(b"POST"))


def cached(origin: str) -> Visit:
    application = ApplicationResponse(headers=((b"cache-control", b"private, max-age=60"),))
    return Visit(origin=origin, method=b"GET", path="/cached", application=application)


def test_what_one_browser_keeps_for_one_site_is_looked_at() -> None:
    def never(_: Scope, lines: Lines) -> Lines:
        return [line for line in lines if line != VARY]

    steps = cached("https://b.example"), cached("https://a.example"), cached("https://b.example")
    assert check("st-http-cache", edited(never), *steps)
    pages = cached("https://a.example:8443"), cached("https://a.example"), steps[0]
    with pytest.raises(Breach, match="did not get the response after"):
        check("st-http-cache", edited(never), *pages)


def test_a_missing_vary_is_found_by_a_run(judge: Judge) -> None:
    def never(_: Scope, lines: Lines) -> Lines:
        return [line for line in lines if line != VARY]

    assert judge("st-http-cache", edited(never), POLICY).status is Status.FAILED


def test_permissions_that_are_kept_are_spared(judge: Judge) -> None:
    assert judge("st-preflight-cache", reference).status is Status.PASSED
    assert judge("st-http-cache", reference).status is Status.PASSED
