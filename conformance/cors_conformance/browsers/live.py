"""The other direction: real pages, a real server of an implementation, and what a policy grants.

The implementation's server stands behind the raw one, which passes requests and responses on:
a page speaks HTTP over a socket with whatever `servers.start` gives, in this process or another.
"""

import asyncio
from collections.abc import Awaitable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from functools import partial
from typing import Final, Protocol

from hypothesis import given, seed, settings
from hypothesis import strategies as st

from cors_conformance.application import ApplicationResponse
from cors_conformance.browsers.drawing import DRAWING
from cors_conformance.browsers.driving import Answer, Answerer
from cors_conformance.browsers.observing import Seen, author_request
from cors_conformance.browsers.places import API, FOREIGN, OTHER, PAGE
from cors_conformance.browsers.scenario import NOTHING, Scenario
from cors_conformance.browsers.script import BODILESS, RawResponse
from cors_conformance.cases import schema
from cors_conformance.fetch.browser import Browser
from cors_conformance.fetch.http import HeaderLines, HTTPRequest
from cors_conformance.grant import Grant, readable_grant, visit_grant
from cors_conformance.implementation import Capability, Implementation
from cors_conformance.policy import Policy
from cors_conformance.scenario import Credentials, Visit
from cors_conformance.servers.base import ConfigurationRefused, Server, ServerDied
from cors_conformance.servers.start import start

URL: Final = API + "/ID/a"
_READ: Final = b"X-Read"
PLAIN: Final = ApplicationResponse()
TELLING: Final = ApplicationResponse(headers=((_READ, b"1"),))
VISITS: Final = 12
"""Fetches for each policy."""

_FRAMING: Final = frozenset({b"connection", b"content-length", b"keep-alive", b"transfer-encoding"})
"""Response headers of the connection behind, which is another one."""

_ORIGINS: Final = ((PAGE,), (PAGE, OTHER), ("*",), (OTHER, FOREIGN), (), (f"{PAGE}0",), ("null",))
_METHODS: Final = (("GET", "POST", "PUT", "DELETE"), ("*",), ("PUT", "PATCH"), ("GET",))
_HEADERS: Final = ((), ("X-A",), ("*",), ("x-a", "Authorization"), ("Content-Type",))
_ASKED: Final[tuple[HeaderLines, ...]] = (
    (),
    ((b"X-A", b"1"),),
    ((b"X-B", b"1"),),
    ((b"Authorization", b"Basic dTpw"),),
    ((b"Content-Type", b"application/json"),),
    ((b"X-A", b"1"), (b"Content-Type", b"text/plain")),
)
_CREDENTIALS: Final[tuple[Credentials, ...]] = ("omit", "include", "same-origin")


@dataclass(frozen=True, slots=True, kw_only=True)
class LiveFinding:
    """A page that could do what the policy does not grant, or not do what it grants.

    `model_agrees` says that the executable browser finds the same, so that it is the
    implementation's doing; else engine and model differ.
    """

    policy: Policy
    visit: Visit
    grant: Grant
    seen: Seen
    model_agrees: bool


@dataclass(slots=True, kw_only=True)
class LiveReport:
    """What came of one implementation in one engine.

    Attributes:
        pairs: how many visits were made, each under some policy.
        free: how many of them the policy neither grants nor denies, so that nothing was compared.
        refused: policies with which the implementation cannot be built, as it may say.
        died: policies with which its server died.
        findings: visits that went otherwise than the policy has it.

    """

    pairs: int = 0
    free: int = 0
    refused: list[Policy] = field(default_factory=list)
    died: list[Policy] = field(default_factory=list)
    findings: list[LiveFinding] = field(default_factory=list)


class Play(Protocol):
    """`Theatre.play` with its time limit set."""

    def __call__(
        self, scenarios: Sequence[Scenario], *, answerer: Answerer
    ) -> list[tuple[Seen, ...]]:
        """Let the page do the scenarios against these answers."""


@st.composite
def pairs(draw: st.DrawFn) -> tuple[Policy, tuple[Visit, ...]]:
    """Draw a policy with visits of which it grants some."""
    policy = Policy(
        allow_origins=draw(st.sampled_from(_ORIGINS)),
        allow_methods=draw(st.sampled_from(_METHODS)),
        allow_headers=draw(st.sampled_from(_HEADERS)),
        allow_credentials=draw(st.booleans()),
        expose_headers=draw(st.sampled_from(((), ("X-Read",), ("*",), ("x-other",)))),
        max_age=draw(st.sampled_from((600, 0))),
    )
    visits = draw(
        st.lists(
            st.builds(
                Visit,
                origin=st.sampled_from((PAGE, PAGE, "null")),
                method=st.sampled_from((b"GET", b"POST", b"PUT", b"delete", b"PATCH", b"patch")),
                headers=st.sampled_from(_ASKED),
                credentials=st.sampled_from(_CREDENTIALS),
            ),
            min_size=VISITS,
            max_size=VISITS,
            unique=True,
        )
    )
    return policy, tuple(visits)


