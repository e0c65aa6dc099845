"""What one request costs: `pytest-benchmark`'s tables, one for each kind of request."""

from pytest_benchmark.fixture import BenchmarkFixture

from calling import Call


def test_request(benchmark: BenchmarkFixture, call: Call, kind: str) -> None:
    benchmark.group = kind
    benchmark(call)
