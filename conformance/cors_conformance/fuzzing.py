"""Fuzzing: a run that goes on with new seeds until it is stopped.

It begins with what a run that ends does. After the hand-picked policies a finding is shrunk and
told as soon as it is there, each rule once; rounds of random policies and of pages that fetch in
turn follow, each a search of Hypothesis of its own. What is kept does not grow with time.
"""

import signal
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field, replace
from itertools import count
from types import FrameType
from typing import Any, TypeAlias

from cors_conformance.findings import Report, RuleResult
from cors_conformance.rules.base import Rule
from cors_conformance.run import CannotTest, Run, Stage
from cors_conformance.shrinking import Drawn, Enough

Told: TypeAlias = Callable[[RuleResult], None]
"""Called with the result of a rule when it is found not to hold."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Limit:
    """Where fuzzing ends by itself; what is shrunk then is shrunk to its end."""

    seconds: float | None = None
    examples: int | None = None

    def is_reached(self, *, seconds: float, examples: int) -> bool:
        """Whether it has gone on for so long."""
        is_late = self.seconds is not None and seconds >= self.seconds
        return is_late or (self.examples is not None and examples >= self.examples)


@dataclass(slots=True, kw_only=True)
class Fuzz(Run):
    """A run of an endless profile.

    Attributes:
        limit: where it ends by itself.
        told: is told each finding when it is there.

    """

    limit: Limit = Limit()
    told: Told = lambda _: None
    _count: int = 0
    _began: float = 0.0
    _is_told: set[str] = field(default_factory=set)
    _is_interrupted: bool = False

    def report(self) -> Report:
        """Go on until the limit, SIGINT or SIGTERM; report what was found until then.

        The example that is under way is done to its end; a second signal interrupts it.

        Raises:
            CannotTest: the implementation does not start, or serves no policy.
            HarnessError: the suite or a harness is at fault; nothing is said of the implementation.
            KeyboardInterrupt: there is nothing to report yet.

        """
        self._began = time.monotonic()
        testable = self._begin()
        try:
            with _signals(self._stop):
                self._replay(testable)
                self._tell(testable)
                self._go_on(testable)
        except KeyboardInterrupt:
            self._stop()
        if self._is_interrupted and not self._served:
            raise KeyboardInterrupt
        if not self._served:
            raise CannotTest(self._nothing())
        for rule in testable:
            if self._is_to_shrink(rule):
                first = self._first(rule)
                self._found(rule, first.policy, first.source)
        self._tell(testable)
        return replace(self._report(), is_interrupted=self._is_interrupted)

    def _go_on(self, rules: Sequence[Rule]) -> None:
        # The first of them are the hand-picked policies; whether a rule ever holds is not known
        # before their end, and so not what follows from it.
        stages = list(self._stages())
        corners = len(stages) - 2
        for number in count():
            if self._is_over():
                return
            stage = stages[number] if number < len(stages) else self._round(number)
            self._explore_one(stage, number, rules, is_open=number < corners)
            if number >= corners - 1:
                self._shrink_all(rules, stages)
            if not self._served and number == len(stages):
                return
            if (number - corners) % 2:
                self._replay(rules)
                self._tell(rules)

    def _round(self, number: int) -> Stage:
        """Give a stage beyond those of a run that ends; their numbers make their seeds."""
        if number % 2:
            return self._machine(number, self._policies())
        return self._drawn(number, self._policies(), self.profile.random)

    def _explore_one(
        self, stage: Stage, number: int, rules: Sequence[Rule], *, is_open: bool
    ) -> None:
        """Judge the examples of a stage; unless `is_open`, until there is a finding."""
        example = 0

        def body(drawn: Drawn) -> None:
            nonlocal example
            if self._is_over():
                raise Enough
            example += 1
            self._count += 1
            self.progress(f"fuzzing, {len(self._is_told)} findings", self._count, 0)
            self._judge_all(drawn, rules, number, example)
            if not is_open and any(map(self._is_to_shrink, rules)):
                raise Enough

        with suppress(Enough):
            stage.run(body)

    def _shrink_all(self, rules: Sequence[Rule], stages: Sequence[Stage]) -> None:
        for rule in rules:
            if self._is_to_shrink(rule):
                number = self._first(rule).stage
                self.progress(f"shrinking {rule.id}", self._count, 0)
                self._shrink(rule, stages[number] if number < len(stages) else self._round(number))
                self._tell([rule])

    def _root_cause(self, rule: Rule) -> str | None:
        """Give it as a run that ends does; what was told stays told."""
        return None if rule.id in self._is_told else super(Fuzz, self)._root_cause(rule)

    def _tell(self, rules: Sequence[Rule]) -> None:
        """Tell the findings that were not told yet."""
        for rule in rules:
            found = self._tallies[rule.id].finding is not None
            if found and rule.id not in self._is_told and self._root_cause(rule) is None:
                self.told(self._result(rule))
                self._is_told.add(rule.id)

    def _stop(self) -> None:
        self._is_interrupted = True

    def _is_over(self) -> bool:
        seconds = time.monotonic() - self._began
        return self._is_interrupted or self.limit.is_reached(seconds=seconds, examples=self._count)


@contextmanager
def _signals(stop: Callable[[], None]) -> Iterator[None]:
    """Let the first SIGINT or SIGTERM call `stop`, and the next one interrupt.

    An event loop that is interrupted complains of the tasks that it loses.
    """
    before: dict[signal.Signals, Any] = {}

    def handle(number: int, frame: FrameType | None) -> None:
        del number, frame
        for each in before:
            signal.signal(each, signal.default_int_handler)
        stop()

    # Python lets nobody else set them.
    if threading.current_thread() is threading.main_thread():
        before |= {each: signal.signal(each, handle) for each in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield
    finally:
        for each, handler in before.items():
            signal.signal(each, handler)
