"""Header names and header sets are what they claim to be."""

from collections.abc import Callable

import pytest
from hypothesis import Phase, find, given, settings

from cors_conformance.fetch.headers import is_header_name, is_header_value
from cors_conformance.fetch.http import HeaderLines
from cors_conformance.fetch.request_headers import (
    cors_unsafe_request_header_names,
    is_cors_safelisted_request_header,
    is_forbidden_request_header,
)
from cors_conformance.strategies import author_headers, header_names
from cors_conformance.strategies.headers import COMMON, name_mutations, unsafe_header

# Not profiles, but what `find` does, without the explain phase, which leaves it with a larger
# example than it shrank to, and without shrinking where any example will do.
SHRINK = settings(phases=(Phase.generate, Phase.shrink))
ANY = settings(max_examples=2000, phases=(Phase.generate,))


@given(header_names())
def test_a_name_is_one_that_a_page_can_set(name: str) -> None:
    line = unsafe_header(name)
    assert is_header_name(line[0])
    assert not is_forbidden_request_header(*line)


@given(header_names())
def test_the_browser_asks_for_every_name(name: str) -> None:
    assert not is_cors_safelisted_request_header(*unsafe_header(name))


@pytest.mark.parametrize("name", ["Authorization", "Content-Type", "Range", "X-A", "X-AB", "A"])
def test_names_include(name: str) -> None:
    assert find(header_names(), lambda drawn: drawn == name, settings=ANY) == name


def test_names_go_beyond_the_table() -> None:
    assert find(header_names(), lambda name: name not in COMMON, settings=SHRINK) == "X-0"


@pytest.mark.parametrize("name", COMMON)
def test_a_mutated_name_is_another_name_that_a_page_can_set(name: str) -> None:
    for mutation in name_mutations(name):
        line = unsafe_header(mutation)
        assert is_header_name(line[0])
        assert mutation.lower() != name.lower()
        assert not is_forbidden_request_header(*line)


@given(author_headers())
def test_a_page_can_set_every_line(lines: HeaderLines) -> None:
    for name, value in lines:
        assert is_header_name(name)
        assert is_header_value(value)
        assert not is_forbidden_request_header(name, value)


@given(author_headers())
def test_names_are_unique_but_for_what_is_appended(lines: HeaderLines) -> None:
    names = [name.lower() for name, _ in lines if name != b"Accept"]
    assert len(names) == len({*names})


def _asks(lines: HeaderLines) -> tuple[bytes, ...]:
    return cors_unsafe_request_header_names(lines)


def _total(lines: HeaderLines) -> int:
    return sum(len(value) for name, value in lines if name.lower().startswith(b"accept"))


SHAPES: dict[str, Callable[[HeaderLines], bool]] = {
    "none": lambda lines: not lines,
    "128 bytes are safe": lambda lines: any(len(v) == 128 for _, v in lines) and not _asks(lines),
    "129 bytes are not": lambda lines: any(len(v) == 129 for _, v in lines) and bool(_asks(lines)),
    "1024 bytes are safe": lambda lines: _total(lines) == 1024 and not _asks(lines),
    "1025 bytes are not": lambda lines: (
        len(lines) == 9 and _asks(lines) == (b"accept", b"content-language")
    ),
    "an essence with a parameter is safe": lambda lines: (
        (b"Content-Type", b"text/plain;charset=UTF-8") in lines and not _asks(lines)
    ),
    "an essence in upper case is safe": lambda lines: (
        (b"content-type", b"TEXT/PLAIN") in lines and not _asks(lines)
    ),
    "JSON is not": lambda lines: _asks(lines) == (b"content-type",),
    "a range from a start is safe": lambda lines: (
        (b"Range", b"bytes=0-") in lines and not _asks(lines)
    ),
    "a suffix range is not": lambda lines: (
        (b"Range", b"bytes=-5") in lines and _asks(lines) == (b"range",)
    ),
    "a unit in upper case is not": lambda lines: (
        (b"Range", b"BYTES=0-") in lines and _asks(lines) == (b"range",)
    ),
    "an underscore in a language is not": lambda lines: _asks(lines) == (b"accept-language",),
    "credentials of the page": lambda lines: _asks(lines) == (b"authorization",),
    "an odd case": lambda lines: any(name == b"x-CSRF-token" for name, _ in lines),
    "several names": lambda lines: len(_asks(lines)) > 2,
}


@pytest.mark.parametrize("shape", SHAPES)
def test_header_sets_reach_both_sides_of_each_limit(shape: str) -> None:
    assert SHAPES[shape](find(author_headers(), SHAPES[shape], settings=ANY))
