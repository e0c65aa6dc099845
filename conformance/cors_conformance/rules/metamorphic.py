"""Metamorphic relations: how verdicts change, or do not, when policy or order do."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import islice
from typing import Final

from cors_conformance.application import ApplicationResponse
from cors_conformance.fetch.steps import show
from cors_conformance.grant import asked_for
from cors_conformance.implementation import Capability
from cors_conformance.policy import WILDCARD, Policy
from cors_conformance.rules import connecting, rewriting
from cors_conformance.rules.asking import is_served
from cors_conformance.rules.base import Breach, Level, Look, Rule
from cors_conformance.rules.picking import is_picked
from cors_conformance.rules.relating import is_as_granted, members, require_same, shown
from cors_conformance.rules.telling import lines, readable, why
from cors_conformance.scenario import PLAIN, Batch, RawRequest, Visit
from cors_conformance.servers.base import ConfigurationRefused, ServerDied
from cors_conformance.world import Fetched, Sent, World

ADDED_ORIGIN: Final = "https://added.example"
ADDED_NAME: Final = "X-Added"
_ADDED_METHODS: Final = ("PATCH", "PUT", "DELETE")
_ADDED_METHOD: Final = "X-ADDED"
_VISITS: Final = 12
_ALONE: Final = 2
_ADDED_MAX_AGE: Final = 7
_SEVERAL: Final = 2
_FEW: Final = 4
_CROWD: Final = 300

_DECIDING: Final = ApplicationResponse(
    headers=(
        (b"access-control-allow-origin", b"https://decided.example"),
        (b"access-control-allow-credentials", b"true"),
        (b"access-control-expose-headers", b"*"),
    )
)
"""What an application answers that decides for itself, which others must not learn from."""

_COMPARED: Final = (
    b"access-control-allow-origin",
    b"access-control-allow-credentials",
    b"access-control-allow-methods",
    b"access-control-allow-headers",
    b"access-control-expose-headers",
    b"access-control-max-age",
    b"vary",
)


def _elsewhere(world: World, policy: Policy, visit: Visit) -> Fetched | None:
    """Give the visit under another policy; `None` where that one is not served.

    What is to be said of a server that dies is said of the policy under which it dies.
    """
    try:
        other = world.with_policy(policy)
        return None if other is None else other.fetch(visit)
    except ServerDied:
        return None


def _same(world: World, fetched: Fetched, policy: Policy, change: str) -> bool:
    if policy == world.policy or not is_as_granted(fetched):
        return False
    other = _elsewhere(world, policy, fetched.visit)
    if other is None:
        return False
    require_same(fetched, other, change)
    return True


def _permute(world: World, fetched: Fetched) -> bool:
    policy = world.policy
    turned = replace(
        policy,
        allow_origins=policy.allow_origins[::-1],
        allow_methods=policy.allow_methods[::-1],
        allow_headers=policy.allow_headers[::-1],
        expose_headers=policy.expose_headers[::-1],
    )
    doubled = replace(
        policy,
        allow_origins=policy.allow_origins * 2,
        allow_methods=policy.allow_methods * 2,
        allow_headers=policy.allow_headers * 2,
        expose_headers=policy.expose_headers * 2,
    )
    judged = _same(world, fetched, turned, "with the lists of the policy in reverse order")
    # A library may take `*` beside anything, itself included, for a mistake of any kind.
    is_listed = WILDCARD not in policy.allow_origins + policy.allow_methods + policy.allow_headers
    if is_listed and WILDCARD not in policy.expose_headers:
        judged |= _same(world, fetched, doubled, "with each item of the policy listed twice")
    return judged


def _mono_origin(world: World, fetched: Fetched) -> bool:
    policy, visit = world.policy, fetched.visit
    if WILDCARD in policy.allow_origins or ADDED_ORIGIN in policy.allow_origins:
        return False
    if visit.origin == ADDED_ORIGIN:
        return False
    larger = replace(policy, allow_origins=(*policy.allow_origins, ADDED_ORIGIN))
    change = f"with {ADDED_ORIGIN} added to allow_origins"
    if not _same(world, fetched, larger, change):
        return False
    if fetched.shared:
        _require_granted(_elsewhere(world, larger, replace(visit, origin=ADDED_ORIGIN)), change)
    return True


def _require_granted(fetched: Fetched | None, change: str) -> None:
    if fetched is not None and fetched.grant.granted and not fetched.shared:
        message = f"what was added is not granted {change}: {why(fetched)}"
        raise Breach(message)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Addition:
    """A policy with one item more, a visit that the item grants, and whether it concerns one."""

    policy: Policy
    change: str
    visit: Visit
    concerns: bool


def _additions(world: World, visit: Visit) -> Iterator[_Addition]:
    policy = world.policy
    asked_method, asked_names = asked_for(visit)
    custom = (_ADDED_METHOD,) if world.can(Capability.ANY_METHOD) else ()
    methods = [name for name in (*_ADDED_METHODS, *custom) if name not in policy.allow_methods]
    if world.can(Capability.METHODS) and methods and WILDCARD not in policy.allow_methods:
        method = methods[0].encode("ascii")
        yield _Addition(
            policy=replace(policy, allow_methods=(*policy.allow_methods, methods[0])),
            change=f"with {methods[0]} added to allow_methods",
            visit=replace(visit, method=method, body=b"page"),
            concerns=asked_method == method,
        )
    name = ADDED_NAME.encode("ascii")
    if world.can(Capability.HEADERS) and not _has(policy.allow_headers, ADDED_NAME):
        yield _Addition(
            policy=replace(policy, allow_headers=(*policy.allow_headers, ADDED_NAME)),
            change=f"with {ADDED_NAME} added to allow_headers",
            visit=replace(visit, headers=(*visit.headers, (name, b"1"))),
            concerns=name.lower() in asked_names,
        )


def _has(listed: tuple[str, ...], name: str) -> bool:
    return any(item.lower() in {name.lower(), WILDCARD} for item in listed)


def _mono_methods_headers(world: World, fetched: Fetched) -> bool:
    judged = _mono_expose(world, fetched.visit)
    for addition in _additions(world, fetched.visit):
        larger, change = addition.policy, addition.change
        if addition.concerns or not _same(world, fetched, larger, change):
            continue
        judged = True
        if fetched.shared:
            _require_granted(_elsewhere(world, larger, addition.visit), change)
    return judged


def _mono_expose(world: World, visit: Visit) -> bool:
    policy = world.policy
    if not world.can(Capability.EXPOSE, Capability.APPLICATION_HEADERS):
        return False
    if _has(policy.expose_headers, ADDED_NAME):
        return False
    method = asked_for(visit)[0]
    if method == b"OPTIONS" or not is_served(world, method):
        return False  # the application may not answer, and then it sends no headers
    # Other names may mean something to whoever is between the application and the page.
    known = [name for name in policy.expose_headers if name.lower().startswith("x-")]
    names = {name.lower().encode("ascii"): b"1" for name in (*known, ADDED_NAME, "X-Secret")}
    before = world.fetch(
        replace(visit, application=ApplicationResponse(headers=tuple(names.items())))
    )
    if not before.shared or not is_as_granted(before):
        return False
    larger = replace(policy, expose_headers=(*policy.expose_headers, ADDED_NAME))
    after = _elsewhere(world, larger, before.visit)
    if after is None:
        return False
    change = f"with {ADDED_NAME} added to expose_headers"
    added = ADDED_NAME.lower().encode("ascii")
    if not after.shared:
        message = f"a page of {visit.origin} does not get the response {change}: {why(after)}"
        raise Breach(message)
    if added not in readable(before) and readable(after) != readable(before) | {added}:
        told = b", ".join(sorted(readable(after) ^ readable(before))) or None
        message = f"pages can read other headers {change}, and the difference is {show(told)}"
        raise Breach(message)
    return True


def _mono_credentials(world: World, fetched: Fetched) -> bool:
    policy = world.policy
    if policy.allow_credentials or WILDCARD in policy.allow_origins:
        return False
    if fetched.visit.credentials == "include" or not fetched.shared or not fetched.grant.granted:
        return False
    larger = replace(policy, allow_credentials=True)
    return _same(world, fetched, larger, "with allow_credentials turned on")


def _max_age_neutral(world: World, fetched: Fetched) -> bool:
    policy = replace(world.policy, max_age=world.policy.max_age + _ADDED_MAX_AGE)
    return _same(world, fetched, policy, f"with a max_age of {policy.max_age}")


def _idempotent(world: World, fetched: Fetched) -> bool:
    for sent in fetched.sent:
        again = Sent(
            request=sent.request,
            application=sent.application,
            reply=world.server.send(sent.request, sent.application),
        )
        if sent.reply.response is None or again.reply.response is None:
            continue
        for name in _COMPARED:
            first, second = lines(sent, name), lines(again, name)
            # Members of a list may come in any order, as those of a hash table do.
            if members(first) != members(second):
                message = (
                    f"the same request was answered {show(name)}: {shown(first)}, and then"
                    f" {shown(second)}"
                )
                raise Breach(message)
    return True


def _independent(world: World, batch: Batch) -> bool:
    """Do everything in another order, and some of it alone, each with a server of its own."""
    every = list(batch.visits())
    visits = list(islice(every[:: max(1, len(every) // _VISITS)], _VISITS))
    fetched = [world.fetch(visit) for visit in visits]
    if len(fetched) < _SEVERAL:
        return False
    with World(world.implementation, world.policy) as fresh:
        for raw in (*batch.hostile, *_with_cookies(world, batch)):
            fresh.send(raw)
        for item in reversed(fetched):
            require_same(item, fresh.fetch(item.visit), "after other requests, in another order")
    _require_beside(world, fetched[:_FEW])
    if is_picked(world, batch):
        _require_in_a_crowd(world, fetched[:_FEW])
    for item in (fetched[-1], fetched[len(fetched) // 2])[:_ALONE]:
        with World(world.implementation, world.policy) as fresh:
            require_same(item, fresh.fetch(item.visit), "as the only request")
    return True


def _require_in_a_crowd(world: World, fetched: Sequence[Fetched]) -> None:
    """Hold that pages fare the same when so many others came that none can be remembered."""
    with World(world.implementation, world.policy) as fresh:
        for number in range(_CROWD):
            fresh.send(_stranger(number))
        for item in fetched:
            change = f"after pages of {_CROWD} other origins"
            require_same(item, fresh.fetch(item.visit), change)


def _stranger(number: int) -> RawRequest:
    origin = (b"origin", b"https://stranger-%d.example" % number)
    return RawRequest(method=b"GET", headers=(origin,))


def _require_beside(world: World, fetched: Sequence[Fetched]) -> None:
    """Hold that pages fare the same where there is an instance with another policy."""
    implementation = world.implementation
    if implementation.interface == "http":
        return  # each has a process of its own
    with (
        World(implementation, world.policy) as fresh,
        World(implementation, _unlike(world)) as other,
    ):
        fresh.log = other.log = world.log
        try:
            _ = fresh.server, other.server
        except (ConfigurationRefused, ServerDied):
            return
        for item in fetched:
            other.fetch(item.visit)
            require_same(item, fresh.fetch(item.visit), "beside an instance with another policy")


def _unlike(world: World) -> Policy:
    """Give a policy that has nothing in common with the world's, as far as it can be expressed."""
    lists = {
        Capability.METHODS: ("allow_methods", (_ADDED_METHODS[0],)),
        Capability.HEADERS: ("allow_headers", (ADDED_NAME,)),
        Capability.EXPOSE: ("expose_headers", (ADDED_NAME,)),
        Capability.CREDENTIALS: ("allow_credentials", not world.policy.allow_credentials),
    }
    changed = dict(change for capability, change in lists.items() if world.can(capability))
    return replace(world.policy, allow_origins=(ADDED_ORIGIN,), **changed)  # type: ignore[arg-type] # of the list's type


