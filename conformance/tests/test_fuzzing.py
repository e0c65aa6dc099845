"""Fuzzing: when it ends, what it tells meanwhile, and what it does not keep."""

import signal
import sys
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any, Final

import pytest
from hypothesis import HealthCheck, settings
from hypothesis.database import InMemoryExampleDatabase

from cors_conformance import cli, run, world
from cors_conformance.database import Counterexamples
from cors_conformance.findings import RuleResult
from cors_conformance.fuzzing import Fuzz, Limit
from cors_conformance.implementation import Application, Implementation
from cors_conformance.implementations.registry import find
from cors_conformance.policy import Policy
from cors_conformance.profiles import PROFILES, Profile
from cors_conformance.replay import encode, replay
from cors_conformance.report.pulse import Pulse
from cors_conformance.rules import RULES, select
from cors_conformance.scenario import Visit
from cors_conformance.servers.start import start
from cors_conformance.shrinking import HANGS
from cors_conformance.suite.fuzzing import test_no_rule_is_broken as property_test
from middlewares import Scope, hanging_on_options
from programs import launched

pytest_plugins = ["pytester"]

FUZZ: Final = PROFILES["fuzz"]
TINY: Final = replace(
    FUZZ,
    random=settings(FUZZ.random, max_examples=2),
    machines=settings(FUZZ.machines, max_examples=1),
    sweeps=False,
)
"""Rounds that are over soon."""
POLICY: Final = Policy(allow_origins=("https://a.example",))
SIMPLE: Final = ("--rule", "live-simple", "--policy", "fastrapi-specific-origins")
SECONDS: Final = 60

WATCHED: Final = """
from cors_conformance.implementation import Implementation
from cors_reference import CORSMiddleware

built = 0


def wrap(app, policy):
    global built
    built += 1
    if built == 5:
        print("built", flush=True)
    return CORSMiddleware(app, **policy.parameters())


implementation = Implementation(name="watched", interface="asgi", wrap=wrap)
"""


def fuzz(
    *rules: str,
    tested: Implementation | str = "none",
    profile: Profile = TINY,
    policy: Policy | None = POLICY,
    **more: Any,
) -> Fuzz:
    return Fuzz(
        implementation=find(tested) if isinstance(tested, str) else tested,
        rules=select(rules),
        profile=profile,
        policy=policy,
        **more,
    )


def interrupting(at: int) -> Callable[[str, int, int], None]:
    """Progress that ends with Ctrl-C at that example."""

    def progress(what: str, done: int, total: int) -> None:
        assert total == 0
        if done == at:
            raise KeyboardInterrupt

    return progress


def test_it_goes_on_with_new_seeds_until_the_limit() -> None:
    counts: list[int] = []
    asked = fuzz(
        "safe-origin-simple",
        tested="reference",
        policy=None,
        profile=replace(TINY, random=settings(FUZZ.random, max_examples=10)),
        limit=Limit(examples=100),
        progress=lambda _, done, __: counts.append(done),
        seed=1,
    )
    report = asked.report()
    corners = len(list(asked._stages())) - 2
    assert counts[-1] == 100
    # As many as there would be if all rounds were the same.
    assert report.policies > corners + 10 + 1
    assert not report.is_interrupted


def test_it_goes_on_after_many_hangs(monkeypatch: pytest.MonkeyPatch) -> None:
    waits: list[Scope] = []
    monkeypatch.setattr(world, "start", partial(start, seconds=0.01))
    hanging = Implementation(name="hanging", interface="asgi", wrap=hanging_on_options(waits))
    report = fuzz("live-preflight", tested=hanging, limit=Limit(examples=60)).report()
    assert len(waits) > HANGS
    assert report.notes == ()


def test_it_ends_after_the_seconds() -> None:
    report = fuzz("live-simple", tested="reference", limit=Limit(seconds=0.2)).report()
    assert report.exchanges


def test_what_was_found_until_ctrl_c_is_reported() -> None:
    report = fuzz("live-simple", progress=interrupting(5)).report()
    assert [finding.rule.id for finding in report.findings] == ["live-simple"]
    assert report.is_interrupted


