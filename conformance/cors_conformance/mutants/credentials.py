"""Mutants that grant or forget credentials, or take `*` for more or less than it is."""

# ruff: noqa: ANN401, ARG002, D102 - a mutant overrides what its base documents, and takes it all

from collections.abc import Iterable
from typing import Any, Final

from cors_conformance.mutants.base import (
    CREDENTIALS,
    EXPOSE,
    HEADERS,
    METHODS,
    ORIGIN,
    Answer,
    ASGIApp,
    Chapter,
    CORSMiddleware,
    Editing,
    Everyone,
    Header,
    Scope,
    first,
    named,
    replaced,
    without,
)

GRANTED: Final = Chapter()

_EVERYTHING: Final = "any site reads what the user sees when logged in"
_BLOCKED: Final = "credentialed requests of pages that the operator listed fail"
_TRUE: Final = (CREDENTIALS, b"true")


@GRANTED.add(
    "K01",
    "safe-wildcard-credentials",
    copies="rs/cors CVE-2018-20744, Tomcat CVE-2018-8014, http4s GHSA-52cf-226f-rhr6",
    consequence=_EVERYTHING,
)
class EveryoneWithCredentials(Everyone, Editing):
    """All origins with credentials: since `*` does not do, any origin is echoed."""

    def edited(self, scope: Scope, status: int, lines: list[Header]) -> list[Header]:
        origin = first(scope, b"origin")
        if not self.everyone or origin is None:
            return lines
        return [*replaced(lines, ORIGIN, origin), _TRUE]


@GRANTED.add(
    "K01",
    "safe-origin-simple",
    "safe-acao-closed",
    copies="koa CVE-2023-49803",
    consequence=_EVERYTHING,
)
class AnyOriginReflected(Editing):
    """Access-Control-Allow-Origin repeats whatever Origin says."""

    def edited(self, scope: Scope, status: int, lines: list[Header]) -> list[Header]:
        origin = first(scope, b"origin")
        return [*without(lines, ORIGIN), (ORIGIN, origin)] if origin else lines


@GRANTED.add(
    "K01", "safe-origin-simple", "safe-acao-closed", copies="koa #92, HEAD", consequence=_EVERYTHING
)
class AnyOriginReflectedForHead(Editing):
    """HEAD requests skip the check of the origin."""

    def edited(self, scope: Scope, status: int, lines: list[Header]) -> list[Header]:
        origin = first(scope, b"origin")
        if scope["method"] != "HEAD" or not origin:
            return lines
        return [*without(lines, ORIGIN), (ORIGIN, origin)]


@GRANTED.add(
    "K01",
    "safe-error-paths",
    copies="koa #13, headers kept on errors",
    consequence="any site reads error pages, and what they tell of the user",
)
class AnyOriginReflectedOnErrors(Editing):
    """Responses with errors skip the check of the origin."""

    def edited(self, scope: Scope, status: int, lines: list[Header]) -> list[Header]:
        origin = first(scope, b"origin")
        is_preflight = first(scope, b"access-control-request-method") is not None
        if status < 400 or not origin or is_preflight:  # noqa: PLR2004 - see the RFC
            return lines
        return [*without(lines, ORIGIN), (ORIGIN, origin)]


@GRANTED.add(
    "K01",
    "safe-origin-preflight",
    "pf-denied-clean",
    copies="koa CVE-2023-49803",
    consequence="any site sends PUT and DELETE in the user's name, without reading the answer",
)
class AnyOriginPassesPreflights(CORSMiddleware):
    """Preflights do not look at the origin."""

    def answer(self, origin: bytes, method: bytes, headers: bytes) -> Answer:
        known = (
            origin if origin in self.grants or self.all_origins else next(iter(self.grants), b"")
        )
        status, lines, body = super().answer(known or b"", method, headers)
        return status, named(lines, origin), body


