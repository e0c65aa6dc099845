"""Putting a case to the browser: the scripted server answers, the outcome is compared."""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any, Final, TypeAlias

from msgspec import UNSET

from cors_conformance.cases import schema
from cors_conformance.cases.schema import Case, Expected, Hop
from cors_conformance.fetch import headers as header_list
from cors_conformance.fetch.browser import Browser, Outcome
from cors_conformance.fetch.fetching import Exchange
from cors_conformance.fetch.http import HeaderLines, HTTPRequest, HTTPResponse
from cors_conformance.fetch.requests import AuthorRequest
from cors_conformance.fetch.steps import Step
from cors_conformance.fetch.urls import parse_url

Judged: TypeAlias = str | int | bool | None

_PLACEHOLDER: Final = re.compile(rb"\$(ORIGIN|ACRM|ACRH)")
_PLACEHOLDER_HEADERS: Final = {
    b"ORIGIN": b"origin",
    b"ACRM": b"access-control-request-method",
    b"ACRH": b"access-control-request-headers",
}
_USER_INFO: Final = re.compile(r"(?<=://)[^/?#]*@")


@dataclass(frozen=True, slots=True, kw_only=True)
class Disagreement:
    """One judged key on which the browser and the case differ.

    Attributes:
        step: the position of the fetch in the case, from 0.
        key: a key of `expected`, with the header's name where there is one
            (`visible_headers.x-a`), or of `server` (`server.hops[0].preflight`).
        expected: what the case says.
        got: what the browser did.

    """

    step: int
    key: str
    expected: Judged
    got: Judged


@dataclass(frozen=True, slots=True, kw_only=True)
class CaseResult:
    """What came of a case: `steps` has the browser's steps of each fetch.

    `notes` has, of each fetch, what is worth knowing where the case disagrees: requests that no
    hop answered.
    """

    id: str
    disagreements: tuple[Disagreement, ...]
    steps: tuple[tuple[Step, ...], ...]
    notes: tuple[tuple[str, ...], ...]

    @property
    def agrees(self) -> bool:
        """Whether the browser did all that the case says."""
        return not self.disagreements


@dataclass(slots=True)
class Clock:
    """Seconds since the case began; only the case moves it."""

    seconds: float = 0.0

    def __call__(self) -> float:
        """Return the time."""
        return self.seconds


def run(case: Case) -> CaseResult:
    """Let the page of `case` fetch, step by step, in a browser of its own."""
    clock = Clock()
    browser = Browser(clock=clock, http_caching=True)
    disagreements: list[Disagreement] = []
    steps: list[tuple[Step, ...]] = []
    notes: list[tuple[str, ...]] = []
    for index, fetch in enumerate(case.fetches()):
        clock.seconds += fetch.wait_before_s
        server = ScriptedServer(hops=fetch.server.hops)
        outcome = _fetch(browser, fetch.request, server, origin=case.client_origin)
        steps.append(outcome.steps)
        notes.append(tuple(server.unanswered))
        disagreements += [
            Disagreement(step=index, key=key, expected="not sent", got="sent")
            for key in server.undefined
        ]
        disagreements += [
            Disagreement(step=index, key=key, expected=expected, got=got)
            for key, expected, got in _judge(fetch.expected, outcome)
            if expected != got
        ]
    return CaseResult(
        id=case.id,
        disagreements=tuple(disagreements),
        steps=tuple(steps),
        notes=tuple(notes),
    )


def _fetch(
    browser: Browser, request: schema.Request, server: "ScriptedServer", *, origin: str
) -> Outcome:
    author = AuthorRequest(
        url=request.url,
        method=request.method.encode("latin-1"),
        headers=_lines(request.headers),
        mode=request.mode,
        credentials=request.credentials,
        redirect=request.redirect,
        body=None if request.body is None else request.body.encode("latin-1"),
        use_cors_preflight=request.use_cors_preflight,
        referrer_policy=request.referrer_policy,
    )
    return browser.run(author, origin=origin, network=server.answer)


@dataclass(slots=True, kw_only=True)
class ScriptedServer:
    """Answers the requests of one fetch from the hops of its step.

    Hops are visited in order: a request goes to the next one with its URL, counted from the hop
    that answered last (a preflight and its request share one), and to the first one with its URL
    where none is left, so that a loop of redirects needs no repetition.

    Attributes:
        hops: as the case writes them.
        undefined: keys of answers that were asked for and that the case does not define.
        unanswered: what was sent to a URL of no hop, and so met a network failure.

    """

    hops: tuple[Hop, ...]
    undefined: list[str] = field(default_factory=list)
    unanswered: list[str] = field(default_factory=list)
    _next: int = 0

    def answer(self, request: HTTPRequest) -> HTTPResponse | None:
        """Return the response to one request, `None` where there is none."""
        index = self._find(request.url)
        if index is None:
            method = request.method.decode("latin-1")
            self.unanswered.append(f"no hop answers {method} {request.url}: a network failure")
            return None
        hop = self.hops[index]
        preflight = header_list.contains(request.headers, b"access-control-request-method")
        self._next = index if preflight else index + 1
        answer = hop.preflight if preflight else hop.actual
        if answer is None:
            self.undefined.append(f"server.hops[{index}].{'preflight' if preflight else 'actual'}")
            return None
        return HTTPResponse(
            status=answer.status,
            headers=tuple(_filled_in(_lines(answer.headers), request)),
            body=(answer.body or "").encode("latin-1"),
        )

    def _find(self, url: str) -> int | None:
        order = [*range(self._next, len(self.hops)), *range(min(self._next, len(self.hops)))]
        wanted = _comparable(url)
        return next((index for index in order if _comparable(self.hops[index].url) == wanted), None)


