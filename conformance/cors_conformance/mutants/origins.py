"""Mutants that compare origins wrongly."""

# ruff: noqa: ANN401, ARG002, D102 - a mutant overrides what its base documents, and takes it all

import re
from collections.abc import Iterable, Mapping
from typing import Any, Final
from urllib.parse import unquote_to_bytes

from cors_conformance.mutants.base import (
    ORIGIN,
    VARY,
    Answer,
    ASGIApp,
    Believing,
    Chapter,
    Configured,
    CORSMiddleware,
    Editing,
    Header,
    Loose,
    Scope,
    first,
    named,
    replaced,
    without,
)

ORIGINS: Final = Chapter()

_LOOK_ALIKE: Final = "pages of a look-alike origin read what is meant for another"
_BLOCKED: Final = "pages that the operator listed get network errors"


def _host(origin: bytes) -> bytes:
    return origin.partition(b"://")[2]


@ORIGINS.add(
    "K03",
    "safe-origin-nearmiss",
    copies="starlette #800",
    consequence=_LOOK_ALIKE,
)
class MatchedFromTheStart(Loose):
    """An allowed origin need only be where the request's origin starts: `re.match`."""

    def matches(self, origin: bytes, allowed: bytes) -> bool:
        return re.match(re.escape(allowed), origin) is not None


@ORIGINS.add(
    "K03", "safe-acao-closed", copies="NelmioCorsBundle, the flag `i`", consequence=_LOOK_ALIKE
)
class MatchedInAnyCase(Loose):
    """Origins are compared regardless of case, and the request's is echoed."""

    def matches(self, origin: bytes, allowed: bytes) -> bool:
        return origin.lower() == allowed


@ORIGINS.add("K04", "safe-origin-nearmiss", copies="litestar 4a07af3c3", consequence=_LOOK_ALIKE)
class DotMatchesAnything(Loose):
    """An allowed origin is used as a regular expression."""

    def matches(self, origin: bytes, allowed: bytes) -> bool:
        return "[" not in allowed.decode() and re.fullmatch(allowed, origin) is not None


@ORIGINS.add(
    "K09",
    "safe-origin-nearmiss",
    copies="keys made of origins, with the letters and digits alone",
    consequence=_LOOK_ALIKE,
)
class HyphensLeftOut(Loose):
    """Origins are compared without their hyphens."""

    def matches(self, origin: bytes, allowed: bytes) -> bool:
        return origin.replace(b"-", b"") == allowed.replace(b"-", b"")


@ORIGINS.add(
    "K05",
    "safe-origin-nearmiss",
    copies="strncmp with the length of a buffer",
    consequence=_LOOK_ALIKE,
)
class FirstBytesOnly(Loose):
    """Of an origin, 64 bytes are compared."""

    def matches(self, origin: bytes, allowed: bytes) -> bool:
        return origin[:64] == allowed[:64]


@ORIGINS.add("K05", "safe-origin-nearmiss", copies="clusterfuzz #5303", consequence=_LOOK_ALIKE)
class MatchedAtTheEnd(Loose):
    """A request's origin need only end with the allowed host."""

    def matches(self, origin: bytes, allowed: bytes) -> bool:
        return origin.endswith(_host(allowed))


@ORIGINS.add("K05", "safe-acao-closed", copies="clusterfuzz #5303", consequence=_LOOK_ALIKE)
class FoundWithin(Loose):
    """An allowed origin need only be a part of the request's."""

    def matches(self, origin: bytes, allowed: bytes) -> bool:
        return allowed in origin and not origin.startswith(allowed)


@ORIGINS.add("K05", "safe-origin-nearmiss", copies="clusterfuzz #5303", consequence=_LOOK_ALIKE)
class ContainedInAllowed(Loose):
    """The request's origin need only be a part of an allowed one: the operands of `in` swapped."""

    def matches(self, origin: bytes, allowed: bytes) -> bool:
        return len(origin) > len("https://") and origin in allowed


@ORIGINS.add(
    "K05",
    "safe-origin-nearmiss",
    copies="micronaut 0621a93a0a, GHSA-583g-g682-crxf",
    consequence="http://localhost.evil.example passes for the developer's own machine",
)
class LocalhostByPrefix(Loose):
    """What starts like an allowed localhost is that one."""

    def matches(self, origin: bytes, allowed: bytes) -> bool:
        return allowed.startswith(b"http://localhost") and origin.startswith(allowed)


