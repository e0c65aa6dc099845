"""How time and memory grow with what an operator, or anybody, makes long.

The exponent is that of the power law that fits best: 0 is flat, 1 is linear. Peak memory is what
`tracemalloc` sees of one request; building the middleware, and a request that came before, are
not counted.
"""

import tracemalloc
from collections.abc import Callable
from dataclasses import replace
from statistics import median

import pytest

from calling import BARE, Call, asgi_call, bare_asgi
from cors_conformance.implementation import Implementation
from cors_conformance.policy import Policy
from cors_conformance.servers.start import wrapped
from kinds import KINDS, POLICY, Kind
from measuring import Plan, Times, costs, exponent, measure

PLAN = Plan(blocks=8, rounds=6)
_METHOD = (b"access-control-request-method", b"PUT")
_LAST = "https://app.example.com"


def origins(size: int) -> tuple[Policy, Kind]:
    listed = (*(f"https://{number}.example" for number in range(size - 1)), _LAST)
    return replace(POLICY, allow_origins=listed), KINDS["allowed"]


def allowed_headers(size: int) -> tuple[Policy, Kind]:
    names = (*(f"X-{number}" for number in range(size - 2)), "Content-Type", "Authorization")
    return replace(POLICY, allow_headers=names), KINDS["granted preflight"]


def requested_headers(size: int) -> tuple[Policy, Kind]:
    lines = (
        (b"origin", _LAST.encode()),
        _METHOD,
        (b"access-control-request-headers", b",".join(b"x-%d" % name for name in range(size))),
    )
    return POLICY, Kind(method="OPTIONS", headers=lines, granted=None)


AXES: dict[str, tuple[Callable[[int], tuple[Policy, Kind]], tuple[int, ...]]] = {
    "allowed origins": (origins, (1, 10, 100, 1_000, 10_000, 100_000)),
    "allowed headers": (allowed_headers, (2, 10, 100, 1_000)),
    "requested headers": (requested_headers, (1, 10, 100, 1_000, 10_000, 100_000)),
}


@pytest.mark.parametrize("axis", AXES)
def test_growth(
    chosen: tuple[Implementation, ...], axis: str, capsys: pytest.CaptureFixture[str]
) -> None:
    make, sizes = AXES[axis]
    for one in chosen:
        if one.interface != "asgi":
            continue
        times, peaks = grow(one, make, sizes)
        with capsys.disabled():
            print(f"\n{one.name}, {axis}\n  {'':8}" + "".join(f"{size:>12,}" for size in sizes))
            print(f"  {'µs':8}" + "".join(f"{time:12.2f}" for time in times), end="")
            print(f"   exponent {exponent(sizes, times):.2f}")
            print(f"  {'KiB':8}" + "".join(f"{peak:12.1f}" for peak in peaks), end="")
            print(f"   exponent {exponent(sizes, peaks):.2f}")


def grow(
    implementation: Implementation,
    make: Callable[[int], tuple[Policy, Kind]],
    sizes: tuple[int, ...],
) -> tuple[list[float], list[float]]:
    """Measure the cost above the bare application, in µs, and the peak of memory, in KiB.

    All sizes take turns, so that what is compared was measured together.
    """
    bare = {str(size): f"{BARE['asgi']} {size}" for size in sizes}
    applications = {}
    for size in sizes:
        policy, kind = make(size)
        applications[str(size)] = (wrapped(implementation, bare_asgi, policy), kind)

    def build() -> dict[str, Call]:
        calls: dict[str, Call] = {}
        for size, (application, kind) in applications.items():
            calls[size] = asgi_call(application, kind)
            calls[bare[size]] = asgi_call(bare_asgi, kind)
        return calls

    blocks: list[Times] = measure(build, PLAN)
    times = [median(costs(blocks, size, bare[size])) for size in applications]
    peaks = [peak(asgi_call(application, kind)) for application, kind in applications.values()]
    return times, peaks


def peak(call: Call) -> float:
    """Return the KiB that one request takes at most."""
    call()
    tracemalloc.start()
    try:
        before, _ = tracemalloc.get_traced_memory()
        call()
        _, most = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    return (most - before) / 1024
