"""What a middleware adds to a request, as a share of what the reference and Starlette add.

The cost of a middleware is its time less that of the bare application for the same request (a
preflight that a middleware answers itself saves the application's time, and that counts). Nothing
is asserted about time: whoever runs this reads the table, or compares it with an earlier one.
"""

from statistics import median

from calling import BARE, Call, calls_of
from conftest import STANDARDS
from cors_conformance.benchmarks.results import Row, Share
from cors_conformance.implementation import Implementation
from kinds import HOSTILE, KINDS, Kind
from measuring import Plan, costs, measure, ratio

PLAN = Plan()
# Milliseconds each, for some: fewer turns tell what there is to tell.
HOSTILE_PLAN = Plan(blocks=10, rounds=3)

READING = "reading once"
NOTHING = "nothing"


def reading_of(kind: Kind) -> Call:
    """Read the request's lines once, for what they have between commas, and no more."""
    headers = [*kind.headers]

    def call() -> None:
        for _name, value in headers:
            value.split(b",")

    return call


def test_added_cost(chosen: tuple[Implementation, ...], kind: str, rows: list[Row]) -> None:
    asked = {**KINDS, **HOSTILE}[kind]

    def build() -> dict[str, Call]:
        reading = {READING: reading_of(asked), NOTHING: lambda: None} if kind in HOSTILE else {}
        return {**calls_of(chosen, asked), **reading}

    blocks = measure(build, HOSTILE_PLAN if kind in HOSTILE else PLAN)
    above = {one.name: (one.name, BARE[one.interface]) for one in chosen}
    if kind in HOSTILE:
        above[READING] = (READING, NOTHING)
    for subject, pair in above.items():
        shares = {name: ratio(blocks, pair, above[name]) for name in STANDARDS}
        rows.append(
            Row(
                implementation=subject,
                kind=kind,
                added=median(costs(blocks, *pair)),
                shares={
                    name: Share(value=share.value, low=share.low, high=share.high)
                    for name, share in shares.items()
                },
            )
        )
