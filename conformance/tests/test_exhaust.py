"""The exhaustive run: what is in the small world, and that nothing of it is left out or misjudged.

The tests take parts of the world; all of it takes most of a minute.
"""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Final

import pytest

from cors_conformance import cli
from cors_conformance.exhaust import command, enumerating
from cors_conformance.exhaust.browsing import Asks, Browsing, Gets, browse
from cors_conformance.exhaust.enumerating import Exhausted, exhaust
from cors_conformance.exhaust.small_world import (
    PAGES,
    SmallWorld,
    description,
    entries,
    small_world,
)
from cors_conformance.fetch.browser import Outcome
from cors_conformance.fetch.http import HTTPResponse
from cors_conformance.grant import asked_for
from cors_conformance.implementation import Application, Capability, Implementation
from cors_conformance.implementations.registry import find
from cors_conformance.mutants import MUTANTS
from cors_conformance.policy import Policy
from cors_conformance.replay import encode, replay
from cors_conformance.run import CannotTest
from cors_conformance.scenario import Visit
from cors_conformance.servers.asgi import ASGIServer
from cors_conformance.servers.base import Reply
from cors_conformance.variants import VARIANTS

ROOT: Final = Path(__file__).parents[2]
NEAR: Final = (
    "https://a.example",
    "https://b.example:8443",
    "https://b.example",
    "https://a-example",
)


def part(
    implementation: Implementation,
    chosen: Callable[[Policy], bool] = lambda policy: entries(policy) <= 1,
    pages: tuple[str, ...] = NEAR,
) -> SmallWorld:
    """Some policies of the world, and requests with one header at most."""
    world = small_world(implementation)
    return replace(
        world,
        policies=tuple(filter(chosen, world.policies)),
        visits=tuple(
            visit
            for visit in world.visits
            if visit.origin in pages
            and len(visit.headers) <= 1
            and visit.credentials != "same-origin"
        ),
    )


def is_about(policy: Policy) -> bool:
    """Whether it is for one origin or all, and has no other list but the methods."""
    return len(policy.allow_origins) == 1 and not policy.allow_headers and not policy.expose_headers


def judged(name: str, chosen: Callable[[Policy], bool]) -> Exhausted:
    """What comes of a mutant."""
    implementation = MUTANTS[name].implementation
    return exhaust(implementation, world=part(implementation, chosen))


def test_the_world_has_more_than_a_million_pairs_for_the_reference() -> None:
    world = small_world(find("reference"))
    refused = sum(
        policy.allow_origins == ("null",)
        or (policy.allow_origins == ("*",) and policy.allow_credentials)
        for policy in world.policies
    )
    assert (len(world.policies) - refused) * len(world.visits) == 1_574_640


def test_no_policy_and_no_request_is_there_twice() -> None:
    world = small_world(find("reference"))
    assert len(set(world.policies)) == len(world.policies) == 1620
    assert len(set(world.visits)) == len(world.visits) == 1296


def test_the_smallest_come_first() -> None:
    world = small_world(find("reference"))
    sizes = [entries(policy) for policy in world.policies]
    assert sizes == sorted(sizes)
    assert (world.visits[0].method, world.visits[0].headers) == (b"GET", ())
    assert world.visits[0].credentials == "omit"


def test_the_documentation_says_what_is_in_the_world() -> None:
    page = (ROOT / "docs" / "exhaustive.md").read_text(encoding="utf-8")
    assert f"```text\n{description()}```" in page
    world = small_world(find("reference"))
    assert f"{len(world.policies):,} policies with {len(world.visits):,} requests" in page
    assert f"{world.pairs:,} pairs" in page


