"""Mutants that misread their configuration."""

# ruff: noqa: ANN401, ARG002, D102 - a mutant overrides what its base documents, and takes it all

from collections.abc import Mapping
from typing import Any, Final

from cors_conformance.mutants.base import (
    ORIGIN,
    ASGIApp,
    Chapter,
    Configured,
    CORSMiddleware,
    Editing,
    Header,
    Scope,
    first,
    without,
)

CONFIGURED: Final = Chapter()

_EVERYBODY: Final = "everybody reads what is meant for some"
_BLOCKED: Final = "pages that the operator listed get network errors"


@CONFIGURED.add(
    "K40",
    "safe-origin-simple",
    copies="actix-cors #121",
    consequence=_EVERYBODY,
)
class AllHeadersMeansAllOrigins(Configured):
    """Allowing all headers allows all origins: the setter writes the wrong field."""

    def understood(self, **parameters: Any) -> Mapping[str, Any]:
        wide = "*" in parameters["allow_headers"] and not parameters["allow_credentials"]
        return {"allow_origins": ["*"]} if wide else {}


@CONFIGURED.add("K40", "safe-origin-simple", copies="actix-cors #143", consequence=_EVERYBODY)
class AllExposedMeansAllOrigins(Configured):
    """Exposing all headers allows all origins: the setter writes the wrong field."""

    def understood(self, **parameters: Any) -> Mapping[str, Any]:
        wide = "*" in parameters["expose_headers"] and not parameters["allow_credentials"]
        return {"allow_origins": ["*"]} if wide else {}


@CONFIGURED.add("K40", "safe-origin-simple", copies="elysia 61e4966, #940", consequence=_EVERYBODY)
class SeveralOriginsMeanAll(Configured):
    """A list of several origins is ignored, and the default is everybody."""

    def understood(self, **parameters: Any) -> Mapping[str, Any]:
        ignored = len(parameters["allow_origins"]) > 1 and not parameters["allow_credentials"]
        return {"allow_origins": ["*"]} if ignored else {}


@CONFIGURED.add(
    "K40", "cfg-empty", "safe-origin-simple", copies="corsica #34", consequence=_EVERYBODY
)
class NoOriginsMeanAll(Configured):
    """No origins means everybody."""

    def understood(self, **parameters: Any) -> Mapping[str, Any]:
        nobody = not parameters["allow_origins"] and not parameters["allow_credentials"]
        return {"allow_origins": ["*"]} if nobody else {}


@CONFIGURED.add(
    "K40",
    "safe-method",
    copies="corsica #34, for methods",
    consequence="pages send what the operator did not allow",
)
class NoMethodsMeanAll(Configured):
    """No methods means all."""

    def understood(self, **parameters: Any) -> Mapping[str, Any]:
        return {} if parameters["allow_methods"] else {"allow_methods": ["*"]}


@CONFIGURED.add(
    "K40",
    "live-preflight",
    copies="elysia #940, for methods",
    consequence="requests that the operator allowed fail at their preflight",
)
class MethodsIgnored(Configured):
    """allow_methods is ignored, and the default is used."""

    def understood(self, **parameters: Any) -> Mapping[str, Any]:
        return {"allow_methods": ["GET", "POST", "PUT", "DELETE"]}


@CONFIGURED.add(
    "K40",
    "live-expose",
    copies="elysia #940, for exposed headers",
    consequence="pages cannot read the headers that the operator exposed",
)
class ExposedIgnored(Configured):
    """expose_headers is ignored."""

    def understood(self, **parameters: Any) -> Mapping[str, Any]:
        return {"expose_headers": []}


@CONFIGURED.add(
    "K40",
    "syn-acma",
    copies="elysia #940, for the age",
    consequence="permissions live longer or shorter than the operator said",
)
class MaxAgeIgnored(Configured):
    """max_age is ignored, and the default is used."""

    def understood(self, **parameters: Any) -> Mapping[str, Any]:
        return {"max_age": 600}


