"""Requests at the same time: what is mixed up is found, and waiting for one another is right."""

import threading
from collections.abc import Callable, Iterable
from typing import Any, Self

import pytest

from batches import BATCH
from cors_conformance.fetch.http import HTTPResponse
from cors_conformance.implementation import Application, Implementation
from cors_conformance.implementations.registry import find
from cors_conformance.mutants import MUTANTS
from cors_conformance.policy import Policy
from cors_conformance.rules import RULES, concurrency
from cors_conformance.rules.base import Breach
from cors_conformance.rules.picking import ONE_ORIGIN
from cors_conformance.servers.base import Reply
from cors_conformance.variants import VARIANTS
from cors_conformance.world import World


def judged(implementation: Implementation, policy: Policy = ONE_ORIGIN) -> bool:
    with World(implementation, policy) as world:
        return RULES["rob-concurrency"].check(world, BATCH)


@pytest.mark.parametrize("name", ["origin-kept-on-the-instance", "answer-kept-while-waiting"])
def test_what_is_kept_on_the_instance_is_found(name: str) -> None:
    with pytest.raises(Breach, match="while another request is under way"):
        judged(MUTANTS[name].implementation)


@pytest.mark.parametrize("name", ["reference", "reference-wsgi", "starlette", "fastapi"])
def test_what_keeps_requests_apart_is_right(name: str) -> None:
    assert judged(find(name))


def test_a_queue_is_right() -> None:
    assert judged(VARIANTS["one-at-a-time"].implementation)


def test_nobody_to_mix_up_is_nothing_to_judge() -> None:
    assert not judged(find("reference"), Policy())


def wsgi(make: Callable[[Application, Policy], Application]) -> Implementation:
    return Implementation(name="tiny", interface="wsgi", wrap=make)


class Keeping:
    """Keeps the origin on the instance while the application works."""

    def __init__(self, app: Application, policy: Policy) -> None:
        self.app = app
        self.policy = policy
        self.origin = ""

    def __call__(self, environ: dict[str, Any], start_response: Callable[..., Any]) -> Any:
        self.origin = environ.get("HTTP_ORIGIN", "")

        def start(status: str, headers: list[tuple[str, str]], *rest: Any) -> Any:
            if self.origin in self.policy.allow_origins:
                headers = [*headers, ("Access-Control-Allow-Origin", self.origin)]
            return start_response(status, headers, *rest)

        return self.app(environ, start)


def test_threads_are_found_to_meet() -> None:
    with pytest.raises(Breach, match="while another request is under way"):
        judged(wsgi(Keeping))


class Locking:
    """Lets one thread in at a time."""

    def __init__(self, app: Application, policy: Policy) -> None:
        inner = find("reference-wsgi").wrap
        assert inner is not None
        self.inner = inner(app, policy)
        self.lock = threading.Lock()

    def __call__(
        self, environ: dict[str, Any], start_response: Callable[..., Any]
    ) -> Iterable[bytes]:
        with self.lock:
            return list(self.inner(environ, start_response))


def test_a_lock_is_right() -> None:
    assert judged(wsgi(Locking))


class Server:
    """A server whose connections all get one answer; a request alone gets another."""

    def __init__(self, together: bytes) -> None:
        self.together = together

    def send(self, *_: object) -> Reply:
        return Reply(response=self.answer(b"https://a.example"))

    def answer(self, origin: bytes) -> HTTPResponse:
        line = (b"access-control-allow-origin", origin)
        return HTTPResponse(status=200, headers=(line,))

    def connect(self) -> "Server":
        return self

    def exchange(self, _: object) -> HTTPResponse:
        return self.answer(self.together)

    def close(self) -> None:
        pass

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        pass


def test_what_blocks_for_ever_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    def make(app: Any, policy: Policy) -> Application:
        inside: list[object] = []

        def blocking(environ: Any, start_response: Any) -> Iterable[bytes]:
            if inside:
                threading.Event().wait()
            inside.append(environ)
            try:
                items: Iterable[bytes] = app(environ, start_response)
                return items
            finally:
                inside.pop()

        return blocking

    monkeypatch.setattr(concurrency, "SECONDS", 0.3)
    with pytest.raises(Breach, match=r"one of them did not end within 0\.3 s"):
        judged(wsgi(make))


def http(together: bytes) -> Implementation:
    def serve(_: Policy) -> Any:
        return Server(together)

    return Implementation(name="tiny", interface="http", serve=serve)


def test_connections_are_compared_with_one_alone() -> None:
    assert judged(http(b"https://a.example"))
    with pytest.raises(Breach):
        judged(http(b"https://b.example"))
