"""The rules about caching catch what caches make of a missing `Vary`, and only that."""

from collections.abc import Callable
from typing import Final

import pytest

from cors_conformance.findings import Status
from cors_conformance.implementation import Application, Capability, Implementation
from cors_conformance.policy import Policy
from middlewares import Edit, Judge, Lines, Receive, Scope, Send, Wrap, edited, reference

ACAO: Final = b"access-control-allow-origin"
VARY: Final = (b"vary", b"Origin")

TWO: Final = Policy(allow_origins=("https://a.example", "https://b.example"))
ONE: Final = Policy(allow_origins=("https://a.example",))
EVERYBODY: Final = Policy(allow_origins=("*",))


def asked_by(scope: Scope) -> bytes | None:
    return dict(scope["headers"]).get(b"origin")


def without_vary(lines: Lines) -> Lines:
    return [line for line in lines if line != VARY]


def never(_: Scope, lines: Lines) -> Lines:
    return without_vary(lines)


def only_where_granted(_: Scope, lines: Lines) -> Lines:
    return lines if ACAO in dict(lines) else without_vary(lines)


def only_with_origin(scope: Scope, lines: Lines) -> Lines:
    return lines if asked_by(scope) is not None else without_vary(lines)


def only_where_there_is_none(_: Scope, lines: Lines) -> Lines:
    return without_vary(lines) if [name for name, _ in lines].count(b"vary") > 1 else lines


def only_with_cors_requests(scope: Scope, lines: Lines) -> Lines:
    """`*` where a page asks, nothing where a picture does."""
    return lines if asked_by(scope) is not None else [line for line in lines if line[0] != ACAO]


def star_without_origin(scope: Scope, lines: Lines) -> Lines:
    if asked_by(scope) is not None:
        return lines
    return [*without_vary(lines), (ACAO, b"*")]


def overwritten(_: Scope, lines: Lines) -> Lines:
    return [*(line for line in lines if line[0] != b"vary"), VARY]


def first_line_kept(_: Scope, lines: Lines) -> Lines:
    return list(dict(reversed(lines)).items())


def private(_: Scope, lines: Lines) -> Lines:
    return [
        (name, b"private, " + value if name == b"cache-control" else value) for name, value in lines
    ]


def echo_to_who_has_cookies(scope: Scope, lines: Lines) -> Lines:
    headers = dict(scope["headers"])
    if b"cookie" not in headers or b"origin" not in headers:
        return lines
    return [(name, headers[b"origin"] if name == ACAO else value) for name, value in lines]


def only_without_credentials(scope: Scope, lines: Lines) -> Lines:
    headers = dict(scope["headers"])
    is_known = b"cookie" in headers or b"authorization" in headers
    return without_vary(lines) if is_known else lines


def only_with_a_max_age(_: Scope, lines: Lines) -> Lines:
    told = dict(lines).get(b"cache-control", b"")
    is_aged = any(item.strip().startswith(b"max-age") for item in told.split(b","))
    return lines if is_aged else without_vary(lines)


WRONG: Final[dict[str, tuple[str, Edit, Policy]]] = {
    "dynamic, never": ("vary-dynamic", never, TWO),
    "dynamic, where granted": ("vary-dynamic", only_where_granted, TWO),
    "dynamic, with Origin": ("vary-dynamic", only_with_origin, TWO),
    "dynamic, one origin": ("vary-dynamic", only_where_granted, ONE),
    "dynamic, beside another": ("vary-dynamic", only_where_there_is_none, TWO),
    "every, without credentials": ("vary-every-status", only_without_credentials, ONE),
    "every, with a max-age": ("vary-every-status", only_with_a_max_age, ONE),
    "safe, * without Origin": ("cache-shared-safe", star_without_origin, TWO),
    "live, never": ("cache-shared-live", never, TWO),
    "live, where granted": ("cache-shared-live", only_where_granted, TWO),
    "live, with Origin": ("cache-shared-live", only_with_origin, TWO),
    "live, beside another": ("cache-shared-live", only_where_there_is_none, TWO),
    "live, static": ("cache-shared-live", only_with_cors_requests, EVERYBODY),
    "static, and not always": ("vary-static-or-always", only_with_cors_requests, EVERYBODY),
    "overwritten": ("vary-merge", overwritten, TWO),
    "one line kept": ("vary-merge", first_line_kept, TWO),
    "private": ("cache-app-headers", private, TWO),
    "cookies": ("vary-other-inputs", echo_to_who_has_cookies, EVERYBODY),
}


