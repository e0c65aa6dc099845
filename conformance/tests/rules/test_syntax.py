"""The rules about syntax catch what no browser reads as it was meant, and nothing else."""

from collections.abc import Callable
from contextlib import nullcontext
from typing import Final

import pytest

from cors_conformance.application import ApplicationResponse
from cors_conformance.findings import Status
from cors_conformance.implementation import Application, Implementation
from cors_conformance.policy import Policy
from cors_conformance.rules import RULES
from cors_conformance.rules.base import Breach
from cors_conformance.scenario import RawRequest
from cors_conformance.world import World
from middlewares import Edit, Judge, Lines, Message, Receive, Scope, Send, Wrap, edited

ACAO: Final = b"access-control-allow-origin"
ACAC: Final = b"access-control-allow-credentials"
ACAM: Final = b"access-control-allow-methods"
ACAH: Final = b"access-control-allow-headers"
ACMA: Final = b"access-control-max-age"

POLICY: Final = Policy(
    allow_origins=("https://a.example", "https://b.example"),
    allow_headers=("X-A",),
    allow_credentials=True,
    expose_headers=("X-Total",),
)


def valued(name: bytes, change: Callable[[bytes], bytes]) -> Edit:
    def edit(_: Scope, lines: Lines) -> Lines:
        return [(key, change(value) if key == name else value) for key, value in lines]

    return edit


def repeated(name: bytes) -> Edit:
    return lambda _, lines: [*lines, *(line for line in lines if line[0] == name)]


def denied_as(value: bytes) -> Edit:
    return lambda _, lines: lines if ACAO in dict(lines) else [*lines, (ACAO, value)]


def capitalized(_: Scope, lines: Lines) -> Lines:
    return [(name.title() if name == ACAO else name, value) for name, value in lines]


def copied_vary(scope: Scope, lines: Lines) -> Lines:
    asked = dict(scope["headers"]).get(b"vary")
    return lines if asked is None else [*lines, (b"vary", asked)]


def with_length(scope: Scope, lines: Lines) -> Lines:
    return [*lines, (b"content-length", b"0")] if scope["method"] == "OPTIONS" else lines


WRONG: Final[dict[str, tuple[str, Edit]]] = {
    "the origin twice": ("syn-acao-single", repeated(ACAO)),
    "false for an origin": ("syn-acao-single", denied_as(b"false")),
    "an empty origin": ("syn-acao-single", denied_as(b"")),
    "a list of origins": ("syn-acao-single", valued(ACAO, lambda one: one + b", " + one)),
    "True": ("syn-acac", valued(ACAC, bytes.title)),
    "true twice": ("syn-acac", repeated(ACAC)),
    "seconds with a unit": ("syn-acma", valued(ACMA, lambda seconds: seconds + b"s")),
    "seconds as a float": ("syn-acma", valued(ACMA, lambda seconds: seconds + b".0")),
    "milliseconds": ("syn-acma", valued(ACMA, lambda seconds: seconds + b"000")),
    "always zero": ("syn-acma", valued(ACMA, lambda _: b"0")),
    "seconds twice": ("syn-acma", repeated(ACMA)),
    "a comma at the end": ("syn-lists", valued(ACAM, lambda value: value + b",")),
    "names apart by spaces": ("syn-lists", valued(ACAH, lambda value: value + b" x-b")),
    "a quoted name": ("syn-lists", valued(b"vary", lambda value: b'"' + value + b'"')),
    "a name in title case": ("syn-asgi", capitalized),
    "a length of 204": ("syn-content-length", with_length),
    "Vary from the request": ("syn-no-ctl", copied_vary),
}


@pytest.mark.parametrize("name", WRONG)
def test_what_is_written_wrong_is_found(name: str, judge: Judge) -> None:
    rule, edit = WRONG[name]
    assert judge(rule, edited(edit), POLICY).status is Status.FAILED


