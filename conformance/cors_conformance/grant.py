"""Grants: what a policy, read in a dialect, lets a page do.

Three-valued. What the standard leaves free, or the library does not document, is neither granted
nor denied: no rule may ask for either.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from enum import Enum
from functools import lru_cache
from typing import Final

from cors_conformance.application import ApplicationResponse
from cors_conformance.dialect import Dialect
from cors_conformance.fetch.headers import contains
from cors_conformance.fetch.methods import is_cors_safelisted_method
from cors_conformance.fetch.origins import OpaqueOrigin
from cors_conformance.fetch.request_headers import is_cors_non_wildcard_request_header_name
from cors_conformance.fetch.requests import create_request
from cors_conformance.fetch.responses import (
    CORS_SAFELISTED_RESPONSE_HEADER_NAMES,
    FORBIDDEN_RESPONSE_HEADER_NAMES,
    REDIRECT_STATUSES,
)
from cors_conformance.policy import WILDCARD, Policy
from cors_conformance.scenario import API, Visit

CORS_RESPONSE_HEADER_NAMES = frozenset(
    {
        b"access-control-allow-credentials",
        b"access-control-allow-headers",
        b"access-control-allow-methods",
        b"access-control-allow-origin",
        b"access-control-expose-headers",
        b"access-control-max-age",
    }
)
"""https://fetch.spec.whatwg.org/#http-responses"""


class Verdict(Enum):
    """Whether something is granted."""

    GRANTED = "granted"
    DENIED = "denied"
    FREE = "left free"


@dataclass(frozen=True, slots=True)
class Grant:
    """A verdict with its reason, a clause such as "the origin is not in allow_origins"."""

    verdict: Verdict
    reason: str

    @property
    def granted(self) -> bool:
        """Whether the policy grants it."""
        return self.verdict is Verdict.GRANTED

    @property
    def denied(self) -> bool:
        """Whether the policy denies it."""
        return self.verdict is Verdict.DENIED

    @property
    def free(self) -> bool:
        """Whether both are right."""
        return self.verdict is Verdict.FREE

    def __str__(self) -> str:
        """Give a sentence's end: "denied: the origin ..."."""
        return f"{self.verdict.value}: {self.reason}"


def granted(reason: str) -> Grant:
    """Make a grant."""
    return Grant(Verdict.GRANTED, reason)


def denied(reason: str) -> Grant:
    """Make a denial."""
    return Grant(Verdict.DENIED, reason)


def free(reason: str) -> Grant:
    """Make a freedom."""
    return Grant(Verdict.FREE, reason)


def _documented(choice: bool | None, reason: str) -> Grant:  # noqa: FBT001 - a choice, not a flag
    """Turn a dialect's choice into a grant."""
    if choice is None:
        return free(f"{reason}, which the library does not document")
    return granted(reason) if choice else denied(f"{reason}, documented otherwise")


def all_of(parts: Iterable[Grant]) -> Grant:
    """Combine: one denial denies, one freedom leaves free, else it is granted."""
    decided = list(parts)
    for verdict in (Verdict.DENIED, Verdict.FREE):
        for part in decided:
            if part.verdict is verdict:
                return part
    return granted("; ".join(part.reason for part in decided))


def origin_grant(policy: Policy, dialect: Dialect, origin: str) -> Grant:
    """Whether pages of an origin are granted access at all."""
    if origin in policy.allow_origins:
        return granted(f"the origin {origin} is in allow_origins")
    if WILDCARD in policy.allow_origins:
        if origin == "null":
            return _documented(dialect.wildcard_covers_null, "allow_origins is * for null")
        return granted("allow_origins is *")
    return denied(f"the origin {origin} is not in allow_origins")


def credentials_grant(policy: Policy, dialect: Dialect, credentials: str) -> Grant:
    """Whether a credentials mode is granted; `same-origin` is "without" for other origins."""
    if credentials != "include":
        return granted("no credentials")
    if not policy.allow_credentials:
        return denied("allow_credentials is false")
    if WILDCARD in policy.allow_origins:
        if dialect.wildcard_with_credentials == "any origin":
            return granted("allow_origins * with allow_credentials is documented as any origin")
        return denied("allow_origins is *, which never means credentialed access for all")
    return granted("allow_credentials is true")


