"""Case files: the shipped ones agree with the browser, wrong ones are told apart and told."""

import io
import json
from collections.abc import Callable
from copy import deepcopy
from pathlib import Path
from typing import Any, Final

import pytest
from rich.console import Console

from cors_conformance import cases_command
from cors_conformance.cases import Case, Disagreement, MalformedCaseFile, load, run
from cors_conformance.cases.schema import Expected

FILES: Final = sorted((Path(__file__).parent / "cases").glob("*.json"))
SHIPPED: Final = [case for path in FILES for case in load(path)]

# What a case can look like, with every key of `expected`; written out here, not imported, so that
# a key that is misspelt in the package cannot hide.
CASE: Final[dict[str, Any]] = {
    "id": "put",
    "source": "all keys",
    "client_origin": "https://a.example",
    "request": {
        "url": "https://api.example/x",
        "method": "put",
        "headers": [["X-A", "1"]],
        "mode": "cors",
        "credentials": "omit",
        "redirect": "follow",
        "body": None,
        "use_cors_preflight": False,
        "referrer_policy": "",
    },
    "server": {
        "hops": [
            {
                "url": "https://api.example/x",
                "preflight": {
                    "status": 204,
                    "headers": [
                        ["Access-Control-Allow-Origin", "$ORIGIN"],
                        ["Access-Control-Allow-Methods", "$ACRM"],
                        ["Access-Control-Allow-Headers", "$ACRH"],
                    ],
                },
                "actual": {
                    "status": 200,
                    "headers": [
                        ["Access-Control-Allow-Origin", "$ORIGIN"],
                        ["Access-Control-Expose-Headers", "X-B"],
                        ["X-B", "1"],
                        ["X-B", "2"],
                    ],
                    "body": "",
                },
            }
        ]
    },
    "expected": {
        "outcome": "success",
        "preflight": True,
        "acrm": "PUT",
        "acrh": "x-a",
        "origin_header": "https://a.example",
        "final_origin_header": "https://a.example",
        "status": 200,
        "response_type": "cors",
        "visible_headers": {"x-b": "1, 2", "x-c": None},
        "final_method": "PUT",
        "cookie_sent": None,
        "sent_headers": {"x-a": "1", "x-c": None},
        "final_headers": {"x-a": "1", "x-c": None},
        "preflight_headers": {"x-a": None, "accept": "*/*"},
        "preflight_count": 1,
        "from_http_cache": False,
    },
}
HOP: Final = CASE["server"]["hops"][0]
ORIGIN: Final = ["Access-Control-Allow-Origin", "$ORIGIN"]


def written(tmp_path: Path, *cases: object, name: str = "cases.json") -> Path:
    path = tmp_path / name
    path.write_text(json.dumps({"meta": {"by": "hand"}, "cases": cases}), encoding="utf-8")
    return path


def changed(path: str, value: object) -> dict[str, Any]:
    """The case with one value put at a path such as `request.method`, where `-` removes it."""
    case = deepcopy(CASE)
    *containers, last = path.split(".")
    place: Any = case
    for name in containers:
        place = place[int(name) if name.isdigit() else name]
    if value == "-":
        del place[last]
    else:
        place[int(last) if last.isdigit() else last] = value
    return case


def simple(url: str, *hops: object, **expected: object) -> dict[str, Any]:
    """A case that is one GET of `url`, and what its server answers."""
    return {
        "id": "simple",
        "client_origin": "https://a.example",
        "request": {"url": url},
        "server": {"hops": hops},
        "expected": expected,
    }


def answer(*headers: list[str], status: int = 200) -> dict[str, Any]:
    return {"status": status, "headers": [ORIGIN, *headers]}


def disagreements(tmp_path: Path, case: object) -> tuple[Disagreement, ...]:
    (loaded,) = load(written(tmp_path, case))
    return run(loaded).disagreements


def command(files: list[Path], json_out: Path | None = None) -> tuple[int, str]:
    output = io.StringIO()
    status = cases_command.main(files, json_out, Console(file=output, width=60))
    return status, output.getvalue()


# The shipped cases


@pytest.mark.parametrize("case", SHIPPED, ids=lambda case: case.id)
def test_shipped_case_agrees(case: Case) -> None:
    assert run(case).disagreements == ()


