"""The engine: what it counts, what it finds, what it says of what it cannot test."""

from dataclasses import replace
from functools import partial
from typing import Any, Final

import pytest
from hypothesis import settings

from cors_conformance import world
from cors_conformance.choosing import NothingMatches
from cors_conformance.findings import Report, Status
from cors_conformance.implementation import Application, Capability, Implementation, Interface
from cors_conformance.policy import Policy
from cors_conformance.profiles import PROFILES
from cors_conformance.rules import RULES, select
from cors_conformance.rules.base import Look
from cors_conformance.run import CannotTest, Run
from cors_conformance.scenario import Batch, Visit
from cors_conformance.servers.start import start
from cors_conformance.shrinking import HANGS
from cors_conformance.strategies import corner_policies
from cors_conformance.variants import VARIANTS
from cors_conformance.world import World
from middlewares import Scope, hanging_on_options


class Reflects:
    """Answers every origin with itself, and with credentials."""

    def __init__(self, app: Any, policy: Policy) -> None:
        self.app = app

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        origins = [value for name, value in scope.get("headers", ()) if name == b"origin"]

        async def reflect(message: Any) -> None:
            if message["type"] == "http.response.start" and origins:
                lines = [
                    (b"access-control-allow-origin", origins[0]),
                    (b"access-control-allow-credentials", b"true"),
                ]
                message = {**message, "headers": [*message["headers"], *lines]}
            await send(message)

        await self.app(scope, receive, reflect)


class Refuses(Reflects):
    """Refuses more than one origin."""

    def __init__(self, app: Any, policy: Policy) -> None:
        if len(policy.allow_origins) != 1:
            message = "one origin, please"
            raise ValueError(message)
        super().__init__(app, policy)


def implementation(wrap: Any = Reflects, **more: Any) -> Implementation:
    return Implementation(name="tiny", interface="asgi", wrap=wrap, **more)


def bare(app: Application, _: Policy) -> Application:
    return app


def run(tested: Implementation, *globs: str, policy: Policy | None = None) -> Report:
    return Run(
        implementation=tested, rules=select(globs), profile=PROFILES["quick"], policy=policy
    ).report()


def statuses(report: Report) -> dict[str, Status]:
    return {result.rule.id: result.status for result in report.results}


@pytest.mark.usefixtures("untraced")
def test_a_middleware_that_reflects_any_origin_fails_the_safety_rules() -> None:
    found = statuses(run(implementation(), "safe-*"))

    assert found["safe-origin-simple"] is Status.FAILED
    for rule in ("safe-origin-nearmiss", "safe-null", "safe-acao-closed"):
        assert found[rule] is Status.FOLLOWS
    assert found["safe-credentials-off"] is Status.FAILED


MANY: Final = tuple(f"https://{number}.example" for number in range(400))


@pytest.mark.usefixtures("untraced")
@pytest.mark.parametrize(
    "policy",
    [
        Policy(allow_origins=("*", "https://a.example")),
        Policy(allow_origins=("null",)),
        Policy(allow_origins=("https://a.example", "null")),
        Policy(allow_origins=MANY),
        Policy(allow_methods=("*", "GET")),
        Policy(allow_headers=("*", "X-A"), expose_headers=("*", "X-A")),
    ],
)
def test_any_policy_that_can_be_written_can_be_judged(policy: Policy) -> None:
    tested = VARIANTS["forgiving"].implementation
    report = run(tested, "safe-*", "live-*", "pf-*", policy=policy)
    assert report.findings == ()
    assert report.policies == 1


def test_a_finding_has_the_smallest_policy_and_request() -> None:
    (finding,) = run(implementation(), "safe-origin-simple").findings

    assert finding.policy == Policy(allow_methods=finding.policy.allow_methods)
    assert isinstance(finding.source, Visit)
    assert finding.source.headers == ()
    assert finding.source.method == b"GET"
    assert finding.source.application.status == 200
    assert finding.grant is not None
    assert finding.grant.denied
    assert [sent.request.method for sent in finding.wire] == [b"GET"]
    assert finding.steps[-1].text == "CORS check: success, status 200"


