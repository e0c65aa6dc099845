"""What holds the thread, where no event loop can end it, is ended all the same."""

import asyncio
import re
import signal
import threading
import time
from collections.abc import Callable, Iterable
from contextlib import suppress
from functools import partial
from itertools import count
from typing import Any

import pytest

from cors_conformance import run as running
from cors_conformance import shrinking, world
from cors_conformance.application import ApplicationResponse
from cors_conformance.fetch.http import HTTPRequest
from cors_conformance.implementation import Application, Implementation
from cors_conformance.policy import Policy
from cors_conformance.profiles import PROFILES
from cors_conformance.rules import select
from cors_conformance.run import Run
from cors_conformance.servers import start as starting
from cors_conformance.servers.asgi import ASGIServer
from cors_conformance.servers.base import Reply, ServerHung
from cors_conformance.servers.origin import ASGIOrigin, Environ, Receive, Scope, Send, WSGIOrigin
from cors_conformance.servers.start import start, wrapped
from cors_conformance.servers.time_limit import TimeIsUp, TimeLimit, alarm_held
from cors_conformance.servers.wsgi import WSGIServer
from middlewares import reference

GET = HTTPRequest(method=b"GET", url="https://api.example/")
PLAIN = ApplicationResponse()
MOMENT = 0.3


def loops() -> None:
    while True:
        pass


def loops_whatever_is_raised() -> None:
    while True:
        with suppress(Exception):
            loops()


def backtracks() -> None:
    re.fullmatch("(a+)+", "a" * 60 + "!")


def waits_for_itself() -> None:
    lock = threading.Lock()
    with lock:
        lock.acquire()


HOLDING = (loops, loops_whatever_is_raised, backtracks, waits_for_itself)


def asgi(hold: Callable[[], None], *, passes: int = 0) -> tuple[Reply, Reply]:
    origin, asked = ASGIOrigin(), count()

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http" and next(asked) == 0:
            for _ in range(passes):
                await asyncio.sleep(0)
            hold()
        await origin(scope, receive, send)

    with ASGIServer(app, origin, seconds=MOMENT) as server:
        return server.send(GET, PLAIN), server.send(GET, PLAIN)


def wsgi(hold: Callable[[], None]) -> tuple[Reply, Reply]:
    origin, asked = WSGIOrigin(), count()

    def app(environ: Environ, start_response: Callable[..., Any]) -> Iterable[bytes]:
        if next(asked) == 0:
            hold()
        return origin(environ, start_response)

    with WSGIServer(app, origin, seconds=MOMENT) as server:
        return server.send(GET, PLAIN), server.send(GET, PLAIN)


@pytest.fixture(autouse=True)
def nothing_is_left() -> Iterable[None]:
    before = signal.getsignal(signal.SIGALRM)
    yield
    assert signal.getsignal(signal.SIGALRM) is before
    assert signal.getitimer(signal.ITIMER_REAL) == (0, 0)


@pytest.mark.parametrize("hold", HOLDING)
@pytest.mark.parametrize("ask", [asgi, wsgi])
def test_what_holds_the_thread_is_a_failure_and_the_server_goes_on(
    ask: Callable[..., tuple[Reply, Reply]], hold: Callable[[], None]
) -> None:
    first, second = ask(hold)
    assert (first.response, first.hung) == (None, True)
    assert first.failure is not None
    assert first.failure.startswith("it did not end within 0.3 s")
    assert second.response is not None


