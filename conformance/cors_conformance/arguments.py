"""Arguments that more than one command takes."""

import argparse
import os
from pathlib import Path


def positive(text: str) -> int:
    """Read a number from one on, as a `type` of argparse.

    Raises:
        argparse.ArgumentTypeError: it is no whole number, or less than one.

    """
    try:
        number = int(text)
    except ValueError:
        message = f"{text!r} is no whole number"
        raise argparse.ArgumentTypeError(message) from None
    if number < 1:
        message = f"{text} is less than 1"
        raise argparse.ArgumentTypeError(message)
    return number


def output(text: str) -> Path:
    """Read the name of a file to write, as a `type` of argparse; the file is left as it is.

    Raises:
        argparse.ArgumentTypeError: its folder is not there, or it is a folder itself: to be told
            before the work, not after it.

    """
    path = Path(text)
    if not text or path.is_dir():
        message = f"{text!r} is no name of a file"
        raise argparse.ArgumentTypeError(message)
    if not path.parent.is_dir():
        message = f"{text!r} cannot be written: there is no folder {str(path.parent)!r}"
        raise argparse.ArgumentTypeError(message)
    return path


def add_processes(parser: argparse.ArgumentParser) -> None:
    """Declare `--processes`: as many as there are processors, unless it is told otherwise."""
    parser.add_argument(
        "--processes",
        type=positive,
        default=os.cpu_count() or 1,
        metavar="N",
        help="at a time (%(default)s)",
    )
