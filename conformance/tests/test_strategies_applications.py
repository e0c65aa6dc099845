"""Application responses are well-formed and as peculiar as they claim to be."""

from collections.abc import Callable

import pytest
from hypothesis import Phase, find, given, settings

from cors_conformance.application import ApplicationResponse
from cors_conformance.fetch.headers import is_header_name, is_header_value
from cors_conformance.scenario import PLAIN
from cors_conformance.strategies import application_responses
from cors_conformance.strategies.applications import cacheable_applications

# Not profiles, but what `find` does, without the explain phase, which leaves it with a larger
# example than it shrank to, and without shrinking where any example will do.
SHRINK = settings(phases=(Phase.generate, Phase.shrink))
ANY = settings(max_examples=2000, phases=(Phase.generate,))


def names(response: ApplicationResponse) -> list[bytes]:
    return [name for name, _ in response.headers]


@given(application_responses())
def test_a_response_is_well_formed(response: ApplicationResponse) -> None:
    assert 200 <= response.status <= 599
    for name, value in response.headers:
        assert is_header_name(name)
        assert name == name.lower()
        assert is_header_value(value)


@given(application_responses())
def test_a_response_without_content_has_no_body(response: ApplicationResponse) -> None:
    assert response.status not in {204, 205, 304} or response.body == ()


@given(application_responses())
def test_a_content_length_is_the_bodys(response: ApplicationResponse) -> None:
    for name, value in response.headers:
        assert name != b"content-length" or int(value) == len(b"".join(response.body))


@given(application_responses(headers=False))
def test_an_application_may_set_no_headers(response: ApplicationResponse) -> None:
    assert response.headers == ()


@given(application_responses(statuses=False))
def test_an_application_may_answer_200_only(response: ApplicationResponse) -> None:
    assert response.status == 200


@given(application_responses(exceptions=False))
def test_an_application_may_not_raise(response: ApplicationResponse) -> None:
    assert response.raises == "never"


@given(application_responses(chunks=False))
def test_an_application_may_send_no_chunks(response: ApplicationResponse) -> None:
    assert len(response.body) <= 1


def test_responses_shrink_to_the_plain_one() -> None:
    assert find(application_responses(), lambda _: True, settings=SHRINK) == PLAIN


SHAPES: dict[str, Callable[[ApplicationResponse], bool]] = {
    "several Vary lines": lambda response: names(response).count(b"vary") > 1,
    "Vary: *": lambda response: (b"vary", b"*") in response.headers,
    "an own origin": lambda response: b"access-control-allow-origin" in names(response),
    "two own origins": lambda response: names(response).count(b"access-control-allow-origin") > 1,
    "several cookies": lambda response: names(response).count(b"set-cookie") > 1,
    "a fresh response": lambda response: b"cache-control" in names(response),
    "an error that varies": lambda response: response.status > 400 and b"vary" in names(response),
    "a redirect": lambda response: b"location" in names(response),
    "not modified": lambda response: response.status == 304,
    "chunks": lambda response: len(response.body) > 2,
    "an exception before the start": lambda response: response.raises == "before start",
    "an exception after the start": lambda response: response.raises == "after start",
    "the exposed header": lambda response: (b"x-total", b"1") in response.headers,
    "an empty value": lambda response: (b"x-empty", b"") in response.headers,
}


@pytest.mark.parametrize("shape", SHAPES)
def test_responses_include(shape: str) -> None:
    strategy = application_responses(expose=("X-Total",))
    assert SHAPES[shape](find(strategy, SHAPES[shape], settings=ANY))


def test_with_all_headers_exposed_there_is_one_to_read() -> None:
    strategy = application_responses(expose=("*",))
    assert find(strategy, lambda response: b"x-any" in names(response)).headers == (
        (b"x-any", b"1"),
    )


def test_what_is_cacheable_says_for_how_long() -> None:
    assert all(b"cache-control" in names(response) for response in cacheable_applications())
