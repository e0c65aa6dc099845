"""Programs that tests start, and that end with the test however it goes."""

import os
import signal
import subprocess
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from typing import Any


@contextmanager
def launched(command: Sequence[str], **options: Any) -> Iterator[subprocess.Popen[str]]:
    """Run a command with pipes for its output; kill it, with what it started, if the test fails.

    Signals reach it also where the tests themselves were told to ignore them, as whatever runs in
    the background of a shell is: children inherit that.
    """
    former = {
        number: signal.signal(number, signal.default_int_handler)
        for number in (signal.SIGINT, signal.SIGHUP)
    }
    try:
        process = subprocess.Popen(
            command,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            start_new_session=True,
            **options,
        )
    finally:
        for number, handler in former.items():
            signal.signal(number, handler)
    with process:
        try:
            yield process
        except BaseException:
            with suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            raise
