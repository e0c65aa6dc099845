"""Variants of one small engine with a switch for each freedom.

It is another design than the reference: what a policy means is worked out anew for each request,
by a function for each header.
"""

from dataclasses import dataclass, replace
from functools import partial
from typing import Final, Literal

from cors_conformance.dialect import Dialect
from cors_conformance.fetch.abnf import is_token
from cors_conformance.implementation import Application
from cors_conformance.policy import WILDCARD, Policy
from cors_conformance.variants.base import (
    WORDS,
    Chapter,
    Header,
    Message,
    Receive,
    Scope,
    Send,
    elements,
    encoded,
    refuse_everyone_with_credentials,
    value_of,
)

STYLED: Final = Chapter()

_TOO_LONG: Final = 4096
_SAFELISTED: Final = (b"GET", b"HEAD", b"POST")


@dataclass(frozen=True, slots=True, kw_only=True)
class Style:
    """How the engine uses its freedoms.

    Attributes:
        status: of a preflight that is granted.
        body: of a preflight that is granted.
        star: whether `*` is written for all origins, methods and headers that are allowed; else
            what is asked for is named.
        lists: what is written where the policy has a list: all of it, what is asked for, or
            nothing where it is not needed.
        lines: whether each element has a line of its own.
        case: how header names are written.
        refusal: how a preflight is refused: by a status and nothing else, by headers that do not
            suffice, or not at all, the browser being left to compare.
        refusal_status: of a preflight that is refused.
        static: whether a policy of one origin, or all, is answered the same to everybody.
        vary: whether Vary names Origin on every response, or where the answer depends on it; and
            whether preflights have more of it.
        max_age: whether it is sent.
        blocks: whether requests of denied origins are refused.
        owner: who wins where the application sets CORS headers itself.
        exposes_always: whether names are exposed to denied pages and in preflights, too.
        everyone: what all origins with credentials are.

    """

    status: int = 204
    body: bytes = b""
    star: bool = False
    lists: Literal["all", "asked", "needed"] = "all"
    lines: bool = False
    case: Literal["as is", "upper", "reversed"] = "as is"
    refusal: Literal["bare", "partial", "never"] = "bare"
    refusal_status: int = 403
    static: bool = False
    vary: Literal["origin", "needed", "more"] = "origin"
    max_age: bool = True
    blocks: bool = False
    owner: Literal["middleware", "application"] = "middleware"
    exposes_always: bool = False
    everyone: Literal["refused", "never credentialed", "any origin"] = "refused"


_PLAIN: Final = Style()


