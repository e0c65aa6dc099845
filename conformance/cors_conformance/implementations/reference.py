"""The reference of this project, around ASGI and around WSGI applications."""

from importlib.metadata import version
from typing import Any

from cors_conformance.dialect import Dialect
from cors_conformance.implementation import Application, Implementation
from cors_conformance.policy import Policy

# Its documentation: `*` means all, in every parameter, with or without credentials; all origins
# with credentials are refused.
_DIALECT = Dialect(
    always_allowed_headers=frozenset(),
    wildcard_covers_authorization=True,
    wildcard_covers_null=True,
    wildcard_lists_with_credentials=True,
    wildcard_with_credentials="refused",
)


def asgi() -> Implementation:
    """Return the reference around an ASGI application."""
    from cors_reference import CORSMiddleware  # noqa: PLC0415 - only where it is tested

    def wrap(app: Application, policy: Policy) -> Application:
        parameters: dict[str, Any] = dict(policy.parameters())
        return CORSMiddleware(app, **parameters)

    return Implementation(
        name="reference",
        interface="asgi",
        version=version("cors-conformance"),
        wrap=wrap,
        dialect=_DIALECT,
        as_given=True,
    )


def wsgi() -> Implementation:
    """Return the reference around a WSGI application."""
    from cors_reference import WSGICORSMiddleware  # noqa: PLC0415 - only where it is tested

    def wrap(app: Application, policy: Policy) -> Application:
        parameters: dict[str, Any] = dict(policy.parameters())
        return WSGICORSMiddleware(app, **parameters)

    return Implementation(
        name="reference-wsgi",
        interface="wsgi",
        version=version("cors-conformance"),
        wrap=wrap,
        dialect=_DIALECT,
        as_given=True,
    )
