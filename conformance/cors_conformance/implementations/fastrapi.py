"""FastrAPI's `CORSMiddleware`: a Rust server that speaks HTTP only, in a process per policy."""

from importlib.metadata import version
from importlib.util import find_spec

from cors_conformance.implementation import Capability, Implementation
from cors_conformance.policy import Policy
from cors_conformance.servers.process import ProcessServer

# Each was tried on 0.2.11.
_LACKS = {
    Capability.APPLICATION_CALLS: (
        "its handlers are not given the request; a middleware in Python sees method, path and"
        " one value of each header, and no body"
    ),
    Capability.APPLICATION_HEADERS: "its handlers cannot set response headers",
    Capability.APPLICATION_CHUNKS: "its handlers return the whole body at once",
    Capability.APPLICATION_EXCEPTIONS: (
        "what a handler raises becomes a response with status 500 and cannot be seen from outside"
    ),
    Capability.ANY_METHOD: (
        "it routes GET, POST, PUT, DELETE, PATCH, HEAD and OPTIONS, and answers 405 to the rest"
    ),
}


def _serve(policy: Policy) -> ProcessServer:
    return ProcessServer("cors_conformance.implementations.fastrapi_server:build", policy)


def _bare() -> ProcessServer:
    return ProcessServer("cors_conformance.implementations.fastrapi_server:build_bare", Policy())


def implementation() -> Implementation:
    """Return the installed FastrAPI's middleware.

    Raises:
        ImportError: it is not installed.

    """
    if find_spec("fastrapi") is None:
        message = "No module named 'fastrapi'"
        raise ModuleNotFoundError(message, name="fastrapi")
    return Implementation(
        name="fastrapi",
        interface="http",
        version=version("fastrapi"),
        language="Rust",
        serve=_serve,
        bare=_bare,
        lacks=_LACKS,
        as_given=True,
    )
