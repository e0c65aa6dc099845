"""Brings up server processes, each a fork of one that has imported its framework already.

`python -m cors_conformance.servers.nursery FD` runs it, by hand of `servers.process`. It reads
one order at a time from the socket FD, a line of JSON with three file descriptors:

- the report: lines of JSON that tell what became of the server,
- the lifeline: at its end of file the server is killed, for its owner has gone,
- the log: standard output and standard error of the server.

For each order there are two processes: the server, and a keeper that waits for its end or for
that of the lifeline. `multiprocessing`'s fork server would import the main module of whoever
uses this package into every server, and can tell nothing of how one died.
"""

import contextlib
import importlib
import json
import mmap
import os
import resource
import select
import signal
import socket
import struct
import sys
import traceback
from dataclasses import dataclass
from typing import Any, Final, NoReturn

LARGEST_ORDER: Final = 1 << 20
ORDER_FDS: Final = 4

# Status, whether to raise, the length of the body; the body follows.
_SCRIPT: Final = struct.Struct("!HBI")
SCRIPT_SIZE: Final = 1 << 17
"""Bytes of the memory that a server shares with its owner."""


class SharedScript:
    """What the handlers of a server in another process shall answer, in shared memory.

    It is written between requests and read within one, so it needs no lock.
    """

    def __init__(self, fd: int) -> None:
        """Map the file, which has `SCRIPT_SIZE` bytes."""
        self._memory = mmap.mmap(fd, SCRIPT_SIZE)

    def write(self, status: int, body: bytes, *, raises: bool) -> None:
        """Tell what to answer.

        Raises:
            ValueError: the body does not fit.

        """
        if _SCRIPT.size + len(body) > SCRIPT_SIZE:
            message = f"a body of {len(body)} bytes does not fit into {SCRIPT_SIZE}"
            raise ValueError(message)
        self._memory[: _SCRIPT.size] = _SCRIPT.pack(status, raises, len(body))
        self._memory[_SCRIPT.size : _SCRIPT.size + len(body)] = body

    def read(self) -> tuple[int, bytes, bool]:
        """Return status, body, and whether to raise instead."""
        status, raises, length = _SCRIPT.unpack(self._memory[: _SCRIPT.size])
        return status, self._memory[_SCRIPT.size : _SCRIPT.size + length], bool(raises)

    def close(self) -> None:
        """Unmap the memory."""
        self._memory.close()


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    """What an owner asks for: `target` is the `module:function` that builds the server.

    The function takes the parameters of a policy, a `SharedScript` and the `arguments`, and returns
    a function that takes a port and serves on it for ever.
    """

    target: str
    parameters: dict[str, Any]
    port: int
    arguments: list[str]


def _run(order: Order, script_fd: int, report: int) -> None:
    """Be the server."""
    module, _, function = order.target.partition(":")
    build = getattr(importlib.import_module(module), function)
    script = SharedScript(script_fd)
    try:
        serve = build(order.parameters, script, *order.arguments)
    except Exception as error:  # noqa: BLE001 - whatever it raises is its refusal
        _tell(report, refused=f"{type(error).__name__}: {error}")
        return
    _tell(report, built=True, pid=os.getpid())
    serve(order.port)
    _tell(report, returned=True)


def _tell(report: int, **event: object) -> None:
    with contextlib.suppress(OSError):  # nobody listens any more
        os.write(report, json.dumps(event).encode("ascii") + b"\n")


def _fork_server(order: Order, fds: list[int], death: int) -> int:
    report, lifeline, log, script = fds
    pid = os.fork()
    if pid == 0:
        code = 1
        try:
            os.close(lifeline)
            os.dup2(log, 1)
            os.dup2(log, 2)
            _run(order, script, report)
            code = 0
        except BaseException:  # noqa: BLE001 - the traceback is for the log
            traceback.print_exc()
        finally:
            sys.stdout.flush()
            sys.stderr.flush()
            os._exit(code)
    os.close(death)
    return pid


def _keep(order: Order, fds: list[int]) -> NoReturn:
    """Start the server, and end when it does; kill it when its owner has gone."""
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    # The server has the only writing end, so the pipe ends when the server does.
    ended, death = os.pipe()
    pid = _fork_server(order, fds, death)
    report, lifeline, *_ = fds
    poll = select.poll()
    poll.register(ended, select.POLLIN)
    poll.register(lifeline, select.POLLIN)
    poll.poll()
    # Dead already where the pipe has ended, or about to be.
    with contextlib.suppress(ProcessLookupError):
        if _readable(lifeline):
            os.kill(pid, signal.SIGKILL)
    _, status = os.waitpid(pid, 0)
    _tell(report, ended=os.waitstatus_to_exitcode(status))
    os._exit(0)


def _readable(fd: int) -> bool:
    return bool(select.select([fd], [], [], 0)[0])


def main(fd: int) -> None:
    """Take orders until the socket is closed."""
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # keepers need no funeral
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))  # a server that aborts shall leave no file
    with socket.socket(fileno=fd) as orders:
        while True:
            message, fds, _, _ = socket.recv_fds(orders, LARGEST_ORDER, ORDER_FDS)
            if not message:
                return
            asked = json.loads(message)
            sys.path[:] = asked.pop("path")
            # What the target needs is imported once, here, and not in every fork.
            with contextlib.suppress(Exception):
                importlib.import_module(asked["target"].partition(":")[0])
            if os.fork() == 0:
                orders.close()
                _keep(Order(**asked), fds)
            for one in fds:
                os.close(one)


if __name__ == "__main__":
    main(int(sys.argv[1]))
