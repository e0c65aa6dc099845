"""Replaying: a finding as a token that can be pasted, and done again without a database.

A token is `1.` and the base64url of zlib of MessagePack: the rule's id, the policy, and what was
done. MessagePack and not JSON, since it keeps bytes apart from text; values at their defaults are
left out, so that most tokens fit on two lines. Reading one executes nothing of it: everything
is checked against the types of `scenario` and `policy`.
"""

import base64
import binascii
import zlib
from dataclasses import MISSING, Field, fields, is_dataclass
from functools import cache
from types import NoneType, UnionType
from typing import Any, Final, Union, cast, get_args, get_origin, get_type_hints

import msgspec

from cors_conformance.application import ApplicationResponse
from cors_conformance.findings import Finding
from cors_conformance.implementation import Implementation
from cors_conformance.policy import Policy
from cors_conformance.rules import RULES
from cors_conformance.rules.base import Rule
from cors_conformance.run import CannotTest
from cors_conformance.scenario import ASGICall, Batch, Journey, RawRequest, Visit, Wait
from cors_conformance.servers.base import ConfigurationRefused, ServerDied
from cors_conformance.shrinking import finding
from cors_conformance.subjects import Source

VERSION: Final = "1"
LONGEST: Final = 64 * 1024
"""Characters of a token; a command line takes not much more."""
LARGEST: Final = 8 * 1024 * 1024
"""Bytes that a token may unpack to."""

# Two letters never change their meaning within a version.
_KINDS: Final[dict[str, type]] = {
    "v": Visit,
    "r": RawRequest,
    "j": Journey,
    "c": ASGICall,
    "b": Batch,
    "w": Wait,
    "a": ApplicationResponse,
    "p": Policy,
}
_LETTERS: Final = {kind: letter for letter, kind in _KINDS.items()}


class PolicyRefused(CannotTest):
    """The implementation refuses `policy`, the token's, by now, and so the finding is gone."""

    def __init__(self, policy: Policy, words: str) -> None:
        super().__init__(words)
        self.policy = policy


class BadToken(Exception):
    """The token cannot be replayed; the message says why."""


def encode(rule: Rule, policy: Policy, source: Source) -> str:
    """Return the token of a finding; see the module."""
    packed = msgspec.msgpack.encode([rule.id, _frozen(policy), _frozen(source)])
    text = base64.urlsafe_b64encode(zlib.compress(packed, 9)).decode("ascii")
    return f"{VERSION}.{text.rstrip('=')}"


def decode(token: str) -> tuple[Rule, Policy, Source]:
    """Return what `encode` was given.

    Raises:
        BadToken: it is no token, is truncated, too large, or of another version of this package.

    """
    version, _, text = token.strip().partition(".")
    if not text:
        message = f"{token[:40]!r} is no token; one starts with {VERSION!r} and a full stop"
        raise BadToken(message)
    if version != VERSION:
        message = (
            f"the token has format {version[:40]!r}, this version of the suite reads {VERSION!r}"
        )
        raise BadToken(message)
    if len(text) > LONGEST:
        message = f"the token is oversized: {len(text)} characters, and at most {LONGEST} are read"
        raise BadToken(message)
    rule_id, policy, source = _unpacked(text)
    rule = RULES.get(rule_id)
    if rule is None:
        message = (
            f"the token is of a rule that this version of the suite does not have: {rule_id[:80]!r}"
        )
        raise BadToken(message)
    try:
        return rule, _thawed(Policy, policy), cast("Source", _thawed(Source, source))
    except (TypeError, ValueError, RecursionError) as error:
        message = f"the token is damaged, or made by another version of the suite: {error}"
        raise BadToken(message) from error


