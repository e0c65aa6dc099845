"""The world of one example: a server built with one policy, and what happened to it.

Whatever a rule asks for is done once and remembered, so that all rules judge the same exchanges.
"""

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from copy import deepcopy
from dataclasses import dataclass, replace
from types import TracebackType
from typing import Final, Self

from cors_conformance.application import ApplicationResponse
from cors_conformance.fetch import headers as header_list
from cors_conformance.fetch.browser import Browser, Outcome
from cors_conformance.fetch.http import HTTPRequest, HTTPResponse
from cors_conformance.fetch.http_cache import HTTPCache
from cors_conformance.grant import Grant, visit_grant
from cors_conformance.implementation import Capability, Implementation
from cors_conformance.policy import Policy
from cors_conformance.scenario import API, PLAIN, Journey, RawRequest, Visit, Wait
from cors_conformance.servers.base import (
    ConfigurationRefused,
    Reply,
    Server,
    ServerDied,
    ServerHung,
)
from cors_conformance.servers.start import start
from cors_conformance.servers.time_limit import alarm_held

_OK: Final = 200
_NOT_MODIFIED: Final = 304


@dataclass(frozen=True, slots=True, kw_only=True)
class Sent:
    """One request that was put on the wire, and the reply."""

    request: HTTPRequest
    application: ApplicationResponse
    reply: Reply

    @property
    def is_preflight(self) -> bool:
        """Whether it is a CORS-preflight request. https://fetch.spec.whatwg.org/#cors-preflight-request"""
        return (
            self.request.method == b"OPTIONS"
            and header_list.contains(self.request.headers, b"origin")
            and header_list.contains(self.request.headers, b"access-control-request-method")
        )

    @property
    def raw(self) -> RawRequest:
        """The request as one by hand, to be put on the wire again."""
        return RawRequest(
            method=self.request.method,
            headers=self.request.headers,
            target=self.request.url.removeprefix(API).encode("latin-1"),
            body=self.request.body,
            application=self.application,
        )

    @property
    def origin(self) -> bytes | None:
        """The `Origin` header, lines joined; `None` for a request without."""
        return header_list.get(self.request.headers, b"origin")


@dataclass(frozen=True, slots=True, kw_only=True)
class Fetched:
    """A visit, what came of it, and what the policy says of it.

    `sent` are the requests that reached the server, in order.
    """

    visit: Visit
    outcome: Outcome
    sent: tuple[Sent, ...]
    grant: Grant

    @property
    def shared(self) -> bool:
        """Whether the page got the response."""
        return self.outcome.result == "success"

    @property
    def preflights(self) -> tuple[Sent, ...]:
        """The preflights that reached the server."""
        return tuple(item for item in self.sent if item.is_preflight)

    @property
    def actual(self) -> tuple[Sent, ...]:
        """The other requests that reached the server."""
        return tuple(item for item in self.sent if not item.is_preflight)


@dataclass(slots=True)
class Clock:
    """A clock that only a journey moves."""

    now: float = 0.0

    def __call__(self) -> float:
        """Return the seconds."""
        return self.now


@dataclass(frozen=True, slots=True)
class Tried:
    """What was done beside a world: with which configuration, and all that went over the wire."""

    policy: Policy
    log: list[Sent]


