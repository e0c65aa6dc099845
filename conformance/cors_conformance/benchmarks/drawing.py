"""A chart of a history, drawn with matplotlib: one picture that follows the reader's light or dark.

matplotlib draws with the colours of the light theme; in the picture each becomes a variable of CSS,
to which `prefers-color-scheme` gives another value in the dark. There is no script in it, and
nothing is loaded.
"""

import io
import math
import warnings
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final
from xml.etree import ElementTree as ET

import matplotlib as mpl
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, NullLocator

from cors_conformance.benchmarks.history import History, Series
from cors_conformance.benchmarks.results import Share
from cors_conformance.report.escape import printable

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.container import ErrorbarContainer


@dataclass(frozen=True, slots=True)
class Colour:
    """One colour in the light and in the dark theme, `#rrggbb`."""

    light: str
    dark: str


PAGE: Final = Colour("#ffffff", "#15181c")
TEXT: Final = Colour("#1b1f24", "#e7eaee")
GRID: Final = Colour("#d7dbe0", "#3a4048")
SERIES: Final = (
    Colour("#0088ee", "#66cc88"),
    Colour("#ee6600", "#eeaa00"),
    Colour("#880066", "#ee44cc"),
    Colour("#444422", "#cc2200"),
    Colour("#6600ee", "#aa00ee"),
    Colour("#aa8888", "#666666"),
)
"""Six that are far apart for the colour-blind, too, and stand out from the page, found by a search
over a grid of colours. Beside them, markers and dashes differ."""

_MARKERS: Final = ("o", "s", "^", "D", "v", "P", "X")
_DASHES: Final = ("-", "--", "-.", ":", (0, (5, 1, 1, 1, 1, 1)))

_NAME: Final = 24
"""Characters of a name that are shown in the chart; the table has more."""

_LOGARITHMIC: Final = 100
"""Shares of one kind of which one is so many times another are drawn on a logarithmic scale."""

_INCHES: Final = 10.5
_CHARACTERS: Final = 110
"""What the chart is wide."""

_SVG: Final = "http://www.w3.org/2000/svg"


def draw(history: History) -> str:
    """Return the chart as an SVG element, its text as text, with a title and a description."""
    # Glyphs that the font for measuring lacks are in the reader's.
    with mpl.rc_context(_style()), warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="Glyph", category=UserWarning)
        figure = _figure(history)
        stream = io.StringIO()
        figure.savefig(stream, format="svg", metadata=dict.fromkeys(_METADATA))
    return _themed(stream.getvalue(), _title(history), _description(history))


_METADATA: Final = ("Creator", "Date", "Format", "Type")
"""What matplotlib adds: the same results give the same file."""


def _style() -> dict[Any, Any]:
    return {
        # Text stays text: it can be read out, found and copied.
        "svg.fonttype": "none",
        "svg.hashsalt": "cors-conformance",
        # A name with dollars is no formula.
        "text.parse_math": False,
        "font.family": "sans-serif",
        "font.size": 9,
        "figure.facecolor": PAGE.light,
        "savefig.facecolor": PAGE.light,
        "axes.facecolor": PAGE.light,
        "axes.edgecolor": TEXT.light,
        "axes.labelcolor": TEXT.light,
        "axes.spines.right": False,
        "axes.spines.top": False,
        "axes.titlesize": 10,
        "axes.titlelocation": "left",
        "grid.color": GRID.light,
        "text.color": TEXT.light,
        "xtick.color": TEXT.light,
        "ytick.color": TEXT.light,
        "legend.frameon": False,
    }


def _title(history: History) -> str:
    return f"Cost above the bare application, relative to {printable(history.standard)}"


def _description(history: History) -> str:
    """Tell the newest shares, for who hears the chart."""
    sentences = [f"{len(history.runs)} results, {', '.join(history.labels())}."]
    for kind, series in history.kinds.items():
        latest = (f"{printable(one.implementation)} {_latest(one)}" for one in series)
        sentences.append(f"{printable(kind)}: {', '.join(latest)}.")
    return " ".join(sentences)


def _latest(series: Series) -> str:
    share = next(share for share in reversed(series.shares) if share is not None)
    return told(share)


def told(share: Share) -> str:
    """Tell a share and its interval."""
    return f"{times(share.value)} [{times(share.low)}, {times(share.high)}]"


def times(value: float) -> str:
    """Tell how many times what the standard adds, with three digits that count."""
    if abs(value) >= 100:  # noqa: PLR2004
        return f"{value:,.0f}\u00d7"
    return f"{float(f'{value:.3g}'):g}\u00d7" if abs(value) >= 1e-4 else f"{value:.1g}\u00d7"  # noqa: PLR2004


