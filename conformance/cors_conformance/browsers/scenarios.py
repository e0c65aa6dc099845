"""Strategies for scenarios, one for each part of the model that a browser can be asked about."""

from collections.abc import Callable
from functools import cache
from typing import Final, Literal, TypeAlias

import msgspec
from hypothesis import strategies as st

from cors_conformance.browsers import answers, asking, memories
from cors_conformance.browsers.places import API, FOREIGN, OTHER, PAGE
from cors_conformance.browsers.scenario import NOTHING, Scenario
from cors_conformance.cases import schema
from cors_conformance.cases.schema import Credentials, Hop, Lines, Request, Response, Step

Scenarios: TypeAlias = st.SearchStrategy[Scenario]

A: Final = "/ID/a"
CREDENTIALS: Final[tuple[Credentials, ...]] = ("same-origin", "include", "omit")
_CLIENTS: Final = (PAGE, PAGE, PAGE, "null")
_REFERRER_POLICIES: Final[tuple[schema.ReferrerPolicy, ...]] = (
    "",
    "no-referrer",
    "no-referrer-when-downgrade",
    "same-origin",
    "origin",
    "strict-origin",
    "origin-when-cross-origin",
    "strict-origin-when-cross-origin",
    "unsafe-url",
)
ALLOW_ALL: Final[Lines] = (
    ("Access-Control-Allow-Origin", "$ORIGIN"),
    ("Access-Control-Allow-Credentials", "true"),
    ("Access-Control-Allow-Methods", "$ACRM"),
    ("Access-Control-Allow-Headers", "$ACRH"),
)
"""What grants every preflight and every request that comes with an Origin."""


def one_step(
    aim: str,
    client: str,
    request: Request,
    *hops: Hop,
    cache_mode: Literal["no-store"] = "no-store",
) -> Scenario:
    """Make a scenario of one fetch."""
    step = Step(request=request, server=schema.Server(hops=hops), expected=NOTHING)
    return Scenario(aim=aim, client_origin=client, steps=(step,), cache=cache_mode)


def _body(method: str) -> str | None:
    return None if method.upper() in {"GET", "HEAD"} else "page"


@st.composite
def cors_checks(draw: st.DrawFn) -> Scenario:
    """Draw a request and a response that may or may not be shared with it.

    Aims at the CORS check: byte for byte, several lines, white space, credentials.
    """
    method = draw(st.sampled_from(("GET", "GET", "POST", "HEAD", "PUT")))
    headers = draw(st.sampled_from(((), (), (("X-A", "1"),))))
    checked = draw(answers.allow_origin()) + draw(answers.allow_credentials())
    on_preflight = draw(st.sampled_from(range(3))) == 0
    preflight = ALLOW_ALL if not on_preflight else (*checked, *ALLOW_ALL[2:])
    request = Request(
        url=API + A,
        method=method,
        headers=headers,
        credentials=draw(st.sampled_from(CREDENTIALS)),
        body=draw(st.sampled_from((None, _body(method)))),
    )
    status = draw(st.one_of(st.just(200), st.sampled_from(answers.STATUSES)))
    hop = Hop(
        url=API + A,
        preflight=Response(status=204, headers=preflight),
        actual=Response(
            status=status, headers=ALLOW_ALL[:2] if on_preflight else checked, body="seen"
        ),
    )
    return one_step("cors-check", draw(st.sampled_from(_CLIENTS)), request, hop)


@st.composite
def preflight_needs(draw: st.DrawFn) -> Scenario:
    """Draw what a page asks of a server that allows it all.

    Aims at the decision to ask, and at the bytes of the question: every rule and every limit of
    the safelist, the normalisation of methods, the order and case of names.
    """
    listens = draw(st.sampled_from(range(10))) == 0
    headers = draw(asking.header_sets())
    method = draw(asking.methods())
    # XMLHttpRequest has its own way with the charset of a Content-Type: without a body it has not.
    body = draw(st.sampled_from((None, _body(method))))
    if listens and any(name.lower() == "content-type" for name, _ in headers):
        body = None
    request = Request(
        url=API + A,
        method=method,
        headers=headers,
        credentials=draw(st.sampled_from(CREDENTIALS[:2] if listens else CREDENTIALS)),
        body=body,
        use_cors_preflight=listens,
    )
    hop = Hop(
        url=API + A,
        preflight=Response(status=204, headers=ALLOW_ALL),
        actual=Response(headers=ALLOW_ALL[:2], body="seen"),
    )
    return one_step("preflight-need", draw(st.sampled_from(_CLIENTS)), request, hop)


