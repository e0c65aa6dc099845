"""The chapter on transparency: whom it spares, and what it finds."""

from collections.abc import Callable
from contextlib import suppress
from typing import Any, Literal

import pytest

from cors_conformance.application import ApplicationResponse
from cors_conformance.calls import CALLS
from cors_conformance.findings import RuleResult, Status
from cors_conformance.implementation import Application, Capability, Implementation
from cors_conformance.implementations.registry import find
from cors_conformance.policy import Policy
from cors_conformance.rules import RULES
from cors_conformance.rules.base import Breach
from cors_conformance.scenario import Visit
from cors_conformance.world import World
from cors_reference import CORSMiddleware, WSGICORSMiddleware
from middlewares import reference

Judge = Callable[..., RuleResult]
Failures = Callable[..., list[str]]
Wrap = Callable[[Application, Policy], Application]
ASGI = Callable[[Any, Any, Any], Any]

POLICY = Policy(allow_origins=("https://a.example",), allow_methods=("GET", "POST", "PUT"))


def around(wrong: Callable[[ASGI, Any, Any, Any], Any]) -> Wrap:
    """What `wrong(inner, scope, receive, send)` makes of the reference."""

    def wrap(app: Application, policy: Policy) -> Application:
        parameters: dict[str, Any] = dict(policy.parameters())
        inner = CORSMiddleware(app, **parameters)

        async def call(scope: Any, receive: Any, send: Any) -> None:
            await wrong(inner, scope, receive, send)

        return call

    return wrap


def sending(change: Callable[[Any], Any]) -> Wrap:
    """The reference, with each message of a response changed, or kept back if it is `None`."""

    async def wrong(inner: ASGI, scope: Any, receive: Any, send: Any) -> None:
        async def changed(message: Any) -> None:
            message = change(message)
            if message is not None:
                await send(message)

        await inner(scope, receive, changed)

    return around(wrong)


def is_page(scope: Any) -> bool:
    return any(name == b"origin" for name, _ in scope.get("headers", ()))


@pytest.mark.parametrize("name", ["reference", "reference-wsgi", "none"])
def test_reference_and_nothing_at_all_are_spared(name: str, failures: Failures) -> None:
    assert failures(find(name), "tr-*") == []


def test_freedoms_are_spared(right: Wrap, failures: Failures) -> None:
    assert failures(Implementation(name="right", interface="asgi", wrap=right), "tr-*") == []


def test_names_of_calls_are_unique() -> None:
    assert len({call.name for call in CALLS}) == len(CALLS)


def test_calls_can_be_hashed() -> None:
    assert len(set(CALLS)) == len(CALLS)


async def lost_line(inner: ASGI, scope: Any, receive: Any, send: Any) -> None:
    headers = [line for line in scope.get("headers", ()) if line[0] != b"x-a"]
    await inner({**scope, "headers": headers}, receive, send)


async def another_body(inner: ASGI, scope: Any, receive: Any, send: Any) -> None:
    async def other() -> Any:
        message = await receive()
        return {**message, "body": b"other"} if message["type"] == "http.request" else message

    await inner(scope, other, send)


async def another_path(inner: ASGI, scope: Any, receive: Any, send: Any) -> None:
    await inner({**scope, "path": "/other", "raw_path": b"/other"}, receive, send)


async def another_method(inner: ASGI, scope: Any, receive: Any, send: Any) -> None:
    await inner({**scope, "method": "POST" if scope["method"] != "POST" else "PUT"}, receive, send)


@pytest.mark.parametrize("wrong", [lost_line, another_body, another_path, another_method])
@pytest.mark.parametrize("rule", ["tr-no-origin", "tr-response"])
def test_changed_request_is_found(rule: str, wrong: Any, judge: Judge) -> None:
    policy = Policy(allow_origins=("*",), allow_methods=("*",), allow_headers=("*",))

    async def some(inner: ASGI, scope: Any, receive: Any, send: Any) -> None:
        # Only those that the rule is about.
        changes = is_page(scope) is (rule == "tr-response") and scope["method"] != "OPTIONS"
        await (wrong(inner, scope, receive, send) if changes else inner(scope, receive, send))

    assert judge(rule, around(some), policy).status is Status.FAILED


