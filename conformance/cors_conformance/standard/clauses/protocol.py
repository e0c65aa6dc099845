"""The CORS protocol as it is told to server developers, and the background to it."""

from typing import Final

from cors_conformance.standard.clauses.base import Section, covered, free, section

PROTOCOL: Final[tuple[Section, ...]] = (
    section(
        "#http-cors-protocol",
        "CORS protocol",
        covered(
            "",
            "It is a layer on HTTP by which responses say that other origins may have them;"
            " everything else about a response is HTTP's own.",
            "tr-response",
            "cfg-serve-or-refuse",
            "mm-permute",
            "mm-double-wrap",
        ),
        covered(
            "",
            "It is an opt-in: who says nothing shares nothing.",
            "cfg-empty",
            "safe-origin-simple",
            "safe-credentials-off",
            "cfg-str-not-iterable",
            "cfg-snapshot",
        ),
    ),
    section(
        "#general",
        "General",
        covered(
            "",
            "Headers say whether a response can be shared.",
            "safe-origin-simple",
            "live-simple",
        ),
        covered(
            "",
            "What a form cannot do is asked for first, with a preflight to the same URL.",
            "safe-origin-preflight",
            "live-preflight",
        ),
    ),
    section(
        "#http-requests",
        "HTTP requests",
        covered(
            "CORS request",
            "A request with `Origin` is a CORS request; one without is none of the middleware's"
            " business.",
            "tr-no-origin",
        ),
        free(
            "CORS request",
            "`Origin` alone does not tell that a page of another origin asks.",
            "Same-origin requests with `Origin` may be treated like CORS requests: the browser"
            " does not look at the answer's CORS headers.",
        ),
        covered(
            "CORS-preflight request",
            "It is an OPTIONS request with `Origin` and `Access-Control-Request-Method`; all three"
            " are needed.",
            "pf-identify",
            "live-options-actual",
        ),
        covered(
            "CORS-preflight request",
            "It asks whether the protocol is understood, and does nothing else.",
            "pf-not-executed",
        ),
        covered(
            "`Access-Control-Request-Method`",
            "It names the method that may come; what comes is decided when it comes.",
            "pf-consistent",
            "rob-acrm",
        ),
        covered(
            "`Access-Control-Request-Headers`",
            "It may be there, and names the headers that may come.",
            "pf-subset",
            "live-safelisted-method",
            "rob-acrh",
        ),
    ),
    section(
        "#http-responses",
        "HTTP responses",
        covered(
            "`Access-Control-Allow-Origin`",
            "It repeats the request's `Origin`, or is `*`.",
            "safe-acao-closed",
            "live-simple",
            "syn-acao-single",
        ),
        covered(
            "`Access-Control-Allow-Origin`",
            "It can be `null`, which is the origin of every sandboxed page.",
            "safe-null",
            "safe-null-option",
            "live-null-option",
        ),
        covered(
            "`Access-Control-Allow-Credentials`",
            "It shares the response of a credentialed request.",
            "live-credentials",
            "safe-credentials-off",
            "cred-true-only-if-allowed",
        ),
        covered(
            "`Access-Control-Allow-Credentials`",
            "The answer to a preflight, which itself never has credentials, has to say so, too.",
            "live-acac-on-preflight",
            "live-preflight-no-credentials",
        ),
        covered(
            "`Access-Control-Allow-Methods`",
            "It lists the methods that the URL supports for pages.",
            "safe-method",
            "live-preflight",
            "live-wildcard-method",
        ),
        free(
            "`Access-Control-Allow-Methods`",
            "`Allow` has nothing to do with it.",
            "No browser reads it; it passes like any other header of the application.",
        ),
        covered(
            "`Access-Control-Allow-Headers`",
            "It lists the request headers that the URL supports for pages.",
            "safe-header",
            "live-preflight",
            "live-header-case",
        ),
        covered(
            "`Access-Control-Max-Age`",
            "It says for how many seconds the two lists can be cached, 5 without it.",
            "syn-acma",
            "mm-maxage-neutral",
        ),
        covered(
            "`Access-Control-Expose-Headers`",
            "It lists the response headers that pages may read.",
            "live-expose",
            "safe-expose",
        ),
        covered(
            "success",
            "A response that is to be shared may have any status.",
            "live-error-readable",
            "safe-error-paths",
            "cred-401",
        ),
        covered("success", "A preflight succeeds with an ok status only.", "pf-ok-status"),
        covered(
            "no success",
            "Whatever else a response is, it is not shared, or fails the preflight.",
            "pf-denied-clean",
            "pf-denied-no-5xx",
            "safe-origin-simple",
        ),
        free(
            "no success",
            "Work that a server does for a request that it denies may show in other ways: timing.",
            "What a page can measure is no matter of headers, and no test in process can measure"
            " it without flakes.",
        ),
        free(
            "no success",
            "403 without the CORS headers says no in so many words.",
            "It can be used and need not: any answer that a browser takes for a failure will do.",
        ),
        covered(
            "no success",
            "A denied request that is no preflight may be served or refused.",
            "tr-denied-actual",
        ),
        covered(
            "freedom",
            "The answers to a preflight and to the request after it may be made in different ways;"
            " who may have them is the same question.",
            "pf-consistent",
        ),
        covered(
            "freedom",
            "An answer can be static, the same for all requests, or dynamic; either way it depends"
            " on the request and on nothing that came before.",
            "mm-idempotent",
            "mm-independent",
            "vary-static-or-always",
            "mm-path",
            "mm-header-order",
            "mm-connection",
            "rob-concurrency",
            "st-policy-change",
        ),
    ),
    section(
        "#http-new-header-syntax",
        "HTTP new-header syntax",
        covered(
            "`Access-Control-Request-Method`",
            "It is one method; what is none is neither granted nor repeated.",
            "rob-acrm",
        ),
        covered(
            "`Access-Control-Request-Headers`",
            "It is a list of at least one field name.",
            "rob-acrh",
        ),
        covered(
            "`Access-Control-Allow-Origin`",
            "It is one origin, `null` or `*`, on one line.",
            "syn-acao-single",
            "syn-no-duplication",
            "safe-acao-closed",
        ),
        covered(
            "`Access-Control-Allow-Credentials`",
            "It is `true`, in these bytes, or absent.",
            "syn-acac",
        ),
        covered(
            "`Access-Control-Max-Age`",
            "It is a number of seconds in digits, on one line.",
            "syn-acma",
            "cfg-max-age",
        ),
        covered(
            "`Access-Control-Allow-Methods`, `-Allow-Headers`, `-Expose-Headers`",
            "They are lists of tokens, and one bad token spoils a list.",
            "syn-lists",
            "syn-no-ctl",
            "cfg-bad-token",
        ),
        covered(
            "wildcard",
            "In the lists `*` means everything to requests without credentials.",
            "live-wildcard-method",
            "live-preflight",
            "live-expose",
            "cfg-star-mixed",
        ),
        free(
            "wildcard",
            "To them nothing can mean the method or header whose name is `*`.",
            "A policy whose list has `*` means everything, so that none can ask for that.",
        ),
    ),
    section(
        "#cors-protocol-and-credentials",
        "CORS protocol and credentials",
        covered(
            "",
            "The credentials mode cannot be seen by a server: what it decides must not hang on"
            " cookies or `Authorization` being there.",
            "cred-mode-invisible",
        ),
        covered("", "A preflight never has credentials.", "live-preflight-no-credentials"),
        covered(
            "",
            "Whether responses and requests with credentials are shared is two decisions of"
            " whoever runs the server, to be made with care.",
            "safe-credentials-off",
            "safe-wildcard-credentials",
            "mm-mono-credentials",
        ),
        covered(
            "table, row 1",
            "Without credentials, `*` shares.",
            "live-simple",
        ),
        covered(
            "table, row 2",
            "Without credentials, `Access-Control-Allow-Credentials` is ignored.",
            "mm-mono-credentials",
            "cred-true-only-if-allowed",
            "syn-no-acao-star-with-acac",
        ),
        covered(
            "table, row 3",
            "An origin has no slash at its end.",
            "syn-acao-single",
            "live-simple",
        ),
        covered("table, row 4", "Without credentials, the page's origin shares.", "live-simple"),
        covered(
            "table, row 5",
            "With credentials, `*` does not share, with or without"
            " `Access-Control-Allow-Credentials`.",
            "live-credentials",
            "safe-wildcard-credentials",
        ),
        covered("table, row 6", "With credentials, origin and `true` share.", "live-credentials"),
        covered("table, row 7", "`True` is not `true`.", "syn-acac", "live-credentials"),
        covered(
            "lists",
            "In the three lists, too, `*` is no wildcard for requests with credentials.",
            "live-preflight",
            "live-expose",
            "live-credentials",
            "live-wildcard-method-credentials",
        ),
    ),
    section(
        "#cors-protocol-examples",
        "Examples",
        covered(
            "#example-simple-cors",
            "The page gets the response if the header is its origin or `*`, else it does not.",
            "live-simple",
            "safe-origin-simple",
        ),
        covered(
            "#example-cors-with-response-header",
            "A header that is not listed cannot be read, though it is there.",
            "safe-expose",
            "live-expose",
        ),
        covered(
            "#example-cors-with-credentials",
            "`Set-Cookie` works where credentials are included, shared or not, so that it has to"
            " pass.",
            "cred-set-cookie",
        ),
    ),
    section(
        "#cors-protocol-exceptions",
        "CORS protocol exceptions",
        free(
            "",
            "Reports of browsers come with types that are not safelisted, and without a preflight.",
            "They are requests like others to a middleware, which denies nothing by"
            " `Content-Type`; it is the application that has to expect them.",
        ),
    ),
    section(
        "#basic-safe-cors-protocol-setup",
        "Basic safe CORS protocol setup",
        free(
            "",
            "`*` is unsafe for what only the network's position protects, and safe otherwise.",
            "Where a server stands is not in its policy.",
        ),
        covered(
            "",
            "`*` gives away nothing that cookies or HTTP authentication protect.",
            "safe-wildcard-credentials",
        ),
    ),
    section(
        "#cors-protocol-and-http-caches",
        "CORS protocol and HTTP caches",
        covered(
            "",
            "Where there is more to it than `*` or one origin, `Vary` has to be used.",
            "vary-dynamic",
            "cache-shared-safe",
        ),
        covered(
            "",
            "That is so for responses to requests without `Origin`, too: a cache would serve them"
            " to pages.",
            "vary-dynamic",
            "cache-shared-live",
            "st-http-cache",
            "st-both",
        ),
        covered(
            "",
            "`*` or one static origin is sent on every response, and then without `Vary`.",
            "vary-static-or-always",
        ),
        free(
            "",
            "A static server does not use `Vary`.",
            "More in `Vary` than is needed costs a cache some hits and is no error.",
        ),
    ),
    section(
        "#websocket-protocol",
        "WebSockets",
        covered(
            "",
            "Their handshake is a fetch of its own kind, to which CORS does not apply.",
            "tr-other-scopes",
        ),
    ),
)
"""The sections, in the order of the standard."""
