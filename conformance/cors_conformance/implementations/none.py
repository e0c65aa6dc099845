"""No CORS at all: what a suite must be able to find fault with."""

from cors_conformance.implementation import Application, Implementation
from cors_conformance.policy import Policy


def _wrap(app: Application, _: Policy) -> Application:
    return app


def implementation() -> Implementation:
    """Return the application without any middleware."""
    return Implementation(name="none", interface="asgi", wrap=_wrap)
