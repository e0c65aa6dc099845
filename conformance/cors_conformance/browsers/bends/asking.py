"""Bends of what an engine asks permission for, and of how it takes the answer."""

import re
from collections.abc import Callable
from typing import Any, Final

from cors_conformance.browsers.bending import Bent, Function, replaced, wrapped
from cors_conformance.fetch import (
    browser,
    preflight,
    request_headers,
)
from cors_conformance.fetch import headers as header_list
from cors_conformance.fetch.fetching import FetchParams
from cors_conformance.fetch.origins import Origin
from cors_conformance.fetch.ranges import SingleRange
from cors_conformance.fetch.requests import AuthorRequest, Request
from cors_conformance.fetch.responses import Response

CLIENT_HINTS: Final = frozenset(
    (
        b"device-memory",
        b"downlink",
        b"dpr",
        b"ect",
        b"rtt",
        b"save-data",
        b"viewport-width",
        b"width",
    )
)


def _safelisting(also: Callable[[bytes, bytes], bool | None]) -> Callable[[Function], Function]:
    """Wrap the safelist's rule: `also` decides, or gives `None` to leave it to the standard."""

    def wrap(standard: Function) -> Function:
        def rule(name: bytes, value: bytes) -> bool:
            decided = also(name.lower(), value)
            return bool(standard(name, value)) if decided is None else decided

        return rule

    return wrap


def _bent_safelist(
    also: Callable[[bytes, bytes], bool | None],
) -> Bent:
    return wrapped(request_headers, "is_cors_safelisted_request_header", _safelisting(also))


def client_hints_are_safelisted() -> Bent:
    """Take client hints for safelisted request headers."""
    return _bent_safelist(lambda name, _: True if name in CLIENT_HINTS else None)


def user_agent_is_forbidden() -> Bent:
    """Drop a page's `User-Agent`."""
    names = request_headers.FORBIDDEN_NAMES | {b"user-agent"}
    return replaced(request_headers, "FORBIDDEN_NAMES", names)


def listeners_need_a_body() -> Bent:
    """Forget about listeners on an upload where there is no body to upload."""

    def wrap(standard: Function) -> Function:
        def create(author: AuthorRequest, origin: Origin) -> Request:
            request: Request = standard(author, origin)
            request.use_cors_preflight = author.use_cors_preflight and author.body is not None
            return request

        return create

    return wrapped(browser, "create_request", wrap)


def values_must_be_ascii() -> Bent:
    """Take bytes from 0x80 on in `Accept` and `Content-Type` for unsafe."""
    names = {b"accept", b"content-type"}
    return _bent_safelist(
        lambda name, value: False if name in names and not value.isascii() else None
    )


def range_units_have_no_case() -> Bent:
    """Read the `bytes` of a Range in any case."""

    def also(name: bytes, value: bytes) -> bool | None:
        if name == b"range" and value[:5].lower() == b"bytes" and value[:5] != b"bytes":
            lower = b"bytes" + value[5:]
            return request_headers.is_cors_safelisted_request_header(name, lower)
        return None

    return _bent_safelist(also)


def media_type_lists_are_unsafe() -> Bent:
    """Take a comma in `Content-Type`, outside of quoted strings, for the end of a media type."""
    return _bent_safelist(
        lambda name, value: (
            False
            if name == b"content-type" and len(header_list.get_decode_and_split(value)) > 1
            else None
        )
    )


def ranges_end_below(limit: int) -> Callable[[], Bent]:
    """Make the bend that takes numbers in a `Range` from `limit` on for no numbers."""

    def wrap(standard: Function) -> Function:
        def parse(value: bytes) -> SingleRange | None:
            parsed: SingleRange | None = standard(value)
            if parsed is None or any(number is not None and number >= limit for number in parsed):
                return None
            return parsed

        return parse

    return lambda: wrapped(request_headers, "parse_a_single_range_header_value", wrap)


def listeners_allow_no_method() -> Bent:
    """Want a method in `Access-Control-Allow-Methods` also where the page listens to an upload."""

    def wrap(standard: Function) -> Function:
        def without_the_flag(params: FetchParams, request: Request, response: Response) -> Any:  # noqa: ANN401 - as there
            kept, request.use_cors_preflight = request.use_cors_preflight, False
            try:
                return standard(params, request, response)
            finally:
                request.use_cors_preflight = kept

        return without_the_flag

    return wrapped(preflight, "check_preflight_response", wrap)


_SPACED_RANGE: Final = re.compile(
    rb"(bytes=)[\v\f]*([0-9]+)[\v\f]*(-)(?:[\v\f]*([0-9]+)[\v\f]*)?", re.IGNORECASE
)


def ranges_may_have_odd_spaces() -> Bent:
    """Skip line tabulations and form feeds around the numbers of a `Range`."""

    def also(name: bytes, value: bytes) -> bool | None:
        match = _SPACED_RANGE.fullmatch(value) if name == b"range" else None
        if match is None or not set(value) & set(b"\v\f"):
            return None
        without = b"".join(part or b"" for part in match.groups())
        return request_headers.is_cors_safelisted_request_header(name, without)

    return _bent_safelist(also)
