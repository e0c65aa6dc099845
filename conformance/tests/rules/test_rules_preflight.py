"""The chapter on preflights: whom it spares, and what it finds."""

from collections.abc import Callable
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

POLICY = Policy(
    allow_origins=("https://a.example", "https://b.example"),
    allow_methods=("GET", "POST", "PUT", "DELETE"),
    allow_headers=("X-A", "X-B"),
)


def reference(app: Application, policy: Policy) -> Application:
    parameters: dict[str, Any] = dict(policy.parameters())
    return CORSMiddleware(app, **parameters)


def asked(scope: Any) -> tuple[Any, Any, Any]:
    """What a request asks for: its origin, a method and header names."""
    headers = dict(scope.get("headers", ()))
    names = headers.get(b"access-control-request-headers", b"")
    return headers.get(b"origin"), headers.get(b"access-control-request-method"), names


async def respond(send: Any, status: int, *lines: tuple[bytes, bytes]) -> None:
    await send({"type": "http.response.start", "status": status, "headers": list(lines)})
    await send({"type": "http.response.body", "body": b""})


def unless(refused: Callable[[Any], bool], status: int = 403) -> Wrap:
    """The reference, which refuses some preflights that it would grant."""

    def wrap(app: Application, policy: Policy) -> Application:
        inner = reference(app, policy)

        async def wrong(scope: Any, receive: Any, send: Any) -> None:
            if scope.get("method") == "OPTIONS" and None not in asked(scope) and refused(scope):
                await respond(send, status)
            else:
                await inner(scope, receive, send)

        return wrong

    return wrap


@pytest.mark.parametrize("name", ["reference", "reference-wsgi"])
def test_reference_is_spared(name: str, failures: Failures) -> None:
    assert failures(find(name), "pf-*") == []


def test_freedoms_are_spared(right: Wrap, failures: Failures) -> None:
    assert failures(Implementation(name="right", interface="asgi", wrap=right), "pf-*") == []


@pytest.mark.parametrize(
    "is_taken",
    [
        lambda origin, method: origin is None and method is None,
        lambda origin, method: origin is not None and method is None,
        lambda origin, method: origin is None and method is not None,
    ],
    ids=["neither", "origin", "method"],
)
def test_other_options_taken_for_a_preflight_is_found(
    is_taken: Callable[..., bool], judge: Judge
) -> None:
    def wrap(app: Application, policy: Policy) -> Application:
        inner = reference(app, policy)

        async def wrong(scope: Any, receive: Any, send: Any) -> None:
            if scope.get("method") == "OPTIONS" and is_taken(*asked(scope)[:2]):
                await respond(send, 204)
            else:
                await inner(scope, receive, send)

        return wrong

    assert judge("pf-identify", wrap, POLICY).status is Status.FAILED


def test_get_taken_for_a_preflight_is_found(judge: Judge) -> None:
    def wrap(app: Application, policy: Policy) -> Application:
        inner = reference(app, policy)

        async def wrong(scope: Any, receive: Any, send: Any) -> None:
            origin, method, _ = asked(scope)
            if origin is not None and method is not None:
                await respond(send, 204)
            else:
                await inner(scope, receive, send)

        return wrong

    result = judge("pf-identify", wrap, POLICY)
    assert result.finding is not None
    assert result.finding.message.startswith("`GET` with Origin and Access-Control-Request-Method")


def test_status_that_is_no_grant_is_found(judge: Judge) -> None:
    def wrap(app: Application, policy: Policy) -> Application:
        inner = reference(app, policy)

        async def wrong(scope: Any, receive: Any, send: Any) -> None:
            async def found(message: Any) -> None:
                await send({**message, "status": 302} if message.get("status") == 204 else message)

            await inner(scope, receive, found)

        return wrong

    assert judge("pf-ok-status", wrap, POLICY).status is Status.FAILED


def test_executed_preflight_is_found(judge: Judge) -> None:
    def wrap(app: Application, policy: Policy) -> Application:
        inner = reference(app, policy)

        async def wrong(scope: Any, receive: Any, send: Any) -> None:
            origin, method, _ = asked(scope)
            if scope.get("method") == "OPTIONS" and origin is not None and method is not None:
                await app({**scope, "method": method.decode("latin-1")}, receive, send)
            else:
                await inner(scope, receive, send)

        return wrong

    assert judge("pf-not-executed", wrap, POLICY).status is Status.FAILED


