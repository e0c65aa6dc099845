"""What a command says on standard error of bad input, or of a fault."""

import sys
from typing import Final

from cors_conformance.report.escape import printable

_LONGEST: Final = 4000


def complain(message: str) -> None:
    """Print each line of the message, escaped."""
    for line in message.splitlines():
        sys.stderr.write(f"cors-conformance: {printable(line, limit=_LONGEST)}\n")
