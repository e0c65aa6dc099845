"""Profiles: how long a run searches, and whether every run searches the same."""

from dataclasses import dataclass
from typing import Final

from hypothesis import HealthCheck, Phase, Verbosity, settings

_ALWAYS: Final = settings(
    database=None,
    deadline=None,
    phases=(Phase.generate, Phase.shrink),
    suppress_health_check=list(HealthCheck),
    verbosity=Verbosity.quiet,
    report_multiple_bugs=False,
)
_MACHINES: Final = settings(_ALWAYS, stateful_step_count=12)


@dataclass(frozen=True, slots=True, kw_only=True)
class Profile:
    """How a run searches.

    Attributes:
        name: what `--profile` takes.
        corners: Hypothesis settings for each hand-picked policy.
        random: Hypothesis settings for random policies.
        machines: Hypothesis settings for the state machine of pages that fetch in turn.
        sweeps: whether each hand-picked policy is swept as well.
        is_endless: whether the search goes on until it is stopped, in rounds: those of `random` and
            `machines` are repeated, with new seeds.
        is_deterministic: whether two runs do the same; else a seed is drawn and printed.
        trials: how many examples the search for the smallest counterexample may run per rule.

    """

    name: str
    corners: settings
    random: settings
    machines: settings
    is_deterministic: bool
    trials: int
    sweeps: bool = True
    is_endless: bool = False


PROFILES: Final = {
    profile.name: profile
    for profile in (
        Profile(
            name="quick",
            corners=settings(_ALWAYS, max_examples=1, derandomize=True),
            random=settings(_ALWAYS, max_examples=20, derandomize=True),
            machines=settings(_MACHINES, max_examples=3, derandomize=True),
            sweeps=False,
            is_deterministic=True,
            trials=100,
        ),
        Profile(
            name="default",
            corners=settings(_ALWAYS, max_examples=2, derandomize=True),
            random=settings(_ALWAYS, max_examples=45, derandomize=True),
            machines=settings(_MACHINES, max_examples=15, derandomize=True),
            is_deterministic=True,
            trials=150,
        ),
        Profile(
            name="long",
            corners=settings(_ALWAYS, max_examples=4),
            random=settings(_ALWAYS, max_examples=200),
            machines=settings(_MACHINES, max_examples=60),
            is_deterministic=False,
            trials=1000,
        ),
        Profile(
            name="fuzz",
            corners=settings(_ALWAYS, max_examples=2),
            # Hypothesis remembers what a search has tried, so that one search cannot go on forever.
            random=settings(_ALWAYS, max_examples=100),
            machines=settings(_MACHINES, max_examples=30),
            is_deterministic=False,
            trials=500,
            is_endless=True,
        ),
    )
}
"""The profiles by name; `default` gives the same findings on every run."""
