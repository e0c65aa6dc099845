import pytest

from cors_conformance.fetch.abnf import parse_token_list
from cors_conformance.fetch.headers import (
    FAILURE,
    append,
    convert_to_a_sorted_lowercase_set,
    delete,
    extract_header_list_values,
    get,
    get_decode_and_split,
    is_header_value,
    normalize_value,
)


def test_get_joins_values_with_comma_and_space() -> None:
    assert get([(b"A", b"1"), (b"b", b"2"), (b"a", b"3")], b"a") == b"1, 3"


def test_get_of_an_absent_header_is_null() -> None:
    assert get([], b"a") is None


@pytest.mark.parametrize(
    ("value", "items"),
    [
        (b"nosniff,", ["nosniff", ""]),
        (b"", [""]),
        (b'text/html;", x/x', ['text/html;", x/x']),
        (b'x/x;test="hi",y/y', ['x/x;test="hi"', "y/y"]),
        (b"x / x,,,1", ["x / x", "", "", "1"]),
        (b'"1,2", 3', ['"1,2"', "3"]),
        (b'"a\\",b", c', ['"a\\",b"', "c"]),
        (b'"a\\', ['"a\\']),
    ],
)
def test_get_decode_and_split_minds_quotes(value: bytes, items: list[str]) -> None:
    assert get_decode_and_split(value) == items


def test_append_takes_the_casing_that_is_there() -> None:
    headers = [(b"X-a", b"1")]

    append(headers, b"x-A", b"2")

    assert headers == [(b"X-a", b"1"), (b"X-a", b"2")]


def test_delete_removes_every_spelling() -> None:
    headers = [(b"X-a", b"1"), (b"b", b"2"), (b"x-A", b"3")]

    delete(headers, b"x-a")

    assert headers == [(b"b", b"2")]


def test_names_are_sorted_after_they_are_lowercased() -> None:
    assert convert_to_a_sorted_lowercase_set([b"Z", b"a", b"B", b"z"]) == (b"a", b"b", b"z")


def test_a_header_value_has_no_line_breaks_nul_or_outer_white_space() -> None:
    assert is_header_value(b"a\tb \x01 \xff")
    for value in (b" a", b"a\t", b"a\nb", b"a\rb", b"a\0b"):
        assert not is_header_value(value)


def test_normalizing_strips_line_breaks_too() -> None:
    assert normalize_value(b"\r\n a \t") == b"a"


def test_extracting_tells_null_from_failure_and_from_nothing() -> None:
    assert extract_header_list_values([], b"a", parse_token_list) is None
    assert extract_header_list_values([(b"a", b"")], b"a", parse_token_list) == ()
    assert extract_header_list_values([(b"a", b"x y")], b"a", parse_token_list) is FAILURE


def test_one_bad_line_spoils_the_good_ones() -> None:
    lines = [(b"a", b"x"), (b"A", b"x y"), (b"a", b"z")]

    assert extract_header_list_values(lines, b"a", parse_token_list) is FAILURE


def test_a_single_header_must_not_be_repeated() -> None:
    lines = [(b"a", b"x"), (b"a", b"x")]

    assert extract_header_list_values(lines, b"a", parse_token_list, single=True) is FAILURE
    assert extract_header_list_values(lines, b"a", parse_token_list) == (b"x", b"x")
