"""Enumerating: every pair of a policy and a request is judged, outcome against grant."""

from collections import Counter
from collections.abc import Callable, Collection, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Final, TypeAlias

from cors_conformance.exhaust.browsing import Answered, Asked, Asks, Browsing, Gets, browse
from cors_conformance.exhaust.small_world import SmallWorld, small_world
from cors_conformance.fetch.http import HTTPRequest
from cors_conformance.findings import Finding
from cors_conformance.grant import Grant, Verdict, asked_for, readable_grant, visit_grant
from cors_conformance.implementation import Implementation
from cors_conformance.policy import Policy
from cors_conformance.rules import RULES
from cors_conformance.rules.base import Breach, Look, Rule
from cors_conformance.run import CannotTest, smoke
from cors_conformance.scenario import Visit
from cors_conformance.servers.base import ConfigurationRefused, Reply, ServerDied
from cors_conformance.shrinking import finding
from cors_conformance.world import Fetched, Sent, World

Progress: TypeAlias = Callable[[int, int], None]
"""Called with how many pairs are done, and how many there are."""

ACCESS: Final = tuple(
    rule
    for rule in RULES.values()
    if rule.look is Look.FETCH and rule.chapter in {"safety", "liveness"}
)
"""The rules that compare what came of a fetch with what the policy says of it."""


@dataclass(slots=True, kw_only=True)
class Exhausted:
    """What came of a small world.

    Attributes:
        world: what was enumerated.
        served: how many policies were served.
        pairs: how many pairs of a served policy and a request were judged.
        exchanges: how many requests and responses their outcomes came of.
        sent: how many of these requests differed, policy by policy, and were put on the wire.
        differing: how many outcomes differ from the grant.
        known: how many of them a rule names that is known to fail, by that rule's id; they are
            told apart until the first that is not known.
        counterexample: the smallest that is not known, if there is one.
        refused: the policies that it refused, with its reasons.
        inexpressible: how many policies it cannot express, by the reason.
        died: the policy under which it died, and how; nothing was asked of it after that.

    """

    world: SmallWorld
    served: int = 0
    pairs: int = 0
    exchanges: int = 0
    sent: int = 0
    differing: int = 0
    known: Counter[str] = field(default_factory=Counter)
    counterexample: Finding | None = None
    refused: dict[Policy, str] = field(default_factory=dict)
    inexpressible: Counter[str] = field(default_factory=Counter)
    died: tuple[Policy, str] | None = None

    @property
    def is_clean(self) -> bool:
        """Whether all outcomes are what the policies say, but for what is known."""
        return self.counterexample is None and self.died is None


_Question: TypeAlias = tuple[str, str, bytes, tuple[bytes, ...]]
_Grants: TypeAlias = dict[_Question, Grant]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Page:
    """A request of a page, what policies judge it by, and where its browser starts."""

    visit: Visit
    question: _Question
    root: Asks | Gets


def _question(visit: Visit) -> _Question:
    """Return all that a grant depends on: requests of one question have the same grant."""
    return visit.origin, visit.credentials, *asked_for(visit)


def exhaust(
    implementation: Implementation,
    *,
    world: SmallWorld | None = None,
    known: Collection[str] = (),
    progress: Progress = lambda *_: None,
) -> Exhausted:
    """Judge every pair; `known` are the ids of the rules that the implementation is known to break.

    Raises:
        CannotTest: the implementation does not start, or serves no policy of the world.
        HarnessError: the suite or a harness is at fault.

    """
    smoke(implementation)
    world = world or small_world(implementation)
    result = Exhausted(world=world)
    browsing = Browsing()
    grants: dict[Policy, _Grants] = {}
    pages = [
        _Page(visit=visit, question=_question(visit), root=browsing.root(visit))
        for visit in world.visits
    ]
    rules = [rule for rule in ACCESS if rule.needs.isdisjoint(implementation.lacks)]
    for done, policy in enumerate(world.policies):
        progress(done * len(world.visits), world.pairs)
        why = implementation.cannot_express(policy)
        if why is not None:
            result.inexpressible[why] += 1
            continue
        # What can be read is asked apart: policies that differ in that alone grant the same.
        granted = grants.setdefault(replace(policy, expose_headers=()), {})
        with World(implementation, policy) as served:
            try:
                _Judging(served, pages, browsing, granted, result).judge(rules, known)
            except ConfigurationRefused as error:
                result.refused[policy] = str(error)
            except ServerDied as error:
                result.died = (policy, str(error))
                break
    if not result.served and result.died is None:
        reasons = [*result.refused.values(), *result.inexpressible]
        message = f"{implementation.name} serves no policy of the small world: {reasons[0]}"
        raise CannotTest(message)
    return result


