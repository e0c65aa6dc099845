"""Transparency: all that is not CORS passes as if no middleware were there."""

from collections.abc import Iterable, Sequence
from typing import Final

from cors_conformance.fetch.headers import get_all
from cors_conformance.fetch.http import HeaderLines
from cors_conformance.fetch.methods import normalize_method
from cors_conformance.fetch.request_headers import is_forbidden_request_header
from cors_conformance.fetch.steps import show
from cors_conformance.grant import sets_cors_headers
from cors_conformance.implementation import Capability
from cors_conformance.rules.asking import calls_are_seen, is_served
from cors_conformance.rules.base import Breach, Level, Look, Rule
from cors_conformance.rules.comparing import (
    CORS,
    names_of,
    require_request,
    require_response,
)
from cors_conformance.rules.watching import (
    Watched,
    facts,
    is_behind_framework,
    is_watchable,
    require_reached,
    tell,
    watch,
)
from cors_conformance.rules.wsgi import (
    wsgi_close,
    wsgi_environ,
    wsgi_items,
    wsgi_start_response,
)
from cors_conformance.scenario import ASGICall, RawRequest
from cors_conformance.servers.origin import Message
from cors_conformance.servers.text import describe_value
from cors_conformance.world import Fetched, Sent, World

_TYPE: Final = b"content-type"
_ERROR: Final = 500
_REFUSALS: Final = range(400, 500)
_OTHERWISE_JUDGED: Final = frozenset({"headers", "extensions"})
"""Of a scope: the headers by tr-response; of extensions, some may be taken back."""


def _no_origin(world: World, fetched: Fetched) -> bool:
    """Send what the page would send, without an `Origin`: no request of CORS."""
    visit = fetched.visit
    application = visit.application
    method = normalize_method(visit.method)
    if application.raises != "never" or not is_served(world, method):
        return False
    raw = RawRequest(
        method=method,
        headers=tuple(
            (name.lower(), value)
            for name, value in visit.headers
            if not is_forbidden_request_header(name, value)
        ),
        body=visit.body,
        application=application,
    )
    sent = world.send(raw)
    if not _is_error_about_cors(sent):
        require_response(world, application, sent)
        _require_no_type(world, sent)
        if calls_are_seen(world):
            require_request(world, sent.request, sent.reply)
    return True


def _is_error_about_cors(sent: Sent) -> bool:
    """Whether it is an error because the application sets CORS headers itself, as it may be."""
    response = sent.reply.response
    return sets_cors_headers(sent.application) and (response is None or response.status >= _ERROR)


def _response(world: World, fetched: Fetched) -> bool:
    application = fetched.visit.application
    if not fetched.actual or application.raises != "never":
        return False
    sent = fetched.actual[0]
    if not is_served(world, sent.request.method):
        return False
    if _is_error_about_cors(sent) or (not fetched.grant.granted and _is_refusal(world, sent)):
        return False
    require_response(world, application, sent)
    _require_no_type(world, sent)
    if calls_are_seen(world):
        require_request(world, sent.request, sent.reply)
    return True


def _require_no_type(world: World, sent: Sent) -> None:
    """Hold that a response without a type gets none, unless a framework sees to that."""
    response = sent.reply.response
    if response is None or get_all(sent.application.headers, _TYPE) or not is_watchable(world):
        return
    added = get_all(response.headers, _TYPE)
    if added and not is_behind_framework(world):
        message = f"the application sent no Content-Type, and the response has {show(added[0])}"
        raise Breach(message)


def _is_refusal(world: World, sent: Sent) -> bool:
    """Whether a request was refused with 4xx without the application."""
    response = sent.reply.response
    if response is None or response.status not in _REFUSALS:
        return False
    if calls_are_seen(world):
        return not sent.reply.calls
    return response.status != sent.application.status


def _exception(world: World, sent: Sent) -> bool:
    """Follow an exception out of the middleware, be it as the cause of another.

    What routes requests behind the middleware may answer 500 instead.
    """
    application, reply = sent.application, sent.reply
    if application.raises == "never" or sent.is_preflight or not reply.calls:
        return False
    if world.implementation.interface == "http":
        return False
    if reply.application_raised:
        return True
    is_pure = world.implementation.interface == "asgi" and not is_behind_framework(world)
    response = reply.response
    if response is None:
        if not is_pure and reply.failure is not None:
            return False
        message = f"the application raised an exception, and what came out was {reply.failure}"
        raise Breach(message)
    is_server_error = response.status >= _ERROR and application.raises == "before start"
    if is_server_error and not is_pure:
        return True
    message = (
        f"the application raised an exception {application.raises} of its response; it did not"
        f" leave the middleware, which answered {response.status} with {show(response.body)}"
    )
    raise Breach(message)


def _require_flow(
    call: ASGICall, sender: str, was: Sequence[Message], became: Sequence[Message]
) -> None:
    before, after = list(facts(was)), list(facts(became))
    if before != after:
        message = f"{call.name}: the {sender} sent {tell(before)}; what arrived was {tell(after)}"
        raise Breach(message)