@st.composite
def preflight_responses(draw: st.DrawFn) -> Scenario:
    """Draw a request that needs a preflight, and an answer to that which may or may not grant it.

    Aims at the parsing of lists, at `*` with and without credentials, at Authorization, statuses
    and the case of names and methods.
    """
    method = draw(st.one_of(st.just("PUT"), asking.methods()))
    headers = draw(st.one_of(st.sampled_from(((("X-A", "1"),), ())), asking.few_headers()))
    request = Request(
        url=API + A,
        method=method,
        headers=headers,
        credentials=draw(st.sampled_from(CREDENTIALS)),
    )
    if draw(st.sampled_from(range(10))) == 0 and request.credentials != "omit":
        request = msgspec.structs.replace(request, use_cors_preflight=True)
        if method.upper() not in {"GET", "HEAD"}:
            request = msgspec.structs.replace(request, body="page")
    credentialed = request.credentials == "include"
    sent = (
        method.upper()
        if method.upper() in {"GET", "POST", "PUT", "HEAD", "DELETE", "OPTIONS"}
        else method
    )
    lists = draw(answers.token_lists(name="Access-Control-Allow-Methods", wanted=(sent,))) + draw(
        answers.token_lists(
            name="Access-Control-Allow-Headers", wanted=tuple(name for name, _ in headers)
        )
    )
    grants = (
        ALLOW_ALL[:2] if credentialed else draw(st.sampled_from((ALLOW_ALL[:1], ALLOW_ALL[:2])))
    )
    status = draw(st.sampled_from((204, 200, 204, 200, *answers.STATUSES, *answers.ODD_STATUSES)))
    hop = Hop(
        url=API + A,
        preflight=Response(status=status, headers=(*grants, *lists, *draw(answers.max_age()))),
        actual=Response(headers=ALLOW_ALL[:2], body="seen"),
    )
    return one_step("preflight-response", draw(st.sampled_from(_CLIENTS)), request, hop)


_RESPONSE_HEADERS: Final[Lines] = (
    ("X-A", "1"),
    ("x-b", " two \t"),
    ("X-A", "2"),
    ("Set-Cookie", "x=1; Path=/ID/; Max-Age=9"),
    ("Set-Cookie2", "x=1"),
    ("Cache-Control", "no-store"),
    ("Content-Language", "de"),
    ("Content-Type", "text/plain"),
    ("Expires", "0"),
    ("Last-Modified", "Tue, 15 Nov 1994 08:12:31 GMT"),
    ("Pragma", "no-cache"),
    ("ETag", '"a"'),
    ("Date", "Tue, 15 Nov 1994 08:12:31 GMT"),
    ("Vary", "Origin"),
    ("Server", "s"),
    ("Authorization", "x"),
    ("*", "star"),
    ("X-Empty", ""),
    ("X-High", "caf\xe9"),
    ("Www-Authenticate", "x"),
    ("Access-Control-Max-Age", "5"),
)


@st.composite
def exposures(draw: st.DrawFn) -> Scenario:
    """Draw a response with headers of which a page may read some.

    Aims at `Access-Control-Expose-Headers`: parsing, `*`, credentials, what is never readable.
    """
    present = draw(st.lists(st.sampled_from(_RESPONSE_HEADERS), min_size=1, max_size=5))
    names = tuple(dict.fromkeys(name for name, _ in present))
    wanted = tuple(draw(st.lists(st.sampled_from(names), max_size=3, unique=True)))
    exposed = draw(answers.token_lists(name="Access-Control-Expose-Headers", wanted=wanted))
    url = draw(st.sampled_from((API, API, API, FOREIGN, PAGE))) + A
    request = Request(
        url=url,
        method=draw(st.sampled_from(("GET", "POST", "HEAD"))),
        credentials=draw(st.sampled_from(CREDENTIALS)),
    )
    grants = draw(st.sampled_from((ALLOW_ALL[:2], (("Access-Control-Allow-Origin", "*"),))))
    status = draw(st.sampled_from((200, 200, 200, *answers.STATUSES)))
    actual = Response(status=status, headers=(*grants, *present, *exposed), body="seen")
    return one_step(
        "exposure", draw(st.sampled_from(_CLIENTS)), request, Hop(url=url, actual=actual)
    )


_ODD_LOCATIONS: Final = (
    "",
    "/ID/b",
    "b",
    "//localhost:40003/ID/b",
    f"{API}/ID/b#fragment",
    f"{API}/ID/b?query",
    "http://user:secret@localhost:40002/ID/b",
    "http://user@localhost:40001/ID/b",
    "http://:@localhost:40003/ID/b",
    "http://localhost:40009/ID/b",
    "http://localhost:6667/ID/b",
    "HTTP://LOCALHOST:40003/ID/b",
    "data:text/plain,x",
    "about:blank",
    "ftp://localhost/x",
    "mailto:x@localhost",
    "javascript:1",
    "http://",
    "http://[",
    " /ID/b ",
    "\\ID\\b",
    "http:/ID/b",
    "?x",
    "#x",
    "blob:http://localhost:40001/x",
)
_REDIRECTS: Final = (302, 307, 301, 303, 308)


