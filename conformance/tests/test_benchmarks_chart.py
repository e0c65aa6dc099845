"""`cors-conformance benchmarks chart`: what is drawn, for whom, and what cannot be."""

import json
import math
import re
import subprocess
import sys
from collections.abc import Iterator
from html.parser import HTMLParser
from itertools import combinations
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as ET

import pytest

from cors_conformance import cli
from cors_conformance.benchmarks.drawing import GRID, PAGE, SERIES, TEXT, Colour, times
from cors_conformance.benchmarks.results import Machine, Results, Row, Share, Subject, dump

SVG = "{http://www.w3.org/2000/svg}"
HOSTILE = "<script>alert(1)</script> $\\frac{x$ &amp; \"'\x1b[31m\u202e\ufffe\u540d"


Matrix = tuple[tuple[float, float, float], ...]

XYZ: Matrix = ((0.4124, 0.3576, 0.1805), (0.2126, 0.7152, 0.0722), (0.0193, 0.1192, 0.9505))

# Machado, Oliveira and Fernandes (2009), https://doi.org/10.1109/TVCG.2009.113, severity 1.
SEEN_BY: dict[str, Matrix] = {
    "trichromats": ((1, 0, 0), (0, 1, 0), (0, 0, 1)),
    "protanopes": (
        (0.152286, 1.052583, -0.204868),
        (0.114503, 0.786281, 0.099216),
        (-0.003882, -0.048116, 1.051998),
    ),
    "deuteranopes": (
        (0.367322, 0.860646, -0.227968),
        (0.280085, 0.672501, 0.047413),
        (-0.011820, 0.042940, 0.968881),
    ),
    "tritanopes": (
        (1.255528, -0.076749, -0.178779),
        (-0.078411, 0.930809, 0.147602),
        (0.004733, 0.691367, 0.303900),
    ),
}


def share(value: float, reach: float = 0.01) -> Share:
    return Share(value=value, low=value - reach, high=value + reach)


def results(
    shares: dict[str, Share],
    *,
    day: int = 1,
    commit: str = "0123456789abcdef",
    version: str = "1.0",
    kind: str = "allowed",
) -> Results:
    return Results(
        taken=f"2026-01-{day:02}T00:00:00+00:00",
        commit=commit,
        machine=Machine(system="Linux", processor="x86_64", cores=2, python="CPython 3.11.0"),
        confidence=0.999,
        subjects={name: Subject(version=version, findings=3) for name in ("starlette", *shares)},
        rows=tuple(
            Row(implementation=name, kind=kind, added=2.5, shares={"starlette": one})
            for name, one in {"starlette": share(1, 0), **shares}.items()
        ),
    )


def chart(tmp_path: Path, *stored: Results, suffix: str = ".svg", **changed: Any) -> str:
    files = []
    for index, one in enumerate(stored):
        path = tmp_path / f"{index}.json"
        path.write_text(json.dumps({**json.loads(dump(one)), **changed}))
        files.append(str(path))
    output = tmp_path / f"chart{suffix}"
    assert cli.main(["benchmarks", "chart", *files, "--output", str(output)]) == 0
    return output.read_text(encoding="utf-8")


def parsed(svg: str) -> ET.Element:
    return ET.fromstring(svg)  # noqa: S314 - the chart, just drawn


def texts(svg: str) -> list[str]:
    return ["".join(text.itertext()) for text in parsed(svg).iter(f"{SVG}text")]


def test_names_versions_and_commits_are_text(tmp_path: Path) -> None:
    first = results({"mine": share(0.2), "other": share(0.3)})
    second = results({"mine": share(0.25)}, day=2, commit="fedcba9876543210", version="2.0")
    shown = texts(chart(tmp_path, first, second))
    assert {"mine 1.0 \u2192 2.0", "other 1.0", "allowed", "0123456"} <= set(shown)
    assert "fedcba9, starlette 2.0 and 1 more" in shown


def test_results_stand_in_the_order_of_their_time(tmp_path: Path) -> None:
    late = results({"mine": share(0.2)}, day=2, commit="b" * 40)
    early = results({"mine": share(0.2)}, day=1, commit="a" * 40)
    shown = texts(chart(tmp_path, late, early))
    assert shown.index("a" * 7) < shown.index("b" * 7)


def test_runs_of_one_commit_are_told_apart_by_their_time(tmp_path: Path) -> None:
    shown = texts(chart(tmp_path, results({"mine": share(1)}), results({"mine": share(1)}, day=2)))
    assert {"0123456 2026-01-01 00:00", "0123456 2026-01-02 00:00"} <= set(shown)


