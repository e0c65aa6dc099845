"""Which request headers a page may set, and for which it must ask.

https://fetch.spec.whatwg.org/#terminology-headers
"""

import re
from collections.abc import Iterable
from typing import Final

from cors_conformance.fetch.headers import convert_to_a_sorted_lowercase_set, get_decode_and_split
from cors_conformance.fetch.http import HeaderLine
from cors_conformance.fetch.methods import is_forbidden_method
from cors_conformance.fetch.mime import parse_mime_type_essence
from cors_conformance.fetch.ranges import parse_a_single_range_header_value

SAFELISTED_VALUE_LIMIT: Final = 128
SAFELISTED_SUM_LIMIT: Final = 1024

SAFELISTED_CONTENT_TYPES: Final = frozenset(
    {b"application/x-www-form-urlencoded", b"multipart/form-data", b"text/plain"}
)
NO_CORS_SAFELISTED_NAMES: Final = frozenset(
    {b"accept", b"accept-language", b"content-language", b"content-type"}
)
NON_WILDCARD_NAMES: Final = frozenset({b"authorization"})
PRIVILEGED_NO_CORS_NAMES: Final = frozenset({b"range"})
REQUEST_BODY_HEADER_NAMES: Final = (
    b"content-encoding",
    b"content-language",
    b"content-location",
    b"content-type",
)
FORBIDDEN_NAMES: Final = frozenset(
    {
        b"accept-charset",
        b"accept-encoding",
        b"access-control-request-headers",
        b"access-control-request-method",
        b"connection",
        b"content-length",
        b"cookie",
        b"cookie2",
        b"date",
        b"dnt",
        b"expect",
        b"host",
        b"keep-alive",
        b"origin",
        b"referer",
        b"set-cookie",
        b"te",
        b"trailer",
        b"transfer-encoding",
        b"upgrade",
        b"via",
    }
)
METHOD_OVERRIDE_NAMES: Final = frozenset(
    {b"x-http-method", b"x-http-method-override", b"x-method-override"}
)

_UNSAFE_BYTE: Final = re.compile(rb'[\x00-\x08\x0a-\x1f"():<>?@\[\\\]{}\x7f]')
_LANGUAGE_BYTES: Final = re.compile(rb"[0-9A-Za-z *,\-.;=]*")


def is_forbidden_request_header(name: bytes, value: bytes) -> bool:
    """Whether the browser keeps the header to itself. https://fetch.spec.whatwg.org/#forbidden-request-header"""
    name = name.lower()
    # 1-2. By name alone.
    if name in FORBIDDEN_NAMES or name.startswith((b"proxy-", b"sec-")):
        return True
    # 3. By a forbidden method smuggled in the value.
    return name in METHOD_OVERRIDE_NAMES and any(
        is_forbidden_method(method.encode("latin-1")) for method in get_decode_and_split(value)
    )


def is_cors_safelisted_request_header(name: bytes, value: bytes) -> bool:
    """Whether the header needs no permission. https://fetch.spec.whatwg.org/#cors-safelisted-request-header"""
    # 1. Long values are unsafe, whatever the name.
    if len(value) > SAFELISTED_VALUE_LIMIT:
        return False
    # 2. Each name has its own rule.
    match name.lower():
        case b"accept":
            return not has_cors_unsafe_request_header_byte(value)
        case b"accept-language" | b"content-language":
            return _LANGUAGE_BYTES.fullmatch(value) is not None
        case b"content-type":
            return (
                not has_cors_unsafe_request_header_byte(value)
                and parse_mime_type_essence(value) in SAFELISTED_CONTENT_TYPES
            )
        case b"range":
            single_range = parse_a_single_range_header_value(value)
            return single_range is not None and single_range[0] is not None
    return False


def has_cors_unsafe_request_header_byte(value: bytes) -> bool:
    """Whether a byte is one of https://fetch.spec.whatwg.org/#cors-unsafe-request-header-byte"""
    return _UNSAFE_BYTE.search(value) is not None


def cors_unsafe_request_header_names(headers: Iterable[HeaderLine]) -> tuple[bytes, ...]:
    """Return the names to ask for, lower-case, unique and sorted.

    https://fetch.spec.whatwg.org/#cors-unsafe-request-header-names
    """
    unsafe: list[bytes] = []
    potentially_unsafe: list[bytes] = []
    safelist_value_size = 0
    # 4. Sort each header into one of the two lists.
    for name, value in headers:
        if is_cors_safelisted_request_header(name, value):
            potentially_unsafe.append(name)
            safelist_value_size += len(value)
        else:
            unsafe.append(name)
    # 5. Too much of what is safe is unsafe.
    if safelist_value_size > SAFELISTED_SUM_LIMIT:
        unsafe += potentially_unsafe
    return convert_to_a_sorted_lowercase_set(unsafe)


def is_cors_non_wildcard_request_header_name(name: bytes) -> bool:
    """Whether `*` does not cover it. https://fetch.spec.whatwg.org/#cors-non-wildcard-request-header-name"""
    return name.lower() in NON_WILDCARD_NAMES


def is_no_cors_safelisted_request_header(name: bytes, value: bytes) -> bool:
    """Whether a `no-cors` request may have it. https://fetch.spec.whatwg.org/#no-cors-safelisted-request-header"""
    return name.lower() in NO_CORS_SAFELISTED_NAMES and is_cors_safelisted_request_header(
        name, value
    )
