"""Misconfigured: configurations that make no sense, and whether what serves them does harm.

They belong to the implementation and not to a policy, and each takes a server of its own. So they
are tried under the plainest policy alone, in which one parameter is replaced.
"""

import re
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import replace
from typing import Any, Final

import ada_url

from cors_conformance.application import ApplicationResponse
from cors_conformance.fetch.abnf import DELTA_SECONDS
from cors_conformance.fetch.browser import Outcome
from cors_conformance.fetch.steps import show
from cors_conformance.implementation import Capability
from cors_conformance.policy import WILDCARD, Parameter
from cors_conformance.rules.asking import fetch_with
from cors_conformance.rules.base import Breach
from cors_conformance.rules.picking import ONE_ORIGIN
from cors_conformance.rules.syntax import flaw
from cors_conformance.rules.telling import lines
from cors_conformance.scenario import Batch, RawRequest, Visit
from cors_conformance.servers.base import ServerDied
from cors_conformance.strategies.configurations import BAD_ORIGINS, BAD_TOKENS, FORBIDDEN_NAMES
from cors_conformance.strategies.methods import FORBIDDEN as FORBIDDEN_METHODS
from cors_conformance.strategies.mutations import EVIL, mutations
from cors_conformance.world import Sent, World

(ORIGIN,) = ONE_ORIGIN.allow_origins

_LISTS: Final[tuple[tuple[Capability, Parameter, str], ...]] = (
    (Capability.METHODS, "allow_methods", "PUT"),
    (Capability.HEADERS, "allow_headers", "X-A"),
    (Capability.EXPOSE, "expose_headers", "X-A"),
)
_EMITTED: Final = (
    b"access-control-allow-methods",
    b"access-control-allow-headers",
    b"access-control-expose-headers",
)
_MAX_AGES: Final[tuple[object, ...]] = (
    *(-1, -(2**31), True, False),
    *(0.5, 600.0, 1e30, float("nan"), float("inf")),
)
_DANGEROUS: Final = "has CR, LF or NUL in its value"
_SERVER_ERROR: Final = 500


def is_tried(world: World) -> bool:
    """Whether this is the world in which configurations are tried."""
    return world.policy == ONE_ORIGIN


@contextmanager
def served(world: World, **parameters: object) -> Iterator[World | None]:
    """Give the world of the policy with parameters replaced; `None` where that is not served."""
    replaced: dict[str, Any] = parameters
    with world.beside(world.implementation, replace(world.policy, **replaced)) as other:
        yield other


def _shown(**parameters: object) -> str:
    ((name, value),) = parameters.items()
    return f"with {name}={list(value) if isinstance(value, tuple) else value!r}"


def _fetch(world: World, visit: Visit) -> Outcome | None:
    try:
        return fetch_with(world, visit)
    except ServerDied:
        return None


def _send(world: World, raw: RawRequest) -> Sent | None:
    try:
        return world.send(raw)
    except ServerDied:
        return None


def _gets(world: World, visit: Visit) -> bool:
    outcome = _fetch(world, visit)
    return outcome is not None and outcome.result == "success"


def _reads(world: World, name: bytes) -> bool:
    """Whether a page can read a header of the application's response."""
    application = ApplicationResponse(headers=((name, b"1"),))
    visit = Visit(origin=ORIGIN, method=b"GET", application=application)
    outcome = _fetch(world, visit)
    response = None if outcome is None else outcome.response
    return response is not None and name in {key.lower() for key, _ in response.headers}


def _meant(text: str) -> frozenset[str]:
    """Give the origins that may be granted for a text that is none, if it is served at all.

    They are what a URL parser makes of it, with either scheme if it has none, and of its parts
    where it may be a list.
    """
    meant = {text}
    for part in re.split(r"[,\s]+", text):
        has_scheme = ":" in part.partition("/")[0]
        rest = part.removeprefix("//")
        for url in (part,) if has_scheme else (f"https://{rest}", f"http://{rest}"):
            with suppress(ValueError):
                meant.add(ada_url.URL(url).origin)
    # What has no origin of its own is not for everybody in a sandbox.
    return frozenset(meant if text == "null" else meant - {"null"})


def _is_pattern(text: str) -> bool:
    return WILDCARD in text


_STRANGERS: Final = (EVIL, "https://a.example.evil.example", "null")
_NEAR: Final = ("http://a.example", "https://b.a.example", "https://xa.example", "https://a")


