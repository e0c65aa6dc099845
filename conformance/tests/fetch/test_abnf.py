import pytest

from cors_conformance.fetch.abnf import is_token, parse_delta_seconds, parse_token_list


@pytest.mark.parametrize("value", [b"GET", b"x-a", b"*", b"!#$%&'*+-.^_`|~09az"])
def test_a_token_is_made_of_tchars(value: bytes) -> None:
    assert is_token(value)


@pytest.mark.parametrize("value", [b"", b"a b", b"a,b", b'"a"', b"a:", b"\xe4", b"a\n"])
def test_what_has_another_byte_is_no_token(value: bytes) -> None:
    assert not is_token(value)


@pytest.mark.parametrize(
    ("value", "tokens"),
    [
        (b"", ()),
        (b" ,, \t,", ()),
        (b"a", (b"a",)),
        (b"a,b \t, c", (b"a", b"b", b"c")),
        (b"a b", None),
        (b'a, "b"', None),
    ],
)
def test_a_recipient_skips_empty_elements_and_fails_on_the_rest(
    value: bytes, tokens: tuple[bytes, ...] | None
) -> None:
    assert parse_token_list(value) == tokens


@pytest.mark.parametrize(
    ("value", "seconds"),
    [
        (b"0", 0),
        (b"0005", 5),
        (b"2147483647", 2**31),
        (b"9" * 5000, 2**31),
        (b"", None),
        (b"-1", None),
        (b"+1", None),
        (b"1.5", None),
        (b"5 ", None),
        (b"5, 5", None),
    ],
)
def test_delta_seconds_are_digits_and_never_overflow(value: bytes, seconds: int | None) -> None:
    assert parse_delta_seconds(value) == seconds