def _require_own_error(call: ASGICall, watched: Watched) -> None:
    if watched.raised is not None and watched.error is not watched.raised:
        how = "nothing" if watched.error is None else describe_value(watched.error)
        message = f"{call.name}: the application raised an exception, and what came out was {how}"
        raise Breach(message)


def _streaming(world: World, call: ASGICall) -> bool:
    if call.about != "response" or not is_watchable(world):
        return False
    (watched,) = watch(world, call)
    if not require_reached(world, call, watched):
        return False
    _require_flow(call, "application", watched.handed, watched.passed)
    if watched.late:
        message = f"{call.name}: the chunks were held back until the application had sent the rest"
        raise Breach(message)
    if not watched.finished and watched.raised is None and not is_behind_framework(world):
        message = f"{call.name}: the application was broken off when its response was sent"
        raise Breach(message)
    return True


def _request_body(world: World, call: ASGICall) -> bool:
    if call.about != "request" or not is_watchable(world):
        return False
    (watched,) = watch(world, call)
    if not require_reached(world, call, watched):
        return False
    expected = [dict(items) for items in call.received]
    _require_flow(call, "server", expected, watched.taken)
    if watched.late and not is_behind_framework(world):
        message = (
            f"{call.name}: the client, which waits for the response to begin before it sends the"
            " rest, got none: the body was asked for in the application's place"
        )
        raise Breach(message)
    return True


def _other_scopes(world: World, call: ASGICall) -> bool:
    if call.about != "scope" or not is_watchable(world):
        return False
    (watched,) = watch(world, call)
    if not require_reached(world, call, watched) or watched.seen is None:
        return False
    _require_flow(call, "server", watched.given, watched.taken)
    _require_flow(call, "application", watched.handed, watched.passed)
    try:
        _require_own_error(call, watched)
        _require_scope(call, watched, watched.before)
    except Breach:
        # Frameworks add to scopes, and see to exceptions.
        if not is_behind_framework(world):
            raise
    return True


def _http_scope(world: World, call: ASGICall) -> bool:
    if call.about != "http scope" or not is_watchable(world) or is_behind_framework(world):
        return False
    (watched,) = watch(world, call)
    if not require_reached(world, call, watched) or watched.seen is None:
        return False
    _require_scope(call, watched, watched.before.keys() - _OTHERWISE_JUDGED)
    return True


def _require_scope(call: ASGICall, watched: Watched, names: Iterable[str]) -> None:
    seen = watched.seen or {}
    for name in names:
        was, became = watched.before.get(name), seen.get(name)
        if was != became:
            message = (
                f"{call.name}: the scope's {name!r}, {describe_value(was)}, reached the"
                f" application as {describe_value(became)}"
            )
            raise Breach(message)


def _no_mutation(world: World, call: ASGICall) -> bool:
    if call.about != "reuse" or not is_watchable(world):
        return False
    every = watch(world, call)
    # Whether calls arrive, and what an application's own CORS headers lead to, is said elsewhere.
    if any(watched.seen is None for watched in every):
        return False
    for watched in every:
        for was, became in watched.changed:
            message = (
                f"{call.name}: the application's own header list {was} was changed to {became}"
            )
            raise Breach(message)
        was, became = watched.before["headers"], watched.after["headers"]
        if was != became:
            message = f"{call.name}: the scope's headers {was} were changed to {became}"
            raise Breach(message)
    return True


def _header_iterables(world: World, call: ASGICall) -> bool:
    if call.about != "headers" or not is_watchable(world):
        return False
    (watched,) = watch(world, call)
    if not require_reached(world, call, watched):
        return False
    seen, expected = _first_lines(watched.passed), _first_lines(watched.handed)
    for name in names_of(expected):
        if name not in CORS and get_all(seen, name) != get_all(expected, name):
            message = (
                f"{call.name}: the application's {name.decode('latin-1')} lines"
                f" {get_all(expected, name)} became {get_all(seen, name)}"
            )
            raise Breach(message)
    _require_flow(call, "application", watched.handed, watched.passed)
    return True


def _first_lines(messages: Sequence[Message]) -> HeaderLines:
    for message in messages:
        if message["type"] == "http.response.start":
            lines: HeaderLines = message.get("headers", ())
            return lines
    return ()


def _denied_actual(world: World, fetched: Fetched) -> bool:
    application = fetched.visit.application
    if not fetched.grant.denied or not fetched.actual or application.raises != "never":
        return False
    sent = fetched.actual[0]
    if not calls_are_seen(world) or sent.reply.response is None:
        return False
    status, calls = sent.reply.response.status, len(sent.reply.calls)
    is_passed = calls == 1 and status == application.status
    is_refused = calls == 0 and status in _REFUSALS
    if not is_passed and not is_refused:
        message = (
            f"a denied request of {fetched.visit.origin} reached the application {calls} times and"
            f" was answered {status}: neither the application's {application.status} nor a refusal"
        )
        raise Breach(message)
    return True


_MESSAGES: Final = frozenset({Capability.ASGI})
_CALLS: Final = frozenset({Capability.WSGI})