def another_status(message: Any) -> Any:
    return {**message, "status": 200} if message.get("status") == 404 else message


def lost_repetition(message: Any) -> Any:
    if message["type"] == "http.response.start":
        return {**message, "headers": list(dict(message["headers"]).items())}
    return message


def longer_body(message: Any) -> Any:
    if message["type"] == "http.response.body" and not message.get("more_body"):
        return {**message, "body": message.get("body", b"") + b"!"}
    return message


def another_line(message: Any) -> Any:
    if message["type"] == "http.response.start":
        return {**message, "headers": [*message["headers"], (b"x-powered-by", b"cors")]}
    return message


@pytest.mark.parametrize("change", [another_status, lost_repetition, longer_body, another_line])
@pytest.mark.parametrize("rule", ["tr-no-origin", "tr-response"])
def test_changed_response_is_found(rule: str, change: Any, judge: Judge) -> None:
    assert judge(rule, sending(change), POLICY, examples=4).status is Status.FAILED


def test_request_that_needs_an_origin_is_found(judge: Judge) -> None:
    async def wrong(inner: ASGI, scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] == "http" and not is_page(scope):
            await send({"type": "http.response.start", "status": 403, "headers": []})
            await send({"type": "http.response.body", "body": b""})
        else:
            await inner(scope, receive, send)

    assert judge("tr-no-origin", around(wrong), POLICY).status is Status.FAILED


def test_response_that_is_lost_is_found(judge: Judge) -> None:
    async def lost(inner: ASGI, scope: Any, receive: Any, send: Any) -> None:
        async def nowhere(message: Any) -> None:
            pass

        is_lost = scope["type"] == "http" and is_page(scope)
        await inner(scope, receive, nowhere if is_lost else send)

    result = judge("tr-response", around(lost), Policy(allow_origins=("*",)))
    assert result.finding is not None
    assert "did not arrive" in result.finding.message


async def buffered(inner: ASGI, scope: Any, receive: Any, send: Any) -> None:
    messages: list[Any] = []

    async def keep(message: Any) -> None:
        messages.append(message)

    try:
        await inner(scope, receive, keep if scope["type"] == "http" else send)
    finally:
        for message in messages:
            await send(message)


async def merged(inner: ASGI, scope: Any, receive: Any, send: Any) -> None:
    chunks: list[bytes] = []

    async def merge(message: Any) -> None:
        if message["type"] == "http.response.body":
            chunks.append(message.get("body", b""))
            if not message.get("more_body"):
                await send({**message, "body": b"".join(chunks)})
        else:
            await send(message)

    await inner(scope, receive, merge)


def known_messages(message: Any) -> Any:
    known = message["type"] in {"http.response.start", "http.response.body"}
    return message if known or not message["type"].startswith("http") else None


def no_trailers(message: Any) -> Any:
    return {name: item for name, item in message.items() if name != "trailers"}


def one_chunk(message: Any) -> Any:
    return {**message, "more_body": False} if "more_body" in message else message


@pytest.mark.parametrize(
    "wrap",
    [
        around(buffered),
        around(merged),
        sending(known_messages),
        sending(no_trailers),
        sending(one_chunk),
    ],
    ids=["buffered", "merged", "no extensions", "no announcement of trailers", "one chunk"],
)
def test_broken_stream_is_found(wrap: Wrap, judge: Judge) -> None:
    assert judge("tr-streaming", wrap, POLICY).status is Status.FAILED


def test_middleware_may_take_extensions_back(judge: Judge) -> None:
    async def plain(inner: ASGI, scope: Any, receive: Any, send: Any) -> None:
        await inner({**scope, "extensions": {}}, receive, send)

    assert judge("tr-streaming", around(plain), POLICY).status is Status.PASSED


async def consumed(inner: ASGI, scope: Any, receive: Any, send: Any) -> None:
    # Only of the calls: elsewhere an application would wait for it in vain.
    if scope.get("path") == "/path" and scope["type"] == "http":
        await receive()
    await inner(scope, receive, send)