def bad_origin(world: World, _: Batch) -> bool:
    """Hold that a misspelt origin is refused, understood as what it spells, or grants nothing."""
    if not is_tried(world):
        return False
    for text in dict.fromkeys((*BAD_ORIGINS, *mutations(ORIGIN, audience="raw")[::2])):
        meant = _meant(text)
        probes = _STRANGERS if _is_pattern(text) else (*_STRANGERS, ORIGIN, *_NEAR)
        with served(world, allow_origins=(text,)) as other:
            for origin in probes if other is not None else ():
                if other is not None and origin not in meant:
                    _refuse_origin(other, origin, _shown(allow_origins=(text,)))
    return True


def _refuse_origin(world: World, origin: str, change: str) -> None:
    if _gets(world, Visit(origin=origin, method=b"GET")):
        message = f"{change}, a page of {origin} gets responses, which nobody allowed"
        raise Breach(message)


def bad_token(world: World, _: Batch) -> bool:
    """Hold that what is no token is refused, or never sent."""
    if not is_tried(world):
        return False
    judged = False
    for capability, parameter, sample in _LISTS:
        if not world.can(capability):
            continue
        judged = True
        for item in BAD_TOKENS:
            for value in ((item,), (sample, item)):
                with served(world, **{parameter: value}) as other:
                    if other is not None:
                        _refuse_flaws(other, item, _shown(**{parameter: value}))
    return judged


def _refuse_flaws(world: World, item: str, change: str) -> None:
    asked = item.encode("latin-1")
    is_sendable = asked.isascii() and asked.decode().isprintable()
    requests = [_get(), _preflight(b"PUT"), _preflight(b"PUT", b"x-a")]
    if is_sendable and world.can(Capability.RAW_REQUESTS):
        requests += [_preflight(b"PUT", asked.lower()), _preflight(asked, b"x-a")]
    for raw in requests:
        sent = _send(world, raw)
        if sent is None:
            continue
        if sent.reply.failure is not None and _DANGEROUS in sent.reply.failure:
            message = f"{change}, the response is no HTTP: {sent.reply.failure}"
            raise Breach(message)
        for name in _EMITTED:
            for value in lines(sent, name):
                wrong = flaw(value)
                if wrong is not None:
                    message = f"{change}, {show(name)} is {show(value)}, which has {wrong}"
                    raise Breach(message)


def _get() -> RawRequest:
    return RawRequest(method=b"GET", headers=((b"origin", ORIGIN.encode("ascii")),))


def _preflight(method: bytes, *names: bytes) -> RawRequest:
    return RawRequest(
        method=b"OPTIONS",
        headers=(
            (b"origin", ORIGIN.encode("ascii")),
            (b"access-control-request-method", method),
            *((b"access-control-request-headers", name) for name in names),
        ),
    )


def max_age(world: World, _: Batch) -> bool:
    """Hold that what is no number of seconds is refused, or never sent."""
    if not is_tried(world):
        return False
    for value in _MAX_AGES:
        with served(world, max_age=value) as other:
            sent = None if other is None else _send(other, _preflight(b"PUT"))
            for text in () if sent is None else lines(sent, b"access-control-max-age"):
                if DELTA_SECONDS.fullmatch(text) is None:
                    message = (
                        f"{_shown(max_age=value)}, Access-Control-Max-Age is {show(text)}, which"
                        " are no digits"
                    )
                    raise Breach(message)
    return True


def star_mixed(world: World, _: Batch) -> bool:
    """Hold that `*` beside names is refused, or is `*`."""
    if not is_tried(world):
        return False
    page = Visit(origin=ORIGIN, method=b"GET")
    cases = (
        (None, "allow_origins", ORIGIN, replace(page, origin=EVIL)),
        (Capability.METHODS, "allow_methods", "PUT", replace(page, method=b"PATCH", body=b"page")),
        (Capability.HEADERS, "allow_headers", "X-A", replace(page, headers=((b"x-b", b"1"),))),
    )
    for capability, parameter, sample, visit in cases:
        if capability is None or world.can(capability):
            _require_star(world, parameter, sample, visit)
    if world.can(Capability.EXPOSE, Capability.APPLICATION_HEADERS):
        _require_star(world, "expose_headers", "X-A", None)
    return True


def _require_star(world: World, parameter: str, sample: str, visit: Visit | None) -> None:
    def gets(other: World) -> bool:
        return _reads(other, b"x-b") if visit is None else _gets(other, visit)

    with served(world, **{parameter: (WILDCARD,)}) as other:
        if other is None or not gets(other):
            return
    for value in ((WILDCARD, sample), (sample, WILDCARD)):
        with served(world, **{parameter: value}) as other:
            if other is not None and not gets(other):
                change = _shown(**{parameter: value})
                message = f"{change}, what `*` alone grants is served and not granted"
                raise Breach(message)


