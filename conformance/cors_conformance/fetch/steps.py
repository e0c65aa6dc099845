"""The record of what a fetch did, so that an outcome can be told in the words of the standard."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Step:
    """One decision: the anchor of the algorithm that took it, and what it was."""

    anchor: str
    text: str

    def __str__(self) -> str:
        """Give the line that reports print."""
        return f"{self.text} (https://fetch.spec.whatwg.org/{self.anchor})"


def show(value: bytes | None, limit: int = 80) -> str:
    """Give bytes as printable ASCII in backquotes, cut at `limit`; `None` is "nothing"."""
    if value is None:
        return "nothing"
    text = repr(value[:limit])[2:-1]
    return f"`{text}`" if len(value) <= limit else f"`{text}...` ({len(value)} bytes)"