async def gathered(inner: ASGI, scope: Any, receive: Any, send: Any) -> None:
    message = await receive()
    while message.get("more_body"):
        following = await receive()
        message = {**following, "body": message["body"] + following.get("body", b"")}

    async def whole() -> Any:
        return message

    await inner(scope, whole, send)


async def never_left(inner: ASGI, scope: Any, receive: Any, send: Any) -> None:
    async def staying() -> Any:
        message = await receive()
        left = {"type": "http.request", "body": b"", "more_body": False}
        return left if message["type"] == "http.disconnect" else message

    await inner(scope, staying, send)


async def asked_for_in_its_place(inner: ASGI, scope: Any, receive: Any, send: Any) -> None:
    """Takes the first message, and gives it when it is asked for."""
    taken = [await receive()]

    async def again() -> Any:
        return taken.pop() if taken else await receive()

    await inner(scope, again, send)


async def broken_off(inner: ASGI, scope: Any, receive: Any, send: Any) -> None:
    """Leaves when the end of the response is sent, and the application with it."""

    class Over(BaseException):
        pass

    async def last(message: Any) -> None:
        await send(message)
        if message["type"] == "http.response.body" and not message.get("more_body"):
            raise Over

    with suppress(Over):
        await inner(scope, receive, last)


def test_an_application_that_is_broken_off_is_found(judge: Judge) -> None:
    found = judge("tr-streaming", around(broken_off), POLICY)
    assert found.finding is not None
    assert "the application was broken off" in found.finding.message


@pytest.mark.parametrize("wrong", [consumed, gathered, never_left, asked_for_in_its_place])
def test_request_body_that_is_not_handed_through_is_found(wrong: Any, judge: Judge) -> None:
    assert judge("tr-request-body", around(wrong), POLICY).status is Status.FAILED


async def all_http(inner: ASGI, scope: Any, receive: Any, send: Any) -> None:
    assert scope["method"]
    await inner(scope, receive, send)


async def only_http(inner: ASGI, scope: Any, receive: Any, send: Any) -> None:
    if scope["type"] == "http":
        await inner(scope, receive, send)


async def only_known(inner: ASGI, scope: Any, receive: Any, send: Any) -> None:
    if scope["type"] in {"http", "websocket", "lifespan"}:
        await inner(scope, receive, send)


async def own_lifespan(inner: ASGI, scope: Any, receive: Any, send: Any) -> None:
    if scope["type"] == "lifespan":
        await receive()
        await send({"type": "lifespan.startup.complete"})
        await receive()
        await send({"type": "lifespan.shutdown.complete"})
    else:
        await inner(scope, receive, send)


async def own_accept(inner: ASGI, scope: Any, receive: Any, send: Any) -> None:
    if scope["type"] == "websocket":
        await send({"type": "websocket.accept"})
    await inner(scope, receive, send)


async def other_state(inner: ASGI, scope: Any, receive: Any, send: Any) -> None:
    await inner({**scope, "state": {}} if "state" in scope else scope, receive, send)


async def quiet_sockets(inner: ASGI, scope: Any, receive: Any, send: Any) -> None:
    try:
        await inner(scope, receive, send)
    except Exception:
        if scope["type"] != "websocket":
            raise


def noting(wrong: Any) -> Any:
    """Leaves a note in the scope as well, which is no fault."""

    async def noted(inner: ASGI, scope: Any, receive: Any, send: Any) -> None:
        note = {"cors": {"origin": b"https://a.example", "seen": [1, None]}}
        await wrong(inner, {**scope, **note}, receive, send)

    return noted


async def passing(inner: ASGI, scope: Any, receive: Any, send: Any) -> None:
    await inner(scope, receive, send)


@pytest.mark.parametrize("rule", ["tr-other-scopes", "tr-http-scope", "tr-exception"])
def test_a_note_in_the_scope_is_spared(rule: str, judge: Judge) -> None:
    assert judge(rule, around(noting(passing)), POLICY).status is Status.PASSED


