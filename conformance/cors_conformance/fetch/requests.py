"""Requests: what a page asks for, and what fetching makes of it.

https://fetch.spec.whatwg.org/#requests and https://fetch.spec.whatwg.org/#request-class
"""

from dataclasses import dataclass, field, replace
from typing import Literal, Self, TypeAlias

from cors_conformance.fetch import headers as header_list
from cors_conformance.fetch.headers import HeaderList, is_header_name, is_header_value
from cors_conformance.fetch.http import HeaderLines
from cors_conformance.fetch.methods import (
    is_cors_safelisted_method,
    is_forbidden_method,
    is_method,
    normalize_method,
)
from cors_conformance.fetch.origins import Origin, same_origin, same_site
from cors_conformance.fetch.request_headers import (
    PRIVILEGED_NO_CORS_NAMES,
    cors_unsafe_request_header_names,
    is_forbidden_request_header,
    is_no_cors_safelisted_request_header,
)
from cors_conformance.fetch.steps import show
from cors_conformance.fetch.urls import URL, parse_url

Mode: TypeAlias = Literal["cors", "no-cors", "same-origin"]
CredentialsMode: TypeAlias = Literal["omit", "same-origin", "include"]
RedirectMode: TypeAlias = Literal["follow", "error", "manual"]
CacheMode: TypeAlias = Literal[
    "default", "no-store", "reload", "no-cache", "force-cache", "only-if-cached"
]
ReferrerPolicy: TypeAlias = Literal[
    "",
    "no-referrer",
    "no-referrer-when-downgrade",
    "same-origin",
    "origin",
    "strict-origin",
    "origin-when-cross-origin",
    "strict-origin-when-cross-origin",
    "unsafe-url",
]
Tainting: TypeAlias = Literal["basic", "cors", "opaque"]
RedirectTaint: TypeAlias = Literal["same-origin", "same-site", "cross-site"]


class FetchTypeError(Exception):
    """The API itself throws a `TypeError`: nothing is fetched."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AuthorRequest:
    """The arguments of a script's `fetch(url, {...})`, as it wrote them.

    `use_cors_preflight` stands for a listener on an upload or for a stream as the body.
    """

    url: str
    method: bytes = b"GET"
    headers: HeaderLines = ()
    mode: Mode = "cors"
    credentials: CredentialsMode = "same-origin"
    redirect: RedirectMode = "follow"
    cache: CacheMode = "default"
    body: bytes | None = None
    use_cors_preflight: bool = False
    referrer_policy: ReferrerPolicy = ""


@dataclass(slots=True, kw_only=True)
class Request:
    """A request that is being fetched. https://fetch.spec.whatwg.org/#concept-request

    The unsafe-request flag is always set, as `fetch()` and `XMLHttpRequest` set it.
    """

    method: bytes
    url_list: list[URL]
    origin: Origin
    mode: Mode = "cors"
    credentials_mode: CredentialsMode = "same-origin"
    redirect_mode: RedirectMode = "follow"
    cache_mode: CacheMode = "default"
    referrer_policy: ReferrerPolicy = ""
    use_cors_preflight: bool = False
    body: bytes | None = None
    header_list: HeaderList = field(default_factory=list)
    response_tainting: Tainting = "basic"
    redirect_count: int = 0

    @property
    def current_url(self) -> URL:
        """The last URL of the list. https://fetch.spec.whatwg.org/#concept-request-current-url"""
        return self.url_list[-1]

    @property
    def unsafe_header_names(self) -> tuple[bytes, ...]:
        """The names to ask for. https://fetch.spec.whatwg.org/#cors-unsafe-request-header-names"""
        return cors_unsafe_request_header_names(self.header_list)

    def clone(self) -> Self:
        """Copy it. https://fetch.spec.whatwg.org/#concept-request-clone"""
        return replace(self, url_list=self.url_list[:], header_list=self.header_list[:])

    def redirect_taint(self) -> RedirectTaint:
        """Tell what redirects made of the origin. https://fetch.spec.whatwg.org/#concept-request-tainted-origin"""
        taint: RedirectTaint = "same-origin"
        # 4. Each hop is compared with the one before, and that one with the page.
        for last, url in zip(self.url_list, self.url_list[1:], strict=False):
            if not same_site(url.origin, last.origin) and not same_site(self.origin, last.origin):
                return "cross-site"
            if not same_origin(url.origin, last.origin) and not same_origin(
                self.origin, last.origin
            ):
                taint = "same-site"
        return taint

    def byte_serialized_origin(self) -> bytes:
        """Serialize the origin. https://fetch.spec.whatwg.org/#byte-serializing-a-request-origin"""
        if len(self.url_list) > 1 and self.redirect_taint() != "same-origin":
            return b"null"
        return str(self.origin).encode("latin-1")


