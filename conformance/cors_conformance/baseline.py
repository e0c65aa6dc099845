"""The baseline: what is known of third-party implementations, and what that makes of a run."""

import tomllib
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from enum import StrEnum
from pathlib import Path
from typing import Any, Final

import msgspec
from packaging.specifiers import InvalidSpecifier, SpecifierSet
from packaging.version import InvalidVersion, Version

from cors_conformance.findings import Report, RuleResult, Status
from cors_conformance.implementation import Implementation
from cors_conformance.policy import Policy
from cors_conformance.profiles import PROFILES
from cors_conformance.rules import RULES
from cors_conformance.rules.base import Level, Rule

SHIPPED: Final = Path(__file__).with_name("baseline.toml")
REFERENCES: Final = frozenset({"reference", "reference-wsgi"})


class BadBaseline(Exception):
    """The file is malformed; the message names it and the entry."""


class Entry(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One known finding.

    Attributes:
        rule: the id of the rule that does not hold.
        implementation: the name of the implementation.
        versions: its versions, as PEP 440 specifiers; "" for any.
        reason: one sentence, which is printed.

    """

    rule: str
    implementation: str
    versions: str
    reason: str

    def applies_to(self, version: str) -> bool:
        """Whether the entry is about a version; one that PEP 440 cannot read is only under ""."""
        if not self.versions:
            return True
        try:
            return SpecifierSet(self.versions).contains(Version(version), prereleases=True)
        except InvalidVersion:
            return False


class Verdict(StrEnum):
    """What the report says of a rule, the baseline considered."""

    PASSED = "passed"
    FAILED = "failed"
    KNOWN = "known"
    """It failed, and the baseline says so."""
    STALE = "no longer fails"
    """It passed, and the baseline says that it fails."""
    NOTED = "noted"
    """It failed, and is of level INFO: worth knowing, and no finding."""
    FOLLOWS = "follows"
    NOT_TESTED = "not tested"


@dataclass(frozen=True, slots=True)
class Judged:
    """A rule's result, the verdict, and the entry of the baseline that made it, if one did."""

    result: RuleResult
    verdict: Verdict
    entry: Entry | None = None


@dataclass(frozen=True, slots=True)
class Judgement:
    """A report and the verdicts on it, in the order of the rule book."""

    report: Report
    judged: tuple[Judged, ...]

    @property
    def counts(self) -> Mapping[Verdict, int]:
        """How many rules got which verdict."""
        counter = Counter(item.verdict for item in self.judged)
        return {verdict: counter[verdict] for verdict in Verdict}

    @property
    def is_green(self) -> bool:
        """Whether nothing is new: no finding that is not known, nothing known that is gone."""
        return not (self.counts[Verdict.FAILED] or self.counts[Verdict.STALE])

    def of(self, rule_id: str) -> Judged:
        """Return what is judged of one rule of the report."""
        return next(item for item in self.judged if item.result.rule.id == rule_id)


def read(path: Path = SHIPPED) -> tuple[Entry, ...]:
    """Read a baseline file.

    Raises:
        BadBaseline: it cannot be read, or an entry is malformed or about a rule that is not there.

    """
    try:
        document = tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        message = f"baseline {path}: {error.strerror}"
        raise BadBaseline(message) from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        message = f"baseline {path}: it is no TOML: {error}"
        raise BadBaseline(message) from error
    entries = document.pop("known", [])
    if document or not isinstance(entries, list):
        message = f"baseline {path}: it holds tables `[[known]]` and nothing else"
        raise BadBaseline(message)
    return tuple(_entry(path, number, entry) for number, entry in enumerate(entries, start=1))


def _entry(path: Path, number: int, table: Any) -> Entry:  # noqa: ANN401 - what stands in a file
    try:
        entry = msgspec.convert(table, Entry)
        SpecifierSet(entry.versions)
    except msgspec.ValidationError as error:
        message = f"baseline {path}, entry {number}: {error}"
        raise BadBaseline(message) from error
    except InvalidSpecifier as error:
        message = f"baseline {path}, entry {number}: `versions`: {error} (PEP 440)"
        raise BadBaseline(message) from error
    wrong = _wrong(entry)
    if wrong is not None:
        message = f"baseline {path}, entry {number}: {wrong}"
        raise BadBaseline(message)
    return entry


def _wrong(entry: Entry) -> str | None:
    if entry.rule not in RULES:
        close = get_close_matches(entry.rule, RULES, n=1)
        hint = f"; did you mean {close[0]!r}?" if close else ""
        return f"there is no rule {entry.rule!r}{hint}"
    if entry.implementation in REFERENCES:
        return "The reference has no baseline"
    if not entry.reason.strip():
        return "`reason` is empty; it is one sentence"
    return None


def is_thorough(profile: str, policy: Policy | None) -> bool:
    """Whether a run looks at all that the default one looks at: else nothing is told by passing."""
    if PROFILES[profile].is_endless:
        # It is stopped when somebody likes.
        return False
    examples = PROFILES[profile].random.max_examples
    return policy is None and examples >= PROFILES["default"].random.max_examples


def judge(report: Report, entries: Sequence[Entry] = (), *, thorough: bool = True) -> Judgement:
    """Judge a report by the entries that are about its implementation.

    Only a `thorough` run makes an entry stale, see `is_thorough`.
    """
    applying = _applying(report.implementation, entries)
    return Judgement(
        report,
        tuple(
            _judged(result, applying.get(result.rule.id), thorough=thorough)
            for result in report.results
        ),
    )


def judge_result(
    result: RuleResult, implementation: Implementation, entries: Sequence[Entry]
) -> Judged:
    """Judge one result, of a run that goes on."""
    entry = _applying(implementation, entries).get(result.rule.id)
    return _judged(result, entry, thorough=False)


def is_news(rule: Rule, implementation: Implementation, entries: Sequence[Entry]) -> bool:
    """Whether it would be a new finding if the rule did not hold."""
    failed = RuleResult(rule=rule, status=Status.FAILED)
    return judge_result(failed, implementation, entries).verdict is Verdict.FAILED


def _applying(implementation: Implementation, entries: Sequence[Entry]) -> dict[str, Entry]:
    return {
        entry.rule: entry
        for entry in reversed(entries)
        if entry.implementation == implementation.name and entry.applies_to(implementation.version)
    }


def _judged(result: RuleResult, entry: Entry | None, *, thorough: bool) -> Judged:
    if entry is not None and result.status is Status.FAILED:
        return Judged(result, Verdict.KNOWN, entry)
    if entry is not None and result.status is Status.PASSED and thorough:
        return Judged(result, Verdict.STALE, entry)
    if result.status is Status.FAILED and result.rule.level is Level.INFO:
        return Judged(result, Verdict.NOTED)
    return Judged(result, Verdict(result.status.value))
