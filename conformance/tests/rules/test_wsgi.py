"""WSGI calls: what PEP 3333 lets middlewares do is spared, and so is what frameworks do."""

from collections.abc import Callable, Iterable
from typing import Any, Final

import pytest

from batches import BATCH
from cors_conformance.application import ApplicationError
from cors_conformance.implementation import Application, Capability, Implementation
from cors_conformance.implementations.registry import find
from cors_conformance.mutants import MUTANTS
from cors_conformance.policy import Policy
from cors_conformance.rules import RULES, select
from cors_conformance.rules.base import Breach
from cors_conformance.rules.picking import ONE_ORIGIN
from cors_conformance.variants import VARIANTS
from cors_conformance.world import World
from cors_reference import WSGICORSMiddleware

BOOK: Final = [rule.id for rule in select(["tr-wsgi-*"])]


def judged(rule: str, implementation: Implementation, policy: Policy = ONE_ORIGIN) -> bool:
    with World(implementation, policy) as world:
        return RULES[rule].check(world, BATCH)


def around(wrong: Callable[[Application, Any, Any], Any]) -> Implementation:
    """What `wrong(inner, environ, start_response)` makes of the reference."""

    def wrap(app: Application, policy: Policy) -> Application:
        parameters: dict[str, Any] = dict(policy.parameters())
        inner = WSGICORSMiddleware(app, **parameters)
        return lambda environ, start_response: wrong(inner, environ, start_response)

    return Implementation(name="tiny", interface="wsgi", wrap=wrap)


@pytest.mark.parametrize("rule", BOOK)
def test_right_middlewares_are_spared(rule: str) -> None:
    assert judged(rule, find("reference-wsgi"))
    for name in ("by-table", "by-generator", "first-item-taken"):
        assert judged(rule, VARIANTS[name].implementation)


@pytest.mark.parametrize("rule", BOOK)
def test_nothing_at_all_is_spared(rule: str) -> None:
    bare = Implementation(name="bare", interface="wsgi", wrap=lambda app, _policy: app)
    assert judged(rule, bare)


@pytest.mark.parametrize(
    ("name", "rule", "message"),
    [
        ("items-joined", "tr-wsgi-items", "item 2 of the body was asked for when the server had 0"),
        ("item-held-back", "tr-wsgi-items", "item 2 of the body was asked for when"),
        ("started-before-the-first-item", "tr-wsgi-items", "starts its response with the first"),
        ("items-left-open", "tr-wsgi-close", "not called at the end of the response"),
        ("closed-at-the-end-only", "tr-wsgi-close", "not called when the client left"),
        ("nothing-to-write-with", "tr-wsgi-start-response", "writes the first part of its body"),
        ("two-arguments-only", "tr-wsgi-start-response", "with exc_info"),
        ("environ-made-anew", "tr-wsgi-environ", "'x_conformance.own'"),
    ],
)
def test_wrong_ones_are_told_what_they_do(name: str, rule: str, message: str) -> None:
    with pytest.raises(Breach, match=message):
        judged(rule, MUTANTS[name].implementation)


def test_lines_of_both_starts_are_found() -> None:
    def gather(inner: Application, environ: Any, start_response: Any) -> Iterable[bytes]:
        gathered: list[tuple[str, str]] = []

        def start(status: str, headers: Any, exc_info: Any = None) -> Any:
            gathered.extend(headers)
            return start_response(status, [*gathered], exc_info)

        items: Iterable[bytes] = inner(environ, start)
        return items

    with pytest.raises(Breach, match=r"the response has `text/plain \| text/plain`"):
        judged("tr-wsgi-start-response", around(gather))


def test_failing_in_the_middle_needs_exc_info() -> None:
    def swallow(inner: Application, environ: Any, start_response: Any) -> Iterable[bytes]:
        is_started: list[bool] = []

        def start(status: str, headers: Any, exc_info: Any = None) -> Any:
            if is_started and served:
                return served.append
            is_started.append(True)
            return start_response(status, headers, exc_info)

        served: list[bytes] = []
        items = inner(environ, start)
        try:
            for item in items:
                served.append(item)
                yield item
        finally:
            if hasattr(items, "close"):
                items.close()

    with pytest.raises(Breach, match="here 299 with `one two ` came"):
        judged("tr-wsgi-start-response", around(swallow))


def test_what_writes_is_shared_too() -> None:
    def forget(inner: Application, environ: Any, start_response: Any) -> Any:
        def start(status: str, headers: Any, exc_info: Any = None) -> Any:
            lines = headers
            if exc_info is not None:
                lines = [line for line in headers if "access-control" not in line[0]]
            return start_response(status, lines, exc_info)

        return inner(environ, start)

    with pytest.raises(Breach, match="with exc_info, got Access-Control-Allow-Origin: nothing"):
        judged("tr-wsgi-start-response", around(forget))


def marked(inner: Application, environ: Any, start_response: Any) -> list[bytes]:
    """Marks the environment, as frameworks do."""
    return [b"".join(inner(environ | {"framework.request": object()}, start_response))]


def reported(inner: Application, environ: Any, start_response: Any) -> list[bytes]:
    """Answers exceptions, as frameworks do."""
    try:
        return [b"".join(inner(environ, start_response))]
    except ApplicationError:
        start_response("500 Internal Server Error", [])
        return [b"sorry"]


def restated(inner: Application, environ: Any, start_response: Any) -> list[bytes]:
    """Writes status lines anew, as frameworks do."""

    def start(status: str, headers: Any, exc_info: Any = None) -> Any:
        return start_response(status[:3] + " Unknown", headers, exc_info)

    return [b"".join(inner(environ, start))]


@pytest.mark.parametrize("rule", BOOK)
@pytest.mark.parametrize("framework", [marked, reported, restated])
def test_frameworks_are_not_judged(rule: str, framework: Any) -> None:
    assert not judged(rule, around(framework))


@pytest.mark.parametrize("name", ["reference", "starlette", "fastrapi"])
def test_other_interfaces_lack_it(name: str) -> None:
    assert Capability.WSGI in find(name).lacks
