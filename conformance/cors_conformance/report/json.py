"""The report for programs.

A document has `schema` (a number that grows when a reader must change), `suite` (the version of
this package) and `runs`, one per implementation:

- `implementation`: `name`, `version`, `language`, `interface`, and `lacks`, a reason per capability
- `profile`, `seed` (or null), `policies`, `exchanges`, and `counts`, a number per verdict
- `rules`: `id`, `level`, `chapter`, `statement`, `link`, `verdict`, `judged` and `reason` of each
- `findings`, with those known and noted: `rule`, `verdict`, `message`, `policy`, `tried` (the
  parameters with which the rule did something of its own, as Python writes them, or null),
  `source`, `wire`, `steps` (`anchor`, `text`), `grant` (`verdict`, `reason`, or null) and `token`,
  for `--replay`
- `refused`, `died` (each `policy` and `reason`) and `inexpressible` (each `reason` and `count`);
  `more_refused`, `more_died`: how many are not listed; `notes`, for people

A `source` has its `kind` (`visit`, `rawrequest`, `journey`, `asgicall` or `batch`) and the fields
of that class in `scenario`. Bytes are strings of as many characters (Latin-1).
"""

import json
from collections.abc import Iterable
from dataclasses import fields, is_dataclass
from importlib.metadata import version
from typing import Any, Final, TypeAlias

from cors_conformance.baseline import Judged, Judgement, Verdict
from cors_conformance.findings import Finding
from cors_conformance.policy import Policy
from cors_conformance.replay import encode
from cors_conformance.world import Sent

SCHEMA: Final = 1

JSON: TypeAlias = dict[str, Any]


def dumps(runs: Iterable[JSON]) -> str:
    """Return the document of some runs, each from `run`; ASCII, whatever the bytes in it."""
    document = {"schema": SCHEMA, "suite": version("cors-conformance"), "runs": list(runs)}
    return json.dumps(document, indent=2) + "\n"


def run(judgement: Judgement) -> JSON:
    """Return one run of the document."""
    report = judgement.report
    implementation = report.implementation
    return {
        "implementation": {
            "name": implementation.name,
            "version": implementation.version,
            "language": implementation.language,
            "interface": implementation.interface,
            "lacks": {str(capability): why for capability, why in implementation.lacks.items()},
        },
        "profile": report.profile,
        "seed": report.seed,
        "policies": report.policies,
        "exchanges": report.exchanges,
        "counts": {verdict.value: count for verdict, count in judgement.counts.items()},
        "rules": [_rule(judged) for judged in judgement.judged],
        "findings": [
            _finding(judged.result.finding, judged.verdict)
            for judged in judgement.judged
            if judged.result.finding is not None
        ],
        "refused": [_told(policy, why) for policy, why in report.refused],
        "died": [_told(policy, why) for policy, why in report.died],
        "inexpressible": [{"reason": why, "count": count} for why, count in report.inexpressible],
        "more_refused": report.more_refused,
        "more_died": report.more_died,
        "notes": list(report.notes),
    }


def _rule(judged: Judged) -> JSON:
    rule = judged.result.rule
    return {
        "id": rule.id,
        "level": rule.level.value,
        "chapter": rule.chapter,
        "statement": rule.statement,
        "link": rule.link,
        "verdict": judged.verdict.value,
        "judged": judged.result.judged,
        "reason": judged.result.reason if judged.entry is None else judged.entry.reason,
    }


def _finding(finding: Finding, verdict: Verdict) -> JSON:
    grant = finding.grant
    return {
        "rule": finding.rule.id,
        "verdict": verdict.value,
        "message": finding.message,
        "policy": finding.policy.parameters(),
        "tried": finding.tried
        and {name: repr(value) for name, value in finding.tried.parameters().items()},
        "source": _plain(finding.source),
        "wire": [_sent(sent) for sent in finding.wire],
        "steps": [{"anchor": step.anchor, "text": step.text} for step in finding.steps],
        "grant": grant and {"verdict": grant.verdict.value, "reason": grant.reason},
        "token": encode(finding.rule, finding.policy, finding.source),
    }


def _sent(sent: Sent) -> JSON:
    reply = sent.reply
    return {
        "request": _plain(sent.request),
        "application": _plain(sent.application),
        "response": _plain(reply.response),
        "failure": reply.failure,
    }


def _told(policy: Policy, why: str) -> JSON:
    return {"policy": policy.parameters(), "reason": why}


def _plain(value: Any) -> Any:  # noqa: ANN401 - any value of a scenario
    if isinstance(value, bytes):
        return value.decode("latin-1")
    if isinstance(value, tuple):
        return [_plain(item) for item in value]
    if not is_dataclass(value):
        return value
    kind = type(value).__name__.lower()
    return {"kind": kind} | {
        field.name: _plain(getattr(value, field.name)) for field in fields(value)
    }
