"""Single ASGI calls, with every message that passes."""

from cors_conformance.servers.asgi_call import call
from cors_conformance.servers.loop import DidNotEnd
from cors_conformance.servers.origin import ASGIOrigin, Message, Receive, Scope, Send

HTTP = {"type": "http", "method": "GET", "path": "/", "headers": []}


def test_events_are_in_order_and_the_very_objects() -> None:
    request = {"type": "http.request", "body": b"", "more_body": False}
    got = call(ASGIOrigin(), dict(HTTP), [request])
    assert [event.direction for event in got.events] == ["received", "sent", "sent"]
    assert got.received()[0] is request
    assert [message["type"] for message in got.sent()] == [
        "http.response.start",
        "http.response.body",
    ]
    assert got.error is None


def test_exception_of_the_application_is_kept() -> None:
    got = call(ASGIOrigin(), {"type": "unheard-of"})
    assert isinstance(got.error, ValueError)
    assert got.events == ()


def test_lifespan_runs_from_startup_to_shutdown() -> None:
    messages: list[Message] = [{"type": "lifespan.startup"}, {"type": "lifespan.shutdown"}]
    got = call(ASGIOrigin(), {"type": "lifespan"}, messages)
    assert [message["type"] for message in got.sent()] == [
        "lifespan.startup.complete",
        "lifespan.shutdown.complete",
    ]


def test_disconnect_follows_the_end_of_the_response_and_its_trailers() -> None:
    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        await receive()
        await send({"type": "http.response.start", "status": 200, "trailers": True})
        await send({"type": "http.response.body"})
        await send({"type": "http.response.trailers", "headers": [], "more_trailers": True})
        await send({"type": "http.response.trailers", "headers": []})
        await receive()

    got = call(app, dict(HTTP))
    assert got.error is None
    assert got.received()[-1] == {"type": "http.disconnect"}


def test_websocket_is_disconnected_after_its_close() -> None:
    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        await receive()
        await send({"type": "websocket.close"})
        await receive()

    got = call(app, {"type": "websocket"}, [{"type": "websocket.connect"}])
    assert got.received()[-1]["type"] == "websocket.disconnect"


def test_application_that_waits_for_more_than_comes_is_said_to_hang() -> None:
    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        await send("no message at all")  # type: ignore[arg-type]
        await receive()

    got = call(app, {"type": "other"}, [], seconds=0.01)
    assert isinstance(got.error, DidNotEnd)
    assert len(got.events) == 1
