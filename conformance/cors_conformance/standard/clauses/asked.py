"""Methods and headers: for which of them browsers ask, and how."""

from typing import Final

from cors_conformance.standard.clauses.base import Section, covered, free, section

ASKED: Final[tuple[Section, ...]] = (
    section(
        "#cors-safelisted-method",
        "CORS-safelisted methods",
        covered(
            "",
            "GET, HEAD and POST need no permission, so that a preflight cannot deny them.",
            "live-safelisted-method",
        ),
        free(
            "",
            "A policy that leaves them out denies nothing.",
            "Browsers do not look: they are granted or not, and both are right.",
        ),
    ),
    section(
        "#concept-method-normalize",
        "Normalizing methods",
        covered(
            "",
            "Six methods reach the server in upper case; all others as the page wrote them, and"
            " are compared byte for byte.",
            "safe-method-case",
        ),
    ),
    section(
        "#forbidden-method",
        "Forbidden methods",
        covered(
            "",
            "CONNECT, TRACE and TRACK cannot be asked for; a policy that lists them does no harm.",
            "cfg-forbidden",
        ),
    ),
    section(
        "#cors-safelisted-request-header",
        "CORS-safelisted request-headers",
        covered(
            "",
            "A few headers with harmless values need no permission; nor does a preflight name"
            " them.",
            "live-simple",
            "safe-header",
        ),
        free(
            "",
            "A policy that leaves them out denies nothing.",
            "Browsers do not ask for them.",
        ),
    ),
    section(
        "#cors-unsafe-request-header-names",
        "CORS-unsafe request-header names",
        covered(
            "",
            "These names are asked for: of what is not safelisted, or too much of what is.",
            "safe-header",
            "live-preflight",
        ),
    ),
    section(
        "#convert-header-names-to-a-sorted-lowercase-set",
        "Sorted-lowercase sets",
        covered(
            "",
            "They are asked for in lower case, sorted, each once.",
            "live-header-case",
        ),
        free(
            "",
            "No browser asks in another order, or twice.",
            "A server may refuse what no browser sends; it must not grant more for it.",
        ),
    ),
    section(
        "#cors-non-wildcard-request-header-name",
        "CORS non-wildcard request-header names",
        covered("", "`*` does not stand for `Authorization`.", "safe-authorization"),
        free(
            "",
            "It has to be listed.",
            "Whether `allow_headers=['*']` means that header, too, is the library's to document:"
            " if it does, it has to name it on the wire.",
        ),
    ),
    section(
        "#forbidden-request-header",
        "Forbidden request-headers",
        covered(
            "",
            "Pages cannot set them; a policy that lists them does no harm.",
            "cfg-forbidden",
        ),
    ),
    section(
        "#cors-safelisted-response-header-name",
        "CORS-safelisted response-header names",
        covered("", "Seven of them can always be read.", "live-expose"),
    ),
    section(
        "#forbidden-response-header-name",
        "Forbidden response-header names",
        covered("", "`Set-Cookie` can never be read.", "cred-set-cookie", "safe-expose"),
    ),
    section(
        "#concept-header-list-get",
        "Getting a header",
        covered(
            "",
            "Lines of one name count as one value with commas, which is no origin and not `true`.",
            "syn-no-duplication",
            "syn-acao-single",
            "syn-acac",
            "mm-double-wrap",
        ),
    ),
    section(
        "#extract-header-list-values",
        "Extracting header list values",
        covered(
            "step 2",
            "Several lines of a header that has one value are a failure.",
            "syn-acma",
        ),
        covered(
            "step 4",
            "A line that does not parse is a failure of all.",
            "syn-lists",
        ),
    ),
    section(
        "#ok-status",
        "Ok statuses",
        covered("", "They are those from 200 to 299.", "pf-ok-status"),
    ),
)
"""The sections, in the order in which a request meets them."""
