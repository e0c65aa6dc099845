"""Batches have visits that pages can make, and meet what they aim at."""

from collections.abc import Callable

import pytest
from hypothesis import Phase, find, given, settings

from cors_conformance.application import ApplicationResponse
from cors_conformance.fetch.methods import normalize_method
from cors_conformance.fetch.origins import parse_serialized_origin
from cors_conformance.fetch.request_headers import cors_unsafe_request_header_names
from cors_conformance.fetch.requests import AuthorRequest, create_request
from cors_conformance.policy import Policy
from cors_conformance.scenario import API, PLAIN, Batch, Journey, Visit, Wait
from cors_conformance.strategies import batches, journeys, policies

A = "https://a.example"
POLICY = Policy(
    allow_origins=(A, "https://b.example"),
    allow_methods=("PATCH",),
    allow_headers=("X-A", "X-AB"),
    allow_credentials=True,
)
EVERYTHING = Policy(allow_origins=("*",), allow_methods=("*",), allow_headers=("*",))

ANY_BATCH = policies().flatmap(batches)

# Not profiles, but what `find` does, without the explain phase, which leaves it with a larger
# example than it shrank to, and without shrinking where any example will do.
SHRINK = settings(phases=(Phase.generate, Phase.shrink))
ANY = settings(max_examples=2000, phases=(Phase.generate,))


def visits_of(journey: Journey) -> list[Visit]:
    return [step for step in journey.steps if isinstance(step, Visit)]


def asked_for(batch: Batch) -> list[tuple[bytes, ...]]:
    return [cors_unsafe_request_header_names(lines) for lines in batch.header_sets]


@given(ANY_BATCH)
def test_a_page_can_make_every_visit(batch: Batch) -> None:
    journeys_visits = [visit for journey in batch.journeys for visit in visits_of(journey)]
    for visit in (*batch.visits(), *journeys_visits):
        author = AuthorRequest(
            url=API + visit.path,
            method=visit.method,
            headers=visit.headers,
            mode=visit.mode,
            credentials=visit.credentials,
            body=visit.body,
            use_cors_preflight=visit.use_cors_preflight,
        )
        request = create_request(author, parse_serialized_origin(visit.origin))
        # Nothing that the page sets is dropped as forbidden.
        assert len(request.header_list) >= len(visit.headers)


@given(ANY_BATCH)
def test_a_batch_is_large_but_not_too_large(batch: Batch) -> None:
    assert 1 <= len([*batch.visits()]) <= 100


@given(ANY_BATCH)
def test_no_page_is_the_servers_own(batch: Batch) -> None:
    assert API not in batch.origins


@given(batches(POLICY, raw_requests=False, application_headers=False))
def test_without_application_headers_no_journey_needs_a_shared_cache(batch: Batch) -> None:
    assert all(visit.path == "/" for journey in batch.journeys for visit in visits_of(journey))


@given(
    batches(
        POLICY, application_headers=False, application_status=False, exceptions=False, chunks=False
    )
)
def test_an_application_that_can_do_nothing_is_asked_for_nothing(batch: Batch) -> None:
    for application in batch.applications:
        assert application.headers == ()
        assert application.status == 200
        assert application.raises == "never"
        assert len(application.body) == 1


@given(batches(POLICY, raw_requests=False))
def test_without_raw_requests_each_name_has_one_line(batch: Batch) -> None:
    for request in batch.hostile:
        assert len({name for name, _ in request.headers}) == len(request.headers)


@given(batches(EVERYTHING, any_method=False))
def test_without_any_method_what_is_granted_has_routes(batch: Batch) -> None:
    common = {b"GET", b"HEAD", b"POST", b"PUT", b"DELETE", b"PATCH", b"OPTIONS"}
    assert {normalize_method(method) for method in batch.methods} <= common


def test_batches_shrink_to_one_plain_visit() -> None:
    assert find(batches(POLICY), lambda _: True, settings=SHRINK) == Batch(
        origins=(A,),
        methods=(b"GET",),
        header_sets=((),),
        credentials=("omit",),
        applications=(PLAIN,),
    )


