"""How rules are tried: right middlewares that they must spare, and a judge for wrong ones."""

from collections.abc import Awaitable, Callable, MutableMapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final, TypeAlias

import pytest
from hypothesis import Phase, settings

from cors_conformance.findings import RuleResult
from cors_conformance.implementation import Application, Implementation, Interface
from cors_conformance.policy import Policy
from cors_conformance.profiles import PROFILES
from cors_conformance.rules import RULES, select
from cors_conformance.rules.base import Rule
from cors_conformance.run import Run
from cors_conformance.shrinking import Drawn, Enough

Message: TypeAlias = MutableMapping[str, Any]
Scope: TypeAlias = MutableMapping[str, Any]
Receive: TypeAlias = Callable[[], Awaitable[Message]]
Send: TypeAlias = Callable[[Message], Awaitable[None]]
Lines: TypeAlias = list[tuple[bytes, bytes]]

SAFELISTED: Final = ("GET", "HEAD", "POST")
CORS: Final = b"access-control-"


@dataclass(frozen=True, slots=True)
class Right:
    """A right middleware that uses freedoms of the standard.

    `passes_on` lets the application answer preflights too, and puts the status right; `refuses`
    answers 403 to requests that are not granted; `is_static` answers every preflight alike, and
    names a single origin to everybody; `reports` answers 500 to exceptions, and raises them.
    """

    app: Application
    policy: Policy
    passes_on: bool = False
    refuses: bool = False
    is_static: bool = False
    reports: bool = False

    def __post_init__(self) -> None:
        if self.policy.allow_credentials and "*" in self.policy.allow_origins:
            message = "all origins with credentials"
            raise ValueError(message)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        headers: dict[bytes, bytes] = {}
        for name, value in scope["headers"]:
            headers[name] = headers[name] + b", " + value if name in headers else value
        origin = headers.get(b"origin")
        method = headers.get(b"access-control-request-method")
        is_preflight = scope["method"] == "OPTIONS" and None not in (origin, method)
        if is_preflight and not self.passes_on:
            await self.answer(headers, send)
        elif self.refuses and not is_preflight and not self.serves(scope["method"], origin):
            await respond(send, 403, self.lines(origin), b"no")
        else:
            await self.serve(scope, receive, send, headers, is_preflight)

    async def serve(
        self,
        scope: Scope,
        receive: Receive,
        send: Send,
        headers: dict[bytes, bytes],
        is_preflight: bool,
    ) -> None:
        started = False

        async def share(message: Message) -> None:
            nonlocal started
            if message["type"] == "http.response.start":
                started = True
                own = [line for line in message.get("headers", ()) if not line[0].startswith(CORS)]
                status, lines = message["status"], self.lines(headers.get(b"origin"))
                if is_preflight:
                    status = 200 if self.grants(headers) else status
                    lines = lines + self.preflight_lines(headers) if self.grants(headers) else []
                    own = [line for line in own if line[0] != b"content-length"]
                message = {**message, "status": status, "headers": [*own, *lines]}
            await send(message)

        try:
            await self.app(scope, receive, share)
        except Exception:
            if self.reports and not started:
                await respond(send, 500, self.lines(headers.get(b"origin")), b"sorry")
            raise

    async def answer(self, headers: dict[bytes, bytes], send: Send) -> None:
        lines = self.lines(headers[b"origin"])
        if self.is_static:
            await respond(send, 200, lines + self.preflight_lines(headers), b"OK")
        elif self.grants(headers):
            await respond(send, 204, lines + self.preflight_lines(headers), b"")
        else:
            await respond(send, 400, [(b"vary", b"Origin")], b"denied")

    def serves(self, method: str, origin: bytes | None) -> bool:
        return origin is None or (
            self.allows(origin)
            and ("*" in self.policy.allow_methods or method in self.policy.allow_methods)
        )

    def allows(self, origin: bytes) -> bool:
        allowed = self.policy.allow_origins
        return "*" in allowed or origin.decode("latin-1") in allowed

    def lines(self, origin: bytes | None) -> Lines:
        policy = self.policy
        if not policy.allow_origins:
            return []
        if "*" in policy.allow_origins:
            lines = [(b"access-control-allow-origin", b"*")]
        elif self.is_static and len(policy.allow_origins) == 1:
            lines = [(b"access-control-allow-origin", policy.allow_origins[0].encode())]
        elif origin is None or not self.allows(origin):
            return [(b"vary", b"Origin")]
        else:
            lines = [(b"access-control-allow-origin", origin), (b"vary", b"Origin")]
        if policy.allow_credentials:
            lines.append((b"access-control-allow-credentials", b"true"))
        if policy.expose_headers:
            exposed = ",".join(policy.expose_headers).encode()
            lines.append((b"access-control-expose-headers", exposed))
        return lines

    def grants(self, headers: dict[bytes, bytes]) -> bool:
        policy = self.policy
        method = headers[b"access-control-request-method"].decode("latin-1")
        asked = headers.get(b"access-control-request-headers", b"").decode("latin-1").lower()
        known = {name.lower() for name in policy.allow_headers}
        names = {name.strip() for name in asked.split(",")} - {""}
        return (
            self.allows(headers[b"origin"])
            and not {"*", method}.isdisjoint({*SAFELISTED, *policy.allow_methods})
            and ("*" in known or names <= known)
        )

    def preflight_lines(self, headers: dict[bytes, bytes]) -> Lines:
        policy = self.policy
        methods, names = policy.allow_methods, policy.allow_headers
        lines = [(b"access-control-max-age", b"%d" % policy.max_age)]
        for name, listed, asked in (
            (b"allow-methods", methods, headers.get(b"access-control-request-method", b"")),
            (b"allow-headers", names, headers.get(b"access-control-request-headers", b"")),
        ):
            value = ", ".join(listed).encode()
            if "*" in listed and policy.allow_credentials:
                value = asked
            if value:
                lines.append((CORS + name, value))
        return lines