def test_what_was_found_and_not_shrunk_is_reported_as_it_was_met(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def interrupt(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(Fuzz, "_shrink", interrupt)
    report = fuzz("live-simple").report()
    assert [finding.rule.id for finding in report.findings] == ["live-simple"]


def test_before_anything_was_seen_there_is_nothing_to_report() -> None:
    with pytest.raises(KeyboardInterrupt):
        fuzz("live-simple", progress=interrupting(1)).report()


def test_a_finding_is_told_when_it_is_there_and_once() -> None:
    told: list[tuple[str, int]] = []
    count = 0

    def progress(_: str, done: int, __: int) -> None:
        nonlocal count
        count = done

    def tell(result: RuleResult) -> None:
        told.append((result.rule.id, count))

    fuzz("live-*", limit=Limit(examples=30), progress=progress, told=tell).report()
    # What follows from it is not told.
    assert [rule for rule, _ in told] == ["live-simple"]
    assert told[0][1] < 30


def test_what_holds_at_first_is_still_found_later() -> None:
    class Late:
        built = 0

        def __init__(self, app: Application) -> None:
            Late.built += 1
            wrap = find("reference" if Late.built < 40 else "none").wrap
            assert wrap is not None
            self.app: Any = wrap(app, POLICY)

        async def __call__(self, *arguments: Any) -> None:
            await self.app(*arguments)

    tested = Implementation(name="late", interface="asgi", wrap=lambda app, _: Late(app))
    report = fuzz("live-simple", tested=tested, limit=Limit(examples=60)).report()
    assert [finding.rule.id for finding in report.findings] == ["live-simple"]


def test_what_serves_nothing_cannot_be_fuzzed() -> None:
    built = []

    def serve_once(app: Application, policy: Policy) -> Application:
        built.append(policy)
        if len(built) > 1:
            raise ValueError
        return app

    tested = Implementation(name="tired", interface="asgi", wrap=serve_once)
    with pytest.raises(run.CannotTest, match="served no policy"):
        fuzz("live-simple", tested=tested).report()


def test_what_another_machine_finds_meanwhile_is_done_here() -> None:
    rare = replace(POLICY, max_age=31337)

    def wrap(app: Application, policy: Policy) -> Any:
        chosen = find("none" if policy == rare else "reference").wrap
        assert chosen is not None
        return chosen(app, policy)

    tested = Implementation(name="rare", interface="asgi", wrap=wrap)
    visit = Visit(origin="https://a.example", method=b"GET")
    found = replay(tested, encode(RULES["live-simple"], rare, visit))
    assert found is not None
    database = InMemoryExampleDatabase()

    def progress(_: str, done: int, __: int) -> None:
        if done == 5:
            Counterexamples(database, tested).save(found)

    count = 0

    def told(_: RuleResult) -> None:
        # Enough was seen.
        nonlocal count
        count += 1
        if count == 1:
            raise KeyboardInterrupt

    report = fuzz(
        "live-simple",
        tested=tested,
        policy=None,
        profile=replace(TINY, corners=settings(FUZZ.corners, max_examples=1)),
        limit=Limit(examples=200),
        progress=progress,
        corpus=Counterexamples(database, tested),
        told=told,
    ).report()

    assert [finding.policy for finding in report.findings] == [rare]


def test_more_policies_than_it_keeps_are_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(run, "KEPT", 3)

    def wrap(app: Application, policy: Policy) -> Application:
        if policy.allow_credentials:
            raise ValueError
        return app

    asked = fuzz(
        "live-simple",
        tested=Implementation(name="x", interface="asgi", wrap=wrap),
        policy=None,
        limit=Limit(examples=60),
    )
    report = asked.report()

    assert len(report.refused) == 3
    assert report.more_refused > 0
    assert report.policies > 3


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("none", "--profile", "quick", "--seconds", "5"), "the profile quick ends by itself"),
        (("none", "--examples", "5"), "the profile default ends by itself"),
        (("none", "--profile", "fuzz", "--seconds", "0"), "is greater than 0"),
        (("none", "reference", "--profile", "fuzz"), "name one implementation, or limit it"),
    ],
)
def test_limits_that_make_no_sense_are_bad_input(
    arguments: tuple[str, ...], message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert cli.main(["run", *arguments]) == 2
    assert message in capsys.readouterr().err


def test_the_report_is_printed_once_and_the_finding_before_it(
    capsys: pytest.CaptureFixture[str],
) -> None:
    fuzzed = ("--profile", "fuzz", "--examples", "4", "--no-baseline")
    assert cli.main(["run", "none", *fuzzed, *SIMPLE]) == 1
    out = capsys.readouterr().out
    assert out.startswith("none (Python, asgi), profile fuzz with seed ")
    assert out.count("MUST live-simple:") == 1
    assert out.count("profile fuzz") == 1
    assert out.rstrip().splitlines()[-1].startswith("none: 0 passed, 1 failed; ")


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_ends_it_with_the_report(number: signal.Signals, tmp_path: Path) -> None:
    (tmp_path / "watched.py").write_text(WATCHED)
    command = [sys.executable, "-u", "-m", "cors_conformance.cli", "run"]
    arguments = ["watched:implementation", "--profile", "fuzz", *SIMPLE]
    with launched([*command, *arguments], cwd=tmp_path) as process:
        assert process.stdout is not None
        for line in process.stdout:
            if line.startswith("built"):
                break
        process.send_signal(number)
        out, err = process.communicate(timeout=SECONDS)
    assert process.returncode == 0
    assert "Traceback" not in err
    assert "never awaited" not in err
    assert "watched: 1 passed, 0 failed; " in out


def test_a_finding_is_replayed_as_with_any_profile(capsys: pytest.CaptureFixture[str]) -> None:
    token = encode(RULES["live-simple"], POLICY, Visit(origin="https://a.example", method=b"GET"))
    assert cli.main(["run", "none", "--profile", "fuzz", "--replay", token]) == 1
    assert "MUST live-simple:" in capsys.readouterr().out


def test_a_log_gets_a_line_now_and_then() -> None:
    lines: list[str] = []
    times = iter((0.0, 1.0, 61.0, 62.0, 131.0))
    pulse = Pulse(lines.append, seconds=60, clock=lambda: next(times))
    for done in (10, 610, 620, 1310):
        pulse("fuzzing, 0 findings", done, 0)
    assert lines == [
        "fuzzing, 0 findings: 610 examples, 10.0 a second",
        "fuzzing, 0 findings: 1310 examples, 10.0 a second",
    ]


SUITE: Final = ("-p", "no:cacheprovider", "--color=no", "--pyargs")


def test_a_suite_that_would_not_end_is_refused(pytester: pytest.Pytester) -> None:
    profile = ("--conformance-profile", "fuzz")
    result = pytester.runpytest(*SUITE, "cors_conformance.suite", *profile)
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    result.stderr.fnmatch_lines(["*the profile fuzz does not end, and tests do; take `long` here*"])


FEW: Final = """
from hypothesis import Phase, settings

settings.register_profile(
    "few", max_examples=5, phases=[Phase.generate], database=None, derandomize=True
)
settings.load_profile("few")
"""
PROPERTY: Final = (*SUITE, "cors_conformance.suite.fuzzing", *SIMPLE)


@pytest.mark.usefixtures("untraced")
def test_the_rules_are_a_property_that_holds_for_the_reference(pytester: pytest.Pytester) -> None:
    pytester.makeconftest(FEW)
    result = pytester.runpytest_subprocess(*PROPERTY, "--implementation", "reference")
    assert result.parseoutcomes().keys() == {"passed"}


@pytest.mark.usefixtures("untraced")
def test_the_property_does_not_hold_without_cors(pytester: pytest.Pytester) -> None:
    pytester.makeconftest(FEW)
    result = pytester.runpytest_subprocess(*PROPERTY, "--implementation", "none")
    assert result.parseoutcomes()["failed"] >= 1
    result.stdout.fnmatch_lines(["*MUST live-simple:*", "*--replay 1.*"])


def test_the_property_is_one_that_hypofuzz_takes() -> None:
    # See `hypofuzz.collection`: the others are left out.
    used = property_test._hypothesis_internal_use_settings  # type: ignore[attr-defined]
    assert HealthCheck.nested_given not in used.suppress_health_check
    assert used.deadline is None
