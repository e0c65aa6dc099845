import pytest

from cors_conformance.fetch.browser import Browser
from cors_conformance.fetch.http import HTTPRequest, HTTPResponse
from cors_conformance.fetch.requests import AuthorRequest, CredentialsMode

PAGE = "https://a.example"


class Clock:
    now = 0.0

    def __call__(self) -> float:
        return self.now


class Site:
    """A browser, and a server that sets cookies."""

    def __init__(self) -> None:
        self.clock = Clock()
        self.browser = Browser(clock=self.clock)
        self.cookies: list[str] = []
        self.sent: list[HTTPRequest] = []

    def visit(
        self, url: str, *, credentials: CredentialsMode = "include", page: str = PAGE
    ) -> bytes | None:
        """Fetch; return the Cookie header that was sent."""
        author = AuthorRequest(url=url, credentials=credentials, mode="no-cors")
        self.browser.run(author, origin=page, network=self._answer)
        return dict(self.sent[-1].headers).get(b"Cookie")

    def _answer(self, request: HTTPRequest) -> HTTPResponse:
        self.sent.append(request)
        lines = tuple((b"Set-Cookie", cookie.encode()) for cookie in self.cookies)
        self.cookies = []
        return HTTPResponse(status=200, headers=lines)


@pytest.fixture
def site() -> Site:
    return Site()


@pytest.mark.parametrize(
    ("cookie", "url", "sent"),
    [
        ("a=1", "https://api.example/", b"a=1"),
        ("a=1", "https://www.api.example/", None),
        ("a=1; Domain=api.example", "https://www.api.example/", b"a=1"),
        ("a=1; Domain=.API.example", "https://www.api.example/", b"a=1"),
        ("a=1; Domain=other.example", "https://api.example/", None),
        ("a=1; Domain=example", "https://api.example/", None),
        ("a=1; Path=/x", "https://api.example/", None),
        ("a=1; Path=/x", "https://api.example/x/y", b"a=1"),
        ("a=1; Path=/x", "https://api.example/xy", None),
        ("a=1; Secure", "http://api.example/", None),
        ("a=1", "http://api.example/", b"a=1"),
        ("a=1; Max-Age=0", "https://api.example/", None),
        ("a=1; Max-Age=-5", "https://api.example/", None),
        ("a=1; Max-Age=x", "https://api.example/", b"a=1"),
        ("a=1; Expires=Thu, 01 Jan 1970 00:00:00 GMT", "https://api.example/", None),
        ("a=1; Expires=Fri, 01 Jan 2100 00:00:00 GMT", "https://api.example/", b"a=1"),
        ("a=1; Expires=nonsense", "https://api.example/", b"a=1"),
        ("a=1; SameSite=Lax", "https://api.example/", None),
        ("a=1; SameSite=Strict", "https://api.example/", None),
        ("a=1; SameSite=None; Secure", "https://api.example/", b"a=1"),
        ("__Host-a=1; Secure; Path=/", "https://api.example/", b"__Host-a=1"),
        ("__Host-a=1; Path=/", "https://api.example/", None),
        ("__Secure-a=1", "https://api.example/", None),
        ("flag", "https://api.example/", b"flag"),
        ("=", "https://api.example/", None),
    ],
)
def test_a_cookie_goes_where_its_attributes_say(
    site: Site, cookie: str, url: str, sent: bytes | None
) -> None:
    site.cookies = [cookie]
    site.visit("https://api.example/")

    assert site.visit(url) == sent


def test_cookies_go_with_credentials_only(site: Site) -> None:
    site.cookies = ["a=1"]
    site.visit("https://api.example/")

    assert site.visit("https://api.example/", credentials="omit") is None
    assert site.visit("https://api.example/", credentials="same-origin") is None
    page = "https://api.example"
    assert site.visit("https://api.example/", credentials="same-origin", page=page) == b"a=1"


def test_cookies_without_credentials_are_not_stored(site: Site) -> None:
    site.cookies = ["a=1"]
    site.visit("https://api.example/", credentials="omit")

    assert site.visit("https://api.example/") is None


def test_a_strict_cookie_goes_within_its_site(site: Site) -> None:
    page = "https://www.api.example"
    site.cookies = ["a=1; SameSite=Strict"]
    site.visit("https://api.example/", page=page)

    assert site.visit("https://api.example/", page=page) == b"a=1"
    assert site.visit("https://api.example/") is None


def test_a_cookie_ends_with_its_max_age(site: Site) -> None:
    site.cookies = ["a=1; Max-Age=10"]
    site.visit("https://api.example/")
    site.clock.now = 9
    assert site.visit("https://api.example/") == b"a=1"
    site.clock.now = 10

    assert site.visit("https://api.example/") is None


def test_a_later_cookie_replaces_an_earlier_one_and_longer_paths_come_first(site: Site) -> None:
    site.cookies = ["a=1", "b=1; Path=/x", "a=2"]
    site.visit("https://api.example/")

    assert site.visit("https://api.example/x") == b"b=1; a=2"