class Engine:
    """One policy in one style, around an ASGI application."""

    def __init__(self, style: Style, app: Application, policy: Policy) -> None:
        if style.everyone == "refused":
            refuse_everyone_with_credentials(policy)
        elif style.everyone == "never credentialed" and WILDCARD in policy.allow_origins:
            policy = replace(policy, allow_credentials=False)
        self.app = app
        self.style = style
        self.policy = policy
        self.origins = encoded(policy.allow_origins)
        self.methods = encoded(policy.allow_methods)
        self.names = encoded(policy.allow_headers)
        self.exposed = encoded(policy.expose_headers)
        self.is_static = style.static and len(set(self.origins)) == 1
        self.is_static = self.is_static and not (
            policy.allow_credentials and self._all(self.origins)
        )

    def _all(self, listed: tuple[bytes, ...]) -> bool:
        return b"*" in listed

    def sharing(self, origin: bytes | None) -> list[Header]:
        """Return what says that an origin may read; nothing if it may not."""
        if self.is_static:
            allowed = self.origins[0]
        elif not origin or not (self._all(self.origins) or origin in self.origins):
            return []
        else:
            is_star = self.style.star and self._all(self.origins)
            allowed = b"*" if is_star and not self.policy.allow_credentials else origin
        lines = [(b"access-control-allow-origin", allowed)]
        if self.policy.allow_credentials:
            lines.append((b"access-control-allow-credentials", b"true"))
        return lines

    def varying(self) -> list[Header]:
        """Return Vary, where it is to be said that the answer depends on Origin."""
        everybody = (
            self._all(self.origins) and self.style.star and not self.policy.allow_credentials
        )
        if self.style.vary == "needed" and (self.is_static or everybody or not self.origins):
            # `*` is not sent to requests without Origin, unless it is static.
            return [] if self.is_static or not self.origins else [(b"vary", b"Origin")]
        return [(b"vary", b"Origin")]

    def listing(self, name: bytes, values: list[bytes]) -> list[Header]:
        """Return a list header."""
        if self.style.case == "upper" and b"method" not in name:
            values = [value.upper() for value in values]
        if self.style.case == "reversed":
            values = values[::-1]
        if not values:
            return []
        if self.style.lines:
            return [(name, value) for value in values]
        return [(name, b", ".join(values))]

    def asked_methods(self, method: bytes) -> list[bytes] | None:
        """Return the methods to list; `None` if this one is refused."""
        star = self.style.star
        if self._all(self.methods):
            return [b"*"] if star else [method] if is_token(method) else None
        if self.style.refusal != "never" and method not in (*self.methods, *_SAFELISTED):
            return None
        if self.style.lists == "needed" and method in _SAFELISTED:
            return []
        if self.style.lists == "asked":
            return [method] if method in (*self.methods, *_SAFELISTED) else []
        return list(self.methods)

    def asked_names(self, value: bytes | None) -> list[bytes] | None:
        """Return the header names to list; `None` if one is refused."""
        asked = elements(value)
        if self._all(self.names):
            if self.style.star:
                return [b"*"]
            return asked if len(value or b"") < _TOO_LONG and all(map(is_token, asked)) else None
        known = {name.lower() for name in self.names}
        if self.style.refusal != "never" and not known.issuperset(asked):
            return None
        if self.style.lists == "asked":
            return [name for name in dict.fromkeys(asked) if name in known]
        if self.style.lists == "needed" and not asked:
            return []
        return list(self.names)

    def preflight(
        self, scope: Scope, origin: bytes, method: bytes
    ) -> tuple[int, list[Header], bytes]:
        """Answer a preflight."""
        sharing = self.sharing(origin)
        vary = self.varying()
        if self.style.vary == "more":
            vary = [
                (b"vary", b"Origin, Access-Control-Request-Method"),
                (b"vary", b"Access-Control-Request-Headers"),
            ]
        names = self.asked_names(value_of(scope["headers"], b"access-control-request-headers"))
        methods = self.asked_methods(method)
        is_foreign = not sharing or (self.is_static and origin not in (*self.origins, *sharing))
        if (is_foreign and not self.is_static) or names is None or methods is None:
            status = (
                self.style.status if self.style.refusal == "never" else self.style.refusal_status
            )
            partial_lines = sharing if self.style.refusal == "partial" else []
            if self.is_static:
                partial_lines = sharing
            return status, vary + partial_lines, b"" if status in {204, 205} else b"refused"
        lines = vary + sharing
        lines += self.listing(b"access-control-allow-methods", methods)
        lines += self.listing(b"access-control-allow-headers", names)
        if self.style.max_age:
            lines.append((b"access-control-max-age", b"%d" % self.policy.max_age))
        if self.style.exposes_always:
            lines += self.listing(b"access-control-expose-headers", list(self.exposed))
        return self.style.status, lines, self.style.body

    def response(self, origin: bytes | None, lines: list[Header]) -> list[Header]:
        """Return a response's lines with what is shared."""
        own = [line for line in lines if line[0].startswith(b"access-control-allow-")]
        if own and self.style.owner == "application":
            return lines
        kept = [
            line
            for line in lines
            if not line[0].startswith(b"access-control-allow-")
            and line[0] not in {b"access-control-expose-headers", b"access-control-max-age"}
        ]
        sharing = self.sharing(origin)
        if sharing or self.style.exposes_always:
            exposed = list(self.exposed)
            if self._all(self.exposed) and (self.policy.allow_credentials or not self.style.star):
                exposed = list(dict.fromkeys(name for name, _ in kept if name != b"set-cookie"))
                if self.style.star:
                    exposed = [b"*"]
            sharing = sharing + self.listing(b"access-control-expose-headers", exposed)
        return kept + self.varying() + sharing

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        origins = [value for name, value in scope["headers"] if name == b"origin"]
        origin = (origins[0] if len(origins) == 1 else b"") if origins else None
        method = value_of(scope["headers"], b"access-control-request-method")
        if scope["method"] == "OPTIONS" and origin is not None and method is not None:
            status, lines, body = self.preflight(scope, origin, method)
            if status not in {204, 205}:
                lines = [*lines, (b"content-length", b"%d" % len(body))]
            await send({"type": "http.response.start", "status": status, "headers": lines})
            await send({"type": "http.response.body", "body": body})
            return
        if self.style.blocks and origin is not None and not self.sharing(origin):
            start = {"type": "http.response.start", "status": 403, "headers": self.varying()}
            await send(start)
            await send({"type": "http.response.body", "body": b"not for you"})
            return

        async def share(message: Message) -> None:
            if message["type"] == "http.response.start":
                lines = [(name, value) for name, value in message.get("headers", ())]
                message = {**message, "headers": self.response(origin, lines)}
            await send(message)

        await self.app(scope, receive, share)


def plain(app: Application, policy: Policy) -> Engine:
    """Serve a policy in the plainest style."""
    return Engine(_PLAIN, app, policy)


