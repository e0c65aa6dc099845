"""What the project's own tests share: the profile under which Hypothesis runs them."""

from collections.abc import Iterator

import pytest
from hypothesis import settings

# The same examples on every machine and in every run: a failure is there again next time. To
# look for more, choose another profile: `pytest --hypothesis-profile=fuzz`.
settings.register_profile("project", derandomize=True, database=None, deadline=None)
settings.register_profile("fuzz", deadline=None, max_examples=1000, print_blob=True)
settings.load_profile("project")


@pytest.fixture
def untraced(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Measures no coverage: for tests that take long and reach what others have reached."""
    # By this, programs that the test starts are measured.
    monkeypatch.delenv("COVERAGE_PROCESS_CONFIG", raising=False)
    try:
        from coverage import Coverage  # noqa: PLC0415 - the tests run without it as well
    except ImportError:
        yield
        return
    measuring = Coverage.current()
    if measuring is None:
        yield
        return
    measuring.stop()
    yield
    measuring.start()
