import pytest

from cors_conformance.fetch.origins import (
    OpaqueOrigin,
    TupleOrigin,
    parse_serialized_origin,
    same_origin,
    same_site,
    schemelessly_same_site,
    site,
)
from cors_conformance.fetch.urls import parse_url


@pytest.mark.parametrize(
    ("url", "origin"),
    [
        ("https://a.example/path?query#fragment", "https://a.example"),
        ("https://a.example:443/", "https://a.example"),
        ("http://a.example:443/", "http://a.example:443"),
        ("HTTPS://A.EXAMPLE:8443/", "https://a.example:8443"),
        ("https://user:password@a.example/", "https://a.example"),
        ("https://m\u00fcnchen.example/", "https://xn--mnchen-3ya.example"),
        ("http://[2001:DB8:0::1]/", "http://[2001:db8::1]"),
        ("http://0x7f.1/", "http://127.0.0.1"),
        ("ws://a.example/", "ws://a.example"),
        ("data:,x", "null"),
        ("about:blank", "null"),
        ("chrome-extension://abc/", "null"),
    ],
)
def test_the_origin_of_a_url_is_serialized_as_browsers_do(url: str, origin: str) -> None:
    parsed = parse_url(url)

    assert parsed is not None
    assert str(parsed.origin) == origin


def test_what_is_no_url_is_failure() -> None:
    assert parse_url("https://") is None
    assert parse_url("/relative") is None


def test_a_relative_url_is_parsed_against_its_base() -> None:
    parsed = parse_url("../b?x#y", "https://a.example/1/2")

    assert parsed is not None
    assert parsed.href == "https://a.example/b?x"
    assert parsed.fragment == "#y"


@pytest.mark.parametrize(
    "text",
    [
        "https://a.example",
        "https://a.example:8443",
        "http://127.0.0.1:3000",
        "http://[::1]:3000",
        "https://under_score.example",
        "chrome-extension://abcdef",
        "capacitor://localhost",
        "null",
    ],
)
def test_a_serialized_origin_is_read_and_written_alike(text: str) -> None:
    assert str(parse_serialized_origin(text)) == text


@pytest.mark.parametrize(
    "text",
    [
        "",
        "a.example",
        "https://a.example/",
        "https://A.example",
        "HTTPS://a.example",
        "https://user@a.example",
        "https://a.example:",
        "https://a.example:08",
        "https://a.example?x",
        "https://m\u00fcnchen.example",
        "https://a.example https://b.example",
        "NULL",
    ],
)
def test_what_no_origin_serializes_to_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="is no serialized origin"):
        parse_serialized_origin(text)


def test_an_opaque_origin_equals_none_but_itself() -> None:
    opaque = OpaqueOrigin()

    assert same_origin(opaque, opaque)
    assert not same_origin(opaque, OpaqueOrigin())
    assert same_site(opaque, opaque)
    assert not same_site(opaque, TupleOrigin(scheme="https", host="a.example"))
    assert site(opaque) is opaque


@pytest.mark.parametrize(
    ("one", "other", "expected"),
    [
        ("https://a.example", "https://a.example:8443", True),
        ("https://a.site.example", "https://b.site.example", True),
        ("https://a.site.example", "http://b.site.example", False),
        ("https://a.example", "https://b.example", False),
        ("https://a.co.uk", "https://b.co.uk", False),
        ("https://a.github.io", "https://b.github.io", False),
        ("http://localhost:1", "http://localhost:2", True),
        ("http://127.0.0.1", "http://127.0.0.2", False),
        ("http://[::1]", "http://[::2]", False),
    ],
)
def test_origins_are_same_site_by_scheme_and_registrable_domain(
    one: str, other: str, expected: bool
) -> None:
    assert same_site(parse_serialized_origin(one), parse_serialized_origin(other)) is expected


def test_schemelessly_same_site_leaves_the_scheme_out() -> None:
    one = TupleOrigin(scheme="https", host="a.site.example")
    other = TupleOrigin(scheme="http", host="b.site.example")

    assert schemelessly_same_site(one, other)
    assert site(one) == "https://site.example"
