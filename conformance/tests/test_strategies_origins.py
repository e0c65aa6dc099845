"""Origins and near misses are what they claim to be."""

import ada_url
import pytest
from hypothesis import Phase, find, given, settings
from hypothesis import strategies as st

from cors_conformance.fetch.origins import TupleOrigin, parse_serialized_origin
from cors_conformance.scenario import API
from cors_conformance.strategies import foreign_origins, near_misses, serialized_origins
from cors_conformance.strategies.mutations import (
    OPERATORS,
    UNSAFE_OPERATORS,
    is_browser_origin,
    mutations,
)
from cors_conformance.strategies.origins import COMMON

A = "https://a.example"

# Operator, origin, a result that a page can have, a result that no browser sends.
EXPECTED: tuple[tuple[str, str, str], ...] = (
    ("prefix-label", A, "https://evil-a.example"),
    ("prefix-label", A, "https://xa.example"),
    ("suffix", A, "https://a.example.evil.example"),
    ("suffix", A, "https://a.examplex"),
    ("scheme", A, "http://a.example"),
    ("scheme", A, "app://a.example"),
    ("other-port", "https://a.example:8443", "https://a.example:8444"),
    ("added-port", A, "https://a.example:8080"),
    ("added-port", A, "https://a.example:80"),
    ("added-port", A, "https://a.example:443"),
    ("removed-port", "https://a.example:8443", A),
    ("upper-case-host", A, "https://A.EXAMPLE"),
    ("upper-case-scheme", A, "HTTPs://a.example"),
    ("trailing-dot", A, "https://a.example."),
    ("trailing-slash", A, "https://a.example/"),
    ("path", A, "https://a.example/path"),
    ("query", A, "https://evil.example?https://a.example"),
    ("fragment", A, "https://evil.example#https://a.example"),
    ("userinfo", A, "https://a.example@evil.example"),
    ("white-space", A, "https://a.example x"),
    ("subdomain", A, "https://evil.a.example"),
    ("parent-domain", "https://app.example.com", "https://example.com"),
    ("loopback", "http://localhost:3000", "http://127.0.0.1:3000"),
    ("loopback", "http://127.0.0.1", "http://localhost"),
    ("loopback", "http://[::1]:8080", "http://localhost:8080"),
    ("dot", "https://app.example.com", "https://appxexample.com"),
    ("dot", "https://app.example.com", "https://app.examplexcom"),
    ("neighbour", "https://[2001:db8::1]", "https://[2001:db8::2]"),
    ("neighbour", "https://[2001:db8::2]", "https://[2001:db8::3]"),
    ("hyphen", "https://app.example.com", "https://a-pp.example.com"),
    ("hyphen", "https://a-b.example", "https://ab.example"),
    ("last-cut", A, "https://a.exampl"),
    ("first-cut", "https://app.example.com", "https://pp.example.com"),
    ("concatenation", A, "https://a.examplehttps://evil.example"),
    ("comma-list", A, "https://evil.example, https://a.example"),
    ("space-list", A, "https://a.example https://evil.example"),
    ("percent-encoding", A, "https://%61.example"),
    (
        "u-label",
        "https://xn--mnchen-3ya.example",
        "https://m\N{LATIN SMALL LETTER U WITH DIAERESIS}nchen.example",
    ),
    ("wildcard", A, "https://*.a.example"),
)

# Not profiles, but what `find` does, without the explain phase, which leaves it with a larger
# example than it shrank to, and without shrinking where any example will do.
SHRINK = settings(phases=(Phase.generate, Phase.shrink))
ANY = settings(max_examples=2000, phases=(Phase.generate,))


@given(serialized_origins())
def test_an_origin_is_serialized_as_the_url_parser_does_it(origin: str) -> None:
    if origin.startswith("http"):
        assert ada_url.URL(origin).origin == origin
    assert str(parse_serialized_origin(origin)) == origin


@given(serialized_origins())
def test_an_origin_is_neither_opaque_nor_the_servers_own(origin: str) -> None:
    assert isinstance(parse_serialized_origin(origin), TupleOrigin)
    assert origin != API


