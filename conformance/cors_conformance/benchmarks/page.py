"""A page with the chart of a history, and with its figures as a table."""

from collections.abc import Iterable, Iterator
from html import escape

from cors_conformance.benchmarks.drawing import draw, told
from cors_conformance.benchmarks.history import History
from cors_conformance.report.escape import printable


def page(history: History) -> str:
    """Return the page. It has no script, and neither it nor a name in it can load anything."""
    return "\n".join(_lines(history)) + "\n"


def _lines(history: History) -> Iterator[str]:
    title = f"Cost of CORS middlewares, relative to {_shown(history.standard)}"
    yield f"""\
<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8"/>
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'"/>
<meta name="color-scheme" content="light dark"/>
<meta name="viewport" content="width=device-width"/>
<title>{title}</title>
<style>{_STYLE}</style>
</head>
<body>
<h1>{title}</h1>
<p>What each adds to a request, over what {_shown(history.standard)} adds in the same run; \
the bars are intervals of {_confidences(history)}. Less is better.</p>"""
    yield draw(history)
    yield "<h2>Shares</h2>"
    yield from _shares(history)
    yield "<h2>Results</h2>"
    yield from _runs(history)
    yield "</body>\n</html>"


_STYLE = """
body{background:var(--page);color:var(--text);font:15px/1.5 sans-serif;margin:2rem auto;\
max-width:70rem;padding:0 1rem}
svg{height:auto;width:100%}
div{overflow-x:auto}
table{border-collapse:collapse;font-size:13px}
th,td{border-bottom:1px solid var(--grid);padding:.25rem .75rem;text-align:left;\
vertical-align:top;white-space:nowrap}
td{font-variant-numeric:tabular-nums}
"""


def _confidences(history: History) -> str:
    return ", ".join(dict.fromkeys(f"{run.confidence * 100:g} %" for run in history.runs))


def _shares(history: History) -> Iterator[str]:
    headings = ("request", "implementation", *map(escape, history.labels()))
    rows = (
        (
            _shown(kind),
            _shown(one.implementation),
            *("" if share is None else told(share) for share in one.shares),
        )
        for kind, series in history.kinds.items()
        for one in series
    )
    yield from _table(headings, rows)


def _runs(history: History) -> Iterator[str]:
    rows = []
    for run, time in zip(history.runs, history.times, strict=True):
        machine = run.machine
        subjects = (
            f"{name} {subject.version}: {subject.findings} findings"
            for name, subject in run.subjects.items()
        )
        rows.append(
            (
                f"{time:%Y-%m-%d %H:%M} UTC",
                _shown(run.commit),
                _shown(f"{machine.processor}, {machine.cores} cores, {machine.system}"),
                _shown(machine.python),
                "<br/>".join(map(_shown, subjects)),
            )
        )
    yield from _table(("taken", "commit", "machine", "Python", "in a quick run"), rows)


def _table(headings: Iterable[str], rows: Iterable[Iterable[str]]) -> Iterator[str]:
    heads = "".join(f'<th scope="col">{heading}</th>' for heading in headings)
    yield f"<div><table>\n<thead><tr>{heads}</tr></thead>\n<tbody>"
    for row in rows:
        yield f"<tr>{''.join(f'<td>{cell}</td>' for cell in row)}</tr>"
    yield "</tbody></table></div>"


def _shown(text: str) -> str:
    return escape(printable(text))
