"""One engine, many scenarios: who agrees, what the table covers, what nobody has explained."""

import time
from collections import Counter
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from itertools import chain
from typing import Final, TypeAlias

from cors_conformance.browsers.casefile import examples
from cors_conformance.browsers.comparing import Disagreement, disagreement
from cors_conformance.browsers.deviations import deviations_of, expected_of, met
from cors_conformance.browsers.drawing import batches
from cors_conformance.browsers.driving import PageLost, Theatre
from cors_conformance.browsers.engines import Engine, started
from cors_conformance.browsers.observing import Seen, observe
from cors_conformance.browsers.scenario import Scenario
from cors_conformance.browsers.shrinking import shrink

BATCH: Final = 400
PATIENCE: Final = 240.0
"""Seconds for a batch; some scenarios wait for caches to go stale."""

REPORTED: Final = 20
"""Unexplained disagreements that are shrunk, one of each kind; more are only counted."""

Progress: TypeAlias = Callable[[int], None]
Play: TypeAlias = Callable[[Sequence[Scenario]], list[tuple[Seen, ...]]]


@dataclass(slots=True, kw_only=True)
class EngineReport:
    """What came of one engine.

    Attributes:
        engine: the engine; `version` is what it says of itself.
        seed: the seed of the scenarios.
        scenarios: how many were run; `seconds` is how long it took.
        agreed: how many engine and model did alike; `forgetful` of these only since a cache
            forgot what it could have kept, as it may.
        covered: how many the table predicts.
        met: how often each deviation was needed for that.
        unexplained: how many nobody predicts; `smallest` are the smallest of each kind.
        examples: for each deviation that was met a small scenario, with how many were met in it.

    """

    engine: Engine
    version: str
    seed: int
    scenarios: int = 0
    seconds: float = 0.0
    agreed: int = 0
    forgetful: int = 0
    covered: int = 0
    unexplained: int = 0
    met: Counter[str] = field(default_factory=Counter)
    smallest: list[Disagreement] = field(default_factory=list)
    examples: dict[str, tuple[int, Scenario]] = field(default_factory=dict)

    @property
    def gone(self) -> tuple[str, ...]:
        """The deviations that were not met, in their own examples neither."""
        listed = deviations_of(self.engine.name)
        return tuple(item.id for item in listed if item.id not in self.met)


class EngineRun:
    """An engine that is compared with the model."""

    def __init__(self, engine: Engine, executable: str, version: str, seed: int) -> None:
        """Prepare a run."""
        self._engine = engine
        self._executable = executable
        self.report = EngineReport(engine=engine, version=version, seed=seed)
        self._kinds: dict[frozenset[str], Disagreement] = {}

    def run(
        self, count: int, progress: Progress = lambda _: None, *, exemplify: bool = False
    ) -> EngineReport:
        """Run the examples of the table and `count` other scenarios or a few more.

        What is unexplained is shrunk, and with `exemplify` the examples that were met, too.

        Raises:
            PageLost: the engine failed twice to answer for the same batch.

        """
        start = time.monotonic()
        report = self.report
        with ExitStack() as closing:
            theatre = closing.enter_context(Theatre().running())
            browser = closing.enter_context(ExitStack())
            browser.enter_context(started(self._engine, self._executable, theatre.start_url))

            def play(scenarios: Sequence[Scenario]) -> list[tuple[Seen, ...]]:
                played = attempt(scenarios)
                for index, seen in enumerate(played):
                    # Once more, alone: the machine may have been busy.
                    if any(fetch.result == "timeout" for fetch in seen):
                        (played[index],) = attempt([scenarios[index]])
                return played

            def attempt(scenarios: Sequence[Scenario]) -> list[tuple[Seen, ...]]:
                try:
                    return theatre.play(scenarios, seconds=PATIENCE)
                except PageLost:
                    # Once is a crash of a browser; twice is a scenario that crashes it.
                    browser.close()
                    theatre.forget()
                    browser.enter_context(
                        started(self._engine, self._executable, theatre.start_url)
                    )
                    return theatre.play(scenarios, seconds=PATIENCE)

            for batch in chain([self._known()], batches(count, number=report.seed, size=BATCH)):
                for scenario, seen in zip(batch, play(batch), strict=True):
                    self._judge(scenario, seen)
                report.scenarios += len(batch)
                progress(report.scenarios)
            for kind, found in list(self._kinds.items())[:REPORTED]:
                report.smallest.append(self._shrunk(kind, found, play))
            for identifier in report.examples if exemplify else ():
                self._exemplify(identifier, play)
        report.seconds = time.monotonic() - start
        return report

    def _known(self) -> list[Scenario]:
        listed = {item.id for item in deviations_of(self._engine.name)}
        return [scenario for name, scenario in examples().items() if name in listed]

    def _exemplify(self, identifier: str, play: Play) -> None:
        most, example = self.report.examples[identifier]
        name = self._engine.name

        def shows(scenario: Scenario, seen: tuple[Seen, ...]) -> bool:
            found = disagreement(scenario, observe(scenario, seen), seen)
            if found is None or self._unexplained(scenario, seen) is not None:
                return False
            ids = tuple(met(name, found, seen))
            return identifier in ids and len(ids) <= most

        def holds(scenarios: Sequence[Scenario]) -> list[bool]:
            played = zip(scenarios, play(scenarios), strict=True)
            return [shows(scenario, seen) for scenario, seen in played]

        self.report.examples[identifier] = (most, shrink(example, holds))

    def _judge(self, scenario: Scenario, seen: tuple[Seen, ...]) -> None:
        report = self.report
        plain = observe(scenario)
        if plain == seen:
            report.agreed += 1
            return
        found = (
            disagreement(scenario, observe(scenario, seen), seen)
            if scenario.is_alone
            else (disagreement(scenario, plain, seen))
        )
        if found is None:
            report.agreed += 1
            report.forgetful += 1
            return
        left = self._unexplained(scenario, seen)
        if left is not None:
            report.unexplained += 1
            known = self._kinds.get(left.kind)
            if known is None or scenario.size() < known.scenario.size():
                self._kinds[left.kind] = left
            return
        report.covered += 1
        ids = tuple(met(self._engine.name, found, seen))
        report.met.update(ids)
        for identifier in ids:
            known_example = report.examples.get(identifier)
            if known_example is None or (len(ids), scenario.size()) < (
                known_example[0],
                known_example[1].size(),
            ):
                report.examples[identifier] = (len(ids), scenario)

    def _unexplained(self, scenario: Scenario, seen: Sequence[Seen]) -> Disagreement | None:
        return disagreement(scenario, expected_of(self._engine.name, scenario, seen), seen)

    def _shrunk(
        self,
        kind: frozenset[str],
        found: Disagreement,
        play: Play,
    ) -> Disagreement:
        best = found

        def holds(scenarios: Sequence[Scenario]) -> list[bool]:
            nonlocal best
            held: list[bool] = []
            for scenario, seen in zip(scenarios, play(scenarios), strict=True):
                left = self._unexplained(scenario, seen)
                still = left is not None and left.kind == kind
                if left is not None and still and scenario.size() < best.scenario.size():
                    best = left
                held.append(still)
            return held

        shrink(found.scenario, holds)
        return best
