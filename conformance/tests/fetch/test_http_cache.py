import pytest

from cors_conformance.fetch.http import HeaderLines, HTTPRequest, HTTPResponse
from cors_conformance.fetch.http_cache import HTTPCache

URL = "https://api.example/"


class Clock:
    now = 0.0

    def __call__(self) -> float:
        return self.now


class Network:
    """A cache and the server behind it."""

    def __init__(self, *, shared: bool = True) -> None:
        self.clock = Clock()
        self.cache = HTTPCache(self.clock, shared=shared)
        self.forwarded: list[HTTPRequest] = []
        self.answer = HTTPResponse(status=200)

    def get(self, *headers: tuple[bytes, bytes], method: bytes = b"GET") -> HTTPResponse:
        request = HTTPRequest(method=method, url=URL, headers=headers)
        selection = self.cache.select(request)
        if selection.response is not None:
            return selection.response
        sent = HTTPRequest(method=method, url=URL, headers=(*headers, *selection.conditions))
        self.forwarded.append(sent)
        return self.cache.receive(request, selection, self.answer)


def answer(*headers: tuple[bytes, bytes], status: int = 200, body: bytes = b"1") -> HTTPResponse:
    return HTTPResponse(status=status, headers=headers, body=body)


FRESH = (b"cache-control", b"max-age=60")


@pytest.mark.parametrize(("later", "requests"), [(59, 1), (60, 2), (61, 2)])
def test_a_response_is_fresh_until_its_max_age(later: int, requests: int) -> None:
    network = Network()
    network.answer = answer(FRESH)
    network.get()
    network.clock.now += later
    network.get()

    assert len(network.forwarded) == requests


def test_age_from_upstream_counts() -> None:
    network = Network()
    network.answer = answer(FRESH, (b"age", b"50"))
    network.get()
    network.clock.now += 10
    network.get()

    assert len(network.forwarded) == 2


@pytest.mark.parametrize(
    ("vary", "second", "requests"),
    [
        (b"Origin", (b"origin", b"https://b.example"), 2),
        (b"Origin", (b"origin", b"https://a.example"), 1),
        (b"accept, ORIGIN", (b"origin", b"https://b.example"), 2),
        (b"Accept", (b"origin", b"https://b.example"), 1),
        (b"*", (b"origin", b"https://a.example"), 2),
    ],
)
def test_vary_selects(vary: bytes, second: tuple[bytes, bytes], requests: int) -> None:
    network = Network()
    network.answer = answer(FRESH, (b"vary", vary))
    network.get((b"origin", b"https://a.example"))
    network.get(second)

    assert len(network.forwarded) == requests


def test_an_absent_header_matches_absence_only() -> None:
    network = Network()
    network.answer = answer(FRESH, (b"vary", b"origin"))
    network.get()
    network.get((b"origin", b"https://a.example"))
    network.get()

    assert len(network.forwarded) == 2


def test_variants_are_stored_side_by_side() -> None:
    network = Network()
    network.answer = answer(FRESH, (b"vary", b"origin"))
    pages = [(b"origin", b"https://a.example"), (b"origin", b"https://b.example")]
    for page in pages * 2:
        network.get(page)

    assert len(network.forwarded) == 2


@pytest.mark.parametrize(
    "headers",
    [
        ((b"cache-control", b"no-store"),),
        ((b"cache-control", b"private, max-age=60"),),
    ],
)
def test_a_shared_cache_does_not_store_what_it_must_not(headers: HeaderLines) -> None:
    network = Network()
    network.answer = answer(*headers)
    network.get()
    network.get()

    assert len(network.forwarded) == 2


def test_a_private_cache_stores_what_is_private() -> None:
    network = Network(shared=False)
    network.answer = answer((b"cache-control", b"private, max-age=60"))
    network.get()
    network.get()

    assert len(network.forwarded) == 1


def test_a_stale_response_is_validated_and_freshened() -> None:
    network = Network()
    network.answer = answer(FRESH, (b"etag", b'"1"'), (b"x-a", b"old"), body=b"kept")
    network.get()
    network.clock.now += 100
    network.answer = answer((b"etag", b'"1"'), FRESH, (b"x-a", b"new"), status=304, body=b"")
    response = network.get()

    assert (b"if-none-match", b'"1"') in network.forwarded[1].headers
    assert response.status == 200
    assert response.body == b"kept"
    assert (b"x-a", b"new") in response.headers
    assert (b"x-a", b"old") not in response.headers
    network.clock.now += 59
    network.get()
    assert len(network.forwarded) == 2


def test_a_validation_that_fails_replaces_the_response() -> None:
    network = Network()
    network.answer = answer(FRESH, (b"etag", b'"1"'))
    network.get()
    network.clock.now += 100
    network.answer = answer(FRESH, (b"etag", b'"2"'), body=b"2")

    assert network.get().body == b"2"
    assert network.get().body == b"2"
    assert len(network.forwarded) == 2


def test_an_unsafe_method_invalidates_what_is_stored() -> None:
    network = Network()
    network.answer = answer(FRESH)
    network.get()
    network.get(method=b"PUT")
    network.get()

    assert [request.method for request in network.forwarded] == [b"GET", b"PUT", b"GET"]


def test_options_is_never_stored() -> None:
    network = Network()
    network.answer = answer(FRESH)
    network.get(method=b"OPTIONS")
    network.get(method=b"OPTIONS")

    assert len(network.forwarded) == 2


