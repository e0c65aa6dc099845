"""How time and memory grow with what an operator, or anybody, makes long.

The exponent is that of the power law that fits best: 0 is flat, 1 is linear. Times are those of one
request. Peak memory is what `tracemalloc` sees of one request, or of all that are made at once;
building the middleware, and a request that came before, are not counted.
"""

import tracemalloc
from collections.abc import Callable, Sequence
from dataclasses import replace
from statistics import median

import pytest

from calling import BARE, Call, asgi_call, at_once, bare_asgi, waiting_asgi
from cors_conformance.implementation import Implementation
from cors_conformance.policy import Policy
from cors_conformance.servers.start import wrapped
from kinds import KINDS, POLICY, Kind
from measuring import Plan, Times, costs, exponent, measure

PLAN = Plan(blocks=8, rounds=6)
AT_ONCE = (1, 4, 16, 64, 256, 1_024)
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
            print_growth(f"{one.name}, {axis}", sizes, times, peaks)


def print_growth(
    title: str, sizes: Sequence[int], times: Sequence[float], peaks: Sequence[float]
) -> None:
    print(f"\n{title}\n  {'':8}" + "".join(f"{size:>12,}" for size in sizes))
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


def test_growth_with_requests_at_once(
    chosen: tuple[Implementation, ...], capsys: pytest.CaptureFixture[str]
) -> None:
    kind = KINDS["allowed"]
    names = {str(size): f"{BARE['asgi']} {size}" for size in AT_ONCE}
    bare = {names[str(size)]: at_once(waiting_asgi, kind, size) for size in AT_ONCE}
    for one in chosen:
        if one.interface != "asgi":
            continue
        application = wrapped(one, waiting_asgi, POLICY)
        calls = {str(size): at_once(application, kind, size) for size in AT_ONCE}
        blocks = measure({**calls, **bare}.copy, PLAN)
        times = [median(costs(blocks, str(size), names[str(size)])) / size for size in AT_ONCE]
        with capsys.disabled():
            print_growth(
                f"{one.name}, requests at once", AT_ONCE, times, list(map(peak, calls.values()))
            )


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
