"""The origins of scenarios. Scenarios name fixed ports; a run has others, and translates.

So a scenario is the same on every machine, and a case file made of one can be read.
"""

import re
from collections.abc import Mapping
from typing import Final

PAGE: Final = "http://localhost:40001"
"""Where the page is."""

API: Final = "http://localhost:40002"
"""Another origin of the same site."""

OTHER: Final = "http://localhost:40003"
"""A third origin of that site."""

FOREIGN: Final = "http://127.0.0.1:40004"
"""An origin of another site."""

NOWHERE: Final = "http://localhost:40009"
"""A port on which nobody answers."""

SERVED: Final = (40001, 40002, 40003, 40004)
UNSERVED: Final = 40009

FOLDER: Final = "/ID/"
"""Every path begins with it; a run puts the scenario's number in its place."""

_SYMBOLIC: Final = re.compile(r"4000[12349](?!\d)")
_NUMBERED: Final = re.compile(r"([/\\])n(\d{7})([/\\])")


class Places:
    """The translation of one run. `ports` has the real port for each symbolic one."""

    def __init__(self, ports: Mapping[int, int]) -> None:
        """Prepare both directions; real ports have five digits as the symbolic ones."""
        self._real = {str(port): str(real) for port, real in ports.items()}
        self._symbolic = {str(real): str(port) for port, real in ports.items()}
        self._pattern = re.compile(rf"(?<!\d)(?:{'|'.join(self._symbolic)})(?!\d)")

    def to_run(self, text: str, number: int) -> str:
        """Write what stands in a scenario as the run with that number has it."""
        text = _SYMBOLIC.sub(lambda match: self._real[match[0]], text)
        # URL parsers take a reverse solidus for a solidus.
        text = text.replace(FOLDER.replace("/", "\\"), f"\\n{number:07}\\")
        return text.replace(FOLDER, f"/n{number:07}/")

    def from_run(self, text: str) -> str:
        """Write what was seen in the run as scenarios have it."""
        text = self._pattern.sub(lambda match: self._symbolic[match[0]], text)
        return _NUMBERED.sub(r"\1ID\3", text)


def number_of(target: str) -> int | None:
    """Return the scenario's number in a path; `None` where there is none."""
    match = _NUMBERED.match(target)
    return int(match[2]) if match else None


def is_logged(url: str) -> bool:
    """Whether the path is one of a scenario; servers know of no other, and do not log them."""
    return FOLDER in url


def is_served(url: str) -> bool:
    """Whether somebody answers at that URL, as scenarios write it."""
    return url.startswith(tuple(f"{origin}/" for origin in (PAGE, API, OTHER, FOREIGN)))