def test_what_holds_the_thread_when_it_has_waited_is_a_failure_too(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("cors_conformance.servers.loop.GRACE", MOMENT)
    first, second = asgi(loops, passes=1)
    assert first.hung
    assert second.response is not None


def test_startup_that_holds_the_thread_is_a_death() -> None:
    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        loops()

    with pytest.raises(ServerHung, match=r"its startup did not end within 0\.3 s"):
        ASGIServer(app, ASGIOrigin(), seconds=MOMENT)


def endless_for_two(app: Application, policy: Policy) -> Application:
    """Never comes back from its constructor where there are two origins."""
    if len(policy.allow_origins) > 1:
        loops()
    return reference(app, policy)


@pytest.mark.usefixtures("untraced")
def test_construction_that_does_not_come_back_is_a_death(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(starting, "SECONDS", MOMENT)
    monkeypatch.setattr(running, "HANGS", 2)
    endless = Implementation(name="endless", interface="asgi", wrap=endless_for_two)
    with pytest.raises(ServerHung, match=r"its construction did not end within 0\.3 s"):
        wrapped(endless, ASGIOrigin(), Policy(allow_origins=("https://a.example", "null")))
    report = Run(
        implementation=endless,
        rules=select(["cfg-serve-or-refuse", "live-simple"]),
        profile=PROFILES["quick"],
    ).report()
    assert [finding.rule.id for finding in report.findings] == ["cfg-serve-or-refuse"]
    assert "its construction did not end" in report.findings[0].message
    assert "and no further ones were tried" in report.notes[0]


@pytest.fixture
def impatience(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing is waited for twice, and not for long."""
    monkeypatch.setattr(world, "start", partial(start, seconds=MOMENT))
    for module in (running, shrinking):
        monkeypatch.setattr(module, "HANGS", 1)


def backtracking(app: Any, policy: Policy) -> Application:
    """Looks at origins with an expression that can match the same in two ways."""
    inner: Any = reference(app, policy)

    async def call(scope: Scope, receive: Receive, send: Send) -> None:
        for name, value in scope.get("headers", ()):
            if name == b"origin":
                re.fullmatch(rb"https?://([a-z0-9-]+\.?)+(:\d+)?", value)
        await inner(scope, receive, send)

    return call


@pytest.mark.usefixtures("impatience", "untraced")
def test_an_expression_that_backtracks_is_found() -> None:
    report = Run(
        implementation=Implementation(name="backtracking", interface="asgi", wrap=backtracking),
        rules=select(["cfg-serve-or-refuse", "rob-origin-bytes"]),
        profile=PROFILES["default"],
        policy=Policy(allow_origins=("https://a.example",)),
    ).report()
    assert [finding.rule.id for finding in report.findings] == ["cfg-serve-or-refuse"]


@pytest.mark.usefixtures("impatience", "untraced")
def test_preflights_that_hold_the_thread_are_found_where_no_page_asks_for_one() -> None:
    def wrap(app: Any, policy: Policy) -> Application:
        inner: Any = reference(app, policy)

        async def call(scope: Scope, receive: Receive, send: Send) -> None:
            if scope.get("method") == "OPTIONS":
                loops()
            await inner(scope, receive, send)

        return call

    report = Run(
        implementation=Implementation(name="endless", interface="asgi", wrap=wrap),
        rules=select(["cfg-serve-or-refuse", "mm-*", "live-simple"]),
        profile=PROFILES["quick"],
        policy=Policy(allow_methods=("GET",)),
    ).report()
    assert [finding.rule.id for finding in report.findings] == ["cfg-serve-or-refuse"]


def test_a_machine_that_has_other_work_is_waited_for() -> None:
    with TimeLimit(MOMENT):
        time.sleep(2 * MOMENT)
    with pytest.raises(TimeIsUp), TimeLimit(MOMENT):
        time.sleep(60)


def test_a_limit_within_a_limit_is_the_outer_one() -> None:
    with pytest.raises(TimeIsUp), TimeLimit(MOMENT), TimeLimit(60):
        loops()


def test_the_signal_is_held_until_the_last_one_gives_it_back() -> None:
    with alarm_held():
        held = signal.getsignal(signal.SIGALRM)
        assert held is not signal.SIG_DFL
        with alarm_held(), pytest.raises(TimeIsUp), TimeLimit(MOMENT):
            loops()
        assert signal.getsignal(signal.SIGALRM) is held
        assert signal.getitimer(signal.ITIMER_REAL) == (0, 0)
    assert signal.getsignal(signal.SIGALRM) is signal.SIG_DFL


def test_what_takes_the_signal_meanwhile_keeps_it_and_its_timer() -> None:
    with alarm_held():
        signal.signal(signal.SIGALRM, signal.SIG_IGN)
        signal.setitimer(signal.ITIMER_REAL, 60)
        try:
            with TimeLimit(MOMENT):
                assert signal.getitimer(signal.ITIMER_REAL)[0] > 1
        finally:
            signal.setitimer(signal.ITIMER_REAL, 0)
    assert signal.signal(signal.SIGALRM, signal.SIG_DFL) is signal.SIG_IGN


def test_where_the_signal_is_taken_or_does_not_arrive_there_is_no_limit() -> None:
    taken = signal.signal(signal.SIGALRM, signal.SIG_IGN)
    try:
        with TimeLimit(60):
            assert signal.getitimer(signal.ITIMER_REAL) == (0, 0)
    finally:
        signal.signal(signal.SIGALRM, taken)

    def elsewhere() -> None:
        with TimeLimit(60):
            timers.append(signal.getitimer(signal.ITIMER_REAL))

    timers: list[tuple[float, float]] = []
    thread = threading.Thread(target=elsewhere)
    thread.start()
    thread.join()
    assert timers == [(0, 0)]
