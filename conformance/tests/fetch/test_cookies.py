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
        ("a=1; Max-Age=0000000000000000001", "https://api.example/", b"a=1"),
        ("a=1; Max-Age=" + "9" * 1024, "https://api.example/", b"a=1"),
        ("a=1; Max-Age=0; Max-Age=x", "https://api.example/", None),
        ("a=1; Max-Age=0; Max-Age=", "https://api.example/", None),
        ("a=1; Max-Age=0; Max-Age=5", "https://api.example/", b"a=1"),
        ("a=1; Max-Age=0; Expires=Fri, 01 Jan 2100 00:00:00 GMT", "https://api.example/", None),
        ("a=1; Expires=Thu, 01 Jan 1970 00:00:00 GMT", "https://api.example/", None),
        ("a=1; Expires=Fri, 01 Jan 2100 00:00:00 GMT", "https://api.example/", b"a=1"),
        ("a=1; Expires=nonsense", "https://api.example/", b"a=1"),
        ("a=1; Expires=1 Jan 1970 0:0:0; Expires=nonsense", "https://api.example/", None),
        ("a=1; Expires=1 Jan 2030 0:0:0 +99999999999999999999", "https://api.example/", b"a=1"),
        ("a=1; SameSite=Lax", "https://api.example/", None),
        ("a=1; SameSite=Strict", "https://api.example/", None),
        ("a=1; SameSite=None; Secure", "https://api.example/", b"a=1"),
        ("a=1; SameSite=None", "https://api.example/", None),
        ("a=1; SameSite=Strict; SameSite=x", "https://api.example/", None),
        ("__Host-a=1; Secure; Path=/", "https://api.example/", b"__Host-a=1"),
        ("__Host-a=1; Path=/", "https://api.example/", None),
        ("__Host-a=1; Secure", "https://api.example/", None),
        ("__Host-a=1; Secure; Path=/; Domain=api.example", "https://api.example/", None),
        ("__Secure-a=1", "https://api.example/", None),
        ("__Secure-a=1; Secure", "https://api.example/", b"__Secure-a=1"),
        ("__SECURE-a; Secure", "https://api.example/", None),
        ("__Http-a=1; Secure", "https://api.example/", None),
        ("__Http-a=1; Secure; HttpOnly", "https://api.example/", b"__Http-a=1"),
        ("__Host-Http-a=1; Secure; Path=/", "https://api.example/", None),
        ("__Host-Http-a=1; Secure; HttpOnly", "https://api.example/", None),
        ("__Host-Http-a=1; Secure; HttpOnly; Path=/", "https://api.example/", b"__Host-Http-a=1"),
        ("=__host-a=1; Secure; Path=/", "https://api.example/", None),
        ("__http-; Secure; HttpOnly", "https://api.example/", None),
        ("flag", "https://api.example/", b"flag"),
        ("=", "https://api.example/", None),
        ("a=" + "v" * 4095, "https://api.example/", b"a=" + b"v" * 4095),
        ("a=" + "v" * 4096, "https://api.example/", None),
        ("a=1; Path=/" + "y" * 1023, "https://api.example/", None),
        ("a=1; Path=/" + "y" * 1024, "https://api.example/", b"a=1"),
        ("a=\t1\t2", "https://api.example/", b"a=1\t2"),
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


@pytest.mark.parametrize("byte", [*range(0x09), *range(0x0A, 0x20), 0x7F])
@pytest.mark.parametrize("line", ["a{}=1", "a=1{}", "a=1; x={}"])
def test_a_control_byte_spoils_the_line(site: Site, line: str, byte: int) -> None:
    site.cookies = [line.format(chr(byte)), "b=1"]
    site.visit("https://api.example/")

    assert site.visit("https://api.example/") == b"b=1"


def test_a_cookie_with_a_domain_is_another_one(site: Site) -> None:
    site.cookies = ["a=1", "a=2; Domain=api.example", "a=3", "a=4; Domain=api.example"]
    site.visit("https://api.example/")

    assert site.visit("https://api.example/") == b"a=3; a=4"
    assert site.visit("https://www.api.example/") == b"a=4"


@pytest.mark.parametrize("host", ["github.io", "localhost"])
def test_a_public_suffix_has_cookies_for_itself(site: Site, host: str) -> None:
    site.cookies = ["a=1", f"a=2; Domain={host}"]
    site.visit(f"https://{host}/")

    assert site.visit(f"https://{host}/") == b"a=2"
    assert site.visit(f"https://www.{host}/") is None


def test_an_address_is_no_public_suffix(site: Site) -> None:
    site.cookies = ["a=1", "a=2; Domain=127.0.0.1"]
    site.visit("https://127.0.0.1/")

    assert site.visit("https://127.0.0.1/") == b"a=1; a=2"


SECURE = "a=1; Path=/login; Secure"


@pytest.mark.parametrize(
    ("old", "new", "sent"),
    [
        (SECURE, "a=2; Path=/login", None),
        (SECURE, "a=2; Path=/login/en", None),
        (SECURE, "a=2; Path=/login; Domain=api.example", None),
        (f"{SECURE}; Domain=api.example", "a=2; Path=/login", None),
        (SECURE, "a=2; Path=/", b"a=2"),
        (SECURE, "b=2; Path=/login", b"b=2"),
        ("a=1; Path=/login", "a=2; Path=/login", b"a=2"),
        (f"{SECURE}; Max-Age=0", "a=2; Path=/login", b"a=2"),
    ],
)
def test_what_is_set_in_the_clear_hides_no_secure_cookie(
    site: Site, old: str, new: str, sent: bytes | None
) -> None:
    site.cookies = [old]
    site.visit("https://api.example/login/en")
    site.cookies = [new]
    site.visit("http://api.example/login/en")

    assert site.visit("http://api.example/login/en") == sent


def test_a_subdomain_in_the_clear_hides_no_secure_cookie_either(site: Site) -> None:
    site.cookies = ["a=1; Secure"]
    site.visit("https://www.api.example/")
    site.cookies = ["a=2; Domain=api.example"]
    site.visit("http://api.example/")

    assert site.visit("http://api.example/") is None


def test_an_expired_cookie_loses_its_place(site: Site) -> None:
    site.cookies = ["a=1; Max-Age=5", "b=1"]
    site.visit("https://api.example/")
    site.clock.now = 5
    site.cookies = ["a=2"]
    site.visit("https://api.example/")

    assert site.visit("https://api.example/") == b"b=1; a=2"


@pytest.mark.parametrize("attribute", ["Max-Age=99999999", "Expires=Fri, 01 Jan 2100 00:00:00 GMT"])
def test_no_cookie_lives_longer_than_400_days(site: Site, attribute: str) -> None:
    site.cookies = [f"a=1; {attribute}"]
    site.visit("https://api.example/")
    site.clock.now = 400 * 24 * 60 * 60 - 1
    assert site.visit("https://api.example/") == b"a=1"
    site.clock.now += 1

    assert site.visit("https://api.example/") is None