def split(scope: Scope, lines: Lines) -> Lines:
    """Lists on several lines, in any order and any case."""
    result: Lines = []
    for name, value in reversed(lines):
        is_list = name in {ACAM, ACAH, b"access-control-expose-headers", b"vary"}
        parts = value.split(b",") if is_list else [value]
        swap = name in {ACAH, b"vary", b"access-control-expose-headers"}
        result += [(name, part.strip().swapcase() if swap else part) for part in parts]
    return result


def empty_list(scope: Scope, lines: Lines) -> Lines:
    return [*lines, (b"access-control-expose-headers", b"")]


def capped(scope: Scope, lines: Lines) -> Lines:
    return valued(ACMA, lambda seconds: b"%d" % min(int(seconds), 7200))(scope, lines)


def no_max_age(_: Scope, lines: Lines) -> Lines:
    return [line for line in lines if line[0] != ACMA]


def credentials_for_all(_: Scope, lines: Lines) -> Lines:
    return [*(line for line in lines if line[0] != ACAC), (ACAC, b"true")]


def echoed(scope: Scope, lines: Lines) -> Lines:
    """The origin instead of `*`, as it came."""
    asked = [value for name, value in scope["headers"] if name == b"origin"]
    if dict(lines).get(ACAO) != b"*" or len(asked) != 1:
        return lines
    kept = [line for line in lines if line[0] != ACAO]
    return [*kept, (ACAO, asked[0]), (b"vary", b"Origin")]


RIGHT: Final[dict[str, Edit]] = {
    "the reference": lambda _, lines: lines,
    "lists split": split,
    "an empty list": empty_list,
    "seconds capped where browsers cap them": capped,
    "no max age": no_max_age,
    "credentials in every response": credentials_for_all,
    "an echo": echoed,
}


@pytest.mark.parametrize("name", RIGHT)
def test_what_is_written_otherwise_is_spared(name: str, failures: Callable[..., list[str]]) -> None:
    tiny = Implementation(name="tiny", interface="asgi", wrap=edited(RIGHT[name]))
    assert failures(tiny, "syn-*") == []


def test_an_applications_own_line_beside_another_is_found(judge: Judge) -> None:
    def adding(app: Application, policy: Policy) -> Application:
        lines = (ACAO, policy.allow_origins[0].encode() if policy.allow_origins else b"null")
        return edited(lambda _, own: [*own, lines], lambda inner, _: inner)(app, policy)

    assert judge("syn-no-duplication", adding, POLICY, examples=4).status is Status.FAILED


def test_an_application_may_have_its_way(judge: Judge) -> None:
    def yielding(app: Application, policy: Policy) -> Application:
        def edit(_: Scope, own: Lines) -> Lines:
            return own if ACAO in dict(own) else [*own, (ACAO, b"*")]

        return edited(edit, lambda inner, _: inner)(app, policy)

    assert judge("syn-no-duplication", yielding).status is Status.PASSED


def answering(*messages: Message) -> Wrap:
    """Answers preflights with these messages, whatever they ask for."""

    def wrap(app: Application, policy: Policy) -> Application:
        async def middleware(scope: Scope, receive: Receive, send: Send) -> None:
            if scope["type"] != "http" or scope["method"] != "OPTIONS":
                await app(scope, receive, send)
                return
            for message in messages:
                await send(message)

        return middleware

    return wrap


START: Final[Message] = {"type": "http.response.start", "status": 204, "headers": []}
END: Final[Message] = {"type": "http.response.body", "body": b""}


@pytest.mark.parametrize(
    "messages",
    [
        (START, START, END),
        (START, END, END),
        (END,),
        (START,),
        ({**START, "headers": [("vary", "Origin")]}, END),
        ({**START, "headers": [b"vary"]}, END),
        ({**START, "status": "204"}, END),
    ],
    ids=["two starts", "two ends", "no start", "no end", "text", "no pairs", "status as text"],
)
def test_messages_that_no_server_takes_are_found(
    messages: tuple[Message, ...], judge: Judge
) -> None:
    assert judge("syn-asgi", answering(*messages)).status is Status.FAILED


