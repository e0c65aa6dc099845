"""One run of the suite under pytest: what is tested, what came of it, and telling so."""

import json
import random
from argparse import ArgumentTypeError
from dataclasses import replace
from pathlib import Path
from typing import Any, Final

import pytest

from cors_conformance.arguments import output
from cors_conformance.baseline import Judged, Judgement
from cors_conformance.profiles import PROFILES
from cors_conformance.report import json as json_report
from cors_conformance.report.escape import printable
from cors_conformance.report.text import header_line, plain, summary_lines
from cors_conformance.rules.base import Rule
from cors_conformance.run import CannotTest, Run
from cors_conformance.selection import Asked, BadSelection, Selection, read
from cors_conformance.servers.base import HarnessError
from cors_conformance.servers.text import describe_error
from cors_conformance.suite.progress import shown

_KEY: Final = "cors_conformance"
"""What a worker of pytest-xdist and its controller tell each other stands under this key."""


class CannotJudge(Exception):
    """There is no verdict, and that is no finding; the message says why and whose matter it is."""


class Suite:
    """The plug-in of one run. It tests each implementation once per process, when it is needed."""

    def __init__(self, config: pytest.Config) -> None:
        """Read the options.

        Raises:
            pytest.UsageError: they select nothing that can be run.

        """
        self._config = config
        self._worker: dict[str, Any] | None = getattr(config, "workerinput", None)
        self._json_out = _json_out(config.option.conformance_json)
        self._selection = self._selected()
        self._wanted: dict[str, list[Rule]] = {}
        self._done: dict[str, Judgement | None] = {}
        self._runs: dict[str, dict[str, Any]] = {}

    def _selected(self) -> Selection:
        option = self._config.option
        profile = PROFILES.get(option.conformance_profile)
        if profile is None:
            known = ", ".join(name for name, one in PROFILES.items() if not one.is_endless)
            message = f"there is no profile {option.conformance_profile!r}; there are {known}"
            raise pytest.UsageError(message)
        if profile.is_endless:
            message = (
                f"the profile {profile.name} does not end, and tests do; take `long` here,"
                " or `cors-conformance run NAME --profile fuzz`"
            )
            raise pytest.UsageError(message)
        asked = Asked(
            implementations=option.conformance_implementations,
            rules=option.conformance_rules,
            policy=option.conformance_policy,
            profile=option.conformance_profile,
            seed=option.conformance_seed,
            baseline=option.conformance_baseline,
            ignore_shipped_baseline=option.conformance_no_baseline,
            token=option.conformance_replay,
            database=option.conformance_database,
        )
        try:
            selection = read(asked)
        except BadSelection as error:
            lines = [printable(line, limit=4000) for line in str(error).splitlines()]
            raise pytest.UsageError(*lines) from error
        if selection.seed is not None or selection.profile.is_deterministic:
            return selection
        # Drawn here, so that the header can name it and all workers search alike.
        drawn = random.randrange(2**32)  # noqa: S311 - a seed to print, not a secret
        return replace(selection, seed=drawn if self._worker is None else self._worker[_KEY])

    def parameters(self) -> list[Any]:
        """Return the parameters of `test_rule`: an implementation and a rule."""
        parameters = []
        for implementation in self._selection.implementations:
            name = implementation.name
            for rule in self._selection.rules:
                test = pytest.param(implementation, rule, id=f"{name}-{rule.id}")
                parameters.append(test)
        for missing in self._selection.missing:
            why = f"not installed: {missing.reason}; {missing.install}"
            skip = pytest.mark.skip(reason=why)
            parameters.append(pytest.param(None, None, id=missing.name, marks=skip))
        return parameters

    def runs(self) -> list[Run]:
        """Return a run of each implementation, by the rules that would make a new finding."""
        return [self._selection.run(item) for item in self._selection.implementations]

    def pytest_report_header(self) -> list[str]:
        """Name what is tested, in which version, how, and what is not there."""
        selection = self._selection
        profile = "replay" if selection.token is not None else selection.profile.name
        lines = [
            "cors-conformance: "
            + header_line(item, profile, selection.seed, len(selection.rules)).plain
            for item in selection.implementations
        ]
        lines += [
            f"cors-conformance: {missing.name} is not installed; {missing.install}"
            for missing in selection.missing
        ]
        return lines

    def pytest_collection_finish(self, session: pytest.Session) -> None:
        """See which rules are left to judge after `-k` and the like.

        The others are not judged: a finding that follows from one that was deselected would
        otherwise be excused by what nobody sees.
        """
        self._wanted.clear()
        for item in session.items:
            callspec = getattr(item, "callspec", None)
            implementation = None if callspec is None else callspec.params.get("implementation")
            if callspec is not None and implementation is not None and "rule" in callspec.params:
                self._wanted.setdefault(implementation.name, []).append(callspec.params["rule"])

    def judged(self, name: str, rule: Rule) -> Judged:
        """Return what came of a rule; the first time for an implementation, test it.

        Raises:
            CannotJudge: it cannot be tested, or the suite or a harness is at fault.

        """
        if name not in self._done:
            self._done[name] = None
            judgement = self._done[name] = self._judge(name)
            self._runs[name] = {
                "lines": plain(summary_lines(judgement)),
                "json": json_report.run(judgement),
            }
        done = self._done[name]
        if done is None:
            message = f"{printable(name)} could not be judged; the first error of it says why"
            raise CannotJudge(message)
        return done.of(rule.id)

    def _judge(self, name: str) -> Judgement:
        (implementation,) = (item for item in self._selection.implementations if item.name == name)
        # A rule can be wanted twice, by `--count` of pytest-repeat for instance.
        rules = list({rule.id: rule for rule in self._wanted[name]}.values())
        try:
            with shown(self._config, name) as progress:
                return self._selection.judge(implementation, rules, progress)
        except (BadSelection, CannotTest) as error:
            raise CannotJudge(printable(str(error), limit=4000)) from error
        except HarnessError as error:
            message = f"a fault of a harness, and none of {name}: {describe_error(error)}"
            raise CannotJudge(printable(message, limit=4000)) from error

    def pytest_sessionfinish(self) -> None:
        """Hand over what came of the run, or write it down."""
        if self._worker is not None:
            # Text, as that is what surely passes between processes.
            vars(self._config)["workeroutput"][_KEY] = json.dumps(self._runs)
        elif self._json_out is not None:
            document = json_report.dumps(run["json"] for run in self._in_order())
            self._json_out.write_text(document, encoding="ascii")

    @pytest.hookimpl(optionalhook=True)
    def pytest_configure_node(self, node: Any) -> None:  # noqa: ANN401 - of pytest-xdist
        """Give a worker the seed."""
        node.workerinput[_KEY] = self._selection.seed

    @pytest.hookimpl(optionalhook=True)
    def pytest_xdist_make_scheduler(self, config: pytest.Config, log: Any) -> object:  # noqa: ANN401 - see above
        """Keep the tests of an implementation together, unless another `--dist` is asked for."""
        if config.option.dist != "loadgroup":
            return None
        from cors_conformance.suite.workers import ByImplementation  # noqa: PLC0415 - needs xdist

        names = {
            f"{implementation.name}-{rule.id}": implementation.name
            for implementation in self._selection.implementations
            for rule in self._selection.rules
        }
        return ByImplementation(config, log, names)

    @pytest.hookimpl(optionalhook=True)
    def pytest_testnodedown(self, node: Any) -> None:  # noqa: ANN401 - of pytest-xdist
        """Take over what a worker did; one that crashed has nothing to say."""
        told = getattr(node, "workeroutput", {}).get(_KEY, "{}")
        self._runs |= json.loads(told)

    def pytest_terminal_summary(self, terminalreporter: pytest.TerminalReporter) -> None:
        """Tell the sums, and what was not tested."""
        if self._runs:
            terminalreporter.section("cors-conformance")
        for run in self._in_order():
            terminalreporter.write_line(run["lines"])

    def _in_order(self) -> list[dict[str, Any]]:
        """Return the runs as they were asked for, whichever worker was first."""
        names = (implementation.name for implementation in self._selection.implementations)
        return [self._runs[name] for name in names if name in self._runs]


def suite_of(config: pytest.Config) -> Suite:
    """Return the plug-in of the run.

    Raises:
        pytest.UsageError: it is not there: plug-ins are not loaded, or options came too late.

    """
    suite = config.pluginmanager.get_plugin("cors-conformance-suite")
    if isinstance(suite, Suite):
        return suite
    message = "run the suite with `pytest --pyargs cors_conformance.suite`, its plug-in loaded"
    raise pytest.UsageError(message)


def _json_out(option: str | None) -> Path | None:
    """Return where to write; said now that it cannot be, not after minutes of work."""
    if option is None:
        return None
    try:
        return output(option)
    except ArgumentTypeError as error:
        message = f"--conformance-json: {error}"
        raise pytest.UsageError(message) from error
