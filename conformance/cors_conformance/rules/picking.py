"""Picking: what is too slow to be judged under every policy."""

from typing import Final
from zlib import crc32

from cors_conformance.named_policies import NAMED_POLICIES
from cors_conformance.policy import Policy
from cors_conformance.scenario import Batch
from cors_conformance.world import World

ONE_ORIGIN: Final = Policy(allow_origins=("https://a.example",))
"""The plainest policy that grants something; every implementation can express it."""

PICKED: Final = frozenset({ONE_ORIGIN, *NAMED_POLICIES.values()})
"""Policies of every run, under which slow rules judge: one origin, all, some with credentials."""

ONE_IN: Final = 16
"""Of so many batches of other policies, one is taken."""


def is_picked(world: World, batch: Batch) -> bool:
    """Whether a slow rule looks at a batch.

    Which batches of other policies are taken depends on nothing but what they are, so that a run
    does the same every time.
    """
    if world.policy in PICKED:
        return True
    return crc32(repr((world.policy, batch)).encode()) % ONE_IN == 0