@GRANTED.add(
    "K01",
    "cred-mode-invisible",
    copies="starlette, `*` with a cookie",
    consequence=_EVERYTHING,
)
class EveryoneWithACookie(Everyone, Editing):
    """All origins with credentials: an origin that comes with a cookie is echoed."""

    def edited(self, scope: Scope, status: int, lines: list[Header]) -> list[Header]:
        origin = first(scope, b"origin")
        if not self.everyone or origin is None:
            return lines
        has_cookie = first(scope, b"cookie") is not None
        return [*(replaced(lines, ORIGIN, origin) if has_cookie else lines), _TRUE]


@GRANTED.add(
    "K02",
    "syn-no-acao-star-with-acac",
    copies="gin-contrib/cors, flask-cors #202, salvo #1560",
    consequence="every credentialed request fails, although the operator asked for it",
)
class LiteralOriginWithCredentials(Everyone, Editing):
    """All origins with credentials are answered `*` and `true`."""

    def edited(self, scope: Scope, status: int, lines: list[Header]) -> list[Header]:
        return [*lines, _TRUE] if self.everyone else lines


@GRANTED.add(
    "K02",
    "live-credentials",
    "live-preflight",
    copies="gin-contrib/cors, the same for methods",
    consequence=_BLOCKED,
)
class LiteralMethodsWithCredentials(Editing):
    """All methods are answered `*`, with credentials too."""

    def edited(self, scope: Scope, status: int, lines: list[Header]) -> list[Header]:
        return replaced(lines, METHODS, b"*") if self.all_methods else lines


@GRANTED.add(
    "K02",
    "st-star-entry",
    copies="gin-contrib/cors, the same for methods",
    consequence="what a browser lets pages do depends on what it was asked before",
)
class LiteralMethodsRemembered(LiteralMethodsWithCredentials):
    """All methods are answered `*`, which is one method until it is cached."""


@GRANTED.add(
    "K02",
    "live-credentials",
    "live-preflight",
    copies="gin-contrib/cors, the same for headers",
    consequence=_BLOCKED,
)
class LiteralHeadersWithCredentials(Editing):
    """All headers are answered `*`, with credentials and for Authorization too."""

    def edited(self, scope: Scope, status: int, lines: list[Header]) -> list[Header]:
        return replaced(lines, HEADERS, b"*") if self.all_headers else lines


@GRANTED.add(
    "K02",
    "live-preflight",
    copies="https://fetch.spec.whatwg.org/#cors-non-wildcard-request-header-name",
    consequence="pages that send Authorization get network errors",
)
class LiteralHeadersForAuthorization(Editing):
    """All headers are answered `*` where there are no credentials, for Authorization too."""

    def edited(self, scope: Scope, status: int, lines: list[Header]) -> list[Header]:
        is_credentialed = any(name == CREDENTIALS for name, _ in lines)
        return replaced(lines, HEADERS, b"*") if self.all_headers and not is_credentialed else lines


@GRANTED.add(
    "K02",
    "live-expose",
    copies="tower-http, the same for exposed headers",
    consequence="pages with credentials cannot read the headers that all may read",
)
class LiteralExposeWithCredentials(CORSMiddleware):
    """All response headers are exposed as `*`, with credentials too."""

    def share(self, origin: bytes | None, headers: Iterable[Header]) -> list[Header]:
        lines = super().share(origin, headers)
        return [*without(lines, EXPOSE), (EXPOSE, b"*")] if self.expose_own else lines


@GRANTED.add(
    "K17",
    "cred-true-only-if-allowed",
    copies="stack-cors #76",
    consequence="with an Access-Control-Allow-Origin of the application, denied pages are let in",
)
class CredentialsForDenied(Editing):
    """Access-Control-Allow-Credentials is sent to denied origins as well."""

    def __init__(self, app: ASGIApp, **parameters: Any) -> None:
        super().__init__(app, **parameters)
        self.is_credentialed = parameters["allow_credentials"]

    def edited(self, scope: Scope, status: int, lines: list[Header]) -> list[Header]:
        return [*without(lines, CREDENTIALS), _TRUE] if self.is_credentialed else lines


