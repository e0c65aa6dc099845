"""What follows from other texts: HTTP, caching, ASGI, WSGI."""

from typing import Final

from cors_conformance.standard.clauses.base import Section, covered, section

_ASGI: Final = "https://asgi.readthedocs.io/en/latest/specs"

ELSEWHERE: Final[tuple[Section, ...]] = (
    section(
        "RFC 9110, 5.3",
        "Field order",
        covered("", "The order of lines with different names means nothing.", "mm-header-order"),
        covered("", "Several lines of a list are one list.", "live-acrh-tolerant"),
    ),
    section(
        "RFC 9110, 5.5",
        "Field values",
        covered(
            "",
            "CR, LF and NUL are dangerous in a value; other bytes beyond ASCII are opaque.",
            "syn-no-ctl",
            "rob-injection",
            "rob-origin-bytes",
        ),
    ),
    section(
        "RFC 9110, 5.6.1.2",
        "Recipient requirements of lists",
        covered(
            "",
            "Empty elements are to be ignored, up to a reasonable number.",
            "rob-acrh",
            "live-acrh-tolerant",
        ),
    ),
    section(
        "RFC 9110, 8.6 and 15.3.5",
        "Content-Length and 204",
        covered("", "A response is as long as it says.", "syn-content-length"),
    ),
    section(
        "RFC 9110, 12.5.5",
        "Vary",
        covered(
            "", "It names what the response depends on.", "vary-other-inputs", "vary-every-status"
        ),
        covered("", "It is a list, and may be added to by each who knows more.", "vary-merge"),
    ),
    section(
        "RFC 9111, 1.2.2",
        "Delta seconds",
        covered("", "They are whole numbers in digits.", "cfg-max-age", "syn-acma"),
    ),
    section(
        "RFC 9111, 4.1",
        "Calculating cache keys with Vary",
        covered("", "A cache serves a stored response by its `Vary`.", "cache-shared-safe"),
    ),
    section(
        "RFC 9111, 4.3.4",
        "Freshening stored responses upon validation",
        covered("", "A 304 brings the headers of a stored response up to date.", "st-revalidate"),
    ),
    section(
        "RFC 9111, 5",
        "Field definitions of caching",
        covered("", "They are the application's to set.", "cache-app-headers"),
    ),
    section(
        "https://wicg.github.io/local-network-access/",
        "Local Network Access",
        covered(
            "",
            "Private networks are guarded by a permission, no longer by a preflight.",
            "pf-private-network",
            "live-private-network-option",
        ),
    ),
    section(
        f"{_ASGI}/main.html",
        "ASGI",
        covered(
            "",
            "What a middleware does not handle it passes on: messages, protocols, exceptions; what"
            " is not its own it does not change.",
            "tr-http-scope",
            "tr-other-scopes",
            "tr-exception",
            "tr-no-mutation",
        ),
    ),
    section(
        f"{_ASGI}/www.html",
        "HTTP and WebSocket of ASGI",
        covered(
            "",
            "How messages look, what headers are made of, and that bodies come in pieces.",
            "syn-asgi",
            "tr-header-iterables",
            "rob-header-name-case",
            "tr-streaming",
            "tr-request-body",
        ),
    ),
    section(
        "https://peps.python.org/pep-3333/",
        "WSGI",
        covered(
            "",
            "A middleware is the server of the application: it keeps bodies coming item by item,"
            " closes them, and offers all that `start_response` and the environment have.",
            "tr-wsgi-items",
            "tr-wsgi-close",
            "tr-wsgi-start-response",
            "tr-wsgi-environ",
        ),
    ),
)
"""The sections, text by text."""
