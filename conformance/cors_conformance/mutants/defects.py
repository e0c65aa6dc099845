"""The classes of defects of real middlewares, and what of them no run can show."""

from dataclasses import dataclass
from types import MappingProxyType
from typing import Final

CLASSES: Final = MappingProxyType(
    {
        "K01": "Any origin reflected together with credentials",
        "K02": "Literal * with credentials, in any of the headers",
        "K03": "Origin pattern not anchored",
        "K04": "Literal origin used as a regular expression",
        "K05": "Prefix, suffix or substring comparison of origins",
        "K06": "Wildcard for subdomains or parts of an origin misread",
        "K07": "Scheme or port ignored or normalised away",
        "K08": "null and other opaque origins mishandled",
        "K09": "Origin normalised, then reflected or not matched",
        "K10": "Matching that goes wrong for combinations of allowed values",
        "K11": "More than one value in Access-Control-Allow-Origin",
        "K12": "A fallback value for denied or absent origins",
        "K13": "Vary: Origin missing",
        "K14": "Vary: Origin only on responses to allowed origins",
        "K15": "Vary overwritten, or taken from the request",
        "K16": "Vary of preflights incomplete",
        "K17": "CORS headers sent to denied origins",
        "K18": "Access-Control-Allow-Credentials malformed or missing",
        "K19": "The application's CORS headers neither owned nor merged",
        "K20": "What is no preflight treated as one",
        "K21": "A preflight runs the application, or needs credentials",
        "K22": "An OPTIONS request of a page gets no CORS headers",
        "K23": "Errors, redirects and the like without CORS headers",
        "K24": "Case of methods changed or ignored, or a wrong list of methods",
        "K25": "Requested method not validated, or safelisted methods rejected",
        "K26": "Access-Control-Request-Headers parsed wrongly",
        "K27": "Empty or absent Access-Control-Request-Headers rejected",
        "K28": "Header names not validated, or any or equal instead of subset",
        "K29": "Access-Control-Max-Age wrong",
        "K30": "Private network access granted by default",
        "K31": "Empty, unusable or irrelevant CORS headers",
        "K32": "State of one request kept for others",
        "K33": "Crash on odd input",
        "K34": "Actual or non-CORS request blocked",
        "K35": "Origin taken from another source",
        "K36": "Policy matched on another path than the one that is routed",
        "K37": "Request data reflected",
        "K38": "Unbounded or super-linear work",
        "K39": "Status or body of a granted preflight unusable",
        "K40": "Configuration ignored, misread or not validated",
        "ASGI": "Messages of the application lost, added, held back or changed",
        "WSGI": "What passes between WSGI server and application lost, held back or changed",
    }
)
"""K01 to K40 as a survey of some 150 defects in some 60 middlewares sorted them, and two more."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Unseen:
    """A kind of defect that has no mutant: which, of which class, and why none."""

    defect: str
    kind: str
    reason: str


UNSEEN: Final = (
    Unseen(
        defect="K09",
        kind="an upper-case host of a custom scheme is lower-cased (fiber b29171ce4)",
        reason="https://fetch.spec.whatwg.org/#http-origin has lower-case hosts only",
    ),
    Unseen(
        defect="K12",
        kind="the first of several origins for denied ones, with Vary: Origin (hono #3510)",
        reason="a freedom: browsers deny it, caches know; without Vary it is a mutant",
    ),
    Unseen(
        defect="K15",
        kind="members of Vary repeated (ktor)",
        reason="a list with a member twice says the same: RFC 9110, 12.5.5",
    ),
    Unseen(
        defect="K16",
        kind="Vary missing or incomplete on preflights (rack-cors #238, nelmio #110, express)",
        reason="responses to OPTIONS are not cacheable: RFC 9110, 9.3.7",
    ),
    Unseen(
        defect="K17",
        kind="Access-Control-Expose-Headers for denied origins (envoy #33086)",
        reason="a freedom: without a grant it means nothing",
    ),
    Unseen(
        defect="K19",
        kind="the application's own headers win (Kong #4886, quarkus #38155)",
        reason="a freedom, as long as one line of each is left: who owns them is for the library",
    ),
    Unseen(
        defect="K21",
        kind="a denied preflight reaches the application as OPTIONS (gorilla #112)",
        reason="a freedom: it is what a server without CORS does",
    ),
    Unseen(
        defect="K25",
        kind="a method outside the policy is granted in full by a list (sanic-ext, django)",
        reason="a freedom: the browser compares the list itself",
    ),
    Unseen(
        defect="K25",
        kind="POST refused because the policy does not list it (blacksheep, rs/cors)",
        reason="a freedom: a policy without POST says nothing of what needs no preflight",
    ),
    Unseen(
        defect="K30",
        kind="private network access where the operator asked for it (koa, actix-cors 2f30fd71a)",
        reason="the six parameters cannot ask for it",
    ),
    Unseen(
        defect="K31",
        kind="empty lists, names that nobody needs (rs/cors #159 and #151)",
        reason="cosmetic: the grammar allows an empty list, and superfluous names grant nothing",
    ),
    Unseen(
        defect="K33",
        kind="a 204 without Content-Length: 0 hangs old clients (express d3304ab, traefik)",
        reason="RFC 9110, 8.6, forbids that header there",
    ),
    Unseen(
        defect="K34",
        kind="a denied actual request is refused with 4xx (starlette #93, stack-cors #70)",
        reason="a freedom: CORS asks for neither; a same-origin POST with Origin is one of these",
    ),
    Unseen(
        defect="K36",
        kind="policies per path (flask-cors CVE-2024-6844, nelmio #186)",
        reason="the six parameters are for all paths; that paths change nothing is copied",
    ),
    Unseen(
        defect="K40",
        kind="precedence of several options for origins (rs/cors #163)",
        reason="the six parameters have one",
    ),
)
"""What no mutant copies, each with the reason."""