def text_for_list(world: World, _: Batch) -> bool:
    """Hold that a string where a list belongs is refused, or is one item."""
    if not is_tried(world):
        return False
    with served(world, allow_origins=ORIGIN) as other:
        # What is searched in the string; the string itself may be taken for one origin.
        for origin in ("https://a", "https://a.exampl", EVIL) if other is not None else ():
            if other is not None:
                _refuse_origin(other, origin, _shown(allow_origins=ORIGIN))
    page = Visit(origin=ORIGIN, method=b"GET")
    for capability, parameter, sample, visit in (
        (Capability.METHODS, "allow_methods", "PUT", replace(page, method=b"P", body=b"page")),
        (Capability.HEADERS, "allow_headers", "X-A", replace(page, headers=((b"x", b"1"),))),
    ):
        if not world.can(capability):
            continue
        with served(world, **{parameter: sample}) as other:
            if other is not None and _gets(other, visit):
                message = f"{_shown(**{parameter: sample})}, each of its characters is granted"
                raise Breach(message)
    if world.can(Capability.EXPOSE, Capability.APPLICATION_HEADERS):
        with served(world, expose_headers="X-A") as other:
            if other is not None and _reads(other, b"x"):
                message = f"{_shown(expose_headers='X-A')}, each of its characters is exposed"
                raise Breach(message)
    return True


def snapshot(world: World, _: Batch) -> bool:
    """Hold that lists that change after construction change nothing."""
    if not is_tried(world) or world.implementation.interface == "http":
        return False
    origins, methods, names, exposed = [ORIGIN], ["GET"], ["X-A"], ["X-A"]
    lists: tuple[tuple[Capability, Parameter, list[str]], ...] = (
        (Capability.METHODS, "allow_methods", methods),
        (Capability.HEADERS, "allow_headers", names),
        (Capability.EXPOSE, "expose_headers", exposed),
    )
    given: dict[str, object] = {name: value for can, name, value in lists if world.can(can)}
    given["allow_origins"] = origins
    page = Visit(origin=ORIGIN, method=b"GET")
    visits = (
        ("allow_origins", replace(page, origin="https://added.example")),
        ("allow_methods", replace(page, method=b"PATCH", body=b"page")),
        ("allow_headers", replace(page, headers=((b"x-added", b"1"),))),
    )
    with served(world, **given) as other:
        if other is None:
            return False
        granted = {parameter for parameter, visit in visits if _gets(other, visit)}
        origins.append("https://added.example")
        methods.append("PATCH")
        names.append("X-Added")
        exposed.append("X-Added")
        # What was asked before is remembered here, so that it is asked for another path now.
        for parameter, visit in visits:
            if parameter not in granted and _gets(other, replace(visit, path="/again")):
                message = f"what is appended to {parameter} after construction is granted"
                raise Breach(message)
        if Capability.APPLICATION_HEADERS not in world.implementation.lacks and _reads(
            other, b"x-added"
        ):
            message = "what is appended to expose_headers after construction is exposed"
            raise Breach(message)
    return True


def forbidden(world: World, _: Batch) -> bool:
    """Hold that names which no page can use are refused, or do no harm to the others."""
    if not is_tried(world):
        return False
    cases = (
        (Capability.METHODS, "allow_methods", ("PUT", *FORBIDDEN_METHODS)),
        (Capability.HEADERS, "allow_headers", ("X-A", *FORBIDDEN_NAMES)),
        (Capability.EXPOSE, "expose_headers", ("X-A", "Set-Cookie")),
    )
    for capability, parameter, value in cases:
        if not world.can(capability):
            continue
        with served(world, **{parameter: value}) as other:
            if other is not None:
                _require_unharmed(world, other, _shown(**{parameter: value}))
    return True


def _require_unharmed(world: World, other: World, change: str) -> None:
    page = Visit(origin=ORIGIN, method=b"GET")
    for visit in (page, replace(page, method=b"PUT", body=b"page")):
        if _gets(world, visit) and not _gets(other, visit):
            message = f"{change}, {show(visit.method)} is granted no more"
            raise Breach(message)
    if world.can(Capability.APPLICATION_HEADERS) and _reads(other, b"set-cookie"):
        message = f"{change}, pages read Set-Cookie"
        raise Breach(message)