@GRANTED.add(
    "K18",
    "syn-acac",
    "safe-credentials-off",
    copies="cors_plug aeb1d83",
    consequence="none yet; some clients look at the header's presence alone",
)
class CredentialsFalse(Editing):
    """Without credentials, Access-Control-Allow-Credentials is `false`."""

    def edited(self, scope: Scope, status: int, lines: list[Header]) -> list[Header]:
        if any(name == CREDENTIALS for name, _ in lines):
            return lines
        return [*lines, (CREDENTIALS, b"false")]


@GRANTED.add(
    "K18", "syn-acac", "live-credentials", copies="cors_plug aeb1d83", consequence=_BLOCKED
)
class CredentialsTitled(Editing):
    """Access-Control-Allow-Credentials is `True`, as the language prints it."""

    def edited(self, scope: Scope, status: int, lines: list[Header]) -> list[Header]:
        return replaced(lines, CREDENTIALS, b"True")


@GRANTED.add("K18", "live-credentials", copies="blacksheep #450", consequence=_BLOCKED)
class CredentialsOnPreflightsOnly(CORSMiddleware):
    """Access-Control-Allow-Credentials is sent in answers to preflights only."""

    def share(self, origin: bytes | None, headers: Iterable[Header]) -> list[Header]:
        return without(super().share(origin, headers), CREDENTIALS)


@GRANTED.add("K18", "live-acac-on-preflight", copies="blacksheep #450", consequence=_BLOCKED)
class CredentialsNotOnPreflights(CORSMiddleware):
    """Access-Control-Allow-Credentials is not sent in answers to preflights."""

    def answer(self, origin: bytes, method: bytes, headers: bytes) -> Answer:
        status, lines, body = super().answer(origin, method, headers)
        return status, without(lines, CREDENTIALS), body


@GRANTED.add("K18", "live-credentials", copies="tower-http #298", consequence=_BLOCKED)
class CredentialsForgotten(Editing):
    """Access-Control-Allow-Credentials is never sent."""

    def edited(self, scope: Scope, status: int, lines: list[Header]) -> list[Header]:
        return without(lines, CREDENTIALS)


@GRANTED.add(
    "K18",
    "cred-mode-invisible",
    "live-credentials",
    copies="starlette, what comes with a cookie",
    consequence="the first request of a page fails, before it has a cookie",
)
class CredentialsWithACookie(Editing):
    """Access-Control-Allow-Credentials is sent where the request has a cookie."""

    def edited(self, scope: Scope, status: int, lines: list[Header]) -> list[Header]:
        is_preflight = first(scope, b"access-control-request-method") is not None
        has_cookie = first(scope, b"cookie") is not None
        return lines if has_cookie or is_preflight else without(lines, CREDENTIALS)


@GRANTED.add("K18", "live-credentials", copies="middy 10be22311", consequence=_BLOCKED)
class CredentialsForTheFirst(Editing):
    """Only the first allowed origin gets credentials."""

    def edited(self, scope: Scope, status: int, lines: list[Header]) -> list[Header]:
        is_first = first(scope, b"origin") == next(iter(self.grants), None)
        return lines if is_first else without(lines, CREDENTIALS)


@GRANTED.add(
    "K18",
    "safe-credentials-off",
    copies="rack-cors #95, the default",
    consequence="sites get the user's data that should get public data only",
)
class CredentialsAlways(Editing):
    """Access-Control-Allow-Credentials is sent to allowed origins unasked."""

    def edited(self, scope: Scope, status: int, lines: list[Header]) -> list[Header]:
        grant = (ORIGIN, first(scope, b"origin"))
        return [*without(lines, CREDENTIALS), _TRUE] if grant in lines else lines


@GRANTED.add(
    "K18",
    "mm-mono-credentials",
    copies="Kong #3765, the branch for credentials",
    consequence="pages that send no credentials get nothing where others may",
)
class CredentialsRequired(Editing):
    """Where credentials are allowed, requests without any are not shared."""

    def edited(self, scope: Scope, status: int, lines: list[Header]) -> list[Header]:
        has_some = first(scope, b"cookie") or first(scope, b"authorization")
        asks = first(scope, b"access-control-request-method")
        is_credentialed = any(name == CREDENTIALS for name, _ in lines)
        return without(lines, ORIGIN) if is_credentialed and not has_some and not asks else lines
