"""Strategies for what servers answer: header lines right, nearly right and malformed."""

from collections.abc import Sequence
from functools import cache
from typing import Final, TypeAlias, TypeVar

from hypothesis import strategies as st

from cors_conformance.browsers.places import API, PAGE
from cors_conformance.cases.schema import Lines

_T = TypeVar("_T")

Texts: TypeAlias = st.SearchStrategy[str]
SomeLines: TypeAlias = st.SearchStrategy[Lines]

ORIGINS: Final = (
    "$ORIGIN",
    "*",
    "null",
    PAGE,
    API,
    "",
    f"{PAGE}/",
    PAGE.upper(),
    f"{PAGE}, {PAGE}",
    f"{PAGE}, *",
    "*, *",
    f"{PAGE} {API}",
    "localhost:40001",
    "http://localhost",
    "https://localhost:40001",
    "http://localhost:4000",
    "http://127.0.0.1:40001",
    "NULL",
    '"*"',
    "* ",
    " *\t",
    f"\t{PAGE} \t",
    f"\x0b{PAGE}",
    "*\x0c",
    "\xa0*",
    "*\x85",
    "**",
    "*;",
    "http://*",
    "true",
)
"""Values of `Access-Control-Allow-Origin`; the first few are right for some request."""

CREDENTIALS: Final = (
    "true",
    "True",
    "TRUE",
    "true ",
    "\ttrue",
    "true, true",
    '"true"',
    "false",
    "",
    "*",
    "1",
    "true\x0b",
    "true;",
    "\xa0true",
)
"""Values of `Access-Control-Allow-Credentials`."""

STATUSES: Final = (200, 204, 201, 202, 206, 299, 205, 300, 304, 400, 401, 403, 404, 405, 418, 500)
"""Statuses of ordinary answers; redirects and what the transport keeps to itself are apart."""

ODD_STATUSES: Final = (
    407,
    226,
    305,
    306,
    308,
    301,
    302,
    303,
    307,
    426,
    451,
    499,
    503,
    511,
    599,
    600,
    999,
)

MAX_AGES: Final = (
    None,
    "600",
    "0",
    "5",
    "-1",
    "",
    "abc",
    "5.5",
    "+5",
    " 600 ",
    "600s",
    "5, 5",
    "00600",
    "99999999999999999999",
    "2147483648",
    '"600"',
    "0x10",
)
"""Values of `Access-Control-Max-Age`; `None` for no line."""


@cache
def one_in(count: int) -> st.SearchStrategy[bool]:
    """Generate something true once in so many draws, which shrinks to false."""
    return st.sampled_from(range(1, count + 1)).map(lambda number: number == count)


def one_of_many(values: Sequence[_T]) -> st.SearchStrategy[_T]:
    """Generate one of more than a hundred values.

    Hypothesis mixes the constants of the modules around it into draws of so many, so that they
    would depend on how the project is installed.
    """
    starts = range(0, len(values), 100)
    return st.one_of([st.sampled_from(values[start : start + 100]) for start in starts])


@cache
def usually(common: str, *odd: str) -> Texts:
    """Generate the first value in two of three draws, and the others in the rest."""
    return st.sampled_from(range(3 * len(odd))).map(
        lambda index: odd[index - 2 * len(odd)] if index >= 2 * len(odd) else common
    )


def line(name: str, values: Texts) -> SomeLines:
    """Generate one line."""
    return values.map(lambda value: ((name, value),))


def _named(name: str) -> Texts:
    # Names of response headers have no case.
    return usually(name, name.lower(), name.upper())


@cache
def allow_origin() -> SomeLines:
    """Generate `Access-Control-Allow-Origin`: one line as a rule, none or several at times."""
    name = "Access-Control-Allow-Origin"
    one = st.tuples(st.tuples(_named(name), st.sampled_from(ORIGINS)))
    right = st.sampled_from(("$ORIGIN", "*", "$ORIGIN")).map(lambda value: ((name, value),))
    two = st.tuples(
        st.tuples(st.just(name), st.sampled_from(ORIGINS[:8])),
        st.tuples(st.just(name), st.sampled_from(ORIGINS[:8])),
    )
    return st.one_of(right, right, right, one, one, two, st.just(()))


@cache
def allow_credentials() -> SomeLines:
    """Generate `Access-Control-Allow-Credentials`."""
    name = "Access-Control-Allow-Credentials"
    right: SomeLines = st.just(((name, "true"),))
    one = st.tuples(st.tuples(_named(name), st.sampled_from(CREDENTIALS)))
    two = st.tuples(
        st.tuples(st.just(name), st.sampled_from(CREDENTIALS)),
        st.tuples(st.just(name), st.sampled_from(CREDENTIALS)),
    )
    return st.one_of(right, right, one, st.just(()), two)


@cache
def granting() -> SomeLines:
    """Generate lines that grant most requests access, with or without credentials."""
    origin = "Access-Control-Allow-Origin"
    return st.sampled_from(
        (
            ((origin, "$ORIGIN"), ("Access-Control-Allow-Credentials", "true")),
            ((origin, "$ORIGIN"),),
            ((origin, "*"),),
        )
    )


SPOILERS: Final = (
    "a b",
    "a;q=1",
    '"quoted"',
    "(",
    "x/y",
    "caf\xe9",
    "[",
    "@",
    "a=b",
    "\x01",
    "\x7f",
    "a\x0bb",
    "a:b",
    "{a}",
    '"a, b"',
)
"""Elements that are no tokens, so that the whole list is failure."""

SEPARATORS: Final = (",", ", ", " , ", ",\t", ",,", ", ,", "  ,")
WRAPPERS: Final = (("", ""), (" ", " "), (",", ""), ("", ","), (" ,", ", "), ("\t", ""))


@st.composite
def token_lists(draw: st.DrawFn, *, name: str, wanted: tuple[str, ...]) -> Lines:
    """Draw a header of the grammar `#token`: what is asked for, near misses, `*`, spoilers.

    Aims at list parsing: empty elements, several lines, no value, elements that are no tokens.
    """
    if draw(one_in(10)):
        return ()
    loses = draw(one_in(3))
    base = [item for item in wanted if not loses or draw(st.booleans())]
    misses = [
        *(item.lower() for item in wanted),
        *(item.upper() for item in wanted),
        *(f"{item}x" for item in wanted),
        *(item[:-1] or "x" for item in wanted),
        "*",
        "x-other",
        "**",
        "*a",
    ]
    elements = base + draw(st.lists(st.sampled_from(misses), max_size=2))
    if draw(one_in(8)):
        elements.append(draw(st.sampled_from(SPOILERS)))
    if len(elements) > 1:
        elements = draw(st.permutations(elements))
    split = draw(one_in(6))
    if elements and split:
        cut = draw(st.sampled_from(range(len(elements) + 1)))
        parts = [elements[:cut], elements[cut:]]
    else:
        parts = [elements]
    separator = draw(st.sampled_from((", ", *SEPARATORS)))
    odd = draw(one_in(5))
    before, after = draw(st.sampled_from(WRAPPERS)) if odd else ("", "")
    return tuple((name, f"{before}{separator.join(part)}{after}") for part in parts)


@cache
def max_age() -> SomeLines:
    """Generate `Access-Control-Max-Age`."""
    name = "Access-Control-Max-Age"
    one = st.sampled_from(MAX_AGES).map(lambda value: () if value is None else ((name, value),))
    two: SomeLines = st.just(((name, "600"), (name, "600")))
    return st.one_of(st.just(()), one, one, one, two)
