"""FastAPI with `add_middleware(CORSMiddleware, ...)`, as its documentation shows it.

https://fastapi.tiangolo.com/tutorial/cors/. The middleware is then inside of the framework's own
handling of unhandled exceptions, as it is in what people deploy.
"""

from importlib.metadata import version
from typing import Any

from fastapi import FastAPI
from fastapi.middleware.cors import CORSMiddleware
from starlette.middleware.cors import ALL_METHODS

from cors_conformance.dialect import Dialect
from cors_conformance.implementation import Application, Implementation, OriginPattern
from cors_conformance.implementations.starlette import PATTERN, SAMPLES, is_covered
from cors_conformance.policy import Policy

# The tutorial says what Starlette's page says, and of credentials: "None of `allow_origins`,
# `allow_methods` and `allow_headers` can be set to `['*']` if `allow_credentials` is set to `True`.
# All of them must be explicitly specified." It does not say what happens if one is.
_DIALECT = Dialect(
    always_allowed_headers=frozenset(
        {"accept", "accept-language", "content-language", "content-type"}
    ),
    wildcard_methods=frozenset(ALL_METHODS),
)


def _wrap(app: Application, policy: Policy) -> Application:
    return _wrap_with(app, **policy.parameters())


def _wrap_pattern(app: Application) -> Application:
    return _wrap_with(app, allow_origin_regex=PATTERN)


def _wrap_with(app: Application, **parameters: Any) -> Application:  # noqa: ANN401 - those of the middleware
    # No `/openapi.json` and `/docs`: every path is the origin app's.
    framework = FastAPI(openapi_url=None)
    framework.add_middleware(CORSMiddleware, **parameters)
    # A mount passes every method on; a route would answer 405 to those it does not name.
    framework.mount("/", app)
    # The middleware is built with the first request; a refused policy should show now.
    framework.middleware_stack = framework.build_middleware_stack()
    return framework


def implementation() -> Implementation:
    """Return the installed FastAPI's middleware.

    Raises:
        ImportError: it is not installed.

    """
    return Implementation(
        name="fastapi",
        interface="asgi",
        version=version("fastapi"),
        wrap=_wrap,
        dialect=_DIALECT,
        as_given=True,
        patterns=(
            OriginPattern(text=PATTERN, covers=is_covered, samples=SAMPLES, wrap=_wrap_pattern),
        ),
    )
