"""The pages of the documentation that are made from data: `python -m` this module `docs`."""

import re
import sys
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Final

from cors_conformance.browsers import documenting as engines
from cors_conformance.mutants import MUTANTS
from cors_conformance.mutants.defects import CLASSES, UNSEEN
from cors_conformance.rules import CHAPTERS, RULES
from cors_conformance.rules.base import STANDARD, Look, Rule
from cors_conformance.standard.anchors import COMMIT
from cors_conformance.standard.clauses import PARTS, Clause, Section
from cors_conformance.variants import VARIANTS

AGAIN: Final = "python3 -m cors_conformance.documenting docs"
"""What makes the pages anew, at the root of the project."""

LOOKS: Final[Mapping[Look, str]] = MappingProxyType(
    {
        Look.FETCH: "every fetch of a batch: drawn origins, among them near misses of allowed ones"
        " and `null`, with drawn methods, header sets, credentials modes and applications",
        Look.RESPONSE: "every reply on the wire, to fetches and to hand-made requests",
        Look.HOSTILE: "hand-made requests such as no browser sends: junk, repetitions, huge values",
        Look.RELATION: "some fetches of a batch, each beside others that differ in one thing",
        Look.JOURNEY: "sequences of fetches through the caches of browsers and a shared one",
        Look.BATCH: "all that is done in a batch",
        Look.POLICY: "a policy, once: what is asked is the same whatever is drawn",
        Look.CALL: "calls of an ASGI application, message by message",
    }
)
"""What is generated for the rules that look at it."""

_STANDARD_HEAD: Final = f"""\
# What the standard says to servers

Every sentence and every step of the [Fetch standard]({STANDARD}) that concerns servers, in the
words of this project, with the [rules](rules.md) that cover it or the reason why none does. The
standard is followed at commit [{COMMIT[:7]}](https://github.com/whatwg/fetch/commit/{COMMIT}).

This page is made from `cors_conformance.standard`; see [CONTRIBUTING](../CONTRIBUTING.md).
"""

_RULES_HEAD: Final = """\
# Rules

Every rule of the book: what it says, how much it weighs, where it is written, what it is judged by,
and the [mutants](mutants.md) that name it as the one by which they die. The
reverse, from the standard to the rules, is [What the standard says to servers](standard.md).

This page is made from the table of rules; see [CONTRIBUTING](../CONTRIBUTING.md).
"""

_MUTANTS_HEAD: Final = """\
# Mutants and variants

*Mutants* are wrong middlewares: each has one mistake that a real middleware made, and dies by a
[rule](rules.md) that names it. `cors-conformance mutants` runs the rules over them, and prints
which rules failed and how soon; it fails if a mutant survives, or if a rule kills nothing. What it
found last is the [kill matrix](kill-matrix.md).
*Variants* are right middlewares that use the [freedoms](verdicts.md#freedoms) of the standard in
other ways than the reference: no rule complains about them. `cors-conformance variants` runs the
rules over them and the reference, and fails if one does.

This page is made from `cors_conformance.mutants` and `cors_conformance.variants`; see
[CONTRIBUTING](../CONTRIBUTING.md).
"""


def mutants_page() -> str:
    """Return `docs/mutants.md`."""
    lines = [_MUTANTS_HEAD, f"## {len(MUTANTS)} mutants", ""]
    for defect, title in CLASSES.items():
        lines += [f"### {defect}: {title}", ""]
        mutants = [mutant for mutant in MUTANTS.values() if mutant.defect == defect]
        if mutants:
            lines += ["| mutant | mistake | copies | consequence | dies by |", "| --- " * 5 + "|"]
        for mutant in mutants:
            dies_by = ", ".join(f"[{rule}](rules.md#{rule})" for rule in mutant.dies_by)
            cells = mutant.id, mutant.mistake, mutant.copies, mutant.consequence, dies_by
            lines += [f"| {' | '.join(cell.replace('|', chr(92) + '|') for cell in cells)} |"]
        lines += [
            f"- No mutant: {unseen.kind}: {unseen.reason}"
            for unseen in UNSEEN
            if unseen.defect == defect
        ]
        lines += [""]
    lines += [f"## {len(VARIANTS)} variants", "", "| variant | freedom |", "| --- | --- |"]
    lines += [f"| {variant.id} | {variant.freedom} |" for variant in VARIANTS.values()]
    return "\n".join(lines).rstrip() + "\n"


