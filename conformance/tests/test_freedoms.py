"""Every invariant of a CORS middleware is a rule, or stands among the freedoms with a reason."""

import re
from pathlib import Path
from typing import Final

from cors_conformance.rules import RULES

PAGE: Final = Path(__file__).parents[2] / "docs" / "freedoms.md"

INVARIANTS: Final = frozenset(
    [
        "safe-origin-simple",
        "safe-origin-preflight",
        "safe-origin-nearmiss",
        "safe-null",
        "safe-acao-closed",
        "safe-method",
        "safe-method-case",
        "safe-header",
        "safe-authorization",
        "safe-credentials-off",
        "safe-wildcard-credentials",
        "safe-expose",
        "safe-no-carryover",
        "safe-error-paths",
        "safe-pattern-anchored",
        "safe-duplicate-origin",
        "live-simple",
        "live-credentials",
        "live-preflight",
        "live-safelisted-method",
        "live-header-case",
        "live-wildcard-method",
        "live-wildcard-method-credentials",
        "live-expose",
        "live-options-actual",
        "live-error-readable",
        "live-redirect",
        "live-304",
        "live-preflight-no-credentials",
        "live-acac-on-preflight",
        "live-acrh-tolerant",
        "syn-acao-single",
        "syn-acac",
        "syn-acma",
        "syn-lists",
        "syn-no-acao-star-with-acac",
        "syn-no-duplication",
        "syn-preflight-scope",
        "syn-content-length",
        "syn-asgi",
        "syn-no-ctl",
        "vary-dynamic",
        "vary-static-or-always",
        "vary-merge",
        "vary-other-inputs",
        "cache-shared-safe",
        "cache-shared-live",
        "cache-preflight-uncacheable",
        "cache-app-headers",
        "cred-mode-invisible",
        "cred-set-cookie",
        "cred-true-only-if-allowed",
        "cred-401",
        "pf-identify",
        "pf-ok-status",
        "pf-not-executed",
        "pf-decompose",
        "pf-subset",
        "pf-consistent",
        "pf-denied-clean",
        "pf-denied-no-5xx",
        "pf-private-network",
        "pf-route-independent",
        "tr-no-origin",
        "tr-response",
        "tr-streaming",
        "tr-request-body",
        "tr-other-scopes",
        "tr-exception",
        "tr-no-mutation",
        "tr-header-iterables",
        "tr-denied-actual",
        "rob-origin-bytes",
        "rob-acrm",
        "rob-acrh",
        "rob-injection",
        "rob-concurrency",
        "rob-header-name-case",
        "cfg-bad-origin",
        "cfg-bad-token",
        "cfg-max-age",
        "cfg-star-mixed",
        "cfg-str-not-iterable",
        "cfg-empty",
        "cfg-snapshot",
        "cfg-forbidden",
        "mm-permute",
        "mm-mono-origin",
        "mm-mono-methods-headers",
        "mm-mono-credentials",
        "mm-maxage-neutral",
        "mm-idempotent",
        "mm-independent",
        "mm-header-order",
        "mm-rename",
        "mm-path",
        "mm-double-wrap",
        "st-preflight-cache",
        "st-preflight-count",
        "st-http-cache",
        "st-both",
        "st-revalidate",
        "st-policy-change",
    ]
)
"""What follows from the standards for a server that claims a policy, or was found to matter."""


def freedoms() -> dict[str, str]:
    """The sentences that are no rules, each with the reason."""
    rows = re.findall(
        r"^\| `([a-z0-9-]+)` \| .+ \| (.+) \|$", PAGE.read_text(encoding="utf-8"), re.MULTILINE
    )
    return dict(rows)


def test_every_invariant_is_a_rule_or_a_freedom() -> None:
    assert set(RULES) | set(freedoms()) >= INVARIANTS


def test_no_freedom_is_a_rule() -> None:
    assert set(RULES).isdisjoint(freedoms())


def test_every_freedom_is_an_invariant_with_a_reason() -> None:
    assert set(freedoms()) <= INVARIANTS
    assert all(len(reason) > 40 for reason in freedoms().values())


def test_rules_that_the_page_names_exist() -> None:
    (_, _, rest) = PAGE.read_text(encoding="utf-8").partition("## Rules that ask for little")
    named = set(re.findall(r"`((?:cfg|live|mm|pf|rob|safe|st|syn)-[a-z0-9-]+)`", rest))
    assert named <= set(RULES)
