"""Bends of what an engine remembers: permissions, cookies, responses; and of what `*` covers."""

import contextlib
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

from cors_conformance.browsers.bending import Bent, Fetching, Function, replaced, wrapped
from cors_conformance.fetch import (
    browser,
    fetching,
    preflight,
    preflight_cache,
)
from cors_conformance.fetch import headers as header_list
from cors_conformance.fetch.abnf import parse_token_list
from cors_conformance.fetch.cookies import Cookie, CookieJar
from cors_conformance.fetch.cors_check import cors_check
from cors_conformance.fetch.fetching import FetchParams
from cors_conformance.fetch.http_cache import SAFE_METHODS, HTTPCache
from cors_conformance.fetch.origins import site
from cors_conformance.fetch.requests import Request
from cors_conformance.fetch.responses import Response, is_ok_status
from cors_conformance.fetch.urls import URL


@contextlib.contextmanager
def wildcards_cover_authorization() -> Iterator[None]:
    """Let `*` in `Access-Control-Allow-Headers` stand for Authorization."""
    name = "is_cors_non_wildcard_request_header_name"
    with (
        replaced(preflight, name, lambda _: False),
        replaced(preflight_cache, name, lambda _: False),
    ):
        yield


def errors_clear_nothing() -> Bent:
    """Keep what the preflight cache has for a URL when a request to it fails."""
    return replaced(preflight_cache.PreflightCache, "clear", lambda *_: None)


def zero_max_ages_store_nothing() -> Bent:
    """Leave the preflight cache as it is where an answer must not be kept."""

    def wrap(standard: Function) -> Function:
        def store(
            cache: preflight_cache.PreflightCache,
            request: Request,
            methods: tuple[bytes, ...],
            header_names: tuple[bytes, ...],
            max_age: int,
        ) -> None:
            if max_age > 0:
                standard(cache, request, methods, header_names, max_age)

        return store

    return wrapped(preflight_cache.PreflightCache, "store", wrap)


def permissions_are_kept_unchecked() -> Bent:
    """Put what a preflight lists into the preflight cache before checking that it suffices."""

    def wrap(standard: Function) -> Function:
        def check(params: FetchParams, request: Request, response: Response) -> Any:  # noqa: ANN401 - as there
            lists = [
                header_list.extract_header_list_values(response.headers, name, parse_token_list)
                for name in (b"access-control-allow-methods", b"access-control-allow-headers")
            ]
            age = header_list.get(response.headers, b"access-control-max-age") or b""
            seconds = int(age) if age.isdigit() else preflight.DEFAULT_MAX_AGE
            methods, names = (item if isinstance(item, tuple) else () for item in lists)
            if is_ok_status(response.status) and age[:1] != b"-":
                params.browser.preflight_cache.store(request, methods, names, seconds)
            return standard(params, request, response)

        return check

    return wrapped(preflight, "check_preflight_response", wrap)


def cookies_need_names() -> Bent:
    """Take a cookie without `=` for an empty one of that name; drop one with an empty name."""

    def wrap(standard: Function) -> Function:
        def parse(jar: CookieJar, line: bytes, url: URL) -> Any:  # noqa: ANN401 - as there
            pair, semicolon, rest = line.partition(b";")
            name, equals, value = pair.partition(b"=")
            if not equals:
                value = b""
            if not name:
                return None
            return standard(jar, name + b"=" + value + semicolon + rest, url)

        return parse

    return wrapped(CookieJar, "_parse", wrap)


def cookies_of_any_site_need_not_be_secure() -> Bent:
    """Take a cookie with `SameSite=None` whether or not it is `Secure`."""

    def wrap(standard: Function) -> Function:
        def admits(jar: CookieJar, cookie: Cookie, request: Request) -> Any:  # noqa: ANN401 - as there
            if cookie.same_site == "none":
                cookie = replace(cookie, same_site="unset")
            return standard(jar, cookie, request)

        return admits

    return wrapped(CookieJar, "_admits", wrap)


def _invalidating_nothing(after: Callable[[Request, Response], bool]) -> Bent:
    def wrap(standard: Function) -> Function:
        def fetch(params: FetchParams, request: Request, purpose: str, **options: bool) -> Fetching:
            cache = params.browser.http_cache_for(request)
            stored = [] if cache is None else list(cache.stored)
            response = yield from standard(params, request, purpose, **options)
            if (
                cache is not None
                and isinstance(response, Response)
                and request.method not in SAFE_METHODS
                and after(request, response)
            ):
                cache.stored = stored
            return response

        return fetch

    return wrapped(fetching, "http_network_or_cache_fetch", wrap)


def failed_requests_invalidate_nothing() -> Bent:
    """Keep what the HTTP cache has for a URL when a POST to it fails the CORS check."""
    return _invalidating_nothing(
        lambda request, response: (
            request.response_tainting == "cors" and cors_check(request, response) is not None
        )
    )


def cross_site_requests_invalidate_nothing() -> Bent:
    """Keep what the HTTP cache has for a URL of another site when a page sends it a POST."""
    return _invalidating_nothing(
        lambda request, _: site(request.origin) != site(request.current_url.origin)
    )


def http_caches_are_split_by_credentials() -> Bent:
    """Keep responses to requests with and without credentials in caches of their own."""

    def wrap(standard: Function) -> Function:
        def cache_for(one: browser.Browser, request: Request) -> HTTPCache | None:
            if standard(one, request) is None:
                return None
            # As in HTTP-network-or-cache fetch, step 8.3.
            credentialed = request.credentials_mode == "include" or (
                request.credentials_mode == "same-origin" and request.response_tainting == "basic"
            )
            caches: dict[Any, HTTPCache] = one._http_caches  # noqa: SLF001 - where they are kept
            return caches.setdefault((site(request.origin), credentialed), HTTPCache(one.clock))

        return cache_for

    return wrapped(browser.Browser, "http_cache_for", wrap)
