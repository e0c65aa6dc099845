"""Where engines leave the standard: the one table that runs, reports and the documentation read.

Each line has a bend, which says exactly what the engine does instead. A disagreement is covered
if the model with all bends of the engine does byte for byte what the engine did.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from cors_conformance.browsers.bending import Bend, predict
from cors_conformance.browsers.bends import asking, receiving, redirecting, remembering, sending
from cors_conformance.browsers.comparing import Disagreement
from cors_conformance.browsers.engines import EngineName
from cors_conformance.browsers.observing import Seen
from cors_conformance.browsers.scenario import Scenario


@dataclass(frozen=True, slots=True, kw_only=True)
class Deviation:
    """One point in which an engine does something else than the standard says.

    Attributes:
        id: a name.
        engines: which engines, with the versions in which it was seen.
        anchor: the algorithm of the standard; a whole URL where it is another standard's.
        standard: what the standard says.
        engine: what the engine does.
        advice: what it means for who writes a server.
        bend: the model's way to do as the engine does.

    """

    id: str
    engines: tuple[tuple[EngineName, str], ...]
    anchor: str
    standard: str
    engine: str
    advice: str
    bend: Bend

    @property
    def url(self) -> str:
        """Where the standard says it."""
        prefix = "" if self.anchor.startswith("https:") else "https://fetch.spec.whatwg.org/"
        return prefix + self.anchor


_CHROMIUM: Final[tuple[EngineName, str]] = ("chromium", "156")
_FIREFOX: Final[tuple[EngineName, str]] = ("firefox", "153")
_WEBKIT: Final[tuple[EngineName, str]] = ("webkit", "2.50")
_EVERY: Final = (_CHROMIUM, _FIREFOX, _WEBKIT)
_RANGE: Final = "#simple-range-header-value"
_SAFELIST: Final = "#cors-safelisted-request-header"
_REDIRECT: Final = "#concept-http-redirect-fetch"
_COOKIES: Final = "https://httpwg.org/http-extensions/draft-ietf-httpbis-layered-cookies.html#name-"
_NOTHING: Final = "Nothing."

DEVIATIONS: Final = (
    Deviation(
        id="wildcard-covers-authorization",
        engines=_EVERY,
        anchor="#cors-preflight-fetch-0",
        standard="`*` in `Access-Control-Allow-Headers` does not cover `Authorization`"
        " (CORS-preflight fetch, step 7.6).",
        engine="It does, without credentials.",
        advice="List `Authorization` if it is meant, so that browsers to come agree; do not rely"
        " on `*` to keep it out.",
        bend=remembering.wildcards_cover_authorization,
    ),
    Deviation(
        id="failures-clear-nothing",
        engines=(_CHROMIUM, _WEBKIT),
        anchor="#concept-main-fetch",
        standard="A preflighted request that ends in a network error clears the preflight cache"
        " for its URL (main fetch, step 12).",
        engine="What was remembered stays.",
        advice="After a permission is taken back, pages may use it until its max-age is over: keep"
        " `Access-Control-Max-Age` short where that matters.",
        bend=remembering.errors_clear_nothing,
    ),
    Deviation(
        id="range-limit-63-bits",
        engines=(_CHROMIUM,),
        anchor=_RANGE,
        standard="A `Range` has numbers of any size.",
        engine="From 2^63 - 1 on they make the header unsafe, so that a preflight is sent.",
        advice=_NOTHING,
        bend=asking.ranges_end_below(2**63 - 1),
    ),
    Deviation(
        id="range-limit-64-bits",
        engines=(_FIREFOX, _WEBKIT),
        anchor=_RANGE,
        standard="A `Range` has numbers of any size.",
        engine="From 2^64 on they make the header unsafe, so that a preflight is sent.",
        advice=_NOTHING,
        bend=asking.ranges_end_below(2**64),
    ),
    Deviation(
        id="client-hints-are-safelisted",
        engines=(_CHROMIUM,),
        anchor=_SAFELIST,
        standard="`Device-Memory`, `Downlink`, `DPR`, `ECT`, `RTT`, `Save-Data`, `Viewport-Width`"
        " and `Width` need permission.",
        engine="They need none, and are not asked for.",
        advice="Let them through whether or not they are allowed, and allow them for the others.",
        bend=asking.client_hints_are_safelisted,
    ),
    Deviation(
        id="user-agent-is-forbidden",
        engines=(_CHROMIUM,),
        anchor="#forbidden-request-header",
        standard="A page may set `User-Agent`, with permission.",
        engine="The page's value is dropped without a word.",
        advice="Do not depend on it; take a header of your own.",
        bend=asking.user_agent_is_forbidden,
    ),
    Deviation(
        id="listener-without-body",
        engines=(_CHROMIUM,),
        anchor="https://xhr.spec.whatwg.org/#the-send()-method",
        standard="A listener on an XMLHttpRequest's upload makes a preflight necessary.",
        engine="Only if there is a body to upload.",
        advice="Nothing: such a request has no need of permission.",
        bend=asking.listeners_need_a_body,
    ),
    Deviation(
        id="listener-allows-no-method",
        engines=(_CHROMIUM,),
        anchor="#cors-preflight-fetch-0",
        standard="With a listener on the upload, a preflight's answer without"
        " `Access-Control-Allow-Methods` allows the request's method (CORS-preflight fetch,"
        " step 7.4).",
        engine="It does not.",
        advice="List the methods that are allowed.",
        bend=asking.listeners_allow_no_method,
    ),
    Deviation(
        id="caches-rewrite-ranges",
        engines=(_CHROMIUM,),
        anchor="#concept-http-network-or-cache-fetch",
        standard="A page's `Range` is sent as it is.",
        engine="A GET that may use the HTTP cache has it without leading zeros and white space.",
        advice=_NOTHING,
        bend=sending.caches_rewrite_ranges,
    ),
    Deviation(
        id="referrer-policy-withholds-nothing",
        engines=(_CHROMIUM,),
        anchor="#append-a-request-origin-header",
        standard="Without CORS, `no-referrer`, and `same-origin` for another origin, turn the"
        " `Origin` of a POST to `null` (step 4.1).",
        engine="The origin is sent.",
        advice="A check of `Origin` against forgery must expect both.",
        bend=sending.referrer_policies_withhold_nothing,
    ),
    Deviation(
        id="opaque-origin-with-credentials",
        engines=(_CHROMIUM,),
        anchor="#append-a-request-origin-header",
        standard="A GET or HEAD of the mode `no-cors` has no `Origin`.",
        engine="It has `Origin: null` if it includes credentials and the page's origin is opaque.",
        advice="An `Origin` does not prove that CORS is on: answer as to any request.",
        bend=sending.opaque_pages_tell_their_origin,
    ),
    Deviation(
        id="empty-location",
        engines=(_CHROMIUM,),
        anchor="#concept-response-location-url",
        standard="An empty `Location` leads to the URL that was asked for.",
        engine="It leads nowhere: the redirect is the response.",
        advice="Send no empty `Location`.",
        bend=redirecting.empty_locations_lead_nowhere,
    ),
    Deviation(
        id="locations-have-no-credentials",
        engines=(_CHROMIUM,),
        anchor=_REDIRECT,
        standard="Without CORS, and to the page's own origin, a redirect may lead to a URL with a"
        " user name or password (steps 9 and 10).",
        engine="It never may: the fetch fails.",
        advice="Keep user names and passwords out of `Location`.",
        bend=redirecting.locations_have_no_credentials,
    ),
    Deviation(
        id="redirects-blur-the-origin",
        engines=(_CHROMIUM,),
        anchor="#append-a-request-origin-header",
        standard="Without CORS, the `Origin` of a POST that the page's own origin redirects"
        " elsewhere is the page's.",
        engine="It is `null`, after any redirect to another origin.",
        advice="A check of `Origin` against forgery must expect both.",
        bend=sending.redirects_blur_the_origin,
    ),
    Deviation(
        id="sandboxed-pages-have-a-site",
        engines=(_CHROMIUM,),
        anchor="#cross-origin-resource-policy-internal-check",
        standard="An opaque origin is of no site, so that `Cross-Origin-Resource-Policy:"
        " same-site` blocks it.",
        engine="A sandboxed frame is of the site that it came from.",
        advice="Take `same-origin` to keep sandboxed pages out.",
        bend=receiving.sandboxed_pages_have_a_site,
    ),
    Deviation(
        id="opaque-origin-with-credentials-once",
        engines=(_FIREFOX,),
        anchor="#append-a-request-origin-header",
        standard="A GET or HEAD of the mode `no-cors` has no `Origin`.",
        engine="It has `Origin: null` if it includes credentials, the page's origin is opaque, and"
        " the URL is of the site of the page around; after a redirect to another origin none.",
        advice="An `Origin` does not prove that CORS is on: answer as to any request.",
        bend=sending.opaque_pages_tell_their_origin_at_home,
    ),
    Deviation(
        id="http-caches-are-split-by-credentials",
        engines=(_FIREFOX,),
        anchor="#determine-the-http-cache-partition",
        standard="The HTTP cache of a page is one, with credentials and without.",
        engine="There are two, so that an older response may come again.",
        advice="Nothing: caches may have forgotten, or not.",
        bend=remembering.http_caches_are_split_by_credentials,
    ),
    Deviation(
        id="values-must-be-ascii",
        engines=(_FIREFOX,),
        anchor=_SAFELIST,
        standard="Bytes from 0x80 on are safe in `Accept` and `Content-Type`.",
        engine="They make the header unsafe, so that a preflight is sent, or `no-cors` drops it.",
        advice=_NOTHING,
        bend=asking.values_must_be_ascii,
    ),
    Deviation(
        id="media-type-lists-are-unsafe",
        engines=(_FIREFOX,),
        anchor=_SAFELIST,
        standard="A comma in the parameters of a `Content-Type` is a character like others.",
        engine="It ends the media type, and makes the header unsafe.",
        advice=_NOTHING,
        bend=asking.media_type_lists_are_unsafe,
    ),
    Deviation(
        id="header-lines-are-merged",
        engines=(_FIREFOX,),
        anchor="#concept-header-list-get",
        standard="Lines of one name are joined by `, `, whatever their values.",
        engine="Empty lines are skipped where there are others; `Content-Type` is joined by `,`;"
        " of `Authorization` the first line counts; of several `WWW-Authenticate` none is seen.",
        advice="Send each header once. An empty `Access-Control-Allow-Origin` before a right one"
        " is granted by Firefox alone.",
        bend=receiving.header_lines_are_merged,
    ),
    Deviation(
        id="proxy-authentication-is-shown",
        engines=(_FIREFOX, _WEBKIT),
        anchor="#concept-http-network-or-cache-fetch",
        standard="A 407 is a matter of the proxy: without one it is a network error (step 16).",
        engine="The page gets it like any other status.",
        advice="Leave 407 to proxies.",
        bend=receiving.proxy_authentication_is_shown,
    ),
    Deviation(
        id="wildcard-exposes-before-errors",
        engines=(_FIREFOX,),
        anchor="#concept-main-fetch",
        standard="An element that is no token makes `Access-Control-Expose-Headers` failure, so"
        " that it exposes nothing (main fetch, step 14).",
        engine="A `*` before that element exposes everything.",
        advice="Send tokens only.",
        bend=receiving.wildcards_expose_before_errors,
    ),
    Deviation(
        id="preflights-are-repeated",
        engines=(_FIREFOX,),
        anchor=_REDIRECT,
        standard="Whether a redirected request needs a preflight depends on the method and headers"
        " that it still has.",
        engine="A request that had to ask once asks again at each hop to another origin than the"
        " page's, though nothing is left to ask for.",
        advice="Answer preflights at every URL that requests are redirected to, those for GET"
        " without headers included.",
        bend=redirecting.preflights_are_repeated,
    ),
    Deviation(
        id="preflights-are-repeated-elsewhere",
        engines=(_WEBKIT,),
        anchor=_REDIRECT,
        standard="Whether a redirected request needs a preflight depends on the method and headers"
        " that it still has.",
        engine="A request that had to ask once asks again at each new URL of another origin than"
        " the page's, though nothing is left to ask for.",
        advice="Answer preflights at every URL that requests are redirected to, those for GET"
        " without headers included.",
        bend=redirecting.preflights_are_repeated_elsewhere,
    ),
    Deviation(
        id="preflights-forget-redirects",
        engines=(_FIREFOX,),
        anchor="#cors-preflight-fetch-0",
        standard="After a redirect from one foreign origin to another, preflight and request have"
        " `Origin: null`.",
        engine="The preflight has, and its answer is checked against, the page's origin; the"
        " request has `null`.",
        advice="Redirects across origins work reliably for public resources only, with `*`.",
        bend=redirecting.preflights_forget_redirects,
    ),
    Deviation(
        id="headers-come-back",
        engines=(_FIREFOX,),
        anchor=_REDIRECT,
        standard="What a redirect takes away stays away: `Authorization` at another origin, and"
        " the headers of a body that is gone.",
        engine="Each redirect starts with the page's headers and drops what this redirect drops:"
        " on a second one within the other origin `Authorization` is there again.",
        advice="Do not redirect requests with `Authorization` to origins that must not have it.",
        bend=redirecting.headers_come_back_after_redirects,
    ),
    Deviation(
        id="zero-max-age-takes-nothing-back",
        engines=(_FIREFOX,),
        anchor="#cors-preflight-fetch-0",
        standard="The max-age of a preflight's answer becomes that of what is remembered of earlier"
        " ones, so that 0 ends it (steps 7.10 and 7.12).",
        engine="With 0 the answer is not remembered, and what is remembered stays.",
        advice="A permission lasts as long as it was first given for: keep"
        " `Access-Control-Max-Age` short where that matters.",
        bend=remembering.zero_max_ages_store_nothing,
    ),
    Deviation(
        id="failed-requests-invalidate-nothing",
        engines=(_WEBKIT,),
        anchor="https://www.rfc-editor.org/rfc/rfc9111.html#section-4.4",
        standard="The response to a POST invalidates what the HTTP cache has for its URL.",
        engine="Not if the response fails the CORS check.",
        advice="Grant what changes a resource, or do not let it be cached.",
        bend=remembering.failed_requests_invalidate_nothing,
    ),
    Deviation(
        id="cross-site-requests-invalidate-nothing",
        engines=(_FIREFOX,),
        anchor="https://www.rfc-editor.org/rfc/rfc9111.html#section-4.4",
        standard="The response to a POST invalidates what the HTTP cache has for its URL.",
        engine="Not if the page is of another site.",
        advice="Do not let be cached what pages of other sites may change.",
        bend=remembering.cross_site_requests_invalidate_nothing,
    ),
    Deviation(
        id="cookies-need-names",
        engines=(_FIREFOX,),
        anchor=_COOKIES + "parse-a-cookie",
        standard="A cookie without `=` has a value and no name.",
        engine="It has a name and no value; with an empty name it is ignored.",
        advice="Name cookies.",
        bend=remembering.cookies_need_names,
    ),
    Deviation(
        id="cross-site-cookies-in-the-clear",
        engines=(_WEBKIT,),
        anchor=_COOKIES + "store-a-cookie",
        standard="A cookie with `SameSite=None` and without `Secure` is ignored.",
        engine="It is stored.",
        advice="Add `Secure`.",
        bend=remembering.cookies_of_any_site_need_not_be_secure,
    ),
    Deviation(
        id="range-unit-without-case",
        engines=(_WEBKIT,),
        anchor=_RANGE,
        standard="`bytes` in a safelisted `Range` is lower-case.",
        engine="It may have any case.",
        advice=_NOTHING,
        bend=asking.range_units_have_no_case,
    ),
    Deviation(
        id="range-with-odd-spaces",
        engines=(_WEBKIT,),
        anchor=_RANGE,
        standard="No white space is allowed in a safelisted `Range`.",
        engine="Line tabulations and form feeds are, around numbers.",
        advice=_NOTHING,
        bend=asking.ranges_may_have_odd_spaces,
    ),
    Deviation(
        id="empty-location-is-an-error",
        engines=(_WEBKIT,),
        anchor="#concept-response-location-url",
        standard="An empty `Location` leads to the URL that was asked for.",
        engine="It is a network error.",
        advice="Send no empty `Location`.",
        bend=redirecting.empty_locations_are_errors,
    ),
    Deviation(
        id="request-headers-are-utf8",
        engines=(_WEBKIT,),
        anchor="#concept-header-value",
        standard="A request header's value is sent byte by byte.",
        engine="Bytes from 0x80 on are encoded as UTF-8.",
        advice="Keep header values in ASCII.",
        bend=sending.request_headers_are_utf8,
    ),
    Deviation(
        id="response-headers-are-utf8",
        engines=(_WEBKIT,),
        anchor="#concept-header-value",
        standard="A response header's value is read byte by byte.",
        engine="What is no UTF-8 is replaced by U+FFFD.",
        advice="Keep header values in ASCII.",
        bend=receiving.response_headers_are_utf8,
    ),
    Deviation(
        id="reset-content-has-a-body",
        engines=(_WEBKIT,),
        anchor="#null-body-status",
        standard="205 is a null body status.",
        engine="The body of a 205 can be read.",
        advice="Send none.",
        bend=receiving.reset_content_has_a_body,
    ),
    Deviation(
        id="preflights-have-the-user-agent",
        engines=(_WEBKIT,),
        anchor="#cors-preflight-fetch-0",
        standard="A preflight has none of the headers that the page sets.",
        engine="It has the page's `User-Agent`.",
        advice=_NOTHING,
        bend=sending.preflights_have_the_user_agent,
    ),
    Deviation(
        id="deletions-become-get",
        engines=(_WEBKIT,),
        anchor=_REDIRECT,
        standard="301, 302, 307 and 308 leave DELETE as it is.",
        engine="It becomes GET if the redirect leads to another origin.",
        advice="Do not redirect DELETE across origins.",
        bend=redirecting.deletions_become_get,
    ),
    Deviation(
        id="body-headers-come-back",
        engines=(_WEBKIT,),
        anchor=_REDIRECT,
        standard="The headers of a body that a redirect took away stay away.",
        engine="At the next redirect they are there again.",
        advice=_NOTHING,
        bend=redirecting.body_headers_come_back_after_redirects,
    ),
    Deviation(
        id="preflights-ask-for-lost-headers",
        engines=(_WEBKIT,),
        anchor=_REDIRECT,
        standard="After a redirect a preflight asks for the headers that are left.",
        engine="It asks for those that the page set, `Authorization` included, which is not sent.",
        advice="Allow at the target of a redirect what is allowed at its start.",
        bend=redirecting.preflights_ask_for_lost_headers,
    ),
    Deviation(
        id="origins-stay",
        engines=(_WEBKIT,),
        anchor="#append-a-request-origin-header",
        standard="A GET without CORS has no `Origin`, also if it was a POST before a redirect.",
        engine="It keeps the one of the POST within an origin.",
        advice="An `Origin` does not prove that CORS is on: answer as to any request.",
        bend=redirecting.origins_stay_after_redirects,
    ),
    Deviation(
        id="redirects-from-home-are-credentialed",
        engines=(_WEBKIT,),
        anchor="#concept-cors-check",
        standard="Credentials mode `same-origin` lets `*` pass.",
        engine="Not on a redirect after CORS if the fetch began at the page's own origin.",
        advice="Redirect directly, or answer the origin instead of `*` on redirects.",
        bend=redirecting.home_made_redirects_are_credentialed,
    ),
    Deviation(
        id="permissions-are-kept-unchecked",
        engines=(_WEBKIT,),
        anchor="#cors-preflight-fetch-0",
        standard="A preflight that does not grant the request leaves nothing in the cache.",
        engine="What it lists is remembered, and serves other requests.",
        advice=_NOTHING,
        bend=remembering.permissions_are_kept_unchecked,
    ),
)
"""All that is known, the points common to several engines first."""


def deviations_of(engine: EngineName) -> tuple[Deviation, ...]:
    """Return the lines of one engine."""
    return tuple(item for item in DEVIATIONS if any(name == engine for name, _ in item.engines))


def versions_of(engine: EngineName) -> tuple[str, ...]:
    """Return the versions of one engine that the table was made with."""
    told = (version for item in DEVIATIONS for name, version in item.engines if name == engine)
    return tuple(dict.fromkeys(told))


def is_listed(engine: EngineName, version: str) -> bool:
    """Whether the table was made with that version, a whole one."""
    return any(f"{version}.".startswith(f"{listed}.") for listed in versions_of(engine))


def expected_of(
    lines: Sequence[Deviation], scenario: Scenario, seen: Sequence[Seen] = ()
) -> tuple[Seen, ...]:
    """Predict an engine by its lines; `seen` says where its caches forgot something."""
    return predict(scenario, [item.bend for item in lines], seen)


def gone(
    lines: Sequence[Deviation], played: Mapping[str, tuple[Scenario, Sequence[Seen]]]
) -> tuple[Deviation, ...]:
    """Return the lines that an engine has left behind: in their examples it does without.

    What has only changed is not among them: without its line it is not predicted either.
    """
    doubtful = [
        item
        for item in lines
        if item.id in played and expected_of(lines, *played[item.id]) != tuple(played[item.id][1])
    ]
    kept = [item for item in lines if item not in doubtful]
    return tuple(
        item
        for item in lines
        if item.id in played
        and expected_of([other for other in kept if other is not item], *played[item.id])
        == tuple(played[item.id][1])
    )


def met(
    lines: Sequence[Deviation], disagreement: Disagreement, seen: Sequence[Seen]
) -> Iterator[str]:
    """Yield the ids without which these lines would not predict what the engine did."""
    for left_out in lines:
        others = [item for item in lines if item is not left_out]
        if expected_of(others, disagreement.scenario, seen) != tuple(seen):
            yield left_out.id