class _Judging:
    """All pairs of one policy."""

    def __init__(
        self,
        world: World,
        pages: Sequence[_Page],
        browsing: Browsing,
        grants: _Grants,
        result: Exhausted,
    ) -> None:
        self._world = world
        self._pages = pages
        self._browsing = browsing
        self._result = result
        self._replies: dict[Asked, tuple[Answered, Reply]] = {}
        self._grants = grants
        self._readable: dict[tuple[frozenset[bytes], str, Verdict], bool] = {}

    def judge(self, rules: Sequence[Rule], known: Collection[str]) -> None:
        """Judge them, the simplest request first; `rules` name what differs.

        Raises:
            ConfigurationRefused: the implementation refuses the policy.
            ServerDied: it died, or hung.

        """
        _ = self._world.server
        result = self._result
        result.served += 1
        for page in self._pages:
            end = self._fetch(page)
            grant = self._grant(page)
            result.pairs += 1
            result.exchanges += end.exchanges
            if not self._is_right(end, grant, page.visit):
                result.differing += 1
                if result.counterexample is None:
                    self._name(page, rules, known)
        result.sent += len(self._replies)

    def _fetch(self, page: _Page) -> Gets:
        """Let the page fetch; what the server was asked before, it is not asked again."""
        node = page.root
        while isinstance(node, Asks):
            answered = (self._replies.get(node.asked) or self._send(node.asked, page.visit))[0]
            node = node.then.get(answered) or self._browsing.follow(node, answered)
        return node

    def _send(self, asked: Asked, visit: Visit) -> tuple[Answered, Reply]:
        reply = self._world.server.send(asked.request, visit.application)
        if reply.hung:
            # Every further request might take as long.
            message = f"it hung: {reply.failure}"
            raise ServerDied(message)
        self._replies[asked] = self._browsing.answered(reply.response), reply
        return self._replies[asked]

    def _grant(self, page: _Page) -> Grant:
        grant = self._grants.get(page.question)
        if grant is None:
            dialect = self._world.implementation.dialect
            grant = visit_grant(self._world.policy, dialect, page.visit)
            self._grants[page.question] = grant
        return grant

    def _is_right(self, end: Gets, grant: Grant, visit: Visit) -> bool:
        """Whether the outcome is what the policy says: the response, and what of it can be read."""
        if grant.verdict is (Verdict.DENIED if end.shared else Verdict.GRANTED):
            return False
        if not end.shared or not self._result.world.reading:
            return True
        key = end.readable, visit.credentials, grant.verdict
        is_right = self._readable.get(key)
        if is_right is None:
            is_right = self._readable[key] = self._reads_right(end.readable, grant, visit)
        return is_right

    def _reads_right(self, names: frozenset[bytes], grant: Grant, visit: Visit) -> bool:
        judge = partial(
            readable_grant,
            self._world.policy,
            self._world.implementation.dialect,
            credentials=visit.credentials,
        )
        if any(judge(name=name).denied for name in names):
            return False
        own = (name for name, _ in visit.application.headers)
        return not grant.granted or all(
            name in names or not judge(name=name).granted for name in own
        )

    def _name(self, page: _Page, rules: Sequence[Rule], known: Collection[str]) -> None:
        """Ask the rules what is wrong; a rule that is not known to fail has the first word."""
        fetched = self._fetched(page)
        for rule in sorted(rules, key=lambda rule: rule.id in known):
            message = _breach(rule, self._world, fetched)
            if message is None:
                continue
            if rule.id in known:
                self._result.known[rule.id] += 1
            else:
                self._result.counterexample = self._finding(rule, message, fetched)
            return
        message = (
            f"no rule names what is wrong with {page.visit} under {self._world.policy}, where"
            f" the outcome is {fetched.outcome.result} and the policy says {fetched.grant}"
        )
        raise AssertionError(message)

    def _fetched(self, page: _Page) -> Fetched:
        """Tell the fetch once more, with all that the tree leaves out."""
        sent: list[Sent] = []
        node = page.root
        while isinstance(node, Asks):
            answered, reply = self._replies[node.asked]
            sent.append(
                Sent(request=node.asked.request, application=page.visit.application, reply=reply)
            )
            node = node.then[answered]
        outcome = browse(page.visit, [item.reply.response for item in sent])
        if isinstance(outcome, HTTPRequest):  # pragma: no cover - it is the same function
            message = "a browser went on where it had ended"
            raise AssertionError(message)  # noqa: TRY004 - not a matter of types
        return Fetched(visit=page.visit, outcome=outcome, sent=tuple(sent), grant=self._grant(page))

    def _finding(self, rule: Rule, message: str, fetched: Fetched) -> Finding:
        """Do it once more from scratch, as a replay does."""
        implementation, policy = self._world.implementation, self._world.policy
        shown = None
        with suppress(ConfigurationRefused, ServerDied):
            shown = finding(implementation, rule, policy, fetched.visit)
        return shown or Finding(
            rule=rule,
            message=f"{message} (it does not show every time)",
            policy=policy,
            source=fetched.visit,
            wire=fetched.sent,
            steps=fetched.outcome.steps,
            grant=fetched.grant,
        )


def _breach(rule: Rule, world: World, fetched: Fetched) -> str | None:
    try:
        rule.check(world, fetched)
    except Breach as breach:
        return str(breach)
    return None
