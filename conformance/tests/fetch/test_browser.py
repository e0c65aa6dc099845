"""What the case files cannot say: steps, exchanges, clocks, limits, errors."""

from collections.abc import Callable

import pytest

from cors_conformance.fetch.browser import Browser
from cors_conformance.fetch.http import HeaderLines, HTTPRequest, HTTPResponse
from cors_conformance.fetch.requests import AuthorRequest

PAGE = "https://a.example"
API = "https://api.example/"


class Server:
    """Answers preflights and other requests with fixed headers, and counts them."""

    def __init__(self, *lines: tuple[str, str], status: int = 200) -> None:
        self.headers: HeaderLines = tuple((name.encode(), value.encode()) for name, value in lines)
        self.status = status
        self.requests: list[HTTPRequest] = []

    def __call__(self, request: HTTPRequest) -> HTTPResponse | None:
        self.requests.append(request)
        return HTTPResponse(status=self.status, headers=self.headers)

    @property
    def methods(self) -> list[bytes]:
        return [request.method for request in self.requests]


def allow(**more: str) -> Server:
    lines = {
        "access-control-allow-origin": PAGE,
        "access-control-allow-credentials": "true",
        "access-control-allow-methods": "PUT",
        **{name.replace("_", "-"): value for name, value in more.items()},
    }
    return Server(*lines.items())


class Clock:
    now = 0.0

    def __call__(self) -> float:
        return self.now


def test_an_outcome_tells_its_steps_with_their_anchors() -> None:
    outcome = Browser().run(AuthorRequest(url=API), origin=PAGE, network=Server())

    assert outcome.result == "network_error"
    assert outcome.steps[-1].anchor == "#concept-cors-check"
    assert str(outcome.steps[-1]) == (
        "CORS check: no Access-Control-Allow-Origin (step 2)"
        " (https://fetch.spec.whatwg.org/#concept-cors-check)"
    )


def test_preflights_and_actual_requests_are_told_apart() -> None:
    put = AuthorRequest(url=API, method=b"put")

    outcome = Browser().run(put, origin=PAGE, network=allow())

    assert [item.request.method for item in outcome.preflights] == [b"OPTIONS"]
    assert [item.request.method for item in outcome.actual] == [b"PUT"]


def test_no_response_is_a_network_error() -> None:
    outcome = Browser().run(AuthorRequest(url=API), origin=PAGE, network=lambda _: None)

    assert outcome.result == "network_error"
    assert "no response" in outcome.steps[-1].text


def test_a_page_needs_a_serialized_origin() -> None:
    with pytest.raises(ValueError, match="is no serialized origin"):
        Browser().run(AuthorRequest(url=API), origin="https://a.example/", network=allow())


def test_permissions_end_when_their_max_age_has_passed() -> None:
    clock, server = Clock(), allow(access_control_max_age="10")
    browser = Browser(clock=clock)
    put = AuthorRequest(url=API, method=b"PUT")
    for clock.now in (0.0, 9.9, 10.0):
        browser.run(put, origin=PAGE, network=server)

    assert server.methods == [b"OPTIONS", b"PUT", b"PUT", b"OPTIONS", b"PUT"]


def test_a_browser_may_impose_a_limit_on_max_age() -> None:
    clock, server = Clock(), allow(access_control_max_age="1000")
    browser = Browser(clock=clock, preflight_cache_limit=5)
    put = AuthorRequest(url=API, method=b"PUT")
    for clock.now in (0.0, 5.0):
        browser.run(put, origin=PAGE, network=server)

    assert server.methods == [b"OPTIONS", b"PUT"] * 2


def test_a_failure_clears_the_permissions_of_the_page_and_url() -> None:
    server = allow()
    browser = Browser()
    put = AuthorRequest(url=API, method=b"PUT")
    browser.run(put, origin=PAGE, network=server)
    server.headers = ()
    browser.run(put, origin=PAGE, network=server)
    server.headers = allow().headers
    browser.run(put, origin=PAGE, network=server)

    assert server.methods == [b"OPTIONS", b"PUT", b"PUT", b"OPTIONS", b"PUT"]


