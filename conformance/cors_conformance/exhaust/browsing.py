"""What browsers do in the small world, found out once for the same request and the same answers.

The outcome of a fetch by a fresh browser is a function of what the page asks for and of what the
server answers. So it is kept, as a tree for each request of a page: a node is what the browser
asks next, a branch what it is answered, a leaf what the page gets.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field

from cors_conformance.fetch.browser import Browser, Outcome
from cors_conformance.fetch.http import HTTPRequest, HTTPResponse
from cors_conformance.scenario import Visit


@dataclass(slots=True, eq=False)
class Asked:
    """A request on the wire: one object for the same bytes, so that it is quick to look up."""

    request: HTTPRequest


@dataclass(slots=True, eq=False)
class Answered:
    """An answer on the wire, `None` where none came; one object for the same answer."""

    response: HTTPResponse | None


@dataclass(slots=True, eq=False, kw_only=True)
class Asks:
    """The browser asks; `then` is where each answer leads, as far as is known."""

    visit: Visit
    asked: Asked
    before: tuple[HTTPResponse | None, ...]
    then: "dict[Answered, Asks | Gets]" = field(default_factory=dict)


@dataclass(slots=True, eq=False, kw_only=True)
class Gets:
    """The fetch is over: whether the page got the response, and the names of what it can read."""

    shared: bool
    readable: frozenset[bytes]
    exchanges: int


class Browsing:
    """The trees, which share what is asked and answered."""

    def __init__(self) -> None:
        self._asked: dict[HTTPRequest, Asked] = {}
        self._answered: dict[HTTPResponse | None, Answered] = {}

    def root(self, visit: Visit) -> Asks | Gets:
        """Let a page ask; return where its tree begins."""
        return self._node(visit, ())

    def answered(self, response: HTTPResponse | None) -> Answered:
        """Return the one object that stands for an answer."""
        return self._answered.setdefault(response, Answered(response))

    def follow(self, node: Asks, answered: Answered) -> Asks | Gets:
        """Find out where an answer leads that this browser has not had yet."""
        found = self._node(node.visit, (*node.before, answered.response))
        node.then[answered] = found
        return found

    def _node(self, visit: Visit, answers: tuple[HTTPResponse | None, ...]) -> Asks | Gets:
        reached = browse(visit, answers)
        if isinstance(reached, HTTPRequest):
            asked = self._asked.setdefault(reached, Asked(reached))
            return Asks(visit=visit, asked=asked, before=answers)
        response = reached.response
        return Gets(
            shared=reached.result == "success",
            readable=frozenset()
            if response is None
            else frozenset(name.lower() for name, _ in response.headers),
            exchanges=len(answers),
        )


def browse(visit: Visit, answers: Iterable[HTTPResponse | None]) -> HTTPRequest | Outcome:
    """Let a fresh browser fetch; return the request after the last answer, or the outcome."""
    exchange = Browser().fetch(visit.author_request(), origin=visit.origin)
    try:
        request = next(exchange)
        for answer in answers:
            request = exchange.send(answer)
    except StopIteration as stop:
        outcome: Outcome = stop.value
        return outcome
    return request
