"""How the middleware is put in front of Starlette and FastAPI applications."""

import asyncio
from typing import Any

import pytest

from cors_reference import ConfigurationError, CORSMiddleware
from cors_reference.asgi import ASGIApp, Message

FRAMEWORKS = ["starlette.applications:Starlette", "fastapi:FastAPI"]
SHARED = (b"access-control-allow-origin", b"https://a.example")


async def page(request: object) -> None:
    raise ZeroDivisionError


@pytest.fixture(params=FRAMEWORKS)
def application(request: pytest.FixtureRequest) -> Any:
    module, name = request.param.split(":")
    app = getattr(pytest.importorskip(module), name)()
    app.add_route("/error", page)
    return app


def get(app: ASGIApp, path: str, method: str = "GET", *headers: tuple[bytes, bytes]) -> Message:
    """Return the start of the response; servers send it even if an exception follows."""
    sent: list[Message] = []

    async def receive() -> Message:
        return {"type": "http.request", "body": b"", "more_body": False}

    async def send(message: Message) -> None:
        sent.append(message)

    scope = {
        "type": "http",
        "asgi": {"version": "3.0"},
        "http_version": "1.1",
        "method": method,
        "scheme": "https",
        "path": path,
        "raw_path": path.encode(),
        "query_string": b"",
        "root_path": "",
        "server": ("api.example", 443),
        "headers": [(b"origin", b"https://a.example"), *headers],
    }

    async def run() -> None:
        try:
            await app(scope, receive, send)
        except ZeroDivisionError:
            assert sent

    asyncio.run(run())
    return sent[0]


def test_add_middleware_shares_responses(application: Any) -> None:
    application.add_middleware(CORSMiddleware, allow_origins=["https://a.example"])
    start = get(application, "/missing")
    assert start["status"] == 404
    assert SHARED in start["headers"]


def test_add_middleware_answers_preflights(application: Any) -> None:
    application.add_middleware(CORSMiddleware, allow_origins=["https://a.example"])
    method = (b"access-control-request-method", b"PUT")
    assert get(application, "/missing", "OPTIONS", method)["status"] == 204


def test_add_middleware_leaves_unhandled_exceptions_unreadable(
    application: Any,
) -> None:
    application.add_middleware(CORSMiddleware, allow_origins=["https://a.example"])
    start = get(application, "/error")
    assert start["status"] == 500
    assert SHARED not in start["headers"]


def test_wrapping_makes_unhandled_exceptions_readable(application: Any) -> None:
    start = get(CORSMiddleware(application, allow_origins=["https://a.example"]), "/error")
    assert start["status"] == 500
    assert SHARED in start["headers"]


def test_add_middleware_reports_a_wrong_configuration_with_the_first_request(
    application: Any,
) -> None:
    application.add_middleware(CORSMiddleware, allow_origins=["https://a.example/"])
    with pytest.raises(ConfigurationError):
        get(application, "/missing")
