"""One cause is one finding: a rule does not speak where what it depends on is broken as well."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any, Final

import pytest
from hypothesis import settings

from cors_conformance.application import ApplicationResponse
from cors_conformance.findings import Report, Status
from cors_conformance.grounds import gone
from cors_conformance.implementation import Application, Implementation
from cors_conformance.mutants import MUTANTS
from cors_conformance.policy import Policy
from cors_conformance.profiles import PROFILES
from cors_conformance.rules import RULES, select
from cors_conformance.run import Run
from cors_conformance.scenario import Journey, RawRequest, Visit
from cors_conformance.world import World
from cors_reference import CORSMiddleware

# Whole runs, which tests of rules trace.
pytestmark = pytest.mark.usefixtures("untraced")

TWO: Final = Policy(
    allow_origins=("https://a.example", "https://b.example"), allow_methods=("GET", "PUT")
)


def without_b(app: Application, policy: Policy) -> Application:
    """Forgets one of its origins."""
    origins = tuple(origin for origin in policy.allow_origins if "b.example" not in origin)
    parameters: dict[str, Any] = dict(replace(policy, allow_origins=origins).parameters())
    return CORSMiddleware(app, **parameters)


def without_b_and_put(app: Application, policy: Policy) -> Application:
    """Forgets one of its origins, and PUT for all."""
    methods = tuple(method for method in policy.allow_methods if method != "PUT")
    return without_b(app, replace(policy, allow_methods=methods))


# So many that each page meets each status, whatever the draws are.
THOROUGH: Final = replace(
    PROFILES["quick"], random=settings(PROFILES["quick"].random, max_examples=60)
)


def report(wrap: Callable[[Application, Policy], Application], *globs: str) -> Report:
    return Run(
        implementation=Implementation(name="tiny", interface="asgi", wrap=wrap),
        rules=select(globs),
        profile=THOROUGH,
        policy=TWO,
    ).report()


def statuses(found: Report) -> dict[str, Status]:
    return {result.rule.id: result.status for result in found.results}


LIVE: Final = ("live-simple", "live-preflight", "live-error-readable")


def test_an_origin_that_gets_nothing_is_one_finding() -> None:
    found = report(without_b, *LIVE)
    assert statuses(found) == {
        "live-simple": Status.FAILED,
        "live-preflight": Status.FOLLOWS,
        "live-error-readable": Status.FOLLOWS,
    }
    reasons = {result.rule.id: result.reason for result in found.results}
    assert reasons["live-preflight"] == "live-simple does not hold there either"


def test_what_fails_for_other_pages_as_well_is_a_finding_of_its_own() -> None:
    found = report(without_b_and_put, *LIVE)
    assert statuses(found) == {
        "live-simple": Status.FAILED,
        "live-preflight": Status.FAILED,
        "live-error-readable": Status.FOLLOWS,
    }
    (preflight,) = [each for each in found.findings if each.rule.id == "live-preflight"]
    assert isinstance(preflight.source, Visit)
    assert preflight.source.origin == "https://a.example"


def test_what_it_depends_on_must_be_judged_as_well() -> None:
    assert statuses(report(without_b, "live-preflight")) == {"live-preflight": Status.FAILED}


def test_an_origin_that_is_let_in_by_mistake_is_one_finding() -> None:
    found = Run(
        implementation=MUTANTS["any-origin-reflected"].implementation,
        rules=select(["safe-origin-simple", "safe-acao-closed", "safe-error-paths"]),
        profile=PROFILES["quick"],
    ).report()
    assert statuses(found) == {
        "safe-origin-simple": Status.FAILED,
        "safe-acao-closed": Status.FOLLOWS,
        "safe-error-paths": Status.FOLLOWS,
    }


def by_prefix(app: Application, policy: Policy) -> Application:
    """Allows what begins like an allowed origin, and sees to nothing else."""

    async def outer(scope: Any, receive: Any, send: Any) -> None:
        origin = dict(scope["headers"]).get(b"origin", b"")
        allowed = [item for item in policy.allow_origins if origin.startswith(item.encode())]

        async def name(message: Any) -> None:
            if message["type"] == "http.response.start" and allowed:
                line = (b"access-control-allow-origin", origin)
                message = {**message, "headers": [*message["headers"], line]}
            await send(message)

        await app(scope, receive, name)

    return outer


def test_a_careless_comparison_is_told_by_the_rule_that_names_it() -> None:
    names = ("safe-origin-simple", "safe-origin-nearmiss", "safe-acao-closed")
    assert statuses(report(by_prefix, *names)) == {
        "safe-origin-simple": Status.FOLLOWS,
        "safe-origin-nearmiss": Status.FAILED,
        # Also where the origin is one that no page has.
        "safe-acao-closed": Status.FOLLOWS,
    }
    assert statuses(report(by_prefix, "safe-origin-simple")) == {
        "safe-origin-simple": Status.FAILED
    }


def test_what_lets_everybody_in_is_told_by_the_general_rule() -> None:
    found = Run(
        implementation=MUTANTS["any-origin-reflected"].implementation,
        rules=select(["safe-origin-simple", "safe-origin-nearmiss", "safe-null"]),
        profile=PROFILES["quick"],
        policy=TWO,
    ).report()
    assert statuses(found) == {
        "safe-origin-simple": Status.FAILED,
        "safe-origin-nearmiss": Status.FOLLOWS,
        "safe-null": Status.FOLLOWS,
    }


def test_a_special_case_has_a_general_rule() -> None:
    for rule in RULES.values():
        assert rule.special_of in {"", *RULES}
        assert rule.special_of not in rule.depends_on


def test_what_caches_mix_up_follows_from_the_vary_that_is_missing() -> None:
    found = Run(
        implementation=MUTANTS["no-vary"].implementation,
        rules=select(["vary-dynamic", "cache-shared-live", "st-http-cache", "st-both"]),
        profile=PROFILES["quick"],
        policy=TWO,
    ).report()
    assert [each.rule.id for each in found.findings] == ["vary-dynamic"]


def with_text_for_bytes(app: Application, policy: Policy) -> Application:
    """Sends a header whose value is a string, where ASGI has bytes, to one of its origins."""
    inner = CORSMiddleware(app, **dict[str, Any](policy.parameters()))

    async def outer(scope: Any, receive: Any, send: Any) -> None:
        async def add(message: Any) -> None:
            if message["type"] == "http.response.start":
                message = {**message, "headers": [*message["headers"], (b"x-age", "600")]}
            await send(message)

        is_to_b = (b"origin", b"https://b.example") in scope["headers"]
        await inner(scope, receive, add if is_to_b else send)

    return outer


def test_what_is_no_response_is_one_finding() -> None:
    found = report(with_text_for_bytes, *LIVE, "syn-asgi", "tr-response")
    assert statuses(found) == {
        **dict.fromkeys(LIVE, Status.FOLLOWS),
        "syn-asgi": Status.FAILED,
        "tr-response": Status.FOLLOWS,
    }


def test_preflights_that_the_application_answers_are_one_finding() -> None:
    found = Run(
        implementation=MUTANTS["application-answers-preflights"].implementation,
        rules=select([*LIVE, "live-safelisted-method", "live-preflight-no-credentials"]),
        profile=PROFILES["quick"],
        policy=TWO,
    ).report()
    assert [each.rule.id for each in found.findings] == ["live-preflight-no-credentials"]


def test_options_that_are_swallowed_are_one_finding() -> None:
    names = ["pf-identify", "tr-*", "cred-401", "live-*", "mm-mono-methods-headers"]
    found = Run(
        implementation=MUTANTS["options-with-origin"].implementation,
        rules=select(names),
        profile=PROFILES["quick"],
        policy=replace(TWO, allow_methods=("GET", "OPTIONS", "PUT")),
    ).report()
    assert [each.rule.id for each in found.findings] == ["pf-identify"]


@pytest.fixture
def world() -> Any:
    implementation = Implementation(name="tiny", interface="asgi", wrap=without_b)
    with World(implementation, TWO) as opened:
        yield opened


def test_grounds_are_looked_for_where_the_page_comes_from(world: World) -> None:
    rule, judged = RULES["live-preflight"], {"live-simple"}
    for name, ground in (("a", None), ("b", "live-simple")):
        fetched = world.fetch(Visit(origin=f"https://{name}.example", method=b"PUT"))
        assert gone(world, rule, fetched, judged) == ground
        assert gone(world, rule, fetched, ()) is None


def test_requests_by_hand_have_grounds_if_there_are_pages_of_their_origin(world: World) -> None:
    rule, judged = RULES["safe-acao-closed"], {"safe-origin-simple"}
    for origin in (b"https://evil.example", b"HTTPS://A.EXAMPLE", b"", b"null"):
        sent = world.send(RawRequest(method=b"GET", headers=((b"origin", origin),)))
        assert gone(world, rule, sent, judged) is None


def test_a_journey_has_the_grounds_of_any_two_of_its_pages() -> None:
    fresh = ApplicationResponse(headers=((b"cache-control", b"public, max-age=60"),))
    page = Visit(origin="https://a.example", method=b"GET", path="/cached", application=fresh)
    journey = Journey(steps=(page, replace(page, mode="no-cors"), page))
    rule, judged = RULES["st-http-cache"], {"vary-dynamic", "vary-static-or-always"}
    tiny = Implementation(name="tiny", interface="asgi", wrap=without_b)
    for implementation, ground in (
        (MUTANTS["no-vary"].implementation, "vary-dynamic"),
        (tiny, None),
    ):
        with World(implementation, TWO) as opened:
            assert gone(opened, rule, journey, judged) == ground


def test_what_follows_from_nothing_that_was_found_is_a_finding() -> None:
    # As if the search had met the page with the one rule, and with the other had not.
    simple = replace(RULES["live-simple"], check=lambda _world, _fetched: False)
    found = Run(
        implementation=Implementation(name="tiny", interface="asgi", wrap=without_b),
        rules=[simple, RULES["live-error-readable"]],
        profile=THOROUGH,
        policy=TWO,
    ).report()
    assert statuses(found)["live-error-readable"] is Status.FAILED


def banning(app: Any, policy: Policy) -> Application:
    """Grants an origin nothing more when it has asked for a header that is not granted."""
    parameters: dict[str, Any] = dict(policy.parameters())
    inner = CORSMiddleware(app, **parameters)
    banned: set[bytes] = set()

    async def outer(scope: Any, receive: Any, send: Any) -> None:
        headers = dict(scope.get("headers", ()))
        origin = headers.get(b"origin", b"")
        if b"x-evil" in headers.get(b"access-control-request-headers", b""):
            banned.add(origin)
        await (app if origin in banned else inner)(scope, receive, send)

    return outer


def test_what_goes_wrong_after_other_requests_only_is_one_finding() -> None:
    def told(*globs: str) -> list[str]:
        found = Run(
            implementation=Implementation(name="banning", interface="asgi", wrap=banning),
            rules=select(globs),
            profile=PROFILES["default"],
            policy=TWO,
        ).report()
        return [each.rule.id for each in found.findings]

    assert told("live-simple", "mm-independent") == ["mm-independent"]
    # Where nobody judges that, it is told by what it breaks.
    assert told("live-simple") == ["live-simple"]


def html_left_out(app: Any, policy: Policy) -> Application:
    """Shares no responses that are HTML."""
    parameters: dict[str, Any] = dict(policy.parameters())
    inner = CORSMiddleware(app, **parameters)

    async def outer(scope: Any, receive: Any, send: Any) -> None:
        async def edit(message: Any) -> None:
            if message["type"] == "http.response.start":
                lines = message["headers"]
                is_page = any(b"html" in value for _, value in lines)
                kept = [line for line in lines if line[0] != b"access-control-allow-origin"]
                message = {**message, "headers": kept if is_page else lines}
            await send(message)

        await inner(scope, receive, edit)

    return outer


def test_an_answer_that_nobody_gets_is_one_finding() -> None:
    found = Run(
        implementation=Implementation(name="html left out", interface="asgi", wrap=html_left_out),
        rules=select([*LIVE, "live-safelisted-method", "live-credentials"]),
        profile=PROFILES["default"],
        policy=replace(TWO, allow_credentials=True),
    ).report()
    assert [each.rule.id for each in found.findings] == ["live-simple"]