def check(play: Play, implementation: Implementation, count: int, number: int) -> LiveReport:
    """Let pages make `count` visits or a few more to its servers; `number` is a seed.

    Raises:
        PageLost: the engine does not answer.

    """
    report = LiveReport()
    # Some policies cannot be expressed, others are refused.
    for policy, visits in _drawn(2 + 4 * count // VISITS, number):
        if report.pairs >= count:
            break
        if implementation.cannot_express(policy) is not None:
            report.refused.append(policy)
            continue
        try:
            with start(implementation, policy) as server:
                _check_policy(play, implementation, policy, visits, server, report)
        except ConfigurationRefused:
            report.refused.append(policy)
        except ServerDied:
            report.died.append(policy)
    return report


def _drawn(count: int, number: int) -> list[tuple[Policy, tuple[Visit, ...]]]:
    collected: list[tuple[Policy, tuple[Visit, ...]]] = []

    @seed(number)
    @settings(DRAWING, max_examples=count)
    @given(pairs())
    def collect(pair: tuple[Policy, tuple[Visit, ...]]) -> None:
        collected.append(pair)

    collect()
    return collected


def _check_policy(
    play: Play,
    implementation: Implementation,
    policy: Policy,
    visits: Sequence[Visit],
    server: Server,
    report: LiveReport,
) -> None:
    scenarios = [_scenario(visit) for visit in visits]
    application = PLAIN if Capability.APPLICATION_HEADERS in implementation.lacks else TELLING
    with ThreadPoolExecutor(1) as thread:
        gateway = _Gateway(server, application, thread)
        seen = play(scenarios, answerer=gateway.answers)
    for visit, scenario, (fetched,) in zip(visits, scenarios, seen, strict=True):
        report.pairs += 1
        could = fetched.result == "success"
        grant = visit_grant(policy, implementation.dialect, visit)
        if grant.free:
            report.free += 1
        elif grant.granted == could and could and application is TELLING:
            grant = readable_grant(policy, implementation.dialect, _READ, visit.credentials)
            could = any(name == "x-read" for name, _ in fetched.headers)
        if not grant.free and grant.granted != could:
            model = Browser().run(
                author_request(scenario.steps[0].request, scenario),
                origin=visit.origin,
                network=lambda request: _passed_on(server, application, request).parsed(),
            )
            read = model.response is not None and model.response.get(_READ) is not None
            report.findings.append(
                LiveFinding(
                    policy=policy,
                    visit=visit,
                    grant=grant,
                    seen=fetched,
                    model_agrees=model.result == fetched.result
                    and read == any(name == "x-read" for name, _ in fetched.headers),
                )
            )


def _scenario(visit: Visit) -> Scenario:
    request = schema.Request(
        url=URL,
        method=visit.method.decode("latin-1"),
        headers=tuple(
            (name.decode("latin-1"), value.decode("latin-1")) for name, value in visit.headers
        ),
        credentials=visit.credentials,
    )
    step = schema.Step(request=request, server=schema.Server(hops=()), expected=NOTHING)
    return Scenario(aim="live", client_origin=visit.origin, steps=(step,))


class _Gateway:
    """Passes what arrives on to the implementation's server, one request at a time."""

    def __init__(
        self, server: Server, application: ApplicationResponse, thread: ThreadPoolExecutor
    ) -> None:
        self._server = server
        self._application = application
        self._thread = thread

    def answers(self, scenario: Scenario) -> list[Answer]:
        return [self._answer for _ in scenario.steps]

    def _answer(self, request: HTTPRequest) -> Awaitable[RawResponse]:
        loop = asyncio.get_running_loop()
        return loop.run_in_executor(
            self._thread, partial(_passed_on, self._server, self._application, request)
        )


def _passed_on(
    server: Server, application: ApplicationResponse, request: HTTPRequest
) -> RawResponse:
    at_home = HTTPRequest(
        method=request.method, url=API + "/", headers=tuple(_end_to_end(request)), body=request.body
    )
    response = server.send(at_home, application).response
    if response is None:
        return RawResponse(status=502, headers=((b"Content-Length", b"0"),), body=b"")
    headers = tuple(line for line in response.headers if line[0].lower() not in _FRAMING)
    if response.status in BODILESS:
        return RawResponse(status=response.status, headers=headers, body=b"")
    length = (b"Content-Length", str(len(response.body)).encode())
    return RawResponse(status=response.status, headers=(*headers, length), body=response.body)


def _end_to_end(request: HTTPRequest) -> Iterator[tuple[bytes, bytes]]:
    """Yield the headers that are not the connection's; the driver adds its own."""
    dropped = _FRAMING | {b"host"}
    if request.body is not None:
        dropped -= {b"content-length"}
    yield from (line for line in request.headers if line[0].lower() not in dropped)
