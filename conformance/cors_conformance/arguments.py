"""Arguments that more than one command takes."""

import argparse
import os


def positive(text: str) -> int:
    """Read a number from one on, as a `type` of argparse.

    Raises:
        ValueError: it is no number.
        argparse.ArgumentTypeError: it is less than one.

    """
    number = int(text)
    if number < 1:
        message = f"{text} is less than 1"
        raise argparse.ArgumentTypeError(message)
    return number


def add_processes(parser: argparse.ArgumentParser) -> None:
    """Declare `--processes`: as many as there are processors, unless it is told otherwise."""
    parser.add_argument(
        "--processes",
        type=positive,
        default=os.cpu_count() or 1,
        metavar="N",
        help="at a time (%(default)s)",
    )
