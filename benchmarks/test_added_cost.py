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
from kinds import HOSTILE, KINDS
from measuring import Plan, costs, measure, ratio

PLAN = Plan()
# Milliseconds each, for some: fewer turns tell what there is to tell.
HOSTILE_PLAN = Plan(blocks=10, rounds=3)


def test_added_cost(chosen: tuple[Implementation, ...], kind: str, rows: list[Row]) -> None:
    asked = {**KINDS, **HOSTILE}[kind]

    def build() -> dict[str, Call]:
        return calls_of(chosen, asked)

    blocks = measure(build, HOSTILE_PLAN if kind in HOSTILE else PLAN)
    bare = {one.name: (one.name, BARE[one.interface]) for one in chosen}
    for one in chosen:
        shares = {name: ratio(blocks, bare[one.name], bare[name]) for name in STANDARDS}
        rows.append(
            Row(
                implementation=one.name,
                kind=kind,
                added=median(costs(blocks, *bare[one.name])),
                shares={
                    name: Share(value=share.value, low=share.low, high=share.high)
                    for name, share in shares.items()
                },
            )
        )
