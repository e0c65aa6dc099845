"""One test per implementation and rule. What fails here is the middleware, or its baseline."""

import pytest

from cors_conformance.baseline import Judged, Verdict
from cors_conformance.implementation import Implementation
from cors_conformance.report.text import finding_lines, plain, reason
from cors_conformance.rules.base import Rule
from cors_conformance.suite.session import CannotJudge, suite_of


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    suite = suite_of(metafunc.config)
    metafunc.parametrize(("implementation", "rule"), suite.parameters())


@pytest.fixture
def judged(request: pytest.FixtureRequest, implementation: Implementation, rule: Rule) -> Judged:
    """Return what came of the rule; without a verdict this is an error, not a failure."""
    try:
        return suite_of(request.config).judged(implementation.name, rule)
    except CannotJudge as error:
        message = str(error)
    # Outside of the handler: what led to it would be printed, too.
    pytest.fail(message, pytrace=False)


def test_rule(judged: Judged, implementation: Implementation) -> None:
    match judged.verdict:
        case Verdict.NOT_TESTED:
            pytest.skip(reason(judged))
        case Verdict.FOLLOWS:
            why = f"follows from another finding: {reason(judged)}"
            pytest.xfail(why)
            # Reached with `--runxfail`.
            pytest.fail(why, pytrace=False)
        case Verdict.KNOWN | Verdict.NOTED:
            pytest.xfail(reason(judged))
        case Verdict.STALE:
            why = f"it no longer fails; remove it from the baseline: {reason(judged)}"
            pytest.fail(why, pytrace=False)
        case _:
            pass
    finding = judged.result.finding
    if finding is not None:
        pytest.fail(plain(finding_lines(finding, implementation)), pytrace=False)
