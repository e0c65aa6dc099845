"""What a middleware adds to a request over HTTP, on servers that are under load, and how it grows.

The cost of a middleware is the CPU time that its server takes for a request, less that of the same
server without the middleware. Nothing is asserted about time.
"""

from statistics import median

import pytest

from conftest import STANDARDS
from cors_conformance.benchmarks.results import Row, Share
from kinds import KINDS, OVER_HTTP, over_http
from measuring import Plan, differences, estimate, exponent, ratio_of_means
from over_http import Subject, Turn, constant, measure, started, turn, warm
from processes import forget_peak, peak_memory

PLAN = Plan(blocks=8, rounds=10, turn=15_000)
GROWTH = Plan(rounds=4, turn=20_000)
CONNECTIONS = (1, 2, 4, 8, 16, 32, 64, 128, 256)
SATURATED = 300_000
"""CPU microseconds of a turn that shows who is busy."""


def test_added_cost_over_http(
    served: dict[str, Subject], rows: list[Row], capsys: pytest.CaptureFixture[str]
) -> None:
    blocks = measure(served, OVER_HTTP, PLAN)
    above = {name: (name, one.bare) for name, one in served.items() if one.bare}
    for kind in OVER_HTTP:
        for subject, pair in above.items():
            shares = {name: ratio_of_means(blocks[kind], pair, above[name]) for name in STANDARDS}
            rows.append(
                Row(
                    implementation=subject,
                    kind=over_http(kind),
                    added=estimate(differences(blocks[kind], *pair)).value,
                    shares={
                        name: Share(value=share.value, low=share.low, high=share.high)
                        for name, share in shares.items()
                    },
                )
            )
    width = max(map(len, served))
    with capsys.disabled():
        print("\nCPU time of the server for a whole request, µs")
        print(" " * width + "".join(f"{kind:>19}" for kind in OVER_HTTP))
        for name in served:
            whole = [
                median([time for times in blocks[kind] for time in times[name]])
                for kind in OVER_HTTP
            ]
            print(f"{name:{width}}" + "".join(f"{time:19.1f}" for time in whole))


def test_generator_is_no_bottleneck(
    served: dict[str, Subject], capsys: pytest.CaptureFixture[str]
) -> None:
    subjects = {"constant answer": constant(), **served}
    width = max(map(len, subjects))
    with started(subjects) as servers, capsys.disabled():
        print(f"\n{'':{width}}  requests/s     share of a core")
        print(f"{'':{width}} {'':>11} {'server':>10} {'server, ready':>15} {'generator':>11}")
        for name, server in servers.items():
            first = warm(name, subjects[name], server, KINDS["allowed"])
            made = turn(server, KINDS["allowed"], int(SATURATED / first.microseconds))
            shares = (one / made.load.seconds for one in (made.seconds, made.ready, made.load.busy))
            print(
                f"{name:{width}} {made.load.done / made.load.seconds:11,.0f}"
                + "".join(
                    f"{share:{wide}.0%}" for share, wide in zip(shares, (11, 16, 12), strict=True)
                )
            )


def test_growth_with_connections(
    served: dict[str, Subject], capsys: pytest.CaptureFixture[str]
) -> None:
    kind = KINDS["allowed"]
    peaks: dict[str, list[int]] = {name: [] for name in served}
    turns: dict[tuple[str, int], list[Turn]] = {}
    with started(served) as servers:
        counts = {}
        for name, server in servers.items():
            first = warm(name, served[name], server, kind)
            counts[name] = max(2 * CONNECTIONS[-1], int(GROWTH.turn / first.microseconds))
            # Upwards: a process seldom gives back what it took.
            for size in CONNECTIONS:
                forget_peak(server.pid)
                turn(server, kind, counts[name], size)
                peaks[name].append(peak_memory(server.pid))
        for _ in range(GROWTH.rounds):
            for size in CONNECTIONS:
                for name, server in servers.items():
                    made = turn(server, kind, counts[name], size)
                    turns.setdefault((name, size), []).append(made)
    with capsys.disabled():
        for name in served:
            times = [
                median(made.microseconds for made in turns[name, size]) for size in CONNECTIONS
            ]
            print(
                f"\n{name}, connections\n  {'':8}" + "".join(f"{size:>10,}" for size in CONNECTIONS)
            )
            print(f"  {'µs':8}" + "".join(f"{time:10.1f}" for time in times), end="")
            print(f"   exponent {exponent(CONNECTIONS, times):.2f}")
            print(f"  {'KiB':8}" + "".join(f"{peak:10,}" for peak in peaks[name]), end="")
            print(f"   exponent {exponent(CONNECTIONS, peaks[name]):.2f}")