def test_the_picture_has_a_title_and_says_the_newest_shares(tmp_path: Path) -> None:
    svg = parsed(chart(tmp_path, results({"mine": share(0.2)})))
    assert svg.get("role") == "img"
    ids = {element.get("id"): element.text or "" for element in svg}
    title, description = (ids[name] for name in str(svg.get("aria-labelledby")).split())
    assert "relative to starlette" in title
    assert "allowed: mine 0.2\u00d7 [0.19\u00d7, 0.21\u00d7]" in description


def test_a_result_alone_is_drawn(tmp_path: Path) -> None:
    assert "mine 1.0" in texts(chart(tmp_path, results({"mine": share(0.2)})))


@pytest.mark.parametrize(
    ("values", "logarithmic"),
    [((0.2, 0.9), False), ((0.2, 150), True), ((-0.1, 150), True), ((-0.1, 0.2), False), ((0,), 0)],
)
def test_shares_far_apart_are_drawn_on_a_logarithmic_scale(
    tmp_path: Path, values: tuple[float, ...], logarithmic: bool
) -> None:
    shares = {f"m{index}": share(value) for index, value in enumerate(values)}
    assert ("logarithmic" in texts(chart(tmp_path, results(shares)))) == logarithmic


def test_many_implementations_are_all_named(tmp_path: Path) -> None:
    shares = {f"m{index}": share(index + 1) for index in range(40)}
    assert {f"m{index} 1.0" for index in range(40)} <= set(texts(chart(tmp_path, results(shares))))


def test_the_same_results_give_the_same_bytes(tmp_path: Path) -> None:
    stored = results({"mine": share(0.2)})
    assert chart(tmp_path, stored) == chart(tmp_path, stored)


class Page(HTMLParser):
    """What a page has in it."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.attributes: list[tuple[str, str]] = []
        self.text = ""
        self.feed(text)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.attributes += [(name, value or "") for name, value in attrs]

    def handle_data(self, data: str) -> None:
        self.text += data


def test_the_page_has_the_chart_and_its_figures(tmp_path: Path) -> None:
    page = Page(chart(tmp_path, results({"mine": share(0.2)}), suffix=".html"))
    assert page.tags.count("svg") == 1
    assert "0.2\u00d7 [0.19\u00d7, 0.21\u00d7]" in page.text
    assert "mine 1.0: 3 findings" in page.text


@pytest.mark.parametrize("suffix", [".html", ".svg"])
def test_hostile_names_are_text(tmp_path: Path, suffix: str) -> None:
    stored = results({HOSTILE: share(0.2)}, kind=HOSTILE, commit=HOSTILE, version=HOSTILE)
    page = Page(chart(tmp_path, stored, suffix=suffix))
    assert "script" not in page.tags
    # In the description, the legend and the tables.
    assert page.text.count("<script>alert(1)</script>") >= 2
    assert not {"\x1b", "\u202e", "\ufffe"}.intersection(page.text)


@pytest.mark.parametrize("suffix", [".html", ".svg"])
def test_nothing_is_loaded_and_nothing_runs(tmp_path: Path, suffix: str) -> None:
    text = chart(tmp_path, results({"mine": share(0.2)}), suffix=suffix)
    page = Page(text)
    assert not {"script", "link", "img", "image", "iframe", "object"}.intersection(page.tags)
    assert "@import" not in text
    assert all(target.startswith("#") for target in re.findall(r"url\(['\"]?(.)", text))
    links = [value for name, value in page.attributes if name.endswith(("href", "src"))]
    assert all(link.startswith("#") for link in links)


def test_every_colour_follows_the_theme(tmp_path: Path) -> None:
    text = chart(tmp_path, results({"mine": share(0.2), "other": share(0.3)}))
    svg = parsed(text)
    styles = " ".join(element.get("style", "") for element in svg.iter())
    used = set(re.findall(r"var\((--[a-z0-9-]+)\)", styles))
    assert {"--page", "--text", "--series-0", "--series-1"} <= used
    # A colour that matplotlib chose would be for the light only.
    assert not re.findall(r"#[0-9a-f]{6}", styles)
    light, _, dark = (svg.findtext(f"{SVG}style") or "").partition("@media")
    assert "prefers-color-scheme:dark" in dark
    assert all(f"{name}:" in light and f"{name}:" in dark for name in used)


def linear(colour: str) -> list[float]:
    """https://www.w3.org/TR/css-color-4/#color-conversion-code"""
    channels = [int(colour[place : place + 2], 16) / 255 for place in (1, 3, 5)]
    return [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels]


def product(matrix: Matrix, vector: list[float]) -> list[float]:
    return [sum(a * b for a, b in zip(row, vector, strict=True)) for row in matrix]


def luminance(colour: str) -> float:
    """https://www.w3.org/TR/WCAG22/#dfn-relative-luminance"""
    return product(XYZ, linear(colour))[1]


def contrasts(colour: Colour) -> Iterator[float]:
    """https://www.w3.org/TR/WCAG22/#dfn-contrast-ratio"""
    for one, page in ((colour.light, PAGE.light), (colour.dark, PAGE.dark)):
        low, high = sorted((luminance(one), luminance(page)))
        yield (high + 0.05) / (low + 0.05)


