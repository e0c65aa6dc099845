"""Scenarios in numbers, the same ones for the same seed."""

from collections.abc import Iterator

from hypothesis import HealthCheck, Phase, Verbosity, given, seed, settings

from cors_conformance.browsers.scenario import Scenario
from cors_conformance.browsers.scenarios import SHARES, Scenarios, aimed

DRAWING = settings(
    database=None,
    deadline=None,
    phases=(Phase.generate,),
    suppress_health_check=list(HealthCheck),
    verbosity=Verbosity.quiet,
)


def drawn(strategy: Scenarios, count: int, *, number: int) -> list[Scenario]:
    """Draw about `count` different scenarios; `number` is the seed."""
    collected: dict[Scenario, None] = {}

    @seed(number)
    @settings(DRAWING, max_examples=count)
    @given(strategy)
    def collect(scenario: Scenario) -> None:
        collected[scenario] = None

    collect()
    return list(collected)


def batches(count: int, *, number: int, size: int) -> Iterator[list[Scenario]]:
    """Yield batches of about `size` scenarios, `count` or a few more in all.

    Each batch has scenarios of every aim, so that a run that is cut short has seen all of them.
    """
    given_out = 0
    turn = 0
    total = sum(SHARES.values())
    while given_out < count:
        batch: list[Scenario] = []
        for place, (aim, share) in enumerate(SHARES.items()):
            wanted = max(1, round(min(size, count - given_out) * share / total))
            key = (number * 1_000_003 + turn) * 101 + place
            batch += drawn(aimed(aim), wanted, number=key)
        turn += 1
        given_out += len(batch)
        yield batch
