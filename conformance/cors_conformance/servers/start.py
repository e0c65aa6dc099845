"""From an implementation and a policy to a running server."""

from cors_conformance.implementation import Application, Implementation
from cors_conformance.policy import Policy
from cors_conformance.servers.asgi import ASGIServer
from cors_conformance.servers.base import (
    SECONDS,
    ConfigurationRefused,
    HarnessError,
    Server,
    ServerDied,
    ServerHung,
)
from cors_conformance.servers.origin import ASGIOrigin, WSGIOrigin
from cors_conformance.servers.text import describe_error
from cors_conformance.servers.time_limit import TimeIsUp, TimeLimit
from cors_conformance.servers.wsgi import WSGIServer


def start(implementation: Implementation, policy: Policy, *, seconds: float = SECONDS) -> Server:
    """Return a server of the implementation, built with the policy around an origin app.

    Raises:
        ConfigurationRefused: the implementation refuses the policy.
        ServerDied: it did not refuse, but broke.
        HarnessError: what its `serve` returned is no server.

    """
    if implementation.serve is not None:
        server: object = implementation.serve(policy)
        if not isinstance(server, Server):
            message = (
                f"{implementation.name}: `serve` returned a {type(server).__name__!r}; expected a"
                " subclass of `cors_conformance.servers.base.Server` with `send` and `close`"
            )
            raise HarnessError(message)
        return server
    if implementation.interface == "wsgi":
        wsgi = WSGIOrigin()
        return WSGIServer(wrapped(implementation, wsgi, policy), wsgi, seconds=seconds)
    asgi = ASGIOrigin()
    return ASGIServer(wrapped(implementation, asgi, policy), asgi, seconds=seconds)


def wrapped(implementation: Implementation, app: Application, policy: Policy) -> Application:
    """Return the implementation's middleware around `app`, whatever that is.

    Raises:
        ConfigurationRefused: the implementation refuses the policy.
        ServerDied: it does not raise an error but leaves, or it panics.
        ServerHung: it does not come back.
        TypeError: the implementation is not made by wrapping.

    """
    if implementation.wrap is None:
        message = f"{implementation.name} is a server; it wraps nothing"
        raise TypeError(message)
    try:
        with TimeLimit(SECONDS):
            return implementation.wrap(app, policy)
    except Exception as error:
        raise ConfigurationRefused(describe_error(error)) from error
    except KeyboardInterrupt:
        raise
    except TimeIsUp:
        message = f"its construction did not end within {SECONDS:g} s"
        raise ServerHung(message) from None
    except BaseException as error:  # `SystemExit`, and what native extensions make of a panic
        raise ServerDied(describe_error(error)) from error
