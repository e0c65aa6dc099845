"""Bends of what an engine writes on the wire."""

import re
from collections.abc import Callable
from dataclasses import replace
from typing import Final

from cors_conformance.browsers import observing
from cors_conformance.browsers.bending import Bent, Function, replaced, wrapped
from cors_conformance.browsers.observing import Sent
from cors_conformance.browsers.places import PAGE
from cors_conformance.cases import schema
from cors_conformance.fetch import (
    fetching,
)
from cors_conformance.fetch import headers as header_list
from cors_conformance.fetch.http import HTTPRequest
from cors_conformance.fetch.origins import OpaqueOrigin, same_origin, site
from cors_conformance.fetch.requests import Request
from cors_conformance.fetch.urls import parse_url


def referrer_policies_withhold_nothing() -> Bent:
    """Send the origin with methods other than GET and HEAD whatever the referrer policy."""
    return replaced(fetching, "_is_origin_withheld", lambda _: False)


def _stays(request: Request) -> bool:
    """Whether no redirect led to another origin."""
    first = request.url_list[0].origin
    return all(same_origin(url.origin, first) for url in request.url_list)


def _telling(is_told: Callable[[Request], bool]) -> Bent:
    def wrap(standard: Function) -> Function:
        def append(request: Request) -> None:
            standard(request)
            if (
                request.mode == "no-cors"
                and request.credentials_mode == "include"
                and isinstance(request.origin, OpaqueOrigin)
                and is_told(request)
                and not header_list.contains(request.header_list, b"origin")
            ):
                header_list.append(request.header_list, b"Origin", b"null")

        return append

    return wrapped(fetching, "append_a_request_origin_header", wrap)


def opaque_pages_tell_their_origin() -> Bent:
    """Send `Origin: null` with the GET of a `no-cors` fetch that includes credentials."""
    return _telling(lambda _: True)


def opaque_pages_tell_their_origin_at_home() -> Bent:
    """Do so within the site of the page around, until a redirect leads to another origin."""
    around = parse_url(PAGE)

    def is_told(request: Request) -> bool:
        return (
            around is not None
            and site(request.current_url.origin) == site(around.origin)
            and _stays(request)
        )

    return _telling(is_told)


def _seeing(
    change: Callable[[HTTPRequest, schema.Request], HTTPRequest],
) -> Callable[[Function], Function]:
    def wrap(standard: Function) -> Function:
        def seen(request: HTTPRequest, step: schema.Request) -> Sent:
            sent: Sent = standard(change(request, step), step)
            return sent

        return seen

    return wrap


def request_headers_are_utf8() -> Bent:
    """Encode header values as UTF-8 rather than byte by byte."""

    def change(request: HTTPRequest, _: schema.Request) -> HTTPRequest:
        headers = tuple(
            (name, value.decode("latin-1").encode("utf-8")) for name, value in request.headers
        )
        return replace(request, headers=headers)

    return wrapped(observing, "seen_request", _seeing(change))


def preflights_have_the_user_agent() -> Bent:
    """Send a page's own `User-Agent` with the preflight already."""

    def change(request: HTTPRequest, step: schema.Request) -> HTTPRequest:
        own = tuple(
            (name.encode("latin-1"), value.encode("latin-1"))
            for name, value in step.headers
            if name.lower() == "user-agent"
        )
        if not header_list.contains(request.headers, b"access-control-request-method"):
            return request
        return replace(request, headers=(*request.headers, *own))

    return wrapped(observing, "seen_request", _seeing(change))


def caches_rewrite_ranges() -> Bent:
    """Write a `Range` anew, without leading zeros, where the HTTP cache is in play.

    It is read as a list, in which empty elements do not count.
    """

    def change(request: HTTPRequest, step: schema.Request) -> HTTPRequest:
        # fetch() says `no-store` here; XMLHttpRequest cannot.
        if not step.use_cors_preflight or step.method.upper() != "GET":
            return request
        headers = tuple((name, _rewritten(name, value)) for name, value in request.headers)
        return replace(request, headers=headers)

    return wrapped(observing, "seen_request", _seeing(change))


_LAX_RANGE: Final = re.compile(
    rb"bytes[ \t]*=[ \t,]*([0-9]*)[ \t]*-[ \t]*([0-9]*)[ \t,]*", re.IGNORECASE
)


def _rewritten(name: bytes, value: bytes) -> bytes:
    match = _LAX_RANGE.fullmatch(value) if name.lower() == b"range" else None
    if match is None or not any(match.groups()):
        return value
    first, last = (str(int(digits)) if digits else "" for digits in match.groups())
    if first and last and int(first) > int(last):
        return value
    return f"bytes={first}-{last}".encode("ascii")


def redirects_blur_the_origin() -> Bent:
    """Send `Origin: null` without CORS from the first redirect to another origin on."""

    def wrap(standard: Function) -> Function:
        def append(request: Request) -> None:
            standard(request)
            if request.response_tainting == "cors" or _stays(request):
                return
            if header_list.contains(request.header_list, b"origin"):
                header_list.delete(request.header_list, b"origin")
                header_list.append(request.header_list, b"Origin", b"null")

        return append

    return wrapped(fetching, "append_a_request_origin_header", wrap)
