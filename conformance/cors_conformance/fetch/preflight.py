"""CORS-preflight fetch. https://fetch.spec.whatwg.org/#cors-preflight-fetch"""

from collections.abc import Generator
from typing import TYPE_CHECKING, Final

from cors_conformance.fetch import headers as header_list
from cors_conformance.fetch.abnf import parse_delta_seconds, parse_token_list
from cors_conformance.fetch.cors_check import cors_check
from cors_conformance.fetch.headers import Failure
from cors_conformance.fetch.http import HTTPRequest, HTTPResponse
from cors_conformance.fetch.methods import is_cors_safelisted_method
from cors_conformance.fetch.request_headers import is_cors_non_wildcard_request_header_name
from cors_conformance.fetch.requests import Request
from cors_conformance.fetch.responses import Response, is_ok_status
from cors_conformance.fetch.steps import Step, show

if TYPE_CHECKING:
    from cors_conformance.fetch.fetching import FetchParams

ANCHOR: Final = "#cors-preflight-fetch-0"
DEFAULT_MAX_AGE: Final = 5
WILDCARD: Final = b"*"


def cors_preflight_fetch(
    params: "FetchParams",
) -> Generator[HTTPRequest, HTTPResponse | None, Step | None]:
    """Ask for permission. https://fetch.spec.whatwg.org/#cors-preflight-fetch-0

    Returns `None` for success, and for a network error the step that says why.
    """
    from cors_conformance.fetch.fetching import (  # noqa: PLC0415 - they call each other
        http_network_or_cache_fetch,
    )

    request = params.request
    # 1-5. The question: never with credentials, whatever the request's mode.
    names = request.unsafe_header_names
    preflight = Request(
        method=b"OPTIONS",
        url_list=request.url_list[:],
        origin=request.origin,
        referrer_policy=request.referrer_policy,
        mode="cors",
        response_tainting="cors",
    )
    preflight.header_list += [
        (b"Accept", b"*/*"),
        (b"Access-Control-Request-Method", request.method),
    ]
    if names:
        preflight.header_list.append((b"Access-Control-Request-Headers", b",".join(names)))
    params.record(
        ANCHOR,
        f"CORS-preflight fetch: asks for method {show(request.method)}"
        f" and headers {show(b','.join(names) or None)}",
    )
    # 6. It goes past the page's caches of permissions, and follows no redirect.
    response = yield from http_network_or_cache_fetch(params, preflight, "preflight")
    if isinstance(response, Step):
        return response
    # 7. The check is for the real request, so that its credentials mode counts.
    failure = cors_check(request, response) or check_preflight_response(params, request, response)
    if failure is None:
        params.record(ANCHOR, "CORS-preflight fetch: granted (step 7.16)")
    return failure


def check_preflight_response(
    params: "FetchParams", request: Request, response: Response
) -> Step | None:
    """Do step 7 of the CORS-preflight fetch, after the CORS check."""
    if not is_ok_status(response.status):
        return Step(ANCHOR, f"CORS-preflight fetch: {response.status} is not an ok status (step 7)")
    # 7.1-7.3. Two lists, and one bad token spoils either.
    methods = header_list.extract_header_list_values(
        response.headers, b"access-control-allow-methods", parse_token_list
    )
    header_names = header_list.extract_header_list_values(
        response.headers, b"access-control-allow-headers", parse_token_list
    )
    if isinstance(methods, Failure):
        return _no_list(response, "Access-Control-Allow-Methods")
    if isinstance(header_names, Failure):
        return _no_list(response, "Access-Control-Allow-Headers")
    # 7.4. So that such a preflight is cached.
    if methods is None and request.use_cors_preflight:
        methods = (request.method,)
    methods = methods or ()
    header_names = header_names or ()
    failure = _check_method(request, methods) or _check_headers(request, header_names)
    if failure is not None:
        return failure
    # 7.8-7.15. Remember the permission.
    max_age = header_list.extract_header_list_values(
        response.headers, b"access-control-max-age", _delta_seconds, single=True
    )
    seconds = DEFAULT_MAX_AGE if max_age is None or isinstance(max_age, Failure) else max_age[0]
    params.browser.preflight_cache.store(request, methods, header_names, seconds)
    return None


def _no_list(response: Response, name: str) -> Step:
    line = header_list.get(response.headers, name.encode())
    return Step(
        ANCHOR, f"CORS-preflight fetch: {name} is {show(line)}, no list of tokens (step 7.3)"
    )


def _check_method(request: Request, methods: tuple[bytes, ...]) -> Step | None:
    # 7.5. `*` is a name like any other when credentials are involved.
    if (
        request.method in methods
        or is_cors_safelisted_method(request.method)
        or (request.credentials_mode != "include" and WILDCARD in methods)
    ):
        return None
    return Step(
        ANCHOR,
        f"CORS-preflight fetch: the method {show(request.method)} is not in"
        f" Access-Control-Allow-Methods, {show(b', '.join(methods) or None)},"
        f" with credentials mode {request.credentials_mode!r} (step 7.5)",
    )


def _check_headers(request: Request, header_names: tuple[bytes, ...]) -> Step | None:
    allowed = {name.lower() for name in header_names}
    wildcard = request.credentials_mode != "include" and WILDCARD in allowed
    listed = show(b", ".join(header_names) or None)
    # 7.6. `*` does not cover Authorization.
    for name, _ in request.header_list:
        if is_cors_non_wildcard_request_header_name(name) and name.lower() not in allowed:
            return Step(
                ANCHOR,
                f"CORS-preflight fetch: {show(name)} is not listed in"
                f" Access-Control-Allow-Headers, {listed} (step 7.6)",
            )
    # 7.7. The rest, by name or by `*`.
    for name in request.unsafe_header_names:
        if name not in allowed and not wildcard:
            return Step(
                ANCHOR,
                f"CORS-preflight fetch: the header {show(name)} is not in"
                f" Access-Control-Allow-Headers, {listed},"
                f" with credentials mode {request.credentials_mode!r} (step 7.7)",
            )
    return None


def _delta_seconds(value: bytes) -> tuple[int] | None:
    seconds = parse_delta_seconds(value)
    return None if seconds is None else (seconds,)
