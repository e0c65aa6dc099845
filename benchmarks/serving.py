"""Servers to be loaded, as their processes run them: ASGI applications under uvicorn, and less.

uvicorn serves from one thread, so that less varies than with several; its parser and loop are those
that `uvicorn[standard]` brings, and people deploy.
"""

import asyncio
from collections.abc import Callable
from functools import partial
from typing import Any, Final, TypeAlias, cast

import uvicorn
import uvloop

from calling import bare_asgi
from cors_conformance.implementation import Application
from cors_conformance.implementations.registry import find
from cors_conformance.policy import Policy
from cors_conformance.servers.http import LOOPBACK
from cors_conformance.servers.nursery import SharedScript
from cors_conformance.servers.start import wrapped

_ANSWER: Final = b"HTTP/1.1 200 OK\r\ncontent-type: text/plain\r\ncontent-length: %d\r\n\r\n%b"

Serve: TypeAlias = Callable[[int], None]


def build(parameters: dict[str, Any], script: SharedScript, selector: str) -> Serve:
    """Return what serves the implementation that `selector` names, around the bare application."""
    given: dict[str, Any] = {
        name: tuple(value) if isinstance(value, list) else value
        for name, value in parameters.items()
    }
    return partial(_serve, wrapped(find(selector), _known(script), Policy(**given)))


def build_bare(_: dict[str, Any], script: SharedScript) -> Serve:
    """Return what serves the bare application."""
    return partial(_serve, _known(script))


def build_constant(_: dict[str, Any], script: SharedScript) -> Serve:
    """Return what answers the same to anything, unread: little less can be done."""
    return partial(_serve_constant, script)


def _known(script: SharedScript) -> Application:
    """Return the bare application, which says at `/` what its owner knows it by."""

    async def app(scope: Any, receive: Any, send: Any) -> None:
        if scope["path"] != "/":
            await bare_asgi(scope, receive, send)
            return
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": script.read()[1]})

    return app


def _serve(app: Application, port: int) -> None:
    uvicorn.run(
        app,
        host=LOOPBACK,
        port=port,
        loop="uvloop",
        http="httptools",
        lifespan="off",
        access_log=False,
        log_level="warning",
    )


class _Constant(asyncio.Protocol):
    """One connection, on which whatever comes in one piece is one request."""

    def __init__(self, script: SharedScript) -> None:
        self._script = script

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        # uvloop's are none by inheritance.
        self._transport = cast("asyncio.Transport", transport)
        body = self._script.read()[1]
        self._answer = _ANSWER % (len(body), body)

    def data_received(self, _data: bytes) -> None:
        self._transport.write(self._answer)


def _serve_constant(script: SharedScript, port: int) -> None:
    async def serve() -> None:
        loop = asyncio.get_running_loop()
        server = await loop.create_server(lambda: _Constant(script), LOOPBACK, port)
        await server.serve_forever()

    uvloop.run(serve())
