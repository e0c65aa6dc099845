"""Load for a server over HTTP/1.1, by `h2load`: https://nghttp2.org/documentation/h2load-howto.html.

It makes exactly as many requests as it is told, so that turns can be short, sends any method and
header line, and counts statuses.
"""

import re
import shutil
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from resource import RUSAGE_CHILDREN, getrusage
from typing import Final

from calling import USUAL
from cors_conformance.servers.http import LOOPBACK
from kinds import Kind

PROGRAM: Final = "h2load"
INSTALL: Final = "it comes with nghttp2, on Debian `apt-get install nghttp2-client`"

LONGEST: Final = 60.0
"""Seconds until a turn counts as hung."""

_SECONDS: Final = {"s": 1.0, "ms": 1e-3, "us": 1e-6}
_FINISHED: Final = re.compile(r"^finished in ([\d.]+)(s|ms|us),", re.MULTILINE)
_DONE: Final = re.compile(r"^requests: .* (\d+) done, ", re.MULTILINE)
_STATUSES: Final = re.compile(
    r"^status codes: (\d+) 2xx, (\d+) 3xx, (\d+) 4xx, (\d+) 5xx", re.MULTILINE
)


class LoadFailed(Exception):
    """The generator did not do what it was told, or says what nobody understands."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Load:
    """What came of one turn.

    Attributes:
        done: responses that came.
        statuses: how many of them, by the hundreds of their status.
        seconds: from the first connection to the last response.
        busy: seconds of CPU that the generator took.

    """

    done: int
    statuses: Mapping[int, int]
    seconds: float
    busy: float = 0.0


@cache
def generator() -> str | None:
    """Return the path of the generator, `None` where it is not installed."""
    return shutil.which(PROGRAM)


def load(port: int, kind: Kind, *, requests: int, connections: int) -> Load:
    """Send requests of a kind over kept connections, each as soon as its predecessor is answered.

    Raises:
        LoadFailed: the generator is not installed, failed or hung, or a request had no response.

    """
    program = generator()
    if program is None:
        message = f"{PROGRAM} is not installed: {INSTALL}"
        raise LoadFailed(message)
    lines = [(b":method", kind.method.encode()), *USUAL, *kind.headers]
    headers = [
        part for name, value in lines for part in ("-H", f"{name.decode()}: {value.decode()}")
    ]
    before = getrusage(RUSAGE_CHILDREN)
    try:
        ended = subprocess.run(
            [
                *(program, "--h1", "--threads=1"),
                *(f"--requests={requests}", f"--clients={min(connections, requests)}"),
                *headers,
                f"http://{LOOPBACK}:{port}/items",
            ],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            check=False,
            text=True,
            timeout=LONGEST,
        )
    except subprocess.TimeoutExpired as error:
        message = f"{PROGRAM}: {requests} requests were not answered within {LONGEST:g} s"
        raise LoadFailed(message) from error
    after = getrusage(RUSAGE_CHILDREN)
    if ended.returncode:
        message = f"{PROGRAM} ended with status {ended.returncode}: {ended.stderr.strip()[-400:]}"
        raise LoadFailed(message)
    made = parsed(ended.stdout)
    if made.done != requests:
        message = f"{made.done} of {requests} requests were answered"
        raise LoadFailed(message)
    used = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return Load(done=made.done, statuses=made.statuses, seconds=made.seconds, busy=used)


def parsed(output: str) -> Load:
    """Read what the generator prints.

    Raises:
        LoadFailed: it is something else.

    """
    finished, done = _FINISHED.search(output), _DONE.search(output)
    statuses = _STATUSES.search(output)
    if finished is None or done is None or statuses is None:
        message = f"{PROGRAM} printed what is not understood: {output[-400:]!r}"
        raise LoadFailed(message)
    counts = {hundreds: int(count) for hundreds, count in enumerate(statuses.groups(), 2)}
    return Load(
        done=int(done[1]),
        statuses={hundreds: count for hundreds, count in counts.items() if count},
        seconds=float(finished[1]) * _SECONDS[finished[2]],
    )
