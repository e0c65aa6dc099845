"""Scenarios, the scripted servers in them, and what the model makes of them."""

import json

import pytest
from hypothesis import find, settings

from cors_conformance.browsers.drawing import DRAWING, batches, drawn
from cors_conformance.browsers.observing import observe
from cors_conformance.browsers.places import API, NOWHERE, PAGE, Places, is_served, number_of
from cors_conformance.browsers.scenario import Scenario, as_json
from cors_conformance.browsers.scenarios import AIMS, SHARES, aimed, one_step
from cors_conformance.browsers.script import NOT_FOUND, Script
from cors_conformance.browsers.shrinking import shrink
from cors_conformance.cases.schema import Hop, Request, Response
from cors_conformance.fetch.http import HTTPRequest

URL = f"{API}/ID/a"
ORIGIN = (b"Origin", PAGE.encode())


def test_scenarios_are_translated_for_a_run_and_back() -> None:
    places = Places({40001: 51001, 40002: 51002, 40003: 51003, 40004: 51004, 40009: 51009})
    text = f"{API}/ID/a, {PAGE}, http://localhost:4000, {NOWHERE}/ID/b"
    there = places.to_run(text, 7)
    assert "51002/n0000007/a" in there
    assert "4000," in there
    assert places.from_run(there) == text


def test_reverse_solidi_are_translated_too() -> None:
    places = Places({40001: 51001, 40002: 51002, 40003: 51003, 40004: 51004, 40009: 51009})
    there = places.to_run("\\ID\\b", 7)
    assert there == "\\n0000007\\b"
    assert places.from_run(there) == "\\ID\\b"


def test_numbers_of_scenarios_stand_in_their_paths() -> None:
    assert number_of("/n0000042/a") == 42
    assert number_of("/work") is None


def test_nobody_answers_nowhere() -> None:
    assert is_served(URL)
    assert not is_served(f"{NOWHERE}/ID/a")


def test_every_aim_has_a_share() -> None:
    assert set(AIMS) == set(SHARES)


@pytest.mark.parametrize("aim", AIMS)
def test_scenarios_are_the_same_for_the_same_seed(aim: str) -> None:
    assert drawn(aimed(aim), 20, number=3) == drawn(aimed(aim), 20, number=3)
    assert drawn(aimed(aim), 20, number=3) != drawn(aimed(aim), 20, number=4)


@pytest.mark.parametrize("aim", AIMS)
def test_model_can_do_every_scenario(aim: str) -> None:
    for scenario in drawn(aimed(aim), 40, number=1):
        assert scenario.aim == aim
        assert len(observe(scenario)) == len(scenario.steps)


@pytest.mark.parametrize("aim", ["cors-check", "preflight-response", "redirect", "mode"])
@pytest.mark.parametrize("result", ["success", "network_error"])
def test_aims_reach_both_verdicts(aim: str, result: str) -> None:
    scenario = find(
        aimed(aim),
        lambda scenario: observe(scenario)[0].result == result,
        settings=settings(DRAWING, max_examples=500),
    )
    assert scenario.aim == aim


def test_preflight_caches_are_hit() -> None:
    def is_hit(scenario: Scenario) -> bool:
        first, second, *_ = observe(scenario)
        return (
            any(sent.purpose == "preflight" for sent in first.sent)
            and second.result == "success"
            and [sent.purpose for sent in second.sent] == ["actual"]
            and scenario.steps[1].request.method == "PUT"
        )

    found = find(aimed("preflight-cache"), is_hit, settings=settings(DRAWING, max_examples=2000))
    assert found.is_alone


def test_batches_have_every_aim() -> None:
    batch = next(batches(200, number=1, size=200))
    assert {scenario.aim for scenario in batch} == set(AIMS)


def request(method: bytes = b"GET", *headers: tuple[bytes, bytes], url: str = URL) -> HTTPRequest:
    return HTTPRequest(method=method, url=url, headers=headers)


def test_white_space_is_written_and_stripped_by_parsers() -> None:
    hop = Hop(url=URL, actual=Response(headers=(("X-A", " 1\t"),)))
    answer = Script(hops=(hop,)).answer(request())
    assert answer.headers[0] == (b"X-A", b" 1\t")
    assert answer.parsed().headers[0] == (b"X-A", b"1")


def test_placeholders_without_a_header_leave_their_line_out() -> None:
    hop = Hop(url=URL, actual=Response(headers=(("X-A", "$ORIGIN"),)))
    script = Script(hops=(hop,))
    assert script.answer(request(b"GET", ORIGIN)).headers[0] == (b"X-A", ORIGIN[1])
    assert [name for name, _ in script.answer(request()).headers] == [b"Content-Length"]


def test_undefined_answers_grant_nothing() -> None:
    script = Script(hops=(Hop(url=URL),))
    assert script.answer(request()) is NOT_FOUND
    assert script.answer(request(url=f"{API}/ID/z")) is NOT_FOUND


def test_statuses_without_a_body_have_no_length() -> None:
    hop = Hop(url=URL, actual=Response(status=304, body="x"))
    answer = Script(hops=(hop,)).answer(request())
    assert (answer.headers, answer.body) == ((), b"")


def test_defaults_are_not_written() -> None:
    scenario = one_step("x", PAGE, Request(url=URL), Hop(url=URL, actual=Response()))
    assert as_json(scenario) == {
        "client_origin": PAGE,
        "request": {"url": URL},
        "server": {"hops": [{"url": URL, "actual": {}}]},
    }


def test_shrinking_leaves_what_is_needed() -> None:
    hop = Hop(
        url=URL,
        preflight=Response(status=204),
        actual=Response(status=418, headers=(("X-A", "1"), ("X-B", "12345678"))),
    )
    large = one_step(
        "x", "null", Request(url=URL, method="PATCH", headers=(("X-C", "1"),), body="page"), hop
    )

    def holds(scenario: Scenario) -> bool:
        answer = scenario.steps[0].server.hops[0].actual
        return answer is not None and any(name == "X-B" for name, _ in answer.headers)

    small = shrink(large, lambda tried: [holds(scenario) for scenario in tried])
    assert json.loads(json.dumps(as_json(small))) == {
        "client_origin": PAGE,
        "request": {"url": URL},
        "server": {"hops": [{"url": URL, "actual": {"headers": [["X-B", ""]]}}]},
    }
