"""Sweeps: what is done to a server one thing after the other, so that nothing depends on luck.

A batch is a product of small pools, and finds mistakes that need several things at once. Most
mistakes need one: one near miss of one origin, one method, one name, one status. A sweep takes a
visit that the policy grants and changes one thing of it, in every way that the strategies know.
"""

from collections.abc import Iterable, Iterator
from dataclasses import replace
from itertools import count
from typing import Final

from cors_conformance.application import ApplicationResponse
from cors_conformance.policy import WILDCARD, Policy
from cors_conformance.scenario import (
    BODILESS,
    PLAIN,
    Batch,
    Credentials,
    Journey,
    RawRequest,
    Visit,
)
from cors_conformance.strategies.applications import cacheable_applications, peculiarities
from cors_conformance.strategies.headers import COMMON as COMMON_NAMES
from cors_conformance.strategies.headers import unsafe_header
from cors_conformance.strategies.hostile import ordinary_requests
from cors_conformance.strategies.hostile import raw_requests as odd_requests
from cors_conformance.strategies.methods import CUSTOM
from cors_conformance.strategies.mutations import EVIL
from cors_conformance.strategies.origins import COMMON as COMMON_ORIGINS
from cors_conformance.strategies.origins import fixed_foreign_origins, foreign_near_misses
from cors_conformance.strategies.pools import (
    denied_methods,
    granted_header_sets,
    granted_methods,
    other_header_sets,
)

_NEIGHBOURS: Final = 3
"""Of how many allowed origins all near misses are met."""
_PAGES: Final = 200
"""Of how many allowed origins there are pages: a list may have thousands."""
_SMALL: Final = 1024


def sweeps(
    policies: Iterable[Policy],
    *,
    application_headers: bool = True,
    application_status: bool = True,
    exceptions: bool = True,
    chunks: bool = True,
    raw_requests: bool = True,
    any_method: bool = True,
) -> Iterator[tuple[Policy, Batch]]:
    """Yield what is one thing away from what each policy grants; options as for `batches`.

    Aims at the mistakes of one origin, method, name or status, which a draw meets or does not.
    What depends on some parameters only is not done again under a policy that has the same.
    """
    met: set[tuple[object, ...]] = set()
    turns = count()

    def is_new(*parts: object) -> bool:
        is_new = parts not in met
        met.add(parts)
        return is_new

    for policy in policies:
        kinds = peculiarities(
            expose=policy.expose_headers,
            headers=application_headers,
            statuses=application_status,
            exceptions=exceptions,
            chunks=chunks,
        )
        applications = tuple(dict.fromkeys((*kinds.headers, *kinds.statuses, *kinds.sending)))
        # Nobody, one, several or all: whether and how responses to them differ.
        audience = (min(len(policy.allow_origins), 2), WILDCARD in policy.allow_origins)
        mode = (audience, policy.allow_credentials)
        visits: list[Visit] = []
        if is_new("origins", policy.allow_origins, policy.allow_credentials):
            visits += _origins(policy)
        if is_new("methods", policy.allow_methods, mode):
            visits += _methods(policy, any_method=any_method)
        if is_new("names", policy.allow_headers, mode):
            visits += _names(policy)
        if is_new("applications", policy.expose_headers, mode):
            visits += _applications(policy, applications, turn=next(turns))
        journeys: tuple[Journey, ...] = ()
        hostile: tuple[RawRequest, ...] = ()
        if is_new("journeys", mode) and application_headers:
            journeys = tuple(_journeys(policy))
        if is_new("hostile", mode, WILDCARD in policy.allow_headers):
            hostile = (*ordinary_requests(policy), *(_odd(policy) if raw_requests else ()))
        # The pools are what a rule takes to be the pages of the batch: allowed and foreign.
        allowed = _allowed(policy)
        origins = dict.fromkeys((*allowed[:1], *allowed[-1:], *_foreign(policy)[:2]))
        yield (
            policy,
            Batch(
                origins=tuple(origins) or (EVIL,),
                methods=(b"GET",),
                header_sets=((),),
                credentials=("omit", "include") if policy.allow_credentials else ("omit",),
                applications=(PLAIN,),
                single=tuple(dict.fromkeys(visits)),
                journeys=journeys,
                hostile=hostile,
            ),
        )