def method_grant(policy: Policy, dialect: Dialect, method: bytes, credentials: str) -> Grant:
    """Whether a method, as the browser sends it, is granted."""
    name = method.decode("latin-1")
    if name in policy.allow_methods and name != WILDCARD:
        return granted(f"the method {name} is in allow_methods")
    if is_cors_safelisted_method(method):
        # No list is needed for these, so that a literal `*` does for them with credentials too.
        if WILDCARD in policy.allow_methods:
            return granted(f"allow_methods is * for {name}")
        return free(f"the method {name} is CORS-safelisted and not in allow_methods")
    if WILDCARD not in policy.allow_methods:
        return denied(f"the method {name} is not in allow_methods")
    if dialect.wildcard_methods is not None and name not in dialect.wildcard_methods:
        return free(f"the method {name} is not one of those that * is documented to stand for")
    return _wildcard_list(dialect, f"allow_methods is * for {name}", credentials)


_HARMLESS: Final = frozenset({"accept", "accept-language", "content-language"})
"""CORS-safelisted request-header names that libraries allow whatever their values are."""


def header_grant(policy: Policy, dialect: Dialect, name: bytes, credentials: str) -> Grant:
    """Whether a request header that the browser asks for is granted."""
    lower = name.lower().decode("latin-1")
    if lower in {allowed.lower() for allowed in policy.allow_headers} and lower != WILDCARD:
        return granted(f"the header {lower} is in allow_headers")
    if lower in (dialect.always_allowed_headers or ()):
        return granted(f"the header {lower} is documented as always allowed")
    if WILDCARD not in policy.allow_headers:
        if lower in _HARMLESS and dialect.always_allowed_headers is None:
            return free(f"whether the header {lower} is always allowed is not documented")
        return denied(f"the header {lower} is not in allow_headers")
    by_wildcard = _wildcard_list(dialect, f"allow_headers is * for {lower}", credentials)
    if is_cors_non_wildcard_request_header_name(name):
        covers = _documented(
            dialect.wildcard_covers_authorization, "allow_headers is * for authorization"
        )
        return all_of((covers, by_wildcard))
    return by_wildcard


def _wildcard_list(dialect: Dialect, reason: str, credentials: str) -> Grant:
    if credentials != "include":
        return granted(reason)
    return _documented(
        dialect.wildcard_lists_with_credentials, f"{reason} in a credentialed request"
    )


def sets_cors_headers(application: ApplicationResponse) -> bool:
    """Whether the application answers CORS headers of its own, so that it may decide itself."""
    return any(name.lower() in CORS_RESPONSE_HEADER_NAMES for name, _ in application.headers)


def redirects(application: ApplicationResponse) -> bool:
    """Whether a browser follows the response somewhere else."""
    return application.status in REDIRECT_STATUSES and contains(application.headers, b"location")


@lru_cache(maxsize=4096)
def asked_for(visit: Visit) -> tuple[bytes, tuple[bytes, ...]]:
    """Return the method and the header names for which a browser has to ask, as it asks.

    Raises:
        FetchTypeError: no page can make that visit.

    """
    request = create_request(visit.author_request(), OpaqueOrigin())
    if not contains(request.header_list, b"accept"):
        request.header_list.append((b"accept", b"*/*"))
    return request.method, request.unsafe_header_names


def visit_grant(policy: Policy, dialect: Dialect, visit: Visit) -> Grant:
    """Whether the policy lets the page have the response of a visit."""
    if visit.origin == API:
        return free("the page is same-origin with the server")
    if visit.mode != "cors":
        return free(f"the mode {visit.mode} is no matter of CORS")
    method, names = asked_for(visit)
    grant = all_of(
        (
            origin_grant(policy, dialect, visit.origin),
            credentials_grant(policy, dialect, visit.credentials),
            method_grant(policy, dialect, method, visit.credentials),
            *(header_grant(policy, dialect, name, visit.credentials) for name in names),
        )
    )
    if sets_cors_headers(visit.application):
        return free("the application answers CORS headers of its own")
    if grant.denied:
        return grant
    if visit.application.raises != "never":
        return free("the application raises an exception")
    if redirects(visit.application):
        return free("the application redirects, and what comes of it is decided elsewhere")
    return grant


def readable_grant(policy: Policy, dialect: Dialect, name: bytes, credentials: str) -> Grant:
    """Whether pages that get a response may read one of its headers."""
    lower = name.lower()
    text = lower.decode("latin-1")
    if lower in FORBIDDEN_RESPONSE_HEADER_NAMES:
        return denied(f"{text} is a forbidden response-header name")
    if lower in CORS_SAFELISTED_RESPONSE_HEADER_NAMES:
        return granted(f"{text} is a CORS-safelisted response-header name")
    if text in {exposed.lower() for exposed in policy.expose_headers}:
        return granted(f"{text} is in expose_headers")
    if WILDCARD in policy.expose_headers:
        return _wildcard_list(dialect, f"expose_headers is * for {text}", credentials)
    return denied(f"{text} is not in expose_headers")
