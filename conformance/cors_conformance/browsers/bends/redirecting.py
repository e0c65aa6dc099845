"""Bends of what an engine does on the way of redirects."""

import contextlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import Any, Final

from cors_conformance.browsers.bending import Bent, Fetching, Function, wrapped
from cors_conformance.browsers.bends.asking import listeners_allow_no_method
from cors_conformance.fetch import (
    fetching,
    preflight,
    request_headers,
)
from cors_conformance.fetch import headers as header_list
from cors_conformance.fetch.cors_check import cors_check
from cors_conformance.fetch.fetching import FetchParams
from cors_conformance.fetch.headers import Failure
from cors_conformance.fetch.http import HeaderLine
from cors_conformance.fetch.origins import same_origin
from cors_conformance.fetch.requests import Request
from cors_conformance.fetch.responses import Response
from cors_conformance.fetch.steps import Step
from cors_conformance.fetch.urls import URL, parse_url

SEE_OTHER: Final = 303


def _empty_locations(found: Failure | None) -> Bent:
    def wrap(standard: Function) -> Function:
        def location(response: Response, fragment: str | None) -> URL | Failure | None:
            if header_list.get(response.headers, b"location") == b"":
                return found
            leads_to: URL | Failure | None = standard(response, fragment)
            return leads_to

        return location

    return wrapped(fetching, "location_url", wrap)


def empty_locations_lead_nowhere() -> Bent:
    """Take an empty `Location` for none."""
    return _empty_locations(None)


def empty_locations_are_errors() -> Bent:
    """Take an empty `Location` for one that cannot be parsed."""
    return _empty_locations(header_list.FAILURE)


def _redirecting(
    before: Callable[[FetchParams, Response], None] = lambda *_: None,
) -> Callable[[Function], Function]:
    def wrap(standard: Function) -> Function:
        def redirect(params: FetchParams, response: Response) -> Fetching:
            before(params, response)
            return (yield from standard(params, response))

        return redirect

    return wrap


@dataclass(slots=True, kw_only=True)
class _Start:
    """What a fetch began with; redirects lead some engines back to it."""

    headers: list[HeaderLine]
    method: bytes
    asks: bool


def _on_each_hop(
    change: Callable[[FetchParams, _Start], None],
) -> Bent:
    """Let `change` have the request of each redirect, before the fetch goes on with it."""
    starts: list[_Start] = []

    def before(params: FetchParams, _: Response) -> None:
        request = params.request
        if len(request.url_list) == 1:
            starts[:] = [
                _Start(
                    headers=request.header_list[:],
                    method=request.method,
                    asks=bool(request.unsafe_header_names),
                )
            ]

    def wrap(standard: Function) -> Function:
        def fetch(params: FetchParams) -> Fetching:
            change(params, starts[0])
            return (yield from standard(params))

        return fetch

    stack = contextlib.ExitStack()
    stack.enter_context(wrapped(fetching, "http_redirect_fetch", _redirecting(before)))
    # The browser's own entry is not this one, so that only redirects come by here.
    stack.enter_context(wrapped(fetching, "main_fetch", wrap))
    return stack


def _has_asked(params: FetchParams, start: _Start) -> bool:
    return start.asks or any(exchange.purpose == "preflight" for exchange in params.exchanges)


def _status(params: FetchParams) -> int:
    response = params.exchanges[-1].response
    return 0 if response is None else response.status


@contextlib.contextmanager
def preflights_are_repeated() -> Iterator[None]:
    """Ask again after each redirect of a request that once had to ask, or would have had to."""

    def change(params: FetchParams, start: _Start) -> None:
        params.request.use_cors_preflight = _has_asked(params, start)

    with _on_each_hop(change), listeners_allow_no_method():
        yield


@contextlib.contextmanager
def preflights_are_repeated_elsewhere() -> Iterator[None]:
    """Do so at URLs that this fetch has not asked before, in a loop of redirects."""

    def change(params: FetchParams, start: _Start) -> None:
        asked = {item.request.url for item in params.exchanges if item.purpose == "preflight"}
        is_new = params.request.current_url.href not in asked
        params.request.use_cors_preflight = is_new and _has_asked(params, start)

    with _on_each_hop(change), listeners_allow_no_method():
        yield


def headers_come_back_after_redirects() -> Bent:
    """Start each hop with the page's headers, and drop only what this very hop would drop.

    For the request, the method that counts is that of the first request; for its preflight, that
    of the request before.
    """
    asked: list[HeaderLine] = []

    def change(params: FetchParams, start: _Start) -> None:
        request, status = params.request, _status(params)
        headers = start.headers[:]
        if not same_origin(request.url_list[-2].origin, request.current_url.origin):
            header_list.delete(headers, b"authorization")
        loses = params.exchanges[-1].request.method != request.method
        asked[:] = [line for line in headers if not (loses and _describes_a_body(line))]
        if (status in {301, 302} and start.method == b"POST") or (
            status == SEE_OTHER and start.method not in {b"GET", b"HEAD"}
        ):
            headers = [line for line in headers if not _describes_a_body(line)]
        request.header_list = headers

    stack = contextlib.ExitStack()
    stack.enter_context(_on_each_hop(change))
    stack.enter_context(wrapped(fetching, "cors_preflight_fetch", _asking_for(asked)))
    return stack


def _asking_for(headers: list[HeaderLine]) -> Callable[[Function], Function]:
    """Wrap the CORS-preflight fetch: after a redirect it asks for `headers`."""

    def wrap(standard: Function) -> Function:
        def ask(params: FetchParams) -> Fetching:
            request = params.request
            if len(request.url_list) == 1:
                return (yield from standard(params))
            kept, request.header_list = request.header_list, headers
            try:
                return (yield from standard(params))
            finally:
                request.header_list = kept

        return ask

    return wrap