def test_shipped_ids_are_unique_over_all_files() -> None:
    assert len({case.id for case in SHIPPED}) == len(SHIPPED)


def test_shipped_cases_name_the_step_that_decides() -> None:
    assert [case.id for case in SHIPPED if not case.source] == []


def test_shipped_cases_judge_every_key() -> None:
    judged = {
        key
        for path in FILES
        for case in json.loads(path.read_bytes())["cases"]
        for step in case.get("steps", [case])
        for key in step["expected"]
    }
    assert judged == set(CASE["expected"])


# Judging


def test_every_key_of_the_format_is_known() -> None:
    assert set(Expected.__struct_fields__) == set(CASE["expected"])


def test_case_with_all_keys_agrees(tmp_path: Path) -> None:
    assert disagreements(tmp_path, CASE) == ()


@pytest.mark.parametrize(
    ("key", "wrong", "got"),
    [
        ("outcome", "network_error", "success"),
        ("outcome", "type_error", "success"),
        ("preflight", False, True),
        ("acrm", "put", "PUT"),
        ("acrm", None, "PUT"),
        ("acrh", "X-A", "x-a"),
        ("acrh", None, "x-a"),
        ("origin_header", "null", "https://a.example"),
        ("origin_header", None, "https://a.example"),
        ("final_origin_header", None, "https://a.example"),
        ("status", 201, 200),
        ("status", None, 200),
        ("response_type", "basic", "cors"),
        ("response_type", None, "cors"),
        ("visible_headers.x-b", "1", "1, 2"),
        ("visible_headers.x-b", None, "1, 2"),
        ("visible_headers.x-c", "1", None),
        ("final_method", "put", "PUT"),
        ("final_method", None, "PUT"),
        ("cookie_sent", "a=b", None),
        ("sent_headers.x-a", None, "1"),
        ("sent_headers.x-c", "1", None),
        ("final_headers.x-a", "2", "1"),
        ("final_headers.x-c", "1", None),
        ("preflight_headers.x-a", "1", None),
        ("preflight_headers.accept", None, "*/*"),
        ("preflight_count", 2, 1),
        ("from_http_cache", True, False),
    ],
)
def test_wrong_value_is_a_disagreement(
    tmp_path: Path, key: str, wrong: object, got: object
) -> None:
    (found,) = disagreements(tmp_path, changed(f"expected.{key}", wrong))
    assert (found.step, found.key, found.expected, found.got) == (0, key, wrong, got)


@pytest.mark.parametrize("key", list(CASE["expected"]))
def test_absent_key_is_not_judged(tmp_path: Path, key: str) -> None:
    assert disagreements(tmp_path, changed(f"expected.{key}", "-")) == ()


def test_nothing_is_judged_where_nothing_is_expected(tmp_path: Path) -> None:
    case = changed("expected", {})
    case["server"] = {"hops": [{"url": "https://api.example/x", "preflight": {"status": 500}}]}
    assert disagreements(tmp_path, case) == ()


def test_what_never_came_is_null(tmp_path: Path) -> None:
    nothing = {
        "outcome": "network_error",
        "preflight": True,
        "origin_header": None,
        "final_origin_header": None,
        "status": None,
        "response_type": None,
        "visible_headers": {"x-b": None},
        "final_method": None,
        "cookie_sent": None,
        "sent_headers": {"x-a": None},
        "final_headers": {"x-a": None},
    }
    case = changed("expected", nothing)
    case["server"]["hops"][0]["preflight"]["status"] = 403
    assert disagreements(tmp_path, case) == ()


def test_each_step_is_judged_by_itself(tmp_path: Path) -> None:
    step = {key: CASE[key] for key in ("request", "server")}
    steps = [
        {**step, "expected": {"preflight_count": 1}},
        {**step, "expected": {"preflight_count": 1}, "wait_before_s": 1},
        {**step, "expected": {"preflight_count": 1}, "wait_before_s": 5.5},
    ]
    case = {"id": "steps", "client_origin": "https://a.example", "steps": steps}
    (found,) = disagreements(tmp_path, case)
    assert found == Disagreement(step=1, key="preflight_count", expected=1, got=0)


# The scripted server