TRANSPARENCY: Final = (
    Rule(
        id="tr-no-origin",
        statement="Requests without Origin reach the application as they are, and nothing but CORS"
        " headers and Vary is changed in the responses.",
        anchor="#http-requests",
        level=Level.MUST,
        look=Look.FETCH,
        check=_no_origin,
        chapter="transparency",
    ),
    Rule(
        id="tr-response",
        statement="CORS requests reach the application as they are; status, body and all other"
        " headers of the response are its own.",
        anchor="#http-cors-protocol",
        level=Level.MUST,
        look=Look.FETCH,
        check=_response,
        chapter="transparency",
    ),
    Rule(
        id="tr-streaming",
        statement="Chunks of a response pass one by one and at once, and so do trailers and"
        " messages of extensions; then the application may go on.",
        anchor="https://asgi.readthedocs.io/en/latest/specs/www.html#response-body-send-event",
        level=Level.MUST,
        look=Look.CALL,
        check=_streaming,
        needs=_MESSAGES | {Capability.APPLICATION_CHUNKS},
        chapter="transparency",
    ),
    Rule(
        id="tr-request-body",
        statement="The application receives the body of a request chunk by chunk, and learns when"
        " the client has left.",
        anchor="https://asgi.readthedocs.io/en/latest/specs/www.html#request-receive-event",
        level=Level.MUST,
        look=Look.CALL,
        check=_request_body,
        needs=_MESSAGES,
        chapter="transparency",
    ),
    Rule(
        id="tr-http-scope",
        statement="The scope of a request reaches the application with all that the server put"
        " there: state, addresses, path, scheme.",
        anchor="https://asgi.readthedocs.io/en/latest/specs/www.html#http-connection-scope",
        level=Level.MUST,
        look=Look.CALL,
        check=_http_scope,
        needs=_MESSAGES,
        chapter="transparency",
    ),
    Rule(
        id="tr-other-scopes",
        statement="WebSockets, lifespans and unknown protocols reach the application untouched.",
        anchor="#websocket-protocol",
        level=Level.MUST,
        look=Look.CALL,
        check=_other_scopes,
        needs=_MESSAGES,
        chapter="transparency",
    ),
    Rule(
        id="tr-exception",
        statement="Exceptions of the application leave the middleware, before and after the start"
        " of the response.",
        anchor="https://asgi.readthedocs.io/en/latest/specs/main.html#error-handling",
        level=Level.MUST,
        look=Look.RESPONSE,
        check=_exception,
        needs=frozenset({Capability.APPLICATION_EXCEPTIONS, Capability.APPLICATION_CALLS}),
        chapter="transparency",
    ),
    Rule(
        id="tr-no-mutation",
        statement="Header lists of the server and of the application are not changed, and nothing"
        " gathers in a list that is used again.",
        anchor="https://asgi.readthedocs.io/en/latest/specs/main.html#middleware",
        level=Level.MUST,
        look=Look.CALL,
        check=_no_mutation,
        needs=_MESSAGES,
        chapter="transparency",
    ),
    Rule(
        id="tr-header-iterables",
        statement="Headers of the application may be any iterable of pairs, and may be absent.",
        anchor="https://asgi.readthedocs.io/en/latest/specs/www.html#response-start-send-event",
        level=Level.MUST,
        look=Look.CALL,
        check=_header_iterables,
        needs=_MESSAGES,
        chapter="transparency",
    ),
    Rule(
        id="tr-wsgi-items",
        statement="Items of a WSGI application's body pass one by one, and its response may start"
        " with the first of them.",
        anchor="https://peps.python.org/pep-3333/#middleware-handling-of-block-boundaries",
        level=Level.MUST,
        look=Look.POLICY,
        check=wsgi_items,
        needs=_CALLS,
        chapter="transparency",
    ),
    Rule(
        id="tr-wsgi-close",
        statement="The items of a WSGI application's body are closed at the end of the response,"
        " and when the client leaves.",
        anchor="https://peps.python.org/pep-3333/#specification-details",
        level=Level.MUST,
        look=Look.POLICY,
        check=wsgi_close,
        needs=_CALLS,
        chapter="transparency",
    ),
    Rule(
        id="tr-wsgi-start-response",
        statement="A WSGI application can write its body, and can start its response again with"
        " exc_info when it fails.",
        anchor="https://peps.python.org/pep-3333/#the-start-response-callable",
        level=Level.MUST,
        look=Look.POLICY,
        check=wsgi_start_response,
        needs=_CALLS,
        chapter="transparency",
    ),
    Rule(
        id="tr-wsgi-environ",
        statement="The environment of a WSGI application arrives as the server made it.",
        anchor="https://peps.python.org/pep-3333/#environ-variables",
        level=Level.MUST,
        look=Look.POLICY,
        check=wsgi_environ,
        needs=_CALLS,
        chapter="transparency",
    ),
    Rule(
        id="tr-denied-actual",
        statement="A denied request that is no preflight gets the application's response, or a 4xx"
        " without the application.",
        anchor="#http-responses",
        level=Level.SHOULD,
        look=Look.FETCH,
        check=_denied_actual,
        needs=frozenset({Capability.APPLICATION_CALLS}),
        chapter="transparency",
    ),
)
"""Chapter G."""
