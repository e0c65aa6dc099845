"""The baseline: what is known stays green, what is new or gone does not."""

from pathlib import Path

import pytest

from cors_conformance.baseline import (
    BadBaseline,
    Entry,
    Judgement,
    Verdict,
    is_thorough,
    judge,
    read,
)
from cors_conformance.findings import Finding, Report, RuleResult, Status
from cors_conformance.implementation import Application, Implementation
from cors_conformance.policy import Policy
from cors_conformance.rules import RULES
from cors_conformance.scenario import Visit

RULE = RULES["live-simple"]
GOOD = """
[[known]]
rule = "live-simple"
implementation = "thing"
versions = ">=1,<2"
reason = "It sends nothing."
"""


def unchanged(app: Application, policy: Policy) -> Application:
    return app


def report(status: Status, version: str = "1.5", reason: str = "") -> Report:
    finding = Finding(
        rule=RULE,
        message="seen",
        policy=Policy(),
        source=Visit(origin="https://a.example", method=b"GET"),
    )
    result = RuleResult(
        rule=RULE,
        status=status,
        reason=reason,
        finding=finding if status is Status.FAILED else None,
    )
    return Report(
        implementation=Implementation(
            name="thing", interface="asgi", version=version, wrap=unchanged
        ),
        profile="default",
        seed=None,
        results=(result,),
        policies=1,
        exchanges=1,
    )


def entry(versions: str = ">=1,<2", implementation: str = "thing") -> Entry:
    return Entry(
        rule=RULE.id, implementation=implementation, versions=versions, reason="It sends nothing."
    )


def verdict(judgement: Judgement) -> Verdict:
    return judgement.of(RULE.id).verdict


def test_shipped_baseline_is_well_formed() -> None:
    read()


def test_entries_are_read(tmp_path: Path) -> None:
    file = tmp_path / "known.toml"
    file.write_text(GOOD)
    assert read(file) == (entry(),)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("[[known", "it is no TOML"),
        ("rule = 1", r"it holds tables `\[\[known\]\]` and nothing else"),
        ("known = 1", r"it holds tables `\[\[known\]\]` and nothing else"),
        ("[[known]]", "entry 1: Object missing required field `rule`"),
        (GOOD + GOOD + "more = 1", "entry 2: Object contains unknown field `more`"),
        (GOOD.replace('"thing"', "1"), r"entry 1: Expected `str`, got `int` - at `\$.imp"),
        (GOOD.replace("live-simple", "live-simpel"), "entry 1: .*did you mean 'live-simple'"),
        (GOOD.replace("live-simple", "xyz"), "entry 1: there is no rule 'xyz'"),
        (GOOD.replace(">=1", "one"), "entry 1: `versions`: .*PEP 440"),
        (GOOD.replace("It sends nothing.", " "), "entry 1: `reason` is empty"),
        (GOOD.replace("thing", "reference", 1), "entry 1: The reference has no baseline"),
        (GOOD.replace("thing", "reference-wsgi", 1), "entry 1: The reference has no baseline"),
    ],
)
def test_malformed_entries_are_named(tmp_path: Path, text: str, message: str) -> None:
    file = tmp_path / "known.toml"
    file.write_text(text)
    with pytest.raises(BadBaseline, match=rf"known\.toml.*{message}"):
        read(file)


def test_a_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(BadBaseline, match=r"none\.toml: No such file"):
        read(tmp_path / "none.toml")


def test_a_finding_of_a_covered_version_is_known() -> None:
    judgement = judge(report(Status.FAILED), [entry()])
    assert (verdict(judgement), judgement.is_green) == (Verdict.KNOWN, True)


@pytest.mark.parametrize("version", ["2.0", "0.9", "", "built by hand"])
def test_a_finding_of_another_version_is_new(version: str) -> None:
    judgement = judge(report(Status.FAILED, version), [entry()])
    assert (verdict(judgement), judgement.is_green) == (Verdict.FAILED, False)


def test_pre_releases_are_versions_too() -> None:
    assert entry().applies_to("1.6rc1")


@pytest.mark.parametrize("version", ["2.0", "", "built by hand"])
def test_no_specifier_is_any_version(version: str) -> None:
    assert verdict(judge(report(Status.FAILED, version), [entry("")])) is Verdict.KNOWN


def test_an_entry_is_of_one_implementation() -> None:
    entries = [entry(implementation="other")]
    assert verdict(judge(report(Status.FAILED), entries)) is Verdict.FAILED


def test_an_entry_that_no_longer_fails_is_red() -> None:
    judgement = judge(report(Status.PASSED), [entry()])
    assert (verdict(judgement), judgement.is_green) == (Verdict.STALE, False)


def test_passing_a_run_that_looks_at_less_makes_nothing_stale() -> None:
    judgement = judge(report(Status.PASSED), [entry()], thorough=False)
    assert (verdict(judgement), judgement.is_green) == (Verdict.PASSED, True)


@pytest.mark.parametrize(
    ("profile", "policy", "thorough"),
    [
        ("quick", None, False),
        ("default", None, True),
        ("long", None, True),
        ("default", Policy(), False),
    ],
)
def test_short_runs_and_single_policies_look_at_less(
    profile: str, policy: Policy | None, thorough: bool
) -> None:
    assert is_thorough(profile, policy) is thorough


@pytest.mark.parametrize("status", [Status.NOT_TESTED, Status.FOLLOWS])
def test_entries_of_rules_without_an_answer_are_ignored(status: Status) -> None:
    judgement = judge(report(status), [entry()])
    assert verdict(judgement).value == status.value
    assert judgement.is_green


def test_entries_of_rules_that_were_not_selected_are_ignored() -> None:
    other = Entry(rule="safe-null", implementation="thing", versions="", reason="So it is.")
    assert judge(report(Status.PASSED), [other]).is_green


def test_counts_name_every_verdict() -> None:
    counts = judge(report(Status.FAILED), [entry()]).counts
    assert counts == {verdict: int(verdict is Verdict.KNOWN) for verdict in Verdict}