def _comparable(url: str) -> str:
    # What a server sees of a URL: neither the fragment nor a user name and password.
    parsed = parse_url(url)
    return url if parsed is None else _USER_INFO.sub("", parsed.href, count=1)


def _lines(pairs: schema.Lines) -> HeaderLines:
    return tuple((name.encode("latin-1"), value.encode("latin-1")) for name, value in pairs)


def _filled_in(lines: HeaderLines, request: HTTPRequest) -> Iterator[tuple[bytes, bytes]]:
    """Yield the lines with `$ORIGIN`, `$ACRM` and `$ACRH` replaced, without those that lack one."""
    values = {
        placeholder: header_list.get(request.headers, name)
        for placeholder, name in _PLACEHOLDER_HEADERS.items()
    }
    for name, value in lines:
        if any(values[placeholder] is None for placeholder in _PLACEHOLDER.findall(value)):
            continue
        filled = _PLACEHOLDER.sub(lambda match: values[match[1]] or b"", value)
        # An HTTP parser strips OWS, which is space and tab, and nothing else. RFC 9110, 5.5
        yield name, filled.strip(b"\t ")


def _judge(expected: Expected, outcome: Outcome) -> Iterator[tuple[str, Judged, Judged]]:
    """Yield each key that is judged, what the case expects there and what it got."""
    sent = [exchange for exchange in outcome.exchanges if not exchange.from_http_cache]
    for key, observe in _OBSERVED.items():
        wanted: Any = getattr(expected, key)
        if wanted is not UNSET:
            yield key, wanted, observe(outcome, sent)
    for key, lines_of in _OBSERVED_HEADERS.items():
        wanted = getattr(expected, key)
        if wanted is not UNSET:
            lines = lines_of(outcome, sent)
            for name, value in wanted.items():
                yield f"{key}.{name}", value, _value(lines, name)


def _actual(sent: list[Exchange]) -> list[HTTPRequest]:
    return [exchange.request for exchange in sent if exchange.purpose == "actual"]


def _preflights(sent: list[Exchange]) -> list[HTTPRequest]:
    return [exchange.request for exchange in sent if exchange.purpose == "preflight"]


def _first(requests: list[HTTPRequest]) -> HeaderLines:
    return requests[0].headers if requests else ()


def _last(requests: list[HTTPRequest]) -> HeaderLines:
    return requests[-1].headers if requests else ()


def _value(lines: HeaderLines, name: str) -> str | None:
    """Return a header's value as `Headers.get` gives it: all its lines, joined."""
    value = header_list.get(lines, name.encode("latin-1"))
    return None if value is None else value.decode("latin-1")


def _final_method(sent: list[Exchange]) -> str | None:
    requests = _actual(sent)
    return requests[-1].method.decode("latin-1") if requests else None


def _from_http_cache(outcome: Outcome) -> bool:
    return bool(outcome.exchanges) and outcome.exchanges[-1].from_http_cache


_OBSERVED: Final[dict[str, Callable[[Outcome, list[Exchange]], Judged]]] = {
    "outcome": lambda outcome, _: outcome.result,
    "preflight": lambda _, sent: bool(_preflights(sent)),
    "preflight_count": lambda _, sent: len(_preflights(sent)),
    "acrm": lambda _, sent: _value(_first(_preflights(sent)), "access-control-request-method"),
    "acrh": lambda _, sent: _value(_first(_preflights(sent)), "access-control-request-headers"),
    "origin_header": lambda _, sent: _value(_first(_actual(sent)), "origin"),
    "final_origin_header": lambda _, sent: _value(_last(_actual(sent)), "origin"),
    "cookie_sent": lambda _, sent: _value(_first(_actual(sent)), "cookie"),
    "final_method": lambda _, sent: _final_method(sent),
    "from_http_cache": lambda outcome, _: _from_http_cache(outcome),
    "status": lambda outcome, _: outcome.response.status if outcome.response else None,
    "response_type": lambda outcome, _: outcome.response.type if outcome.response else None,
}
"""What each key of `expected` is compared with, of an outcome and the exchanges really sent."""

_OBSERVED_HEADERS: Final[dict[str, Callable[[Outcome, list[Exchange]], HeaderLines]]] = {
    "visible_headers": lambda outcome, _: outcome.response.headers if outcome.response else (),
    "sent_headers": lambda _, sent: _first(_actual(sent)),
    "final_headers": lambda _, sent: _last(_actual(sent)),
    "preflight_headers": lambda _, sent: _first(_preflights(sent)),
}
"""The same for the keys that hold one value per header name."""
