"""JSON as people write it into files, where nothing may be lost (RFC 8259)."""

import json
from typing import Any, NoReturn


def loads(text: str) -> Any:  # noqa: ANN401 - any JSON value
    """Parse JSON text in which no object has a key twice, and each number is one of RFC 8259.

    Raises:
        ValueError: it is none; `json.JSONDecodeError`, with line and column, is one.
        RecursionError: it is nested too deeply.

    """
    return json.loads(text, object_pairs_hook=_unique, parse_constant=_no_constant)


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    # The last of two equal keys would win silently, and what the first one says would be lost.
    result = dict(pairs)
    if len(result) != len(pairs):
        names = [name for name, _ in pairs]
        twice = next(name for name in names if names.count(name) > 1)
        message = f"the key {json.dumps(twice)} stands twice in one object; expected it once"
        raise ValueError(message)
    return result


def _no_constant(name: str) -> NoReturn:
    message = f"{name} is no JSON number"
    raise ValueError(message)
