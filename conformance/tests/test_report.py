"""Reports: complete, copyable, and deaf to what an implementation has to say to the terminal."""

import json
import shlex
import subprocess
import sys
from dataclasses import replace
from io import StringIO
from typing import Any, Final

import pytest
from rich.console import Console

from cors_conformance.application import ApplicationResponse
from cors_conformance.baseline import Entry, judge
from cors_conformance.calls import CALLS
from cors_conformance.fetch.http import HTTPRequest, HTTPResponse
from cors_conformance.fetch.steps import Step
from cors_conformance.findings import Finding, Report, RuleResult, Status
from cors_conformance.grant import granted
from cors_conformance.implementation import Application, Capability, Implementation
from cors_conformance.policy import Policy
from cors_conformance.replay import decode
from cors_conformance.report import json as json_report
from cors_conformance.report.curl import curl
from cors_conformance.report.escape import printable, wire
from cors_conformance.report.javascript import fetch_call
from cors_conformance.report.text import finding_lines, header_line, plain, summary_lines
from cors_conformance.rules import RULES
from cors_conformance.scenario import ASGICall, Batch, Journey, RawRequest, Visit, Wait
from cors_conformance.servers.base import Reply
from cors_conformance.subjects import Source
from cors_conformance.world import Sent

HOSTILE: Final = b"\x1b[2J\x07\xff[bold red]\\\r\n"
NASTY: Final = HOSTILE.decode("latin-1") + "\N{RIGHT-TO-LEFT OVERRIDE}\x9b1m\udc80"
POLICY: Final = Policy(allow_origins=("https://a.example",), max_age=5)
VISIT: Final = Visit(origin="https://a.example", method=b"PUT", headers=((b"X-A", b"1"),))


def unchanged(app: Application, policy: Policy) -> Application:
    return app


THING: Final = Implementation(name="thing", interface="asgi", version="1.5", wrap=unchanged)


def sent(
    *, url: str = "https://api.example/p?q", failure: str | None = None, body: bytes = b"b" * 1000
) -> Sent:
    response = HTTPResponse(status=200, headers=((b"x-evil", HOSTILE),), body=body)
    return Sent(
        request=HTTPRequest(method=b"PUT", url=url, headers=((b"x-a", b"1"),), body=b"page"),
        application=ApplicationResponse(),
        reply=Reply(response=None if failure else response, failure=failure),
    )


def finding(source: Source = VISIT, *log: Sent, message: str = "seen") -> Finding:
    return Finding(
        rule=RULES["live-simple"],
        message=message,
        policy=POLICY,
        source=source,
        wire=log,
        steps=(Step("#concept-cors-check", "CORS check: failed"),),
        grant=granted("it is so"),
    )


def told(source: Source = VISIT, *log: Sent, message: str = "seen") -> str:
    return plain(finding_lines(finding(source, *log, message=message), THING))


def report(*results: RuleResult) -> Report:
    return Report(
        implementation=replace(THING, lacks={Capability.ASGI: "it has none"}),
        profile="default",
        seed=None,
        results=results,
        policies=3,
        exchanges=4,
        refused=((POLICY, f"no {NASTY}"), (Policy(), f"no {NASTY}")),
        died=((POLICY, "signal 11"),),
        inexpressible=(("it has no origins", 2),),
    )


def result(rule: str, status: Status, reason: str = "") -> RuleResult:
    return RuleResult(
        rule=RULES[rule],
        status=status,
        reason=reason,
        finding=finding(VISIT, sent()) if status is Status.FAILED else None,
    )


def is_safe(text: str) -> bool:
    return all(char.isprintable() or char == "\n" for char in text)


def test_finding_says_what_and_where_it_is_written() -> None:
    rule = RULES["live-simple"]
    lines = told().splitlines()
    assert lines[0] == f"MUST live-simple: {rule.statement}"
    assert lines[1].strip() == rule.link


def test_finding_has_the_policy_as_keyword_arguments() -> None:
    arguments = told().partition("policy:\n")[2].partition("  a page of")[0]
    assert eval(f"dict({arguments})") == POLICY.parameters()  # noqa: S307 - of this test


