"""Fetching: main fetch and the algorithms under it. https://fetch.spec.whatwg.org/#fetching

Each is a generator that yields what goes to the network and is sent what comes back. What has no
bearing on who may read what is left out: service workers, CSP, mixed content, HSTS, timing,
authentication prompts and the headers that describe the page rather than the request.
"""

from collections.abc import Generator
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Final, Literal, TypeAlias

from cors_conformance.fetch import headers as header_list
from cors_conformance.fetch.cors_check import cors_check
from cors_conformance.fetch.headers import Failure
from cors_conformance.fetch.http import HTTPRequest, HTTPResponse
from cors_conformance.fetch.http_cache import SAFE_METHODS
from cors_conformance.fetch.methods import is_cors_safelisted_method
from cors_conformance.fetch.origins import TupleOrigin, same_origin, schemelessly_same_site
from cors_conformance.fetch.ports import is_blocked_due_to_a_bad_port
from cors_conformance.fetch.preflight import cors_preflight_fetch
from cors_conformance.fetch.request_headers import NON_WILDCARD_NAMES, REQUEST_BODY_HEADER_NAMES
from cors_conformance.fetch.requests import ReferrerPolicy, Request
from cors_conformance.fetch.responses import (
    REDIRECT_STATUSES,
    FilteredResponse,
    Response,
    location_url,
)
from cors_conformance.fetch.steps import Step, show

if TYPE_CHECKING:
    from cors_conformance.fetch.browser import Browser

Purpose: TypeAlias = Literal["preflight", "actual"]
Fetching: TypeAlias = Generator[
    HTTPRequest, HTTPResponse | None, "Response | FilteredResponse | Step"
]
"""A `Step` is a network error, and says why."""

MAIN_FETCH: Final = "#concept-main-fetch"
HTTP_FETCH: Final = "#concept-http-fetch"
HTTP_REDIRECT_FETCH: Final = "#concept-http-redirect-fetch"
HTTP_NETWORK_OR_CACHE_FETCH: Final = "#concept-http-network-or-cache-fetch"

