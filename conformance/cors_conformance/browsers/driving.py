"""Scenarios put to a page: servers for their origins, work for the page, the log read back."""

import asyncio
import contextlib
import json
import socket
import threading
import time
from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from concurrent.futures import Future
from dataclasses import dataclass, field
from functools import partial
from importlib.resources import files
from typing import Any, Final, TypeAlias
from weakref import WeakSet

from cors_conformance.browsers.observing import Seen, Sent, seen_request
from cors_conformance.browsers.places import SERVED, UNSERVED, Places, number_of
from cors_conformance.browsers.scenario import Scenario
from cors_conformance.browsers.script import RawResponse, Script
from cors_conformance.browsers.wire import Connection, WireRequest, listen, response_bytes
from cors_conformance.cases import schema
from cors_conformance.fetch.http import HTTPRequest

PARALLEL: Final = 3
"""Fetches of a page at a time. A browser opens six connections to an origin, and a redirect may
hold one while its preflight waits for another: with more, all wait for all."""

PAGE_PORT: Final = SERVED[0]


Answer: TypeAlias = Callable[[HTTPRequest], "RawResponse | Awaitable[RawResponse]"]
"""What answers the requests of one fetch; called in the thread of the servers."""

Answerer: TypeAlias = Callable[[Scenario], Sequence[Answer]]
"""Gives one for each step of a scenario."""


LastWords: TypeAlias = Callable[[], str | None]
"""Tells how a browser ended; `None` while it runs."""


def scripted(scenario: Scenario) -> list[Answer]:
    """Answer by the scenario's own scripts."""
    return [Script(hops=step.server.hops).answer for step in scenario.steps]


class PageLost(Exception):
    """The page does not hand in its work: the engine ended, crashed or hangs."""


SILENCE: Final = 60.0
"""Seconds without any request of the page, which gives up each fetch after twenty."""

HEARTBEAT: Final = 0.2
"""Seconds between two looks at whether the engine is still there."""


@dataclass(slots=True)
class _Running:
    """A scenario that the page works on: which step is on, and what arrived for each."""

    scenario: Scenario
    answers: Sequence[Answer]
    sent: list[list[Sent]]
    step: int = 0


@dataclass(slots=True)
class _Turn:
    """One batch: the numbers of its scenarios, what the page is told, where its answer goes."""

    numbers: range
    work: bytes
    done: "Future[dict[str, Any]]" = field(default_factory=Future)