def _add(name: str, freedom: str, style: Style, dialect: Dialect = WORDS) -> None:
    STYLED.add(name, freedom, partial(Engine, style), dialect=dialect)


_LITERAL: Final = Dialect(
    wildcard_covers_authorization=False,
    wildcard_covers_null=True,
    wildcard_lists_with_credentials=False,
    wildcard_with_credentials="refused",
)
_SILENT: Final = Dialect()

_add("echoes-everything", "Names the origin that asks, where all are allowed.", _PLAIN)
_add("writes-stars", "Writes a literal `*` wherever it can.", replace(_PLAIN, star=True), _LITERAL)
_add(
    "says-nothing-of-stars",
    "Writes a literal `*`, and documents nothing of what that means.",
    replace(_PLAIN, star=True),
    _SILENT,
)
_add(
    "lists-what-is-asked",
    "Lists only what a preflight asks for, of methods and of headers.",
    replace(_PLAIN, lists="asked"),
)
_add(
    "lists-what-is-needed",
    "Lists no methods for GET, HEAD and POST, and no headers where none are asked for.",
    replace(_PLAIN, lists="needed"),
)
_add("granted-with-200", "Answers preflights 200.", replace(_PLAIN, status=200))
_add("granted-with-299", "Answers preflights 299.", replace(_PLAIN, status=299))
_add(
    "granted-with-a-body",
    "Answers preflights 200, with a body.",
    replace(_PLAIN, status=200, body=b"OK"),
)
_add(
    "granted-with-202",
    "Answers preflights 202, with a body.",
    replace(_PLAIN, status=202, body=b"accepted"),
)
_add("granted-with-205", "Answers preflights 205.", replace(_PLAIN, status=205))
_add(
    "denied-with-200",
    "Refuses preflights with 200 and no headers.",
    replace(_PLAIN, status=200, refusal_status=200),
)
_add("denied-with-204", "Refuses preflights with 204.", replace(_PLAIN, refusal_status=204))
_add("denied-with-404", "Refuses preflights with 404.", replace(_PLAIN, refusal_status=404))
_add("denied-with-405", "Refuses preflights with 405.", replace(_PLAIN, refusal_status=405))
_add(
    "denied-in-parts",
    "Refuses methods and headers with 403, and shares that answer with the origin.",
    replace(_PLAIN, refusal="partial"),
)
_add(
    "denied-with-400-in-parts",
    "Refuses methods and headers with 400, and shares that answer with the origin.",
    replace(_PLAIN, refusal="partial", refusal_status=400),
)
_add(
    "leaves-it-to-browsers",
    "Answers every preflight of an allowed origin with its lists, whatever is asked for.",
    replace(_PLAIN, refusal="never", status=200),
)
_add(
    "static-where-it-can",
    "Answers a policy of one origin, or of all, alike to everybody, and without Vary.",
    replace(_PLAIN, static=True, vary="needed", star=True),
    _LITERAL,
)
_add(
    "static-and-varying",
    "Answers a policy of one origin alike to everybody, and says Vary all the same.",
    replace(_PLAIN, static=True),
)
_add(
    "static-by-lists",
    "Answers a policy of one origin alike to everybody, and leaves methods to browsers.",
    replace(_PLAIN, static=True, refusal="never", exposes_always=True),
)
_add(
    "varies-more",
    "Has the headers of preflights in their Vary.",
    replace(_PLAIN, vary="more"),
)
_add("varies-when-needed", "Has no Vary where nobody is allowed.", replace(_PLAIN, vary="needed"))
_add("lines-of-their-own", "Writes a line for each element.", replace(_PLAIN, lines=True))
_add("upper-case-names", "Writes header names in upper case.", replace(_PLAIN, case="upper"))
_add("reversed-lists", "Writes lists in another order.", replace(_PLAIN, case="reversed"))
_add("no-max-age", "Never says how long a preflight may be kept.", replace(_PLAIN, max_age=False))
_add(
    "blocks-denied-requests",
    "Refuses requests of denied origins without running the application.",
    replace(_PLAIN, blocks=True),
)
_add(
    "application-wins",
    "Leaves responses alone for which the application sets CORS headers itself.",
    replace(_PLAIN, owner="application"),
)
_add(
    "exposes-in-vain",
    "Exposes headers in preflights and to denied pages, too, where it means nothing.",
    replace(_PLAIN, exposes_always=True),
)
_add(
    "everyone-without-credentials",
    "Serves all origins with credentials, and grants nothing that is credentialed.",
    replace(_PLAIN, everyone="never credentialed", star=True),
    replace(_LITERAL, wildcard_with_credentials="never credentialed"),
)
_add(
    "everyone-as-documented",
    "Documents that all origins with credentials means just that.",
    replace(_PLAIN, everyone="any origin"),
    replace(WORDS, wildcard_with_credentials="any origin"),
)
