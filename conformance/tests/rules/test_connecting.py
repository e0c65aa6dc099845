"""What a server says of a connection decides over nothing; frameworks may need to know more."""

from collections.abc import Callable
from typing import Any, Final

import pytest

from batches import BATCH
from cors_conformance.implementation import Application, Implementation
from cors_conformance.implementations.registry import find
from cors_conformance.policy import Policy
from cors_conformance.rules import RULES
from cors_conformance.rules.base import Breach
from cors_conformance.rules.picking import ONE_ORIGIN
from cors_conformance.world import World
from cors_reference import WSGICORSMiddleware
from middlewares import reference


def judged(implementation: Implementation, policy: Policy = ONE_ORIGIN) -> bool:
    with World(implementation, policy) as world:
        return RULES["mm-connection"].check(world, BATCH)


def asgi(look: Callable[[Any], object]) -> Implementation:
    """The reference, behind what looks at the scope and leaves it alone where that is false."""

    def wrap(app: Any, policy: Policy) -> Application:
        inner: Any = reference(app, policy)

        async def call(scope: Any, receive: Any, send: Any) -> None:
            is_seen = scope["type"] != "http" or look(scope)
            await (inner if is_seen else app)(scope, receive, send)

        return call

    return Implementation(name="tiny", interface="asgi", wrap=wrap)


def wsgi(look: Callable[[Any], object]) -> Implementation:
    """The same for an environment."""

    def wrap(app: Any, policy: Policy) -> Application:
        parameters: dict[str, Any] = dict(policy.parameters())
        inner = WSGICORSMiddleware(app, **parameters)
        return lambda environ, start: (inner if look(environ) else app)(environ, start)

    return Implementation(name="tiny", interface="wsgi", wrap=wrap)


WRONG: Final[dict[str, tuple[Implementation, str]]] = {
    "a version": (asgi(lambda scope: scope["http_version"] != "1.0"), "over HTTP/1.0"),
    "versions with a dot": (asgi(lambda scope: "." in scope["http_version"]), "over HTTP/2"),
    "a host": (asgi(lambda scope: dict(scope["headers"])[b"host"]), "over HTTP/1.0, without Host"),
    "a client": (asgi(lambda scope: scope["client"][0]), "a socket that has no addresses"),
    "a server": (asgi(lambda scope: scope["server"][1]), "a socket that has no addresses"),
    "a scheme": (asgi(lambda scope: scope["scheme"]), "leaves out what ASGI lets it"),
    "a root": (asgi(lambda scope: scope["root_path"] == ""), "leaves out what ASGI lets it"),
    "a host of an environ": (wsgi(lambda environ: environ["HTTP_HOST"]), "without Host"),
    "an address": (wsgi(lambda environ: environ["REMOTE_ADDR"]), "leaves out what WSGI lets it"),
}


@pytest.mark.parametrize("name", WRONG)
def test_what_depends_on_the_connection_is_found(name: str) -> None:
    implementation, message = WRONG[name]
    with pytest.raises(Breach, match=message):
        judged(implementation)


@pytest.mark.parametrize("name", ["reference", "reference-wsgi", "starlette", "fastapi", "none"])
def test_known_middlewares_are_spared(name: str) -> None:
    pytest.importorskip(name.partition("-")[0]) if name in {"starlette", "fastapi"} else None
    assert judged(find(name))


def test_a_framework_that_needs_to_know_more_is_not_accused() -> None:
    def asgi_wrap(app: Any, policy: Policy) -> Application:
        async def routed(scope: Any, receive: Any, send: Any) -> None:
            if scope["type"] == "http":
                scope = {**scope, "path_params": {}, "root": scope["root_path"]}
            await app(scope, receive, send)

        return reference(routed, policy)

    def wsgi_wrap(app: Any, policy: Policy) -> Application:
        def routed(environ: Any, start_response: Any) -> Any:
            return app({**environ, "routed": environ["SCRIPT_NAME"]}, start_response)

        parameters: dict[str, Any] = dict(policy.parameters())
        return WSGICORSMiddleware(routed, **parameters)

    assert judged(Implementation(name="framework", interface="asgi", wrap=asgi_wrap))
    assert judged(Implementation(name="framework", interface="wsgi", wrap=wsgi_wrap))
