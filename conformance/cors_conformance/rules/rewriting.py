"""Rewriting: the same request in other words, the same policy with other names, two middlewares."""

from dataclasses import replace
from typing import Final, TypeAlias

from cors_conformance.fetch.http import HeaderLines
from cors_conformance.fetch.steps import show
from cors_conformance.grant import asked_for
from cors_conformance.implementation import Application, Capability
from cors_conformance.policy import WILDCARD, Policy
from cors_conformance.rules.asking import calls_are_seen
from cors_conformance.rules.base import Breach
from cors_conformance.rules.relating import (
    is_as_granted,
    members,
    require_same,
    shown,
)
from cors_conformance.rules.telling import lines, why
from cors_conformance.scenario import Batch, Visit
from cors_conformance.servers.base import ConfigurationRefused, ServerDied
from cors_conformance.world import Fetched, Sent, World

_DECIDING: Final = (
    b"access-control-allow-origin",
    b"access-control-allow-credentials",
    b"access-control-expose-headers",
)
_ASKED: Final = (
    *_DECIDING,
    b"access-control-allow-methods",
    b"access-control-allow-headers",
    b"access-control-max-age",
)
_SERVER_ERROR: Final = 500
_VISITS: Final = 4

# What browsers and honest proxies say of this very request; none of it contradicts the rest.
_UNRELATED: Final = (
    (b"accept-language", b"de, en;q=0.5"),
    (b"accept-encoding", b"gzip, br"),
    (b"user-agent", b"Mozilla/5.0"),
    (b"sec-fetch-mode", b"cors"),
    (b"sec-fetch-site", b"cross-site"),
    (b"sec-fetch-dest", b"empty"),
    (b"x-forwarded-proto", b"https"),
    (b"x-forwarded-for", b"192.0.2.7"),
    (b"x-request-id", b"0"),
)
# Those of an EventSource, of a page of the same site, and of whoever has an older copy.
_OTHERS: Final = (
    (b"accept", b"text/event-stream"),
    (b"cache-control", b"no-cache"),
    (b"if-modified-since", b"Thu, 01 Jan 2026 00:00:00 GMT"),
    (b"if-none-match", b'"older"'),
    (b"priority", b"u=1, i"),
    (b"sec-fetch-mode", b"cors"),
    (b"sec-fetch-site", b"same-site"),
)
# The host is not that of any page, which would be same-origin with it.
_HOST: Final = (b"host", b"api-by-another-name.example:8443")
_TARGETS: Final = (
    b"/other",
    b"/health",
    b"/static/app.js",
    b"/a/b/c.json?x=1&origin=https://evil.example",
    b"/%C3%A9",
)


def header_order(world: World, fetched: Fetched) -> bool:
    """Send the lines of requests the other way round, and among others."""
    for sent in fetched.sent:
        among = "among headers that have nothing to do with it"
        for headers, change in (
            (sent.request.headers[::-1], "with its header lines in reverse order"),
            (_among(_UNRELATED, sent), among),
            (_among(_OTHERS, sent), among),
        ):
            _require_same_answer(world, sent, change, _ASKED, headers=headers)
    return bool(fetched.sent)


def _among(others: HeaderLines, sent: Sent) -> HeaderLines:
    """Give other headers, in the place of those that the request has by the same names."""
    names = {name for name, _ in others}
    return (*others, *(line for line in sent.request.headers if line[0].lower() not in names))


def path(world: World, fetched: Fetched) -> bool:
    """Send requests to other paths, and by another name of the host."""
    for sent in fetched.sent:
        for target in _TARGETS:
            change = f"for {show(target)}"
            other = _require_same_answer(world, sent, change, _DECIDING, target=target)
            _require_no_failure(world, sent, other, change)
        headers = (_HOST, *sent.request.headers)
        change = f"with Host {show(_HOST[1])}"
        _require_same_answer(world, sent, change, _DECIDING, headers=headers)
    return bool(fetched.sent)


def _require_same_answer(
    world: World,
    sent: Sent,
    change: str,
    names: tuple[bytes, ...],
    *,
    headers: HeaderLines | None = None,
    target: bytes = b"/",
) -> Sent:
    headers = sent.request.headers if headers is None else headers
    other = world.send(replace(sent.raw, headers=headers, target=target))
    before, after = sent.reply.response, other.reply.response
    if before is None or after is None or after.status >= _SERVER_ERROR:
        return other
    for name in names:
        first, second = lines(sent, name), lines(other, name)
        if members(first) != members(second):
            message = (
                f"a request was answered {show(name)}: {shown(first)}, and {change} {shown(second)}"
            )
            raise Breach(message)
    return other