def _figure(history: History) -> Figure:
    """Draw a panel for each kind of request; the legend, for all of them, stands above."""
    count = len(history.kinds)
    columns = min(count, 4 if len(history.runs) == 1 else 2 if len(history.runs) <= 24 else 1)  # noqa: PLR2004
    rows = math.ceil(count / columns)
    names = history.implementations()
    figure = Figure(figsize=(_INCHES, 1.8 + 2 * rows + len(names) / 12), layout="constrained")
    panels = figure.subplots(rows, columns, squeeze=False).flatten()
    # What errorbars are drawn of is a handle too, which the types do not know.
    handles: dict[str, Any] = {}
    for index, (kind, series) in enumerate(history.kinds.items()):
        axes = panels[index]
        axes.set_title(_brief(kind, 2 * _NAME))
        for one in series:
            handles[one.implementation] = _draw_series(axes, one, names)
        axes.set_xlim(-0.5, len(history.runs) - 0.5)
        _scale(axes, series)
        axes.axhline(1, color=TEXT.light, linewidth=1, linestyle=(0, (1, 2)), zorder=1)
        axes.grid(axis="y", linewidth=0.6)
        axes.set_axisbelow(True)
        # The last panel of each column has room for the names of the runs below it.
        _name_runs(axes, _runs(history) if index + columns >= count else ())
    for axes in panels[count:]:
        axes.set_visible(False)
    legends = [_named(history, name) for name in handles]
    figure.legend(
        list(handles.values()),
        legends,
        loc="outside upper left",
        ncols=max(1, min(4, _CHARACTERS // (9 + max(map(len, legends))))),
        title=f"{_title(history)} (dotted line: as much)",
        title_fontproperties={"size": 11, "weight": "bold"},
        alignment="left",
        handlelength=4,
    )
    return figure


def _named(history: History, implementation: str) -> str:
    versions = [one for one in history.versions(implementation) if one]
    ends = versions if len(versions) <= 2 else [versions[0], versions[-1]]  # noqa: PLR2004
    told = " \u2192 ".join(_brief(one, 10) for one in ends)
    return f"{_brief(implementation)} {told}".rstrip()


def _runs(history: History) -> Iterator[str]:
    """Name each run, and what is new in it."""
    for label, news in zip(history.labels(), history.news(), strict=True):
        more = f" and {len(news) - 1} more" if len(news) > 1 else ""
        yield f"{label}, {_brief(news[0])}{more}" if news else label


def _brief(text: str, limit: int = _NAME) -> str:
    """Cut what is too long for the chart; the table below it has all."""
    shown = printable(text)
    return shown if len(shown) <= limit else f"{shown[:limit]}\u2026"


def _draw_series(axes: "Axes", series: Series, names: Sequence[str]) -> "ErrorbarContainer":
    number = names.index(series.implementation)
    # Beside each other, where intervals would hide each other.
    shift = (number - (len(names) - 1) / 2) * min(0.08, 0.5 / len(names))
    places = [index + shift for index in range(len(series.shares))]
    missing = math.nan
    values = [missing if one is None else one.value for one in series.shares]
    below = [missing if one is None else one.value - one.low for one in series.shares]
    above = [missing if one is None else one.high - one.value for one in series.shares]
    colour = SERIES[number % len(SERIES)].light
    return axes.errorbar(
        places,
        values,
        yerr=(below, above),
        color=colour,
        marker=_MARKERS[number % len(_MARKERS)],
        linestyle=_DASHES[number % len(_DASHES)],
        markersize=4.5,
        linewidth=1.2,
    )


def _scale(axes: "Axes", series: Sequence[Series]) -> None:
    shares = [share for one in series for share in one.shares if share is not None]
    sizes = [abs(share.value) for share in shares if share.value]
    least = min(share.low for share in shares)
    axes.yaxis.set_major_formatter(FuncFormatter(lambda value, _: times(value)))
    if max([*sizes, 1]) <= _LOGARITHMIC * min([*sizes, 1]) or max(sizes) <= 1:
        # From nothing; less than that spares the application's time.
        axes.axhline(0, color=TEXT.light, linewidth=0.8, zorder=1)
        if least >= 0:
            axes.set_ylim(bottom=0)
        return
    if least > 0:
        axes.set_yscale("log")
    else:
        axes.set_yscale("symlog", linthresh=max(min(sizes), 0.01))
    axes.yaxis.set_minor_locator(NullLocator())
    axes.yaxis.set_major_formatter(FuncFormatter(lambda value, _: times(value)))
    axes.set_ylabel("logarithmic")


def _name_runs(axes: "Axes", labels: Iterable[str]) -> None:
    shown = [*labels]
    axes.set_xticks(
        range(len(shown)), shown, rotation=30, ha="right", rotation_mode="anchor", fontsize=8
    )


def _themed(drawn: str, title: str, description: str) -> str:
    """Make colours variables, and say what the picture shows.

    https://www.w3.org/TR/svg2/struct.html#TitleElement
    """
    ET.register_namespace("", _SVG)
    ET.register_namespace("xlink", "http://www.w3.org/1999/xlink")
    root = ET.fromstring(drawn)  # noqa: S314 - matplotlib wrote it, just now
    named = dict(_variables())
    for element in root.iter():
        style = element.get("style")
        if style is not None:
            for name, colour in named.items():
                style = style.replace(colour.light, f"var(--{name})")
            element.set("style", style)
    root.set("role", "img")
    root.set("aria-labelledby", "chart-title chart-description")
    told = ET.Element(f"{{{_SVG}}}title", id="chart-title")
    told.text = title
    more = ET.Element(f"{{{_SVG}}}desc", id="chart-description")
    more.text = description
    theme = ET.Element(f"{{{_SVG}}}style")
    theme.text = stylesheet()
    root[:0] = [told, more, theme]
    return ET.tostring(root, encoding="unicode")


def stylesheet() -> str:
    """Give the colours of both themes to the variables that the chart uses."""
    light = "".join(f"--{name}:{colour.light};" for name, colour in _variables())
    dark = "".join(f"--{name}:{colour.dark};" for name, colour in _variables())
    return f":root{{{light}}}@media(prefers-color-scheme:dark){{:root{{{dark}}}}}"


def _variables() -> Iterator[tuple[str, Colour]]:
    yield from (("page", PAGE), ("text", TEXT), ("grid", GRID))
    yield from ((f"series-{number}", colour) for number, colour in enumerate(SERIES))
