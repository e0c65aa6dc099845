"""The report for people: what a finding is, why, and how to see it again.

Everything is a list of `rich` texts, one per line: never markup, so that nothing in them is an
instruction, and `plain` is what pytest prints.
"""

import json
import shlex
from collections.abc import Iterable, Iterator, Mapping
from itertools import islice
from typing import Final, TypeAlias

from rich.text import Text

from cors_conformance.baseline import Judged, Judgement, Verdict
from cors_conformance.findings import Finding
from cors_conformance.implementation import Implementation
from cors_conformance.policy import Policy
from cors_conformance.replay import LONGEST as LONGEST_TOKEN
from cors_conformance.replay import encode
from cors_conformance.report.curl import curl
from cors_conformance.report.escape import printable
from cors_conformance.report.telling import cut, source_lines, wire_lines
from cors_conformance.rules.base import Level
from cors_conformance.scenario import ASGICall

Lines: TypeAlias = Iterator[Text]

_STEPS: Final = 60
_CURLS: Final = 3
"""How many of each are shown; the rest is counted, and is in the JSON report."""

_STYLES: Final[Mapping[Level, str]] = {
    Level.SECURITY: "bold red",
    Level.MUST: "bold yellow",
    Level.SHOULD: "bold cyan",
    Level.INFO: "bold",
}


def plain(lines: Iterable[Text]) -> str:
    """Join lines without their colours."""
    return "\n".join(line.plain for line in lines)


def header_line(implementation: Implementation, profile: str, seed: int | None, rules: int) -> Text:
    """Name what is tested, in which version, how, and by how many rules."""
    seeded = "" if seed is None else f" with seed {seed}"
    reached = f"{implementation.language}, {implementation.interface}"
    many = "rule" if rules == 1 else "rules"
    return _line(f"{titled(implementation)} ({reached}), profile {profile}{seeded}, {rules} {many}")


def titled(implementation: Implementation) -> str:
    """Return the implementation's name and version."""
    return printable(f"{implementation.name} {implementation.version}".strip())


def finding_lines(finding: Finding, implementation: Implementation) -> Lines:
    """Tell a finding, from what it is to how to see it again."""
    rule = finding.rule
    # What pytest shows of it in one line is the first one.
    statement = f": {printable(rule.statement)}"
    yield Text.assemble((rule.level.value, _STYLES[rule.level]), " ", (rule.id, "bold"), statement)
    yield _line(rule.link, indent=2, style="dim")
    yield _line(finding.message, indent=2, limit=2000)
    yield from _section("policy", _policy(finding.tried or finding.policy))
    if finding.tried is None:
        yield from _section(*source_lines(finding.source))
    if finding.wire or not isinstance(finding.source, ASGICall):
        yield from _section("on the wire", wire_lines(finding.wire))
    if finding.steps:
        yield from _section("what the browser did", cut(map(str, finding.steps), _STEPS, "steps"))
    if finding.grant is not None:
        yield from _section("what the policy says", [str(finding.grant)])
    yield from _section("again", _again(finding, implementation))


def summary_lines(judgement: Judgement) -> Lines:
    """Tell everything about a run but its findings: what is known, what was not tested, sums."""
    report = judgement.report
    yield from _group("known", _by_reason(judgement, Verdict.KNOWN))
    yield from _group(
        "no longer fails; remove it from the baseline", _by_reason(judgement, Verdict.STALE)
    )
    yield from _group("noted, and no finding", _by_reason(judgement, Verdict.NOTED))
    yield from _group("follows from another finding", _by_reason(judgement, Verdict.FOLLOWS))
    yield from _group("not tested", _by_reason(judgement, Verdict.NOT_TESTED))
    yield from _group("refused policies", _policies(report.refused))
    yield from _group("died", _policies(report.died))
    yield from _group(
        "policies that it cannot express",
        [f"{why} ({count} times)" for why, count in report.inexpressible],
    )
    if report.more_refused or report.more_died:
        more = f"{report.more_refused} more refused, {report.more_died} more died"
        yield _line(f"policies that are not listed: {more}")
    yield from _group("notes", [printable(note) for note in report.notes])
    yield _sums(judgement)


def reason(judged: Judged) -> str:
    """Return the one reason for a verdict that is neither passed nor failed."""
    if judged.entry is not None:
        return printable(judged.entry.reason)
    if judged.verdict is Verdict.NOTED and judged.result.finding is not None:
        return printable(judged.result.finding.message)
    return printable(judged.result.reason)


def _sums(judgement: Judgement) -> Text:
    report = judgement.report
    counts = ", ".join(
        f"{count} {verdict.value}"
        for verdict, count in judgement.counts.items()
        if count or verdict in {Verdict.PASSED, Verdict.FAILED}
    )
    refused = len(report.refused) + report.more_refused
    policies = "policy" if report.policies == 1 else "policies"
    exchanges = "exchange" if report.exchanges == 1 else "exchanges"
    ran = f"{report.policies} {policies}, {report.exchanges} {exchanges}, {refused} refused"
    style = "bold green" if judgement.is_green else "bold red"
    return _line(f"{titled(report.implementation)}: {counts}; {ran}", style=style)


def _by_reason(judgement: Judgement, verdict: Verdict) -> list[str]:
    reasons: dict[str, list[str]] = {}
    for judged in judgement.judged:
        if judged.verdict is verdict:
            reasons.setdefault(reason(judged), []).append(judged.result.rule.id)
    return [f"{', '.join(ids)}: {why}" for why, ids in reasons.items()]


def _line(text: str, *, indent: int = 0, style: str = "", limit: int = 1000) -> Text:
    return Text(" " * indent + printable(text, limit), style=style)


def _policies(told: tuple[tuple[Policy, str], ...]) -> list[str]:
    """Group policies by what was said of them; the first of each group stands for it."""
    reasons: dict[str, list[Policy]] = {}
    for policy, why in told:
        reasons.setdefault(printable(why), []).append(policy)
    return [
        f"{len(policies)} x {why}; the first: {', '.join(_policy(policies[0], changed=True))}"
        for why, policies in reasons.items()
    ]


def _group(title: str, items: list[str]) -> Lines:
    if not items:
        return
    yield _line(f"{title}:")
    # What was not tested is never cut: a silent gap would look like a pass.
    for item in items:
        yield _line(item, indent=2, limit=4000)


def _section(title: str, lines: Iterable[str]) -> Lines:
    yield _line(f"{title}:", indent=2, style="bold")
    for line in lines:
        yield _line(line, indent=4, limit=LONGEST_TOKEN + 1000)


def _policy(policy: Policy, *, changed: bool = False) -> Iterator[str]:
    """Give the policy as the keyword arguments of Python; only those `changed`, if asked for."""
    default = Policy().parameters()
    for name, value in policy.parameters().items():
        if not changed or value != default[name]:
            text = json.dumps(value) if isinstance(value, list) else repr(value)
            yield f"{name}={printable(text)}" + ("" if changed else ",")


def _again(finding: Finding, implementation: Implementation) -> Iterator[str]:
    token = encode(finding.rule, finding.policy, finding.source)
    name = shlex.quote(printable(implementation.selector or implementation.name))
    if len(token) <= LONGEST_TOKEN:
        yield f"cors-conformance run {name} --replay {token}"
    else:
        # Too large for a command line; the run that found it finds it again.
        yield f"cors-conformance run {name} --rule {finding.rule.id}"
    # A rule that asks several questions fails at the last one.
    commands = dict.fromkeys(curl(sent.request) for sent in reversed(finding.wire))
    yield from reversed(list(islice(filter(None, commands), _CURLS)))
