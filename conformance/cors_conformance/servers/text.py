"""What went wrong, in one line of printable ASCII: replies and reports carry nothing else."""

from typing import Final

LONGEST: Final = 300


def one_line(text: str) -> str:
    """Return `text` with white space collapsed, the unprintable escaped, the overlong cut."""
    line = " ".join(text.split()).encode("ascii", "backslashreplace").decode("ascii")
    line = "".join(char if char.isprintable() else f"\\x{ord(char):02x}" for char in line)
    return line if len(line) <= LONGEST else f"{line[: LONGEST - 3]}..."


def describe_error(error: BaseException) -> str:
    """Return the exception's type and message; its `__str__` is foreign code and may fail too."""
    kind = type(error).__name__
    try:
        text = str(error)
    except Exception:  # noqa: BLE001 - a broken `__str__` is the subject's, and no reason to die
        text = "(its message cannot be shown)"
    return one_line(f"{kind}: {text}" if text else kind)


def describe_value(value: object) -> str:
    """Return the value's `repr`, cut to what fits within a sentence."""
    try:
        text = repr(value)
    except Exception:  # noqa: BLE001 - as above
        text = f"a {type(value).__name__}"
    line = one_line(text)
    return line if len(line) <= LONGEST // 3 else f"{line[: LONGEST // 3 - 3]}..."