def test_no_cors_at_all_is_one_finding_and_what_follows_from_it() -> None:
    found = statuses(run(implementation(bare), "live-*"))

    assert found.pop("live-simple") is Status.FAILED
    assert set(found.values()) <= {Status.FOLLOWS, Status.NOT_TESTED}
    assert Status.FOLLOWS in found.values()


def test_what_is_missing_is_not_tested_with_the_reason() -> None:
    lacks = {Capability.EXPOSE: "it has no such parameter"}

    (result,) = run(implementation(lacks=lacks), "live-expose").results

    assert result.status is Status.NOT_TESTED
    assert result.reason == "it has no such parameter"


def test_a_rule_that_nothing_concerned_is_not_tested() -> None:
    policy = Policy(allow_origins=("https://a.example",))

    (result,) = run(implementation(), "safe-wildcard-credentials", policy=policy).results

    assert result.status is Status.NOT_TESTED
    assert result.reason == "nothing of this run concerned it"


def test_refused_policies_are_counted_and_not_held_against_anyone() -> None:
    report = run(implementation(Refuses), "safe-origin-simple")

    assert report.refused
    assert all(len(policy.allow_origins) != 1 for policy, _ in report.refused)
    assert "one origin, please" in report.refused[0][1]


def test_refusing_wildcard_with_credentials_upholds_the_rule_about_it() -> None:
    (result,) = run(
        implementation(_refuses_wildcard_with_credentials), "safe-wildcard-credentials"
    ).results

    assert result.status is Status.PASSED


def _refuses_wildcard_with_credentials(app: Application, policy: Policy) -> Application:
    if policy.allow_credentials and "*" in policy.allow_origins:
        raise ValueError
    return app


def test_a_given_policy_is_the_only_one() -> None:
    policy = Policy(allow_origins=("https://b.example",), allow_methods=("PATCH",))

    report = run(implementation(), "safe-origin-simple", policy=policy)

    assert report.policies == 1
    assert report.findings[0].policy == policy


@pytest.mark.parametrize(("look", "batches"), [(Look.POLICY, 3), (Look.BATCH, 23)])
def test_what_is_the_same_in_every_batch_is_judged_once(look: Look, batches: int) -> None:
    asked: list[Batch] = []

    def third(_: World, batch: Batch) -> bool:
        asked.append(batch)
        return len(asked) >= 3

    rule = replace(RULES["safe-no-carryover"], look=look, check=third, depends_on=())
    Run(
        implementation=implementation(bare),
        rules=(rule,),
        profile=PROFILES["quick"],
        policy=Policy(allow_origins=("https://a.example",)),
    ).report()

    assert len(asked) == batches


def test_hand_picked_policies_are_drawn_for_half_as_often_over_http() -> None:
    def examples(interface: Interface) -> int:
        totals = set[int]()
        over_asgi = implementation(bare)
        tested = over_asgi
        if interface == "http":
            tested = replace(
                over_asgi, interface=interface, wrap=None, serve=lambda to: start(over_asgi, to)
            )
        Run(
            implementation=tested,
            rules=(),
            profile=PROFILES["default"],
            progress=lambda what, _, total: totals.add(total) if what == "exploring" else None,
        ).report()
        (total,) = totals
        return total

    policies = len(corner_policies(wildcard_with_credentials=True, any_method=True))

    assert examples("asgi") - examples("http") == policies


@pytest.mark.usefixtures("untraced")
def test_the_same_run_finds_the_same() -> None:
    one, other = (run(implementation(), "safe-*").findings for _ in range(2))

    assert [(item.policy, item.source) for item in one] == [
        (item.policy, item.source) for item in other
    ]


def test_inexpressible_policies_are_left_out_with_the_reason() -> None:
    def refuses(policy: Policy) -> str | None:
        return "it knows no `*`" if "*" in policy.allow_origins else None

    report = run(implementation(refuses=refuses), "safe-origin-simple")

    assert dict(report.inexpressible).keys() == {"it knows no `*`"}


