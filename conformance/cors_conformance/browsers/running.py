"""One engine, many scenarios: who agrees, what the table covers, what nobody has explained."""

import time
from collections import Counter
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from typing import Final, TypeAlias

from cors_conformance.browsers.casefile import examples
from cors_conformance.browsers.comparing import Disagreement, disagreement
from cors_conformance.browsers.deviations import Deviation, deviations_of, expected_of, gone, met
from cors_conformance.browsers.drawing import batches
from cors_conformance.browsers.driving import LastWords, PageLost, Theatre
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
        gone: the deviations that are left behind: their own examples do without, and all else.
        unsteady: how many nobody predicts, which went as they should the second time.
        unexplained: how many nobody predicts, twice; `smallest` are the smallest of each kind.
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
    unsteady: int = 0
    unexplained: int = 0
    gone: tuple[str, ...] = ()
    met: Counter[str] = field(default_factory=Counter)
    smallest: list[Disagreement] = field(default_factory=list)
    examples: dict[str, tuple[int, Scenario]] = field(default_factory=dict)


class EngineRun:
    """An engine that is compared with the model."""

    def __init__(self, engine: Engine, executable: str, version: str, seed: int) -> None:
        """Prepare a run."""
        self._engine = engine
        self._executable = executable
        self.report = EngineReport(engine=engine, version=version, seed=seed)
        self._tables = [deviations_of(engine.name)]
        self._kinds: dict[frozenset[str], Disagreement] = {}

    def run(
        self, count: int, progress: Progress = lambda _: None, *, exemplify: bool = False
    ) -> EngineReport:
        """Run the examples of the table and `count` other scenarios or a few more.

        What is unexplained is shrunk, and with `exemplify` the examples that were met, too.

        Raises:
            EngineFails, OSError, PageLost: the engine does not start, or failed twice to answer
                for the same batch.

        """
        start = time.monotonic()
        with Theatre().running() as theatre, ExitStack() as browser:
            play = self._player(theatre, browser)
            self._leave_out_what_is_gone(play)
            for batch in batches(count, number=self.report.seed, size=BATCH):
                self._run_batch(batch, play)
                progress(self.report.scenarios)
            for kind, found in list(self._kinds.items())[:REPORTED]:
                self.report.smallest.append(self._shrunk(kind, found, play))
            for identifier in self.report.examples if exemplify else ():
                self._exemplify(identifier, play)
        self.report.gone = tuple(item for item in self.report.gone if item not in self.report.met)
        self.report.seconds = time.monotonic() - start
        return self.report

    def _player(self, theatre: Theatre, browser: ExitStack) -> Play:
        """Return what plays scenarios in a browser, which it starts again where that is lost."""

        def start() -> LastWords:
            running = started(self._engine, self._executable, theatre.start_url)
            return browser.enter_context(running).last_words

        last_words = start()

        def attempt(scenarios: Sequence[Scenario]) -> list[tuple[Seen, ...]]:
            nonlocal last_words
            try:
                return theatre.play(scenarios, seconds=PATIENCE, last_words=last_words)
            except PageLost:
                # Once is a crash of a browser; twice is a scenario that crashes it.
                browser.close()
                theatre.forget()
                last_words = start()
                return theatre.play(scenarios, seconds=PATIENCE, last_words=last_words)

        def play(scenarios: Sequence[Scenario]) -> list[tuple[Seen, ...]]:
            played = attempt(scenarios)
            for index, seen in enumerate(played):
                # Once more, alone: the machine may have been busy.
                if any(fetch.result == "timeout" for fetch in seen):
                    (played[index],) = attempt([scenarios[index]])
            return played

        return play

    def _leave_out_what_is_gone(self, play: Play) -> None:
        """Run the examples of the table; from then on try it without what this version mended."""
        (lines,) = self._tables
        known = examples()
        # A line that was just written has none until a run has made it.
        tried = [item for item in lines if item.id in known]
        batch = [known[item.id] for item in tried]
        played = {
            item.id: (known[item.id], seen) for item, seen in zip(tried, play(batch), strict=True)
        }
        mended = gone(lines, played)
        self.report.gone = tuple(item.id for item in mended)
        if mended:
            self._tables.insert(0, tuple(item for item in lines if item not in mended))
        self._run_batch(batch, play)

    def _run_batch(self, batch: Sequence[Scenario], play: Play) -> None:
        self.report.scenarios += len(batch)
        played = zip(batch, play(batch), strict=True)
        strange = [item for item, seen in played if not self._is_explained(item, seen)]
        for scenario, seen in zip(strange, play(strange), strict=True):
            if self._is_explained(scenario, seen):
                self.report.unsteady += 1
            else:
                self._keep(scenario, seen)

    def _exemplify(self, identifier: str, play: Play) -> None:
        most, example = self.report.examples[identifier]

        def shows(scenario: Scenario, seen: tuple[Seen, ...]) -> bool:
            found = disagreement(scenario, observe(scenario, seen), seen)
            lines = self._explaining(scenario, seen)
            if found is None or lines is None:
                return False
            ids = tuple(met(lines, found, seen))
            return identifier in ids and len(ids) <= most

        def holds(scenarios: Sequence[Scenario]) -> list[bool]:
            played = zip(scenarios, play(scenarios), strict=True)
            return [shows(scenario, seen) for scenario, seen in played]

        self.report.examples[identifier] = (most, shrink(example, holds))

    def _is_explained(self, scenario: Scenario, seen: tuple[Seen, ...]) -> bool:
        """Whether the standard or the table has it so; if so, it is counted."""
        report = self.report
        plain = observe(scenario)
        found = disagreement(scenario, plain, seen)
        if found is not None and scenario.is_alone:
            found = disagreement(scenario, observe(scenario, seen), seen)
        if found is None:
            report.agreed += 1
            report.forgetful += plain != seen
            return True
        lines = self._explaining(scenario, seen)
        if lines is None:
            return False
        report.covered += 1
        ids = tuple(met(lines, found, seen))
        report.met.update(ids)
        for identifier in ids:
            known = report.examples.get(identifier)
            if known is None or (len(ids), scenario.size()) < (known[0], known[1].size()):
                report.examples[identifier] = (len(ids), scenario)
        return True

    def _keep(self, scenario: Scenario, seen: tuple[Seen, ...]) -> None:
        """Count what is unexplained; keep the smallest of its kind."""
        self.report.unexplained += 1
        left = self._unexplained(scenario, seen)
        if left is None:
            return
        known = self._kinds.get(left.kind)
        if known is None or scenario.size() < known.scenario.size():
            self._kinds[left.kind] = left

    def _explaining(
        self, scenario: Scenario, seen: tuple[Seen, ...]
    ) -> tuple[Deviation, ...] | None:
        """Return the lines that predict it, `None` where neither the whole table does nor less."""
        return next(
            (lines for lines in self._tables if expected_of(lines, scenario, seen) == seen), None
        )

    def _unexplained(self, scenario: Scenario, seen: tuple[Seen, ...]) -> Disagreement | None:
        # An engine may follow the standard where the table has it otherwise.
        if observe(scenario, seen) == seen or self._explaining(scenario, seen) is not None:
            return None
        return disagreement(scenario, expected_of(self._tables[0], scenario, seen), seen)

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