def test_origins_shrink_to_a_simple_one() -> None:
    assert find(serialized_origins(), lambda _: True, settings=SHRINK) == A


@pytest.mark.parametrize(
    "part",
    [
        "http://",
        "https://",
        "[",
        "xn--",
        "_",
        "localhost",
        ":443",
        ":80",
        "extension://",
        ".0.",
        "app.app",
    ],
)
def test_origins_come_in_every_shape(part: str) -> None:
    assert part in find(serialized_origins(), lambda origin: part in origin, settings=ANY)


@pytest.mark.parametrize(("operator", "origin", "expected"), EXPECTED)
def test_an_operator_does_what_its_name_says(operator: str, origin: str, expected: str) -> None:
    assert expected in OPERATORS[operator](origin)


def test_every_operator_is_shown() -> None:
    assert {operator for operator, _, _ in EXPECTED} == {*OPERATORS}


@given(serialized_origins().flatmap(near_misses))
def test_a_near_miss_for_a_page_is_an_origin(origin: str) -> None:
    assert str(parse_serialized_origin(origin)) == origin
    assert not origin.startswith("http") or ada_url.URL(origin).origin == origin


@given(serialized_origins().flatmap(lambda origin: near_misses(origin, browser=False)))
def test_no_browser_sends_the_other_near_misses(text: str) -> None:
    assert not is_browser_origin(text)


@given(serialized_origins())
def test_an_origin_is_no_near_miss_of_itself(origin: str) -> None:
    for audience in ("browser", "raw"):
        assert origin not in mutations(origin, audience=audience)


@pytest.mark.parametrize(
    ("origin", "near_miss"),
    [
        (A, "https://a.example."),
        (A, "https://axexample"),
        (A, "https://a.example:8080"),
        ("https://a.example:80", A),
        ("http://a.example", A),
    ],
)
def test_a_page_can_have_the_near_miss(origin: str, near_miss: str) -> None:
    assert find(near_misses(origin), lambda drawn: drawn == near_miss, settings=ANY) == near_miss


@pytest.mark.parametrize(
    "near_miss",
    [
        "https://a.example/",
        "https://A.EXAMPLE",
        "https://a.example:443",
        "https://a.example, https://a.example",
    ],
)
def test_a_stranger_can_send_the_near_miss(near_miss: str) -> None:
    strategy = near_misses(A, browser=False)
    assert find(strategy, lambda drawn: drawn == near_miss, settings=ANY) == near_miss


@given(st.lists(st.sampled_from(COMMON), unique=True), st.data())
def test_a_foreign_origin_is_not_allowed(allowed: list[str], data: st.DataObject) -> None:
    foreign = data.draw(foreign_origins(allowed))
    assert foreign not in {*allowed, API}
    assert foreign == "null" or is_browser_origin(foreign)


def test_a_near_miss_that_is_allowed_is_not_foreign() -> None:
    with pytest.raises(Exception, match="No examples found"):
        find(foreign_origins((A, "http://a.example")), lambda drawn: drawn == "http://a.example")


@pytest.mark.parametrize(
    "origin", ["null", "https://evil.example", "https://a.example.evil.example"]
)
def test_foreign_origins_include(origin: str) -> None:
    assert find(foreign_origins((A,)), lambda drawn: drawn == origin, settings=ANY) == origin


@pytest.mark.parametrize("text", ["a.example", "https:/a.example", "", "null"])
def test_what_is_no_origin_cannot_be_mutated(text: str) -> None:
    with pytest.raises(ValueError, match="is no serialized origin"):
        mutations(text, audience="browser")


def test_a_port_out_of_range_is_no_origin() -> None:
    assert not is_browser_origin("https://a.example:80800")


@pytest.mark.parametrize("name", UNSAFE_OPERATORS)
def test_unsafe_operators_put_in_what_no_field_value_has(name: str) -> None:
    assert all({*"\r\n\0"} & {*result} for result in UNSAFE_OPERATORS[name](A))
