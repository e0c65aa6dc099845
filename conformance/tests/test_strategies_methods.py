"""Methods and near misses are what they claim to be."""

import pytest
from hypothesis import Phase, find, given, settings
from hypothesis import strategies as st

from cors_conformance.fetch.methods import is_forbidden_method, is_method, normalize_method
from cors_conformance.strategies import methods, near_miss_methods
from cors_conformance.strategies.methods import normalized

# Not profiles, but what `find` does, without the explain phase, which leaves it with a larger
# example than it shrank to, and without shrinking where any example will do.
SHRINK = settings(phases=(Phase.generate, Phase.shrink))
ANY = settings(max_examples=2000, phases=(Phase.generate,))


@given(methods())
def test_a_method_is_one_that_a_page_may_use(method: str) -> None:
    assert is_method(method.encode())
    assert not is_forbidden_method(method.encode())


@pytest.mark.parametrize(
    "method", ["PUT", "put", "PATCH", "patch", "CHICKEN", "M-SEARCH", "_x", "!#$%&'*+-.^_`|~"]
)
def test_methods_include(method: str) -> None:
    assert find(methods(), lambda drawn: drawn == method, settings=ANY) == method


def test_methods_go_beyond_the_table() -> None:
    assert find(methods(), lambda drawn: drawn.startswith("MA"), settings=SHRINK) == "MA"


@given(methods())
def test_methods_are_normalised_as_the_browser_does_it(method: str) -> None:
    assert normalized(method).encode() == normalize_method(method.encode())


@given(st.data(), methods())
def test_a_near_miss_is_another_method(data: st.DataObject, method: str) -> None:
    near_miss = data.draw(near_miss_methods(method)).encode()
    assert normalize_method(near_miss) != normalize_method(method.encode())
    assert is_method(near_miss)
    assert not is_forbidden_method(near_miss)


@pytest.mark.parametrize(
    ("method", "near_miss"),
    [("PATCH", "patch"), ("PATCH", "Patch"), ("patch", "PATCH"), ("PUT", "PUTX"), ("PUT", "PU")],
)
def test_near_misses_include(method: str, near_miss: str) -> None:
    assert (
        find(near_miss_methods(method), lambda drawn: drawn == near_miss, settings=ANY) == near_miss
    )
