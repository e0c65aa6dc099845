"""The chapter on credentials: whom it spares, and what it finds."""

from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from cors_conformance.findings import RuleResult, Status
from cors_conformance.implementation import Application, Implementation
from cors_conformance.implementations.registry import find
from cors_conformance.policy import Policy
from cors_reference import CORSMiddleware

Judge = Callable[..., RuleResult]
Failures = Callable[..., list[str]]
Wrap = Callable[[Application, Policy], Application]

POLICY = Policy(allow_origins=("https://a.example",), allow_credentials=True)


def reference(app: Application, policy: Policy) -> Application:
    parameters: dict[str, Any] = dict(policy.parameters())
    return CORSMiddleware(app, **parameters)


def changing(change: Callable[[Any, list[Any]], list[Any]]) -> Wrap:
    """The reference, with `change(scope, lines)` done to the header lines of each response."""

    def wrap(app: Application, policy: Policy) -> Application:
        inner = reference(app, policy)

        async def wrong(scope: Any, receive: Any, send: Any) -> None:
            async def changed(message: Any) -> None:
                if message["type"] == "http.response.start":
                    message = {**message, "headers": change(scope, list(message["headers"]))}
                await send(message)

            await inner(scope, receive, changed)

        return wrong

    return wrap


@pytest.mark.parametrize("name", ["reference", "reference-wsgi"])
def test_reference_is_spared(name: str, failures: Failures) -> None:
    assert failures(find(name), "cred-*") == []


def test_freedoms_are_spared(right: Wrap, failures: Failures) -> None:
    assert failures(Implementation(name="right", interface="asgi", wrap=right), "cred-*") == []


def no_grant_with_cookie(scope: Any, lines: list[Any]) -> list[Any]:
    has_cookie = any(name == b"cookie" for name, _ in scope["headers"])
    return [line for line in lines if not has_cookie or not line[0].endswith(b"allow-credentials")]


def test_grant_that_hangs_on_a_cookie_is_found(judge: Judge) -> None:
    result = judge("cred-mode-invisible", changing(no_grant_with_cookie), POLICY)
    assert result.status is Status.FAILED
    assert result.finding is not None
    assert "success without and a network error with cookie" in result.finding.message


def star_or_echo(scope: Any, lines: list[Any]) -> list[Any]:
    origin = dict(scope["headers"]).get(b"origin")
    if origin is None or not any(name == b"cookie" for name, _ in scope["headers"]):
        return lines
    return [
        (name, origin if name == b"access-control-allow-origin" else value) for name, value in lines
    ]


def test_spelling_may_hang_on_a_cookie(judge: Judge) -> None:
    policy = Policy(allow_origins=("*",))
    assert judge("cred-mode-invisible", changing(star_or_echo), policy).status is Status.PASSED


def combined_cookies(_: Any, lines: list[Any]) -> list[Any]:
    cookies = [value for name, value in lines if name == b"set-cookie"]
    others = [line for line in lines if line[0] != b"set-cookie"]
    return [*others, (b"set-cookie", b", ".join(cookies))] if cookies else others


def test_combined_cookies_are_found(judge: Judge) -> None:
    assert judge("cred-set-cookie", changing(combined_cookies)).status is Status.FAILED


def no_origin(_: Any, lines: list[Any]) -> list[Any]:
    return [
        *(line for line in lines if not line[0].startswith(b"access-control-allow-")),
        (b"access-control-allow-credentials", b"true"),
    ]


def test_lonely_credentials_are_found(judge: Judge) -> None:
    result = judge("cred-true-only-if-allowed", changing(no_origin), POLICY)
    assert result.status is Status.FAILED


def test_credentials_beside_another_origin_are_spared(judge: Judge) -> None:
    def static(_: Any, lines: list[Any]) -> list[Any]:
        return [
            *(line for line in lines if not line[0].startswith(b"access-control-allow-")),
            (b"access-control-allow-origin", b"https://a.example"),
            (b"access-control-allow-credentials", b"true"),
        ]

    result = judge("cred-true-only-if-allowed", changing(static), POLICY)
    assert result.status is Status.PASSED


def no_challenge(_: Any, lines: list[Any]) -> list[Any]:
    return [line for line in lines if line[0] != b"www-authenticate"]


def test_lost_challenge_is_found(judge: Judge) -> None:
    assert judge("cred-401", changing(no_challenge), POLICY).status is Status.FAILED


def test_401_made_into_another_status_is_found(judge: Judge) -> None:
    def wrap(app: Application, policy: Policy) -> Application:
        inner = reference(app, policy)

        async def wrong(scope: Any, receive: Any, send: Callable[..., Awaitable[None]]) -> None:
            async def hidden(message: Any) -> None:
                await send({**message, "status": 404} if message.get("status") == 401 else message)

            await inner(scope, receive, hidden)

        return wrong

    result = judge("cred-401", wrap, POLICY)
    assert result.finding is not None
    assert "404, not the application's 401" in result.finding.message