def test_preflight_without_a_defined_answer_is_a_disagreement(tmp_path: Path) -> None:
    case = changed("server.hops.0.preflight", None)
    case["expected"] = {"outcome": "network_error", "preflight": True}
    (found,) = disagreements(tmp_path, case)
    assert found.key == "server.hops[0].preflight"
    assert (found.expected, found.got) == ("not sent", "sent")


def test_request_without_a_defined_answer_is_a_disagreement(tmp_path: Path) -> None:
    case = changed("server.hops.0.actual", "-")
    case["expected"] = {"outcome": "network_error"}
    (found,) = disagreements(tmp_path, case)
    assert found.key == "server.hops[0].actual"


def test_url_of_no_hop_is_a_network_failure_and_noted(tmp_path: Path) -> None:
    case = simple("https://api.example/y", HOP, outcome="network_error", final_method="GET")
    (loaded,) = load(written(tmp_path, case))
    result = run(loaded)
    assert result.agrees
    assert result.notes == (("no hop answers GET https://api.example/y: a network failure",),)


@pytest.mark.parametrize(
    ("requested", "scripted"),
    [
        ("https://api.example", "https://api.example/"),
        ("https://api.example/", "https://api.example"),
        ("https://API.example:443/x", "https://api.example/x"),
        ("https://api.example/x#fragment", "https://api.example/x"),
        ("https://api.example/x", "https://api.example/x#fragment"),
        ("https://api.example/a b", "https://api.example/a%20b"),
    ],
)
def test_hops_are_matched_by_what_a_url_means(
    tmp_path: Path, requested: str, scripted: str
) -> None:
    case = simple(requested, {"url": scripted, "actual": answer()}, outcome="success")
    assert disagreements(tmp_path, case) == ()


def test_hop_with_another_query_does_not_answer(tmp_path: Path) -> None:
    hop = {"url": "https://api.example/x?b", "actual": answer()}
    case = simple("https://api.example/x?a", hop, outcome="network_error")
    assert disagreements(tmp_path, case) == ()


def test_hop_whose_url_does_not_parse_answers_nothing(tmp_path: Path) -> None:
    hop = {"url": "https://", "actual": answer()}
    case = simple("https://api.example/x", hop, outcome="network_error")
    assert disagreements(tmp_path, case) == ()


def test_second_visit_of_a_url_goes_to_its_second_hop(tmp_path: Path) -> None:
    one, two = "https://api.example/1", "https://api.example/2"
    hops = [
        {"url": one, "actual": answer(["Location", two], status=302)},
        {"url": two, "actual": answer(["Location", one], status=302)},
        {"url": one, "actual": answer(status=201)},
    ]
    assert disagreements(tmp_path, simple(one, *hops, outcome="success", status=201)) == ()


def test_preflight_and_request_share_a_hop(tmp_path: Path) -> None:
    url = HOP["url"]
    moved = {**HOP, "actual": answer(["Location", url], status=307)}
    case = changed("server.hops", [moved, {**HOP, "actual": answer(status=201)}])
    # The preflight cache has the permission for the second visit, to the very same URL.
    case["expected"] = {"status": 201, "preflight_count": 1}
    assert disagreements(tmp_path, case) == ()


def test_loop_of_redirects_needs_one_hop(tmp_path: Path) -> None:
    url = "https://api.example/x"
    hop = {"url": url, "actual": answer(["Location", url], status=302)}
    (loaded,) = load(written(tmp_path, simple(url, hop, outcome="network_error")))
    assert run(loaded).notes == ((),)
    assert run(loaded).agrees


def test_placeholder_may_be_part_of_a_value(tmp_path: Path) -> None:
    case = changed("server.hops.0.preflight.headers.2.1", "x-0, $ACRH")
    assert disagreements(tmp_path, case) == ()


@pytest.mark.parametrize("value", ["$ACRM", "a$ACRH", "$ORIGIN $ACRM"])
def test_line_with_a_placeholder_for_an_absent_header_is_left_out(
    tmp_path: Path, value: str
) -> None:
    url = "https://api.example/x"
    exposed = ["Access-Control-Expose-Headers", "*"]
    hop = {"url": url, "actual": answer(exposed, ["X-B", value], ["X-C", "$ORIGIN"])}
    readable = {"x-b": None, "x-c": "https://a.example"}
    assert disagreements(tmp_path, simple(url, hop, visible_headers=readable)) == ()


