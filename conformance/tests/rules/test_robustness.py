"""The rules about robustness catch what hostile requests bring out of a middleware."""

import re
import time
from collections.abc import Callable
from typing import Final
from urllib.parse import unquote_to_bytes

import pytest

from cors_conformance.findings import Status
from cors_conformance.implementation import Application, Implementation
from cors_conformance.policy import Policy
from cors_conformance.rules import RULES
from cors_conformance.rules.base import Breach
from cors_conformance.scenario import Visit
from cors_conformance.world import World
from middlewares import Edit, Judge, Lines, Receive, Scope, Send, Wrap, edited, reference

ACAO: Final = b"access-control-allow-origin"
ACAM: Final = b"access-control-allow-methods"
ACAH: Final = b"access-control-allow-headers"
ASKED_METHOD: Final = b"access-control-request-method"
ASKED_NAMES: Final = b"access-control-request-headers"

POLICY: Final = Policy(allow_origins=("https://a.example",), allow_headers=("X-A",))
ALL: Final = Policy(
    allow_origins=("https://a.example",), allow_methods=("*",), allow_headers=("*",)
)


def asked(scope: Scope, name: bytes) -> bytes:
    return b", ".join(value for key, value in scope["headers"] if key == name)


def is_preflight(scope: Scope) -> bool:
    return (
        scope["type"] == "http" and scope["method"] == "OPTIONS" and bool(asked(scope, b"origin"))
    )


def echoing(name: bytes, source: bytes, *, times: int = 1) -> Edit:
    """Repeats what a preflight asks for, as it came."""

    def edit(scope: Scope, lines: Lines) -> Lines:
        if not is_preflight(scope):
            return lines
        kept = [line for line in lines if line[0] != name]
        return [*kept, *[(name, asked(scope, source))] * times]

    return edit