def create_request(author: AuthorRequest, origin: Origin) -> Request:
    """Do what `new Request(url, init)` does. https://fetch.spec.whatwg.org/#dom-request

    Raises:
        FetchTypeError: where the constructor throws; the message says which argument is at fault.

    """
    # 5. A URL that parses and has no user name or password in it.
    url = parse_url(author.url)
    if url is None:
        message = f"{author.url!r} is no URL"
        raise FetchTypeError(message)
    if url.includes_credentials:
        message = "the URL includes credentials"
        raise FetchTypeError(message)
    # 26. A method, and none of the forbidden ones.
    if not is_method(author.method) or is_forbidden_method(author.method):
        message = f"{show(author.method)} is no method that a page may use"
        raise FetchTypeError(message)
    request = Request(
        method=normalize_method(author.method),
        url_list=[url],
        origin=origin,
        mode=author.mode,
        credentials_mode=author.credentials,
        redirect_mode=author.redirect,
        cache_mode=author.cache,
        referrer_policy=author.referrer_policy,
        use_cors_preflight=author.use_cors_preflight,
    )
    if author.cache == "only-if-cached" and author.mode != "same-origin":
        message = "the cache mode only-if-cached needs the mode same-origin"
        raise FetchTypeError(message)
    # 33. `no-cors` is for what a form or an image can do.
    if author.mode == "no-cors" and not is_cors_safelisted_method(request.method):
        message = f"the mode no-cors does not allow the method {show(request.method)}"
        raise FetchTypeError(message)
    # 34. The headers pass the guard "request" or "request-no-cors".
    for name, value in author.headers:
        append_author_header(request, name, value)
    # 36-38. A body, and the type that a string gives it.
    if author.body is not None:
        if request.method in {b"GET", b"HEAD"}:
            message = f"{show(request.method)} takes no body"
            raise FetchTypeError(message)
        if not header_list.contains(request.header_list, b"content-type"):
            append_author_header(request, b"Content-Type", b"text/plain;charset=UTF-8")
        request.body = author.body
    return request


def append_author_header(request: Request, name: bytes, value: bytes) -> None:
    """Append to the `Headers` of a request. https://fetch.spec.whatwg.org/#concept-headers-append

    Raises:
        FetchTypeError: `name` is no header name or `value` no header value.

    """
    # 1. White space around a value is not part of it.
    value = header_list.normalize_value(value)
    # 2. Names and values that HTTP does not have; then those that pages do not get to set.
    if not is_header_name(name) or not is_header_value(value):
        message = f"{show(name)}: {show(value)} is no header"
        raise FetchTypeError(message)
    if request.mode != "no-cors":
        if is_forbidden_request_header(name, value):
            return
    else:
        # 3. Under "request-no-cors" the value is judged together with those already there.
        earlier = header_list.get(request.header_list, name)
        combined = value if earlier is None else earlier + b", " + value
        if not is_no_cors_safelisted_request_header(name, combined):
            return
    # 4-5.
    header_list.append(request.header_list, name, value)
    if request.mode == "no-cors":
        for privileged in PRIVILEGED_NO_CORS_NAMES:
            header_list.delete(request.header_list, privileged)
