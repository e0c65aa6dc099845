"""Origins: what `Origin` has in it, and when it is sent."""

from typing import Final

from cors_conformance.standard.clauses.base import Section, covered, free, section

ORIGINS: Final[tuple[Section, ...]] = (
    section(
        "#http-origin",
        "`Origin` header",
        covered(
            "",
            "It is one serialized origin, or `null`; a list of origins is nothing.",
            "safe-duplicate-origin",
            "rob-origin-bytes",
            "rob-injection",
        ),
        covered(
            "",
            "Scheme and host are in lower case, without percent-encoding, and each byte counts.",
            "safe-origin-nearmiss",
            "cfg-bad-origin",
            "safe-pattern-anchored",
        ),
        free(
            "",
            "A server can tell by the grammar what no browser sends.",
            "It need not refuse that: browsers send hosts that are outside the grammar, such as"
            " those with `_`, and a list of origins refuses what is not in it anyway.",
        ),
    ),
    section(
        "#append-a-request-origin-header",
        "Appending `Origin`",
        covered(
            "step 3",
            "What is fetched across origins with CORS always has it.",
            "live-simple",
        ),
        covered(
            "step 4",
            "Other requests have it unless they are GET or HEAD: forms and same-origin pages.",
            "tr-response",
        ),
        covered(
            "step 4.1",
            "A referrer policy may turn it to `null`, where no CORS is asked for.",
            "safe-null",
        ),
    ),
    section(
        "#byte-serializing-a-request-origin",
        "Serializing a request's origin",
        covered("", "These bytes are what the answer is compared with.", "live-simple"),
        covered("", "After a redirect across sites it is `null`.", "live-redirect", "safe-null"),
    ),
    section(
        "#concept-request-tainted-origin",
        "Redirect-taint",
        covered(
            "",
            "Whether the origin is told after redirects depends on all their URLs.",
            "live-redirect",
        ),
    ),
)
"""The sections, in the order of the standard."""
