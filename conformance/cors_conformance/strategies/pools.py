"""Pools: what the pages of one batch have in common."""

from dataclasses import dataclass
from functools import lru_cache
from typing import Final

from cors_conformance.fetch.http import HeaderLines
from cors_conformance.policy import WILDCARD, Policy
from cors_conformance.scenario import Credentials
from cors_conformance.strategies.choices import Choices
from cors_conformance.strategies.headers import COMMON as COMMON_NAMES
from cors_conformance.strategies.headers import (
    name_mutations,
    safelist_limits,
    unsafe_header,
)
from cors_conformance.strategies.methods import COMMON as COMMON_METHODS
from cors_conformance.strategies.methods import CUSTOM, NORMALIZED, method_mutations, normalized
from cors_conformance.strategies.mutations import recombinations
from cors_conformance.strategies.origins import COMMON as COMMON_ORIGINS
from cors_conformance.strategies.origins import (
    choose_uncommon,
    fixed_foreign_origins,
    foreign_near_misses,
)

_SAFELISTED: Final = ("GET", "POST", "HEAD")
_VISITS: Final = 80
"""How many visits the product of the pools gives at most."""
_CREDENTIALS: Final[tuple[tuple[Credentials, ...], ...]] = (
    ("omit",),
    ("omit", "include"),
    ("include",),
    ("omit", "include"),
    # What needs a rare method or name as well is to meet both modes.
    ("omit", "include"),
    ("same-origin", "include"),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Pools:
    """Origins, methods, header sets and credentials modes, to be combined."""

    origins: tuple[str, ...]
    methods: tuple[bytes, ...]
    header_sets: tuple[HeaderLines, ...]
    credentials: tuple[Credentials, ...]


def choose_pools(choices: Choices, policy: Policy, *, any_method: bool) -> Pools:
    """Choose pools with what the policy grants and what it denies."""
    usable = granted_methods(policy.allow_methods, any_method=any_method)
    names = choices.pool(
        usable,
        _SAFELISTED,
        denied_methods(policy.allow_methods),
        otherwise=("GET",),
    )
    header_sets = choices.pool(
        ((),),
        granted_header_sets(policy.allow_headers),
        other_header_sets(policy.allow_headers),
        otherwise=((),),
    )
    credentials = choices.one(_CREDENTIALS)
    origins = _choose_origins(choices, policy.allow_origins)
    return Pools(
        origins=origins[: _VISITS // (len(names) * len(header_sets) * len(credentials))],
        methods=tuple(name.encode("ascii") for name in names),
        header_sets=header_sets,
        credentials=credentials,
    )


def _choose_origins(choices: Choices, allowed: tuple[str, ...]) -> tuple[str, ...]:
    if WILDCARD in allowed:
        drawn = (choose_uncommon(choices),)
        return choices.pool(
            COMMON_ORIGINS, COMMON_ORIGINS, drawn, (None, "null"), otherwise=COMMON_ORIGINS[:1]
        )
    # Parts of different origins twice: where there are several, their near misses are many.
    foreign = (*fixed_foreign_origins(allowed), *recombinations(allowed) * 2)
    near = foreign_near_misses(allowed)
    # Near misses three times: it takes the right neighbour to find a wrong comparison.
    return choices.pool(
        allowed,
        allowed,
        foreign,
        near,
        near,
        near,
        otherwise=(allowed or foreign)[:1],
    )


@lru_cache(maxsize=256)
def granted_methods(listed: tuple[str, ...], *, any_method: bool) -> tuple[str, ...]:
    """Return methods that `allow_methods` grants, as pages write them; some of them repeated."""
    if WILDCARD in listed:
        return (*COMMON_METHODS[2:] * 2, "put", *(CUSTOM if any_method else ()))
    # As listed, and as pages write what the browser will normalise.
    lower = (method.lower() for method in listed if method in NORMALIZED)
    return tuple(dict.fromkeys((*listed, *lower)))


@lru_cache(maxsize=256)
def denied_methods(listed: tuple[str, ...]) -> tuple[str, ...]:
    """Return methods that `allow_methods` denies, some of them repeated."""
    if WILDCARD in listed:
        return ()
    granted = {*listed, *_SAFELISTED}
    near = [near for method in listed for near in method_mutations(method)]
    other_case = [near for near in near if near.upper() in {method.upper() for method in listed}]
    candidates = dict.fromkeys(("PUT", "DELETE", "PATCH", "CHICKEN", "OPTIONS", "patch", *near))
    denied = [method for method in candidates if normalized(method) not in granted]
    # `patch` is to be met where `PATCH` is listed: a third of the choices are in another case.
    return tuple(denied + other_case * (len(denied) // (2 * len(other_case) or 1)))


@lru_cache(maxsize=256)
def granted_header_sets(listed: tuple[str, ...]) -> tuple[HeaderLines, ...]:
    """Return sets that `allow_headers` grants, some of them repeated."""
    if WILDCARD in listed:
        several: tuple[tuple[str, ...], ...] = (
            ("X-A", "X-B", "Content-Type"),
            ("x-a", "Authorization"),
            ("AUTHORIZATION",),
        )
        # `*` and `Authorization` are to meet: half of the sets have it.
        return tuple(_lines(names) for names in (*zip(COMMON_NAMES), *several * 15))
    several = (listed, (*listed[:1], *listed[-1:]), listed[1:])
    singles = ((name,) for name in listed[:8])
    others = ((spelling,) for name in listed[:8] for spelling in (name.lower(), name.upper()))
    groups = dict.fromkeys((*singles, *several, *others))
    return tuple(_lines(group) for group in groups if group)


@lru_cache(maxsize=256)
def other_header_sets(listed: tuple[str, ...]) -> tuple[HeaderLines, ...]:
    """Return sets with a name outside `allow_headers`, and as many at the safelist's limits."""
    limits = safelist_limits()
    if WILDCARD in listed:
        return limits
    known = {name.lower() for name in listed}
    near = [near for name in listed[:4] for near in name_mutations(name)]
    candidates = ("X-Evil", "Authorization", "X-A", "authorization", "Content-Type", *near)
    foreign = [name for name in dict.fromkeys(candidates) if name.lower() not in known]
    denied = (
        *(_lines((name,)) for name in foreign),
        *(_lines((*listed[:2], name)) for name in foreign),
        *(_lines((name, *listed[-1:])) for name in foreign),
        # All of a long list, and one more that is the last of them in the order of browsers.
        _lines((*listed, "x~")),
    )
    return denied * (1 + len(limits) // len(denied)) + limits


def _lines(names: tuple[str, ...]) -> HeaderLines:
    # A page's names are unique in any case.
    unique = {name.lower(): unsafe_header(name) for name in names}
    return tuple(unique.values())
