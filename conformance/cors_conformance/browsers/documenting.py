"""The page `docs/engines.md`, made from the table of deviations: `python -m` this module."""

import json
import sys
from typing import Any, Final

from cors_conformance.browsers.casefile import documents
from cors_conformance.browsers.deviations import DEVIATIONS, Deviation
from cors_conformance.browsers.engines import ENGINES

_HEAD: Final = """\
# Where engines leave the standard

The executable browser of this project follows the Fetch standard. It is compared with real
engines on generated scenarios:

```sh
cors-conformance browsers --engine chromium --scenarios 20000 --seed 1
```

This page lists every difference that was found. A run is green if these lines predict, byte for
byte, whatever an engine does otherwise than the standard; it says how often each was met, and
which one is gone. A version that is not listed here may have mended some of them, and may do
something new: a run says so, and neither is a failure.

What a server should send so that all engines agree: one line per header, only tokens in lists, no
empty elements, methods in upper case, digits in `Access-Control-Max-Age`, `Authorization` by name,
ASCII, and answers to preflights wherever a request may be redirected to.

Caches are no deviation: a browser may forget a permission or a response whenever it likes, so a
server is asked more often than it might be. Chromium, Firefox and WebKit all remember nothing
after a negative `Access-Control-Max-Age`. Cookies across sites follow each engine's own policy, and
lines of `Set-Cookie` that make no sense are read in as many ways as there are engines: neither is
compared.

"""


def page() -> str:
    """Return the page."""
    known = documents()
    overview = [
        "| id | engines |",
        "| --- | --- |",
        *(f"| [{item.id}](#{item.id}) | {_engines(item)} |" for item in DEVIATIONS),
    ]
    parts = [_part(item, known.get(item.id)) for item in DEVIATIONS]
    return _HEAD + "\n".join(overview) + "\n\n" + "\n".join(parts)


def _engines(item: Deviation) -> str:
    return ", ".join(f"{ENGINES[name].product} {version}" for name, version in item.engines)


def _part(item: Deviation, example: dict[str, Any] | None) -> str:
    lines = [
        f"## {item.id}",
        "",
        f"Seen in {_engines(item)}.",
        "",
        f"- [The standard]({item.url}): {item.standard}",
        f"- The engine: {item.engine}",
        f"- For servers: {item.advice}",
        "",
    ]
    if example is not None:
        kept = {key: value for key, value in example.items() if key not in {"id", "source"}}
        lines += [
            "A small case, with what the standard expects:",
            "",
            "```text",
            json.dumps(kept, indent=1),
            "```",
            "",
        ]
    return "\n".join(lines)


if __name__ == "__main__":
    sys.stdout.write(page())