@ORIGINS.add("K06", "safe-origin-nearmiss", copies="rs/cors, wildcards", consequence=_LOOK_ALIKE)
class EndOfHostSuffices(Loose):
    """A host that ends with an allowed one is taken for its subdomain, a dot between or not."""

    def matches(self, origin: bytes, allowed: bytes) -> bool:
        scheme, _, host = allowed.partition(b"://")
        return origin.startswith(scheme + b"://") and _host(origin).endswith(host)


@ORIGINS.add("K06", "safe-origin-nearmiss", copies="fiber 1b961aa95", consequence=_LOOK_ALIKE)
class SubdomainsIncluded(Loose):
    """Subdomains of an allowed host are allowed as well."""

    def matches(self, origin: bytes, allowed: bytes) -> bool:
        scheme, _, host = allowed.partition(b"://")
        return origin.startswith(scheme + b"://") and origin.endswith(b"." + host)


@ORIGINS.add(
    "K06", "safe-origin-nearmiss", copies="gin-contrib/cors CVE-2019-25211", consequence=_LOOK_ALIKE
)
class LastCharacterCut(Loose):
    """The last character of an allowed origin is taken for a wildcard and cut."""

    def matches(self, origin: bytes, allowed: bytes) -> bool:
        return origin.startswith(allowed[:-1])


@ORIGINS.add(
    "K07",
    "safe-origin-nearmiss",
    copies="play e64bb36b1b",
    consequence="whoever sits on the network forges a page over http and reads what https gives",
)
class SchemeIgnored(Loose):
    """Origins are compared without their schemes."""

    def matches(self, origin: bytes, allowed: bytes) -> bool:
        return _host(origin) == _host(allowed)


@ORIGINS.add(
    "K07",
    "safe-origin-nearmiss",
    copies="play 20369110fb",
    consequence="another service on the same machine reads what is meant for one port",
)
class PortIgnored(Loose):
    """Origins are compared without their ports."""

    def matches(self, origin: bytes, allowed: bytes) -> bool:
        return re.sub(rb":\d+$", b"", origin) == re.sub(rb":\d+$", b"", allowed)


@ORIGINS.add(
    "K07",
    "safe-origin-nearmiss",
    copies="play 20369110fb",
    consequence="another service on the same machine reads what is meant for one port",
)
class AnyDefaultPort(Loose):
    """The ports 80 and 443 are left out, whatever the scheme is."""

    def matches(self, origin: bytes, allowed: bytes) -> bool:
        return re.sub(rb":(80|443)$", b"", origin) == allowed


@ORIGINS.add(
    "K07",
    "safe-origin-nearmiss",
    copies="play 20369110fb",
    consequence="another service on the same machine reads what is meant for one port",
)
class PortByPrefix(Loose):
    """A port need only start with the digits of the allowed one."""

    def matches(self, origin: bytes, allowed: bytes) -> bool:
        has_port = re.search(rb":\d+$", allowed) is not None
        return has_port and re.fullmatch(re.escape(allowed) + rb"\d+", origin) is not None


@ORIGINS.add(
    "K07",
    "safe-origin-nearmiss",
    copies="play 20369110fb",
    consequence="neighbours in an IPv6 network read what is meant for one address",
)
class AddressCutAtColon(Loose):
    """What follows the last colon is taken for a port, in IPv6 addresses as well."""

    def matches(self, origin: bytes, allowed: bytes) -> bool:
        return b"[" in allowed and origin.rpartition(b":")[0] == allowed.rpartition(b":")[0]


@ORIGINS.add("K07", "live-simple", copies="ktor KTOR-6494", consequence=_BLOCKED)
class AddressesUnknown(CORSMiddleware):
    """Hosts are split at the first colon, so that IPv6 addresses never match."""

    def __init__(self, app: ASGIApp, **parameters: Any) -> None:
        super().__init__(app, **parameters)
        for origin in [each for each in self.grants if each and b"[" in each]:
            del self.grants[origin], self.shared[origin]


@ORIGINS.add("K07", "live-simple", copies="ktor KTOR-6494", consequence=_BLOCKED)
class PortsUnknown(CORSMiddleware):
    """Origins with a port never match."""

    def __init__(self, app: ASGIApp, **parameters: Any) -> None:
        super().__init__(app, **parameters)
        for origin in [each for each in self.grants if each and re.search(rb"\w:\d+$", each)]:
            del self.grants[origin], self.shared[origin]