@st.composite
def redirects(draw: st.DrawFn) -> Scenario:
    """Draw a chain of redirects between origins.

    Aims at tainted origins, at the check on each hop, at preflights after redirects, at methods
    and headers that change on the way, at locations that lead nowhere.
    """
    urls = [draw(st.sampled_from((API, API, PAGE, OTHER, FOREIGN))) + A]
    leaves = ("b", "c", "d")[: draw(st.sampled_from((1, 1, 1, 2, 2, 3)))]
    urls += [draw(st.sampled_from((API, PAGE, OTHER, FOREIGN))) + f"/ID/{leaf}" for leaf in leaves]
    method = draw(st.sampled_from(("GET", "GET", "POST", "PUT", "HEAD", "PATCH", "DELETE", "post")))
    request = Request(
        url=urls[0],
        method=method,
        headers=draw(st.one_of(st.just(()), asking.few_headers())),
        mode=draw(st.sampled_from(("cors", "cors", "cors", "cors", "no-cors", "same-origin"))),
        credentials=draw(st.sampled_from(CREDENTIALS)),
        redirect=draw(st.sampled_from(("follow", "follow", "follow", "follow", "error", "manual"))),
        body=draw(st.sampled_from((None, _body(method)))),
        referrer_policy=draw(st.sampled_from(("", "", "", *_REFERRER_POLICIES))),
    )
    hops: list[Hop] = []
    for index, url in enumerate(urls):
        grants = draw(
            st.sampled_from(
                (
                    ALLOW_ALL[:2],
                    ALLOW_ALL[:2],
                    ALLOW_ALL[:2],
                    ALLOW_ALL[:1],
                    (("Access-Control-Allow-Origin", "*"),),
                    (("Access-Control-Allow-Origin", "null"), *ALLOW_ALL[1:2]),
                    (("Access-Control-Allow-Origin", PAGE), *ALLOW_ALL[1:2]),
                    (),
                )
            )
        )
        headers = grants
        status = draw(st.sampled_from((200, 200, 204, 404)))
        if index + 1 < len(urls):
            status = draw(st.sampled_from(_REDIRECTS))
            headers = (*headers, ("Location", urls[index + 1]))
        elif draw(st.sampled_from(range(4))) == 0:
            status = draw(st.sampled_from((*_REDIRECTS, 300, 304, 305)))
            places = draw(st.lists(st.sampled_from(_ODD_LOCATIONS), max_size=1))
            headers = (*headers, *(("Location", place) for place in places))
        if draw(st.sampled_from(range(10))) == 0:
            policy = draw(
                st.sampled_from(("no-referrer", "same-origin", "x, origin", "unsafe-url"))
            )
            headers = (*headers, ("Referrer-Policy", policy))
        asked = draw(st.sampled_from((ALLOW_ALL, ALLOW_ALL, ALLOW_ALL, ALLOW_ALL[:1], ())))
        hops.append(
            Hop(
                url=url,
                preflight=Response(status=204, headers=asked),
                actual=Response(status=status, headers=headers, body="seen"),
            )
        )
    if (last := API + "/ID/b") not in urls:
        hops.append(Hop(url=last, actual=Response(headers=ALLOW_ALL[:2], body="odd")))
    return one_step("redirect", draw(st.sampled_from(_CLIENTS)), request, *hops)


@st.composite
def redirect_limits(draw: st.DrawFn) -> Scenario:
    """Draw a loop of redirects, or a chain around the limit of twenty."""
    origin = draw(st.sampled_from((API, PAGE)))
    count = draw(st.sampled_from((1, 5, 18, 19, 20, 21)))
    grants = draw(st.sampled_from((ALLOW_ALL[:2], (("Access-Control-Allow-Origin", "*"),))))
    hops = [
        Hop(
            url=f"{origin}/ID/{index}",
            actual=Response(status=302, headers=(*grants, ("Location", f"{index + 1}"))),
        )
        for index in range(count)
    ]
    end = Response(headers=grants, body="seen")
    hops.append(Hop(url=f"{origin}/ID/{count}", actual=end))
    request = Request(url=f"{origin}/ID/0")
    return one_step("redirect-limit", PAGE, request, *hops)