def credentialed_gap(steps: Callable[[Browser, Server], bool]) -> bool:
    server = Server(
        ("access-control-allow-origin", PAGE),
        ("access-control-allow-credentials", "true"),
        ("access-control-allow-methods", "*"),
        ("access-control-allow-headers", "x-a"),
    )
    return steps(Browser(), server)


def test_a_wildcard_entry_of_a_credentialed_preflight_lets_any_method_through() -> None:
    def cached(browser: Browser, server: Server) -> bool:
        get = AuthorRequest(url=API, headers=((b"x-a", b"1"),), credentials="include")
        put = AuthorRequest(url=API, method=b"PUT", credentials="include")
        browser.run(get, origin=PAGE, network=server)
        return browser.run(put, origin=PAGE, network=server).result == "success"

    def fresh(browser: Browser, server: Server) -> bool:
        put = AuthorRequest(url=API, method=b"PUT", credentials="include")
        return browser.run(put, origin=PAGE, network=server).result == "success"

    assert credentialed_gap(cached)
    assert not credentialed_gap(fresh)


def test_an_http_cache_answers_within_a_site_and_not_across() -> None:
    server = Server(("access-control-allow-origin", "*"), ("cache-control", "max-age=60"))
    browser = Browser(http_caching=True)
    get = AuthorRequest(url=API)
    for origin in ("https://a.site.example", "https://b.site.example", "https://other.example"):
        browser.run(get, origin=origin, network=server)

    assert len(server.requests) == 2


def test_a_misdirected_request_is_sent_once_more() -> None:
    server = Server(("access-control-allow-origin", "*"), status=421)

    outcome = Browser().run(AuthorRequest(url=API), origin=PAGE, network=server)

    assert len(server.requests) == 2
    assert outcome.response is not None
    assert outcome.response.status == 421


def test_a_proxys_challenge_is_not_for_pages() -> None:
    server = Server(("access-control-allow-origin", "*"), status=407)

    assert Browser().run(AuthorRequest(url=API), origin=PAGE, network=server).result == (
        "network_error"
    )


@pytest.mark.parametrize("port", [22, 6000, 10080])
def test_bad_ports_are_blocked(port: int) -> None:
    server = allow()
    url = f"https://api.example:{port}/"

    outcome = Browser().run(AuthorRequest(url=url), origin=PAGE, network=server)

    assert outcome.result == "network_error"
    assert not server.requests


@pytest.mark.parametrize(
    ("cache", "expected"),
    [
        ("no-store", {b"pragma": b"no-cache", b"cache-control": b"no-cache"}),
        ("reload", {b"pragma": b"no-cache", b"cache-control": b"no-cache"}),
        ("no-cache", {b"cache-control": b"max-age=0"}),
        ("default", {}),
    ],
)
def test_cache_modes_say_so_in_headers(cache: str, expected: dict[bytes, bytes]) -> None:
    server = allow()

    Browser().run(AuthorRequest(url=API, cache=cache), origin=PAGE, network=server)  # type: ignore[arg-type]

    sent = {name.lower(): value for name, value in server.requests[0].headers}
    assert {name: sent.get(name) for name in (b"pragma", b"cache-control")} == {
        b"pragma": expected.get(b"pragma"),
        b"cache-control": expected.get(b"cache-control"),
    }


def test_only_if_cached_needs_the_mode_same_origin() -> None:
    outcome = Browser().run(
        AuthorRequest(url=API, cache="only-if-cached"), origin=PAGE, network=allow()
    )

    assert outcome.result == "type_error"


@pytest.mark.parametrize(
    ("policy", "page", "expected"),
    [
        ("same-origin", "https://a.example", False),
        ("same-site", "https://a.example", False),
        ("same-site", "https://www.api.example", True),
        ("same-site", "http://www.api.example", False),
        ("cross-origin", "https://a.example", True),
        ("nonsense", "https://a.example", True),
        ("same-site", "null", False),
    ],
)
def test_a_resource_policy_blocks_opaque_responses(policy: str, page: str, expected: bool) -> None:
    server = Server(("cross-origin-resource-policy", policy))

    outcome = Browser().run(AuthorRequest(url=API, mode="no-cors"), origin=page, network=server)

    assert (outcome.result == "success") is expected
