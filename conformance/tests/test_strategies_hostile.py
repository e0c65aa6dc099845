"""Hostile requests are as hostile as they claim to be."""

from collections.abc import Callable

import pytest
from hypothesis import Phase, find, given, settings
from hypothesis import strategies as st
from hypothesis.vendor.pretty import pretty

from cors_conformance.policy import Policy
from cors_conformance.scenario import RawRequest
from cors_conformance.strategies import hostile_requests, policies
from cors_conformance.strategies.hostile import ordinary_requests

A = b"https://a.example"
EVIL = b"https://evil.example"
POLICY = Policy(allow_origins=("https://a.example", "https://b.example"), allow_headers=("X-A",))

# Not profiles, but what `find` does, without the explain phase, which leaves it with a larger
# example than it shrank to, and without shrinking where any example will do.
SHRINK = settings(phases=(Phase.generate, Phase.shrink))
ANY = settings(max_examples=2000, phases=(Phase.generate,))


def lines(request: RawRequest, name: bytes) -> list[bytes]:
    return [value for line, value in request.headers if line == name]


def origins(request: RawRequest) -> list[bytes]:
    return lines(request, b"origin")


def methods(request: RawRequest) -> list[bytes]:
    return lines(request, b"access-control-request-method")


def names(request: RawRequest) -> list[bytes]:
    return lines(request, b"access-control-request-headers")


@given(policies().flatmap(lambda policy: hostile_requests(policy, huge=True)))
def test_no_value_has_bytes_that_no_parser_passes_on(request: RawRequest) -> None:
    for _, value in request.headers:
        assert not {*b"\r\n\0"} & {*value}
        assert value == value.strip(b" \t") or len(value) > 10_000


@given(policies().flatmap(lambda policy: st.sampled_from(ordinary_requests(policy))))
def test_an_ordinary_request_has_one_line_of_each_name(request: RawRequest) -> None:
    assert len({name for name, _ in request.headers}) == len(request.headers)


def test_hostile_requests_shrink_to_a_request_without_headers() -> None:
    smallest = find(hostile_requests(POLICY), lambda _: True, settings=SHRINK)
    assert smallest == RawRequest(method=b"GET", headers=())


def test_a_long_value_is_shown_short() -> None:
    request = RawRequest(method=b"GET", headers=((b"origin", b"x" * 2**20),))
    assert "... 1048576 bytes ..." in repr(request)
    assert pretty(request) == repr(request)
    assert len(repr(request)) < 1000


SHAPES: dict[str, Callable[[RawRequest], bool]] = {
    "the allowed origin first": lambda request: origins(request) == [A, EVIL],
    "the allowed origin last": lambda request: origins(request) == [EVIL, A],
    "two allowed origins": lambda request: origins(request) == [A, b"https://b.example"],
    "a list with commas": lambda request: origins(request) == [A + b", " + EVIL],
    "a list with spaces": lambda request: origins(request) == [A + b" " + EVIL],
    "an empty origin": lambda request: origins(request) == [b""],
    "an origin in upper case": lambda request: origins(request) == [b"https://A.EXAMPLE"],
    "an origin with a slash": lambda request: origins(request) == [A + b"/"],
    "a null in upper case": lambda request: origins(request) == [b"NULL"],
    "an asterisk": lambda request: origins(request) == [b"*"],
    "bytes beyond ASCII": lambda request: origins(request) == [b"\x80\xff"],
    "a long origin": lambda request: any(len(value) > 60_000 for value in origins(request)),
    "a method that is no token": lambda request: methods(request) == [b"P UT"],
    "several methods": lambda request: len(methods(request)) > 1,
    "no method": lambda request: request.method == b"OPTIONS" and not methods(request),
    "no origin": lambda request: request.method == b"OPTIONS" and not origins(request),
    "a method where it does not belong": lambda request: (
        request.method == b"GET" and bool(methods(request))
    ),
    "no names": lambda request: names(request) == [b""],
    "only commas": lambda request: any({*value} == {*b","} for value in names(request)),
    "names that are no tokens": lambda request: names(request) == [b"x evil"],
    "thousands of names": lambda request: any(value.count(b",") > 4000 for value in names(request)),
    "many lines of names": lambda request: len(names(request)) > 50,
    "markup": lambda request: any(b"<script>" in value for value in names(request)),
    "another source": lambda request: bool(lines(request, b"x-origin")),
    "an origin in the query": lambda request: b"origin=" in request.target,
}


@pytest.mark.parametrize("shape", SHAPES)
def test_hostile_requests_include(shape: str) -> None:
    assert SHAPES[shape](find(hostile_requests(POLICY), SHAPES[shape], settings=ANY))


@pytest.mark.parametrize("name", [b"origin", b"access-control-request-headers"])
def test_injections_are_asked_for(name: bytes) -> None:
    strategy = hostile_requests(POLICY, unsafe_bytes=True)

    def injects(request: RawRequest) -> bool:
        return any(b"\r\nx-injected: 1" in value for value in lines(request, name))

    assert injects(find(strategy, injects, settings=ANY))


def test_a_megabyte_is_asked_for() -> None:
    strategy = hostile_requests(POLICY, huge=True)
    found = find(strategy, lambda drawn: 2**20 in map(len, names(drawn)), settings=ANY)
    assert {len(value) for value in names(found)} == {2**20}


@given(hostile_requests(Policy()))
def test_a_policy_that_grants_nothing_has_hostile_requests_too(request: RawRequest) -> None:
    assert request.method in {b"GET", b"HEAD", b"POST", b"PUT", b"OPTIONS"}
