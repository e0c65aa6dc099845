"""Rules: invariants as data, each with the check that judges it.

A check is given the world of one policy and one subject of the kind that the rule looks at. It
returns whether the rule concerned the subject, and raises `Breach` where the rule does not hold.
"""

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Final, Literal, TypeAlias

from cors_conformance.implementation import Capability
from cors_conformance.policy import Policy
from cors_conformance.world import World

STANDARD: Final = "https://fetch.spec.whatwg.org/"


class Level(StrEnum):
    """How much a rule weighs."""

    MUST = "MUST"
    """It follows from the standard or an RFC for a server that claims the policy."""
    SECURITY = "SECURITY"
    """Otherwise more is granted than any sane reading of the policy."""
    SHOULD = "SHOULD"
    """Interoperability."""
    INFO = "INFO"
    """Worth knowing."""


class Look(StrEnum):
    """What a rule looks at: the type of its check's second argument."""

    FETCH = "fetch"
    """`world.Fetched`: one fetch of a page and its outcome."""
    RESPONSE = "response"
    """`world.Sent`: any request on the wire and its reply, hostile ones included."""
    HOSTILE = "hostile"
    """`world.Sent`: a hand-made request and its reply."""
    RELATION = "relation"
    """`world.Fetched`: like FETCH, of fewer visits, for checks that need other servers as well."""
    JOURNEY = "journey"
    """`scenario.Journey`: a sequence of visits through caches."""
    BATCH = "batch"
    """`scenario.Batch`: all that is done in a batch."""
    POLICY = "policy"
    """`scenario.Batch`: the first batch of a policy, for checks that do the same in every one."""
    CALL = "call"
    """`scenario.ASGICall`: the messages of one ASGI call."""


class Breach(Exception):
    """A rule does not hold; the message says what was seen and what was expected."""


Subject: TypeAlias = Any
Check: TypeAlias = Callable[[World, Subject], bool]


def breaks(check: Callable[[World, Subject], object], world: World, subject: Subject) -> bool:
    """Whether a check does not hold of a subject."""
    try:
        check(world, subject)
    except Breach:
        return True
    return False


Chapter: TypeAlias = Literal[
    "safety",
    "liveness",
    "syntax",
    "caching",
    "credentials",
    "preflight",
    "transparency",
    "robustness",
    "configuration",
    "metamorphic",
    "stateful",
]


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """One invariant.

    Attributes:
        id: stable and unique; `--rule` takes globs over it.
        statement: one sentence.
        anchor: where it is written: `#...` of the Fetch standard, or e.g. "RFC 9110, 12.5.5".
        level: how much it weighs.
        look: what the check is given.
        check: judges one subject; see `Check`.
        needs: capabilities without which the rule cannot be tested.
        depends_on: ids of rules without which this one means nothing: they must hold at least
            once, and a page, a journey or a batch that breaks one of them says nothing here.
        special_of: id of the rule of which this one is a special case, "" for none. What breaks
            both is told by this one, or by the general one if strangers break that, too.
        refusal: tells the policies that it is right to refuse under this rule.

    """

    id: str
    statement: str
    anchor: str
    level: Level
    look: Look
    check: Check
    needs: frozenset[Capability] = frozenset()
    depends_on: tuple[str, ...] = ()
    special_of: str = ""
    refusal: Callable[[Policy], bool] | None = None
    chapter: Chapter

    @property
    def link(self) -> str:
        """Where the rule is written, as a URL or an RFC section."""
        return STANDARD + self.anchor if self.anchor.startswith("#") else self.anchor
