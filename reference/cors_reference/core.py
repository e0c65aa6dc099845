"""What the middleware decides, without I/O (https://fetch.spec.whatwg.org/#http-cors-protocol)."""

import re
from collections.abc import Iterable
from typing import Generic, TypeVar

from cors_reference.configuration import read_lists

App = TypeVar("App")
Header = tuple[bytes, bytes]
Answer = tuple[int, list[Header], bytes]  # Status, headers, body.

VARY_BY_ORIGIN = (b"vary", b"Origin")
# An application has no say in the policy: these are replaced, `Vary` is merged.
REPLACED_HEADERS = frozenset(
    b"access-control-" + name
    for name in b"allow-origin allow-credentials allow-methods allow-headers allow-private-network"
    b" expose-headers max-age".split()
)
CORS_HEADERS = REPLACED_HEADERS | {b"vary"}
# No preflight can deny them: https://fetch.spec.whatwg.org/#cors-safelisted-method
SAFELISTED_METHODS = frozenset({b"GET", b"HEAD", b"POST"})
# RFC 9110, section 5.6.2; bounded, because it is repeated where `*` allows it.
TOKEN = re.compile(rb"[!#$%&'*+.^_`|~0-9A-Za-z-]{1,256}")
TOKENS = re.compile(rb"%b(,%b)*" % (TOKEN.pattern, TOKEN.pattern))
# Bytes beyond the policy's own list: for what `*` allows, and for white space of proxies.
REQUEST_HEADERS_LIMIT = 8192


class Policy(Generic[App]):
    """What the six parameters let pages do; the application is only kept, for the shells.

    Raises `ConfigurationError` with everything that is wrong.
    """

    def __init__(
        self,
        app: App,
        allow_origins: Iterable[str] = (),
        allow_methods: Iterable[str] = ("GET", "POST", "PUT", "DELETE"),
        allow_headers: Iterable[str] = (),
        allow_credentials: bool = False,  # noqa: FBT001, FBT002 - the interface of FastrAPI
        expose_headers: Iterable[str] = (),
        max_age: int = 600,
    ) -> None:
        self.app = app
        origins, methods, headers, exposed = read_lists(
            allow_credentials, max_age, allow_origins, allow_methods, allow_headers, expose_headers
        )
        credentials = [(b"access-control-allow-credentials", b"true")] if allow_credentials else []
        self.grants: dict[bytes | None, list[Header]] = {
            origin: [VARY_BY_ORIGIN, (b"access-control-allow-origin", origin), *credentials]
            for origin in origins
        }
        # Where everybody gets `*`, with an origin or without, there is nothing to vary by.
        self.all_origins = self.grants.pop(b"*", [])[1:]
        self.others = self.all_origins or [VARY_BY_ORIGIN]
        # With credentials, browsers take a literal `*` for a name; without, it says what it means.
        self.expose_own = allow_credentials and b"*" in exposed
        readable = list_header(b"expose-headers", [] if self.expose_own else exposed)
        self.shared = {origin: grant + readable for origin, grant in self.grants.items()}
        self.shared_with_others = self.others + (readable if self.all_origins else [])
        self.methods = SAFELISTED_METHODS.union(methods)
        self.headers = frozenset(map(bytes.lower, headers))
        self.headers_limit = REQUEST_HEADERS_LIMIT + len(b", ".join(headers))
        # A literal `*` would be one with credentials, and never covers Authorization: what is asked
        # for is named instead.
        self.all_methods, self.all_headers = b"*" in methods, b"*" in headers
        self.preflight = [
            *list_header(b"allow-methods", [] if self.all_methods else methods),
            *list_header(b"allow-headers", [] if self.all_headers else headers),
            (b"access-control-max-age", b"%d" % max_age),
        ]

    def answer(self, origin: bytes, method: bytes, headers: bytes) -> Answer:
        """Answer https://fetch.spec.whatwg.org/#cors-preflight-request from what it asks for."""
        grant = self.grants.get(origin, self.all_origins)
        if not grant:
            return self.refuse("origin")
        if method not in self.methods and not (self.all_methods and TOKEN.fullmatch(method)):
            return self.refuse("method")
        if len(headers) > self.headers_limit:
            return self.refuse("headers")
        names = headers.lower().split(b",")  # As browsers write it, that is enough.
        if not self.headers.issuperset(names):
            names = field_names(headers)
            if not self.headers.issuperset(names) and not (
                self.all_headers and TOKENS.fullmatch(b",".join(names))
            ):
                return self.refuse("headers")
        lines = grant + self.preflight
        if self.all_methods:
            lines.append((b"access-control-allow-methods", method))
        if self.all_headers and names:
            lines.append((b"access-control-allow-headers", b",".join(names)))
        return 204, lines, b""

    def refuse(self, what: str) -> Answer:
        """Refuse a preflight, in words that take nothing from the request."""
        body = f"The CORS policy does not grant the {what} of this preflight request.\n".encode()
        length = (b"content-length", b"%d" % len(body))
        return 403, [*self.others, (b"content-type", b"text/plain; charset=utf-8"), length], body

    def share(self, origin: bytes | None, headers: Iterable[Header]) -> list[Header]:
        """Return an application's response headers with the policy's in place of its own."""
        lines, added = [*headers], self.shared.get(origin, self.shared_with_others)
        for name, value in lines:
            if name in CORS_HEADERS or not name.islower():
                if name.lower() in REPLACED_HEADERS:
                    lines = [line for line in lines if line[0].lower() not in REPLACED_HEADERS]
                # Either keeps caches from serving one origin's response to another.
                elif name.lower() == b"vary" and {b"origin", b"*"}.intersection(field_names(value)):
                    added = [header for header in added if header != VARY_BY_ORIGIN]
        if self.expose_own and origin in self.grants:
            own = {name.lower() for name, _ in lines} - {b"set-cookie"}
            lines += list_header(b"expose-headers", sorted(own))
        lines += added
        return lines


def field_names(value: bytes) -> list[bytes]:
    """Return a list's names in lower case, without the empty elements of RFC 9110, 5.6.1.2."""
    return [name for item in value.lower().split(b",") if (name := item.strip(b" \t"))]


def list_header(name: bytes, members: Iterable[bytes]) -> list[Header]:
    """Return the header line of a list, or none of an empty list."""
    value = b", ".join(dict.fromkeys(members))
    return [(b"access-control-" + name, value)] if value else []