def test_text_and_lines_stand_out_in_light_and_dark() -> None:
    assert min(contrasts(TEXT)) > 7
    # https://www.w3.org/TR/WCAG22/#non-text-contrast
    assert all(min(contrasts(colour)) > 3 for colour in SERIES)
    assert min(contrasts(GRID)) > 1.2


def lab(colour: str, eyes: str) -> tuple[float, float, float]:
    """CIE 1976 L*a*b*, in which a distance of 2 can just be seen."""
    seen = [min(1.0, max(0.0, channel)) for channel in product(SEEN_BY[eyes], linear(colour))]
    white = product(XYZ, [1, 1, 1])
    ratios = [a / b for a, b in zip(product(XYZ, seen), white, strict=True)]
    x, y, z = (r ** (1 / 3) if r > 0.008856 else 7.787 * r + 16 / 116 for r in ratios)
    return 116 * y - 16, 500 * (x - y), 200 * (y - z)


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("eyes", SEEN_BY)
def test_colours_are_apart_whoever_looks(eyes: str, theme: str) -> None:
    seen = [lab(getattr(colour, theme), eyes) for colour in SERIES]
    assert min(math.dist(one, other) for one, other in combinations(seen, 2)) > 30


@pytest.mark.parametrize(
    ("value", "shown"),
    [(0, "0\u00d7"), (0.2514, "0.251\u00d7"), (12.345, "12.3\u00d7"), (1234.5, "1,234\u00d7")],
)
def test_shares_are_told_as_times(value: float, shown: str) -> None:
    assert times(value) == shown


def complaint(capsys: pytest.CaptureFixture[str], *arguments: Path | str) -> str:
    assert cli.main(["benchmarks", "chart", *map(str, arguments)]) == 2
    return capsys.readouterr().err


@pytest.mark.parametrize(
    ("changed", "problem"),
    [
        ({"taken": "yesterday"}, "ISO 8601"),
        ({"taken": "0001-01-01T00:00:00+23:00"}, "ISO 8601"),
        ({"format": 2}, "format 2"),
        ({"rows": []}, "no row is compared with 'starlette'"),
        ({"rows": "none"}, "$.rows"),
    ],
)
def test_a_bad_result_is_named(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], changed: dict[str, Any], problem: str
) -> None:
    path = tmp_path / "bad.json"
    path.write_text(json.dumps({**json.loads(dump(results({"mine": share(1)}))), **changed}))
    error = complaint(capsys, path, "--output", tmp_path / "chart.svg")
    assert "bad.json" in error
    assert problem in error


@pytest.mark.parametrize(
    "bad",
    [Share(value=1, low=2, high=3), Share(value=1e308, low=1, high=1e308)],
    ids=["outside of its interval", "beyond measure"],
)
def test_a_share_that_was_not_measured_is_named(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], bad: Share
) -> None:
    path = tmp_path / "bad.json"
    path.write_bytes(dump(results({"mine": bad})))
    assert "of 'mine' for 'allowed'" in complaint(capsys, path, "--output", tmp_path / "chart.svg")


def test_a_result_with_nothing_in_common_is_named(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    paths = [tmp_path / name for name in ("one.json", "two.json", "stranger.json")]
    for path, name in zip(paths, ("mine", "mine", "other"), strict=True):
        path.write_bytes(dump(results({name: share(1)})))
    error = complaint(capsys, *paths, "--output", tmp_path / "chart.svg")
    assert "stranger.json: no row in common" in error


@pytest.mark.parametrize(
    ("output", "problem"),
    [
        ("chart.png", "expected a name that ends in .html or .svg"),
        ("chart", "expected a name that ends in .html or .svg"),
    ],
)
def test_an_output_that_cannot_be_is_named(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], output: str, problem: str
) -> None:
    path = tmp_path / "results.json"
    path.write_bytes(dump(results({"mine": share(1)})))
    error = complaint(capsys, path, "--output", tmp_path / output)
    assert output in error
    assert problem in error


def test_what_charts_need_is_named_where_it_is_missing(tmp_path: Path) -> None:
    path = tmp_path / "results.json"
    path.write_bytes(dump(results({"mine": share(1)})))
    program = (
        "import sys; sys.modules['matplotlib'] = None\n"
        "from cors_conformance import cli; sys.exit(cli.main(sys.argv[1:]))"
    )
    output = tmp_path / "chart.svg"
    arguments = ["benchmarks", "chart", str(path), "--output", str(output)]
    ran = subprocess.run(
        [sys.executable, "-c", program, *arguments], capture_output=True, check=False, text=True
    )
    assert ran.returncode == 2
    assert "cors-conformance[charts]" in ran.stderr
    assert "Traceback" not in ran.stderr
