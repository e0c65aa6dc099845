"""What can be seen of a fetch from outside, by the page and by the servers; the model's part."""

import re
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Final, Literal, TypeAlias

from cors_conformance.browsers.places import is_logged, is_served
from cors_conformance.browsers.scenario import Scenario, lines
from cors_conformance.browsers.script import NOT_FOUND, Script, is_preflight
from cors_conformance.cases import schema
from cors_conformance.fetch import headers as header_list
from cors_conformance.fetch.browser import Browser, Outcome
from cors_conformance.fetch.http import HTTPRequest, HTTPResponse
from cors_conformance.fetch.preflight_cache import CacheEntry, PreflightCache
from cors_conformance.fetch.requests import AuthorRequest, Request
from cors_conformance.fetch.responses import FilteredResponse

Result: TypeAlias = Literal["success", "network_error", "type_error", "timeout", "crash"]

BROWSERS_OWN: Final = frozenset(
    {
        "accept-encoding",
        "accept-language",
        "cache-control",
        "connection",
        "content-length",
        "host",
        "keep-alive",
        "origin",
        "pragma",
        "priority",
        "referer",
        "te",
        "upgrade",
        "user-agent",
    }
)
"""Request headers that every browser fills in as it likes: only the page's value is looked for."""

ALWAYS_SEEN: Final = ("accept", "content-type", "cookie", "authorization")
"""Request headers that are compared whether or not the page sets them."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Sent:
    """A request as it reached a server; strings are isomorphic decodings.

    `headers` are the header lines that are compared, lower-case and sorted: see `seen`.
    """

    purpose: Literal["preflight", "actual"]
    method: str
    url: str
    origin: str | None
    acrm: str | None = None
    acrh: str | None = None
    headers: tuple[tuple[str, str], ...] = ()
    body: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """What came of one fetch. `type` is `None` where the API does not tell, as that of XHR.

    `headers` are the readable names, lower-case and sorted, with their values.
    """

    result: Result
    type: str | None = None
    status: int | None = None
    headers: tuple[tuple[str, str], ...] = ()
    body: str | None = None
    sent: tuple[Sent, ...] = ()


def seen_request(request: HTTPRequest, step: schema.Request) -> Sent:
    """Reduce a request to what is compared, given what the page asked for."""
    theirs = {name.lower() for name, _ in step.headers}
    compared: list[tuple[str, str]] = []
    for name in sorted({*theirs, *ALWAYS_SEEN} - {"origin"} - _ASKING):
        value = _value(request, name)
        if value is not None and name == "cookie":
            # Servers are told not to rely on the order. RFC 6265, 4.2.2
            value = "; ".join(sorted(value.split("; ")))
        set_by_page = {given.strip(" \t\r\n") for key, given in step.headers if key.lower() == name}
        if value is not None and (name not in BROWSERS_OWN or value in set_by_page):
            compared.append((name, value))
    return Sent(
        purpose="preflight" if is_preflight(request) else "actual",
        method=request.method.decode("latin-1"),
        url=request.url,
        origin=_value(request, "origin"),
        acrm=_value(request, "access-control-request-method"),
        acrh=_value(request, "access-control-request-headers"),
        headers=tuple(compared),
        body=(request.body or b"").decode("latin-1"),
    )


_ASKING: Final = frozenset({"access-control-request-method", "access-control-request-headers"})


def _value(request: HTTPRequest, name: str) -> str | None:
    value = header_list.get(request.headers, name.encode("latin-1"))
    return None if value is None else value.decode("latin-1")


def author_request(step: schema.Request, scenario: Scenario) -> AuthorRequest:
    """Return what the page asks of the model."""
    return AuthorRequest(
        url=step.url,
        method=step.method.encode("latin-1"),
        headers=lines(step.headers),
        mode=step.mode,
        credentials=step.credentials,
        redirect=step.redirect,
        cache=scenario.cache,
        body=None if step.body is None else step.body.encode("latin-1"),
        use_cors_preflight=step.use_cors_preflight,
        referrer_policy=step.referrer_policy,
    )


_USER_INFO: Final = re.compile(r"(?<=://)[^/?#]*@")


@dataclass(slots=True)
class _Clock:
    now: float = 0.0

    def __call__(self) -> float:
        return self.now


def observe(scenario: Scenario, following: Sequence[Seen] = ()) -> tuple[Seen, ...]:
    """Let the model do it; one `Seen` for each step.

    `following` is what an engine did. Caches may forget whatever they like whenever they like,
    the CORS-preflight cache and the HTTP cache alike, so that the model forgets where the engine
    did: where it asked again, or went to the network.
    """
    return tuple(seen for seen, _ in observe_outcomes(scenario, following))


def observe_outcomes(
    scenario: Scenario, following: Sequence[Seen] = ()
) -> tuple[tuple[Seen, Outcome], ...]:
    """Let the model do it; with the outcomes, which know the steps taken."""
    clock = _Clock()
    browser = Browser(clock=clock, http_caching=scenario.cache == "default")
    done: list[tuple[Seen, Outcome]] = []
    for index, step in enumerate(scenario.steps):
        clock.now += step.wait_before_s
        network = _Network(step)
        author = author_request(step.request, scenario)
        if index < len(following):
            sent = following[index].sent
            asked = Counter(item.url for item in sent if item.purpose == "preflight")
            browser.preflight_cache = _Forgetful(browser.preflight_cache, asked)
            if author.cache == "default" and any(item.purpose == "actual" for item in sent):
                author = replace(author, cache="reload")
        outcome = browser.run(author, origin=scenario.client_origin, network=network.answer)
        done.append((_seen(outcome, network.sent, step.request), outcome))
    return tuple(done)


class _Forgetful(PreflightCache):
    """A preflight cache that is of no help until some URLs were asked so many times.

    What it holds is still there for the next fetch: that it was asked again may be for the sake of
    something else that the request needs.
    """

    __slots__ = ("_left",)

    def __init__(self, cache: PreflightCache, asked: Counter[str]) -> None:
        super().__init__(cache.clock, cache.limit, cache.entries)
        self._left = asked

    def method_matches(self, request: Request, method: bytes) -> list[CacheEntry]:
        if self._left[request.current_url.href]:
            return []
        return super().method_matches(request, method)

    def header_name_matches(self, request: Request, name: bytes) -> list[CacheEntry]:
        if self._left[request.current_url.href]:
            return []
        return super().header_name_matches(request, name)

    def store(
        self,
        request: Request,
        methods: tuple[bytes, ...],
        header_names: tuple[bytes, ...],
        max_age: int,
    ) -> None:
        # The loop of a redirect may ask for one URL again and again.
        left, self._left = self._left, Counter()
        super().store(request, methods, header_names, max_age)
        left.subtract([request.current_url.href])
        self._left = +left


class _Network:
    """The scripted server of one step, with a log."""

    def __init__(self, step: schema.Step) -> None:
        self._script = Script(hops=step.server.hops)
        self._request = step.request
        self.sent: list[Sent] = []

    def answer(self, request: HTTPRequest) -> HTTPResponse | None:
        # No server gets to see a user name and password as part of the URL.
        request = replace(request, url=_USER_INFO.sub("", request.url, count=1))
        if not is_served(request.url):
            return None
        if not is_logged(request.url):
            return NOT_FOUND.parsed()
        self.sent.append(seen_request(request, self._request))
        return self._script.answer(request).parsed()


def _seen(outcome: Outcome, sent: Iterable[Sent], step: schema.Request) -> Seen:
    response = outcome.response
    if response is None:
        return Seen(result=outcome.result, sent=tuple(sent))
    return Seen(
        result="success",
        type=None if step.use_cors_preflight else response.type,
        status=response.status,
        headers=_readable(response),
        body=response.body.decode("latin-1"),
        sent=tuple(sent),
    )


def _readable(response: FilteredResponse) -> tuple[tuple[str, str], ...]:
    names = sorted({name.lower() for name, _ in response.headers})
    return tuple(
        (name.decode("latin-1"), (response.get(name) or b"").decode("latin-1")) for name in names
    )
