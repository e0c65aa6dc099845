"""Strategies for scenarios of several fetches: what a browser remembers from one to the next."""

from typing import Final

from hypothesis import strategies as st

from cors_conformance.browsers.answers import one_in
from cors_conformance.browsers.places import API, FOREIGN, PAGE
from cors_conformance.browsers.scenario import NOTHING, Scenario
from cors_conformance.cases import schema
from cors_conformance.cases.schema import Credentials, Hop, Lines, Request, Response, Step

A: Final = "/ID/a"
_GRANTS: Final[Lines] = (
    ("Access-Control-Allow-Origin", "$ORIGIN"),
    ("Access-Control-Allow-Credentials", "true"),
)
_ANY: Final[Lines] = (("Access-Control-Allow-Origin", "*"),)
_NO_STORE: Final = ("Cache-Control", "no-store")
_MODES: Final[tuple[schema.Mode, ...]] = ("cors", "cors", "no-cors")
_CREDENTIALS: Final[tuple[Credentials, ...]] = ("same-origin", "include", "omit")


def _step(request: Request, *hops: Hop, wait: float = 0) -> Step:
    return Step(
        request=request, server=schema.Server(hops=hops), expected=NOTHING, wait_before_s=wait
    )


_SETS: Final[tuple[Lines, ...]] = (
    (),
    (("X-A", "1"),),
    (("x-a", "2"),),
    (("X-B", "1"),),
    (("X-A", "1"), ("X-B", "1")),
    (("Authorization", "Basic dTpw"),),
    (("X-A", "1"), ("Authorization", "Basic dTpw")),
    (("Content-Type", "application/json"),),
)
_METHOD_LISTS: Final = (
    "$ACRM",
    "$ACRM",
    "PUT, PATCH",
    "*",
    "$ACRM, *",
    "PUT",
    "patch",
    "POST",
    None,
)
_NAME_LISTS: Final = (
    "$ACRH",
    "$ACRH",
    "X-A, x-b",
    "*",
    "*, Authorization",
    "x-a, authorization",
    None,
)
_AGES: Final = ("600", "600", "600", None, "0", "-1", "1", "x", "", "0600", "600, 600")


@st.composite
def preflight_caches(draw: st.DrawFn) -> Scenario:
    """Draw fetches of one URL, with answers to preflights that may be remembered.

    Aims at the CORS-preflight cache: what matches a method and a name, `*`, credentials, max-age,
    what an error clears. Every fetch may use the HTTP cache, since some engines leave the
    preflight cache alone else; the answers are not to be stored there.
    """
    urls = draw(st.sampled_from(((A,), (A,), (A,), (A, "/ID/b"))))
    slow = draw(one_in(40))
    steps: list[Step] = []
    for index in range(draw(st.sampled_from((2, 2, 3, 4)))):
        url = API + draw(st.sampled_from(urls))
        request = Request(
            url=url,
            method=draw(st.sampled_from(("PUT", "PUT", "PATCH", "GET", "POST", "DELETE"))),
            headers=draw(st.sampled_from(_SETS)),
            credentials=draw(st.sampled_from(_CREDENTIALS)),
        )
        methods = draw(st.sampled_from(_METHOD_LISTS))
        names = draw(st.sampled_from(_NAME_LISTS))
        age = "1" if slow else draw(st.sampled_from(_AGES))
        asked: Lines = draw(st.sampled_from((_GRANTS, _GRANTS, _GRANTS, _ANY)))
        for name, value in (
            ("Access-Control-Allow-Methods", methods),
            ("Access-Control-Allow-Headers", names),
            ("Access-Control-Max-Age", age),
        ):
            if value is not None:
                asked = (*asked, (name, value))
        granted = draw(st.sampled_from((_GRANTS, _GRANTS, _GRANTS, _GRANTS, ())))
        hop = Hop(
            url=url,
            preflight=Response(status=204, headers=asked),
            actual=Response(headers=(*granted, _NO_STORE), body=f"{index}"),
        )
        # Far enough from the second that is asked about, either way.
        wait = draw(st.sampled_from((0, 2.2))) if slow and index else 0
        steps.append(_step(request, hop, wait=wait))
    client = draw(st.sampled_from((PAGE, PAGE, "null")))
    return Scenario(
        aim="preflight-cache", client_origin=client, steps=tuple(steps), cache="default"
    )