def replay(implementation: Implementation, token: str) -> Finding | None:
    """Do what the token says; return the finding, or `None` where the rule holds now.

    Raises:
        BadToken: the token cannot be read.
        PolicyRefused: the implementation refuses the policy.
        CannotTest: it cannot express the policy, cannot show what the rule needs, or died.
        HarnessError: the suite or a harness is at fault.

    """
    rule, policy, source = decode(token)
    name = implementation.name
    lacking = [*implementation.why_lacking(rule.needs)]
    lacking += filter(None, [implementation.cannot_express(policy)])
    if lacking:
        message = f"{name} cannot be tested with this: {'; '.join(lacking)}"
        raise CannotTest(message)
    try:
        return finding(implementation, rule, policy, source)
    except ConfigurationRefused as error:
        raise PolicyRefused(policy, str(error)) from error
    except ServerDied as error:
        message = f"{name} died: {error}"
        raise CannotTest(message) from error
    except ValueError as error:
        # Types are checked when a token is read; that an origin is one, by who uses it.
        message = f"the token is damaged: {error}"
        raise BadToken(message) from error


def _unpacked(text: str) -> tuple[str, Any, Any]:
    try:
        packed = base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)
        unpacker = zlib.decompressobj()
        data = unpacker.decompress(packed, LARGEST)
    except (binascii.Error, ValueError, zlib.error) as error:
        message = f"the token is damaged: {error}"
        raise BadToken(message) from error
    if unpacker.unconsumed_tail:
        message = f"the token is oversized: it unpacks to more than {LARGEST} bytes"
        raise BadToken(message)
    if not unpacker.eof:
        message = "the token is truncated"
        raise BadToken(message)
    try:
        return msgspec.msgpack.decode(data, type=tuple[str, Any, Any])
    except msgspec.DecodeError as error:
        message = f"the token is damaged: {error}"
        raise BadToken(message) from error


def _frozen(value: Any) -> Any:  # noqa: ANN401 - any value of a scenario
    """Turn dataclasses into their letter and the fields that are not at their defaults."""
    if isinstance(value, tuple):
        return [_frozen(item) for item in value]
    if not is_dataclass(value):
        return value
    named = {field.name: getattr(value, field.name) for field in fields(value)}
    defaults = {field.name: _default(field) for field in fields(value)}
    kept = {name: _frozen(item) for name, item in named.items() if item != defaults[name]}
    return [_LETTERS[type(value)], kept]


def _default(field: Field[Any]) -> object:
    return field.default if field.default is not MISSING else MISSING


def _thawed(hint: Any, value: Any) -> Any:  # noqa: ANN401 - see `_frozen`
    """Turn back, checking against the type.

    Raises:
        ValueError: the value is not of the type; `msgspec.ValidationError` is one.
        TypeError: a field is missing.

    """
    if hint is Any:
        return _hashable(value)
    if get_origin(hint) in {Union, UnionType}:
        return _thawed_member(get_args(hint), value)
    if hint in _LETTERS:
        return _thawed_member((hint,), value)
    if get_origin(hint) is not tuple:
        return msgspec.convert(value, hint, builtin_types=(bytes,))
    items = msgspec.convert(value, list[Any], builtin_types=(bytes,))
    inner = get_args(hint)
    if inner[-1] is Ellipsis:
        return tuple(_thawed(inner[0], item) for item in items)
    return tuple(_thawed(part, item) for part, item in zip(inner, items, strict=True))


def _thawed_member(members: tuple[Any, ...], value: Any) -> Any:  # noqa: ANN401 - see `_frozen`
    if value is None and NoneType in members:
        return None
    kinds = {_LETTERS[member]: _KINDS[_LETTERS[member]] for member in members if member in _LETTERS}
    if not kinds:
        (hint,) = (member for member in members if member is not NoneType)
        return _thawed(hint, value)
    letter, named = msgspec.convert(value, tuple[str, dict[str, Any]], builtin_types=(bytes,))
    if letter not in kinds:
        message = f"a kind {letter[:10]!r} stands where one of {', '.join(kinds)} belongs"
        raise ValueError(message)
    kind = kinds[letter]
    hints = _hints(kind)
    unknown = named.keys() - hints
    if unknown:
        message = f"{kind.__name__} has no field {min(unknown)[:40]!r}"
        raise ValueError(message)
    return kind(**{name: _thawed(hints[name], item) for name, item in named.items()})


@cache
def _hints(kind: type) -> dict[str, Any]:
    return get_type_hints(kind)


def _hashable(value: Any) -> Any:  # noqa: ANN401 - see `_frozen`
    """Turn lists back into tuples: an ASGI message of a scenario holds no lists."""
    return tuple(map(_hashable, value)) if isinstance(value, list) else value