SHAPES: dict[str, Callable[[Batch], bool]] = {
    "a second allowed origin": lambda batch: "https://b.example" in batch.origins,
    "null": lambda batch: "null" in batch.origins,
    "a subdomain": lambda batch: "https://evil.a.example" in batch.origins,
    "a dot that is none": lambda batch: "https://axexample" in batch.origins,
    "a method in another case": lambda batch: b"patch" in batch.methods,
    "a method that is not listed": lambda batch: b"DELETE" in batch.methods,
    "one name of two": lambda batch: (b"x-a",) in asked_for(batch),
    "both names": lambda batch: (b"x-a", b"x-ab") in asked_for(batch),
    "a foreign name among listed ones": lambda batch: any(
        b"x-a" in names and not {*names} <= {b"x-a", b"x-ab"} for names in asked_for(batch)
    ),
    "a name that begins as a listed one": lambda batch: (b"x-ax",) in asked_for(batch),
    "credentials of the page": lambda batch: (b"authorization",) in asked_for(batch),
    "names at a limit": lambda batch: (b"accept",) in asked_for(batch),
    "both credentials modes": lambda batch: len(batch.credentials) == 2,
    "several applications": lambda batch: len(batch.applications) > 2,
    "hostile requests": lambda batch: len(batch.hostile) > 3,
    "two journeys": lambda batch: len(batch.journeys) == 2,
}


@pytest.mark.parametrize("shape", SHAPES)
def test_batches_include(shape: str) -> None:
    assert SHAPES[shape](find(batches(POLICY), SHAPES[shape], settings=ANY))


def test_authorization_meets_a_wildcard() -> None:
    strategy = batches(EVERYTHING)
    found = find(strategy, lambda batch: (b"authorization",) in asked_for(batch), settings=ANY)
    assert found.origins


def test_all_origins_include_null() -> None:
    found = find(batches(EVERYTHING), lambda batch: "null" in batch.origins, settings=SHRINK)
    assert found.origins == ("null",)


JOURNEYS: dict[str, Callable[[Journey], bool]] = {
    "two origins and one resource": lambda journey: (
        len({visit.origin for visit in visits_of(journey) if visit.path == "/cached"}) > 1
    ),
    "a visit without Origin before one with it": lambda journey: (
        [visit.mode for visit in visits_of(journey)][:2] == ["no-cors", "cors"]
    ),
    "a wait": lambda journey: any(isinstance(step, Wait) for step in journey.steps),
    "a wait that outlives a preflight": lambda journey: any(
        isinstance(step, Wait) and step.seconds == POLICY.max_age + 1 for step in journey.steps
    ),
    "the same visit twice": lambda journey: len({*journey.steps}) < len(journey.steps),
    "a forced preflight": lambda journey: any(
        visit.use_cors_preflight for visit in visits_of(journey)
    ),
    "one name after another": lambda journey: (
        len({visit.headers for visit in visits_of(journey)}) > 2
    ),
}


@pytest.mark.parametrize("shape", JOURNEYS)
def test_journeys_include(shape: str) -> None:
    assert JOURNEYS[shape](find(journeys(POLICY), JOURNEYS[shape], settings=ANY))


def test_visits_are_the_product_of_the_pools() -> None:
    batch = Batch(
        origins=(A, "null"),
        methods=(b"GET", b"PUT"),
        header_sets=((), ((b"X-A", b"1"),)),
        credentials=("omit", "include"),
        applications=(PLAIN,),
    )
    visits = [*batch.visits()]
    assert len({*visits}) == 16
    assert visits[0] == Visit(origin=A, method=b"GET")


def test_a_visit_has_a_body_where_it_may() -> None:
    batch = Batch(
        origins=(A,),
        methods=(b"get", b"HEAD", b"POST", b"patch"),
        header_sets=((),),
        credentials=("omit",),
        applications=(PLAIN,),
    )
    assert [visit.body for visit in batch.visits()][-4:] == [None, None, b"page", b"page"]


def test_every_origin_and_null_make_the_plainest_visits_first() -> None:
    batch = Batch(
        origins=(A,),
        methods=(b"PUT",),
        header_sets=((),),
        credentials=("omit",),
        applications=(PLAIN,),
    )
    assert [(visit.origin, visit.method, visit.credentials) for visit in batch.visits()] == [
        (A, b"GET", "omit"),
        (A, b"GET", "include"),
        ("null", b"GET", "omit"),
        ("null", b"GET", "include"),
        (A, b"PUT", "omit"),
    ]


def test_every_application_meets_every_credentials_mode() -> None:
    applications = tuple(ApplicationResponse(status=status) for status in (200, 404))
    batch = Batch(
        origins=(A, "null"),
        methods=(b"GET", b"POST"),
        header_sets=((),),
        credentials=("omit", "include"),
        applications=applications,
    )
    met = {(visit.application.status, visit.credentials) for visit in batch.visits()}
    assert len(met) == 4