def test_what_refuses_even_a_simple_policy_cannot_be_tested() -> None:
    with pytest.raises(CannotTest, match=r"tiny refuses the policy .*one origin, please"):
        run(implementation(Refuses), "safe-*", policy=Policy())


def test_what_cannot_express_the_given_policy_cannot_be_tested() -> None:
    with pytest.raises(CannotTest, match=r"tiny cannot express the policy .*: no"):
        run(implementation(refuses=lambda _: "no"), "safe-*", policy=Policy())


class Broken(Reflects):
    """Raises an error on every request."""

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] == "http":
            message = "broken"
            raise RuntimeError(message)
        await super().__call__(scope, receive, send)


def test_what_answers_nothing_at_all_cannot_be_tested() -> None:
    with pytest.raises(CannotTest, match="tiny answers no request at all: RuntimeError: broken"):
        run(implementation(Broken), "safe-*")


def test_a_server_that_dies_is_reported_with_its_policy() -> None:
    def wrap(app: Application, policy: Policy) -> Application:
        if policy.allow_credentials:
            os_error = "ended by SIGABRT"
            raise SystemExit(os_error)
        return app

    report = run(implementation(wrap), "safe-origin-simple")

    assert report.died
    assert all(policy.allow_credentials for policy, _ in report.died)
    assert "SIGABRT" in report.died[0][1]


def test_an_implementation_that_answers_now_so_now_so_is_still_reported() -> None:
    class Moody(Reflects):
        calls = 0

        async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
            Moody.calls += 1
            inner = super().__call__ if Moody.calls % 2 else self.app
            await inner(scope, receive, send)

    (result,) = run(implementation(Moody), "safe-origin-simple").results

    assert result.status is Status.FAILED


def test_a_random_profile_tells_its_seed_and_takes_one() -> None:
    rules = select(["safe-origin-simple"])
    policy = Policy(allow_origins=("https://a.example",))
    long = PROFILES["long"]
    profile = replace(
        long,
        random=settings(long.random, max_examples=20),
        machines=settings(long.machines, max_examples=2),
        sweeps=False,
    )
    tested = implementation()

    first = Run(implementation=tested, rules=rules, profile=profile, policy=policy).report()
    again = Run(
        implementation=tested, rules=rules, profile=profile, policy=policy, seed=first.seed
    ).report()

    assert first.seed is not None
    assert first.findings
    assert first == again


def test_rules_are_selected_by_globs() -> None:
    assert [rule.id for rule in select(["safe-null", "live-simple"])] == [
        "safe-null",
        "live-simple",
    ]
    assert {rule.chapter for rule in select(["safe-*"])} == {"safety"}
    assert len(select()) == len(RULES)


def test_a_glob_that_selects_nothing_is_an_error_with_a_hint() -> None:
    with pytest.raises(NothingMatches, match="no rule matches 'safe-nul'; close: safe-null"):
        select(["safe-nul"])


def test_every_rule_has_a_unique_id_a_sentence_and_an_anchor() -> None:
    for rule in RULES.values():
        assert rule.statement.endswith("."), rule.id
        assert rule.anchor, rule.id
        assert set(rule.depends_on) <= set(RULES), rule.id
        assert rule.link.startswith(("https://", "RFC ", "ASGI")), rule.id


def test_a_glob_that_resembles_no_rule_is_told_where_they_are() -> None:
    with pytest.raises(
        NothingMatches, match="no rule matches 'zzz'; `cors-conformance rules` lists"
    ):
        select(["zzz"])


def test_what_hangs_time_and_again_is_not_waited_for_any_longer(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    waits: list[Scope] = []
    monkeypatch.setattr(world, "start", partial(start, seconds=0.01))
    run = Run(
        implementation=Implementation(
            name="hanging", interface="asgi", wrap=hanging_on_options(waits)
        ),
        rules=select(["live-preflight", "live-simple"]),
        profile=PROFILES["default"],
    )
    report = run.report()
    assert report.notes == ("it hung under 5 policies, and no further ones were tried",)
    # While exploring, while shrinking, and for the finding.
    assert len(waits) <= 2 * HANGS + 1
