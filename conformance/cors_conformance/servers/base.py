"""The seam between the suite and what it tests: a server takes one request, gives one reply."""

from dataclasses import dataclass
from types import TracebackType
from typing import Final, Protocol, Self, runtime_checkable

from cors_conformance.application import ApplicationCall, ApplicationResponse
from cors_conformance.fetch.http import HTTPRequest, HTTPResponse

SECONDS: Final = 5.0
"""How long construction, startup, a request and shutdown may take, unless it is told otherwise."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Reply:
    """What came of one request.

    Attributes:
        response: the response, or `None` where no well-formed one came.
        failure: what went wrong, in one line of printable ASCII (an exception that left the
            middleware, a reset, a time-out, bytes that are no HTTP); `None` where nothing did.
        hung: whether the failure is that no answer came in time.
        application_raised: whether the failure is the scripted `ApplicationError` itself.
        calls: the requests that reached the origin app; empty where they cannot be observed.

    """

    response: HTTPResponse | None
    failure: str | None = None
    hung: bool = False
    application_raised: bool = False
    calls: tuple[ApplicationCall, ...] = ()


@runtime_checkable
class Server(Protocol):
    """One implementation, built with one policy around the origin app; a context that closes it."""

    def send(self, request: HTTPRequest, application: ApplicationResponse) -> Reply:
        """Send one request, with the origin app scripted to answer `application`.

        Raises:
            ServerDied: the process behind the server has ended or does not answer any more.
            HarnessError: the suite's or the harness' own fault, never the implementation's.

        """

    def close(self) -> None:
        """Release what the server holds: its loop, sockets and processes."""

    def __enter__(self) -> Self:
        """Return the server, which is started already."""
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
        /,
    ) -> None:
        """Close the server."""
        self.close()


@runtime_checkable
class ServerProcess(Server, Protocol):
    """A server in a process of this machine, which can be loaded and watched from outside."""

    @property
    def port(self) -> int:
        """The port on the loopback address on which it answers HTTP."""

    @property
    def pid(self) -> int:
        """The id of the process."""


class ConfigurationRefused(Exception):
    """The implementation refused a policy with an error at construction: a right answer."""


class ServerDied(Exception):
    """The implementation's process died, hung or vanished: the implementation's fault."""


class ServerHung(ServerDied):
    """The implementation does not come back: each further try would take as long."""


class HarnessError(Exception):
    """Something outside the implementation failed: no verdict can come of it."""
