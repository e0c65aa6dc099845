"""From hostile text and bytes to one line that says nothing to a terminal."""

from typing import Final

LONGEST: Final = 400
"""Characters of one value that are shown; who needs more has the JSON report."""


def printable(text: str, limit: int = LONGEST) -> str:
    """Escape what is not printable - control characters, ANSI sequences, bidi marks - and cut."""
    shown = "".join(char if char.isprintable() else _escaped(char) for char in text[:limit])
    return shown if len(text) <= limit else f"{shown}... (cut: {len(text)} characters)"


def wire(value: bytes, limit: int = LONGEST) -> str:
    r"""Show bytes of the wire as ASCII: `\xNN` for what is not printable, `\\` for a backslash."""
    shown = "".join(map(_byte, value[:limit]))
    return shown if len(value) <= limit else f"{shown}... (cut: {len(value)} bytes)"


def is_plain(value: bytes) -> bool:
    """Whether every byte is printable ASCII."""
    return all(0x20 <= byte < 0x7F for byte in value)  # noqa: PLR2004 - SP and DEL


def _byte(byte: int) -> str:
    if byte == ord("\\"):
        return "\\\\"
    return chr(byte) if is_plain(bytes((byte,))) else f"\\x{byte:02x}"


def _escaped(char: str) -> str:
    return char.encode("unicode_escape").decode("ascii")
