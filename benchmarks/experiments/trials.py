"""Trials of a comparison whose right answer is known."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

from calling import BARE, Call, calls_of
from cors_conformance.implementations.registry import find
from kinds import KINDS
from measuring import NEGLIGIBLE, Estimate, Plan, measure, ratio

TWENTY = 20


def run(*, trials: int, extra: int, wanted: float) -> int:
    """Compare the reference with itself, slowed down by `extra` requests in twenty.

    Returns the exit status: 0 if the share `wanted` of the trials is right.
    """
    right = 0
    for trial in range(1, trials + 1):
        found = compare(extra)
        is_right = found.low > 1 + NEGLIGIBLE if extra else not found.differs_from_one()
        right += is_right
        print(
            f"{trial:4}  {found.value:.3f} [{found.low:.3f}, {found.high:.3f}]"
            f"  {'right' if is_right else 'WRONG'}  {right} of {trial}",
            flush=True,
        )
    print(f"\nright in {right} of {trials}, wanted {wanted:.0%}")
    return 0 if right >= wanted * trials else 1


def compare(extra: int) -> Estimate:
    """Measure once, as the benchmarks do, a request of an allowed origin."""
    reference = find("reference")

    def build() -> dict[str, Call]:
        bare = BARE["asgi"]
        one = calls_of([reference], KINDS["allowed"])
        other = calls_of([reference], KINDS["allowed"])
        return {
            bare: repeated(one[bare], TWENTY),
            "one": repeated(one["reference"], TWENTY),
            "bare, as often as other": repeated(other[bare], TWENTY + extra),
            "other": repeated(other["reference"], TWENTY + extra),
        }

    blocks = measure(build, Plan())
    return ratio(blocks, ("other", "bare, as often as other"), ("one", BARE["asgi"]))


def repeated(call: Call, count: int) -> Call:
    """Make several requests of one."""

    def calls() -> None:
        for _ in range(count):
            call()

    return calls
