"""Policies that make sense: drawn ones, and the ones that always run."""

from dataclasses import replace
from functools import cache
from typing import Final, TypeAlias, get_args

from hypothesis import strategies as st

from cors_conformance.policy import WILDCARD, Parameter, Policy
from cors_conformance.strategies.choices import Choices
from cors_conformance.strategies.headers import TOKEN_CHARACTERS as NAME_CHARACTERS
from cors_conformance.strategies.methods import COMMON as COMMON_METHODS
from cors_conformance.strategies.methods import TOKEN_CHARACTERS as METHOD_CHARACTERS
from cors_conformance.strategies.mutations import mutations
from cors_conformance.strategies.origins import COMMON as COMMON_ORIGINS
from cors_conformance.strategies.origins import choose_uncommon

_Lists: TypeAlias = tuple[tuple[str, ...], ...]

ALL_PARAMETERS: Final[frozenset[Parameter]] = frozenset(get_args(Parameter))

_DEFAULT: Final = Policy()
_ALL: Final = (WILDCARD,)

_ORIGINS: Final[_Lists] = (
    ("https://a.example",),
    ("https://a.example", "https://b.example"),
    ("https://a.example:8443",),
    # One is a prefix, a suffix, or the other scheme or port, of another.
    ("https://a.example", "https://a.example:8443"),
    ("https://a.example", "https://a.example.evil.example"),
    ("https://a.example", "http://a.example"),
    ("https://a.example", "https://xa.example", "https://b.a.example"),
    ("https://example.com", "https://app.example.com"),
    ("http://localhost:3000", "http://127.0.0.1:3000", "http://[::1]:3000"),
    ("http://localhost",),
    ("https://[2001:db8::1]", "https://xn--mnchen-3ya.example"),
    ("capacitor://localhost", "chrome-extension://abcdefghijklmnopabcdefghijklmnop"),
    (),
    COMMON_ORIGINS,
)

_METHODS: Final[_Lists] = (
    _DEFAULT.allow_methods,
    ("PUT",),
    _ALL,
    ("GET", "POST"),
    ("PATCH",),
    _ALL,
    _ALL,
    ("OPTIONS",),
    ("PUT", "PATCH", "DELETE"),
    ("OPTIONS", "PUT"),
    (),
    ("GET",),
    ("HEAD", "PATCH"),
    ("GET", "HEAD", "POST", "PUT", "DELETE", "OPTIONS", "PATCH"),
    ("patch",),
    ("PATCH", "CHICKEN"),
    ("chicken", "PUT"),
    ("PU", "PUTS"),
    ("QUERY", "PROPFIND", "M-SEARCH"),
    ("!#$%&'*+-.^_`|~",),
)

_HEADERS: Final[_Lists] = (
    (),
    ("X-A",),
    _ALL,
    ("Content-Type", "Authorization"),
    ("X-A", "X-AB"),
    _ALL,
    _ALL,
    _ALL,
    ("Authorization",),
    ("x-a", "X-B"),
    ("Content-Type",),
    ("X-A-B", "x-requested-WITH", "Content-Type"),
    ("Accept", "Range", "X-B"),
    ("X-Authorization", "X_A"),
    ("x!#$%&'*+-.^_`|~",),
    tuple(f"X-{number}" for number in range(40)),
)

_EXPOSED: Final[_Lists] = (
    (),
    ("X-Total",),
    _ALL,
    ("ETag", "x-total", "X-Secret"),
    ("Location", "WWW-Authenticate"),
    ("X-Sec", "x!#$%&'*+-.^_`|~"),
)

_MAX_AGES: Final = (600, 0, 1, 5, 86400, 2**31)


@st.composite
def policies(
    draw: st.DrawFn,
    *,
    parameters: frozenset[Parameter] = ALL_PARAMETERS,
    wildcards: frozenset[Parameter] = ALL_PARAMETERS,
    wildcard_with_credentials: bool = True,
    any_method: bool = True,
) -> Policy:
    """Draw a valid policy.

    Parameters not in `parameters` keep their defaults, and only those in `wildcards` are `*`.
    `wildcard_with_credentials` allows all origins together with credentials; `any_method` allows
    methods for which few frameworks have routes. Header names come in any case.

    Aims at comparisons that only go wrong for several allowed values: of origins that are near
    misses of one another, of names and methods that are prefixes of one another; at `*` spelled
    literally where it means nothing; and at a `max_age` of zero taken for none.
    """

    def listed(parameter: Parameter, table: _Lists) -> tuple[str, ...]:
        return choices.one(table if parameter in wildcards else _explicit(table))

    choices = Choices(draw)
    policy = _DEFAULT
    if "allow_origins" in parameters:
        origins = _choose_origins(choices, wildcard="allow_origins" in wildcards)
        policy = replace(policy, allow_origins=origins)
    if "allow_methods" in parameters:
        listed_methods = listed("allow_methods", _METHODS if any_method else _common_methods())
        if any_method and listed_methods != _ALL:
            # No forbidden method, and none that is normalised, starts with an M.
            listed_methods += _choose_rarely(choices, "M", METHOD_CHARACTERS, known=listed_methods)
        policy = replace(policy, allow_methods=listed_methods)
    if "allow_headers" in parameters:
        names = listed("allow_headers", _HEADERS)
        if names != _ALL:
            # Of the forbidden names those that start so depend on their value.
            names += _choose_rarely(choices, "X-", NAME_CHARACTERS, known=names)
        policy = replace(policy, allow_headers=names)
    if "allow_credentials" in parameters:
        possible = wildcard_with_credentials or policy.allow_origins != _ALL
        policy = replace(policy, allow_credentials=possible and choices.one((False, True)))
    if "expose_headers" in parameters:
        policy = replace(policy, expose_headers=listed("expose_headers", _EXPOSED))
    if "max_age" in parameters:
        policy = replace(policy, max_age=choices.one(_MAX_AGES))
    return policy


def _choose_origins(choices: Choices, *, wildcard: bool) -> tuple[str, ...]:
    kind = choices.one(("table", "family", "constructed", "table", *(("all",) if wildcard else ())))
    if kind == "all":
        return _ALL
    if kind == "table":
        return choices.one(_ORIGINS)
    # An origin and near misses of it, in either order, all of them allowed.
    base = choose_uncommon(choices) if kind == "constructed" else choices.one(COMMON_ORIGINS)
    near = mutations(base, audience="browser")
    members = choices.pool((base,), (None, *near), near, otherwise=(base,))
    return members if choices.one((True, False)) else members[::-1]


def _choose_rarely(
    choices: Choices, prefix: str, characters: str, *, known: tuple[str, ...]
) -> tuple[str, ...]:
    """Choose at most one token that stands in no table, and is not `known` in any case."""
    if choices.one((True, True, True, True, False)):
        return ()
    token = choices.token(prefix, characters)
    return () if token.lower() in {other.lower() for other in known} else (token,)


def _explicit(table: _Lists) -> _Lists:
    return tuple(row for row in table if row != _ALL)


@cache
def _common_methods() -> _Lists:
    return tuple(row for row in _METHODS if {*row} <= {*COMMON_METHODS, WILDCARD})
