"""The coverage of the pinned standard is complete, and of rules and anchors that there are."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import pytest

from cors_conformance import documenting
from cors_conformance.documenting import AGAIN, LOOKS, PAGES, uncovered
from cors_conformance.rules import RULES
from cors_conformance.rules.base import Look, Rule
from cors_conformance.standard.anchors import anchors, anchors_of, page
from cors_conformance.standard.clauses import PARTS, Clause, Section

ROOT: Final = Path(__file__).parents[2]
SECTIONS: Final[tuple[Section, ...]] = tuple(
    section for sections in PARTS.values() for section in sections
)
CLAUSES: Final[tuple[Clause, ...]] = tuple(
    clause for section in SECTIONS for clause in section.clauses
)
STEPS: Final = {
    "#concept-cors-check": [str(step) for step in range(1, 9)],
    "#cors-preflight-fetch-0": [
        *map(str, range(1, 9)),
        # 7.16 returns.
        *(f"7.{step}" for step in range(1, 16)),
    ],
}
"""The steps of the algorithms that decide about servers' answers."""


@pytest.mark.parametrize("name", PAGES)
def test_generated_pages_are_up_to_date(name: str) -> None:
    written = (ROOT / "docs" / name).read_text(encoding="utf-8")
    assert written == PAGES[name](), f"docs/{name} is stale; make it anew: {AGAIN}"


def test_pages_are_written_by_one_command(tmp_path: Path) -> None:
    documenting.main(tmp_path)
    assert {path.name for path in tmp_path.iterdir()} == set(PAGES)


def test_the_command_is_documented() -> None:
    assert AGAIN in (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")


def test_every_rule_is_on_a_line_of_the_coverage_page() -> None:
    message = "give each a clause in cors_conformance/standard/clauses, then run: " + AGAIN
    assert uncovered() == (), message


@pytest.mark.parametrize("rule", RULES.values(), ids=lambda rule: rule.id)
def test_rules_have_an_anchor_that_exists(rule: Rule) -> None:
    assert is_anchor(rule.anchor), f"{rule.id}: {rule.anchor!r} is nowhere"


@pytest.mark.parametrize("section", SECTIONS, ids=lambda section: section.anchor)
def test_sections_have_an_anchor_that_exists(section: Section) -> None:
    assert is_anchor(section.anchor)


def is_anchor(anchor: str) -> bool:
    """Whether it is of the pinned standard, or a place in another text."""
    if anchor.startswith("#"):
        return anchor[1:] in anchors()
    return re.match(r"https://|RFC \d+, \d|PEP \d+|ASGI, ", anchor) is not None


def test_anchors_in_code_and_documentation_exist() -> None:
    cited = {
        (path.relative_to(ROOT).as_posix(), anchor)
        for folder in ("conformance/cors_conformance", "docs", "reference/cors_reference")
        for path in (ROOT / folder).rglob("*")
        if path.suffix in {".json", ".md", ".py"}
        for anchor in re.findall(
            r"fetch\.spec\.whatwg\.org/#([\w-]+)", path.read_text(encoding="utf-8")
        )
    }
    assert [(path, anchor) for path, anchor in cited if anchor not in anchors()] == []


@pytest.mark.parametrize("clause", CLAUSES, ids=lambda clause: clause.says[:40])
def test_clauses_are_covered_or_say_why_not(clause: Clause) -> None:
    assert clause.rules or clause.reason
    assert set(clause.rules) <= RULES.keys()


@pytest.mark.parametrize("anchor", STEPS)
def test_no_step_is_left_out(anchor: str) -> None:
    told = [
        step
        for section in SECTIONS
        if section.anchor == anchor
        for clause in section.clauses
        for step in steps(clause.where)
    ]
    assert sorted(set(told)) == sorted(STEPS[anchor])


def steps(where: str) -> Iterator[str]:
    """The steps that `step 3`, `steps 4 and 5` or `steps 7.1 to 7.3` mean."""
    numbers = re.findall(r"[\d.]+", where)
    if " to " not in where:
        yield from numbers
        return
    first, last = numbers
    prefix, _, start = first.rpartition(".")
    for step in range(int(start), int(last.rpartition(".")[2]) + 1):
        yield f"{prefix}.{step}" if prefix else str(step)


def test_anchors_of_the_browsers_steps_exist() -> None:
    cited = {
        (path.name, anchor)
        for path in (ROOT / "conformance" / "cors_conformance" / "fetch").glob("*.py")
        for anchor in re.findall(r'"#([a-z][\w-]+)"', path.read_text(encoding="utf-8"))
    }
    assert cited
    assert [(name, anchor) for name, anchor in cited if anchor not in anchors()] == []


def test_titles_are_unique() -> None:
    titles = [section.title for section in SECTIONS]
    assert len(set(titles)) == len(titles)


def test_every_look_is_described() -> None:
    assert set(LOOKS) == set(Look), "say in documenting.LOOKS what is generated for it"


def test_anchors_are_ids_former_ids_and_terms() -> None:
    source = """
<h3 id=cors-check oldids="old-one, other">CORS check</h3>
<p>A <dfn export>CORS request</dfn>,
to <dfn for="header list" lt="contains|does not">contain</dfn>,
a <dfn export http-header id=http-origin><code>Origin</code></dfn>,
<dfn method for=Headers>get</dfn>
<!-- <p id=gone> -->
"""
    found = {
        "cors-check",
        "old-one",
        "other",
        "cors-request",
        "header-list-contains",
        "http-origin",
    }
    assert anchors_of(source) == found
    assert page(source).splitlines()[1:] == sorted(found)


def test_invented_anchors_are_not_found() -> None:
    assert not is_anchor("#cors-chekc")
    assert not is_anchor("")