@pytest.mark.parametrize(
    "messages",
    [
        (START, {**END, "body": b"granted"}),
        ({**START, "status": 205}, {**END, "body": b"granted"}),
        ({**START, "status": 200, "headers": [(b"content-length", b"7")]}, END),
    ],
    ids=["204 with a body", "205 with a body", "a body that is shorter"],
)
def test_a_body_that_is_no_body_is_found(messages: tuple[Message, ...], judge: Judge) -> None:
    assert judge("syn-content-length", answering(*messages)).status is Status.FAILED


@pytest.mark.parametrize("status", [200, 204, 299])
def test_any_ok_status_with_its_body_is_spared(status: int, judge: Judge) -> None:
    body = b"" if status == 204 else b"OK"
    messages = ({**START, "status": status}, {**END, "body": body})
    assert judge("syn-content-length", answering(*messages), POLICY).status is Status.PASSED
    assert judge("syn-asgi", answering(*messages), POLICY).status is Status.PASSED


EVERYBODY: Final = Policy(allow_origins=("*",))
OWN: Final = ApplicationResponse(headers=((ACAO, b"https://a.example"),))
LISTED: Final = b"https://a.example, https://a.example"


@pytest.mark.parametrize(
    ("asked", "is_spared"),
    [
        ([LISTED], True),
        ([b"https://a.example", b"https://a.example"], True),
        ([b"https://b.example"], False),
        ([], False),
    ],
)
def test_a_list_that_is_an_echo_of_one_is_no_duplication(
    asked: list[bytes], is_spared: bool
) -> None:
    def listing(_: Scope, lines: Lines) -> Lines:
        return [*(line for line in lines if line[0] != ACAO), (ACAO, LISTED)]

    tiny = Implementation(name="tiny", interface="asgi", wrap=edited(listing))
    origins = tuple((b"origin", value) for value in asked)
    with World(tiny, EVERYBODY) as world:
        sent = world.send(RawRequest(method=b"GET", headers=origins, application=OWN))
        with nullcontext() if is_spared else pytest.raises(Breach, match="a list where one value"):
            assert RULES["syn-no-duplication"].check(world, sent)


TWO_LINES: Final = ((b"origin", b"https://a.example"), (b"origin", b""))


@pytest.mark.parametrize("rule", ["syn-acao-single", "safe-acao-closed"])
@pytest.mark.parametrize(
    ("value", "is_spared"),
    [
        (b"https://a.example,", True),
        (b"https://a.example, ", True),
        (b"https://a.example , ", True),
        (b"https://a.example", True),
        (b"*", True),
        (b"https://a.example/,", False),
        (b"https://a.example,,", False),
    ],
)
def test_where_everybody_is_allowed_any_way_to_echo_two_lines_is_spared(
    rule: str, value: bytes, is_spared: bool
) -> None:
    def naming(_: Scope, lines: Lines) -> Lines:
        return [*(line for line in lines if line[0] != ACAO), (ACAO, value)]

    tiny = Implementation(name="tiny", interface="asgi", wrap=edited(naming))
    with World(tiny, EVERYBODY) as world:
        sent = world.send(RawRequest(method=b"GET", headers=TWO_LINES))
        with nullcontext() if is_spared else pytest.raises(Breach):
            assert RULES[rule].check(world, sent)
    # Where not everybody is allowed, no list is an origin.
    with World(tiny, POLICY) as world:
        sent = world.send(RawRequest(method=b"GET", headers=TWO_LINES))
        is_origin = value in {b"*", *(item.encode() for item in POLICY.allow_origins)}
        if rule == "syn-acao-single" and not is_origin:
            with pytest.raises(Breach):
                RULES[rule].check(world, sent)
