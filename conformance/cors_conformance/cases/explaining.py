"""From msgspec's one-line message to the key that is wrong, what was seen and what is right."""

import json
import re
from collections.abc import Iterator
from typing import Any, Final, TypeAlias, get_args

from msgspec.structs import fields

from cors_conformance.cases import schema

JSONValue: TypeAlias = Any
"""What `json.loads` returns."""

_CHOICES: Final = {
    "mode": schema.Mode,
    "credentials": schema.Credentials,
    "redirect": schema.Redirect,
    "referrer_policy": schema.ReferrerPolicy,
    "outcome": schema.OutcomeName,
    "response_type": schema.ResponseType,
}
_KEYS: Final = {
    "request": schema.Request,
    "server": schema.Server,
    "hops": schema.Hop,
    "preflight": schema.Response,
    "actual": schema.Response,
    "expected": schema.Expected,
    "steps": schema.Step,
}
_VALUES: Final = {"visible_headers", "sent_headers", "final_headers", "preflight_headers"}
_MESSAGE: Final = re.compile(r"(.*?)(?: - at (?:`key` in )?`(\$[\w.\[\]]*)`)?", re.DOTALL)
_ABOUT_A_KEY: Final = re.compile(
    r"Object (contains unknown|missing required) field `(.*)`", re.DOTALL
)
_ABOUT_AN_ORIGIN: Final = re.compile(r"`(client_origin)`: (.*)", re.DOTALL)
_COMPONENT: Final = re.compile(r"\.(?P<name>[^.\[]+)|\[(?P<index>\d+)\]|(?P<any>\[\.\.\.\])")
_SEEN_LENGTH: Final = 60


def explain(raw: JSONValue, into: type, message: str) -> tuple[str | None, str]:
    """Return the path of the wrong key in `raw`, which is no `into`, and the problem there."""
    match = _MESSAGE.fullmatch(message)
    problem, where = match.groups() if match else (message, None)
    components = tuple(_components(raw, where or "$"))
    path = "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in components)
    path = path.removeprefix(".")
    names = [part for part in components if isinstance(part, str)]
    last = names[-1] if names else ""

    if match := _ABOUT_A_KEY.fullmatch(problem):
        key = f"{path}.{match[2]}" if path else match[2]
        declared = _KEYS.get(last, into)
        return key, _about_a_key(match[1], declared)
    if match := _ABOUT_AN_ORIGIN.fullmatch(problem):
        return match[1], match[2]

    seen = _shortened(_at(raw, components))
    # A header may have any name, that of a key as well.
    if last in _CHOICES and not set(names) & _VALUES:
        choices = ", ".join(json.dumps(choice) for choice in get_args(_CHOICES[last]))
        return path, f"seen {seen}; expected one of {choices}"
    if "matching regex" in problem:
        return path, f"seen {seen}; expected no character above U+00FF: bytes, decoded as latin-1"
    return path or None, f"seen {seen}: {problem}"


def _about_a_key(which: str, declared: type) -> str:
    if which == "missing required":
        return "missing"
    return f"unknown; expected one of {', '.join(field.name for field in fields(declared))}"


def _components(raw: JSONValue, where: str) -> Iterator[str | int]:
    """Yield the names and positions of a path such as `$.hops[0].actual.headers[...]`."""
    value = raw
    for match in _COMPONENT.finditer(where):
        component: str | int
        if match["index"] is not None:
            component = int(match["index"])
        elif match["name"] is not None:
            component = match["name"]
        else:
            # msgspec does not say which member of an object it was.
            component = next(name for name, member in value.items() if not _is_value(name, member))
        yield component
        value = value[component]


def _is_value(name: str, member: JSONValue) -> bool:
    return _is_isomorphic(name) and (
        member is None or (isinstance(member, str) and _is_isomorphic(member))
    )


def _is_isomorphic(text: str) -> bool:
    return all(character <= "\xff" for character in text)


def _at(raw: JSONValue, components: tuple[str | int, ...]) -> JSONValue:
    value = raw
    for component in components:
        value = value[component]
    return value


def _shortened(value: JSONValue) -> str:
    text = json.dumps(value)
    return text if len(text) <= _SEEN_LENGTH else f"{text[:_SEEN_LENGTH]}..."