def standard_page() -> str:
    """Return `docs/standard.md`."""
    lines = [_STANDARD_HEAD]
    for part, sections in PARTS.items():
        lines += [f"## {part}", ""]
        for section in sections:
            lines += _section(section)
    return "\n".join(lines).rstrip() + "\n"


def _section(section: Section) -> Iterator[str]:
    yield f"### {section.title}"
    yield ""
    yield _link(section.anchor)
    yield ""
    yield "| where | what it says | covered by |"
    yield "| --- | --- | --- |"
    for clause in section.clauses:
        yield f"| {clause.where} | {clause.says} | {_covered_by(clause)} |"
    yield ""


def _covered_by(clause: Clause) -> str:
    rules = ", ".join(f"[{rule}](rules.md#{rule})" for rule in clause.rules)
    return " ".join(filter(None, (rules, clause.reason)))


def _link(anchor: str) -> str:
    """Link to the standard, or to another text; sections of RFCs have no one address."""
    if anchor.startswith("#"):
        return f"[{anchor}]({STANDARD}{anchor})"
    return f"<{anchor}>" if anchor.startswith("https://") else anchor


def rules_page() -> str:
    """Return `docs/rules.md`."""
    lines = [_RULES_HEAD]
    for chapter in CHAPTERS:
        if chapter:
            lines += [f"## Chapter: {chapter[0].chapter}", ""]
        for rule in chapter:
            lines += _rule(rule)
    return "\n".join(lines).rstrip() + "\n"


def _rule(rule: Rule) -> Iterator[str]:
    killed = [mutant.id for mutant in MUTANTS.values() if rule.id in mutant.dies_by]
    titles = [
        section.title
        for sections in PARTS.values()
        for section in sections
        if any(rule.id in clause.rules for clause in section.clauses)
    ]
    yield f"### {rule.id}"
    yield ""
    yield f"{rule.statement} **{rule.level.value}**"
    yield ""
    yield f"- Written in: {_link(rule.anchor)}"
    yield f"- Covers: {', '.join(map(_to_section, titles)) or 'nothing'}"
    yield f"- Judged by: {LOOKS[rule.look]}."
    if rule.needs:
        yield f"- Needs: {', '.join(f'`{need}`' for need in sorted(rule.needs))}"
    if rule.depends_on:
        yield f"- Follows from: {', '.join(f'[{name}](#{name})' for name in rule.depends_on)}"
    if rule.special_of:
        yield f"- A special case of: [{rule.special_of}](#{rule.special_of})"
    yield f"- Kills: {', '.join(killed) or 'no mutant names it'}"
    yield ""


def _to_section(title: str) -> str:
    heading = re.sub(r"[^\w -]", "", title.lower()).replace(" ", "-")
    return f"[{title}](standard.md#{heading})"


PAGES: Final[Mapping[str, Callable[[], str]]] = MappingProxyType(
    {
        "engines.md": engines.page,
        "mutants.md": mutants_page,
        "rules.md": rules_page,
        "standard.md": standard_page,
    }
)
"""The pages by file name."""


def uncovered() -> tuple[str, ...]:
    """Return the rules that no clause has."""
    told = {
        rule
        for sections in PARTS.values()
        for section in sections
        for clause in section.clauses
        for rule in clause.rules
    }
    return tuple(rule for rule in RULES if rule not in told)


def main(directory: Path) -> None:
    """Write the pages."""
    for name, page in PAGES.items():
        (directory / name).write_text(page(), encoding="utf-8")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