@dataclass(frozen=True, slots=True)
class Framework:
    """Routes requests between a middleware and the application, in a way of its own.

    It marks the scope, frames responses anew, answers 500 to exceptions, and keeps to itself all
    that is not HTTP.
    """

    app: Application

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            for phase in ("startup", "shutdown"):
                await receive()
                await send({"type": f"lifespan.{phase}.complete"})
            return
        assert scope["type"] == "http", "this framework knows only HTTP"
        scope["route"] = "/"
        started = False

        async def framed(message: Message) -> None:
            nonlocal started
            started = True
            is_last = message["type"] == "http.response.body" and not message.get("more_body")
            await send({**message, "more_body": True} if is_last else message)
            if is_last:
                await send({"type": "http.response.body", "body": b"", "more_body": False})

        try:
            await self.app(scope, receive, framed)
        except Exception:
            if started:
                raise
            await respond(send, 500, [], b"sorry")


async def respond(send: Send, status: int, lines: Lines, body: bytes) -> None:
    await send({"type": "http.response.start", "status": status, "headers": lines})
    await send({"type": "http.response.body", "body": body})


RIGHT: Final[dict[str, dict[str, bool]]] = {
    "plain": {},
    "passes preflights on": {"passes_on": True},
    "refuses": {"refuses": True},
    "static": {"is_static": True},
    "reports exceptions": {"reports": True},
    "in a framework": {},
}


@pytest.fixture(params=sorted(RIGHT))
def right(request: pytest.FixtureRequest) -> Callable[[Application, Policy], Application]:
    """Builds a right middleware, one after the other."""
    options = RIGHT[request.param]
    if request.param == "in a framework":
        return lambda app, policy: Right(Framework(app), policy)
    return lambda app, policy: Right(app, policy, **options)


@pytest.fixture
def judge() -> Callable[..., RuleResult]:
    """Judges a middleware by one rule, with the quick profile."""

    def result(
        rule: str,
        wrap: Callable[[Application, Policy], Application],
        policy: Policy | None = None,
        *,
        interface: Interface = "asgi",
        examples: int = 1,
    ) -> RuleResult:
        implementation = Implementation(name="tiny", interface=interface, wrap=wrap)
        (found,) = run(implementation, (rule,), policy, examples)
        return found

    return result


@pytest.fixture
def failures(untraced: None) -> Callable[..., list[str]]:
    """Judges an implementation by some rules, with the quick profile, and tells what failed."""

    def messages(implementation: Implementation, *globs: str) -> list[str]:
        return [
            f"{found.rule.id}: {found.finding.message} {found.finding.policy}"
            for found in run(implementation, globs, None, examples=1)
            if found.finding is not None
        ]

    return messages


def run(
    implementation: Implementation, globs: tuple[str, ...], policy: Policy | None, examples: int
) -> tuple[RuleResult, ...]:
    assert all(rule in RULES or "*" in rule for rule in globs)
    # How small a finding gets is not the question here.
    quick, phases = PROFILES["quick"], (Phase.generate,)
    profile = replace(
        quick,
        corners=settings(quick.corners, max_examples=examples, phases=phases),
        machines=settings(quick.machines, phases=phases),
        random=settings(quick.random, max_examples=10 * examples, phases=phases),
    )
    return (
        BriefRun(implementation=implementation, rules=select(globs), profile=profile, policy=policy)
        .report()
        .results
    )


class BriefRun(Run):
    """A run that explores no more when every rule has failed."""

    def _judge_all(self, drawn: Drawn, rules: Sequence[Rule], stage: int, example: int) -> None:
        super()._judge_all(drawn, rules, stage, example)
        if all(map(self._is_to_shrink, rules)):
            raise Enough