def test_finding_has_the_request_as_javascript() -> None:
    assert 'fetch("https://api.example/", {' in told()


def test_finding_has_the_wire_in_order() -> None:
    text = told(VISIT, sent(), sent(failure="reset"))
    order = [text.index(part) for part in ("> PUT /p?q HTTP/1.1", "< 200 OK", "! reset")]
    assert order == sorted(order)


def test_finding_has_steps_with_anchors_and_the_grant() -> None:
    text = told()
    assert "CORS check: failed (https://fetch.spec.whatwg.org/#concept-cors-check)" in text
    assert "granted: it is so" in text


def test_finding_has_a_command_that_does_it_again() -> None:
    line = next(line for line in told().splitlines() if "--replay" in line)
    *command, token = shlex.split(line)
    assert command == ["cors-conformance", "run", "thing", "--replay"]
    assert decode(token) == (RULES["live-simple"], POLICY, VISIT)


def test_a_finding_too_large_for_a_command_line_names_its_rule() -> None:
    # What does not compress: every header line is another one.
    lines = tuple((f"x-{i * 7919 % 99991}".encode(), f"{i**5}".encode()) for i in range(9999))
    text = told(RawRequest(method=b"GET", headers=lines))
    assert "cors-conformance run thing --rule live-simple" in text
    assert "more lines" in text


def test_a_name_with_spaces_is_quoted() -> None:
    lines = finding_lines(finding(), replace(THING, name="my thing"))
    assert "run 'my thing' --replay" in plain(lines)


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        (replace(VISIT, origin="null"), ["a page of a sandbox, of origin null"]),
        (
            replace(
                VISIT,
                application=ApplicationResponse(
                    status=404, headers=((b"vary", b"x"),), body=(b"1", b"2"), raises="after start"
                ),
            ),
            ["answers 404 in 2 chunks, and raises after start", "vary: x"],
        ),
        (
            RawRequest(method=b"GET", target=b"/x", headers=((b"origin", b"a"),), body=b"hi"),
            ["a request by hand", "GET /x HTTP/1.1", "origin: a", "hi"],
        ),
        (
            Journey(steps=(VISIT, Wait(seconds=5), VISIT)),
            ["1. a page of https://a.example", "2. 5 seconds pass", "3. a page of"],
        ),
        (
            Batch(
                origins=("https://a.example", "null"),
                methods=(b"GET",),
                header_sets=((), ((b"x-a", b"1"),)),
                credentials=("omit",),
                applications=(ApplicationResponse(),),
                hostile=(RawRequest(method=b"GET", headers=()),),
            ),
            ["pages of: https://a.example, null", "headers: x-a: 1", "requests by hand: 1"],
        ),
    ],
)
def test_each_kind_of_source_is_told(source: Source, expected: list[str]) -> None:
    text = told(source)
    assert [part for part in expected if part not in text] == []


@pytest.mark.parametrize("call", CALLS, ids=lambda call: call.name)
def test_each_asgi_call_is_told_without_a_wire(call: ASGICall) -> None:
    text = told(call)
    assert f"an ASGI call: {call.name}" in text
    assert "on the wire" not in text


def test_a_visit_that_sent_nothing_says_so() -> None:
    assert "on the wire:\n    nothing" in told()


def test_a_body_that_is_empty_is_not_shown() -> None:
    assert "\n    <\n" not in told(VISIT, sent(body=b""))


def test_long_wires_are_counted() -> None:
    log = (sent(url="https://api.example/first"), *(sent(),) * 18, sent(failure="the last one"))
    text = told(VISIT, *log)
    order = ["> PUT /first", "(8 exchanges are left out here)", "! the last one"]
    assert sorted(order, key=text.index) == order


def test_the_last_requests_have_commands() -> None:
    log = [sent(url=f"https://api.example/{name}") for name in "abcda"]
    lines = [line.strip() for line in told(VISIT, *log).splitlines()]
    commands = [line for line in lines if line.startswith("curl ")]
    assert [command.split()[4] for command in commands] == ['"$URL"/c', '"$URL"/d', '"$URL"/a']


def test_long_values_are_cut_with_a_note() -> None:
    assert "... (cut: 1000 bytes)" in told(VISIT, sent())


