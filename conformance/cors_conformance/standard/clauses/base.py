"""Clauses: what a text says that concerns servers, in own words, and what becomes of it here."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Clause:
    """One sentence or step.

    Attributes:
        where: within its section: a step, a row; "" for all of it.
        says: what it says.
        rules: the ids of the rules that cover it.
        reason: why none does, or what is left free; "" where there is nothing to add.

    """

    where: str
    says: str
    rules: tuple[str, ...] = ()
    reason: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Section:
    """Clauses of one place.

    Attributes:
        anchor: `#...` of the Fetch standard, or a place in another text, as rules name it.
        title: what the place is called.
        clauses: in the order of the text.

    """

    anchor: str
    title: str
    clauses: tuple[Clause, ...]


def covered(where: str, says: str, *rules: str) -> Clause:
    """Make a clause that rules cover."""
    return Clause(where=where, says=says, rules=rules)


def free(where: str, says: str, reason: str) -> Clause:
    """Make a clause that no rule covers, with the reason."""
    return Clause(where=where, says=says, reason=reason)


def section(anchor: str, title: str, *clauses: Clause) -> Section:
    """Make a section."""
    return Section(anchor=anchor, title=title, clauses=clauses)
