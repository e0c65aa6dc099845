"""Servers in processes of their own, one for each policy: a death costs only itself."""

import atexit
import contextlib
import json
import os
import secrets
import select
import signal
import socket
import subprocess
import sys
import tempfile
import time
from functools import cache
from typing import IO, Any, Final

from cors_conformance.application import ApplicationResponse
from cors_conformance.fetch.http import HTTPRequest
from cors_conformance.policy import Policy
from cors_conformance.servers.base import (
    SECONDS,
    ConfigurationRefused,
    HarnessError,
    Reply,
    ServerDied,
    ServerProcess,
)
from cors_conformance.servers.http import LOOPBACK, HTTPClient, NoResponse, TimedOut
from cors_conformance.servers.nursery import SCRIPT_SIZE, SharedScript
from cors_conformance.servers.text import one_line

STARTUP: Final = 10.0
"""Seconds until a server must answer; imports happen within them the first time."""

ATTEMPTS: Final = 5
"""Ports to try: between choosing one and using it, anybody may take it."""

_PAUSE: Final = 0.001
_LAST_WORDS: Final = 0.25
_LOG_TAIL: Final = 1 << 14
_PROBE: Final = 0.5


class _PortTaken(Exception):
    """Somebody else answers on the port."""


class _Nursery:
    """The process that forks the servers of this one; it ends with the last end of its socket."""

    def __init__(self) -> None:
        ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self._orders = ours
        with theirs:
            self._process = subprocess.Popen(  # noqa: S603 - our own interpreter and module
                [sys.executable, "-m", "cors_conformance.servers.nursery", str(theirs.fileno())],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                pass_fds=[theirs.fileno()],
                # An interrupt from the terminal is for us: servers end with their lifelines.
                start_new_session=True,
                env={
                    **os.environ,
                    "PYTHONPATH": os.pathsep.join(filter(None, sys.path)),
                    # Nobody reads the backtrace of a panic, and it takes longest of all.
                    "RUST_BACKTRACE": "0",
                },
            )
        self._owner = os.getpid()
        atexit.register(self.close)

    def order(self, asked: dict[str, Any], fds: list[int]) -> None:
        try:
            socket.send_fds(self._orders, [json.dumps(asked).encode("ascii")], fds)
        except OSError as error:
            _nursery.cache_clear()
            message = f"the process that starts servers has gone: {one_line(str(error))}"
            raise HarnessError(message) from error

    def close(self) -> None:
        self._orders.close()
        if os.getpid() == self._owner:
            self._process.wait(STARTUP)


@cache
def _nursery(_: int) -> _Nursery:
    """Return the nursery of this process, by its id: a fork needs one of its own."""
    return _Nursery()


class ProcessServer(ServerProcess):
    """A `Server` that runs in a process of its own and is told through memory what to answer."""

    def __init__(
        self, target: str, policy: Policy, *arguments: str, seconds: float = SECONDS
    ) -> None:
        """Start a server for the policy; see `nursery.Order` for `target` and `arguments`.

        Raises:
            ConfigurationRefused: building the server raised an exception.
            ServerDied: the process ended, or did not answer in time.
            HarnessError: no port could be had.

        """
        with contextlib.ExitStack() as closing:
            memory = tempfile.TemporaryFile()  # noqa: SIM115 - closed with the server
            closing.callback(memory.close)
            memory.truncate(SCRIPT_SIZE)
            self._script = SharedScript(memory.fileno())
            closing.callback(self._script.close)
            order = {
                "target": target,
                "parameters": policy.parameters(),
                "arguments": arguments,
            }
            self._run = self._proven(order, memory, seconds)
            closing.callback(self._run.close)
            self._closing = closing.pop_all()

    @property
    def port(self) -> int:
        """The port on the loopback address."""
        return self._run.port

    @property
    def pid(self) -> int:
        """The id of the process."""
        return self._run.pid

    def _proven(self, order: dict[str, Any], memory: IO[bytes], seconds: float) -> "_Run":
        for _ in range(ATTEMPTS):
            run = _Run(order, memory, seconds)
            try:
                run.prove(self._script)
            except _PortTaken:
                run.close()
            except BaseException:
                run.close()
                raise
            else:
                return run
        message = f"somebody else answered on each of {ATTEMPTS} ports"
        raise HarnessError(message)

    def send(self, request: HTTPRequest, application: ApplicationResponse) -> Reply:
        """Send one request, with the handlers told to answer what they can of `application`.

        Raises:
            ServerDied: the process has ended, or does not answer any more.
            HarnessError: the request cannot be sent.

        """
        body = b"".join(application.body)
        try:
            self._script.write(application.status, body, raises=application.raises != "never")
        except ValueError as error:
            raise HarnessError(str(error)) from error
        return self._run.send(request)

    def connect(self) -> HTTPClient:
        """Return one more connection; what the handlers answer is what `send` told them last."""
        return self._run.connect()

    def close(self) -> None:
        """End the process."""
        self._closing.close()


