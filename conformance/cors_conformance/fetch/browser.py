"""A browser: pages fetch, it keeps what they may share. https://fetch.spec.whatwg.org/#fetch-method

exchange = browser.fetch(AuthorRequest(url="https://api.example/"), origin="https://a.example")
request = next(exchange)                 # the first request for the network
exchange.send(HTTPResponse(status=200))  # the next request, or StopIteration with the outcome
"""

from collections.abc import Callable, Generator
from dataclasses import dataclass
from typing import Literal, TypeAlias

from cors_conformance.fetch import headers as header_list
from cors_conformance.fetch.cookies import CookieJar
from cors_conformance.fetch.fetching import Exchange, FetchParams, main_fetch
from cors_conformance.fetch.http import HTTPRequest, HTTPResponse
from cors_conformance.fetch.http_cache import HTTPCache
from cors_conformance.fetch.origins import OpaqueOrigin, Origin, parse_serialized_origin, site
from cors_conformance.fetch.preflight_cache import PreflightCache
from cors_conformance.fetch.requests import AuthorRequest, FetchTypeError, Request, create_request
from cors_conformance.fetch.responses import FilteredResponse, filter_response
from cors_conformance.fetch.steps import Step

Result: TypeAlias = Literal["success", "network_error", "type_error"]
Network: TypeAlias = Callable[[HTTPRequest], HTTPResponse | None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What a page gets, and how it came about.

    Attributes:
        result: `success` with a response; `network_error`, which a page sees as a rejected
            promise without a reason; or `type_error`, where nothing was fetched.
        response: what the page may read; `None` unless `result` is `success`.
        steps: the decisions in order; the last one is the reason of a failure.
        exchanges: the requests made on the way, those that the HTTP cache answered included.

    """

    result: Result
    response: FilteredResponse | None
    steps: tuple[Step, ...]
    exchanges: tuple[Exchange, ...]

    @property
    def preflights(self) -> tuple[Exchange, ...]:
        """The CORS-preflight requests that were sent."""
        return tuple(item for item in self.exchanges if item.purpose == "preflight")

    @property
    def actual(self) -> tuple[Exchange, ...]:
        """The other requests, the HTTP cache's answers included."""
        return tuple(item for item in self.exchanges if item.purpose == "actual")


class Browser:
    """One browser with its CORS-preflight cache, cookie jar and HTTP caches.

    Pages are top-level documents; all pages with an opaque origin are one page. Without
    `http_caching` every fetch goes to the network. `preflight_cache_limit` is the imposed limit
    on the seconds of `Access-Control-Max-Age`.
    """

    def __init__(
        self,
        *,
        clock: Callable[[], float] = lambda: 0.0,
        http_caching: bool = False,
        preflight_cache_limit: int | None = None,
    ) -> None:
        """Start with empty caches; `clock` gives seconds, of which only differences count."""
        self.clock = clock
        self.preflight_cache = PreflightCache(clock, preflight_cache_limit)
        self.cookie_jar = CookieJar(clock)
        self._http_caching = http_caching
        self._http_caches: dict[str | OpaqueOrigin, HTTPCache] = {}
        self._opaque_origin = OpaqueOrigin()

    def http_cache_for(self, request: Request) -> HTTPCache | None:
        """Determine the HTTP cache partition. https://fetch.spec.whatwg.org/#determine-the-http-cache-partition"""
        if not self._http_caching:
            return None
        key = site(request.origin)
        return self._http_caches.setdefault(key, HTTPCache(self.clock))

    def fetch(
        self, author: AuthorRequest, *, origin: str
    ) -> Generator[HTTPRequest, HTTPResponse | None, Outcome]:
        """Fetch for a page of `origin`, a serialized origin or `null`.

        Yields each request for the network and is sent its response, `None` where none comes.

        Raises:
            ValueError: `origin` is no serialized origin.

        """
        page = self._page(origin)
        try:
            request = create_request(author, page)
        except FetchTypeError as error:
            step = Step("#dom-request", f"new Request() throws a TypeError: {error}")
            return Outcome(result="type_error", response=None, steps=(step,), exchanges=())
        # Fetch, step 12: the safelist's sum of lengths counts this header too.
        if not header_list.contains(request.header_list, b"accept"):
            header_list.append(request.header_list, b"Accept", b"*/*")
        params = FetchParams(request=request, browser=self)
        response = yield from main_fetch(params)
        if isinstance(response, Step):
            params.steps.append(response)
            return self._outcome(params, "network_error", None)
        # Main fetch, step 14.
        if not isinstance(response, FilteredResponse):
            response = filter_response(request, response)
        return self._outcome(params, "success", response)

    def run(self, author: AuthorRequest, *, origin: str, network: Network) -> Outcome:
        """Fetch over a function that answers each request; see `fetch`."""
        exchange = self.fetch(author, origin=origin)
        try:
            request = next(exchange)
            while True:
                request = exchange.send(network(request))
        except StopIteration as stop:
            outcome: Outcome = stop.value
            return outcome

    def _page(self, origin: str) -> Origin:
        return self._opaque_origin if origin == "null" else parse_serialized_origin(origin)

    @staticmethod
    def _outcome(params: FetchParams, result: Result, response: FilteredResponse | None) -> Outcome:
        return Outcome(
            result=result,
            response=response,
            steps=tuple(params.steps),
            exchanges=tuple(params.exchanges),
        )
