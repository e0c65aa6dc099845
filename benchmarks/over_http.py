"""Implementations as servers, which take turns under load.

As in `measuring`, subjects take short turns in a new order each round, and each block starts all
servers anew. What a turn tells is the CPU time that the server took for a request.
"""

import random
import sys
from collections.abc import Callable, Iterator, Mapping
from collections.abc import Set as AbstractSet
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from functools import partial
from importlib.util import find_spec
from typing import Final

import loading
from calling import USUAL, WrongAnswer, check_answer
from cors_conformance.fetch.http import HTTPRequest
from cors_conformance.implementation import Implementation
from cors_conformance.servers.base import Server, ServerProcess
from cors_conformance.servers.http import HTTPClient, NoResponse
from cors_conformance.servers.process import ProcessServer
from kinds import POLICY, Kind
from loading import Load, load
from measuring import Plan, Times
from processes import apart, cpu_nanoseconds, pin, ready_nanoseconds, starting_on

CONNECTIONS: Final = 4
"""Enough that the server never waits for the generator, and few to open in each turn."""

BARE: Final = "bare application, uvicorn"

_WARM: Final = 8 * CONNECTIONS
_NEEDED: Final = ("uvicorn", "uvloop", "httptools")


class CannotLoad(Exception):
    """A server that does not say where it listens, or which process it is."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Subject:
    """What is loaded.

    Attributes:
        start: starts it.
        bare: what its cost is counted from: the name of another subject, "" for none.
        checked: whether its answers must be right.

    """

    start: Callable[[], Server]
    bare: str = ""
    checked: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class Turn:
    """What came of one turn.

    Attributes:
        load: what the generator says.
        seconds: of CPU that the server took.
        ready: seconds in which the server was on a core, or waiting for one.

    """

    load: Load
    seconds: float
    ready: float

    @property
    def microseconds(self) -> float:
        """CPU time of the server for a request."""
        return self.seconds * 1e6 / self.load.done


def unavailable() -> str | None:
    """Say why nothing can be measured over HTTP here; `None` if it can."""
    if sys.platform != "linux":
        return "the CPU time and memory of other processes are read as Linux tells them"
    missing = [name for name in _NEEDED if find_spec(name) is None]
    if missing:
        return f"not installed: {', '.join(missing)}; `pip install --group benchmarks` does it"
    if loading.generator() is None:
        return f"{loading.PROGRAM} is not installed; {loading.INSTALL}"
    return None


def subjects_of(selected: Mapping[str, Implementation]) -> dict[str, Subject]:
    """Return what to load for implementations, which come by the names that select them.

    WSGI applications are left out: uvicorn does not serve them.
    """
    subjects: dict[str, Subject] = {}
    for selector, one in selected.items():
        if one.serve is not None:
            bare = f"bare application, {one.name}" if one.bare is not None else ""
            if one.bare is not None:
                subjects[bare] = Subject(start=one.bare, checked=False)
            subjects[one.name] = Subject(start=partial(one.serve, POLICY), bare=bare)
        elif one.interface == "asgi":
            alone = partial(ProcessServer, "serving:build_bare", POLICY)
            subjects.setdefault(BARE, Subject(start=alone, checked=False))
            start = partial(ProcessServer, "serving:build", POLICY, selector)
            subjects[one.name] = Subject(start=start, bare=BARE)
    return subjects


def constant() -> Subject:
    """Return a server that does next to nothing, which the generator must still saturate."""
    return Subject(start=partial(ProcessServer, "serving:build_constant", POLICY), checked=False)


@contextmanager
def started(subjects: Mapping[str, Subject]) -> Iterator[dict[str, ServerProcess]]:
    """Start servers on one core, with this process, and so the generator, on another.

    Raises:
        CannotLoad: a server does not say where it is.
        ServerDied: a server does not come up.

    """
    with apart() as cores, ExitStack() as closing:
        servers = {}
        for name, subject in subjects.items():
            with starting_on(cores.server):
                server = closing.enter_context(subject.start())
            if not isinstance(server, ServerProcess):
                message = (
                    f"{name}: its server has no `port` and `pid`, by which it would be loaded and"
                    " watched; `cors_conformance.servers.base.ServerProcess` says what they are"
                )
                raise CannotLoad(message)
            pin(server.pid, cores.server)
            servers[name] = server
        yield servers


def turn(server: ServerProcess, kind: Kind, requests: int, connections: int = CONNECTIONS) -> Turn:
    """Load a server.

    Raises:
        LoadFailed: the generator failed, or a request had no response.

    """
    before = cpu_nanoseconds(server.pid), ready_nanoseconds(server.pid)
    made = load(server.port, kind, requests=requests, connections=connections)
    after = cpu_nanoseconds(server.pid), ready_nanoseconds(server.pid)
    seconds, ready = ((end - start) / 1e9 for start, end in zip(before, after, strict=True))
    return Turn(load=made, seconds=seconds, ready=ready)


def warm(name: str, subject: Subject, server: ServerProcess, kind: Kind) -> Turn:
    """See whether a server answers a kind of request as it should, and take a first turn.

    Raises:
        WrongAnswer: it does not, or not always in the same way.
        LoadFailed: as `turn` has it.

    """
    client = HTTPClient(server.port)
    request = HTTPRequest(
        method=kind.method.encode(), url="http://localhost/items", headers=(*USUAL, *kind.headers)
    )
    try:
        response = client.exchange(request)
    except NoResponse as error:
        message = f"{name}: {error}"
        raise WrongAnswer(message) from error
    finally:
        client.close()
    if subject.checked:
        check_answer(name, kind, {line.lower() for line, _ in response.headers})
    first = turn(server, kind, _WARM)
    check_statuses(name, {response.status // 100}, first)
    return first


def check_statuses(name: str, hundreds: AbstractSet[int], made: Turn) -> None:
    """See whether a turn brought the statuses that a server answered before, by their hundreds.

    Raises:
        WrongAnswer: it brought others.

    """
    statuses = made.load.statuses
    if statuses.keys() != hundreds:
        seen = ", ".join(f"{count} times {one}xx" for one, count in statuses.items())
        expected = ", ".join(f"{one}xx" for one in hundreds)
        message = f"{name}: the status is {expected}, and then under load {seen}"
        raise WrongAnswer(message)


def measure(
    subjects: Mapping[str, Subject], kinds: Mapping[str, Kind], plan: Plan
) -> dict[str, list[Times]]:
    """Time subjects, and give the times of each block, by kind.

    Raises:
        WrongAnswer: one does not answer as a kind says.
        LoadFailed, CannotLoad, ServerDied: one cannot be loaded.

    """
    shuffle = random.Random(0).shuffle  # noqa: S311 - an order, not a secret
    blocks: dict[str, list[Times]] = {kind: [] for kind in kinds}
    order = list(subjects)
    for _ in range(plan.blocks):
        with started(subjects) as servers:
            for kind, asked in kinds.items():
                times: Times = {name: [] for name in order}
                firsts = {
                    name: warm(name, subjects[name], server, asked)
                    for name, server in servers.items()
                }
                counts = {
                    name: max(_WARM, int(plan.turn / first.microseconds))
                    for name, first in firsts.items()
                }
                for _ in range(plan.rounds):
                    shuffle(order)
                    for name in order:
                        made = turn(servers[name], asked, counts[name])
                        check_statuses(name, firsts[name].load.statuses.keys(), made)
                        times[name].append(made.microseconds)
                blocks[kind].append(times)
    return blocks
