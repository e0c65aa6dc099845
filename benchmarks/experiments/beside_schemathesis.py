"""The suite and Schemathesis test the same ASGI application in process: exchanges a second of each.

A FastAPI application with an OpenAPI schema, and Starlette's `CORSMiddleware` around it, under one
policy. Schemathesis runs as its command line does, all its phases and checks; the suite runs its
default profile with all rules, and shrinks what it finds. What is no operation is answered by an
application that the suite scripts.

An exchange is an HTTP request that reaches the middleware, whoever sent it: both are counted, and
the time within the application is taken, by the same wrapper. They take turns in one process, in a
new order each time; imports and a first turn of each are not timed. Exit status 0 if the suite
makes ten times as many exchanges a second of processor time.

    python benchmarks/experiments/beside_schemathesis.py [TURNS]
"""

import random
import sys
from dataclasses import dataclass, field
from statistics import median
from time import perf_counter, process_time
from typing import Annotated, Any, Final

import schemathesis
from fastapi import FastAPI, Header, Response
from pydantic import BaseModel
from schemathesis.engine import from_schema
from starlette.middleware.cors import CORSMiddleware

from cors_conformance.implementation import Application, Implementation
from cors_conformance.implementations.starlette import DIALECT
from cors_conformance.policy import Policy
from cors_conformance.profiles import PROFILES
from cors_conformance.rules import RULES
from cors_conformance.run import Run
from cors_conformance.servers.origin import ASGIOrigin

TEN: Final = 10
POLICY: Final = Policy(
    allow_origins=("https://example.com", "https://app.example.com"), allow_headers=("X-Token",)
)


class Item(BaseModel):
    """What is stored."""

    name: str
    price: float


def build(behind: Application, policy: Policy) -> Application:
    """Return the application: three operations that only answer, and what answers all else."""
    # Documented, for Schemathesis ends the examples of an operation at its first failure.
    app = FastAPI(responses={400: {"description": "The request cannot be read."}})

    @app.get("/items/{number}")
    async def read(number: int, q: str | None = None) -> dict[str, int | str | None]:
        return {"number": number, "q": q}

    @app.put("/items/{number}")
    async def store(
        number: int, item: Item, x_token: Annotated[str | None, Header()] = None
    ) -> Item:
        return item

    @app.delete("/items/{number}", status_code=204)
    async def delete(number: int) -> Response:
        return Response(status_code=204)

    app.router.default = behind
    parameters: dict[str, Any] = dict(policy.parameters())
    return CORSMiddleware(app, **parameters)


@dataclass(slots=True)
class Meter:
    """Takes the seconds that an application takes for each HTTP request."""

    seconds: list[float] = field(default_factory=list)

    def around(self, app: Application) -> Application:
        """Return the application with the clock around it."""

        async def metered(scope: Any, receive: Any, send: Any) -> None:
            started = perf_counter()
            try:
                await app(scope, receive, send)
            finally:
                if scope["type"] == "http":
                    self.seconds.append(perf_counter() - started)

        return metered


def with_schemathesis() -> Meter:
    """Let Schemathesis test it as `schemathesis run` does: all phases, all checks."""
    meter = Meter()
    app = meter.around(build(ASGIOrigin(), POLICY))
    for _ in from_schema(schemathesis.openapi.from_asgi("/openapi.json", app)).execute():
        pass
    return meter


def with_suite() -> Meter:
    """Let the suite judge it by all rules."""
    meter = Meter()
    implementation = Implementation(
        name="application",
        interface="asgi",
        wrap=lambda app, policy: meter.around(build(app, policy)),
        dialect=DIALECT,
    )
    Run(
        implementation=implementation,
        rules=tuple(RULES.values()),
        profile=PROFILES["default"],
        policy=POLICY,
    ).report()
    return meter


TESTERS: Final = {"schemathesis": with_schemathesis, "suite": with_suite}


def main(turns: int) -> int:
    """Let both take turns, print what each did, and say whether the suite is ten times as fast."""
    rates: dict[str, list[float]] = {name: [] for name in TESTERS}
    shuffle = random.Random(0).shuffle  # noqa: S311 - an order, not a secret
    order = [*TESTERS]
    for turn in range(turns + 1):
        shuffle(order)
        for name in order:
            started = process_time()
            meter = TESTERS[name]()
            seconds = process_time() - started
            exchanges = len(meter.seconds)
            if turn:
                rates[name].append(exchanges / seconds)
            print(
                f"{name if turn else 'warming up':12} {exchanges:7,} exchanges"
                f" in {seconds:6.2f} s: {seconds / exchanges * 1e6:7,.0f} µs each,"
                f" {median(meter.seconds) * 1e6:4,.0f} µs within the application (median)",
                flush=True,
            )
    for name, found in rates.items():
        print(f"{name:12} {_told(found)} exchanges a second")
    ratios = [one / other for one, other in zip(rates["suite"], rates["schemathesis"], strict=True)]
    print(f"ratio {_told(ratios)}, wanted {TEN}")
    return 0 if median(ratios) >= TEN else 1


def _told(values: list[float]) -> str:
    return f"{median(values):,.1f} [{min(values):,.1f}, {max(values):,.1f}]"


if __name__ == "__main__":
    sys.exit(main(turns=int(sys.argv[1]) if sys.argv[1:] else 5))