def test_other_dollars_are_left_alone(tmp_path: Path) -> None:
    url = "https://api.example/x"
    hop = {"url": url, "actual": answer(["Pragma", "$5 $origin \\1"])}
    readable = {"pragma": "$5 $origin \\1"}
    assert disagreements(tmp_path, simple(url, hop, visible_headers=readable)) == ()


def test_space_and_tab_are_stripped_and_nothing_else(tmp_path: Path) -> None:
    url = "https://api.example/x"
    hop = {"url": url, "actual": answer(["Pragma", " \t\x0b1\x0c\t"])}
    assert disagreements(tmp_path, simple(url, hop, visible_headers={"pragma": "\x0b1\x0c"})) == ()


def test_strings_are_isomorphic_decodings(tmp_path: Path) -> None:
    url = "https://api.example/x"
    hop = {"url": url, "actual": answer(["Pragma", "\xff"])}
    assert disagreements(tmp_path, simple(url, hop, visible_headers={"pragma": "\xff"})) == ()


# Malformed files


@pytest.mark.parametrize(
    ("path", "value", "key", "problem"),
    [
        ("id", "-", "id", "missing"),
        ("id", 5, "id", "seen 5: Expected `str`"),
        ("id", "", "id", "length >= 1"),
        ("client_origin", "-", "client_origin", "missing"),
        ("client_origin", "https://a.example/", "client_origin", "no serialized origin"),
        ("client_origin", "https://a.example:443", "client_origin", "expected https://a.example"),
        ("client_origin", "https://A.example", "client_origin", "no serialized origin"),
        ("client_origin", "https://1", "client_origin", "expected https://0.0.0.1"),
        ("client_origin", "https://a.example:99999", "client_origin", "host or port"),
        ("client_origin", "*", "client_origin", "no serialized origin"),
        ("clientorigin", "null", "clientorigin", "unknown; expected one of id, client_origin"),
        ("request", "-", "request", "missing"),
        ("server", "-", "server", "missing"),
        ("expected", "-", "expected", "missing"),
        ("steps", [], "request", "stands beside `steps`"),
        ("request.url", "-", "request.url", "missing"),
        ("request.hedaers", [], "request.hedaers", "expected one of url, method, headers"),
        ("request.method", None, "request.method", "seen null: Expected `str`"),
        ("request.method", "\u0100", "request.method", "no character above U+00FF"),
        ("request.body", "\u20ac", "request.body", 'seen "\\u20ac"; expected no character'),
        ("request.headers", {"a": "b"}, "request.headers", "Expected `array`, got `object`"),
        ("request.headers", [["a"]], "request.headers[0]", "length 2, got 1"),
        ("request.headers", [["a", "\u0100"]], "request.headers[0][1]", "U+00FF"),
        ("request.mode", "navigate", "request.mode", '"cors", "no-cors", "same-origin"'),
        ("request.credentials", "", "request.credentials", '"omit", "same-origin", "include"'),
        ("request.redirect", 5, "request.redirect", '"follow", "error", "manual"'),
        ("request.referrer_policy", "x", "request.referrer_policy", '"no-referrer"'),
        ("request.use_cors_preflight", 1, "request.use_cors_preflight", "Expected `bool`"),
        ("server.hops", None, "server.hops", "Expected `array`"),
        ("server.hops.0.url", "-", "server.hops[0].url", "missing"),
        ("server.hops.0.actaul", {}, "server.hops[0].actaul", "url, preflight, actual"),
        ("server.hops.0.actual.status", 99, "server.hops[0].actual.status", ">= 100"),
        ("server.hops.0.actual.status", 1000, "server.hops[0].actual.status", "<= 999"),
        ("server.hops.0.actual.status", True, "server.hops[0].actual.status", "got `bool`"),
        ("server.hops.0.actual.code", 1, "server.hops[0].actual.code", "status, headers, body"),
        ("expected.outcome", "maybe", "expected.outcome", '"success", "network_error"'),
        ("expected.outcome", None, "expected.outcome", "seen null"),
        ("expected.response_type", "error", "expected.response_type", '"basic", "cors"'),
        ("expected.preflihgt", True, "expected.preflihgt", "unknown; expected one of outcome"),
        ("expected.preflight", "yes", "expected.preflight", "Expected `bool`"),
        ("expected.preflight_count", -1, "expected.preflight_count", ">= 0"),
        ("expected.visible_headers", {"a": 5}, "expected.visible_headers.a", "seen 5"),
        ("expected.visible_headers", {"mode": 5}, "expected.visible_headers.mode", "str | null"),
        ("expected.sent_headers", {"\u0100": ""}, "expected.sent_headers", "U+00FF"),
        ("expected.a - at `$`", 1, "expected.a - at `$`", "unknown"),
        ("request.\ud800", 1, '"\\ud800"', "lone surrogate"),
    ],
)
def test_malformed_case_is_named_with_its_key(
    tmp_path: Path, path: str, value: object, key: str, problem: str
) -> None:
    file = written(tmp_path, simple("https://api.example/"), changed(path, value))
    with pytest.raises(MalformedCaseFile) as caught:
        load(file)
    name = {"-": "number 2", 5: "number 2", "": '""'}[value] if path == "id" else '"put"'
    assert (caught.value.path, caught.value.case, caught.value.key) == (file, name, key)
    assert problem in caught.value.problem
    assert str(caught.value) == f"{file}: case {name}: key {key}: {caught.value.problem}"