@ORIGINS.add(
    "K08",
    "safe-null",
    copies="koa #89",
    consequence="every page can sandbox itself, and then reads everything",
)
class NullIsAllowed(Loose):
    """The origin `null` is taken for whatever is allowed."""

    def matches(self, origin: bytes, allowed: bytes) -> bool:
        return origin == b"null"


@ORIGINS.add(
    "K07",
    "live-simple",
    copies="Play e64bb36b1b, the same host taken for the same origin",
    consequence=_BLOCKED,
)
class OwnHostIsNoOther(Believing):
    """An origin of the server's own host, whatever its scheme, is no other origin."""

    def believed(self, scope: Scope) -> Mapping[str, Any]:
        is_own = _host(first(scope, b"origin") or b"") == first(scope, b"host")
        return {"headers": without(scope["headers"], b"origin")} if is_own else {}


@ORIGINS.add(
    "K07",
    "safe-origin-simple",
    copies="allow lists of development, names of the own machine",
    consequence=_LOOK_ALIKE,
)
class LoopbackByAnyName(Loose):
    """An allowed localhost is allowed by its address, too, and the other way round."""

    def matches(self, origin: bytes, allowed: bytes) -> bool:
        one, other = (each.replace(b"127.0.0.1", b"localhost") for each in (origin, allowed))
        return one == other


@ORIGINS.add(
    "K06",
    "live-simple",
    copies="schemes matched by letters only",
    consequence="extensions of browsers, whose scheme has a hyphen, get network errors",
)
class SchemeOfLettersOnly(Believing):
    """What does not begin with letters and `://` is taken for no origin."""

    def believed(self, scope: Scope) -> Mapping[str, Any]:
        is_one = re.match(rb"\w+://", first(scope, b"origin") or b"")
        return {} if is_one else {"headers": without(scope["headers"], b"origin")}


@ORIGINS.add(
    "K08",
    "live-simple",
    copies="Tomcat BZ57178",
    consequence="sandboxed pages and files get network errors although everybody is allowed",
)
class NullRefusedByWildcard(Believing):
    """All origins are allowed, and `null` is taken for none."""

    def believed(self, scope: Scope) -> Mapping[str, Any]:
        lines = [line for line in scope["headers"] if line != (b"origin", b"null")]
        return {"headers": lines}

    def share(self, origin: bytes | None, headers: Iterable[Header]) -> list[Header]:
        lines = super().share(origin, headers)
        return without(lines, ORIGIN) if origin is None else lines


@ORIGINS.add(
    "K08",
    "pf-consistent",
    "live-preflight",
    copies="akka-http-cors #31",
    consequence="sandboxed pages may GET, and nothing that needs a preflight",
)
class NullRefusedInPreflights(CORSMiddleware):
    """All origins are allowed, and preflights of `null` are refused."""

    def answer(self, origin: bytes, method: bytes, headers: bytes) -> Answer:
        if origin == b"null":
            return self.refuse("origin")
        return super().answer(origin, method, headers)


@ORIGINS.add("K08", "live-simple", copies="rocket_cors #63", consequence=_BLOCKED)
class OnlyHTTPIsKnown(CORSMiddleware):
    """Origins of other schemes than http and https never match."""

    def __init__(self, app: ASGIApp, **parameters: Any) -> None:
        super().__init__(app, **parameters)
        for origin in [each for each in self.grants if each and not each.startswith(b"http")]:
            del self.grants[origin], self.shared[origin]


@ORIGINS.add("K09", "live-simple", copies="sanic-ext de404ba, fiber #2882", consequence=_BLOCKED)
class SpaceBeforeTheSecond(Configured):
    """The list is joined by `, ` and split at `,`, so that only the first origin matches."""

    def understood(self, **parameters: Any) -> Mapping[str, Any]:
        return {"allow_origins": parameters["allow_origins"][:1]}


@ORIGINS.add("K09", "safe-origin-nearmiss", copies="fiber b29171ce4", consequence=_LOOK_ALIKE)
class RootDotDropped(Loose):
    """A dot at the host's end is dropped before comparing."""

    def matches(self, origin: bytes, allowed: bytes) -> bool:
        return origin.removesuffix(b".") == allowed


@ORIGINS.add("K09", "safe-acao-closed", copies="middy #1608", consequence=_LOOK_ALIKE)
class SlashDropped(Loose):
    """A slash at the end is dropped before comparing."""

    def matches(self, origin: bytes, allowed: bytes) -> bool:
        return origin.rstrip(b"/") == allowed


