"""The policy of a run: one of the suite's own, by name, or one from a file."""

from collections.abc import Mapping
from dataclasses import fields
from difflib import get_close_matches
from pathlib import Path
from types import MappingProxyType
from typing import Any, Final

import msgspec

from cors_conformance import strict_json
from cors_conformance.fetch.abnf import is_token
from cors_conformance.fetch.urls import why_no_origin
from cors_conformance.policy import WILDCARD, Policy

NAMED_POLICIES: Final[Mapping[str, Policy]] = MappingProxyType(
    {
        # The configurations that FastrAPI's documentation shows.
        "fastrapi-first-usage": Policy(
            allow_origins=(WILDCARD,),
            allow_methods=("GET", "POST"),
            allow_headers=(WILDCARD,),
        ),
        "fastrapi-specific-origins": Policy(
            allow_origins=("https://example.com", "https://app.example.com"),
            allow_methods=("GET", "POST", "PUT", "DELETE"),
            allow_headers=("Content-Type", "Authorization"),
            allow_credentials=True,
        ),
        "fastrapi-development": Policy(
            allow_origins=(WILDCARD,),
            allow_methods=(WILDCARD,),
            allow_headers=(WILDCARD,),
        ),
        "fastrapi-defaults": Policy(),
    }
)
"""Documented policies by name; every run of the engine has them, too."""

_KEYS: Final = tuple(field.name for field in fields(Policy))
_LARGEST: Final = 1 << 20


class BadPolicy(Exception):
    """There is no such policy, or its file is malformed; the message names the file and the key."""


def find_policy(selector: str) -> Policy:
    """Return the policy that `selector` names: one of `NAMED_POLICIES`, or a file.

    A file is a JSON object of the six parameters; missing ones take their defaults.

    Raises:
        BadPolicy: it is neither, or the file is malformed.

    """
    named = NAMED_POLICIES.get(selector)
    return named if named is not None else _read(Path(selector))


def _read(path: Path) -> Policy:
    try:
        with path.open("rb") as file:
            text = file.read(_LARGEST + 1)
    except OSError as error:
        known = ", ".join(NAMED_POLICIES)
        message = f"policy {str(path)!r}: {error.strerror}; it is a JSON file, or one of {known}"
        raise BadPolicy(message) from error
    if len(text) > _LARGEST:
        message = f"{path}: more than {_LARGEST} bytes are no policy"
        raise BadPolicy(message)
    try:
        parameters = msgspec.convert(strict_json.loads(text.decode("utf-8-sig")), dict[str, Any])
    except (ValueError, RecursionError) as error:
        message = f"{path}: a policy is a JSON object of parameters: {error}"
        raise BadPolicy(message) from error
    for key in parameters:
        if key not in _KEYS:
            close = get_close_matches(key, _KEYS, n=1) or _KEYS
            message = f"{path}: there is no parameter {key!r}; there is {', '.join(close)}"
            raise BadPolicy(message)
    try:
        policy = msgspec.convert(parameters, Policy)
    except msgspec.ValidationError as error:
        message = f"{path}: {error}"
        raise BadPolicy(message) from error
    wrong = _wrong(policy)
    if wrong is not None:
        message = f"{path}: {wrong}"
        raise BadPolicy(message)
    return policy


def _wrong(policy: Policy) -> str | None:
    """Say what of the policy no browser could ever send: judging by it would tell nothing."""
    for origin in policy.allow_origins:
        # Some allow `null` on purpose; what they then grant is for the rules to say.
        if origin not in {WILDCARD, "null"} and (why := why_no_origin(origin)) is not None:
            return f"allow_origins: {origin!r} is {why}"
    for parameter in ("allow_methods", "allow_headers", "expose_headers"):
        for name in getattr(policy, parameter):
            if not is_token(name.encode()):
                return f"{parameter}: {name!r} is no token (RFC 9110, 5.6.2)"
    return "max_age: seconds are not negative" if policy.max_age < 0 else None