@pytest.mark.parametrize(
    ("step", "key"),
    [
        ({"wait_before_s": -1}, "steps[1].wait_before_s"),
        ({"wait_before_s": 1e12}, "steps[1].wait_before_s"),
        ({"wait": 1}, "steps[1].wait"),
        ({"request": {"url": "https://a.example/", "mode": 5}}, "steps[1].request.mode"),
        ({"client_origin": "null"}, "steps[1].client_origin"),
    ],
)
def test_malformed_step_is_named(tmp_path: Path, step: dict[str, Any], key: str) -> None:
    good = {"request": CASE["request"], "server": CASE["server"], "expected": {}}
    case = {"id": "s", "client_origin": "null", "steps": [good, {**good, **step}]}
    with pytest.raises(MalformedCaseFile) as caught:
        load(written(tmp_path, case))
    assert caught.value.key == key


def test_steps_need_a_step(tmp_path: Path) -> None:
    case = {"id": "s", "client_origin": "null", "steps": []}
    with pytest.raises(MalformedCaseFile, match=r"key steps: seen \[\]"):
        load(written(tmp_path, case))


def test_case_needs_a_request_or_steps(tmp_path: Path) -> None:
    case = {"id": "s", "client_origin": "null"}
    with pytest.raises(MalformedCaseFile, match="`request`, `server` and `expected`, or `steps`"):
        load(written(tmp_path, case))


def test_null_stands_for_the_keys_that_a_case_has_no_use_for(tmp_path: Path) -> None:
    step = {key: CASE[key] for key in ("request", "server", "expected")}
    unused = dict.fromkeys(step)
    stepped = {"id": "s", "client_origin": "https://a.example", "steps": [step], **unused}
    assert disagreements(tmp_path, stepped) == ()
    assert disagreements(tmp_path, {**CASE, "steps": None}) == ()


def test_duplicate_id_is_named(tmp_path: Path) -> None:
    with pytest.raises(MalformedCaseFile, match='case "put": key id: seen twice'):
        load(written(tmp_path, CASE, CASE))


def test_case_that_is_no_object_is_named_by_its_position(tmp_path: Path) -> None:
    with pytest.raises(MalformedCaseFile, match="case number 2: seen 5: Expected `object`"):
        load(written(tmp_path, CASE, 5))


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        (b'{"cases": [\n  {"id":}]}', "no JSON: line 2, column 9: "),
        (b"", "no JSON: line 1, column 1: "),
        (b'{"cases": [NaN]}', "NaN is no JSON number"),
        (b'{"cases": [], "cases": []}', 'the key "cases" stands twice'),
        (b"[" * 100_000, "nested too deeply"),
        (b'{"cases": "\xff"}', "no UTF-8: byte 0xFF at offset 11"),
        (b"[]", "Expected `object`, got `array`"),
        (b'{"cases": []}', "key cases: seen []: Expected `array` of length >= 1"),
        (b'{"cases": {}}', "key cases: seen {}: Expected `array`"),
        (b'{"meta": {}}', "key cases: missing"),
        (b'{"case": [1], "cases": [1]}', "key case: unknown; expected one of cases, meta"),
    ],
)
def test_malformed_file_is_told(tmp_path: Path, content: bytes, problem: str) -> None:
    path = tmp_path / "cases.json"
    path.write_bytes(content)
    with pytest.raises(MalformedCaseFile) as caught:
        load(path)
    assert problem in str(caught.value)
    assert str(caught.value).startswith(f"{path}: ")
    assert caught.value.case is None