def body_headers_come_back_after_redirects() -> Bent:
    """Give what described the body back to a request that has lost its body, one hop later."""

    def change(params: FetchParams, start: _Start) -> None:
        request, status = params.request, _status(params)
        sent_before = params.exchanges[-1].request.method
        if request.method != sent_before:
            return
        is_cors = request.response_tainting == "cors" or not same_origin(
            request.origin, request.current_url.origin
        )
        lost = [line for line in start.headers if _describes_a_body(line)]
        if is_cors and request.mode == "cors":
            names = [name for name, _ in lost]
        elif status in {307, 308}:
            names = [name for name, _ in lost if name.lower() == b"content-type"]
        else:
            return
        for name, value in lost:
            if name in names and not header_list.contains(request.header_list, name):
                request.header_list.append((name, value))

    return _on_each_hop(change)


def _describes_a_body(line: HeaderLine) -> bool:
    return line[0].lower() in request_headers.REQUEST_BODY_HEADER_NAMES


def preflights_ask_for_lost_headers() -> Bent:
    """Ask, after a redirect, for headers that the redirect has taken away."""
    asked: list[HeaderLine] = []

    def change(_: FetchParams, start: _Start) -> None:
        asked[:] = start.headers

    stack = contextlib.ExitStack()
    stack.enter_context(_on_each_hop(change))
    stack.enter_context(wrapped(fetching, "cors_preflight_fetch", _asking_for(asked)))
    return stack


def origins_stay_after_redirects() -> Bent:
    """Keep an `Origin` that was sent once, where a redirect makes GET of the method."""
    sent: list[bytes] = []

    def wrap(standard: Function) -> Function:
        def append(request: Request) -> None:
            urls = request.url_list[-2:]
            if len(urls) == 1 or not same_origin(urls[0].origin, urls[1].origin):
                sent.clear()
            standard(request)
            origin = header_list.get(request.header_list, b"origin")
            if origin is not None:
                sent[:] = [origin]
            elif sent:
                header_list.append(request.header_list, b"Origin", sent[0])

        return append

    return wrapped(fetching, "append_a_request_origin_header", wrap)


def home_made_redirects_are_credentialed() -> Bent:
    """Refuse `*` on a redirect between other origins where the fetch began at home.

    The refusal comes after the preflight of the next hop, before its request.
    """

    def wrap(standard: Function) -> Function:
        def fetch(params: FetchParams, request: Request, purpose: str, **options: bool) -> Fetching:
            if purpose == "actual" and _fails_with_credentials(params, request):
                return Step("#concept-cors-check", "a redirect is checked as if credentialed")
            return (yield from standard(params, request, purpose, **options))

        return fetch

    return wrapped(fetching, "http_network_or_cache_fetch", wrap)


def _fails_with_credentials(params: FetchParams, request: Request) -> bool:
    if (
        len(request.url_list) <= 2  # noqa: PLR2004 - home, the redirect elsewhere, its target
        or request.credentials_mode != "same-origin"
        or request.mode != "cors"
        or not same_origin(request.url_list[0].origin, request.origin)
        or all(same_origin(url.origin, request.origin) for url in request.url_list[:-1])
    ):
        return False
    answer = next(item.response for item in reversed(params.exchanges) if item.purpose == "actual")
    if answer is None:
        return False
    clone = replace(request.clone(), credentials_mode="include", url_list=request.url_list[:-1])
    response = Response(url=clone.current_url, status=answer.status, headers=answer.headers)
    return cors_check(clone, response) is not None


@contextlib.contextmanager
def preflights_forget_redirects() -> Iterator[None]:
    """Send the page's origin with a preflight even where redirects tainted it."""

    def wrap(standard: Function) -> Function:
        def fetch(params: FetchParams, request: Request, purpose: str, **options: bool) -> Fetching:
            if purpose == "preflight":
                request.url_list = request.url_list[-1:]
            return (yield from standard(params, request, purpose, **options))

        return fetch

    def check(standard: Function) -> Function:
        def unspoilt(request: Request, response: Response) -> Any:  # noqa: ANN401 - as there
            clone = request.clone()
            clone.url_list = clone.url_list[-1:]
            # Back at the page's own origin there is nothing to check.
            if len(request.url_list) > 1 and same_origin(clone.origin, clone.current_url.origin):
                return None
            return standard(clone, response)

        return unspoilt

    with (
        wrapped(fetching, "http_network_or_cache_fetch", wrap),
        wrapped(preflight, "cors_check", check),
    ):
        yield


def deletions_become_get() -> Bent:
    """Turn DELETE to GET where a redirect leads to another origin."""

    def before(params: FetchParams, response: Response) -> None:
        request = params.request
        location = header_list.get(response.headers, b"location")
        target = parse_url((location or b"").decode("latin-1"), request.current_url.href)
        if (
            request.method == b"DELETE"
            and response.status != SEE_OTHER
            and location is not None
            and target is not None
            and not same_origin(target.origin, request.current_url.origin)
        ):
            request.method = b"GET"
            request.body = None

    return wrapped(fetching, "http_redirect_fetch", _redirecting(before))


def locations_have_no_credentials() -> Bent:
    """Refuse every redirect to a URL with a user name or password."""

    def wrap(standard: Function) -> Function:
        def redirect(params: FetchParams, response: Response) -> Fetching:
            fragment = params.request.current_url.fragment
            # With the bends of it, if there are any.
            location = vars(fetching)["location_url"](response, fragment)
            if isinstance(location, URL) and location.includes_credentials:
                return Step("#concept-http-redirect-fetch", "Location includes credentials")
            return (yield from standard(params, response))

        return redirect

    return wrapped(fetching, "http_redirect_fetch", wrap)
