"""Work that is spread over processes: what comes back, and that an interrupt ends it."""

import os
import signal
import subprocess
import sys
from typing import Final

import pytest

from cors_conformance.pool import each_done

SLEEPERS: Final = """
import signal
import time

from cors_conformance.pool import each_done


def sleep(seconds):
    print("begun", flush=True)
    time.sleep(seconds)


if __name__ == "__main__":
    # A background job of a shell ignores it.
    signal.signal(signal.SIGINT, signal.default_int_handler)
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
    # As a terminal does it: the interrupt goes to all processes of the group.
    with subprocess.Popen(
        [sys.executable, "-c", SLEEPERS],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    ) as program:
        assert program.stdout is not None
        assert [program.stdout.readline() for _ in range(2)] == ["begun\n"] * 2
        os.killpg(program.pid, signal.SIGINT)
        rest, errors = program.communicate(timeout=60)
    assert (rest, program.returncode) == ("", -signal.SIGINT)
    assert errors.endswith("KeyboardInterrupt\n")
