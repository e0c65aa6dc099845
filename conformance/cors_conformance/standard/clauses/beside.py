"""Headers and statuses that the standard knows beside the CORS protocol."""

from typing import Final

from cors_conformance.standard.clauses.base import Section, covered, free, section

BESIDE: Final[tuple[Section, ...]] = (
    section(
        "#null-body-status",
        "Null body statuses",
        covered(
            "",
            "Responses of some statuses have no body, those that a middleware makes included.",
            "syn-content-length",
        ),
    ),
    section(
        "#redirect-status",
        "Redirect statuses",
        covered("", "Five statuses redirect.", "live-redirect"),
    ),
    section(
        "#http-cache-partitions",
        "HTTP cache partitions",
        free(
            "",
            "A browser keeps a cache for each site.",
            "So its pages meet fewer of each other's responses; a shared cache has no partitions,"
            " and `Vary` has to do.",
        ),
    ),
    section(
        "#cookie-header",
        "`Cookie` header",
        covered(
            "",
            "Cookies are appended where credentials are included, and reach the application.",
            "cred-mode-invisible",
            "tr-response",
        ),
    ),
    section(
        "#set-cookie-header",
        "`Set-Cookie` header",
        covered("", "Each line is a cookie of its own.", "cred-set-cookie"),
    ),
    section(
        "#content-length-header",
        "`Content-Length` header",
        covered("", "Values that contradict each other make no length.", "syn-content-length"),
    ),
    section(
        "#x-content-type-options-header",
        "`X-Content-Type-Options` header",
        free(
            "",
            "It keeps responses from being taken for another type.",
            "It decides nothing about sharing, and passes like any other header (tr-response).",
        ),
    ),
    section(
        "#cross-origin-resource-policy-header",
        "`Cross-Origin-Resource-Policy` header",
        free(
            "",
            "It lets a server keep others from embedding its responses without CORS.",
            "It is for requests without CORS, and passes like any other header (tr-response).",
        ),
    ),
    section(
        "#sec-purpose-header",
        "`Sec-Purpose` header",
        free(
            "",
            "A server may treat a prefetch in its own way.",
            "It is the application that may; no page can set it, and no policy speaks of it.",
        ),
    ),
)
"""The sections, in the order of the standard."""
