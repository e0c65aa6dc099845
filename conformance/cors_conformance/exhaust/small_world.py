"""The small world: which policies there are in it, and which requests pages make.

Both are products of short lists, smallest first, so that the first counterexample that is met is
the smallest there is.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import combinations, product
from typing import Final, TypeVar

from cors_conformance.application import ApplicationResponse
from cors_conformance.fetch.http import HeaderLine
from cors_conformance.fetch.methods import normalize_method
from cors_conformance.grant import asked_for
from cors_conformance.implementation import Capability, Implementation
from cors_conformance.policy import WILDCARD, Policy
from cors_conformance.scenario import Credentials, Visit

T = TypeVar("T")

ORIGINS: Final = ("https://a.example", "https://b.example:8443")
"""The origins that policies name."""
METHODS: Final = ("GET", "PATCH", "PURGE")
"""The methods that policies name: a CORS-safelisted one, a common one, a custom one."""
HEADERS: Final = ("Authorization", "X-A")
"""The request-header names that policies name, as people write them."""
EXPOSED: Final = "X-Exposed"
"""The response-header name that policies name."""

PAGES: Final = (
    *ORIGINS,
    "https://b.example",
    "http://a.example",
    "https://sub.a.example",
    "https://za.example",
    "https://a-example",
    "https://a.example.b.example",
    "null",
)
"""The origins of pages: those that policies name, then near misses of them: without the port, with
another scheme, a subdomain, a longer label, another character for the dot, an allowed origin as the
beginning of another one; and the opaque one."""
ASKED_METHODS: Final = (b"GET", b"POST", b"PATCH", b"patch", b"PURGE", b"OPTIONS")
"""The methods of pages; `patch` is not PATCH, since browsers do not normalise it."""
ASKED_HEADERS: Final[tuple[HeaderLine, ...]] = (
    (b"accept-language", b"en"),
    (b"authorization", b"Bearer t"),
    (b"x-a", b"1"),
)
"""The headers that pages set: a CORS-safelisted one, the one that `*` does not cover, any other."""
MODES: Final[tuple[Credentials, ...]] = ("omit", "same-origin", "include")
"""The credentials modes of pages."""
ANSWER: Final = ApplicationResponse(
    headers=((b"content-type", b"text/plain"), (b"x-exposed", b"1"), (b"x-hidden", b"1"))
)
"""What the application answers: a CORS-safelisted response header, and two others."""

_USUAL: Final = frozenset({b"GET", b"HEAD", b"POST", b"PUT", b"DELETE", b"PATCH", b"OPTIONS"})


@dataclass(frozen=True, slots=True, kw_only=True)
class SmallWorld:
    """What is enumerated.

    Attributes:
        policies: those with the fewest entries first.
        visits: the requests of pages, the simplest first.
        reading: whether it is compared which response headers pages can read.

    """

    policies: tuple[Policy, ...]
    visits: tuple[Visit, ...]
    reading: bool = True

    @property
    def pairs(self) -> int:
        """How many pairs of a policy and a request there are."""
        return len(self.policies) * len(self.visits)


def small_world(implementation: Implementation) -> SmallWorld:
    """Return the world without what the implementation lacks.

    A parameter that it lacks stays at its default, and requests that nothing but this parameter
    can deny are not made: there is no saying what is right.
    """
    lacks = implementation.lacks
    return SmallWorld(
        policies=tuple(sorted(_policies(implementation), key=entries)),
        visits=tuple(sorted(_visits(implementation), key=_intricacy)),
        reading=not {Capability.EXPOSE, Capability.APPLICATION_HEADERS} & set(lacks),
    )


def entries(policy: Policy) -> int:
    """Count the entries of a policy: list items, and whether it allows credentials."""
    return policy.allow_credentials + sum(
        map(
            len,
            (
                policy.allow_origins,
                policy.allow_methods,
                policy.allow_headers,
                policy.expose_headers,
            ),
        )
    )


def _policies(implementation: Implementation) -> Iterator[Policy]:
    lacks, default = implementation.lacks, Policy()
    for origins, methods, headers, credentials, exposed in product(
        (*_subsets(ORIGINS), ("null",), (WILDCARD,)),
        [default.allow_methods]
        if Capability.METHODS in lacks
        else (*_subsets(METHODS), (WILDCARD,)),
        [default.allow_headers]
        if Capability.HEADERS in lacks
        else (*_subsets(HEADERS), (WILDCARD,)),
        [False] if Capability.CREDENTIALS in lacks else (False, True),
        [default.expose_headers]
        if Capability.EXPOSE in lacks
        else (*_subsets((EXPOSED,)), (WILDCARD,)),
    ):
        yield Policy(
            allow_origins=origins,
            allow_methods=methods,
            allow_headers=headers,
            allow_credentials=credentials,
            expose_headers=exposed,
        )


def _visits(implementation: Implementation) -> Iterator[Visit]:
    lacks = implementation.lacks
    application = ApplicationResponse() if Capability.APPLICATION_HEADERS in lacks else ANSWER
    for origin, method, headers, credentials in product(
        PAGES, ASKED_METHODS, _subsets(ASKED_HEADERS), MODES
    ):
        visit = Visit(
            origin=origin,
            method=method,
            headers=headers,
            credentials=credentials,
            application=application,
        )
        if Capability.METHODS in lacks and method.decode() not in Policy().allow_methods:
            continue
        if Capability.ANY_METHOD in lacks and normalize_method(method) not in _USUAL:
            continue
        if Capability.HEADERS in lacks and asked_for(visit)[1]:
            continue
        if Capability.CREDENTIALS in lacks and credentials == "include":
            continue
        yield visit


def _intricacy(visit: Visit) -> tuple[int, ...]:
    """Count what a request has to it: few headers first, then by the place in each list."""
    return (
        len(visit.headers),
        ASKED_METHODS.index(visit.method),
        MODES.index(visit.credentials),
        PAGES.index(visit.origin),
    )


def _subsets(items: Sequence[T]) -> Iterator[tuple[T, ...]]:
    for size in range(len(items) + 1):
        yield from combinations(items, size)


def description() -> str:
    """Say what the world contains, for whoever reads the help or the documentation."""

    def listed(items: Sequence[object]) -> str:
        return ", ".join(item.decode() if isinstance(item, bytes) else str(item) for item in items)

    return f"""\
Policies, every combination of
  allow_origins      every subset of {listed(ORIGINS)}; null; *
  allow_methods      every subset of {listed(METHODS)}; *
  allow_headers      every subset of {listed(HEADERS)}; *
  allow_credentials  False, True
  expose_headers     none; {EXPOSED}; *
  max_age            600
Requests, every combination of
  a page of          {listed(PAGES[:5])},
                     {listed(PAGES[5:])}
  the method         {listed(ASKED_METHODS)}
  the headers        every subset of {listed([name for name, _ in ASKED_HEADERS])}
  credentials        {listed(MODES)}
The application answers 200 with the headers {listed([name for name, _ in ANSWER.headers])}.
"""
