"""The memory of a long run: the resident set while the profile `fuzz` goes on.

python benchmarks/experiments/long_memory.py [MINUTES [IMPLEMENTATION [RULES]]]

`RULES` is a glob: with few rules an hour's worth of examples passes sooner.

Prints a sample each thirty seconds, and then the slope over the second half, before which
caches fill: that of Theil and Sen, which a few large samples do not bend, with its 95 % interval.
Ends with status 1 if the whole interval says that an hour's worth of examples adds more than 1 %.
"""

import os
import subprocess
import sys
import time
from dataclasses import dataclass, field

from scipy.stats import theilslopes

from cors_conformance.fuzzing import Fuzz, Limit
from cors_conformance.implementations.registry import find
from cors_conformance.profiles import PROFILES
from cors_conformance.rules import select

EVERY = 30.0
FLAT = 0.01


def resident() -> float:
    """The resident set of this process, in MiB."""
    command = ["ps", "-o", "rss=", "-p", str(os.getpid())]
    return int(subprocess.run(command, capture_output=True, check=True).stdout) / 1024


@dataclass
class Samples:
    """The resident set over examples."""

    began: float = field(default_factory=time.monotonic)
    last: float = 0.0
    examples: list[int] = field(default_factory=list)
    mebibytes: list[float] = field(default_factory=list)

    def progress(self, what: str, done: int, _: int) -> None:
        """Take a sample, if it is time for one."""
        now = time.monotonic() - self.began
        if now - self.last < EVERY:
            return
        self.last = now
        self.examples.append(done)
        self.mebibytes.append(resident())
        print(f"{now:6.0f} s {done:8} examples {self.mebibytes[-1]:8.1f} MiB", flush=True)


def main(minutes: float, name: str, rules: str) -> int:
    samples = Samples()
    report = Fuzz(
        implementation=find(name),
        rules=select([rules]),
        profile=PROFILES["fuzz"],
        progress=samples.progress,
        limit=Limit(seconds=minutes * 60),
    ).report()
    per_hour = samples.examples[-1] / samples.last * 3600
    settled = len(samples.examples) // 2
    slope = theilslopes(samples.mebibytes[settled:], samples.examples[settled:])
    least, most = slope.low_slope * per_hour, slope.high_slope * per_hour
    now = samples.mebibytes[-1]
    exchanges = report.exchanges / samples.last * 3600
    print(f"{per_hour:.0f} examples and {exchanges:.0f} exchanges an hour")
    print(
        f"an hour's worth of examples adds {slope.slope * per_hour:.2f} MiB"
        f" (between {least:.2f} and {most:.2f}) to {now:.1f} MiB"
    )
    return int(least > FLAT * now)


if __name__ == "__main__":
    minutes, name, rules, *_ = [*sys.argv[1:], *("25", "reference", "*")[len(sys.argv) - 1 :]]
    sys.exit(main(float(minutes), name, rules))
