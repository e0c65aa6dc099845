"""Requests that no browser sends, and ordinary ones that no page does."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache, lru_cache, partial
from typing import Final, TypeAlias

from hypothesis import strategies as st

from cors_conformance.fetch.http import HeaderLine, HeaderLines
from cors_conformance.policy import WILDCARD, Policy
from cors_conformance.scenario import API, RawRequest
from cors_conformance.strategies.choices import Choices
from cors_conformance.strategies.mutations import EVIL, UNSAFE_OPERATORS, mutations

_EVIL: Final = EVIL.encode("ascii")
_API_HOST: Final = API.partition("://")[2].encode("ascii")
_LARGE: Final = 1 << 16
_HUGE: Final = 1 << 20

_Recipe: TypeAlias = Callable[[], RawRequest]

_ORIGIN: Final = b"origin"
_METHOD: Final = b"access-control-request-method"
_HEADERS: Final = b"access-control-request-headers"


@dataclass(frozen=True, slots=True, kw_only=True)
class _Target:
    """What a policy grants, for requests to lean on: an origin, another, a method, a name."""

    origin: bytes
    other: bytes
    method: bytes
    name: bytes

    def get(self, *lines: HeaderLine, method: bytes = b"GET", target: bytes = b"/") -> RawRequest:
        return RawRequest(method=method, target=target, headers=lines)

    def preflight(
        self,
        *,
        origins: tuple[bytes, ...] | None = None,
        methods: tuple[bytes, ...] | None = None,
        names: tuple[bytes, ...] = (),
        more: HeaderLines = (),
    ) -> RawRequest:
        """Return an OPTIONS request with one line for each value given."""
        values = {
            _ORIGIN: (self.origin,) if origins is None else origins,
            _METHOD: (self.method,) if methods is None else methods,
            _HEADERS: names,
        }
        lines = tuple((name, value) for name, lines in values.items() for value in lines)
        return RawRequest(method=b"OPTIONS", headers=lines + more)


def _ordinary(target: _Target) -> tuple[RawRequest, ...]:
    origin = (_ORIGIN, target.origin)
    evil = (_ORIGIN, _EVIL)
    method = (_METHOD, target.method)
    return (
        # No CORS request at all.
        target.get(),
        target.get(method=b"HEAD"),
        target.get((b"content-type", b"application/json"), method=b"POST"),
        target.get((b"vary", b"x-request"), (b"cookie", b"session=1")),
        target.get(method=b"OPTIONS"),
        # Half a preflight is an ordinary request.
        target.get(origin, method=b"OPTIONS"),
        target.get(evil, method=b"OPTIONS"),
        target.get(method, method=b"OPTIONS"),
        target.get(method, (_HEADERS, target.name), method=b"OPTIONS"),
        target.get(origin, (_HEADERS, target.name), method=b"OPTIONS"),
        target.get(origin, method),
        target.get(origin, method, method=b"POST"),
        target.get(evil, method, method=b"PUT"),
        # Credentials, on either side of the policy.
        target.get(origin, (b"cookie", b"session=1")),
        target.get(evil, (b"cookie", b"session=1")),
        target.get(evil, (b"authorization", b"Basic dXNlcjpwYXNz")),
        # The origin taken from where it is not.
        target.get((b"x-origin", target.origin)),
        target.get(evil, (b"x-origin", target.origin)),
        target.get(evil, (b"x-forwarded-origin", target.origin)),
        target.get(evil, (b"referer", target.origin + b"/")),
        target.get(evil, (b"x-forwarded-host", b"evil.example"), (b"x-forwarded-proto", b"https")),
        target.get(evil, (b"host", b"evil.example")),
        target.get((_ORIGIN, API.encode("ascii")), (b"host", _API_HOST), method=b"POST"),
        target.get(evil, target=b"/?origin=" + target.origin + b"&domain=" + _EVIL),
        target.get(target=b"/?domain=" + _EVIL),
        # Headers that mean something to some servers and nothing to CORS.
        target.get(evil, (b"x-api-key", b"1"), (b"x-requested-with", b"XMLHttpRequest")),
        target.get(evil, (b"x-http-method-override", b"OPTIONS"), method, method=b"POST"),
        target.get(origin, (b"x-http-method-override", b"OPTIONS"), method, method=b"POST"),
        target.preflight(more=((b"access-control-request-private-network", b"true"),)),
        target.preflight(origins=(_EVIL,), more=((b"cookie", b"session=1"),)),
        target.preflight(more=((b"content-type", b"text/html"), (b"referer", target.origin))),
    )


def _simple(origins: tuple[bytes, ...]) -> RawRequest:
    return RawRequest(method=b"GET", headers=tuple((_ORIGIN, value) for value in origins))


def _odd(target: _Target) -> tuple[_Recipe, ...]:
    both, reverse = (target.origin, _EVIL), (_EVIL, target.origin)
    origin_lines = (
        # Several origins: none of them is the origin.
        *(both, reverse, (target.origin, target.origin), (target.origin, target.other)),
        *((b", ".join(both),), (b",".join(reverse),), (b" ".join(both),), (b" ".join(reverse),)),
        *((b"null", target.origin), (target.origin, b"")),
        # What an origin is not.
        *((b"",), (b"*",), (b"NULL",), (b"Null",), (b"nullx",), (b"xnull",), (b"null, null",)),
        *((b"undefined",), (b"true",), (b"://",), (b"https://",), (b"a.example",), (b"\x80\xff",)),
        *(
            (target.origin + b"\xff",),
            (target.origin + b"\x7f\x01",),
            (b'"' + target.origin + b'"',),
        ),
        *(
            (target.origin.swapcase(),),
            (_EVIL + b"<script>",),
            (b"https://[::1",),
            (b"https://a:b:c",),
        ),
        (b"https://a.example:99999999999999999999",),
        # A lot of it.
        *(
            (target.origin + b"a" * _LARGE,),
            (b"a" * _LARGE + target.origin,),
            (b"https://" * 8192,),
        ),
        ((target.origin + b", ") * 500 + target.origin,),
        # What regular expressions with two ways to match the same never come to the end of.
        *((target.origin + part * 40 + b"!",) for part in (b"a", b"a.", b".a", b"-a", b"1")),
    )
    method_lines = (
        *((b"",), (b"*",), (b"PUT, GET",), (b"GET,PUT",), (b"P UT",), (b"PUT/1",), (b'"PUT"',)),
        *((target.method, b"CHICKEN"), (b"CHICKEN", target.method), (target.method.lower(),)),
        *((b"<script>",), (b"\xe9",), (b"P\x01T",), (b"TRACE",), (b"CONNECT",), (b"PUT;x=1",)),
        *((b"X" * _LARGE,), (target.method * 5000,), (b"GET", b"GET")),
    )
    name_lines = (
        *((b"",), (b",",), (b"*",), (b", , ,",), (target.name + b",",), (b"," + target.name,)),
        *((target.name + b" , " + target.name,), (target.name, b"x-evil"), (target.name,) * 2),
        *((b"X-EVIL," + target.name.upper(),), (b'"' + target.name + b'"',), (b"x evil",)),
        *((b"x-evil:1",), (b"<script>alert(1)</script>",), (b"x-\xe9",), (b"x-\x01\x7f",)),
        *((b"x-evil;q=1",), (b"\t" + target.name + b"\t,\tx-evil",), (b"cookie, origin, host",)),
        *((b"x" * _LARGE,), (b"," * _LARGE,), (b" " * 20000 + b"x",), (b"x-evil, " * 3000,)),
        (_names(5000),),
        ((target.name + b",") * 5000 + target.name,),
        (b"x-evil",) * 100,
    )
    allowed = (raw.encode() for raw in mutations(target.origin.decode("ascii"), audience="raw"))
    misspelt = tuple((raw,) for raw in allowed)
    return (
        *(partial(target.preflight, origins=lines) for lines in origin_lines + misspelt),
        *(partial(_simple, lines) for lines in origin_lines + misspelt),
        *(partial(target.preflight, methods=lines) for lines in method_lines),
        *(partial(target.preflight, names=lines) for lines in name_lines),
        partial(target.preflight, origins=(_EVIL,), methods=(b"<script>",), names=(b"<script>",)),
        partial(target.preflight, more=((b"access-control-allow-origin", b"*"),)),
    )


def _unsafe(target: _Target) -> tuple[_Recipe, ...]:
    spellings = tuple(
        spelling.encode("ascii")
        for operator in UNSAFE_OPERATORS.values()
        for spelling in operator(target.origin.decode("ascii"))
    )
    injections = (b"x\r\nx-injected: 1", b"x\n\nbody", b"x\0y", b"PUT\r\n")
    return (
        *(partial(target.preflight, origins=(spelling,)) for spelling in spellings),
        *(partial(_simple, (spelling,)) for spelling in spellings),
        *(partial(target.preflight, methods=(value,)) for value in injections),
        *(partial(target.preflight, names=(value,)) for value in injections),
    )


@cache
def _names(number: int) -> bytes:
    return b",".join(b"x-%d" % index for index in range(number))


@cache
def _repeated(byte: bytes) -> bytes:
    return byte * _HUGE


def _huge(target: _Target) -> tuple[_Recipe, ...]:
    values = (*(_repeated(byte) for byte in (b",", b" ", b"x")), _names(100_000))
    return (
        *(partial(target.preflight, names=(value,)) for value in values),
        partial(target.preflight, methods=(_repeated(b"x"),)),
        partial(target.preflight, origins=(_repeated(b"x"), target.origin)),
    )


@lru_cache(maxsize=64)
def _ordinary_requests(target: _Target) -> tuple[RawRequest, ...]:
    return _ordinary(target)


# A table holds a megabyte of long values, so only the last few targets keep theirs.
@lru_cache(maxsize=16)
def _raw_requests(target: _Target, *, unsafe_bytes: bool, huge: bool) -> tuple[_Recipe, ...]:
    return (
        *_odd(target),
        *(_unsafe(target) if unsafe_bytes else ()),
        *(_huge(target) if huge else ()),
    )


def ordinary_requests(policy: Policy) -> tuple[RawRequest, ...]:
    """Return well-formed requests by hand: no preflights of a page, and no page's."""
    return _ordinary_requests(_target(policy))


