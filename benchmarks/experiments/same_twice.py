"""The same implementation twice: "no difference" at least 99 times in 100.

python benchmarks/experiments/same_twice.py [TRIALS]
"""

import sys

from trials import run

if __name__ == "__main__":
    sys.exit(run(trials=int(sys.argv[1]) if sys.argv[1:] else 100, extra=0, wanted=0.99))