def test_long_values_are_cut_in_messages(tmp_path: Path) -> None:
    with pytest.raises(MalformedCaseFile) as caught:
        load(written(tmp_path, changed("request.mode", "x" * 1000)))
    assert len(caught.value.problem) < 200


def test_file_that_is_not_there_is_told(tmp_path: Path) -> None:
    with pytest.raises(MalformedCaseFile, match="cannot be read: No such file"):
        load(tmp_path / "none.json")


def test_byte_order_mark_is_no_fault(tmp_path: Path) -> None:
    path = tmp_path / "cases.json"
    path.write_text(json.dumps({"cases": [CASE]}), encoding="utf-8-sig")
    assert len(load(path)) == 1


# The command


def test_command_counts_agreements(tmp_path: Path) -> None:
    assert command([written(tmp_path, CASE)]) == (0, "1 agree, 0 disagree\n")


def test_command_adds_up_files(tmp_path: Path) -> None:
    one = written(tmp_path, CASE, name="one.json")
    two = written(tmp_path, CASE, {**CASE, "id": "other"}, name="two.json")
    assert command([one, two]) == (0, "3 agree, 0 disagree\n")


def test_command_prints_a_line_per_disagreement_and_the_steps_once(tmp_path: Path) -> None:
    case = changed("expected.status", 404)
    case["expected"]["acrm"] = None
    path = written(tmp_path, case)
    status, output = command([path])
    lines = output.splitlines()
    assert status == 1
    assert lines[0] == f'{path}: put: acrm: expected null, got "PUT"'
    assert f"{path}: put: status: expected 404, got 200" in lines
    assert lines[-1] == "0 agree, 1 disagree"
    steps = [line for line in lines if line.startswith("    ")]
    assert len(lines) == len(steps) + 3
    assert len(set(steps)) == len(steps)
    assert all("https://fetch.spec.whatwg.org/#" in step for step in steps)
    assert any("#concept-cors-check" in step for step in steps)


def test_command_says_which_step_disagrees(tmp_path: Path) -> None:
    step = {"request": CASE["request"], "server": CASE["server"], "expected": {"status": 404}}
    case = {"id": "s", "client_origin": "https://a.example", "steps": [step, step]}
    _, output = command([written(tmp_path, case)])
    assert ": s: step 1: status: expected 404, got 200\n" in output
    assert ": s: step 2: status: expected 404, got 200\n" in output


def test_command_mentions_requests_that_no_hop_answers(tmp_path: Path) -> None:
    _, output = command([written(tmp_path, simple("https://b.example/", outcome="success"))])
    assert "    no hop answers GET https://b.example/: a network failure\n" in output