@pytest.mark.parametrize("wrong", [only_http, own_lifespan, quiet_sockets])
def test_who_leaves_a_note_in_the_scope_is_no_framework(wrong: Any, judge: Judge) -> None:
    assert judge("tr-other-scopes", around(noting(wrong)), POLICY).status is Status.FAILED


@pytest.mark.parametrize(
    "wrong",
    [all_http, only_http, only_known, own_lifespan, own_accept, other_state, quiet_sockets],
)
def test_other_scope_that_is_touched_is_found(wrong: Any, judge: Judge) -> None:
    assert judge("tr-other-scopes", around(wrong), POLICY).status is Status.FAILED


async def swallowing(inner: ASGI, scope: Any, receive: Any, send: Any) -> None:
    with suppress(Exception):
        await inner(scope, receive, send)


async def answering(inner: ASGI, scope: Any, receive: Any, send: Any) -> None:
    try:
        await inner(scope, receive, send)
    except Exception:  # noqa: BLE001 - as wrong as it can be
        await send({"type": "http.response.start", "status": 500, "headers": []})
        await send({"type": "http.response.body", "body": b""})


async def replacing(inner: ASGI, scope: Any, receive: Any, send: Any) -> None:
    try:
        await inner(scope, receive, send)
    except Exception:  # noqa: BLE001 - see above
        message = "another one"
        raise LookupError(message) from None


async def completing(inner: ASGI, scope: Any, receive: Any, send: Any) -> None:
    try:
        await inner(scope, receive, send)
    except Exception:  # noqa: BLE001 - see above
        await send({"type": "http.response.body", "body": b""})


@pytest.mark.parametrize("wrong", [swallowing, answering, replacing, completing])
def test_exception_that_does_not_come_out_is_found(wrong: Any, judge: Judge) -> None:
    assert judge("tr-exception", around(wrong)).status is Status.FAILED


def test_exception_with_a_cause_is_spared(judge: Judge) -> None:
    async def chaining(inner: ASGI, scope: Any, receive: Any, send: Any) -> None:
        try:
            await inner(scope, receive, send)
        except Exception as error:
            message = "while serving"
            raise RuntimeError(message) from error

    assert judge("tr-exception", around(chaining)).status is Status.PASSED


def wsgi_error(status: str) -> Wrap:
    def wrap(app: Application, policy: Policy) -> Application:
        parameters: dict[str, Any] = dict(policy.parameters())
        inner = WSGICORSMiddleware(app, **parameters)

        def wrong(environ: Any, start_response: Any) -> Any:
            try:
                return list(inner(environ, start_response))
            except Exception:  # noqa: BLE001 - see above
                start_response(status, [], (LookupError, LookupError(), None))
                return [b""]

        return wrong

    return wrap


def test_wsgi_exception_that_becomes_a_success_is_found(judge: Judge) -> None:
    result = judge("tr-exception", wsgi_error("200 OK"), interface="wsgi")
    assert result.status is Status.FAILED


def test_list_of_the_application_that_grows_is_found(judge: Judge) -> None:
    def wrap(app: Application, policy: Policy) -> Application:
        async def wrong(scope: Any, receive: Any, send: Any) -> None:
            async def growing(message: Any) -> None:
                if message["type"] == "http.response.start":
                    message["headers"].append((b"vary", b"Origin"))
                await send(message)

            await app(scope, receive, growing)

        return wrong

    assert judge("tr-no-mutation", wrap, POLICY).status is Status.FAILED


async def shorter_scope(inner: ASGI, scope: Any, receive: Any, send: Any) -> None:
    lines = [line for line in scope.get("headers", ()) if line[0] == b"origin"]
    for line in lines:
        scope["headers"].remove(line)
    await inner({**scope, "headers": lines}, receive, send)


def test_headers_of_the_scope_that_shrink_are_found(judge: Judge) -> None:
    assert judge("tr-no-mutation", around(shorter_scope), POLICY).status is Status.FAILED