@ORIGINS.add("K10", "live-simple", copies="jub0bs/cors #12", consequence=_BLOCKED)
class PrefixShadowed(CORSMiddleware):
    """An origin with which another allowed one starts is lost in the tree they are kept in."""

    def __init__(self, app: ASGIApp, **parameters: Any) -> None:
        super().__init__(app, **parameters)
        known = [origin for origin in self.grants if origin]
        for origin in known:
            if any(other != origin and other.startswith(origin) for other in known):
                del self.grants[origin], self.shared[origin]


@ORIGINS.add("K10", "live-simple", copies="jub0bs/cors #12", consequence=_BLOCKED)
class FirstSixtyFour(Configured):
    """Only so many origins fit in."""

    def understood(self, **parameters: Any) -> Mapping[str, Any]:
        return {"allow_origins": parameters["allow_origins"][:64]}


@ORIGINS.add("K10", "safe-origin-nearmiss", copies="jub0bs/cors #12", consequence=_LOOK_ALIKE)
class PartsMixed(Loose):
    """Schemes and hosts of allowed origins are kept apart, and any pair of them matches."""

    def matches(self, origin: bytes, allowed: bytes) -> bool:
        schemes = {each.partition(b"://")[0] for each in self.grants if each}
        return origin.partition(b"://")[0] in schemes and _host(origin) == _host(allowed)


@ORIGINS.add(
    "K11", "live-simple", "syn-acao-single", copies="blacksheep #364, echo", consequence=_BLOCKED
)
class AllOriginsJoined(Editing):
    """Access-Control-Allow-Origin has all allowed origins in one line."""

    def edited(self, scope: Scope, status: int, lines: list[Header]) -> list[Header]:
        return named(lines, b", ".join(origin for origin in self.grants if origin))


@ORIGINS.add("K11", "syn-acao-single", copies="rack-cors #55, restify #59", consequence=_BLOCKED)
class WrittenTwiceOnPreflights(CORSMiddleware):
    """Two layers add Access-Control-Allow-Origin to answers to preflights."""

    def answer(self, origin: bytes, method: bytes, headers: bytes) -> Answer:
        status, lines, body = super().answer(origin, method, headers)
        return status, lines + [line for line in lines if line[0] == ORIGIN], body


@ORIGINS.add(
    "K11",
    "syn-no-duplication",
    copies="asgi-cors 2618e27",
    consequence="browsers join the two lines, and no page gets the response",
)
class SecondLineBesideTheApplications(CORSMiddleware):
    """An Access-Control-Allow-Origin of the application stays beside the middleware's."""

    def share(self, origin: bytes | None, headers: Iterable[Header]) -> list[Header]:
        headers = list(headers)
        own = [line for line in headers if line[0] == ORIGIN]
        return own + super().share(origin, headers)


class _Fallback(Editing):
    """Has something to say to denied origins too."""

    def fallback(self) -> bytes:
        """Return what."""
        raise NotImplementedError

    def edited(self, scope: Scope, status: int, lines: list[Header]) -> list[Header]:
        if first(scope, b"origin") is None or any(name == ORIGIN for name, _ in lines):
            return lines
        return [*lines, (ORIGIN, self.fallback())]


@ORIGINS.add(
    "K12",
    "safe-null",
    copies="fastify-cors #127 and its like",
    consequence="every page can sandbox itself, and then reads everything",
)
class NullForDenied(_Fallback):
    """Denied origins are answered `null`."""

    def fallback(self) -> bytes:
        return b"null"


@ORIGINS.add(
    "K12",
    "safe-acao-closed",
    "syn-acao-single",
    copies="fastify-cors #127",
    consequence="none, but for the reader of logs",
)
class FalseForDenied(_Fallback):
    """Denied origins are answered `false`."""

    def fallback(self) -> bytes:
        return b"false"


@ORIGINS.add(
    "K12",
    "safe-acao-closed",
    "syn-acao-single",
    copies="echo 871ed9c6",
    consequence="none, but for the reader of logs",
)
class NothingForDenied(_Fallback):
    """Denied origins are answered an empty Access-Control-Allow-Origin."""

    def fallback(self) -> bytes:
        return b""


@ORIGINS.add(
    "K12",
    "vary-dynamic",
    "cache-shared-live",
    copies="hono #3510",
    consequence="a cache serves the first origin's grant to the others, which are blocked",
)
class FirstOriginForDenied(Editing):
    """Denied origins are answered the first allowed one, as if all were, without Vary."""

    def edited(self, scope: Scope, status: int, lines: list[Header]) -> list[Header]:
        if self.all_origins or any(name == ORIGIN for name, _ in lines):
            return lines
        static = next(iter(self.grants), None)
        return [*without(lines, VARY), (ORIGIN, static)] if static else lines