def test_the_help_says_what_is_in_the_world(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        cli.main(["exhaust", "--help"])
    assert description() in capsys.readouterr().out


def test_what_cannot_be_expressed_is_left_out() -> None:
    lacking = replace(
        find("reference"),
        lacks={
            Capability.METHODS: "no",
            Capability.HEADERS: "no",
            Capability.CREDENTIALS: "no",
            Capability.EXPOSE: "no",
        },
    )
    world = small_world(lacking)
    default = Policy()
    assert {replace(policy, allow_origins=()) for policy in world.policies} == {default}
    assert {visit.method for visit in world.visits} == {b"GET", b"POST"}
    assert not any(asked_for(visit)[1] for visit in world.visits)
    assert "include" not in {visit.credentials for visit in world.visits}
    assert not world.reading
    assert exhaust(lacking, world=world).is_clean


@pytest.mark.usefixtures("untraced")
@pytest.mark.parametrize("name", ["reference", "reference-wsgi"])
def test_references_are_clean(name: str) -> None:
    implementation = find(name)
    world = part(implementation, lambda policy: entries(policy) <= 2, pages=NEAR[::2])
    result = exhaust(implementation, world=world)
    assert result.is_clean
    assert result.differing == 0
    assert result.pairs == result.served * len(world.visits)
    assert result.served + len(result.refused) == len(world.policies)
    # Most pairs ask what others asked.
    assert result.sent < result.pairs < result.exchanges


@pytest.mark.usefixtures("untraced")
@pytest.mark.parametrize(
    ("name", "rule"),
    [
        ("dot-matches-anything", "safe-origin-simple"),
        ("port-ignored", "safe-origin-simple"),
        ("ports-unknown", "live-simple"),
        ("methods-in-any-case", "safe-method"),
        ("authorization-always-allowed", "safe-header"),
        ("everything-exposed", "safe-expose"),
        ("credentials-by-default", "safe-credentials-off"),
    ],
)
def test_mutants_are_found(name: str, rule: str) -> None:
    def chosen(policy: Policy) -> bool:
        return entries(policy) <= 2 and len(policy.allow_origins) == 1

    counterexample = judged(name, chosen).counterexample
    assert counterexample is not None
    assert counterexample.rule.id == rule


def test_a_literal_wildcard_with_credentials_is_found() -> None:
    def chosen(policy: Policy) -> bool:
        return is_about(policy) and policy.allow_methods == ("*",)

    counterexample = judged("literal-methods-with-credentials", chosen).counterexample
    assert counterexample is not None
    assert counterexample.rule.id == "live-credentials"


@pytest.mark.usefixtures("untraced")
@pytest.mark.parametrize(
    "name", ["echoes-everything", "writes-stars", "denied-in-parts", "static-where-it-can"]
)
def test_variants_are_spared(name: str) -> None:
    implementation = VARIANTS[name].implementation
    assert exhaust(implementation, world=part(implementation, is_about)).is_clean


def test_the_counterexample_is_the_smallest_and_can_be_replayed() -> None:
    implementation = MUTANTS["any-origin-reflected"].implementation
    result = exhaust(implementation, world=part(implementation))
    found = result.counterexample
    assert found is not None
    assert entries(found.policy) == 0
    assert found.source == Visit(
        origin="https://a.example",
        method=b"GET",
        application=small_world(implementation).visits[0].application,
    )
    again = replay(implementation, encode(found.rule, found.policy, found.source))
    assert again is not None
    assert again.message == found.message
    assert result.differing > 1


def test_starlette_grants_everybody_credentials_and_the_baseline_knows() -> None:
    starlette = find("starlette")
    world = part(starlette, lambda policy: is_about(policy) and not policy.allow_methods)
    rule = "safe-wildcard-credentials"
    counterexample = exhaust(starlette, world=world).counterexample
    assert counterexample is not None
    assert counterexample.rule.id == rule
    known = exhaust(starlette, world=world, known={rule})
    assert known.is_clean
    assert known.known == {rule: known.differing}


def test_what_differs_now_and_then_is_said_to() -> None:
    def chosen(policy: Policy) -> bool:
        return is_about(policy) and policy.allow_methods == ("GET",)

    counterexample = judged("denial-sticks", chosen).counterexample
    assert counterexample is not None
    assert counterexample.message.endswith("(it does not show every time)")


def test_every_served_policy_refused_is_no_clean_run() -> None:
    def wrap(app: Application, policy: Policy) -> Application:
        if policy.allow_methods != Policy().allow_methods:
            message = "never"
            raise ValueError(message)
        return app

    refusing = Implementation(name="refusing", interface="asgi", wrap=wrap)
    with pytest.raises(CannotTest, match="never"):
        exhaust(refusing, world=part(refusing))


def test_a_server_that_hangs_ends_the_run(monkeypatch: pytest.MonkeyPatch) -> None:
    reference = find("reference")
    world = part(reference, is_about)

    def hang(*_: object) -> Reply:
        return Reply(response=None, failure="5 s", hung=True)

    monkeypatch.setattr(enumerating, "smoke", lambda _: None)
    monkeypatch.setattr(ASGIServer, "send", hang)
    result = exhaust(reference, world=world)
    assert not result.is_clean
    assert result.died == (world.policies[0], "it hung: 5 s")


def test_trees_lead_where_the_browser_leads() -> None:
    visit = Visit(origin=PAGES[0], method=b"PATCH")
    answers = [
        HTTPResponse(
            status=204,
            headers=(
                (b"access-control-allow-origin", b"*"),
                (b"access-control-allow-methods", b"*"),
            ),
        ),
        HTTPResponse(status=200, headers=((b"access-control-allow-origin", b"*"), (b"x-a", b"1"))),
    ]
    browsing = Browsing()
    node = browsing.root(visit)
    for answer in answers:
        assert isinstance(node, Asks)
        node = browsing.follow(node, browsing.answered(answer))
    assert isinstance(node, Gets)
    outcome = browse(visit, answers)
    assert isinstance(outcome, Outcome)
    assert (node.shared, node.readable, node.exchanges) == (True, frozenset(), 2)
    assert outcome.result == "success"


@pytest.fixture
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    def small_part(implementation: Implementation) -> SmallWorld:
        return part(implementation, lambda policy: is_about(policy) and not policy.allow_methods)

    monkeypatch.setattr(enumerating, "small_world", small_part)


@pytest.mark.usefixtures("small")
def test_a_clean_run_says_exactly_how_much_it_judged(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["exhaust", "reference"]) == command.CLEAN
    out = capsys.readouterr().out
    assert "refused: 2 policies: ConfigurationError: allow_origins: 'null'" in out
    assert ": 960 pairs of 5 policies and 192 requests, 0 differ; " in out


@pytest.mark.usefixtures("small")
def test_a_counterexample_is_printed_like_a_finding(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["exhaust", "starlette", "--no-baseline"]) == command.COUNTEREXAMPLE
    out = capsys.readouterr().out
    assert out.startswith("SECURITY safe-wildcard-credentials: ")
    assert "cors-conformance run starlette --replay 1." in out


@pytest.mark.usefixtures("small")
def test_what_the_baseline_knows_is_told(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["exhaust", "starlette"]) == command.CLEAN
    assert " pairs, safe-wildcard-credentials: " in capsys.readouterr().out


@pytest.mark.usefixtures("small")
def test_two_runs_print_the_same(capsys: pytest.CaptureFixture[str]) -> None:
    cli.main(["exhaust", "none"])
    first = capsys.readouterr().out
    cli.main(["exhaust", "none"])
    assert capsys.readouterr().out == first


def test_what_is_reached_over_http_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["exhaust", "fastrapi"]) == command.USAGE
    assert "would take hours" in capsys.readouterr().err


def test_unknown_implementations_are_bad_input(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["exhaust", "referense"]) == command.USAGE
    assert "did you mean 'reference'?" in capsys.readouterr().err


@pytest.mark.usefixtures("small")
def test_a_fault_of_the_suite_is_said_to_be_one(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: object) -> None:
        message = "a bug"
        raise RuntimeError(message)

    monkeypatch.setattr(enumerating, "visit_grant", broken)
    assert cli.main(["exhaust", "reference"]) == command.FAULT
    assert "a fault of the suite or a harness, and none of reference" in capsys.readouterr().err