def app_headers(read: Callable[[Any], Any]) -> Wrap:
    def wrap(app: Application, policy: Policy) -> Application:
        async def wrong(scope: Any, receive: Any, send: Any) -> None:
            async def reading(message: Any) -> None:
                if message["type"] == "http.response.start":
                    message = {**message, "headers": read(message)}
                await send(message)

            await app(scope, receive, reading)

        return wrong

    return wrap


@pytest.mark.parametrize(
    "read",
    [
        lambda message: message["headers"],
        lambda message: message.get("headers", [])[:],
        lambda message: [*map(hash, (headers := message.get("headers", ())))] and headers,
    ],
    ids=["there is a key", "it is a sequence", "it is read twice"],
)
def test_headers_that_must_be_a_list_are_found(read: Callable[[Any], Any], judge: Judge) -> None:
    assert judge("tr-header-iterables", app_headers(read), POLICY).status is Status.FAILED


def test_denied_request_that_gets_neither_is_found(judge: Judge) -> None:
    async def wrong(inner: ASGI, scope: Any, receive: Any, send: Any) -> None:
        origin = dict(scope.get("headers", ())).get(b"origin")
        if origin in {None, b"https://a.example"}:
            await inner(scope, receive, send)
        else:
            await send({"type": "http.response.start", "status": 200, "headers": []})
            await send({"type": "http.response.body", "body": b""})

    assert judge("tr-denied-actual", around(wrong), POLICY).status is Status.FAILED


def test_what_cannot_be_watched_is_not_tested(judge: Judge) -> None:
    parameters: dict[str, Any] = dict(POLICY.parameters())

    def wrap(app: Application, _: Policy) -> Application:
        return WSGICORSMiddleware(app, **parameters)

    for rule in ("tr-streaming", "tr-request-body", "tr-other-scopes", "tr-no-mutation"):
        assert judge(rule, wrap, POLICY, interface="wsgi").status is Status.NOT_TESTED


def combined(lines: dict[Any, Any], headers: Any) -> list[Any]:
    for name, value in headers:
        key = name.lower()
        comma = ", " if isinstance(value, str) else b", "
        lines[key] = lines[key] + comma + value if key in lines else value
    return [*lines.items()]


def framework(interface: Literal["asgi", "wsgi"], lacks: dict[Capability, str]) -> Implementation:
    """The reference around what makes every response anew, with its lines combined."""

    def asgi(app: Any, policy: Policy) -> Application:
        async def anew(scope: Any, receive: Any, send: Any) -> None:
            async def answer(message: Any) -> None:
                if message["type"] == "http.response.start":
                    message = {**message, "headers": combined({}, message["headers"])}
                await send(message)

            await app(scope, receive, answer)

        return reference(anew, policy)

    def wsgi(app: Any, policy: Policy) -> Application:
        def anew(environ: Any, start_response: Any) -> Any:
            def start(status: str, headers: Any, exc_info: Any = None) -> Any:
                return start_response(status, combined({}, headers), exc_info)

            return app(environ, start)

        parameters: dict[str, Any] = dict(policy.parameters())
        return WSGICORSMiddleware(anew, **parameters)

    wrap = asgi if interface == "asgi" else wsgi
    return Implementation(name="framework", interface=interface, wrap=wrap, lacks=lacks)


@pytest.mark.parametrize("rule", ["tr-no-origin", "tr-response"])
@pytest.mark.parametrize(
    ("interface", "messages"), [("asgi", Capability.ASGI), ("wsgi", Capability.WSGI)]
)
def test_a_framework_that_makes_responses_anew_may_combine_lines(
    interface: Literal["asgi", "wsgi"], messages: Capability, rule: str
) -> None:
    repeated = ApplicationResponse(headers=((b"x-a", b"1"), (b"x-a", b"2")))
    visit = Visit(origin="https://a.example", method=b"GET", application=repeated)
    with World(framework(interface, {messages: "the framework makes it"}), POLICY) as world:
        assert RULES[rule].check(world, world.fetch(visit))
    # Where no framework is declared, it is the middleware that does it.
    with (
        World(framework(interface, {}), POLICY) as world,
        pytest.raises(Breach, match="the application's x-a: `1` and `2` became `1, 2`"),
    ):
        RULES[rule].check(world, world.fetch(visit))
