"""Starlette's `CORSMiddleware`, wrapped around the application.

That is the deployment which its documentation recommends, since error responses get their CORS
headers too: https://www.starlette.io/middleware/#corsmiddleware-global-enforcement.
"""

import re
from importlib.metadata import version
from inspect import signature
from typing import Any

from starlette.middleware import cors

from cors_conformance.dialect import Dialect
from cors_conformance.implementation import Application, Implementation, Option, OriginPattern
from cors_conformance.policy import Policy

# https://www.starlette.io/middleware/#corsmiddleware: "The `Accept`, `Accept-Language`,
# `Content-Language` and `Content-Type` headers are always allowed for CORS requests."
ALWAYS_ALLOWED = frozenset({"accept", "accept-language", "content-language", "content-type"})
DIALECT = Dialect(
    always_allowed_headers=ALWAYS_ALLOWED,
    # "You can use `['*']` to allow all standard methods": the page does not list them.
    wildcard_methods=frozenset(cors.ALL_METHODS),
    # "`allow_origins`, `allow_methods` and `allow_headers` cannot be set to `['*']` for credentials
    # to be allowed, all of them must be explicitly specified": it says what not to do and not what
    # comes of it, so nothing is declared.
)


# "A regex string to match against origins that should be permitted", with an example that names
# whole origins.
PATTERN = r"https://[a-z]+\.a\.example"
SAMPLES = ("https://b.a.example", "https://www.a.example")


def is_covered(origin: str) -> bool:
    """Whether the pattern allows an origin."""
    return re.fullmatch(PATTERN, origin) is not None


def _wrap_pattern(app: Application) -> Application:
    return cors.CORSMiddleware(app, allow_origin_regex=PATTERN)


def _wrap(app: Application, policy: Policy) -> Application:
    parameters: dict[str, Any] = dict(policy.parameters())
    return cors.CORSMiddleware(app, **parameters)


def _wrap_private_network(app: Application, policy: Policy) -> Application:
    parameters: dict[str, Any] = dict(policy.parameters())
    return cors.CORSMiddleware(app, **parameters, allow_private_network=True)


def _private_network() -> Option | None:
    """Return the option of newer releases."""
    if "allow_private_network" not in signature(cors.CORSMiddleware).parameters:
        return None
    return Option(text="allow_private_network=True", wrap=_wrap_private_network)


def implementation() -> Implementation:
    """Return the installed Starlette's middleware.

    Raises:
        ImportError: it is not installed.

    """
    return Implementation(
        name="starlette",
        interface="asgi",
        version=version("starlette"),
        wrap=_wrap,
        dialect=DIALECT,
        as_given=True,
        patterns=(
            OriginPattern(text=PATTERN, covers=is_covered, samples=SAMPLES, wrap=_wrap_pattern),
        ),
        private_network=_private_network(),
    )
