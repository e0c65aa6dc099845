"""What is going on, on one line of pytest's terminal, while an implementation is tested."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

import pytest

from cors_conformance.report.escape import printable
from cors_conformance.run import Progress

_SECONDS: Final = 0.2
"""Between two updates."""


@contextmanager
def shown(config: pytest.Config, name: str) -> Iterator[Progress]:
    """Give a function that shows progress, if pytest writes to a terminal."""
    reporter = config.pluginmanager.get_plugin("terminalreporter")
    capture = config.pluginmanager.get_plugin("capturemanager")
    if reporter is None or capture is None or not config.get_terminal_writer().hasmarkup:
        yield lambda *_: None
        return
    last = time.monotonic()
    is_begun = False

    def progress(what: str, done: int, total: int) -> None:
        nonlocal last, is_begun
        if time.monotonic() - last < _SECONDS:
            return
        # What pytest captures is what file descriptors are for in the meantime.
        with capture.global_and_fixture_disabled():
            if not is_begun:
                reporter.ensure_newline()
            reporter.rewrite(printable(f"{name}: {what} {done}/{total}", limit=70), erase=True)
        last = time.monotonic()
        is_begun = True

    yield progress
    if is_begun:
        with capture.global_and_fixture_disabled():
            reporter.rewrite("", erase=True)
