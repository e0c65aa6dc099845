"""Fetching: what a browser does with the answers of servers."""

from typing import Final

from cors_conformance.standard.clauses.base import Section, covered, free, section

_BROWSERS: Final = "It is the browser's own matter; the model does it, and its tests hold it."

FETCHING: Final[tuple[Section, ...]] = (
    section(
        "#concept-main-fetch",
        "Main fetch",
        covered(
            "step 12",
            "Across origins with CORS: with a preflight if method, headers or the"
            " use-CORS-preflight flag ask for one, else without.",
            "live-simple",
            "live-preflight",
            "live-safelisted-method",
        ),
        free("step 12", "Same-origin fetches and those without CORS go another way.", _BROWSERS),
        covered(
            "step 14, response tainting `cors`",
            "`Access-Control-Expose-Headers` exposes its names, and all names by `*` without"
            " credentials.",
            "live-expose",
            "safe-expose",
        ),
    ),
    section(
        "#concept-filtered-response-cors",
        "CORS filtered responses",
        covered(
            "",
            "Pages read the safelisted and the exposed headers and no other.",
            "safe-expose",
            "live-expose",
        ),
    ),
    section(
        "#concept-http-fetch",
        "HTTP fetch",
        covered(
            "step 4.1",
            "A preflight is made unless the cache has every permission.",
            "st-preflight-cache",
        ),
        covered(
            "step 4.4",
            "Responses are checked, redirects included.",
            "live-simple",
            "live-redirect",
        ),
        free(
            "step 4.5",
            "`Timing-Allow-Origin` is checked for timing.",
            "It decides nothing about sharing; a CORS middleware owes nothing here.",
        ),
        free(
            "step 5",
            "`Cross-Origin-Resource-Policy` is checked for opaque responses.",
            "It is not for CORS requests; the application's header passes like any other"
            " (tr-response).",
        ),
    ),
    section(
        "#concept-http-redirect-fetch",
        "HTTP-redirect fetch",
        covered(
            "",
            "The target is fetched anew, with the origin that it may see, and may need a preflight"
            " of its own.",
            "live-redirect",
        ),
        free(
            "steps 7, 9 and 10",
            "Twenty redirects, or a user name and password in the URL, are an error.",
            "Where a redirect leads is the application's to say.",
        ),
    ),
    section(
        "#concept-http-network-or-cache-fetch",
        "HTTP-network-or-cache fetch",
        covered(
            "step 8",
            "Cookies and the like are sent if the credentials mode says so.",
            "cred-mode-invisible",
            "cred-set-cookie",
        ),
        covered(
            "step 8",
            "A stored response is used for whoever its `Vary` allows.",
            "st-http-cache",
            "cache-shared-live",
            "cache-shared-safe",
            "live-304",
            "st-revalidate",
        ),
        covered(
            "step 15",
            "For 401, no user is asked where CORS is involved: the page gets the response.",
            "cred-401",
        ),
        free(
            "steps 16 and 17",
            "407 is never shown, and 421 is tried again on another connection.",
            "They are between the browser and what it connects to.",
        ),
    ),
    section(
        "#cors-preflight-fetch-0",
        "CORS-preflight fetch",
        covered(
            "step 1",
            "It asks the same URL, with OPTIONS, for the same origin, and without credentials.",
            "pf-identify",
            "live-preflight-no-credentials",
            "pf-route-independent",
        ),
        free("step 2", "It accepts every type.", "A header that no CORS decision hangs on."),
        covered("step 3", "It names the method.", "pf-decompose", "safe-method"),
        covered(
            "steps 4 and 5",
            "It names the unsafe headers on one line, with commas and no spaces; without any it"
            " has no such line.",
            "live-preflight",
            "pf-subset",
            "live-safelisted-method",
        ),
        covered(
            "step 6",
            "It follows no redirect.",
            "pf-ok-status",
            "live-redirect",
        ),
        covered(
            "step 7",
            "The CORS check is that of the real request: with credentials, the answer must say so.",
            "live-acac-on-preflight",
            "live-credentials",
            "safe-origin-preflight",
        ),
        covered("step 7", "An ok status is needed.", "pf-ok-status"),
        covered(
            "steps 7.1 to 7.3",
            "The two lists are parsed; a failure of either fails it all.",
            "syn-lists",
        ),
        covered(
            "step 7.4",
            "Where nothing but a listener asked for it, no list of methods is needed.",
            "live-safelisted-method",
        ),
        covered(
            "step 7.5",
            "The method is in the list, safelisted, or covered by `*` without credentials.",
            "safe-method",
            "safe-method-case",
            "live-preflight",
            "live-wildcard-method",
            "mm-mono-methods-headers",
        ),
        covered(
            "step 7.6",
            "`Authorization` is in the list by name.",
            "safe-authorization",
            "live-preflight",
        ),
        covered(
            "step 7.7",
            "Each unsafe name is in the list, in any case, or covered by `*` without credentials.",
            "safe-header",
            "live-header-case",
            "live-preflight",
            "pf-subset",
            "mm-mono-methods-headers",
        ),
        covered(
            "steps 7.8 and 7.9",
            "The seconds are read; what cannot be read is 5 seconds.",
            "syn-acma",
        ),
        free("steps 7.10 and 7.11", "A browser may remember for less, or not at all.", _BROWSERS),
        covered(
            "steps 7.12 to 7.15",
            "Each method and each name of the lists is remembered for itself, those included that"
            " nobody asked for.",
            "st-preflight-cache",
            "pf-decompose",
        ),
        covered(
            "step 8", "Everything else is a failure.", "pf-denied-clean", "safe-origin-preflight"
        ),
    ),
    section(
        "#cors-preflight-cache",
        "CORS-preflight cache",
        covered(
            "entries",
            "A permission is for one origin, one URL and one credentials mode.",
            "st-preflight-cache",
        ),
        covered(
            "removal",
            "It goes when its seconds are over, or before.",
            "st-preflight-cache",
            "mm-maxage-neutral",
            "st-preflight-count",
            "st-policy-change",
        ),
        free(
            "#concept-cache-clear",
            "A network error after a preflight removes what is remembered.",
            _BROWSERS,
        ),
        covered(
            "#concept-cache-match-method",
            "An entry `*` matches every method, also one that a credentialed preflight made: a"
            " gap, since a `*` is just a name in the answer itself.",
            "st-star-entry",
        ),
    ),
    section(
        "#concept-cache",
        "Permissions that are kept",
        covered(
            "",
            "A server keeps none: what it granted to one page is nothing to the next.",
            "safe-no-carryover",
            "mm-independent",
            "mm-maxage-neutral",
        ),
    ),
    section(
        "#concept-cors-check",
        "CORS check",
        covered(
            "steps 1 and 2",
            "Without `Access-Control-Allow-Origin` it fails.",
            "live-simple",
            "safe-origin-simple",
            "cred-true-only-if-allowed",
        ),
        covered(
            "step 3",
            "`*` is enough without credentials.",
            "safe-acao-closed",
            "live-simple",
        ),
        covered(
            "step 4",
            "Else it is the page's own origin, byte for byte.",
            "safe-origin-nearmiss",
            "live-simple",
            "mm-mono-origin",
            "mm-rename",
        ),
        covered("step 5", "Without credentials that is all.", "live-simple"),
        covered(
            "steps 6 to 8",
            "With credentials, `Access-Control-Allow-Credentials` is `true`.",
            "live-credentials",
            "safe-credentials-off",
            "syn-acac",
        ),
    ),
    section(
        "#concept-tao-check",
        "TAO check",
        free(
            "",
            "`Timing-Allow-Origin` shares the timing of a response.",
            "No parameter of a policy speaks of it; the application's header passes (tr-response).",
        ),
    ),
    section(
        "#cross-origin-resource-policy-check",
        "Cross-origin resource policy check",
        free(
            "",
            "A server can keep others from embedding its responses without CORS.",
            "It is for requests without CORS, and the application's header passes (tr-response).",
        ),
    ),
    section(
        "#atomic-http-redirect-handling",
        "Atomic HTTP redirect handling",
        free("", "Pages do not see redirects.", _BROWSERS),
    ),
    section(
        "#http-header-layer-division",
        "HTTP header layer division",
        free("", "Which part of a browser sets which header.", _BROWSERS),
    ),
)
"""The sections, in the order of the standard."""
