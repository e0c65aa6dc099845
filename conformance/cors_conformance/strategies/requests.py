"""What pages and strangers do to a server that was built from one policy."""

from dataclasses import replace
from itertools import product
from typing import Final

from hypothesis import strategies as st

from cors_conformance.application import ApplicationResponse
from cors_conformance.policy import Policy
from cors_conformance.scenario import PLAIN, Batch, Credentials, Journey, Visit, Wait
from cors_conformance.strategies.applications import cacheable_applications, peculiarities
from cors_conformance.strategies.choices import Choices
from cors_conformance.strategies.hostile import ordinary_requests
from cors_conformance.strategies.hostile import raw_requests as odd_requests
from cors_conformance.strategies.pools import Pools, choose_pools

START: Final = 100
"""A policy makes fewer choices, and is drawn in the same example."""
STEPS: Final = 6
"""How many steps a journey of a batch has at most."""
_MODES: Final[tuple[Credentials, ...]] = ("omit", "include")


@st.composite
def batches(  # noqa: PLR0913 - one option for each thing that may be impossible to do
    draw: st.DrawFn,
    policy: Policy,
    *,
    application_headers: bool = True,
    application_status: bool = True,
    exceptions: bool = True,
    chunks: bool = True,
    raw_requests: bool = True,
    any_method: bool = True,
    unsafe_bytes: bool = False,
    huge: bool = False,
) -> Batch:
    """Draw what is done to one server: allowed and foreign in each pool, in every combination.

    The first four options say what the origin app can do, `raw_requests` whether odd bytes reach
    the middleware (`unsafe_bytes` and `huge` as for `hostile_requests`), `any_method` whether
    the app can be reached with methods for which few frameworks have routes.

    Aims at decisions that depend on more than they should: on an origin's neighbours, on another
    header, on the credentials mode, on what was asked before. Each pool shrinks to one element.
    """
    choices = Choices(draw, start=START)
    pools = choose_pools(choices, policy, any_method=any_method)
    kinds = peculiarities(
        expose=policy.expose_headers,
        headers=application_headers,
        statuses=application_status,
        exceptions=exceptions,
        chunks=chunks,
    )
    answers = choices.pool(
        kinds.headers, kinds.headers, kinds.statuses, kinds.sending, otherwise=(PLAIN,)
    )
    journeys_drawn = tuple(
        _draw_journey(choices, policy, pools, application_headers=application_headers)
        for _ in range(choices.one((0, 1, 2)))
    )
    ordinary = ordinary_requests(policy)
    hostile = choices.pool(ordinary, ordinary, otherwise=())
    if raw_requests:
        recipes = odd_requests(policy, unsafe_bytes=unsafe_bytes, huge=huge)
        odd = choices.pool(recipes, recipes, recipes, otherwise=())
        hostile += tuple(recipe() for recipe in odd)
    return Batch(
        origins=pools.origins,
        methods=pools.methods,
        header_sets=pools.header_sets,
        credentials=pools.credentials,
        applications=answers,
        journeys=journeys_drawn,
        hostile=tuple(
            replace(request, application=answers[index % len(answers)])
            for index, request in enumerate(hostile)
        ),
    )


@st.composite
def journeys(
    draw: st.DrawFn,
    policy: Policy,
    *,
    application_headers: bool = True,
    any_method: bool = True,
) -> Journey:
    """Draw visits and waits through shared caches; options as for `batches`.

    Aims at `Vary: Origin` that is missing, from denials and from responses to requests without
    `Origin` above all, at preflights that promise more or less than the server keeps, and at
    state that leaks from one request into the next.
    """
    choices = Choices(draw, start=START)
    pools = choose_pools(choices, policy, any_method=any_method)
    return _draw_journey(choices, policy, pools, application_headers=application_headers)


def _draw_journey(
    choices: Choices, policy: Policy, pools: Pools, *, application_headers: bool
) -> Journey:
    through_shared_cache = application_headers and choices.one((False, True))
    steps = (
        cacheable_steps(pools, choices.one(cacheable_applications()))
        if through_shared_cache
        else preflighted_steps(policy, pools)
    )
    chosen = [choices.one((None, *steps)) for _ in range(STEPS)]
    if not any(isinstance(step, Visit) for step in chosen):
        return Journey(steps=steps[:1])
    return Journey(steps=tuple(step for step in chosen if step is not None))


def cacheable_steps(pools: Pools, application: ApplicationResponse) -> tuple[Visit | Wait, ...]:
    """Return visits of all origins to one cacheable resource, some of them without `Origin`."""
    return (
        *(
            Visit(
                origin=origin,
                method=b"GET",
                path="/cached",
                credentials=credentials,
                application=application,
            )
            for origin, credentials in product(pools.origins, _MODES)
        ),
        # An image on a page: the same resource, and no `Origin` header.
        *(
            Visit(
                origin=pools.origins[0],
                method=b"GET",
                path="/cached",
                mode="no-cors",
                credentials=credentials,
                application=application,
            )
            for credentials in _MODES
        ),
        Wait(seconds=30),
        Wait(seconds=61),
    )


def preflighted_steps(policy: Policy, pools: Pools) -> tuple[Visit | Wait, ...]:
    """Return visits by few origins with all methods, names and credentials modes."""
    origins = pools.origins[:2]
    combinations = product(origins, pools.methods, pools.header_sets, _MODES)
    return (
        *(
            Visit(origin=origin, method=method, headers=lines, credentials=credentials)
            for origin, method, lines, credentials in combinations
        ),
        *(
            # An upload with a listener for its progress.
            Visit(origin=origin, method=b"POST", body=b"upload", use_cors_preflight=True)
            for origin in origins
        ),
        *(Wait(seconds=seconds) for seconds in (4, 6, policy.max_age, policy.max_age + 1)),
    )
