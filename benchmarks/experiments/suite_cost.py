"""What the suite itself costs: exchanges a second of one core, and where the time goes.

Each run is the reference's, in process, in processor time. The suite's own cost is all but the time
within the call of the middleware, and the application behind it, by exchange; beside it stands what
Starlette adds to a request. Drawing alone is the same examples, drawn and thrown away.

    python benchmarks/experiments/suite_cost.py
"""

import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from statistics import median
from time import perf_counter, process_time
from typing import Any, Final

sys.path.insert(0, str(Path(__file__).parents[1]))

from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.middleware.cors import CORSMiddleware
from starlette.routing import Route

from calling import BARE, asgi_call, bare_asgi, calls_of
from cors_conformance.exhaust.enumerating import exhaust
from cors_conformance.fetch.browser import Browser
from cors_conformance.fetch.http import HTTPResponse
from cors_conformance.implementation import Application, Implementation
from cors_conformance.implementations.registry import find
from cors_conformance.policy import Policy
from cors_conformance.profiles import PROFILES
from cors_conformance.rules import RULES
from cors_conformance.run import Run
from cors_conformance.scenario import Visit
from kinds import KINDS, POLICY
from measuring import Plan, costs, measure

STARTS: Final = 20
FETCHES: Final = 20_000
MICRO: Final = 1e6


@dataclass(slots=True)
class Clock:
    """The processor time within an application; of several at a time, it is counted once."""

    seconds: float = 0.0
    started: float = 0.0
    depth: int = 0

    def around(self, app: Application) -> Application:
        """Return the application with the clock around it."""

        async def timed(scope: Any, receive: Any, send: Any) -> None:
            if scope["type"] == "lifespan":
                # It lasts as long as the server.
                await app(scope, receive, send)
                return
            if not self.depth:
                self.started = process_time()
            self.depth += 1
            try:
                await app(scope, receive, send)
            finally:
                self.depth -= 1
                if not self.depth:
                    self.seconds += process_time() - self.started

        return timed


def clocked(clock: Clock) -> Implementation:
    """Return the reference, with the clock around it."""
    reference = find("reference")

    def wrap(app: Application, policy: Policy) -> Application:
        assert reference.wrap is not None
        return clock.around(reference.wrap(app, policy))

    return replace(reference, wrap=wrap)


def exhaustive(implementation: Implementation) -> int:
    """Judge the small world, and return how many exchanges there were."""
    return exhaust(implementation).exchanges


def random_run(implementation: Implementation) -> int:
    """Judge by the default profile, and return how many exchanges there were."""
    return run_of(implementation).report().exchanges


def run_of(implementation: Implementation) -> Run:
    """Return a run of the default profile, with all rules."""
    rules = tuple(RULES.values())
    return Run(implementation=implementation, rules=rules, profile=PROFILES["default"])


def tell(name: str, judge: Callable[[Implementation], int]) -> None:
    """Run it twice, as it is and with the clock, and print what it took."""
    started = process_time()
    exchanges = judge(find("reference"))
    seconds = process_time() - started
    clock = Clock()
    judge(clocked(clock))
    own = (seconds - clock.seconds) / exchanges * MICRO
    print(
        f"{name}: {exchanges:,} exchanges in {seconds:.1f} s, {exchanges / seconds:,.0f} a second;"
        f" own cost {own:.1f} µs each, {clock.seconds:.1f} s within the middleware",
        flush=True,
    )


def tell_drawing() -> None:
    """Draw the examples of the default profile, do nothing with them, and print what it took."""
    examples = 0

    def body(_drawn: object) -> None:
        nonlocal examples
        examples += 1

    started = process_time()
    # The machine draws as it goes, by what was answered: what it draws is left out.
    for stage in list(run_of(find("reference"))._stages())[:-1]:
        stage.run(body)
    seconds = process_time() - started
    print(f"drawing alone: {examples:,} examples in {seconds:.1f} s", flush=True)


def tell_browser() -> None:
    """Print what one fetch takes the browser model, without a server: the least of a judgement."""
    visit = Visit(origin="https://a.example", method=b"GET")
    request = visit.author_request()
    answer = HTTPResponse(status=200, headers=((b"access-control-allow-origin", b"*"),))
    started = process_time()
    for _ in range(FETCHES):
        Browser().run(request, origin=visit.origin, network=lambda _: answer)
    each = (process_time() - started) / FETCHES * MICRO
    print(f"the browser model alone, a fetch without a preflight: {each:.1f} µs", flush=True)


class Endpoint:
    """The bare application as an endpoint."""

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        """Answer."""
        await bare_asgi(scope, receive, send)


def tell_starlette() -> None:
    """Print what Starlette adds to a request: its middleware alone, and its stack with it."""
    parameters: dict[str, Any] = dict(POLICY.parameters())
    middleware = Middleware(CORSMiddleware, **parameters)
    for kind in ("no Origin", "allowed", "granted preflight"):
        asked = KINDS[kind]

        def build() -> dict[str, Callable[[], None]]:
            calls = calls_of([find("starlette")], asked)  # noqa: B023 - called within the turn
            routes = [Route("/items", Endpoint())]
            stack = Starlette(routes=routes, middleware=[middleware])
            return {**calls, "stack": asgi_call(stack, asked)}  # noqa: B023 - see above

        blocks = measure(build, Plan(blocks=30))
        alone, stack = (median(costs(blocks, one, BARE["asgi"])) for one in ("starlette", "stack"))
        print(
            f"Starlette, {kind}: CORSMiddleware adds {alone:.1f} µs to a request,"
            f" its stack with it {stack:.1f} µs",
            flush=True,
        )


def tell_start() -> None:
    """Print how long the command line takes to start."""
    command = [sys.executable, "-m", "cors_conformance.cli", "--help"]
    seconds = []
    for _ in range(STARTS):
        started = perf_counter()
        subprocess.run(command, capture_output=True, check=True)
        seconds.append(perf_counter() - started)
    print(
        f"cors-conformance --help: {median(seconds):.2f} s [{min(seconds):.2f}, {max(seconds):.2f}]"
    )


if __name__ == "__main__":
    tell_start()
    tell_starlette()
    tell_browser()
    tell_drawing()
    tell("random, default profile", random_run)
    tell("exhaustive", exhaustive)