def put_with_headers(scope: Any) -> bool:
    _, method, names = asked(scope)
    return bool(method == b"PUT" and names != b"")


def test_method_that_meddles_with_headers_is_found(judge: Judge) -> None:
    result = judge("pf-decompose", unless(put_with_headers), POLICY)
    assert result.finding is not None
    assert "though each of its parts passes" in result.finding.message


def put_for_one(scope: Any) -> bool:
    origin, method, _ = asked(scope)
    return bool(method == b"PUT" and origin == b"https://b.example")


def test_method_that_meddles_with_the_origin_is_found(judge: Judge) -> None:
    result = judge("pf-decompose", unless(put_for_one), POLICY)
    assert result.finding is not None
    assert "https://b.example, though both are granted" in result.finding.message


def one_header(scope: Any) -> bool:
    return asked(scope)[2] in {b"x-a", b"x-b"}


def test_header_that_passes_only_in_company_is_found(judge: Judge) -> None:
    assert judge("pf-subset", unless(one_header), POLICY).status is Status.FAILED


def no_header(scope: Any) -> bool:
    return bool(asked(scope)[2] == b"")


def test_preflight_that_needs_headers_is_found(judge: Judge) -> None:
    assert judge("pf-subset", unless(no_header), POLICY).status is Status.FAILED


def one_origin(scope: Any) -> bool:
    return bool(asked(scope)[0] == b"https://a.example")


def test_origin_decided_in_two_ways_is_found(judge: Judge) -> None:
    assert judge("pf-consistent", unless(one_origin), POLICY).status is Status.FAILED


def test_denial_that_grants_is_found(judge: Judge) -> None:
    def wrap(app: Application, policy: Policy) -> Application:
        inner = reference(app, policy)

        async def wrong(scope: Any, receive: Any, send: Any) -> None:
            origin, method, names = asked(scope)
            lines = [
                (b"access-control-allow-origin", origin),
                (b"access-control-allow-methods", method),
                (b"access-control-allow-headers", names),
            ]

            async def cleared(message: Any) -> None:
                if message.get("status") == 403:
                    message = {**message, "status": 200, "headers": lines}
                await send(message)

            await inner(scope, receive, cleared)

        return wrong

    assert judge("pf-denied-clean", wrap, POLICY).status is Status.FAILED


def test_credentials_for_all_are_not_told_twice(judge: Judge) -> None:
    policy = Policy(allow_origins=("*",), allow_credentials=True)

    def wrap(app: Application, _: Policy) -> Application:
        async def reflecting(scope: Any, receive: Any, send: Any) -> None:
            origin, method, _ = asked(scope)
            if method is None:
                await app(scope, receive, send)
                return
            await respond(
                send,
                204,
                (b"access-control-allow-origin", origin),
                (b"access-control-allow-credentials", b"true"),
                (b"access-control-allow-methods", b"GET,POST,PUT,DELETE"),
            )

        return reflecting

    assert judge("pf-denied-clean", wrap, policy).finding is None


def denied(scope: Any) -> bool:
    return asked(scope)[0] not in {b"https://a.example", b"https://b.example"}


def test_server_error_for_a_denied_preflight_is_found(judge: Judge) -> None:
    assert judge("pf-denied-no-5xx", unless(denied, status=500), POLICY).status is Status.FAILED


def test_exception_for_a_denied_preflight_is_found(judge: Judge) -> None:
    def fails(scope: Any) -> bool:
        if denied(scope):
            message = "no such origin"
            raise LookupError(message)
        return False

    result = judge("pf-denied-no-5xx", unless(fails), POLICY)
    assert result.finding is not None
    assert "got no response: LookupError: no such origin" in result.finding.message


def private_network(scope: Any) -> bool:
    return any(name.endswith(b"private-network") for name, _ in scope["headers"])


def test_private_network_that_matters_is_found(judge: Judge) -> None:
    assert judge("pf-private-network", unless(private_network), POLICY).status is Status.FAILED


def test_path_that_matters_is_found(judge: Judge) -> None:
    result = judge("pf-route-independent", unless(lambda scope: scope["path"] != "/"), POLICY)
    assert result.status is Status.FAILED
