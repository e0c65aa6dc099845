import pytest

from cors_conformance.fetch.request_headers import (
    cors_unsafe_request_header_names,
    is_cors_safelisted_request_header,
    is_forbidden_request_header,
    is_no_cors_safelisted_request_header,
)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        (b"Accept", b"text/html;q=0.9,\t*/*"),
        (b"accept", b"a" * 128),
        (b"accept", b"\x80\xff"),
        (b"Accept-Language", b"de-DE, en;q=0.5, *"),
        (b"content-language", b""),
        (b"Content-Type", b"text/plain;charset=utf-8"),
        (b"content-type", b"TEXT/Plain ; x=\xe4"),
        (b"content-type", b"multipart/form-data;boundary=x"),
        (b"content-type", b"application/x-www-form-urlencoded;"),
        (b"range", b"bytes=0-"),
        (b"range", b"bytes=5-10"),
        (b"range", b"bytes=7-7"),
    ],
)
def test_safe_values_of_five_names_need_no_permission(name: bytes, value: bytes) -> None:
    assert is_cors_safelisted_request_header(name, value)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        (b"accept", b"a" * 129),
        (b"accept", b"a\x01"),
        (b"accept", b'"'),
        (b"accept", b"a:b"),
        (b"accept", b"\x7f"),
        (b"accept-language", b"de_DE"),
        (b"accept-language", b"de\ten"),
        (b"content-language", b"\xe4"),
        (b"content-type", b"application/json"),
        (b"content-type", b"text/plain, application/json"),
        (b"content-type", b'text/plain;charset="utf-8"'),
        (b"content-type", b"text"),
        (b"content-type", b"/plain"),
        (b"content-type", b"text/"),
        (b"content-type", b"te xt/plain"),
        (b"range", b"bytes=-500"),
        (b"range", b"bytes=-"),
        (b"range", b"bytes=5-4"),
        (b"range", b"bytes = 0-"),
        (b"range", b"BYTES=0-"),
        (b"range", b"bytes=0-1,2-3"),
        (b"x-a", b"1"),
        (b"last-event-id", b"1"),
        (b"authorization", b""),
    ],
)
def test_all_other_headers_need_permission(name: bytes, value: bytes) -> None:
    assert not is_cors_safelisted_request_header(name, value)


def test_unsafe_names_are_lower_case_unique_and_sorted() -> None:
    headers = ((b"X-B", b"1"), (b"accept", b"ok"), (b"x-a", b"2"), (b"x-b", b"3"))

    assert cors_unsafe_request_header_names(headers) == (b"x-a", b"x-b")


def test_more_than_1024_safe_bytes_are_unsafe() -> None:
    exactly = ((b"accept", b"a" * 128),) * 8

    assert cors_unsafe_request_header_names(exactly) == ()
    assert cors_unsafe_request_header_names((*exactly, (b"accept-language", b"d"))) == (
        b"accept",
        b"accept-language",
    )


@pytest.mark.parametrize(
    ("name", "value"),
    [
        (b"Host", b"x"),
        (b"COOKIE", b"x"),
        (b"Sec-Anything", b"x"),
        (b"proxy-authorization", b"x"),
        (b"X-HTTP-Method-Override", b"trace"),
        (b"x-http-method", b"GET, Connect"),
        (b"x-method-override", b"track"),
    ],
)
def test_forbidden_headers_are_the_browsers_own(name: bytes, value: bytes) -> None:
    assert is_forbidden_request_header(name, value)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        (b"User-Agent", b"x"),
        (b"secret", b"x"),
        (b"proxy", b"x"),
        (b"X-HTTP-Method-Override", b"GETTRACE"),
        (b"x-http-method", b'"a, TRACE"'),
        (b"x-other", b"TRACE"),
    ],
)
def test_other_headers_are_a_pages_to_set(name: bytes, value: bytes) -> None:
    assert not is_forbidden_request_header(name, value)


def test_no_cors_requests_have_four_headers_and_no_range() -> None:
    assert is_no_cors_safelisted_request_header(b"Accept", b"text/html")
    assert not is_no_cors_safelisted_request_header(b"range", b"bytes=0-")
    assert not is_no_cors_safelisted_request_header(b"content-type", b"application/json")
