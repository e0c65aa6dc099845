"""What comes of a run: a result per rule, a finding where one does not hold."""

from dataclasses import dataclass
from enum import StrEnum

from cors_conformance.fetch.steps import Step
from cors_conformance.grant import Grant
from cors_conformance.implementation import Implementation
from cors_conformance.policy import Policy
from cors_conformance.rules.base import Rule
from cors_conformance.subjects import Source
from cors_conformance.world import Sent


class Status(StrEnum):
    """What came of a rule."""

    PASSED = "passed"
    FAILED = "failed"
    FOLLOWS = "follows"
    """It failed because what it depends on never holds; see the reason."""
    NOT_TESTED = "not tested"


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """A rule that does not hold, with the smallest policy and request that show it.

    Attributes:
        rule: the rule.
        message: what was seen and what was expected.
        policy: the smallest policy.
        tried: the configuration with which the rule did something of its own, and it showed; mostly
            another than the policy.
        source: the smallest thing done that shows it.
        wire: everything that went over the wire while the rule was judged, in order; of what was
            `tried`, if anything was.
        steps: what the browser did, for a visit.
        grant: what the policy says of a visit.

    """

    rule: Rule
    message: str
    policy: Policy
    tried: Policy | None = None
    source: Source
    wire: tuple[Sent, ...] = ()
    steps: tuple[Step, ...] = ()
    grant: Grant | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class RuleResult:
    """What came of one rule.

    `judged` counts what it was judged by; `reason` says why it was not tested, or what it
    follows from.
    """

    rule: Rule
    status: Status
    judged: int = 0
    reason: str = ""
    finding: Finding | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """What came of a run.

    Attributes:
        implementation: what was tested.
        profile: the name of the profile.
        seed: of a profile that is not deterministic; else `None`.
        results: one per rule, in the order of the rule book.
        policies: how many different policies were served.
        exchanges: how many requests went over the wire while exploring.
        refused: the policies that the implementation refused, each with its words.
        died: the policies under which its process died or hung, each with what happened.
        inexpressible: reasons for which policies were left out, each with how many.
        more_refused: how many refusals are not listed; a run without end lists only the first.
        more_died: the same of `died`.
        is_interrupted: whether somebody stopped it.
        notes: what else is to be told: about the database, for instance.

    """

    implementation: Implementation
    profile: str
    seed: int | None
    results: tuple[RuleResult, ...]
    policies: int
    exchanges: int
    refused: tuple[tuple[Policy, str], ...] = ()
    died: tuple[tuple[Policy, str], ...] = ()
    inexpressible: tuple[tuple[str, int], ...] = ()
    more_refused: int = 0
    more_died: int = 0
    is_interrupted: bool = False
    notes: tuple[str, ...] = ()

    @property
    def findings(self) -> tuple[Finding, ...]:
        """The findings, in the order of the rule book."""
        return tuple(result.finding for result in self.results if result.finding is not None)
