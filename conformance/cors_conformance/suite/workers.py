"""How pytest-xdist shares the suite out: an implementation's tests share one run, so one worker."""

from collections.abc import Mapping
from typing import Any

import pytest
from xdist.scheduler import LoadScopeScheduling  # type: ignore[import-untyped]


class ByImplementation(LoadScopeScheduling):  # type: ignore[misc]  # pytest-xdist has no types
    """A scheduler that keeps together what is about one implementation.

    The mark `xdist_group` would say the same, but changes the names of tests, and is not heeded
    by every pair of versions of pytest and pytest-xdist (3.8 with pytest 9.2).
    """

    def __init__(self, config: pytest.Config, log: Any, names: Mapping[str, str]) -> None:  # noqa: ANN401 - see above
        """Take the name of the implementation for each id of a test."""
        super().__init__(config, log)
        self._names = names

    def _split_scope(self, nodeid: str) -> str:
        test = nodeid.rpartition("[")[2].removesuffix("]")
        return self._names.get(test, nodeid)
