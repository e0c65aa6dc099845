"""A cookie jar, as far as CORS can tell one: which credentials a fetch carries.

https://httpwg.org/http-extensions/draft-ietf-httpbis-layered-cookies.html, which Fetch cites
("LC" below). RFC 6265 holds where that draft slips, or breaks with it against most browsers:
paths match at a `/` (5.1.4), longer paths go first (5.4), a last `Path` or `Domain` of no value
is none at all (5.2), expired cookies are gone at any time (5.3). `HttpOnly` bears on nothing
here but on what a name may promise, which asks for it although the draft has it the other way
round. A cookie that says nothing of its site goes across sites.
The standard-library jar follows the Netscape rules that browsers have left.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final, Literal, TypeAlias

from cors_conformance.fetch.dates import parse_date
from cors_conformance.fetch.headers import get_all
from cors_conformance.fetch.origins import is_ip_address, is_public_suffix, same_site
from cors_conformance.fetch.requests import Request
from cors_conformance.fetch.responses import Response
from cors_conformance.fetch.urls import URL

SameSite: TypeAlias = Literal["strict", "lax", "unset", "none"]

_LONGEST_PAIR: Final = 4096
_LONGEST_ATTRIBUTE: Final = 1024
_AGE_LIMIT: Final = 400 * 24 * 60 * 60
"""The cookie age limit, in seconds: the longest that LC recommends."""

_SAME_SITE: Final[dict[bytes, SameSite]] = {
    b"strict": "strict",
    b"lax": "lax",
    b"none": "none",
}
_CONTROL: Final = re.compile(rb"[\x00-\x08\x0a-\x1f\x7f]")
_VALID: Final[dict[bytes, Callable[[bytes], object]]] = {
    b"expires": parse_date,
    b"max-age": re.compile(rb"-?[0-9]+").fullmatch,
    b"samesite": lambda value: _SAME_SITE.get(value.lower()),
}
"""For attributes that are ignored where they are invalid: what gives `None` then."""

CookieKey: TypeAlias = tuple[bytes, str, bool, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Cookie:
    """A cookie. LC, Cookie Struct

    `expires` is a moment of the jar's clock, or `None` for the end of the session; `has_path`
    says that the path is that of a `Path` attribute.
    """

    name: bytes
    value: bytes
    domain: str
    host_only: bool
    path: str
    has_path: bool
    secure: bool
    http_only: bool
    same_site: SameSite
    expires: float | None

    @property
    def key(self) -> CookieKey:
        """What a later cookie replaces it by. LC, Store a Cookie"""
        return (self.name, self.domain, self.host_only, self.path)

    @property
    def stays_at_home(self) -> bool:
        """Whether it is kept from other sites. Here a cookie that does not say is not."""
        return self.same_site in {"strict", "lax"}

    @property
    def has_its_prefix_rightly(self) -> bool:
        """Whether it is what its name promises, in any case. LC, Store a Cookie"""
        # Without a name the value goes out alone, and a server takes its beginning for the name.
        start = (self.name or self.value).lower()
        if not start.startswith((b"__secure-", b"__host-", b"__http-")):
            return True
        if not self.name or not self.secure:
            return False
        is_of_host = self.host_only and self.has_path and self.path == "/"
        if start.startswith(b"__host-") and not is_of_host:
            return False
        return self.http_only or not start.startswith((b"__http-", b"__host-http-"))

    def is_for(self, url: URL) -> bool:
        """Whether the cookie goes to the URL. LC, Retrieve Cookies"""
        return (
            (url.host == self.domain if self.host_only else domain_match(url.host, self.domain))
            and path_match(url.path, self.path)
            and (url.scheme == "https" or not self.secure)
        )


def is_cross_site(request: Request) -> bool:
    """Whether `SameSite` keeps cookies at home.

    https://fetch.spec.whatwg.org/#determine-the-same-site-mode, and RFC 6265bis, 5.2, which
    compares the page with the URL as well.
    """
    return (
        not same_site(request.origin, request.current_url.origin)
        or request.redirect_taint() == "cross-site"
    )


def domain_match(host: str, domain: str) -> bool:
    """Whether a host is a domain or under it. RFC 6265, 5.1.3"""
    return host == domain or (host.endswith("." + domain) and not is_ip_address(host))


def path_match(path: str, cookie_path: str) -> bool:
    """Whether a path is a cookie's path or under it. RFC 6265, 5.1.4"""
    return path == cookie_path or (
        path.startswith(cookie_path)
        and (cookie_path.endswith("/") or path[len(cookie_path)] == "/")
    )


def default_path(path: str) -> str:
    """Give the directory of a path. RFC 6265, 5.1.4"""
    return path[: path.rfind("/")] or "/"


