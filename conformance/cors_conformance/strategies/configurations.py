"""Configurations that make no sense."""

from dataclasses import dataclass
from functools import cache
from typing import Final

from hypothesis import strategies as st

from cors_conformance.policy import Parameter
from cors_conformance.strategies.methods import FORBIDDEN
from cors_conformance.strategies.mutations import UNSAFE_OPERATORS, mutations
from cors_conformance.strategies.origins import COMMON as COMMON_ORIGINS

_ORIGIN: Final = COMMON_ORIGINS[0]

_BAD_TOKENS: Final = (
    ("", "an empty string is no token"),
    (" ", "white space is no token"),
    ("X A", "a space is in no token"),
    ("X-A,X-B", "a list in one item"),
    ("X-A, X-B", "a list in one item"),
    ("X-A:", "a colon is in no token"),
    ("X-A\r\nX-Injected: 1", "a line break would inject a header"),
    ("X-A\n", "a line break is in no token"),
    ("X\0A", "NUL is in no token"),
    ("X-\N{LATIN SMALL LETTER E WITH ACUTE}", "a token is ASCII"),
    ('"X-A"', "a quote is in no token"),
    ("X(A)", "a parenthesis is in no token"),
)

_BAD_ORIGINS: Final = (
    ("null", "every sandbox has the origin `null`"),
    ("", "an empty string is no origin"),
    ("a.example", "an origin has a scheme"),
    ("//a.example", "an origin has a scheme"),
    ("https:a.example", "an origin has `://`"),
    ("https://", "an origin has a host"),
    ("https://:8443", "an origin has a host"),
    ("https://a.example:", "a colon without a port"),
    ("https://a.example:https", "a port is a number"),
    ("https://a.example:0443", "a port has no leading zeros"),
    ("https://a.example:65536", "ports end at 65535"),
    ("https://[2001:DB8::1]", "an address in upper case"),
    ("https://[2001:db8:0::1]", "an address that is not compressed"),
    ("https://[::1", "a bracket that is not closed"),
    ("https://m\N{LATIN SMALL LETTER U WITH DIAERESIS}nchen.example", "an origin is ASCII"),
    ("https://*.a.example", "`*` inside an origin means nothing"),
    ("https://.*", "a regular expression is no origin"),
    ("javascript:alert(1)", "such a URL has no origin of its own"),
    ("data:,x", "such a URL has no origin of its own"),
    ("file:///", "such a URL has no origin to name"),
)

BAD_TOKENS: Final = tuple(item for item, _ in _BAD_TOKENS)
"""What is no token."""

BAD_ORIGINS: Final = tuple(item for item, _ in _BAD_ORIGINS)
"""What browsers send no page's origin as, or should not be allowed."""

FORBIDDEN_NAMES: Final = ("Cookie", "Host", "Origin", "Sec-Fetch-Mode", "Proxy-Authorization")
"""Request headers that no page can set. https://fetch.spec.whatwg.org/#forbidden-request-header"""

_BAD_MAX_AGES: Final[tuple[tuple[object, str], ...]] = (
    (-1, "seconds are not negative"),
    (-(2**31), "seconds are not negative"),
    (0.5, "seconds are whole"),
    (600.0, "seconds are an integer"),
    (float("nan"), "not a number"),
    (float("inf"), "not finite"),
    (True, "a flag is no number"),
    (False, "a flag is no number"),
    ("600", "a string is no number"),
    ("600\r\nx-injected: 1", "a line break would inject a header"),
    (None, "nothing is no number"),
    (10**30, "more than any integer type holds"),
)

_BAD_FLAGS: Final[tuple[object, ...]] = ("false", "true", "", 0, 1, None, ("true",))

_SAMPLES: Final[dict[Parameter, str]] = {
    "allow_origins": _ORIGIN,
    "allow_methods": "PUT",
    "allow_headers": "X-A",
    "expose_headers": "X-A",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class InvalidConfiguration:
    """One parameter with a value that makes no sense, and why.

    Attributes:
        parameter: the name of the parameter; the others are valid.
        value: what it is given; a list stands here as a tuple.
        reason: in a few words.

    """

    parameter: Parameter
    value: object
    reason: str

    def argument(self) -> object:
        """Return the value as a middleware takes it: a fresh list for each tuple."""
        return list(self.value) if isinstance(self.value, tuple) else self.value


@cache
def invalid_configurations() -> st.SearchStrategy[InvalidConfiguration]:
    """Generate configurations to refuse, or else to grant nothing for and send nothing odd.

    Aims at strings read as lists of characters, at values that are normalised into a wider grant,
    at injection through the configuration, and at truthy flags.
    """
    return st.one_of(st.sampled_from(_table()), _bad_origins())


def _bad_origins() -> st.SearchStrategy[InvalidConfiguration]:
    spellings = tuple(
        dict.fromkeys(
            spelling for origin in COMMON_ORIGINS for spelling in mutations(origin, audience="raw")
        )
    )
    return st.tuples(st.sampled_from(spellings), st.booleans()).map(
        lambda drawn: InvalidConfiguration(
            parameter="allow_origins",
            value=(_ORIGIN, drawn[0]) if drawn[1] else (drawn[0],),
            reason="no browser sends this as an origin",
        )
    )


def _table() -> tuple[InvalidConfiguration, ...]:
    rows: list[tuple[Parameter, object, str]] = []
    for parameter, sample in _SAMPLES.items():
        rows += (
            (parameter, sample, "a string where a list belongs"),
            (parameter, "*", "a string where a list belongs"),
            (parameter, sample.encode("ascii"), "bytes where a list belongs"),
            (parameter, None, "nothing where a list belongs"),
            (parameter, (sample, None), "an item that is no string"),
            (parameter, (sample, 1), "an item that is no string"),
            (parameter, (sample.encode("ascii"),), "an item that is no string"),
            (parameter, ("*", sample), "`*` mixed with names"),
            (parameter, (sample, "*"), "`*` mixed with names"),
        )
        if parameter != "allow_origins":
            rows += ((parameter, (item,), reason) for item, reason in _BAD_TOKENS)
            rows += ((parameter, (sample, item), reason) for item, reason in _BAD_TOKENS)
    rows += (("allow_origins", (item,), reason) for item, reason in _BAD_ORIGINS)
    rows += (
        ("allow_origins", (item,), "a line break or NUL")
        for operator in UNSAFE_OPERATORS.values()
        for item in operator(_ORIGIN)
    )
    rows += (
        ("allow_methods", ("PUT", method), "no browser sends this method")
        for forbidden in FORBIDDEN
        for method in (forbidden, forbidden.lower())
    )
    rows += (("max_age", value, reason) for value, reason in _BAD_MAX_AGES)
    rows += (("allow_credentials", value, "a flag is `True` or `False`") for value in _BAD_FLAGS)
    return tuple(
        InvalidConfiguration(parameter=parameter, value=value, reason=reason)
        for parameter, value, reason in rows
    )
