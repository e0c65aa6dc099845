"""The rules as one property test per implementation: for HypoFuzz, which runs such tests.

It is no `test_*.py`, so that the suite is collected without it; name it where it is wanted:
`hypothesis fuzz -- --pyargs cors_conformance.suite.fuzzing --implementation NAME`.
"""

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from cors_conformance.report.text import finding_lines, plain
from cors_conformance.run import Run
from cors_conformance.suite.session import suite_of


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    runs = suite_of(metafunc.config).runs()
    metafunc.parametrize("run", [pytest.param(run, id=run.implementation.name) for run in runs])


# No profile of the suite: examples are to be kept where Hypothesis is told to keep them, and
# HypoFuzz takes no test with a database of its own, nor one with all health checks off. It gives
# a test its parameters, and no `request`.
@settings(
    deadline=None,
    suppress_health_check=[check for check in HealthCheck if check is not HealthCheck.nested_given],
)
@given(data=st.data())
def test_no_rule_is_broken(run: Run, data: st.DataObject) -> None:
    finding = run.first_finding(data.draw(run.examples()))
    if finding is not None:
        pytest.fail(plain(finding_lines(finding, run.implementation)), pytrace=False)