@st.composite
def http_caches(draw: st.DrawFn) -> Scenario:
    """Draw fetches of one URL whose answers may be stored.

    Aims at what a stored answer does to another kind of request: `Vary`, credentials, modes.
    """
    url = draw(st.sampled_from((API, API, FOREIGN, PAGE))) + A
    control = draw(st.sampled_from(("max-age=600", "max-age=600", "max-age=600", "no-store", None)))
    vary = draw(
        st.sampled_from((None, None, "Origin", "X-A", "*", "Accept, origin", "Origin, X-A"))
    )
    kept: Lines = () if control is None else (("Cache-Control", control),)
    if vary is not None:
        kept = (*kept, ("Vary", vary))
    steps: list[Step] = []
    for index in range(draw(st.sampled_from((2, 2, 3)))):
        mode = draw(st.sampled_from(_MODES))
        headers = () if mode == "no-cors" else draw(st.sampled_from(_SETS[:3]))
        request = Request(
            url=url,
            # No HEAD: a cache may answer it with a stored GET, or ask.
            method=draw(st.sampled_from(("GET", "GET", "GET", "POST"))),
            headers=headers,
            mode=mode,
            credentials=draw(st.sampled_from(_CREDENTIALS)),
        )
        grants = draw(st.sampled_from((_GRANTS, _GRANTS, _ANY, ())))
        asked = Response(status=204, headers=(*_GRANTS, ("Access-Control-Allow-Headers", "$ACRH")))
        actual = Response(headers=(*grants, *kept), body=f"{index}")
        steps.append(_step(request, Hop(url=url, preflight=asked, actual=actual)))
    return Scenario(aim="http-cache", client_origin=PAGE, steps=tuple(steps), cache="default")


_COOKIES: Final = (
    "a=1",
    "a=1; Path=/ID/",
    "a=1; SameSite=Lax",
    "a=1; SameSite=Strict",
    "a=1; SameSite=None",
    "a=1; Path=/elsewhere/",
    "a=1; HttpOnly",
    "a=1; Max-Age=0",
    "a=2; Max-Age=600",
    "b=2; Path=/ID/",
    "a=1; Domain=elsewhere.example",
    "a",
    "=1",
)


@st.composite
def cookie_jars(draw: st.DrawFn) -> Scenario:
    """Draw fetches that set cookies and fetches that may send them.

    Aims at which requests carry credentials: modes, redirects, preflights, other origins. Cookies
    stay with the scenario, because its path is theirs by default.
    """
    origins = draw(st.sampled_from(((API,), (API, PAGE))))
    steps: list[Step] = []
    for index in range(draw(st.sampled_from((2, 2, 3)))):
        url = draw(st.sampled_from(origins)) + A
        request = Request(
            url=url,
            method=draw(st.sampled_from(("GET", "GET", "PUT"))),
            credentials=draw(st.sampled_from(("include", "include", *_CREDENTIALS))),
        )
        cookies = draw(st.lists(st.sampled_from(_COOKIES), max_size=2, unique=True))
        if index == 0:
            cookies = cookies or [_COOKIES[0]]
        setting = tuple(("Set-Cookie", f"{cookie}") for cookie in cookies)
        on_preflight = draw(st.sampled_from(range(4))) == 0
        # Nothing here is about what preflights leave behind.
        asked: Lines = (
            *_GRANTS,
            ("Access-Control-Allow-Methods", "$ACRM"),
            ("Access-Control-Max-Age", "0"),
        )
        hop = Hop(
            url=url,
            preflight=Response(status=204, headers=(*asked, *setting) if on_preflight else asked),
            actual=Response(headers=(*_GRANTS, *setting), body=f"{index}"),
        )
        steps.append(_step(request, hop))
    # Of the same site: across sites each engine has a policy of its own, and no standard to follow.
    return Scenario(aim="cookies", client_origin=PAGE, steps=tuple(steps))
