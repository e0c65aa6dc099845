"""Responses, and the filtered views of them that pages get. https://fetch.spec.whatwg.org/#responses"""

from dataclasses import dataclass
from typing import Final, Literal, TypeAlias

from cors_conformance.fetch import headers as header_list
from cors_conformance.fetch.abnf import parse_token_list
from cors_conformance.fetch.headers import Failure
from cors_conformance.fetch.http import HeaderLines
from cors_conformance.fetch.requests import Request
from cors_conformance.fetch.urls import URL, parse_url

ResponseType: TypeAlias = Literal["basic", "cors", "opaque", "opaqueredirect"]

NULL_BODY_STATUSES: Final = frozenset({101, 103, 204, 205, 304})
REDIRECT_STATUSES: Final = frozenset({301, 302, 303, 307, 308})

CORS_SAFELISTED_RESPONSE_HEADER_NAMES: Final = frozenset(
    {
        b"cache-control",
        b"content-language",
        b"content-length",
        b"content-type",
        b"expires",
        b"last-modified",
        b"pragma",
    }
)
FORBIDDEN_RESPONSE_HEADER_NAMES: Final = frozenset({b"set-cookie", b"set-cookie2"})


def is_ok_status(status: int) -> bool:
    """Whether the status is an ok status. https://fetch.spec.whatwg.org/#ok-status"""
    return 200 <= status <= 299  # noqa: PLR2004 - the standard's own words


@dataclass(frozen=True, slots=True, kw_only=True)
class Response:
    """A response that is no network error. https://fetch.spec.whatwg.org/#concept-response"""

    url: URL
    status: int
    headers: HeaderLines = ()
    body: bytes = b""


@dataclass(frozen=True, slots=True, kw_only=True)
class FilteredResponse:
    """What a page gets to see. https://fetch.spec.whatwg.org/#concept-filtered-response

    `headers` are the readable lines only; an opaque response has status 0, no headers, no body.
    """

    type: ResponseType
    status: int = 0
    headers: HeaderLines = ()
    body: bytes = b""
    url: str = ""

    def get(self, name: bytes) -> bytes | None:
        """Return what `response.headers.get(name)` gives the script."""
        return header_list.get(self.headers, name)


def location_url(response: Response, fragment: str | None) -> URL | Failure | None:
    """Find where a redirect leads. https://fetch.spec.whatwg.org/#concept-response-location-url"""
    # 1-2. One line; several are failure.
    location = header_list.extract_header_list_values(
        response.headers, b"location", lambda value: (value,), single=True
    )
    if location is None or isinstance(location, Failure):
        return location
    # 3. The URL parser is more tolerant than the grammar, as browsers are.
    text = location[0].decode("latin-1")
    url = parse_url(text, response.url.href)
    if url is None:
        return header_list.FAILURE
    # 4. A fragment survives the redirect.
    if url.fragment is None and fragment is not None:
        url = parse_url(url.href + fragment)
    return url


def cors_exposed_header_names(request: Request, response: Response) -> frozenset[bytes]:
    """Give the CORS-exposed header-name list, lower-case. Main fetch, step 14.1.

    https://fetch.spec.whatwg.org/#concept-main-fetch
    """
    names = header_list.extract_header_list_values(
        response.headers, b"access-control-expose-headers", parse_token_list
    )
    if names is None or isinstance(names, Failure):
        return frozenset()
    if request.credentials_mode != "include" and b"*" in names:
        return frozenset(name.lower() for name, _ in response.headers)
    return frozenset(name.lower() for name in names)


def filter_response(request: Request, response: Response) -> FilteredResponse:
    """Give the page its view. https://fetch.spec.whatwg.org/#concept-filtered-response

    Opaque-redirect views are not made here: a redirect is answered before.
    """
    if request.response_tainting == "opaque":
        return FilteredResponse(type="opaque")
    readable = [
        (name, value)
        for name, value in response.headers
        if name.lower() not in FORBIDDEN_RESPONSE_HEADER_NAMES
    ]
    if request.response_tainting == "cors":
        safelisted = CORS_SAFELISTED_RESPONSE_HEADER_NAMES | cors_exposed_header_names(
            request, response
        )
        readable = [header for header in readable if header[0].lower() in safelisted]
    bodiless = request.method == b"HEAD" or response.status in NULL_BODY_STATUSES
    return FilteredResponse(
        type=request.response_tainting,
        status=response.status,
        headers=tuple(readable),
        body=b"" if bodiless else response.body,
        url=response.url.href,
    )
