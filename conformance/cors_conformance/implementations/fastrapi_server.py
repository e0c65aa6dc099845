"""FastrAPI as the server process runs it: its middleware around handlers that read a script."""

from collections.abc import Callable
from functools import partial
from typing import Any, Final

from fastrapi import FastrAPI  # type: ignore[import-untyped]
from fastrapi.middleware import CORSMiddleware  # type: ignore[import-untyped]
from fastrapi.responses import HTMLResponse  # type: ignore[import-untyped]

from cors_conformance.servers.nursery import SharedScript

DEPTH: Final = 6
"""Segments of the longest path that is routed; there is no catch-all."""

METHODS: Final = ("get", "post", "put", "delete", "patch", "head", "options")


def handler(script: SharedScript) -> Callable[[], HTMLResponse]:
    """Return the handler of every route."""

    # Of the response classes only this one keeps status and body in 0.2.11.
    def answer() -> HTMLResponse:
        status, body, raises = script.read()
        if raises:
            message = "raised by the origin app, as scripted"
            raise RuntimeError(message)
        return HTMLResponse(body.decode("utf-8", "replace"), status_code=status)

    return answer


def build(parameters: dict[str, Any], script: SharedScript) -> Callable[[int], None]:
    """Return what serves on a port, for ever; exceptions are the middleware's refusals."""
    app = FastrAPI()
    app.add_middleware(CORSMiddleware, **parameters)
    return _routed(app, script)


def build_bare(_: dict[str, Any], script: SharedScript) -> Callable[[int], None]:
    """Return what serves without the middleware."""
    return _routed(FastrAPI(), script)


def _routed(app: FastrAPI, script: SharedScript) -> Callable[[int], None]:
    answer = handler(script)
    for depth in range(DEPTH + 1):
        path = "/" + "/".join(f"{{segment{index}}}" for index in range(depth))
        for method in METHODS:
            getattr(app, method)(path)(answer)
    return partial(app.serve, "127.0.0.1")
