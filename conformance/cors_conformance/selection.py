"""Selections: from what people write on a command line to a run."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TypeAlias

from hypothesis.database import ExampleDatabase

from cors_conformance import baseline
from cors_conformance.choosing import NothingMatches
from cors_conformance.database import BadDatabase, Counterexamples, open_database
from cors_conformance.findings import Report, RuleResult, Status
from cors_conformance.fuzzing import Fuzz, Limit
from cors_conformance.implementation import Implementation
from cors_conformance.implementations import registry
from cors_conformance.implementations.errors import BadImplementation
from cors_conformance.implementations.registry import Missing
from cors_conformance.named_policies import BadPolicy, find_policy
from cors_conformance.policy import Policy
from cors_conformance.profiles import PROFILES, Profile
from cors_conformance.replay import BadToken, PolicyRefused, decode, replay
from cors_conformance.rules import select
from cors_conformance.rules.base import Rule
from cors_conformance.run import Progress, Run

Told: TypeAlias = Callable[[baseline.Judged], None]
"""Called with each finding of an endless run when it is there."""


class BadSelection(Exception):
    """What was asked for cannot be run; the message says why."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """What people wrote; see the options of `cors-conformance run`.

    `implementations` may be empty: then all built-in ones but `none` are meant.
    """

    implementations: Sequence[str] = ()
    rules: Sequence[str] = ()
    policy: str | None = None
    profile: str = "default"
    seed: int | None = None
    baseline: str | None = None
    ignore_shipped_baseline: bool = False
    token: str | None = None
    database: str | None = None
    seconds: float | None = None
    examples: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Selection:
    """What is to be run.

    Attributes:
        implementations: to test, in this order.
        missing: built-in ones that were not named and are not installed here.
        rules: to judge by; the rule of the token alone, if there is one.
        policy: the only one, if one is fixed.
        profile: how to search.
        seed: of the search, if one is given.
        entries: what is known.
        token: what to replay in place of a search.
        database: of the counterexamples that a search begins with and adds to, if one is given.
        limit: where an endless search ends by itself.

    """

    implementations: tuple[Implementation, ...]
    missing: tuple[Missing, ...]
    rules: tuple[Rule, ...]
    policy: Policy | None
    profile: Profile
    seed: int | None
    entries: tuple[baseline.Entry, ...]
    token: str | None
    database: ExampleDatabase | None
    limit: Limit

    @property
    def is_endless(self) -> bool:
        """Whether a run goes on until it is stopped."""
        return self.profile.is_endless and self.token is None

    def judge(
        self,
        implementation: Implementation,
        rules: Sequence[Rule] | None = None,
        progress: Progress = lambda *_: None,
        told: Told = lambda _: None,
    ) -> baseline.Judgement:
        """Test one implementation, by some of the rules.

        An endless run is ended by SIGINT or SIGTERM; its findings, known or not, are told before.

        Raises:
            CannotTest: it does not start, or serves no policy of the run.
            HarnessError: the suite or a harness is at fault.
            BadSelection: the token turns out to be damaged.
            KeyboardInterrupt: a run that ends was interrupted, or one that had nothing to tell yet.

        """
        if self.token is not None:
            return baseline.judge(self._replayed(implementation, self.token), thorough=False)
        run = self._endless(implementation, told) if self.is_endless else Run
        report = run(
            implementation=implementation,
            rules=self.rules if rules is None else rules,
            profile=self.profile,
            policy=self.policy,
            progress=progress,
            seed=self.seed,
            corpus=self._corpus(implementation),
        ).report()
        thorough = baseline.is_thorough(self.profile.name, self.policy)
        return baseline.judge(report, self.entries, thorough=thorough)

    def run(self, implementation: Implementation) -> Run:
        """Return a run by the rules that would make a new finding: none that is known or noted."""
        return Run(
            implementation=implementation,
            rules=tuple(
                rule for rule in self.rules if baseline.is_news(rule, implementation, self.entries)
            ),
            profile=self.profile,
            policy=self.policy,
        )

    def _corpus(self, implementation: Implementation) -> Counterexamples | None:
        return None if self.database is None else Counterexamples(self.database, implementation)

    def _endless(self, implementation: Implementation, told: Told) -> Callable[..., Fuzz]:
        def tell(result: RuleResult) -> None:
            told(baseline.judge_result(result, implementation, self.entries))

        return partial(Fuzz, limit=self.limit, told=tell)

    def _replayed(self, implementation: Implementation, token: str) -> Report:
        refused: tuple[tuple[Policy, str], ...] = ()
        try:
            finding = replay(implementation, token)
        except PolicyRefused as error:
            finding, refused = None, ((error.policy, str(error)),)
        except BadToken as error:
            raise BadSelection(str(error)) from error
        status = Status.PASSED if finding is None else Status.FAILED
        (rule,) = self.rules
        return Report(
            implementation=implementation,
            profile="replay",
            seed=None,
            results=(RuleResult(rule=rule, status=status, judged=1, finding=finding),),
            policies=0 if refused else 1,
            exchanges=0 if finding is None else len(finding.wire),
            refused=refused,
        )


def read(asked: Asked) -> Selection:
    """Find all that was asked for.

    Raises:
        BadSelection: something is not there, or malformed.

    """
    try:
        missing = registry.missing() if not asked.implementations else ()
        left_out = {"none", *(item.name for item in missing)}
        names = asked.implementations or [
            name for name in registry.BUILT_IN if name not in left_out
        ]
        # Naming one twice is no reason to test it twice.
        implementations = tuple(map(registry.find, dict.fromkeys(names)))
        profile = _profile(asked.profile)
        return Selection(
            implementations=implementations,
            missing=missing,
            rules=_rules(asked),
            policy=None if asked.policy is None else find_policy(asked.policy),
            profile=profile,
            seed=asked.seed,
            entries=_entries(asked),
            token=asked.token,
            limit=_limit(asked, profile, len(implementations)),
            database=None if asked.database is None else open_database(asked.database),
        )
    except (
        BadDatabase,
        BadImplementation,
        BadPolicy,
        BadToken,
        NothingMatches,
        baseline.BadBaseline,
    ) as error:
        raise BadSelection(str(error)) from error


def _rules(asked: Asked) -> tuple[Rule, ...]:
    if asked.token is None:
        return select(asked.rules)
    if asked.rules or asked.policy is not None:
        message = "a token names its rule and its policy: leave out --rule and --policy"
        raise BadSelection(message)
    rule, _, _ = decode(asked.token)
    return (rule,)


def _profile(name: str) -> Profile:
    if name not in PROFILES:
        message = f"there is no profile {name!r}; there are {', '.join(PROFILES)}"
        raise BadSelection(message)
    return PROFILES[name]


def _limit(asked: Asked, profile: Profile, implementations: int) -> Limit:
    limit = Limit(seconds=asked.seconds, examples=asked.examples)
    is_limited = limit != Limit()
    if is_limited and not profile.is_endless:
        message = f"the profile {profile.name} ends by itself; a limit is for the profile fuzz"
        raise BadSelection(message)
    if not all(value is None or value > 0 for value in (limit.seconds, limit.examples)):
        message = "a limit of seconds or examples is greater than 0"
        raise BadSelection(message)
    if profile.is_endless and not is_limited and asked.token is None and implementations > 1:
        message = (
            "the profile fuzz goes on until it is stopped: name one implementation, or limit it"
            " with --seconds or --examples"
        )
        raise BadSelection(message)
    return limit


def _entries(asked: Asked) -> tuple[baseline.Entry, ...]:
    # One's own entries come first: they add to what is shipped, and win over it.
    own = () if asked.baseline is None else baseline.read(Path(asked.baseline))
    return own if asked.ignore_shipped_baseline else (*own, *baseline.read())