@pytest.mark.parametrize("name", WRONG)
def test_what_goes_wrong_in_caches_is_found(name: str, judge: Judge) -> None:
    rule, edit, policy = WRONG[name]
    assert judge(rule, edited(edit), policy).status is Status.FAILED


def test_a_message_says_who_came_before(judge: Judge) -> None:
    finding = judge("cache-shared-live", edited(only_with_origin), TWO).finding
    assert finding is not None
    assert "in mode no-cors" in finding.message


def always(_: Scope, lines: Lines) -> Lines:
    return [*without_vary(lines), VARY]


def with_more(_: Scope, lines: Lines) -> Lines:
    return [*lines, (b"vary", b"Access-Control-Request-Method, accept")]


def star(_: Scope, lines: Lines) -> Lines:
    return [*without_vary(lines), (b"vary", b"*")]


def joined(_: Scope, lines: Lines) -> Lines:
    members = [value for name, value in lines if name == b"vary"]
    kept = [line for line in lines if line[0] != b"vary"]
    return [*kept, (b"vary", b", ".join(members).upper())] if members else kept


def not_on_preflights(scope: Scope, lines: Lines) -> Lines:
    return without_vary(lines) if scope["method"] == "OPTIONS" else lines


def echoed(scope: Scope, lines: Lines) -> Lines:
    origin = asked_by(scope)
    if origin is None or dict(lines).get(ACAO) != b"*":
        return [*without_vary(lines), VARY]
    return [*(line for line in lines if line[0] != ACAO), (ACAO, origin), VARY]


def refusing(app: Application, policy: Policy) -> Application:
    """Answers 403 to pages that are not granted access, which is neither fresh nor varies."""
    allowed = {origin.encode() for origin in policy.allow_origins}

    async def middleware(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http" and asked_by(scope) not in {None, *allowed} - {b"*"}:
            await send({"type": "http.response.start", "status": 403, "headers": []})
            await send({"type": "http.response.body"})
            return
        await reference(app, policy)(scope, receive, send)

    return app if policy.allow_origins == ("*",) else middleware


def refusing_methods(app: Application, policy: Policy) -> Application:
    """Answers 403 to pages that ask with a method which the policy does not list."""
    allowed = {*policy.allow_methods}
    inner = reference(app, policy)

    async def middleware(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http" and asked_by(scope) and not allowed & {"*", scope["method"]}:
            lines = [(ACAO, b"*")] if "*" in policy.allow_origins else [VARY]
            await send({"type": "http.response.start", "status": 403, "headers": lines})
            await send({"type": "http.response.body"})
            return
        await inner(scope, receive, send)

    return middleware


def static(app: Application, policy: Policy) -> Application:
    """Tells everybody what its one origin may do, so that nothing varies."""
    if len(policy.allow_origins) != 1 or "*" in policy.allow_origins + policy.expose_headers:
        return reference(app, policy)
    own = [(ACAO, policy.allow_origins[0].encode())]
    if policy.allow_credentials:
        own.append((b"access-control-allow-credentials", b"true"))
    if policy.expose_headers:
        own.append((b"access-control-expose-headers", ",".join(policy.expose_headers).encode()))

    def edit(_: Scope, lines: Lines) -> Lines:
        names = dict(own)
        return [*(line for line in without_vary(lines) if line[0] not in names), *own]

    return edited(edit)(app, policy)


RIGHT: Final[dict[str, Wrap]] = {
    "the reference": reference,
    "always": edited(always),
    "with more": edited(with_more),
    "*": edited(star),
    "joined": edited(joined),
    "not on preflights": edited(not_on_preflights),
    "an echo": edited(echoed),
    "refusing": refusing,
    "refusing methods": refusing_methods,
    "static": static,
}


@pytest.mark.parametrize("name", RIGHT)
def test_what_is_right_otherwise_is_spared(name: str, failures: Callable[..., list[str]]) -> None:
    tiny = Implementation(name="tiny", interface="asgi", wrap=RIGHT[name])
    assert failures(tiny, "vary-*", "cache-*", "st-http-cache") == []


def test_without_application_headers_only_vary_is_tested(judge: Judge) -> None:
    tiny = Implementation(
        name="tiny",
        interface="asgi",
        wrap=edited(only_where_granted, lambda app, policy: plain(reference(app, policy))),
        lacks={Capability.APPLICATION_HEADERS: "no handler can set any"},
    )
    assert tiny.wrap is not None
    assert judge("vary-dynamic", tiny.wrap, TWO).status is Status.FAILED


def plain(app: Application) -> Application:
    return app