def decoding(app: Application, policy: Policy) -> Application:
    """Takes every Origin for ASCII."""
    inner = reference(app, policy)

    async def middleware(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http":
            asked(scope, b"origin").decode("ascii")
        await inner(scope, receive, send)

    return middleware


def failing(app: Application, policy: Policy) -> Application:
    """Answers 500 to origins without a scheme."""
    inner = reference(app, policy)

    async def middleware(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http" and asked(scope, b"origin").startswith(b":"):
            await send({"type": "http.response.start", "status": 500, "headers": []})
            await send({"type": "http.response.body"})
            return
        await inner(scope, receive, send)

    return middleware


def falling_over(name: bytes) -> Wrap:
    """Fails where a list has an empty element."""

    def wrap(app: Application, policy: Policy) -> Application:
        inner = reference(app, policy)

        async def middleware(scope: Scope, receive: Receive, send: Send) -> None:
            if is_preflight(scope):
                _ = [item.strip()[0] for item in asked(scope, name).split(b",")]
            await inner(scope, receive, send)

        return middleware

    return wrap


def matching(scope: Scope, lines: Lines) -> Lines:
    """Compares the beginning only, and repeats the whole with its percent signs decoded."""
    origin = unquote_to_bytes(asked(scope, b"origin"))
    if not re.match(rb"https://a\.example", origin):
        return lines
    return [*(line for line in lines if line[0] != ACAO), (ACAO, origin)]


def unescaping(scope: Scope, lines: Lines) -> Lines:
    """Repeats the names that a preflight asks for, escapes resolved."""
    names = asked(scope, ASKED_NAMES).replace(rb"\r\n", b"\r\n")
    return [*(line for line in lines if line[0] != ACAH), (ACAH, names)]


def backtracking(scope: Scope, lines: Lines) -> Lines:
    """Splits the names by an expression that tries every run of spaces from each of them."""
    return lines if re.split(rb"\s*,\s*", asked(scope, ASKED_NAMES)) else []


def dawdling(scope: Scope, lines: Lines) -> Lines:
    """Reads the names byte by byte, and takes its time for each."""
    return lines if sum(len(f"{byte:b}") for byte in asked(scope, ASKED_NAMES) * 8) >= 0 else []


def telling(app: Application, policy: Policy) -> Application:
    """Says in HTML which headers it does not like."""
    inner = reference(app, policy)

    async def middleware(scope: Scope, receive: Receive, send: Send) -> None:
        if is_preflight(scope) and b"<" in asked(scope, ASKED_NAMES):
            lines = [(b"content-type", b"text/html")]
            await send({"type": "http.response.start", "status": 403, "headers": lines})
            body = b"no such header: " + asked(scope, ASKED_NAMES)
            await send({"type": "http.response.body", "body": body})
            return
        await inner(scope, receive, send)

    return middleware


WRONG: Final[dict[str, tuple[str, Wrap, Policy]]] = {
    "an exception": ("rob-origin-bytes", decoding, POLICY),
    "a server error": ("rob-origin-bytes", failing, POLICY),
    "any origin repeated": ("rob-origin-bytes", edited(echoing(ACAO, b"origin")), POLICY),
    "an exception over a method": ("rob-acrm", falling_over(ASKED_METHOD), POLICY),
    "any method repeated": ("rob-acrm", edited(echoing(ACAM, ASKED_METHOD)), ALL),
    "an exception over names": ("rob-acrh", falling_over(ASKED_NAMES), POLICY),
    "any names repeated": ("rob-acrh", edited(echoing(ACAH, ASKED_NAMES)), ALL),
    "names repeated often": ("rob-acrh", edited(echoing(b"x-asked", ASKED_NAMES, times=20)), ALL),
    "names in HTML": ("rob-acrh", telling, POLICY),
    "a line break made of an origin": ("rob-injection", edited(matching), POLICY),
    "a line break made of a name": ("rob-injection", edited(unescaping), ALL),
}


@pytest.mark.parametrize("name", WRONG)
def test_what_hostile_requests_bring_out_is_found(name: str, judge: Judge) -> None:
    rule, wrap, policy = WRONG[name]
    assert judge(rule, wrap, policy).status is Status.FAILED


def echoing_origin(scope: Scope, lines: Lines) -> Lines:
    """An echo instead of `*`, as it came."""
    origin = asked(scope, b"origin")
    if not origin or dict(lines).get(ACAO) != b"*":
        return lines
    return [*(line for line in lines if line[0] != ACAO), (ACAO, origin), (b"vary", b"Origin")]


def literal(app: Application, policy: Policy) -> Application:
    """Answers a literal `*` where it may."""

    def edit(scope: Scope, lines: Lines) -> Lines:
        star = dict(lines).get(ACAO) is not None and not policy.allow_credentials
        listed = {ACAM: policy.allow_methods, ACAH: policy.allow_headers}
        return [
            (name, b"*" if star and "*" in listed.get(name, ()) else value) for name, value in lines
        ]

    return edited(edit)(app, policy)


def a_line_each(_: Scope, lines: Lines) -> Lines:
    return [
        (name, part)
        for name, value in lines
        for part in (value.split(b",") if name == ACAH else [value])
    ]


RIGHT: Final[dict[str, Wrap]] = {
    "the reference": reference,
    "an echo of the origin": edited(echoing_origin),
    "a literal *": literal,
    "a line for each name": edited(a_line_each),
}


@pytest.mark.parametrize("name", RIGHT)
def test_what_stays_calm_is_spared(name: str, failures: Callable[..., list[str]]) -> None:
    tiny = Implementation(name="tiny", interface="asgi", wrap=RIGHT[name])
    assert failures(tiny, "rob-*") == []


def judge_names(wrap: Wrap) -> bool:
    tiny = Implementation(name="tiny", interface="asgi", wrap=wrap)
    with World(tiny, POLICY) as world:
        fetched = world.fetch(Visit(origin=POLICY.allow_origins[0], method=b"GET"))
        return RULES["rob-acrh"].check(world, fetched)


def test_going_back_and_forth_over_names_is_found() -> None:
    with pytest.raises(Breach, match="times the processor time"):
        judge_names(edited(backtracking))


def test_taking_long_for_every_byte_is_spared() -> None:
    assert judge_names(edited(dawdling))


def test_a_pause_now_and_then_is_no_work_of_the_middleware() -> None:
    pauses = 0

    def pausing(scope: Scope, lines: Lines) -> Lines:
        """Takes a while once per list, as a collection of garbage does."""
        nonlocal pauses
        names = asked(scope, b"access-control-request-headers") or b""
        if len(names) > 50_000 and names not in paused:
            paused.add(names)
            paused.add(names + b"0")
            paused.add(names + b"1")
            pauses += 1
            busy = time.process_time() + 0.15
            while time.process_time() < busy:
                pass
        return lines

    paused: set[bytes] = set()
    assert judge_names(edited(pausing))
    assert pauses
