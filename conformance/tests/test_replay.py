"""Tokens: what is written is what is read, and nothing else is read."""

import base64
import zlib
from typing import Final

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cors_conformance import strategies
from cors_conformance.application import ApplicationResponse
from cors_conformance.calls import CALLS
from cors_conformance.implementation import Application, Capability, Implementation
from cors_conformance.implementations.registry import find
from cors_conformance.policy import Policy
from cors_conformance.replay import BadToken, PolicyRefused, decode, encode, replay
from cors_conformance.rules import RULES
from cors_conformance.rules.base import Look
from cors_conformance.run import CannotTest
from cors_conformance.scenario import Journey, RawRequest, Visit, Wait
from cors_conformance.servers.base import Server, ServerDied
from cors_conformance.subjects import Source, sources

RULE: Final = RULES["live-simple"]
POLICY: Final = Policy(allow_origins=("https://a.example",))
VISIT: Final = Visit(origin="https://a.example", method=b"GET")


def token_of(document: object) -> str:
    packed = zlib.compress(msgspec.msgpack.encode(document))
    return "1." + base64.urlsafe_b64encode(packed).decode().rstrip("=")


def altered(**fields: object) -> str:
    """A token of a visit with these fields."""
    good = {"origin": "https://a.example", "method": b"GET"}
    return token_of([RULE.id, ["p", {}], ["v", {**good, **fields}]])


@given(st.data())
def test_everything_that_a_run_does_survives_the_round_trip(data: st.DataObject) -> None:
    policy = data.draw(strategies.policies())
    batch = data.draw(strategies.batches(policy))
    look = data.draw(st.sampled_from(Look))
    for source in sources(look, batch):
        assert decode(encode(RULE, policy, source)) == (RULE, policy, source)


@pytest.mark.parametrize("call", CALLS, ids=lambda call: call.name)
def test_asgi_calls_survive_the_round_trip(call: Source) -> None:
    assert decode(encode(RULE, POLICY, call))[2] == call


@pytest.mark.parametrize(
    "source",
    [
        Journey(steps=(VISIT, Wait(seconds=1.5), VISIT)),
        RawRequest(method=b"GET", headers=((b"origin", b"\xff\x00"),)),
        Visit(
            origin="null",
            method=b"POST",
            body=b"",
            application=ApplicationResponse(status=500, headers=((b"x-a", b"1"),), body=()),
        ),
    ],
)
def test_each_kind_of_source_survives_the_round_trip(source: Source) -> None:
    assert decode(encode(RULE, POLICY, source))[2] == source


def test_simple_findings_have_short_tokens() -> None:
    assert len(encode(RULE, POLICY, VISIT)) < 160


def test_white_space_around_a_token_is_of_no_matter() -> None:
    assert decode(f" {encode(RULE, POLICY, VISIT)}\n")[2] == VISIT


@pytest.mark.parametrize(
    ("token", "message"),
    [
        ("", "is no token"),
        ("abc", "is no token"),
        ("2.abc", "has format '2', this version of the suite reads '1'"),
        ("1.!!!", "damaged"),
        ("1.AAAA", "damaged"),
        ("1." + "A" * 100_000, "oversized: 100000 characters"),
        (encode(RULE, POLICY, VISIT)[:60], "truncated"),
        (token_of({"not": "a token"}), "damaged"),
        (token_of(["no-such-rule", 1, 2]), "does not have: 'no-such-rule'"),
        (token_of(["live-simple", 1, 2]), "damaged"),
        (token_of(["live-simple", ["p", {}], ["p", {}]]), "a kind 'p' stands where one of"),
        (token_of(["live-simple", ["p", {"allow_everything": True}], 2]), "no field"),
        (token_of(["live-simple", ["p", {"max_age": "600"}], 2]), "Expected `int`"),
        (token_of(["live-simple", ["p", {}], ["v", {}]]), "missing"),
        (altered(mode="any"), "Invalid enum value"),
        (altered(headers=[[b"a", b"b", b"c"]]), "argument"),
        (altered(application=None), "Expected `array`"),
        (altered(body="text"), "Expected `bytes`"),
    ],
)
def test_bad_tokens_say_what_is_wrong(token: str, message: str) -> None:
    with pytest.raises(BadToken, match=message):
        decode(token)


def test_a_token_that_unpacks_to_too_much_is_not_unpacked() -> None:
    bomb = base64.urlsafe_b64encode(zlib.compress(bytes(20_000_000), 9)).decode().rstrip("=")
    with pytest.raises(BadToken, match="oversized: it unpacks to more than"):
        decode(f"1.{bomb}")


def test_a_finding_is_found_again() -> None:
    finding = replay(find("none"), encode(RULE, POLICY, VISIT))
    assert finding is not None
    assert (finding.rule, finding.policy, finding.source) == (RULE, POLICY, VISIT)
    assert finding.wire


def test_a_rule_that_holds_gives_no_finding() -> None:
    assert replay(find("reference"), encode(RULE, POLICY, VISIT)) is None


def test_an_origin_that_is_none_is_the_tokens_fault() -> None:
    with pytest.raises(BadToken, match="damaged"):
        replay(find("none"), altered(origin="https://A.example/"))


def refusing(app: Application, policy: Policy) -> Application:
    message = "no such thing"
    raise ValueError(message)


def dying(policy: Policy) -> Server:
    message = "signal 11"
    raise ServerDied(message)


def unchanged(app: Application, policy: Policy) -> Application:
    return app


@pytest.mark.parametrize(
    ("implementation", "message"),
    [
        (Implementation(name="x", interface="http", serve=dying), "x died: signal 11"),
        (
            Implementation(
                name="x", interface="asgi", wrap=unchanged, refuses=lambda _: "it has no origins"
            ),
            "cannot be tested with this: it has no origins",
        ),
    ],
)
def test_what_cannot_be_replayed_is_no_finding(
    implementation: Implementation, message: str
) -> None:
    with pytest.raises(CannotTest, match=message):
        replay(implementation, encode(RULE, POLICY, VISIT))


def test_a_policy_that_is_refused_by_now_is_told() -> None:
    implementation = Implementation(name="x", interface="asgi", wrap=refusing)
    with pytest.raises(PolicyRefused, match="no such thing"):
        replay(implementation, encode(RULE, POLICY, VISIT))


def test_a_lacking_capability_is_no_finding() -> None:
    rule = next(rule for rule in RULES.values() if rule.needs)
    lacks: dict[Capability, str] = dict.fromkeys(rule.needs, "it cannot")
    implementation = Implementation(name="x", interface="asgi", wrap=unchanged, lacks=lacks)
    with pytest.raises(CannotTest, match="cannot be tested with this: it cannot"):
        replay(implementation, encode(rule, POLICY, VISIT))
