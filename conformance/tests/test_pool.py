"""Work that is spread over processes: what comes back, and that an interrupt ends it."""

import os
import signal
import sys
from typing import Final

import pytest

from cors_conformance.pool import each_done
from programs import launched

SLEEPERS: Final = """
import os
import time

from cors_conformance.pool import each_done


def sleep(seconds):
    # In one piece, whatever else writes there; print makes two if Python is told not to buffer.
    os.write(1, b"begun\\n")
    time.sleep(seconds)


if __name__ == "__main__":
    list(each_done(sleep, [(3600,)] * 4, processes=2))
"""


@pytest.mark.parametrize("processes", [0, 1, 2])
def test_each_result_comes_back_once(processes: int) -> None:
    jobs = [(2, exponent) for exponent in range(5)]
    assert sorted(each_done(pow, jobs, processes=processes)) == [1, 2, 4, 8, 16]


def test_what_a_call_raises_is_raised() -> None:
    with pytest.raises(ZeroDivisionError):
        list(each_done(divmod, [(1, 1), (1, 0)], processes=2))


def test_ctrl_c_ends_what_has_begun_and_begins_nothing_more() -> None:
    with launched([sys.executable, "-c", SLEEPERS]) as program:
        assert program.stdout is not None
        assert [program.stdout.readline() for _ in range(2)] == ["begun\n"] * 2
        # As a terminal does it: the interrupt goes to all processes of the group.
        os.killpg(program.pid, signal.SIGINT)
        rest, errors = program.communicate(timeout=60)
    assert (rest, program.returncode) == ("", -signal.SIGINT)
    assert errors.endswith("KeyboardInterrupt\n")