class _Run:
    """One process on one port."""

    def __init__(self, order: dict[str, Any], memory: IO[bytes], seconds: float) -> None:
        self._events: dict[str, Any] = {}
        self._unread = b""
        self.port = _free_port()
        self._client = HTTPClient(self.port, seconds=seconds)
        self._log = tempfile.TemporaryFile()  # noqa: SIM115 - closed in `close`
        self._report, report = os.pipe()
        lifeline, self._lifeline = os.pipe()
        asked = {
            **order,
            "port": self.port,
            # What we can import, it can: a plug-in's directory may have been added since.
            "path": [entry for entry in sys.path if entry],
        }
        try:
            fds = [report, lifeline, self._log.fileno(), memory.fileno()]
            _nursery(os.getpid()).order(asked, fds)
        except BaseException:
            self._events["ended"] = None  # it never began
            self.close()
            raise
        finally:
            os.close(report)
            os.close(lifeline)

    @property
    def pid(self) -> int:
        pid: int = self._events["pid"]
        return pid

    def prove(self, script: SharedScript) -> None:
        """Wait until the server answers with what only it can know."""
        nonce = secrets.token_hex(16).encode("ascii")
        script.write(200, nonce, raises=False)
        deadline = time.monotonic() + STARTUP
        request = HTTPRequest(method=b"GET", url="http://localhost/")
        while time.monotonic() < deadline:
            self._listen(0)
            if "refused" in self._events:
                raise ConfigurationRefused(one_line(self._events["refused"]))
            if "ended" in self._events:
                if self._lost_the_port():
                    raise _PortTaken
                raise ServerDied(self._obituary())
            if "built" in self._events:
                try:
                    response = self._client.exchange(request)
                except NoResponse:
                    self._listen(_PAUSE)
                    continue
                if response.body == nonce:
                    return
                # Ours may not be up yet, or never will be, because of who is there.
                raise _PortTaken
            self._listen(_PROBE)
        message = f"it did not answer within {STARTUP:g} s{self._last_words()}"
        raise ServerDied(message)

    def _lost_the_port(self) -> bool:
        """Whether ours ended by itself, and somebody listens where it should have."""
        code = self._events["ended"]
        if code is None or code < 0:
            return False
        with socket.socket() as probe:
            probe.settimeout(_PROBE)
            return probe.connect_ex((LOOPBACK, self.port)) == 0

    def send(self, request: HTTPRequest) -> Reply:
        try:
            return Reply(response=self._client.exchange(request))
        except TimedOut as error:
            message = f"{error}{self._last_words()}"
            raise ServerDied(message) from error
        except NoResponse as error:
            self._listen(_LAST_WORDS)
            if "ended" in self._events:
                raise ServerDied(self._obituary()) from error
            return Reply(response=None, failure=str(error))

    def connect(self) -> HTTPClient:
        return self._client.again()

    def _listen(self, seconds: float) -> None:
        """Read what the nursery reports, waiting for it if there is nothing."""
        while select.select([self._report], [], [], seconds)[0]:
            data = os.read(self._report, 1 << 16)
            if not data:
                self._events.setdefault("ended", None)
                return
            *lines, self._unread = (self._unread + data).split(b"\n")
            for line in lines:
                self._events |= json.loads(line)
            seconds = 0 if lines else seconds

    def _obituary(self) -> str:
        code = self._events["ended"]
        if code is None:
            how = "its process vanished"
        elif code < 0:
            how = f"its process was ended by {signal.Signals(-code).name}"
        elif "returned" in self._events:
            how = "its process returned instead of serving"
        else:
            how = f"its process exited with status {code}"
        return one_line(how + self._last_words())

    def _last_words(self) -> str:
        size = self._log.seek(0, os.SEEK_END)
        self._log.seek(max(0, size - _LOG_TAIL))
        lines = [line for line in self._log.read().decode("utf-8", "replace").split("\n") if line]
        # What Rust says at a panic: where, and in the next line why; a backtrace follows.
        panics = [index for index, line in enumerate(lines) if " panicked at " in line]
        last = lines[panics[-1] + 1 : panics[-1] + 2] if panics else lines[-1:]
        return f": {last[0]}" if last else ""

    def close(self) -> None:
        """Cut the lifeline and wait for the end of the process."""
        self._client.close()
        os.close(self._lifeline)
        deadline = time.monotonic() + STARTUP
        while "ended" not in self._events and time.monotonic() < deadline:
            self._listen(_PROBE)
        os.close(self._report)
        self._log.close()


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind((LOOPBACK, 0))
        port: int = probe.getsockname()[1]
        return port
