"""Comparing what the model did with what an engine did, in all that can be seen."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, fields
from typing import Final, TypeAlias

from cors_conformance.browsers.observing import Seen, Sent
from cors_conformance.browsers.scenario import Scenario
from cors_conformance.cases.schema import Step

Value: TypeAlias = object


@dataclass(frozen=True, slots=True, kw_only=True)
class Difference:
    """One thing that differs, e.g. `status` or `sent[1].origin`; `None` for what is not there."""

    key: str
    model: Value
    engine: Value

    def __str__(self) -> str:
        """Tell it in a line."""
        return f"{self.key}: model {self.model!r}, engine {self.engine!r}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Disagreement:
    """A fetch that an engine does otherwise than the model.

    Attributes:
        scenario: the scenario; `index` is the position of the fetch in it.
        model: what the model did there.
        engine: what the engine did there.

    """

    scenario: Scenario
    index: int
    model: Seen
    engine: Seen

    @property
    def step(self) -> Step:
        """The fetch with its server."""
        return self.scenario.steps[self.index]

    @property
    def differences(self) -> tuple[Difference, ...]:
        """What differs."""
        return tuple(differences(self.model, self.engine))

    @property
    def kind(self) -> frozenset[str]:
        """The keys that differ: shrinking keeps to disagreements of one kind."""
        return frozenset(difference.key for difference in self.differences)


_OF_A_FETCH: Final = tuple(field.name for field in fields(Seen) if field.name != "sent")
_OF_A_REQUEST: Final = tuple(field.name for field in fields(Sent))


def differences(model: Seen, engine: Seen) -> Iterator[Difference]:
    """Yield what differs."""
    for name in _OF_A_FETCH:
        ours, theirs = getattr(model, name), getattr(engine, name)
        if ours != theirs:
            yield Difference(key=name, model=ours, engine=theirs)
    if len(model.sent) != len(engine.sent):
        yield Difference(key="sent", model=_told(model.sent), engine=_told(engine.sent))
        return
    for index, (one, other) in enumerate(zip(model.sent, engine.sent, strict=True)):
        for name in _OF_A_REQUEST:
            ours, theirs = getattr(one, name), getattr(other, name)
            if ours != theirs:
                yield Difference(key=f"sent[{index}].{name}", model=ours, engine=theirs)


def _told(sent: Sequence[Sent]) -> tuple[str, ...]:
    return tuple(f"{item.method} {item.url} ({item.purpose})" for item in sent)


def disagreement(
    scenario: Scenario, model: Sequence[Seen], engine: Sequence[Seen]
) -> Disagreement | None:
    """Return the first fetch that differs; what follows it may only be its consequence."""
    for index, (ours, theirs) in enumerate(zip(model, engine, strict=True)):
        if ours != theirs:
            return Disagreement(scenario=scenario, index=index, model=ours, engine=theirs)
    return None