def test_command_tells_what_is_malformed_and_runs_the_rest(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    modeless = {**changed("request.mode", "x"), "id": "modeless"}
    file = written(tmp_path, CASE, modeless, CASE, {**changed("expected.status", 4), "id": "wrong"})
    missing = tmp_path / "missing.json"
    result = tmp_path / "out.json"
    status, output = command([file, missing], result)
    assert status == 2
    assert output.endswith("\n1 agree, 1 disagree\n")
    modes = '"cors", "no-cors", "same-origin"'
    told = [
        f'{file}: case "modeless": key request.mode: seen "x"; expected one of {modes}',
        f'{file}: case "put": key id: seen twice in this file; expected an id of its own',
        f"{missing}: cannot be read: No such file or directory",
    ]
    complaints = capsys.readouterr().err.splitlines()
    lines = [*told, "3 malformed, see above"]
    assert complaints == [f"cors-conformance cases: {line}" for line in lines]
    document = json.loads(result.read_bytes())
    assert document["malformed"] == told
    assert [each["id"] for each in document["cases"]] == ["put", "wrong"]


def test_command_sums_up_nothing_where_there_is_no_case(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = written(tmp_path, changed("request.mode", "x"))
    result = tmp_path / "out.json"
    assert command([file], result) == (2, "")
    assert 'case "put": key request.mode' in capsys.readouterr().err
    assert not result.exists()


def test_command_without_files_is_an_error(capsys: pytest.CaptureFixture[str]) -> None:
    assert command([]) == (2, "")
    assert "no case files" in capsys.readouterr().err


def test_command_writes_json(tmp_path: Path) -> None:
    path = written(tmp_path, CASE, {**changed("expected.status", 404), "id": "wrong"})
    result = tmp_path / "out.json"
    status, _ = command([path], result)
    document = json.loads(result.read_bytes())
    assert status == 1
    assert document["summary"] == {"agree": 1, "disagree": 1}
    right, wrong = document["cases"]
    assert (right["id"], right["file"], right["agrees"]) == ("put", str(path), True)
    assert right["disagreements"] == []
    assert wrong["agrees"] is False
    assert wrong["disagreements"] == [{"step": 0, "key": "status", "expected": 404, "got": 200}]
    assert wrong["steps"] == right["steps"] != []
    assert {step["step"] for step in right["steps"]} == {0}
    assert all(step["anchor"].startswith("#") and step["text"] for step in right["steps"])


def test_command_tells_that_json_cannot_be_written(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    status, output = command([written(tmp_path, CASE)], tmp_path / "none" / "out.json")
    assert (status, output) == (2, "1 agree, 0 disagree\n")
    assert "cannot be written" in capsys.readouterr().err


HOSTILE: Final = "\x1b]0;title\x07\x1b[31m[red]x[/red]\x9b\r\n\u202e\x7f"


@pytest.mark.parametrize(
    "case",
    [
        {**changed("expected.status", 404), "id": HOSTILE},
        changed("expected.origin_header", HOSTILE[:-2]),
        changed("expected.visible_headers", {HOSTILE[:-2]: "1"}),
        changed("server.hops.0.actual.headers", [["Access-Control-Allow-Origin", HOSTILE[:-2]]]),
        simple("https://b.example/" + HOSTILE, outcome="success"),
        {**CASE, "id": HOSTILE, "bogus": 1},
        changed(f"request.{HOSTILE}", 1),
        changed("client_origin", HOSTILE),
    ],
)
def test_control_characters_of_a_file_do_not_reach_the_terminal(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], case: object
) -> None:
    output = io.StringIO()
    terminal = Console(file=output, force_terminal=True, color_system="truecolor")
    assert cases_command.main([written(tmp_path, case)], None, terminal) != 0
    shown = output.getvalue() + capsys.readouterr().err
    assert [character for character in shown if not character.isprintable()] == [
        "\n"
    ] * shown.count("\n")


def test_markup_of_a_file_is_shown_as_it_is(tmp_path: Path) -> None:
    case = {**changed("expected.status", 404), "id": "[bold]loud[/bold] :smile:"}
    _, output = command([written(tmp_path, case)])
    assert ": [bold]loud[/bold] :smile:: status: " in output


@pytest.mark.parametrize(("terminal", "has_progress"), [(True, True), (False, False)])
def test_progress_is_shown_on_a_terminal_only(
    tmp_path: Path, *, terminal: bool, has_progress: bool
) -> None:
    cases = [{**CASE, "id": f"{number}"} for number in range(250)]
    output = io.StringIO()
    console = Console(file=output, force_terminal=terminal)
    assert cases_command.main([written(tmp_path, *cases)], None, console) == 0
    shown = output.getvalue()
    assert ("100%" in shown) is has_progress
    assert shown.endswith("250 agree, 0 disagree\n")


def test_fault_of_the_browser_names_the_case(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(_: Case) -> Callable[[], None]:
        message = "the browser fell over"
        raise RuntimeError(message)

    monkeypatch.setattr(cases_command, "run", fail)
    path = written(tmp_path, CASE)
    with pytest.raises(RuntimeError, match="fell over") as caught:
        command([path])
    assert caught.value.__notes__ == [f"while running case put of {path}"]