def expires(date: bytes | None, moment: bytes) -> HTTPResponse:
    dates = () if date is None else ((b"date", date),)
    return answer(*dates, (b"expires", moment))


NOON = b"Thu, 01 Jan 2099 12:00:00 GMT"
LATER = b"Thu, 01 Jan 2099 12:01:40 GMT"


@pytest.mark.parametrize(
    ("response", "lifetime"),
    [
        (expires(NOON, LATER), 100),
        (expires(b"Thursday, 01-Jan-26 12:00:00 GMT", b"Thu Jan  1 12:01:40 2026"), 100),
        # The clock starts with 2026; without a date it is the moment of receipt.
        (expires(None, b"Thu, 01 Jan 2026 00:01:40 GMT"), 100),
        (expires(b"nonsense", b"Thu, 01 Jan 2026 00:01:40 GMT"), 100),
        (answer((b"date", NOON), (b"expires", LATER), (b"expires", NOON)), 100),
        (answer((b"date", NOON), (b"expires", LATER), (b"age", b"40")), 60),
        (answer((b"date", NOON), (b"expires", LATER), FRESH), 60),
        (expires(NOON, NOON), 0),
        (expires(LATER, NOON), 0),
        (expires(None, b"0"), 0),
        (expires(None, b"Thu, 1 Feb 2030 25:00:00 GMT"), 0),
        (answer((b"last-modified", b"Thu, 01 Jan 2015 00:00:00 GMT")), 0),
    ],
)
def test_a_lifetime_is_explicit_and_by_the_clock(response: HTTPResponse, lifetime: int) -> None:
    for later, requests in ((lifetime - 1, 1), (lifetime, 2)):
        if later < 0:
            continue
        network = Network()
        network.answer = response
        network.get()
        network.clock.now += later
        network.get()

        assert len(network.forwarded) == requests


def test_no_lifetime_and_no_age_is_too_long() -> None:
    network = Network()
    network.answer = expires(b"Mon, 01 Jan 1601 00:00:00 GMT", b"Fri, 31 Dec 9999 00:00:00 GMT")
    network.get()
    network.clock.now += 2**31 - 1
    network.get()
    assert len(network.forwarded) == 1
    network.clock.now += 10**12
    network.get()

    assert len(network.forwarded) == 2


@pytest.mark.parametrize(
    ("lines", "requests"),
    [
        ((b"50, 0",), 2),
        ((b"50", b"0"), 2),
        ((b"0, 50",), 1),
        ((b"0000000000000000000050",), 2),
        ((b"9" * 5000,), 2),
        ((b"x, 50",), 1),
        ((b"",), 1),
    ],
)
def test_the_first_age_counts(lines: tuple[bytes, ...], requests: int) -> None:
    network = Network()
    network.answer = answer(FRESH, *((b"age", line) for line in lines))
    network.get()
    network.clock.now += 10
    network.get()

    assert len(network.forwarded) == requests


@pytest.mark.parametrize(
    ("stored", "validation"),
    [
        ((b"etag", b'"1"'), (b"etag", b'"2"')),
        ((b"etag", b'"1"'), (b"last-modified", b"Thu, 01 Jan 2015 00:00:00 GMT")),
        ((b"last-modified", b"Thu, 01 Jan 2015 00:00:00 GMT"), (b"etag", b'"1"')),
        ((b"x-a", b"nothing to validate with"), (b"x-a", b"")),
    ],
)
def test_a_304_confirms_what_was_asked_about(
    stored: tuple[bytes, bytes], validation: tuple[bytes, bytes]
) -> None:
    network = Network(shared=False)
    network.answer = answer(FRESH, stored, body=b"kept")
    network.get()
    network.clock.now += 100
    network.answer = answer(FRESH, validation, status=304, body=b"")

    assert network.get().body == b"kept"
    assert validation in network.get().headers
    assert len(network.forwarded) == 2


def test_of_two_stale_responses_the_newer_one_is_confirmed() -> None:
    network = Network(shared=False)
    stale = (b"cache-control", b"no-cache")
    network.answer = answer(stale, (b"vary", b"accept"), (b"etag", b'"1"'), body=b"1")
    network.get((b"accept", b"a/b"))
    network.clock.now += 1
    network.answer = answer(stale, (b"vary", b"x-a"), (b"etag", b'"2"'), body=b"2")
    network.get((b"accept", b"c/d"))
    network.answer = answer(status=304)

    assert network.get((b"accept", b"a/b")).body == b"2"
    assert (b"if-none-match", b'"2"') in network.forwarded[2].headers


def test_a_304_to_somebody_elses_question_is_passed_on() -> None:
    network = Network()
    network.answer = answer(FRESH, (b"etag", b'"1"'))
    network.get()
    network.clock.now += 100
    network.answer = answer((b"etag", b'"0"'), status=304)

    assert network.get((b"if-none-match", b'"0"')).status == 304


@pytest.mark.parametrize(("status", "requests"), [(199, 2), (200, 3), (399, 3), (400, 2)])
def test_what_fails_invalidates_nothing(status: int, requests: int) -> None:
    network = Network()
    network.answer = answer(FRESH)
    network.get()
    network.answer = answer(status=status)
    network.get(method=b"PUT")
    network.get()

    assert len(network.forwarded) == requests
