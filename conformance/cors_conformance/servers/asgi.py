"""ASGI applications, called in process, without a test client in between."""

from cors_conformance.application import ApplicationResponse
from cors_conformance.fetch.http import HTTPRequest
from cors_conformance.servers.address import address_of
from cors_conformance.servers.base import SECONDS, HarnessError, Reply, Server
from cors_conformance.servers.exchange import Exchange, http_scope
from cors_conformance.servers.lifespan import Lifespan
from cors_conformance.servers.loop import Call, DidNotEnd, EntryLoop
from cors_conformance.servers.origin import ASGIOrigin, Script
from cors_conformance.servers.text import describe_error


class ASGIServer(Server):
    """A `Server` of an ASGI application, in a loop of its own."""

    def __init__(self, app: Call, origin: ASGIOrigin, *, seconds: float = SECONDS) -> None:
        """Start `app`, which has `origin` inside.

        Raises:
            ServerDied: the application's startup failed or hung.

        """
        self._app = app
        self._origin = origin
        self._seconds = seconds
        self._loop = EntryLoop()
        try:
            self._lifespan = Lifespan(self._loop, app, seconds)
        except BaseException:
            self._loop.close()
            raise

    def send(self, request: HTTPRequest, application: ApplicationResponse) -> Reply:
        """Send one request, with the origin app scripted to answer `application`.

        Raises:
            HarnessError: the request has no http or https URL, or an event loop runs already.

        """
        try:
            address = address_of(request.url)
        except ValueError as error:
            raise HarnessError(describe_error(error)) from error
        script = Script(application, address.path, address.query, address.target)
        self._origin.script = script
        exchange = Exchange(request)
        scope = http_scope(request, address)
        if self._lifespan.state is not None:
            scope["state"] = self._lifespan.state.copy()
        ended = self._loop.run(self._seconds, self._app, scope, exchange.receive, exchange.send)
        failure = exchange.failure
        if isinstance(ended, DidNotEnd):
            failure = str(ended)
        elif ended is not None:
            failure = describe_error(ended)
        elif failure is None and exchange.response is None:
            failure = exchange.missing()
        return Reply(
            response=exchange.response,
            failure=failure,
            hung=isinstance(ended, DidNotEnd),
            application_raised=ended is not None and script.caused(ended),
            calls=tuple(script.calls),
        )

    def close(self) -> None:
        """Shut the application down and release the loop."""
        self._lifespan.end()
        self._loop.close()
