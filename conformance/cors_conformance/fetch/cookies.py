"""A cookie jar, as far as CORS can tell one: which credentials a fetch carries.

RFC 6265 with the attributes that browsers added since (RFC 6265bis: `SameSite`, name prefixes).
The standard-library jar follows the Netscape rules that browsers have left.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Final

from cors_conformance.fetch.headers import get_all
from cors_conformance.fetch.origins import TupleOrigin, registrable_domain, same_site
from cors_conformance.fetch.requests import Request
from cors_conformance.fetch.responses import Response
from cors_conformance.fetch.urls import URL

_SAME_SITE_ONLY: Final = frozenset({b"lax", b"strict"})

_START_OF_TIME: Final = datetime(2026, 1, 1, tzinfo=UTC).timestamp()
"""The date of second 0 of every jar's clock, so that `Expires` means the same on every day."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Cookie:
    """A stored cookie. RFC 6265, 5.3

    `expires` is a moment of the jar's clock, or `None` for the end of the session.
    """

    name: bytes
    value: bytes
    domain: str
    host_only: bool
    path: str
    secure: bool
    same_site_only: bool
    expires: float | None

    @property
    def key(self) -> tuple[bytes, str, str]:
        """What a later cookie replaces it by. RFC 6265, 5.3"""
        return (self.name, self.domain, self.path)

    def is_for(self, url: URL) -> bool:
        """Whether the cookie goes to the URL. RFC 6265, 5.4"""
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
    return host == domain or (host.endswith("." + domain) and registrable_domain(host) is not None)


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
    """The cookies one browser holds. `clock` gives seconds; only differences count."""

    clock: Callable[[], float]
    cookies: dict[tuple[bytes, str, str], Cookie] = field(default_factory=dict)

    def cookie_header(self, request: Request) -> bytes | None:
        """Give the value of the `Cookie` header, or `None` for no header.

        https://fetch.spec.whatwg.org/#append-a-request-cookie-header
        """
        now = self.clock()
        cross_site = is_cross_site(request)
        sent = [
            cookie
            for cookie in self.cookies.values()
            if (cookie.expires is None or now < cookie.expires)
            and cookie.is_for(request.current_url)
            and not (cross_site and cookie.same_site_only)
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
        cross_site = is_cross_site(request)
        for line in get_all(response.headers, b"set-cookie"):
            cookie = self._parse(line, request.current_url)
            if cookie is None or (cross_site and cookie.same_site_only):
                continue
            # A cookie that is set anew keeps its place in the order of creation.
            if cookie.expires is None or self.clock() < cookie.expires:
                self.cookies[cookie.key] = cookie
            else:
                self.cookies.pop(cookie.key, None)

    def _parse(self, line: bytes, url: URL) -> Cookie | None:
        """Parse and judge one line; `None` means that it is ignored. RFC 6265, 5.2 and 5.3"""
        pair, *parts = line.split(b";")
        name, equals, value = (part.strip(b" \t") for part in pair.partition(b"="))
        if not equals:
            name, value = b"", name
        if not name and not value:
            return None
        attributes: dict[bytes, bytes] = {}
        for part in parts:
            key, _, attribute = (item.strip(b" \t") for item in part.partition(b"="))
            attributes[key.lower()] = attribute
        domain = attributes.get(b"domain", b"").decode("latin-1").lower().removeprefix(".")
        path = attributes.get(b"path", b"").decode("latin-1")
        secure = b"secure" in attributes
        # A cookie is set for a domain that the host belongs to, and for no public suffix.
        if (
            domain
            and domain != url.host
            and not (domain_match(url.host, domain) and registrable_domain(domain) is not None)
        ):
            return None
        is_secure_url = url.scheme == "https"
        if secure and not is_secure_url:
            return None
        lower = name.lower()
        if lower.startswith(b"__secure-") and not secure:
            return None
        if lower.startswith(b"__host-") and not (secure and not domain and path == "/"):
            return None
        return Cookie(
            name=name,
            value=value,
            domain=domain or (url.host if isinstance(url.origin, TupleOrigin) else ""),
            host_only=not domain,
            path=path if path.startswith("/") else default_path(url.path),
            secure=secure,
            same_site_only=attributes.get(b"samesite", b"").lower() in _SAME_SITE_ONLY,
            expires=self._expiry(attributes),
        )

    def _expiry(self, attributes: dict[bytes, bytes]) -> float | None:
        """Give the moment of expiry; `Max-Age` goes before `Expires`. RFC 6265, 5.3"""
        max_age = attributes.get(b"max-age", b"")
        if max_age.removeprefix(b"-").isdigit():
            seconds = int(max_age[:12])
            return self.clock() + seconds if seconds > 0 else float("-inf")
        if b"expires" in attributes:
            try:
                moment = parsedate_to_datetime(attributes[b"expires"].decode("latin-1"))
            except ValueError:
                return None
            return moment.timestamp() - _START_OF_TIME
        return None