def _odd(policy: Policy) -> Iterator[RawRequest]:
    for recipe in odd_requests(policy):
        request = recipe()
        if sum(len(value) for _, value in request.headers) <= _SMALL:
            yield request


def _allowed(policy: Policy) -> tuple[str, ...]:
    if WILDCARD in policy.allow_origins:
        return (*COMMON_ORIGINS, "null")
    return (*policy.allow_origins[:_PAGES], *policy.allow_origins[_PAGES:][-1:])


def _foreign(policy: Policy) -> tuple[str, ...]:
    if WILDCARD in policy.allow_origins:
        return ()
    allowed = policy.allow_origins
    few = (*allowed[:_NEIGHBOURS], *allowed[-1:])
    near = (origin for origin in foreign_near_misses(few) if origin not in allowed)
    return (*dict.fromkeys(fixed_foreign_origins(allowed)), *near)


def _base(policy: Policy, *, last: bool = False) -> Visit:
    origins = _allowed(policy) or (EVIL,)
    return Visit(origin=origins[-1 if last else 0], method=b"GET")


def _asking(visit: Visit, method: str) -> Visit:
    name = method.encode("ascii")
    return replace(visit, method=name, body=None if name.upper() in BODILESS else b"page")


def _origins(policy: Policy) -> Iterator[Visit]:
    methods = granted_methods(policy.allow_methods, any_method=False)
    asking = [method for method in methods if method not in {"GET", "HEAD", "POST"}]
    for origin in (*_allowed(policy), *_foreign(policy)):
        visit = replace(_base(policy), origin=origin)
        yield visit
        yield _asking(visit, asking[0] if asking else "PUT")
    # What a page gets with credentials, it gets without: foreign ones need not try both.
    for origin in _allowed(policy):
        yield replace(_base(policy), origin=origin, credentials="include")


def _methods(policy: Policy, *, any_method: bool) -> Iterator[Visit]:
    granted = granted_methods(policy.allow_methods, any_method=any_method)
    custom = CUSTOM if any_method else ()
    denied = denied_methods(policy.allow_methods)
    every = dict.fromkeys(("HEAD", "POST", *granted, *denied, *custom))
    for method in every:
        visit = _asking(_base(policy, last=True), method)
        yield visit
        yield replace(visit, credentials="include")
    yield replace(_asking(_base(policy), "HEAD"), origin=EVIL)
    yield replace(_asking(_base(policy), "POST"), origin=EVIL)


def _names(policy: Policy) -> Iterator[Visit]:
    methods = granted_methods(policy.allow_methods, any_method=False)
    granted = granted_header_sets(policy.allow_headers)
    common = ((unsafe_header(name),) for name in COMMON_NAMES)
    for headers in dict.fromkeys((*granted, *other_header_sets(policy.allow_headers), *common)):
        yield replace(_base(policy), headers=headers)
    for headers in dict.fromkeys(granted):
        visit = replace(_base(policy, last=True), headers=headers, credentials="include")
        yield visit
        yield _asking(visit, methods[-1] if methods else "POST")
        yield replace(_asking(visit, "HEAD"), credentials="omit")


def _applications(
    policy: Policy, applications: tuple[ApplicationResponse, ...], *, turn: int
) -> Iterator[Visit]:
    """Let every application answer the plainest page, and in turn a foreign one and others.

    The turn is another under the next policy.
    """
    modes: tuple[Credentials, ...] = ("include", "omit")
    for index, application in enumerate(applications, start=turn):
        visit = replace(_base(policy), application=application)
        yield visit
        if index % 2:
            yield replace(visit, origin=EVIL)
        else:
            yield replace(_asking(visit, "POST"), credentials=modes[index // 2 % 2])


def _journeys(policy: Policy) -> Iterator[Journey]:
    """Let a resource be asked for without `Origin`, by a denied page and by allowed ones."""
    page = replace(_base(policy), path="/cached")
    others = [replace(page, origin=origin) for origin in (EVIL, *_allowed(policy)[-1:])]
    pages = (replace(page, mode="no-cors"), *others, page)
    for application in cacheable_applications():
        for steps in (pages, pages[::-1]):
            yield Journey(steps=tuple(replace(step, application=application) for step in steps))
