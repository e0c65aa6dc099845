"""The rule book: one module per chapter, all of it data."""

from collections.abc import Iterable, Mapping
from types import MappingProxyType
from typing import Final

from cors_conformance.choosing import choose
from cors_conformance.rules.base import Rule
from cors_conformance.rules.caching import CACHING
from cors_conformance.rules.configuration import CONFIGURATION, SERVING
from cors_conformance.rules.credentials import CREDENTIALS
from cors_conformance.rules.liveness import LIVENESS
from cors_conformance.rules.metamorphic import METAMORPHIC
from cors_conformance.rules.preflight import PREFLIGHT
from cors_conformance.rules.robustness import ROBUSTNESS
from cors_conformance.rules.safety import SAFETY
from cors_conformance.rules.stateful import STATEFUL
from cors_conformance.rules.syntax import SYNTAX
from cors_conformance.rules.transparency import TRANSPARENCY

CHAPTERS: Final = (
    # What dies is to be met by the rule about that.
    SERVING,
    SAFETY,
    LIVENESS,
    SYNTAX,
    CACHING,
    CREDENTIALS,
    PREFLIGHT,
    TRANSPARENCY,
    ROBUSTNESS,
    CONFIGURATION,
    METAMORPHIC,
    STATEFUL,
)
"""The chapters, in the order of the book."""

RULES: Final[Mapping[str, Rule]] = MappingProxyType(
    {rule.id: rule for chapter in CHAPTERS for rule in chapter}
)
"""All rules by id, in the order of the book."""


def select(globs: Iterable[str] = ()) -> tuple[Rule, ...]:
    """Select rules by globs such as `preflight-*`; without any, all of them.

    Raises:
        NothingMatches: a glob matches no rule id; the message names close ones, or where all are.

    """
    hint = "`cors-conformance rules` lists them"
    return tuple(RULES[name] for name in choose(RULES, globs, kind="rule", listed=hint))