@pytest.mark.parametrize(
    "source",
    [
        replace(VISIT, headers=((b"x-a", HOSTILE),), body=HOSTILE, path="/\x1b[2J\x9b"),
        RawRequest(method=HOSTILE, target=HOSTILE, headers=((HOSTILE, HOSTILE),), body=HOSTILE),
    ],
)
def test_hostile_bytes_are_escaped(source: Source) -> None:
    hostile = sent(url=f"https://api.example/{NASTY}", failure=NASTY)
    text = told(source, sent(), hostile, message=NASTY)
    assert "x-evil: \\x1b[2J\\x07\\xff[bold red]\\\\\\x0d\\x0a" in text
    assert is_safe(text)


def test_colours_are_the_only_escapes_on_a_terminal() -> None:
    out = StringIO()
    console = Console(file=out, force_terminal=True, color_system="truecolor")
    for line in finding_lines(finding(VISIT, sent(), message=NASTY), THING):
        console.print(line, soft_wrap=True, highlight=False)
    text = out.getvalue()
    assert "\x1b[1" in text
    assert "\x1b[2J" not in text
    assert "\x07" not in text
    assert "[bold red]" in text


def test_summary_prints_all_that_is_not_a_finding() -> None:
    entry = Entry(rule="live-simple", implementation="thing", versions="", reason="As is known.")
    judgement = judge(
        report(
            result("live-simple", Status.FAILED),
            result("safe-null", Status.FOLLOWS, "live-simple never holds"),
            result("safe-method", Status.NOT_TESTED, "it has none"),
            result("safe-header", Status.NOT_TESTED, "it has none"),
            result("safe-expose", Status.PASSED),
        ),
        [entry],
    )
    text = plain(summary_lines(judgement))
    assert is_safe(text)
    for line in (
        "  live-simple: As is known.",
        "  safe-null: live-simple never holds",
        "  safe-method, safe-header: it has none",
        '; the first: allow_origins=["https://a.example"], max_age=5',
        "  1 x signal 11",
        "  it has no origins (2 times)",
        "thing 1.5: 1 passed, 0 failed, 1 known, 1 follows, 2 not tested; 3 policies",
    ):
        assert line in text


def test_summary_tells_what_to_remove_from_the_baseline() -> None:
    entry = Entry(rule="safe-null", implementation="thing", versions="", reason="So it was.")
    judgement = judge(report(result("safe-null", Status.PASSED)), [entry])
    expected = "no longer fails; remove it from the baseline:\n  safe-null: So it was."
    assert expected in plain(summary_lines(judgement))


def test_header_names_version_profile_seed_and_rules() -> None:
    assert header_line(THING, "long", 7, 1).plain == (
        "thing 1.5 (Python, asgi), profile long with seed 7, 1 rule"
    )


def test_json_has_what_was_tried_as_python_writes_it() -> None:
    nan: Any = float("nan")
    tried = replace(POLICY, max_age=nan)
    failed = result("live-simple", Status.FAILED)
    assert failed.finding is not None
    failed = replace(failed, finding=replace(failed.finding, tried=tried))
    text = json_report.dumps([json_report.run(judge(report(failed)))])
    (found,) = json.loads(text)["runs"][0]["findings"]
    assert found["policy"] == POLICY.parameters()
    assert found["tried"]["max_age"] == "nan"


def test_json_document_is_complete() -> None:
    judgement = judge(
        report(result("live-simple", Status.FAILED), result("safe-null", Status.NOT_TESTED, "no"))
    )
    text = json_report.dumps([json_report.run(judgement)])
    assert is_safe(text)
    document = json.loads(text)
    assert document["schema"] == 1
    (run,) = document["runs"]
    assert run["implementation"]["lacks"]["asgi"] == "it has none"
    assert run["counts"]["failed"] == 1
    assert [(rule["id"], rule["verdict"], rule["reason"]) for rule in run["rules"]] == [
        ("live-simple", "failed", ""),
        ("safe-null", "not tested", "no"),
    ]
    (found,) = run["findings"]
    assert found["policy"] == POLICY.parameters()
    assert found["tried"] is None
    assert found["source"]["kind"] == "visit"
    assert found["wire"][0]["response"]["headers"] == [["x-evil", HOSTILE.decode("latin-1")]]
    assert found["grant"] == {"verdict": "granted", "reason": "it is so"}
    assert decode(found["token"])[2] == VISIT
    assert run["inexpressible"] == [{"reason": "it has no origins", "count": 2}]