@dataclass(slots=True)
class CookieJar:
    """The cookies one browser holds, by age. `clock` gives seconds since `START_OF_TIME`."""

    clock: Callable[[], float]
    cookies: dict[CookieKey, Cookie] = field(default_factory=dict)

    def cookie_header(self, request: Request) -> bytes | None:
        """Give the value of the `Cookie` header, or `None` for no header.

        https://fetch.spec.whatwg.org/#append-a-request-cookie-header
        """
        self._remove_expired()
        cross_site = is_cross_site(request)
        sent = [
            cookie
            for cookie in self.cookies.values()
            if cookie.is_for(request.current_url) and not (cross_site and cookie.stays_at_home)
        ]
        sent.sort(key=lambda cookie: -len(cookie.path))
        pairs = [
            cookie.name + b"=" + cookie.value if cookie.name else cookie.value for cookie in sent
        ]
        return b"; ".join(pairs) if pairs else None

    def store(self, request: Request, response: Response) -> None:
        """Store what the response sets.

        https://fetch.spec.whatwg.org/#parse-and-store-response-set-cookie-headers
        """
        for line in get_all(response.headers, b"set-cookie"):
            self._remove_expired()
            cookie = self._parse(line, request.current_url)
            if cookie is not None and self._admits(cookie, request):
                # A cookie that is set anew keeps its place in the order of creation.
                self.cookies[cookie.key] = cookie

    def _remove_expired(self) -> None:
        now = self.clock()
        self.cookies = {
            key: cookie
            for key, cookie in self.cookies.items()
            if cookie.expires is None or now < cookie.expires
        }

    def _parse(self, line: bytes, url: URL) -> Cookie | None:
        """Parse one line; `None` stands for failure. LC, Parse a Cookie

        The host of LC's Store a Cookie is judged here as well.
        """
        if _CONTROL.search(line):
            return None
        pair, *parts = line.split(b";")
        name, equals, value = (part.strip(b" \t") for part in pair.partition(b"="))
        if not equals:
            name, value = b"", name
        if not 0 < len(name) + len(value) <= _LONGEST_PAIR:
            return None
        attributes = _attributes(parts)
        domain = attributes.get(b"domain", b"").decode("latin-1").lower().removeprefix(".")
        # A public suffix can have a cookie for itself, but none for what is under it.
        if domain == url.host and is_public_suffix(domain):
            domain = ""
        if domain and (not domain_match(url.host, domain) or is_public_suffix(domain)):
            return None
        path = attributes.get(b"path", b"").decode("latin-1")
        has_path = path.startswith("/")
        return Cookie(
            name=name,
            value=value,
            domain=domain or url.host,
            host_only=not domain,
            path=path if has_path else default_path(url.path),
            has_path=has_path,
            secure=b"secure" in attributes,
            http_only=b"httponly" in attributes,
            same_site=_SAME_SITE.get(attributes.get(b"samesite", b"").lower(), "unset"),
            expires=self._expiry(attributes),
        )

    def _expiry(self, attributes: dict[bytes, bytes]) -> float | None:
        """Give the moment of expiry; `Max-Age` goes before `Expires`. LC, Parse a Cookie"""
        now = self.clock()
        if b"max-age" in attributes:
            seconds = min(int(attributes[b"max-age"]), _AGE_LIMIT)
            return now + seconds if seconds > 0 else float("-inf")
        moment = parse_date(attributes.get(b"expires", b""))
        return None if moment is None else min(moment, now + _AGE_LIMIT)

    def _admits(self, cookie: Cookie, request: Request) -> bool:
        """Whether the request may set the cookie. LC, Store a Cookie"""
        # What was set in the clear neither is nor hides what was not.
        if request.current_url.scheme != "https" and (
            cookie.secure or any(_overlays(cookie, other) for other in self.cookies.values())
        ):
            return False
        if cookie.stays_at_home and is_cross_site(request):
            return False
        if cookie.same_site == "none" and not cookie.secure:
            return False
        return cookie.has_its_prefix_rightly


def _attributes(parts: list[bytes]) -> dict[bytes, bytes]:
    """Collect the attributes; the last valid one of a name counts. LC, Parse a Cookie"""
    attributes: dict[bytes, bytes] = {}
    for part in parts:
        name, _, value = (item.strip(b" \t") for item in part.partition(b"="))
        name = name.lower()
        judge = _VALID.get(name)
        is_valid = judge is None or judge(value) is not None
        if is_valid and len(value) <= _LONGEST_ATTRIBUTE:
            attributes[name] = value
    return attributes


def _overlays(cookie: Cookie, secure: Cookie) -> bool:
    """Whether a cookie would be taken for a `Secure` one. LC, Store a Cookie"""
    return (
        secure.secure
        and secure.name == cookie.name
        and (
            domain_match(secure.domain, cookie.domain) or domain_match(cookie.domain, secure.domain)
        )
        and path_match(cookie.path, secure.path)
    )