def raw_requests(
    policy: Policy, *, unsafe_bytes: bool = False, huge: bool = False
) -> tuple[Callable[[], RawRequest], ...]:
    """Return what makes each request that no client should send; options as for the strategy.

    Functions, since of some two hundred requests an example needs three.
    """
    return _raw_requests(_target(policy), unsafe_bytes=unsafe_bytes, huge=huge)


def _target(policy: Policy) -> _Target:
    origins = tuple(item for item in policy.allow_origins if item not in {WILDCARD, "null"})
    first, last = (origins[0], origins[-1]) if origins else ("https://a.example",) * 2
    methods = tuple(method for method in policy.allow_methods if method not in {"GET", WILDCARD})
    names = tuple(name for name in policy.allow_headers if name != WILDCARD)
    return _Target(
        origin=first.encode("ascii"),
        other=last.encode("ascii"),
        method=(methods[-1] if methods else "PUT").encode("ascii"),
        name=(names[0] if names else "x-a").lower().encode("ascii"),
    )


@st.composite
def hostile_requests(
    draw: st.DrawFn, policy: Policy, *, unsafe_bytes: bool = False, huge: bool = False
) -> RawRequest:
    """Draw a request by hand, around what the policy grants; simple ones first.

    `unsafe_bytes` adds CR, LF and NUL inside values, which only get to a middleware in process;
    `huge` adds values of a megabyte. Aims at servers that take one of several origins for the
    origin, that compare after normalisation, reflect what they refuse, take any OPTIONS for a
    preflight, find the origin elsewhere, fall over, or take long.
    """
    choices = Choices(draw)
    if choices.one((True, False)):
        return choices.one(ordinary_requests(policy))
    return choices.one(raw_requests(policy, unsafe_bytes=unsafe_bytes, huge=huge))()