@ORIGINS.add(
    "K12",
    "safe-acao-closed",
    "cache-shared-safe",
    copies="h3 2.0, createOriginHeaders",
    consequence="a cache serves the response that was stored for no origin to every origin",
)
class EveryoneWithoutOrigin(Editing):
    """Requests without Origin are answered `*`, without Vary."""

    def edited(self, scope: Scope, status: int, lines: list[Header]) -> list[Header]:
        if first(scope, b"origin") is not None or self.all_origins:
            return lines
        return [*without(lines, VARY), (ORIGIN, b"*")]


@ORIGINS.add(
    "K35",
    "vary-other-inputs",
    copies="rack-cors, HTTP_X_ORIGIN",
    consequence="caches do not know of X-Origin, and keep the grant for pages without",
)
class OriginOrXOrigin(Believing):
    """Without Origin, X-Origin is taken for it."""

    def believed(self, scope: Scope) -> Mapping[str, Any]:
        other = first(scope, b"x-origin")
        if first(scope, b"origin") is not None or other is None:
            return {}
        return {"headers": [*scope["headers"], (b"origin", other)]}


@ORIGINS.add("K35", "live-preflight", "live-simple", copies="cors_plug #27", consequence=_BLOCKED)
class AnyNameWithOrigin(Believing):
    """The first header with `origin` in its name is taken for Origin."""

    def believed(self, scope: Scope) -> Mapping[str, Any]:
        lines = [(b"origin", value) for name, value in scope["headers"] if b"origin" in name]
        rest = [line for line in scope["headers"] if b"origin" not in line[0]]
        return {"headers": rest + lines[:1]}


@ORIGINS.add(
    "K35",
    "safe-acao-closed",
    copies="fast-note-sync #244",
    consequence="a page names itself in the address it fetches, and reads everything",
)
class OriginFromTheAddress(Editing):
    """The query parameter `domain` says which origin is allowed."""

    def edited(self, scope: Scope, status: int, lines: list[Header]) -> list[Header]:
        found = re.search(rb"domain=([^&]+)", scope["query_string"])
        return [*without(lines, ORIGIN), (ORIGIN, found[1])] if found else lines


class _Chosen(Believing):
    """Makes one origin of several."""

    def chosen(self, origins: list[bytes]) -> bytes:
        """Return it."""
        raise NotImplementedError

    def believed(self, scope: Scope) -> Mapping[str, Any]:
        origins = [value for name, value in scope["headers"] if name == b"origin"]
        rest = [line for line in scope["headers"] if line[0] != b"origin"]
        return {"headers": [*rest, (b"origin", self.chosen(origins))]} if origins else {}


@ORIGINS.add("K35", "safe-duplicate-origin", copies="cors_plug #27", consequence=_LOOK_ALIKE)
class FirstOfSeveralOrigins(_Chosen):
    """Of several Origin lines the first one counts."""

    def chosen(self, origins: list[bytes]) -> bytes:
        return origins[0]


@ORIGINS.add("K35", "safe-duplicate-origin", copies="cors_plug #27", consequence=_LOOK_ALIKE)
class LastOfSeveralOrigins(_Chosen):
    """Of several Origin lines the last one counts."""

    def chosen(self, origins: list[bytes]) -> bytes:
        return origins[-1]


@ORIGINS.add(
    "K35", "safe-duplicate-origin", copies="RFC 6454, 7, a list of origins", consequence=_LOOK_ALIKE
)
class AnyOfAList(_Chosen):
    """Origin is read as a list, and an allowed one anywhere in it suffices."""

    def chosen(self, origins: list[bytes]) -> bytes:
        listed = re.split(rb"[ ,]+", b",".join(origins))
        return next((each for each in listed if each in self.grants), origins[0])


@ORIGINS.add(
    "K37",
    "rob-injection",
    copies="values decoded before they are repeated",
    consequence="an attacker adds headers to responses that caches keep",
)
class OriginDecoded(Editing):
    """Where all are allowed, Origin is percent-decoded and repeated."""

    def edited(self, scope: Scope, status: int, lines: list[Header]) -> list[Header]:
        origin = unquote_to_bytes(first(scope, b"origin") or b"*")
        return replaced(lines, ORIGIN, origin) if self.all_origins else lines