REDIRECT_LIMIT: Final = 20
PROXY_AUTHENTICATION_REQUIRED: Final = 407
MISDIRECTED_REQUEST: Final = 421
DEFAULT_REFERRER_POLICY: Final = "strict-origin-when-cross-origin"
REFERRER_POLICIES: Final[dict[bytes, ReferrerPolicy]] = {
    b"no-referrer": "no-referrer",
    b"no-referrer-when-downgrade": "no-referrer-when-downgrade",
    b"same-origin": "same-origin",
    b"origin": "origin",
    b"strict-origin": "strict-origin",
    b"origin-when-cross-origin": "origin-when-cross-origin",
    b"strict-origin-when-cross-origin": "strict-origin-when-cross-origin",
    b"unsafe-url": "unsafe-url",
}
CONDITIONAL_NAMES: Final = (
    b"if-modified-since",
    b"if-none-match",
    b"if-unmodified-since",
    b"if-match",
    b"if-range",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Exchange:
    """One request and what came back, `None` for no response at all."""

    purpose: Purpose
    request: HTTPRequest
    response: HTTPResponse | None
    from_http_cache: bool = False


@dataclass(slots=True, kw_only=True)
class FetchParams:
    """The bookkeeping of one fetch. https://fetch.spec.whatwg.org/#fetch-params"""

    request: Request
    browser: "Browser"
    steps: list[Step] = field(default_factory=list)
    exchanges: list[Exchange] = field(default_factory=list)

    def record(self, anchor: str, text: str) -> None:
        """Record a step that was taken."""
        self.steps.append(Step(anchor, text))


def main_fetch(params: FetchParams) -> Fetching:
    """Choose how to fetch. https://fetch.spec.whatwg.org/#concept-main-fetch

    Filtering the response, step 14, is left to the caller, since redirects recurse to here.
    """
    request = params.request
    url = request.current_url
    # 7. Some ports belong to other protocols.
    if is_blocked_due_to_a_bad_port(url):
        return Step("#block-bad-port", f"main fetch: port {url.port} is blocked (step 7)")
    # 8. The page has no policy of its own here.
    if not request.referrer_policy:
        request.referrer_policy = DEFAULT_REFERRER_POLICY
    # 12. The first that matches.
    if same_origin(url.origin, request.origin) and request.response_tainting == "basic":
        params.record(MAIN_FETCH, f"main fetch: {url.href} is same-origin (step 12)")
        return (yield from scheme_fetch(params))
    if request.mode == "same-origin":
        return Step(MAIN_FETCH, "main fetch: the mode is same-origin and the URL is not (step 12)")
    if request.mode == "no-cors":
        if request.redirect_mode != "follow":
            return Step(
                MAIN_FETCH, "main fetch: no-cors requires the redirect mode follow (step 12)"
            )
        request.response_tainting = "opaque"
        params.record(MAIN_FETCH, "main fetch: the mode is no-cors, the response opaque (step 12)")
        return (yield from scheme_fetch(params))
    if not url.is_http:
        return Step(MAIN_FETCH, f"main fetch: {url.scheme}: is no HTTP(S) scheme (step 12)")
    request.response_tainting = "cors"
    names = request.unsafe_header_names
    if request.use_cors_preflight or names or not is_cors_safelisted_method(request.method):
        params.record(
            MAIN_FETCH,
            f"main fetch: cross-origin, and a preflight is needed for method"
            f" {show(request.method)}, headers {show(b','.join(names) or None)},"
            f" use-CORS-preflight flag {request.use_cors_preflight} (step 12)",
        )
        response = yield from http_fetch(params, make_cors_preflight=True)
        if isinstance(response, Step):
            params.browser.preflight_cache.clear(request)
        return response
    params.record(MAIN_FETCH, "main fetch: cross-origin, without a preflight (step 12)")
    return (yield from http_fetch(params))


def scheme_fetch(params: FetchParams) -> Fetching:
    """Fetch HTTP(S) and nothing else. https://fetch.spec.whatwg.org/#concept-scheme-fetch"""
    if not params.request.current_url.is_http:
        return Step("#concept-scheme-fetch", "scheme fetch: only HTTP(S) is modelled")
    return (yield from http_fetch(params))


def http_fetch(params: FetchParams, *, make_cors_preflight: bool = False) -> Fetching:
    """Ask if need be, fetch, check, redirect. https://fetch.spec.whatwg.org/#concept-http-fetch"""
    request = params.request
    # 4.1. A preflight, unless the cache has the permission.
    if make_cors_preflight:
        if _needs_preflight(params):
            failure = yield from cors_preflight_fetch(params)
            if failure is not None:
                return failure
        else:
            params.record(HTTP_FETCH, "HTTP fetch: the CORS-preflight cache has it all (step 4.1)")
    # 4.3.
    response = yield from http_network_or_cache_fetch(params, request, "actual")
    if isinstance(response, Step):
        return response
    # 4.4. Redirects are checked as well.
    if request.response_tainting == "cors":
        failure = cors_check(request, response)
        if failure is not None:
            return failure
        params.record("#concept-cors-check", f"CORS check: success, status {response.status}")
    # 5.
    if request.response_tainting == "opaque" and _is_blocked_by_resource_policy(request, response):
        return Step(
            "#cross-origin-resource-policy-check",
            "HTTP fetch: Cross-Origin-Resource-Policy blocks the response (step 5)",
        )
    # 6.
    if response.status in REDIRECT_STATUSES:
        match request.redirect_mode:
            case "error":
                return Step(HTTP_FETCH, "HTTP fetch: a redirect, and the mode is error (step 6)")
            case "manual":
                return FilteredResponse(type="opaqueredirect", url=request.current_url.href)
            case "follow":
                return (yield from http_redirect_fetch(params, response))
    return response


def _needs_preflight(params: FetchParams) -> bool:
    """Whether the preflight cache lacks a permission. HTTP fetch, step 4.1."""
    request, cache = params.request, params.browser.preflight_cache
    asks_for_method = request.use_cors_preflight or not is_cors_safelisted_method(request.method)
    if asks_for_method and not cache.method_matches(request, request.method):
        return True
    return not all(cache.header_name_matches(request, name) for name in request.unsafe_header_names)


def _is_blocked_by_resource_policy(request: Request, response: Response) -> bool:
    """Do the check without an embedder policy. https://fetch.spec.whatwg.org/#cross-origin-resource-policy-check"""
    policy = header_list.get(response.headers, b"cross-origin-resource-policy")
    page, resource = request.origin, response.url.origin
    if policy == b"same-origin":
        return not same_origin(page, resource)
    if policy == b"same-site":
        return not (
            isinstance(page, TupleOrigin)
            and isinstance(resource, TupleOrigin)
            and schemelessly_same_site(page, resource)
            and (page.scheme == "https" or resource.scheme != "https")
        )
    return False


def http_redirect_fetch(params: FetchParams, response: Response) -> Fetching:
    """Follow a redirect. https://fetch.spec.whatwg.org/#concept-http-redirect-fetch"""
    request = params.request
    # 3-6. Somewhere to go, over HTTP.
    location = location_url(response, request.current_url.fragment)
    if location is None:
        return response
    if isinstance(location, Failure):
        return Step(HTTP_REDIRECT_FETCH, "HTTP-redirect fetch: Location is no URL (step 5)")
    if not location.is_http:
        return Step(HTTP_REDIRECT_FETCH, f"HTTP-redirect fetch: {location.scheme}: (step 6)")
    # 7-8. Not for ever.
    if request.redirect_count == REDIRECT_LIMIT:
        return Step(HTTP_REDIRECT_FETCH, "HTTP-redirect fetch: twenty redirects (step 7)")
    request.redirect_count += 1
    # 9-10. No user name and password for somebody else.
    if location.includes_credentials:
        if request.mode == "cors" and not same_origin(request.origin, location.origin):
            return Step(
                HTTP_REDIRECT_FETCH,
                "HTTP-redirect fetch: Location includes credentials, cross-origin (step 9)",
            )
        if request.response_tainting == "cors":
            return Step(
                HTTP_REDIRECT_FETCH,
                "HTTP-redirect fetch: Location includes credentials, after CORS (step 10)",
            )
    # 11. Bodies here have a source, so that they can be sent again.
    # 12. POST becomes GET where it always did.
    if (response.status in {301, 302} and request.method == b"POST") or (
        response.status == 303 and request.method not in {b"GET", b"HEAD"}  # noqa: PLR2004
    ):
        request.method = b"GET"
        request.body = None
        for name in REQUEST_BODY_HEADER_NAMES:
            header_list.delete(request.header_list, name)
    # 13. Authorization was for the first origin.
    if not same_origin(request.current_url.origin, location.origin):
        for name in NON_WILDCARD_NAMES:
            header_list.delete(request.header_list, name)
    # 18-19.
    request.url_list.append(location)
    _set_referrer_policy_on_redirect(request, response)
    params.record(
        HTTP_REDIRECT_FETCH,
        f"HTTP-redirect fetch: {response.status} to {location.href},"
        f" origin now {show(request.byte_serialized_origin())}",
    )
    # 22.
    return (yield from main_fetch(params))


def _set_referrer_policy_on_redirect(request: Request, response: Response) -> None:
    """Take a policy from the redirect. https://w3c.github.io/webappsec-referrer-policy/#set-requests-referrer-policy-on-redirect"""
    for line in header_list.get_all(response.headers, b"referrer-policy"):
        for token in line.split(b","):
            policy = REFERRER_POLICIES.get(token.strip(b" \t").lower())
            if policy is not None:
                request.referrer_policy = policy


def http_network_or_cache_fetch(
    params: FetchParams, request: Request, purpose: Purpose, *, new_connection: bool = False
) -> Generator[HTTPRequest, HTTPResponse | None, Response | Step]:
    """Send it, or answer from the cache. https://fetch.spec.whatwg.org/#concept-http-network-or-cache-fetch"""
    browser = params.browser
    # 8.2-8.3.
    http_request = request.clone()
    include_credentials = request.credentials_mode == "include" or (
        request.credentials_mode == "same-origin" and request.response_tainting == "basic"
    )
    # 8.5-8.23. What the browser adds is added after the safelist was consulted.
    _append_content_length(http_request)
    append_a_request_origin_header(http_request)
    _modify_cache_mode(http_request)
    if header_list.contains(http_request.header_list, b"range"):
        header_list.append(http_request.header_list, b"Accept-Encoding", b"identity")
    if include_credentials:
        cookie = browser.cookie_jar.cookie_header(http_request)
        if cookie is not None:
            header_list.append(http_request.header_list, b"Cookie", cookie)
    # 8.25-9. The HTTP cache of the page's site.
    wire = HTTPRequest(
        method=http_request.method,
        url=http_request.current_url.href,
        headers=tuple(http_request.header_list),
        body=http_request.body,
    )
    cache = browser.http_cache_for(request)
    selection = None
    if cache is not None and (
        http_request.cache_mode != "no-store" or http_request.method not in SAFE_METHODS
    ):
        reuse = http_request.cache_mode not in {"no-store", "reload"}
        selection = cache.select(wire, reuse=reuse)
    if selection is not None and selection.response is not None:
        params.exchanges.append(
            Exchange(
                purpose=purpose, request=wire, response=selection.response, from_http_cache=True
            )
        )
        params.record(
            HTTP_NETWORK_OR_CACHE_FETCH, "the HTTP cache has a fresh response (step 8.25)"
        )
        return _response(http_request, selection.response)
    if selection is not None and selection.conditions:
        wire = replace(wire, headers=(*wire.headers, *selection.conditions))
    # 10.2. The network.
    answer = yield wire
    params.exchanges.append(Exchange(purpose=purpose, request=wire, response=answer))
    if answer is None:
        return Step(
            "#concept-http-network-fetch", f"HTTP-network fetch: no response from {wire.url}"
        )
    if include_credentials:
        browser.cookie_jar.store(http_request, _response(http_request, answer))
    if cache is not None and selection is not None:
        answer = cache.receive(wire, selection, answer)
    response = _response(http_request, answer)
    # 16-17. What the transport settles before the page hears of it.
    if response.status == PROXY_AUTHENTICATION_REQUIRED:
        return Step(HTTP_NETWORK_OR_CACHE_FETCH, "407, which no page gets to see (step 16)")
    if response.status == MISDIRECTED_REQUEST and not new_connection:
        return (
            yield from http_network_or_cache_fetch(params, request, purpose, new_connection=True)
        )
    return response


def _append_content_length(request: Request) -> None:
    """Append `Content-Length`. HTTP-network-or-cache fetch, steps 8.5 to 8.8."""
    if request.body is not None:
        length = len(request.body)
    elif request.method in {b"POST", b"PUT"}:
        length = 0
    else:
        return
    header_list.append(request.header_list, b"Content-Length", str(length).encode())


def append_a_request_origin_header(request: Request) -> None:
    """Append `Origin`, or not. https://fetch.spec.whatwg.org/#append-a-request-origin-header"""
    # 2-3. CORS always says who asks.
    serialized_origin = request.byte_serialized_origin()
    if request.response_tainting != "cors":
        # 4. So does what is neither GET nor HEAD, as far as the referrer policy lets it.
        if request.method in {b"GET", b"HEAD"}:
            return
        if request.mode != "cors" and _is_origin_withheld(request):
            serialized_origin = b"null"
    header_list.append(request.header_list, b"Origin", serialized_origin)


def _is_origin_withheld(request: Request) -> bool:
    """Whether the referrer policy turns the origin to `null`. Step 4.1."""
    match request.referrer_policy:
        case "no-referrer":
            return True
        case "no-referrer-when-downgrade" | "strict-origin" | "strict-origin-when-cross-origin":
            return (
                isinstance(request.origin, TupleOrigin)
                and request.origin.scheme == "https"
                and request.current_url.scheme != "https"
            )
        case "same-origin":
            return not same_origin(request.origin, request.current_url.origin)
        case _:
            return False


def _modify_cache_mode(request: Request) -> None:
    """Reconcile cache mode and headers. HTTP-network-or-cache fetch, steps 8.17 to 8.19."""
    headers = request.header_list
    if request.cache_mode == "default" and any(
        header_list.contains(headers, name) for name in CONDITIONAL_NAMES
    ):
        request.cache_mode = "no-store"
    if request.cache_mode == "no-cache" and not header_list.contains(headers, b"cache-control"):
        headers.append((b"Cache-Control", b"max-age=0"))
    if request.cache_mode in {"no-store", "reload"}:
        if not header_list.contains(headers, b"pragma"):
            headers.append((b"Pragma", b"no-cache"))
        if not header_list.contains(headers, b"cache-control"):
            headers.append((b"Cache-Control", b"no-cache"))


def _response(request: Request, answer: HTTPResponse) -> Response:
    return Response(
        url=request.current_url, status=answer.status, headers=answer.headers, body=answer.body
    )
