"""Headers and header lists. https://fetch.spec.whatwg.org/#terminology-headers

A header list is a list of (name, value) pairs in order; functions that change one take it first.
"""

from collections.abc import Callable, Iterable, Sequence
from enum import Enum
from typing import Final, TypeVar

from cors_conformance.fetch.abnf import TAB_OR_SPACE, WHITESPACE, is_token
from cors_conformance.fetch.http import HeaderLine

HeaderList = list[HeaderLine]
T = TypeVar("T")


class Failure(Enum):
    """The standard's *failure*, which is neither null nor a value."""

    FAILURE = "failure"


FAILURE: Final = Failure.FAILURE


def contains(headers: Iterable[HeaderLine], name: bytes) -> bool:
    """Whether a header of that name is there. https://fetch.spec.whatwg.org/#header-list-contains"""
    return name.lower() in [header_name.lower() for header_name, _ in headers]


def get_all(headers: Iterable[HeaderLine], name: bytes) -> list[bytes]:
    """Return the values of all headers of that name, in order."""
    name = name.lower()
    return [value for header_name, value in headers if header_name.lower() == name]


def get(headers: Iterable[HeaderLine], name: bytes) -> bytes | None:
    """Return the values joined by `, `, or null. https://fetch.spec.whatwg.org/#concept-header-list-get"""
    values = get_all(headers, name)
    return b", ".join(values) if values else None


def get_decode_and_split(value: bytes) -> list[str]:
    """Split at the commas outside quoted strings, empty items kept.

    https://fetch.spec.whatwg.org/#header-value-get-decode-and-split
    """
    text = value.decode("latin-1")
    values: list[str] = []
    start = position = 0
    quoted = False
    while position < len(text):
        character = text[position]
        if quoted and character == "\\":
            position += 1
        elif character == '"':
            quoted = not quoted
        elif character == "," and not quoted:
            values.append(text[start:position].strip("\t "))
            start = position + 1
        position += 1
    return [*values, text[start:].strip("\t ")]


def append(headers: HeaderList, name: bytes, value: bytes) -> None:
    """Append, with the casing of the name already there. #concept-header-list-append"""
    lower = name.lower()
    for header_name, _ in headers:
        if header_name.lower() == lower:
            name = header_name
            break
    headers.append((name, value))


def delete(headers: HeaderList, name: bytes) -> None:
    """Remove all headers of that name. https://fetch.spec.whatwg.org/#concept-header-list-delete"""
    name = name.lower()
    headers[:] = [header for header in headers if header[0].lower() != name]


def convert_to_a_sorted_lowercase_set(names: Iterable[bytes]) -> tuple[bytes, ...]:
    """Convert header names. https://fetch.spec.whatwg.org/#convert-header-names-to-a-sorted-lowercase-set"""
    return tuple(sorted({name.lower() for name in names}))


def is_header_name(value: bytes) -> bool:
    """Whether `value` is a header name. https://fetch.spec.whatwg.org/#header-name"""
    return is_token(value)


def is_header_value(value: bytes) -> bool:
    """Whether `value` is a header value. https://fetch.spec.whatwg.org/#header-value"""
    return value.strip(TAB_OR_SPACE) == value and not any(byte in value for byte in b"\0\n\r")


def normalize_value(value: bytes) -> bytes:
    """Strip HTTP whitespace. https://fetch.spec.whatwg.org/#concept-header-value-normalize"""
    return value.strip(WHITESPACE)


def extract_header_list_values(
    headers: Iterable[HeaderLine],
    name: bytes,
    parse: Callable[[bytes], Sequence[T] | None],
    *,
    single: bool = False,
) -> tuple[T, ...] | Failure | None:
    """Parse every header of that name. https://fetch.spec.whatwg.org/#extract-header-list-values

    `parse` is the ABNF of the header: it gives the values of one line, or `None` where the line
    does not match. `single` says that the ABNF allows one line only.
    """
    # 1. Nothing there is null, which is not failure.
    lines = get_all(headers, name)
    if not lines:
        return None
    # 2. More lines than the grammar has are failure.
    if single and len(lines) > 1:
        return FAILURE
    # 3-5. One line that does not parse spoils them all.
    values: list[T] = []
    for line in lines:
        extracted = parse(line)
        if extracted is None:
            return FAILURE
        values.extend(extracted)
    return tuple(values)
