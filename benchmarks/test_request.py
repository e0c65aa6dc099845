"""What one request costs: `pytest-benchmark`'s tables, one for each kind of request."""

from collections.abc import Callable

from pytest_benchmark.fixture import BenchmarkFixture


def test_request(
    benchmark: BenchmarkFixture,
    calls: dict[str, dict[str, Callable[[], None]]],
    kind: str,
    subject: str,
) -> None:
    benchmark.group = kind
    benchmark(calls[kind][subject])