@st.composite
def modes(draw: st.DrawFn) -> Scenario:
    """Draw fetches in every mode, from here, near and far.

    Aims at main fetch's choice, at opaque responses, at what `no-cors` takes of headers and
    methods, at `Origin` under each referrer policy, at Cross-Origin-Resource-Policy.
    """
    url = draw(st.sampled_from((PAGE, API, FOREIGN))) + A
    method = draw(asking.methods())
    policy = draw(
        st.sampled_from((None, None, None, "same-origin", "same-site", "cross-origin", "x"))
    )
    request = Request(
        url=url,
        method=method,
        headers=draw(st.one_of(st.just(()), asking.header_sets())),
        mode=draw(st.sampled_from(("no-cors", "same-origin", "cors"))),
        credentials=draw(st.sampled_from(CREDENTIALS)),
        redirect=draw(st.sampled_from(("follow", "follow", "follow", "error", "manual"))),
        body=draw(st.sampled_from((None, _body(method)))),
        referrer_policy=draw(st.sampled_from(_REFERRER_POLICIES)),
    )
    grants = draw(st.sampled_from((ALLOW_ALL[:2], ())))
    resource = () if policy is None else (("Cross-Origin-Resource-Policy", policy),)
    status = draw(st.sampled_from((200, 200, *answers.STATUSES)))
    hop = Hop(
        url=url,
        preflight=Response(status=204, headers=ALLOW_ALL),
        actual=Response(status=status, headers=(*grants, *resource, ("X-A", "1")), body="seen"),
    )
    return one_step("mode", draw(st.sampled_from(_CLIENTS)), request, hop)


@st.composite
def forbidden(draw: st.DrawFn) -> Scenario:
    """Draw forbidden and malformed methods and headers.

    Aims at what never leaves a browser, and at what makes `new Request()` throw.
    """
    url = draw(st.sampled_from((API, API, PAGE))) + A
    headers = draw(
        st.one_of(
            asking.forbidden_headers(), asking.forbidden_headers(), asking.malformed_headers()
        )
    )
    odd_method = draw(st.sampled_from(range(4))) == 0
    request = Request(
        url=url,
        method=draw(st.sampled_from(asking.BAD_METHODS)) if odd_method else "GET",
        headers=() if odd_method else headers,
        mode=draw(st.sampled_from(("cors", "cors", "no-cors", "same-origin"))),
        credentials=draw(st.sampled_from(CREDENTIALS)),
    )
    hop = Hop(
        url=url,
        preflight=Response(status=204, headers=ALLOW_ALL),
        actual=Response(headers=ALLOW_ALL[:2], body="seen"),
    )
    return one_step("forbidden", draw(st.sampled_from(_CLIENTS)), request, hop)


@st.composite
def any_status(draw: st.DrawFn) -> Scenario:
    """Draw statuses over the whole range, on a simple request or after a preflight."""
    # Not 408 and 421, after which clients may ask again over another connection, as often as they
    # like (RFC 9110, 15.5.9 and 15.5.20); Firefox never ends a HEAD that was answered 421.
    usual = sorted({*range(200, 600)} - {408, 421})
    odd = draw(st.one_of(st.sampled_from(answers.ODD_STATUSES), answers.one_of_many(usual)))
    asks = draw(st.booleans())
    request = Request(
        url=draw(st.sampled_from((API, API, PAGE))) + A,
        headers=(("X-A", "1"),) if asks else (),
        method=draw(st.sampled_from(("GET", "POST", "HEAD"))),
    )
    hop = Hop(
        url=request.url,
        preflight=Response(status=204, headers=ALLOW_ALL),
        actual=Response(status=odd, headers=(*ALLOW_ALL[:2], ("X-A", "1")), body="seen"),
    )
    return one_step("status", draw(st.sampled_from(_CLIENTS)), request, hop)


AIMS: Final[dict[str, Callable[[], Scenarios]]] = {
    "cors-check": cors_checks,
    "preflight-need": preflight_needs,
    "preflight-response": preflight_responses,
    "exposure": exposures,
    "redirect": redirects,
    "redirect-limit": redirect_limits,
    "mode": modes,
    "forbidden": forbidden,
    "status": any_status,
    "preflight-cache": memories.preflight_caches,
    "http-cache": memories.http_caches,
    "cookies": memories.cookie_jars,
}
"""The strategies by what they aim at."""

SHARES: Final = {
    "cors-check": 15,
    "preflight-need": 22,
    "preflight-response": 20,
    "exposure": 10,
    "redirect": 18,
    "redirect-limit": 1,
    "mode": 12,
    "forbidden": 6,
    "status": 3,
    "preflight-cache": 6,
    "http-cache": 4,
    "cookies": 4,
}
"""How many of a hundred or so scenarios each aim gets."""


@cache
def aimed(aim: str) -> Scenarios:
    """Return the strategy with that aim."""
    return AIMS[aim]()
