"""Mutants: wrong middlewares, each of which some rule must catch.

They are made from the reference by one small change each, and copy defects that real middlewares
have had. A rule that catches none of them is worth nothing; a mutant that no rule catches is a
hole in the rule book.
"""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from cors_conformance.mutants.base import Mutant
from cors_conformance.mutants.caching import CACHED
from cors_conformance.mutants.configuration import CONFIGURED
from cors_conformance.mutants.credentials import GRANTED
from cors_conformance.mutants.options import OPTIONAL
from cors_conformance.mutants.origins import ORIGINS
from cors_conformance.mutants.preflights import ASKED
from cors_conformance.mutants.relations import RELATED
from cors_conformance.mutants.responses import SHARED
from cors_conformance.mutants.shell import SHELL
from cors_conformance.mutants.state import KEPT
from cors_conformance.mutants.unchecked import UNCHECKED
from cors_conformance.mutants.wsgi import CALLED

__all__ = ["MUTANTS", "Mutant"]

_CHAPTERS: Final = (
    ORIGINS,
    GRANTED,
    CACHED,
    ASKED,
    SHARED,
    KEPT,
    SHELL,
    CALLED,
    CONFIGURED,
    UNCHECKED,
    OPTIONAL,
    RELATED,
)

MUTANTS: Final[Mapping[str, Mutant]] = MappingProxyType(
    {mutant.id: mutant for chapter in _CHAPTERS for mutant in chapter}
)
"""All mutants by id, chapter by chapter."""