def _with_cookies(world: World, batch: Batch) -> Iterator[RawRequest]:
    """Give requests with cookies, to applications with and without CORS headers of their own."""
    is_able = world.can(Capability.APPLICATION_HEADERS)
    for origin in batch.origins[:_SEVERAL]:
        headers = ((b"origin", origin.encode("latin-1")), (b"cookie", b"session=1"))
        for application in (PLAIN, _DECIDING) if is_able else (PLAIN,):
            yield RawRequest(method=b"GET", headers=headers, application=application)


METAMORPHIC: Final = (
    Rule(
        id="mm-permute",
        statement="The order of a policy's lists, and saying something twice, change nothing.",
        anchor="#http-cors-protocol",
        level=Level.MUST,
        look=Look.RELATION,
        check=_permute,
        chapter="metamorphic",
    ),
    Rule(
        id="mm-mono-origin",
        statement="An origin more in the policy grants that origin and changes nothing for others.",
        anchor="#concept-cors-check",
        level=Level.MUST,
        look=Look.RELATION,
        check=_mono_origin,
        depends_on=("live-simple",),
        chapter="metamorphic",
    ),
    Rule(
        id="mm-mono-methods-headers",
        statement="A method, a header or an exposed header more in the policy grants just that.",
        anchor="#cors-preflight-fetch-0",
        level=Level.MUST,
        look=Look.RELATION,
        check=_mono_methods_headers,
        depends_on=("live-simple",),
        chapter="metamorphic",
    ),
    Rule(
        id="mm-mono-credentials",
        statement="allow_credentials takes nothing away from requests without credentials.",
        anchor="#cors-protocol-and-credentials",
        level=Level.MUST,
        look=Look.RELATION,
        check=_mono_credentials,
        needs=frozenset({Capability.CREDENTIALS}),
        chapter="metamorphic",
    ),
    Rule(
        id="mm-maxage-neutral",
        statement="max_age does not decide over any single fetch.",
        anchor="#concept-cache",
        level=Level.MUST,
        look=Look.RELATION,
        check=_max_age_neutral,
        needs=frozenset({Capability.MAX_AGE}),
        chapter="metamorphic",
    ),
    Rule(
        id="mm-idempotent",
        statement="The same request gets the same CORS headers again.",
        anchor="#http-responses",
        level=Level.MUST,
        look=Look.RELATION,
        check=_idempotent,
        chapter="metamorphic",
    ),
    Rule(
        id="mm-independent",
        statement="What comes of a fetch does not depend on the requests before it, nor on other"
        " instances.",
        anchor="#http-responses",
        level=Level.MUST,
        look=Look.BATCH,
        check=_independent,
        chapter="metamorphic",
    ),
    Rule(
        id="mm-header-order",
        statement="The order of a request's header lines, and headers that have nothing to do with"
        " CORS, change nothing.",
        anchor="RFC 9110, 5.3",
        level=Level.MUST,
        look=Look.RELATION,
        check=rewriting.header_order,
        chapter="metamorphic",
    ),
    Rule(
        id="mm-rename",
        statement="An origin, a header or a method with another name in policy and request fares"
        " the same.",
        anchor="#concept-cors-check",
        level=Level.MUST,
        look=Look.RELATION,
        check=rewriting.rename,
        depends_on=("live-simple",),
        chapter="metamorphic",
    ),
    Rule(
        id="mm-path",
        statement="Path, query and Host do not decide over CORS headers.",
        anchor="#http-responses",
        level=Level.SHOULD,
        look=Look.RELATION,
        check=rewriting.path,
        chapter="metamorphic",
    ),
    Rule(
        id="mm-connection",
        statement="The version of HTTP, addresses that a server does not know, and what else it may"
        " leave out, change nothing.",
        anchor="#http-responses",
        level=Level.MUST,
        look=Look.POLICY,
        check=connecting.connection,
        chapter="metamorphic",
    ),
    Rule(
        id="mm-double-wrap",
        statement="A middleware around itself, with the same policy, lets pages do what it lets"
        " them alone.",
        anchor="#concept-header-list-get",
        level=Level.SHOULD,
        look=Look.BATCH,
        check=rewriting.double_wrap,
        chapter="metamorphic",
    ),
)
"""Chapter J."""
