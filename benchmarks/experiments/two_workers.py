"""How fuzzing scales: examples a second of one worker, and of two at the same time.

python benchmarks/experiments/two_workers.py [TURNS [SECONDS [IMPLEMENTATION]]]

One and two workers take turns, so that whatever else the machine does meets both. Each worker is a
process of its own, as in a fleet, with a directory as the database of all.
"""

import json
import subprocess
import sys
import tempfile
from pathlib import Path
from statistics import median

PROGRAM = (sys.executable, "-m", "cors_conformance.cli", "run")


def exchanges(workers: int, seconds: float, name: str) -> float:
    """Exchanges a second, of all workers together."""
    with tempfile.TemporaryDirectory() as folder:
        reports = [Path(folder) / f"{number}.json" for number in range(workers)]
        running = [
            subprocess.Popen(
                [
                    *(*PROGRAM, name, "--profile", "fuzz", "--seconds", str(seconds)),
                    *("--database", f"{folder}/examples", "--json", str(report)),
                ],
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
            )
            for report in reports
        ]
        for process in running:
            process.wait()
        found = [json.loads(report.read_text())["runs"][0]["exchanges"] for report in reports]
    return float(sum(found)) / seconds


def main(turns: int, seconds: float, name: str) -> None:
    factors = []
    for _ in range(turns):
        one, two = (exchanges(workers, seconds, name) for workers in (1, 2))
        factors.append(two / one)
        print(f"{one:8.0f} a second of one, {two:8.0f} of two: {two / one:.2f}", flush=True)
    print(f"two workers do {median(factors):.2f} times as much as one (median of {turns})")


if __name__ == "__main__":
    turns, seconds, name, *_ = [*sys.argv[1:], *("5", "30", "reference")[len(sys.argv) - 1 :]]
    main(int(turns), float(seconds), name)