def test_fetch_writes_out_what_decides() -> None:
    visit = Visit(
        origin="https://a.example",
        method=b"PUT",
        headers=((b"X-A", b'"\\\xff'),),
        mode="same-origin",
        credentials="include",
        redirect="manual",
        body=b"page",
        use_cors_preflight=True,
    )
    assert list(fetch_call(visit)) == [
        'fetch("https://api.example/", {',
        '  method: "PUT",',
        "  headers: [",
        '    ["X-A", "\\"\\\\\\u00ff"],',
        "  ],",
        '  mode: "same-origin",',
        '  credentials: "include",',
        '  redirect: "manual",',
        '  body: "page",',
        "  // as an upload with progress listeners, which is always preflighted",
        "})",
    ]


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        (b"\xff\x00", "new Uint8Array([255, 0])"),
        (b"\xff" * 40, "255 /* cut: 40 bytes */])"),
        (b"a" * 500, 'a" /* cut: 500 characters */'),
    ],
)
def test_bodies_are_javascript(body: bytes, expected: str) -> None:
    visit = Visit(origin="null", method=b"POST", body=body)
    assert expected in "\n".join(fetch_call(visit))


def arguments(command: str) -> list[str]:
    """What a shell makes of it."""
    program = "import json, sys; print(json.dumps(sys.argv[1:]))"
    script = command.replace("curl", f"{shlex.quote(sys.executable)} -c {shlex.quote(program)}", 1)
    ran = subprocess.run(
        ["/bin/sh", "-c", script], env={"URL": "http://h"}, capture_output=True, check=True
    )
    words: list[str] = json.loads(ran.stdout)
    return words


@pytest.mark.parametrize(
    ("request_", "expected"),
    [
        (HTTPRequest(method=b"GET", url="https://api.example/"), ["-i", "http://h/"]),
        (HTTPRequest(method=b"HEAD", url="https://api.example"), ["-i", "--head", "http://h/"]),
        (
            HTTPRequest(
                method=b"OPTIONS",
                url="https://api.example/a?b=['$x`]",
                headers=((b"Origin", b"a'b \"$c"), (b"x-empty", b"")),
            ),
            [
                *("-i", "-X", "OPTIONS", "--globoff", "http://h/a?b=['$x`]"),
                *("-H", "Origin: a'b \"$c", "-H", "x-empty;"),
            ],
        ),
        (
            HTTPRequest(method=b"POST", url="https://api.example/", body=b"@page"),
            [*("-i", "-X", "POST", "http://h/"), *("-H", "Content-Type:"), "--data-raw", "@page"],
        ),
        (
            HTTPRequest(
                method=b"GET",
                url="https://api.example/",
                headers=((b"Content-Type", b"a/b"),),
                body=b"x",
            ),
            ["-i", "-X", "GET", "http://h/", "-H", "Content-Type: a/b", "--data-raw", "x"],
        ),
    ],
)
def test_curl_survives_the_shell(request_: HTTPRequest, expected: list[str]) -> None:
    command = curl(request_)
    assert command is not None
    assert arguments(command) == expected


@pytest.mark.parametrize("value", [b"\x00", b"\xff", b"a\n", b"a" * 3000])
def test_what_a_shell_line_cannot_carry_has_no_curl(value: bytes) -> None:
    headers = ((b"origin", value),)
    assert curl(HTTPRequest(method=b"GET", url="https://api.example/", headers=headers)) is None


def test_printable_text_stays_and_the_rest_is_escaped() -> None:
    assert printable("a\\b é \x1b\u202e\ud800") == "a\\b é \\x1b\\u202e\\ud800"


def test_bytes_are_told_apart_from_their_escapes() -> None:
    assert wire(b"\\x00\x00") == "\\\\x00\\x00"