class World:
    """A server of an implementation with a policy, and all that was asked of it so far.

    Attributes:
        implementation: the middleware under test.
        policy: the one the server is built with.
        log: every request put on the wire, in order, those to servers of other policies included.
        tried: what a rule did beside it and broke, if anything.

    """

    def __init__(self, implementation: Implementation, policy: Policy) -> None:
        """Prepare; the server is built when it is first needed."""
        self.implementation = implementation
        self.policy = policy
        self.log: list[Sent] = []
        self.tried: Tried | None = None
        self._hangs = 0
        self._resources = ExitStack()
        self._server: Server | None = None
        self._fetched: dict[Visit, Fetched] = {}
        self._sent: dict[RawRequest, Sent] = {}
        self._others: dict[Policy, World] = {}
        self._end: ConfigurationRefused | ServerDied | None = None

    def __enter__(self) -> Self:
        """Hold the server and the worlds derived from this one, and the signal of time limits."""
        self._resources.enter_context(alarm_held())
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Close all servers."""
        self._resources.close()

    @property
    def server(self) -> Server:
        """The server; one that was refused, died or hung is not started again.

        Raises:
            ConfigurationRefused: the implementation refuses the policy.
            ServerDied: it died of it, or of a request, or left one without an answer.

        """
        if self._end is not None:
            # A new one each time: an exception that is raised again keeps all it passed through.
            raise type(self._end)(*self._end.args)
        if self._server is None:
            try:
                server = start(self.implementation, self.policy)
            except (ConfigurationRefused, ServerDied) as error:
                self._end = error
                self._hangs += isinstance(error, ServerHung)
                raise
            self._server = self._resources.enter_context(server)
        return self._server

    @property
    def hangs(self) -> int:
        """How often there was no answer in time, from here or from servers of other policies."""
        return self._hangs + sum(other.hangs for other in self._others.values())

    def can(self, *capabilities: Capability) -> bool:
        """Whether the implementation lacks none of the capabilities."""
        return not any(capability in self.implementation.lacks for capability in capabilities)

    def with_policy(self, policy: Policy) -> "World | None":
        """Give the world of another policy; `None` where that one cannot be served."""
        if policy == self.policy:
            return self
        if policy not in self._others:
            other = World(self.implementation, policy)
            other.log = self.log
            self._others[policy] = self._resources.enter_context(other)
        other = self._others[policy]
        if self.implementation.cannot_express(policy) is not None:
            return None
        try:
            _ = other.server
        except (ConfigurationRefused, ServerDied):
            return None
        return other

    @contextmanager
    def beside(self, implementation: Implementation, policy: Policy) -> Iterator["World | None"]:
        """Give another world for a while; `None` where it is not served.

        What dies of its configuration grants nothing; that it should not die is a rule's matter.
        What breaks a rule there is kept as `tried`.
        """
        tried = Tried(deepcopy(policy), [])
        with World(implementation, policy) as other:
            other.log = tried.log
            try:
                _ = other.server
            except (ConfigurationRefused, ServerDied):
                is_served = False
            else:
                is_served = True
            try:
                yield other if is_served else None
            except Exception:
                self.tried = tried
                raise
            finally:
                self.log += tried.log
                self._hangs += other.hangs

    def fetch(self, visit: Visit) -> Fetched:
        """Let a page fetch with a fresh browser: nothing cached, no cookies."""
        if visit not in self._fetched:
            self._fetched[visit] = self._fetch(visit, Browser(), _Network(self, visit))
        return self._fetched[visit]

    def send(self, raw: RawRequest) -> Sent:
        """Put a hand-made request on the wire.

        White space around a value ends at the parser of whatever server there is: RFC 9112, 5.1.
        """
        if raw not in self._sent:
            request = HTTPRequest(
                method=raw.method,
                url=API + raw.target.decode("latin-1"),
                headers=tuple((name, value.strip(b" \t")) for name, value in raw.headers),
                body=raw.body,
            )
            self._sent[raw] = self._send(request, raw.application)
        return self._sent[raw]

    def travel(
        self, journey: Journey, *, browser_caches: bool = True, shared_cache: bool = False
    ) -> Iterator[Fetched]:
        """Let pages fetch one after the other, in one browser and through one shared cache.

        Every visit to a path meets the same application response, that of the first: a cache is
        for one resource.
        """
        clock = Clock()
        browser = Browser(clock=clock, http_caching=browser_caches)
        proxy = HTTPCache(clock, shared=True) if shared_cache else None
        for step in settled(journey).steps:
            if isinstance(step, Wait):
                clock.now += step.seconds
                continue
            if not browser_caches:
                browser = Browser(clock=clock)
            yield self._fetch(step, browser, _Network(self, step), proxy)

    def _fetch(
        self,
        visit: Visit,
        browser: Browser,
        network: "_Network",
        proxy: HTTPCache | None = None,
    ) -> Fetched:
        answer = network if proxy is None else _Proxied(proxy, network)
        outcome = browser.run(visit.author_request(), origin=visit.origin, network=answer)
        return Fetched(
            visit=visit,
            outcome=outcome,
            sent=tuple(network.sent),
            grant=visit_grant(self.policy, self.implementation.dialect, visit),
        )

    def _send(self, request: HTTPRequest, application: ApplicationResponse) -> Sent:
        try:
            reply = self.server.send(request, application)
        except ServerDied as error:
            self._end = error
            raise
        sent = Sent(request=request, application=application, reply=reply)
        self.log.append(sent)
        if reply.hung:
            self._hangs += 1
            # Every further request might take as long.
            self._end = ServerHung(f"it hung: {reply.failure}")
            raise self._end
        return sent


class _Network:
    """The wire between the browser of one visit and the server."""

    def __init__(self, world: World, visit: Visit) -> None:
        self._world = world
        self._visit = visit
        self.sent: list[Sent] = []

    def __call__(self, request: HTTPRequest) -> HTTPResponse | None:
        # Where a redirect leads, a plain resource answers.
        is_first = request.url == API + self._visit.path
        application = _validated(request, self._visit.application) if is_first else PLAIN
        sent = self._world._send(request, application)  # noqa: SLF001
        self.sent.append(sent)
        return sent.reply.response


def _validated(request: HTTPRequest, application: ApplicationResponse) -> ApplicationResponse:
    """Answer a conditional request as every application should. RFC 9110, 13.2.2"""
    tag = header_list.get(application.headers, b"etag")
    if tag is None or header_list.get(request.headers, b"if-none-match") != tag:
        return application
    if application.status != _OK or application.raises != "never":
        return application
    return replace(application, status=_NOT_MODIFIED, body=())


@dataclass(frozen=True, slots=True)
class _Proxied:
    """The wire with a shared cache in it. RFC 9111"""

    proxy: HTTPCache
    network: _Network

    def __call__(self, request: HTTPRequest) -> HTTPResponse | None:
        selection = self.proxy.select(request)
        if selection.response is not None:
            return selection.response
        forwarded = replace(request, headers=(*request.headers, *selection.conditions))
        response = self.network(forwarded)
        return None if response is None else self.proxy.receive(request, selection, response)


def settled(journey: Journey) -> Journey:
    """Give every visit to a path the application response of the first visit to it."""
    applications: dict[str, ApplicationResponse] = {}
    steps: list[Visit | Wait] = []
    for step in journey.steps:
        if isinstance(step, Visit):
            application = applications.setdefault(step.path, step.application)
            steps.append(replace(step, application=application))
        else:
            steps.append(step)
    return Journey(steps=tuple(steps))
