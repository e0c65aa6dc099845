"""The rules as property tests: for HypoFuzz, which runs such tests.

It is no `test_*.py`, so that the suite is collected without it; name it where it is wanted:
`hypothesis fuzz -- --pyargs cors_conformance.suite.fuzzing --implementation NAME`.

There is one test for each implementation and for each kind of thing that rules look at: HypoFuzz
ends a test with its first failure, and wants a hundred examples of a test within a minute.
"""

from dataclasses import dataclass, replace
from typing import Final

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from cors_conformance.report.text import finding_lines, plain
from cors_conformance.rules.base import Look
from cors_conformance.run import Run
from cors_conformance.suite.session import suite_of

_MOST: Final = 999
"""More than a batch has things to do."""


@dataclass(frozen=True, slots=True, repr=False)
class Subject:
    """An implementation, and the rules that look at the same.

    HypoFuzz writes down what a test is called with for every example, so that it is only named.
    """

    run: Run
    look: Look

    def __repr__(self) -> str:
        return f"{self.run.implementation.name}-{self.look.value}"


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    subjects = [
        Subject(replace(run, rules=rules), look)
        for run in suite_of(metafunc.config).runs()
        for look in Look
        if (rules := tuple(rule for rule in run.testable() if rule.look is look))
    ]
    metafunc.parametrize("subject", subjects, ids=repr)


# No profile of the suite: examples are to be kept where Hypothesis is told to keep them, and
# HypoFuzz takes no test with a database of its own, nor one with all health checks off. It gives
# a test its parameters, and no `request`.
@settings(
    deadline=None,
    suppress_health_check=[check for check in HealthCheck if check is not HealthCheck.nested_given],
)
@given(data=st.data())
def test_no_rule_is_broken(subject: Subject, data: st.DataObject) -> None:
    run = subject.run
    # Of a batch one thing is done: a fuzzer learns more of many small examples.
    drawn = data.draw(run.examples())
    finding = run.first_finding(drawn, data.draw(st.integers(0, _MOST)))
    if finding is not None:
        pytest.fail(plain(finding_lines(finding, run.implementation)), pytrace=False)