def _require_no_failure(world: World, sent: Sent, other: Sent, change: str) -> None:
    """Hold that nothing fails before the application is called, which takes any path."""
    before, reply = sent.reply.response, other.reply
    if before is None or before.status >= _SERVER_ERROR or not calls_are_seen(world):
        return
    is_failure = reply.response is None or reply.response.status >= _SERVER_ERROR
    if is_failure and sent.reply.calls and not reply.calls:
        how = f"the status {reply.response.status}" if reply.response else reply.failure
        message = f"a request reached the application, and {change} it did not: {how}"
        raise Breach(message)


_NEW_ORIGIN: Final = "https://a-renamed-page.example:49152"
_NEW_NAME: Final = "X-Renamed-Header_1"
_SWAPPED: Final = {"PUT": "DELETE", "DELETE": "PUT"}


def rename(world: World, fetched: Fetched) -> bool:
    """Rename an origin, a header and two methods, in policy and request alike.

    Equal stays equal and different different, so that an exact comparison comes out the same.
    """
    if not is_as_granted(fetched):
        return False
    # All at once: it takes one more server for a policy.
    policy, visit, renamed = world.policy, fetched.visit, []
    for step in (_origin_renamed, _header_renamed, _methods_renamed):
        policy, visit, change = step(world, policy, visit)
        renamed += [change] if change else []
    other = world.with_policy(policy) if renamed else None
    if other is None:
        return False
    try:
        refetched = other.fetch(visit)
    except ServerDied:
        return False
    require_same(fetched, refetched, f"with {', '.join(renamed)}, in policy and request")
    return True


_Renamed: TypeAlias = tuple[Policy, Visit, str]


def _origin_renamed(_: World, policy: Policy, visit: Visit) -> _Renamed:
    known = [origin for origin in policy.allow_origins if origin != WILDCARD]
    if not known or _NEW_ORIGIN in (*known, visit.origin):
        return policy, visit, ""
    old = known[0]
    return (
        replace(policy, allow_origins=_swapped(policy.allow_origins, old, _NEW_ORIGIN)),
        replace(visit, origin=_NEW_ORIGIN) if visit.origin == old else visit,
        f"{old} renamed to {_NEW_ORIGIN}",
    )


def _header_renamed(world: World, policy: Policy, visit: Visit) -> _Renamed:
    new = _NEW_NAME.lower().encode("ascii")
    names = [name for name in policy.allow_headers if _is_custom(name)]
    taken = {name.lower() for name, _ in visit.headers}
    if not world.can(Capability.HEADERS) or not names or new in taken:
        return policy, visit, ""
    old = names[0]
    headers = tuple(
        (new if name.lower() == old.lower().encode("ascii") else name, value)
        for name, value in visit.headers
    )
    return (
        replace(policy, allow_headers=_swapped(policy.allow_headers, old, _NEW_NAME)),
        replace(visit, headers=headers),
        f"{old} renamed to {_NEW_NAME}",
    )


def _methods_renamed(world: World, policy: Policy, visit: Visit) -> _Renamed:
    methods = tuple(_SWAPPED.get(name, name) for name in policy.allow_methods)
    if not world.can(Capability.METHODS) or methods == policy.allow_methods:
        return policy, visit, ""
    # The browser has normalised what the page wrote.
    method = _SWAPPED.get(asked_for(visit)[0].decode("latin-1"))
    return (
        replace(policy, allow_methods=methods),
        replace(visit, method=visit.method if method is None else method.encode("ascii")),
        "PUT and DELETE renamed to one another",
    )


def _swapped(listed: tuple[str, ...], old: str, new: str) -> tuple[str, ...]:
    return tuple(new if item.lower() == old.lower() else item for item in listed)


def _is_custom(name: str) -> bool:
    """Whether nobody gives a header a meaning of its own."""
    return name.lower().startswith("x-") and not name.lower().startswith(("x-http", "x-method"))


def double_wrap(world: World, batch: Batch) -> bool:
    """Put the middleware around itself."""
    implementation = world.implementation
    wrap = implementation.wrap
    if wrap is None:
        return False

    def wrap_twice(app: Application, policy: Policy) -> Application:
        return wrap(wrap(app, policy), policy)

    every = list(batch.visits())
    judged = False
    with World(replace(implementation, wrap=wrap_twice), world.policy) as twice:
        twice.log = world.log
        for visit in every[:: max(1, len(every) // _VISITS)][:_VISITS]:
            fetched = world.fetch(visit)
            try:
                refetched = twice.fetch(visit)
            except (ConfigurationRefused, ServerDied):
                return judged
            # An application with CORS headers of its own may be taken for a mistake.
            replies = [sent.reply.response for sent in refetched.sent]
            if any(reply is None or reply.status >= _SERVER_ERROR for reply in replies):
                continue
            if is_as_granted(fetched):
                judged = True
                _require_alike(fetched, refetched)
    return judged


def _require_alike(fetched: Fetched, refetched: Fetched) -> None:
    if fetched.shared != refetched.shared:
        message = (
            f"a page of {fetched.visit.origin} fares otherwise with the middleware around itself:"
            f" {why(refetched)}; alone {why(fetched)}"
        )
        raise Breach(message)
