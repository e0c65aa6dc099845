"""Metamorphic rules catch middlewares in which things hang together that should not."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any, Final

import pytest

from cors_conformance.findings import Status
from cors_conformance.implementation import Application, Implementation
from cors_conformance.policy import Policy
from middlewares import Judge, Lines, Scope, Wrap, edited, reference

ACAO: Final = b"access-control-allow-origin"

TWO: Final = Policy(
    allow_origins=("https://a.example", "https://b.example"),
    allow_methods=("GET", "PUT"),
    allow_headers=("X-A", "X-B"),
    expose_headers=("X-Total",),
)
ONE: Final = replace(TWO, allow_origins=("https://a.example",))
NOBODY: Final = replace(TWO, allow_origins=())


def adapted(change: Callable[[Policy], Policy]) -> Wrap:
    """The reference, with another policy than it is given."""
    return lambda app, policy: reference(app, change(policy))


def first_origin(policy: Policy) -> Policy:
    return replace(policy, allow_origins=policy.allow_origins[:1])


def last_header(policy: Policy) -> Policy:
    return replace(policy, allow_headers=policy.allow_headers[-1:])


def at_most_two(policy: Policy) -> Policy:
    return replace(policy, allow_origins=policy.allow_origins[-2:])


def all_from_three(policy: Policy) -> Policy:
    return replace(policy, allow_origins=("*",)) if len(policy.allow_origins) > 2 else policy


def methods_replaced(policy: Policy) -> Policy:
    is_longer = len(policy.allow_methods) > len(TWO.allow_methods)
    return replace(policy, allow_methods=policy.allow_methods[-1:]) if is_longer else policy


def headers_with_methods(policy: Policy) -> Policy:
    is_longer = len(policy.allow_methods) > len(TWO.allow_methods)
    return replace(policy, allow_headers=("*",)) if is_longer else policy


def new_header_forgotten(policy: Policy) -> Policy:
    return replace(policy, allow_headers=policy.allow_headers[:2])


def exposed_replaced(policy: Policy) -> Policy:
    return replace(policy, expose_headers=policy.expose_headers[-1:])


def exposed_all(policy: Policy) -> Policy:
    exposed = ("*",) if len(policy.expose_headers) > 1 else policy.expose_headers
    return replace(policy, expose_headers=exposed)


def closed_by_credentials(policy: Policy) -> Policy:
    return replace(policy, allow_headers=()) if policy.allow_credentials else policy


def closed_by_age(policy: Policy) -> Policy:
    return replace(policy, allow_methods=()) if policy.max_age > 600 else policy


def only_with_one(policy: Policy) -> Policy:
    """Grants a list of one origin only, and doubling makes two of it."""
    return policy if len(policy.allow_origins) < 2 else replace(policy, allow_origins=())


def remembering(app: Application, policy: Policy) -> Application:
    """Keeps the first answer for all."""
    known: list[bytes] = []

    def edit(_: Scope, lines: Lines) -> Lines:
        own = [value for name, value in lines if name == ACAO]
        known.extend(own[: 1 - len(known)] if not known else ())
        return [(name, known[0] if name == ACAO else value) for name, value in lines]

    return edited(edit)(app, policy)


def growing(app: Application, policy: Policy) -> Application:
    """Adds to a list that it keeps."""
    kept: Lines = []

    def edit(_: Scope, lines: Lines) -> Lines:
        kept.append((b"vary", b"Origin"))
        return [*lines, *kept]

    return edited(edit)(app, policy)


def of_the_last(app: Application, policy: Policy) -> Application:
    """Keeps the policy where all instances find it."""
    LAST.append(policy)

    async def call(scope: Scope, receive: Any, send: Any) -> None:
        inner: Any = reference(app, LAST[-1])
        await inner(scope, receive, send)

    return call


LAST: Final[list[Policy]] = []


def leaving(is_left: Callable[[dict[bytes, bytes]], bool]) -> Wrap:
    """Leaves requests with such headers to the application."""

    def wrap(app: Any, policy: Policy) -> Application:
        inner: Any = reference(app, policy)

        async def call(scope: Scope, receive: Any, send: Any) -> None:
            left = is_left(dict(scope.get("headers", ())))
            await (app if left else inner)(scope, receive, send)

        return call

    return wrap


WRONG: Final[dict[str, tuple[str, Wrap, Policy]]] = {
    "the first origin": ("mm-permute", adapted(first_origin), TWO),
    "the last header": ("mm-permute", adapted(last_header), TWO),
    "what is said twice": ("mm-permute", adapted(only_with_one), ONE),
    "origins pushed out": ("mm-mono-origin", adapted(at_most_two), TWO),
    "all from three on": ("mm-mono-origin", adapted(all_from_three), TWO),
    "one origin at a time": ("mm-mono-origin", adapted(first_origin), ONE),
    "methods replaced": ("mm-mono-methods-headers", adapted(methods_replaced), TWO),
    "methods open headers": ("mm-mono-methods-headers", adapted(headers_with_methods), TWO),
    "two headers at most": ("mm-mono-methods-headers", adapted(new_header_forgotten), TWO),
    "exposed replaced": ("mm-mono-methods-headers", adapted(exposed_replaced), TWO),
    "exposed all": ("mm-mono-methods-headers", adapted(exposed_all), TWO),
    "credentials close": ("mm-mono-credentials", adapted(closed_by_credentials), TWO),
    "max_age closes": ("mm-maxage-neutral", adapted(closed_by_age), TWO),
    "a list that grows": ("mm-idempotent", growing, TWO),
    "a first answer for all": ("mm-independent", remembering, TWO),
    "one policy for all": ("mm-independent", of_the_last, TWO),
    "streams": (
        "mm-header-order",
        leaving(lambda headers: headers.get(b"accept") == b"text/event-stream"),
        TWO,
    ),
    "older copies": ("mm-header-order", leaving(lambda headers: b"if-none-match" in headers), TWO),
    "the same site": (
        "mm-header-order",
        leaving(lambda headers: headers.get(b"sec-fetch-site") == b"same-site"),
        TWO,
    ),
}


@pytest.mark.parametrize("name", WRONG)
def test_what_should_not_hang_together_is_found(name: str, judge: Judge) -> None:
    rule, wrap, policy = WRONG[name]
    assert judge(rule, wrap, policy, examples=5).status is Status.FAILED


def strict(app: Application, policy: Policy) -> Application:
    """Refuses what is said twice, and names of its own choice."""
    for listed in (policy.allow_origins, policy.allow_methods, policy.allow_headers):
        if len(set(listed)) != len(listed) or "X-ADDED" in listed:
            message = f"refused: {listed}"
            raise ValueError(message)
    return reference(app, policy)


def cyclic(app: Application, policy: Policy) -> Application:
    """Writes its lists in another order every time, as a hash table does."""
    turn = [0]

    def edit(_: Scope, lines: Lines) -> Lines:
        turn[0] += 1
        result = []
        for name, value in lines:
            parts = value.split(b", ")
            shift = turn[0] % len(parts)
            is_own = name.startswith(b"access-control-")
            result.append((name, b", ".join(parts[shift:] + parts[:shift]) if is_own else value))
        return result

    return edited(edit)(app, policy)


def static(app: Application, policy: Policy) -> Application:
    """Names a single origin to everybody, and several only to themselves."""

    def edit(_: Scope, lines: Lines) -> Lines:
        if len(policy.allow_origins) != 1 or ACAO in dict(lines):
            return lines
        return [*lines, (ACAO, policy.allow_origins[0].encode())]

    return edited(edit)(app, policy)


RIGHT: Final[dict[str, Wrap]] = {
    "the reference": reference,
    "strict": strict,
    "in any order": cyclic,
    "static": static,
}


@pytest.mark.parametrize("name", RIGHT)
def test_what_hangs_together_rightly_is_spared(
    name: str, failures: Callable[..., list[str]]
) -> None:
    tiny = Implementation(name="tiny", interface="asgi", wrap=RIGHT[name])
    assert failures(tiny, "mm-*") == []


def test_a_policy_that_kills_is_not_this_chapters_business(judge: Judge) -> None:
    def leaving(app: Application, policy: Policy) -> Application:
        if policy.allow_credentials:
            raise SystemExit(1)
        return reference(app, policy)

    assert judge("mm-mono-credentials", leaving, TWO).status is Status.NOT_TESTED