class Theatre:
    """The servers of all origins in a thread of their own, and the page's end of the work."""

    def __init__(self) -> None:
        """Bind the ports; `running` starts to serve."""
        self._sockets: list[tuple[int, socket.socket]] = []
        ports: dict[int, int] = {}
        for symbolic in SERVED:
            real, sockets = listen()
            ports[symbolic] = real
            self._sockets += [(symbolic, item) for item in sockets]
        # Bound and not listening: nobody else can take it, and connections are refused.
        self._unserved = socket.socket()
        self._unserved.bind(("127.0.0.1", 0))
        ports[UNSERVED] = self._unserved.getsockname()[1]
        self.places = Places(ports)
        self.start_url = self.places.to_run(f"http://localhost:{PAGE_PORT}/poll", 0)
        self._loop = asyncio.new_event_loop()
        self._servers: list[asyncio.Server] = []
        self._connections: WeakSet[Connection] = WeakSet()
        self._current: dict[int, _Running] = {}
        self._work: asyncio.Queue[_Turn] = asyncio.Queue()
        self._turn: _Turn | None = None
        self._number = 0
        self._heard = 0.0

    @contextlib.contextmanager
    def running(self) -> Iterator["Theatre"]:
        """Serve until the end of the block."""
        thread = threading.Thread(target=self._loop.run_forever, daemon=True)
        thread.start()
        try:
            asyncio.run_coroutine_threadsafe(self._serve(), self._loop).result()
            yield self
        finally:
            asyncio.run_coroutine_threadsafe(self._leave(), self._loop).result()
            self._loop.call_soon_threadsafe(self._loop.stop)
            thread.join()
            self._loop.close()
            self._unserved.close()

    async def _serve(self) -> None:
        for symbolic, item in self._sockets:
            server = await self._loop.create_server(partial(self._connect, symbolic), sock=item)
            self._servers.append(server)

    def _connect(self, symbolic: int) -> Connection:
        connection = Connection(symbolic, self._handle)
        self._connections.add(connection)
        return connection

    async def _leave(self) -> None:
        for server in self._servers:
            server.close()
        for connection in list(self._connections):
            connection.abort()
        tasks = asyncio.all_tasks() - {asyncio.current_task()}
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    def play(
        self,
        scenarios: Sequence[Scenario],
        *,
        seconds: float,
        last_words: LastWords = lambda: None,
        answerer: Answerer = scripted,
    ) -> list[tuple[Seen, ...]]:
        """Let the page do them; those that must be alone come one after the other.

        `last_words` tells how the page's browser ended.

        Raises:
            PageLost: the browser ended, nothing was heard of the page for a while, or it did not
                hand in its work within `seconds`.

        """
        results: dict[int, tuple[Seen, ...]] = {}
        together = [index for index, item in enumerate(scenarios) if not item.is_alone]
        alone = [index for index, item in enumerate(scenarios) if item.is_alone]
        for indices, parallel in ((together, PARALLEL), (alone, 1)):
            if indices:
                batch = [scenarios[index] for index in indices]
                turn = self._put(batch, answerer, parallel=parallel)
                told = self._wait(turn, seconds, last_words)
                seen = [
                    self._seen(self._current[number], told[str(number)]) for number in turn.numbers
                ]
                results |= dict(zip(indices, seen, strict=True))
        return [results[index] for index in range(len(scenarios))]

    def forget(self) -> None:
        """Drop the work that a lost page did not do."""

        async def drain() -> None:
            self._turn = None
            while not self._work.empty():
                self._work.get_nowait()

        asyncio.run_coroutine_threadsafe(drain(), self._loop).result()

    def _put(self, scenarios: Sequence[Scenario], answerer: Answerer, *, parallel: int) -> _Turn:
        """Lay out a batch for the page."""
        numbers = range(self._number, self._number + len(scenarios))
        self._number += len(scenarios)
        self._current = {
            number: _Running(
                scenario=scenario,
                answers=answerer(scenario),
                sent=[[] for _ in scenario.steps],
            )
            for number, scenario in zip(numbers, scenarios, strict=True)
        }
        items = [
            self._item(number, scenario)
            for number, scenario in zip(numbers, scenarios, strict=True)
        ]
        work = {"turn": self._number, "parallel": parallel, "items": items}
        turn = _Turn(numbers, json.dumps(work).encode("ascii"))
        self._heard = time.monotonic()
        self._loop.call_soon_threadsafe(self._work.put_nowait, turn)
        return turn

    def _wait(self, turn: _Turn, seconds: float, last_words: LastWords) -> dict[str, Any]:
        deadline = time.monotonic() + seconds
        while True:
            with contextlib.suppress(TimeoutError):
                return turn.done.result(min(HEARTBEAT, seconds))
            words = last_words()
            if words is not None:
                raise PageLost(words)
            if time.monotonic() - self._heard > SILENCE:
                message = f"nothing was heard of its page for {SILENCE:g} s: it hangs or crashed"
                raise PageLost(message)
            if time.monotonic() > deadline:
                message = (
                    f"the page did not hand in {len(turn.numbers)} scenarios within {seconds:g} s"
                )
                raise PageLost(message)

    def _item(self, number: int, scenario: Scenario) -> dict[str, Any]:
        return {
            "number": number,
            "sandboxed": scenario.client_origin == "null",
            "steps": [self._step(number, scenario, step) for step in scenario.steps],
        }

    def _step(self, number: int, scenario: Scenario, step: schema.Step) -> dict[str, Any]:
        request = step.request
        init: dict[str, Any] = {
            "method": request.method,
            "headers": request.headers,
            "mode": request.mode,
            "credentials": request.credentials,
            "redirect": request.redirect,
            "cache": scenario.cache,
            "referrerPolicy": request.referrer_policy,
        }
        if request.body is not None:
            init["body"] = request.body
        return {
            "url": self.places.to_run(request.url, number),
            "wait": step.wait_before_s,
            "xhr": request.use_cors_preflight,
            "init": init,
        }

    def _seen(self, running: _Running, results: list[Mapping[str, Any]]) -> tuple[Seen, ...]:
        return tuple(
            Seen(
                result=result["result"],
                type=result.get("type"),
                status=result.get("status"),
                headers=self._readable(result.get("headers", ())),
                body=result.get("body"),
                sent=tuple(sent),
            )
            for result, sent in zip(results, running.sent, strict=True)
        )

    def _readable(self, headers: Sequence[Sequence[str]]) -> tuple[tuple[str, str], ...]:
        return tuple(sorted((name.lower(), self.places.from_run(value)) for name, value in headers))

    def _handle(self, request: WireRequest) -> "bytes | asyncio.Future[bytes]":
        self._heard = time.monotonic()
        target = request.target.decode("latin-1")
        number = number_of(target)
        if number is not None:
            return self._answer(number, request, target)
        if request.port != PAGE_PORT:
            return response_bytes(404, ((b"Content-Length", b"0"),))
        match target.split("/")[1:]:
            case ["work"]:
                return asyncio.ensure_future(self._next_work(), loop=self._loop)
            case ["results"]:
                return self._take_results(request.body)
            case ["mark", marked, step]:
                if (running := self._current.get(int(marked))) is not None:
                    running.step = int(step)
                return response_bytes(204, ())
            case ["poll"]:
                return _file("page.html", b"text/html")
            case ["page.js"]:
                return _file("page.js", b"text/javascript")
        return response_bytes(404, ((b"Content-Length", b"0"),))

    def _answer(
        self, number: int, request: WireRequest, target: str
    ) -> "bytes | asyncio.Future[bytes]":
        running = self._current.get(number)
        if running is None:
            return response_bytes(404, ((b"Content-Length", b"0"),))
        host = (request.value(b"host") or b"").decode("latin-1")
        translate = self.places.from_run
        symbolic = HTTPRequest(
            method=request.method,
            url=translate(f"http://{host}{target}"),
            headers=tuple(
                (name, translate(value.decode("latin-1")).encode("latin-1"))
                for name, value in request.headers
            ),
            body=request.body or None,
        )
        step = running.step
        running.sent[step].append(seen_request(symbolic, running.scenario.steps[step].request))
        answer = running.answers[step](symbolic)
        if isinstance(answer, RawResponse):
            return self._written(answer, number)
        return asyncio.ensure_future(self._later(answer, number), loop=self._loop)

    async def _later(self, answer: Awaitable[RawResponse], number: int) -> bytes:
        return self._written(await answer, number)

    def _written(self, answer: RawResponse, number: int) -> bytes:
        headers = tuple(
            (name, self.places.to_run(value.decode("latin-1"), number).encode("latin-1"))
            for name, value in answer.headers
        )
        return response_bytes(answer.status, headers, answer.body)

    async def _next_work(self) -> bytes:
        turn = await self._work.get()
        self._turn = turn
        return _json(turn.work)

    def _take_results(self, body: bytes) -> bytes:
        if self._turn is not None and not self._turn.done.done():
            self._turn.done.set_result(json.loads(body)["results"])
            self._turn = None
        return response_bytes(204, ())


def _json(body: bytes) -> bytes:
    return _document(body, b"application/json")


def _document(body: bytes, media_type: bytes) -> bytes:
    headers = (
        (b"Content-Type", media_type),
        (b"Cache-Control", b"no-store"),
        (b"Content-Length", str(len(body)).encode()),
    )
    return response_bytes(200, headers, body)


def _file(name: str, media_type: bytes) -> bytes:
    return _document(files("cors_conformance.browsers").joinpath(name).read_bytes(), media_type)