@CONFIGURED.add(
    "K40",
    "safe-expose",
    copies="actix-cors #143, fields mixed up",
    consequence="pages read headers that the operator did not expose",
)
class AllowedAreExposedToo(Configured):
    """allow_headers is exposed as well as expose_headers."""

    def understood(self, **parameters: Any) -> Mapping[str, Any]:
        both = [*parameters["expose_headers"], *parameters["allow_headers"]]
        return {"expose_headers": ["*"] if "*" in both else both}


@CONFIGURED.add(
    "K40",
    "mm-permute",
    copies="precedence of a list's last item",
    consequence=_BLOCKED,
)
class OnlyTheLastOrigin(Configured):
    """Of several origins the last one is kept, as by a setter that is called for each."""

    def understood(self, **parameters: Any) -> Mapping[str, Any]:
        return {"allow_origins": parameters["allow_origins"][-1:]}


@CONFIGURED.add(
    "K40",
    "mm-mono-origin",
    "live-simple",
    copies="an order that is searched as if it were sorted",
    consequence=_BLOCKED,
)
class ThreeOriginsAtMost(Configured):
    """A list of four or more origins is taken for none."""

    def understood(self, **parameters: Any) -> Mapping[str, Any]:
        origins = parameters["allow_origins"]
        return {"allow_origins": origins if len(origins) <= 3 else []}  # noqa: PLR2004 - as it says


@CONFIGURED.add(
    "K40",
    "mm-mono-methods-headers",
    "live-preflight",
    copies="an option that switches another off",
    consequence="requests that the operator allowed fail at their preflight",
)
class HeadersSwitchMethodsOff(Configured):
    """Where headers are allowed, methods are taken from the default."""

    def understood(self, **parameters: Any) -> Mapping[str, Any]:
        return {"allow_methods": ["GET", "POST"]} if parameters["allow_headers"] else {}


@CONFIGURED.add(
    "K40",
    "live-credentials",
    copies="nelmio #186, flags reset",
    consequence="credentialed requests of pages that the operator listed fail",
)
class CredentialsResetByWildcards(Configured):
    """allow_credentials is reset where any list is `*`."""

    def understood(self, **parameters: Any) -> Mapping[str, Any]:
        lists = ("allow_methods", "allow_headers", "expose_headers")
        is_wide = any("*" in parameters[name] for name in lists)
        return {"allow_credentials": parameters["allow_credentials"] and not is_wide}


@CONFIGURED.add(
    "K40",
    "safe-credentials-off",
    copies="Tomcat CVE-2018-8014, the default",
    consequence="sites get the user's data that should get public data only",
)
class CredentialsByDefault(Configured):
    """Credentials are allowed to listed origins, whatever the flag says."""

    def understood(self, **parameters: Any) -> Mapping[str, Any]:
        return {"allow_credentials": "*" not in parameters["allow_origins"]}


@CONFIGURED.add(
    "K40",
    "safe-origin-simple",
    copies="the server's own host trusted, stack-cors #84",
    consequence="a page of the same host under http reads what https gives",
)
class OwnHostTrusted(Editing):
    """An origin of the host that the request is for is allowed, in any scheme and port."""

    def edited(self, scope: Scope, status: int, lines: list[Header]) -> list[Header]:
        origin, host = first(scope, b"origin") or b"", first(scope, b"host") or b"."
        own = origin.partition(b"://")[2].partition(b":")[0] == host.partition(b":")[0]
        return [*without(lines, ORIGIN), (ORIGIN, origin)] if own else lines


@CONFIGURED.add(
    "K02",
    "cfg-serve-or-refuse",
    copies="fastrapi, an assertion of tower-http",
    consequence="the process dies where an error should say what is wrong",
)
class PanicInsteadOfAnError(CORSMiddleware):
    """All headers with credentials end the process."""

    def __init__(self, app: ASGIApp, **parameters: Any) -> None:
        super().__init__(app, **parameters)
        if parameters["allow_credentials"] and self.all_headers:
            raise SystemExit(1)
