"""Scenarios: what pages and strangers do to one server during one example."""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import product
from typing import Any, Final, Literal, Protocol, TypeAlias

from cors_conformance.application import ApplicationResponse
from cors_conformance.fetch.http import HeaderLines
from cors_conformance.fetch.requests import AuthorRequest

API: Final = "https://api.example"
"""The origin of the API server that the pages fetch from."""

MessageItems: TypeAlias = tuple[tuple[str, Any], ...]
"""An ASGI message as its items, so that it can be hashed."""

Mode: TypeAlias = Literal["cors", "no-cors", "same-origin"]
Credentials: TypeAlias = Literal["omit", "same-origin", "include"]
Redirect: TypeAlias = Literal["follow", "error", "manual"]

_PLAINEST: Final[tuple[Credentials, ...]] = ("omit", "include")

BODILESS: Final = frozenset({b"GET", b"HEAD"})
"""The methods with which the `Request` constructor throws if it is given a body."""

_SHOWN: Final = 200
"""How many bytes of a value are shown."""

PLAIN: Final = ApplicationResponse()
"""What the origin app answers where nobody cares: 200 and a short body."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Visit:
    """One fetch by a page to the API server.

    Attributes:
        origin: the page's serialized origin, or `null`.
        method: as the page writes it: `put` is normalised by the browser, `patch` is not.
        path: path and query at the API server.
        headers: the headers the page sets; unique names in any case.
        mode: the request's mode.
        credentials: the request's credentials mode.
        redirect: the request's redirect mode.
        body: what the page sends; `None` for no body, always so with GET and HEAD.
        use_cors_preflight: whether upload listeners or a stream force a preflight.
        application: what the origin app is told to answer.

    """

    origin: str
    method: bytes
    path: str = "/"
    headers: HeaderLines = ()
    mode: Mode = "cors"
    credentials: Credentials = "omit"
    redirect: Redirect = "follow"
    body: bytes | None = None
    use_cors_preflight: bool = False
    application: ApplicationResponse = PLAIN

    def author_request(self) -> AuthorRequest:
        """Return what the page's script asks its browser for."""
        return AuthorRequest(
            url=API + self.path,
            method=self.method,
            headers=self.headers,
            mode=self.mode,
            credentials=self.credentials,
            redirect=self.redirect,
            body=self.body,
            use_cors_preflight=self.use_cors_preflight,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Wait:
    """Time that passes between two visits, for caches to go stale."""

    seconds: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Journey:
    """A sequence of visits through shared caches."""

    steps: tuple[Visit | Wait, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class RawRequest:
    """A request by hand, such as no browser need send.

    `headers` is all there is: the server driver adds `Host` unless it is among them, and nothing
    else. `target` is the origin-form of the request target.
    """

    method: bytes
    headers: HeaderLines
    target: bytes = b"/"
    body: bytes | None = None
    application: ApplicationResponse = PLAIN

    def __repr__(self) -> str:
        """Show the request, long values as an expression: some have a megabyte."""
        lines = "".join(f"({name!r}, {_shown(value)}), " for name, value in self.headers)
        return (
            f"RawRequest(method={_shown(self.method)}, headers=({lines.rstrip()}), "
            f"target={_shown(self.target)}, body={self.body!r}, application={self.application!r})"
        )

    def _repr_pretty_(self, printer: "_Printer", _: bool) -> None:  # noqa: FBT001 - the protocol
        """Show it the same way to Hypothesis, which prints other data classes field by field."""
        printer.text(repr(self))


@dataclass(frozen=True, slots=True, kw_only=True)
class Batch:
    """Everything that is done to one server: pools whose product gives the visits, and the rest.

    Drawing a few small pools and taking their product gives dozens of exchanges for the price of
    ten draws, and a pool that shrinks to one element takes its factor out of the product.
    """

    origins: tuple[str, ...]
    methods: tuple[bytes, ...]
    header_sets: tuple[HeaderLines, ...]
    credentials: tuple[Credentials, ...]
    applications: tuple[ApplicationResponse, ...]
    journeys: tuple[Journey, ...] = ()
    hostile: tuple[RawRequest, ...] = ()
    single: tuple[Visit, ...] = ()
    """Visits beside those of the product."""

    def visits(self) -> Iterator[Visit]:
        """Yield the plainest visits, the product of the pools, and the single visits."""
        yield from self.plainest()
        yield from self.combinations()

    def plainest(self) -> Iterator[Visit]:
        """Yield the plainest visit there is by every origin and `null`, with and without cookies.

        What is decided by origin must not wait for other things to pass as well.
        """
        for origin, credentials in product(dict.fromkeys((*self.origins, "null")), _PLAINEST):
            yield Visit(origin=origin, method=b"GET", credentials=credentials)

    def combinations(self) -> Iterator[Visit]:
        """Yield the product of the pools, each visit with the next application of its pool.

        The order, and with it the application that a visit meets, depends on the pools alone.
        """
        combinations = product(self.origins, self.methods, self.header_sets, self.credentials)
        for index, (origin, method, headers, credentials) in enumerate(combinations):
            # One more with each round: were the pools in step, an application would meet the
            # same credentials mode or header set every time.
            turn = index + index // len(self.applications)
            yield Visit(
                origin=origin,
                method=method,
                headers=headers,
                credentials=credentials,
                body=_body(method),
                application=self.applications[turn % len(self.applications)],
            )
        yield from self.single


class _Printer(Protocol):
    """What IPython's protocol of pretty printing hands over."""

    def text(self, obj: str) -> None: ...


def _shown(value: bytes) -> str:
    if len(value) <= _SHOWN:
        return repr(value)
    return f"{value[: _SHOWN // 2]!r} + ... {len(value)} bytes ... + {value[-_SHOWN // 2 :]!r}"


def _body(method: bytes) -> bytes | None:
    # `get` is normalised before the constructor looks for a body.
    return None if method.upper() in BODILESS else b"page"


Matter: TypeAlias = Literal["response", "request", "http scope", "scope", "reuse", "headers"]
"""What a call is about: the body of a response, that of a request, the scope of a request, scopes
other than `http`, objects that are not the middleware's, or the ways to hand headers over."""

RECEIVE: Final[MessageItems] = (("type", "receive"),)
"""In a script: the application takes the next message."""
RAISE: Final[MessageItems] = (("type", "raise"),)
"""In a script: the application raises `ApplicationError`."""
CATCH_UP: Final[MessageItems] = (("type", "catch up"),)
"""In a script: the application waits until the server has all that was sent, for a moment."""
WORK: Final[MessageItems] = (("type", "work"),)
"""In a script: the application does something that others must wait for."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ASGICall:
    """One call of an ASGI application, watched message by message.

    Attributes:
        name: what happens in it, e.g. "trailers"; unique.
        about: which part of ASGI it is about.
        scope_type: the scope's type: `http`, `websocket`, `lifespan` or one that nobody knows.
        is_cors: whether it comes from a page that the policy grants access, where there is one;
            else it has no `Origin`.
        extensions: the extensions of ASGI that the scope offers.
        received: the messages that the server has for the application, in order.
        script: the messages that the application sends, in order; `RECEIVE`, `RAISE`,
            `CATCH_UP` and `WORK` stand for what else it does. Messages of extensions are sent only
            if the scope that the application sees offers them.
        held_from: from which message on, counted from 0, the client sends no more before it has
            the start of the response; `None` if it sends all at once.
        headers_as: as what the application hands over headers.
        times: how often it is made; the application uses the same header lists each time.

    """

    name: str
    about: Matter
    scope_type: str = "http"
    is_cors: bool = False
    extensions: tuple[str, ...] = ()
    received: tuple[MessageItems, ...] = ()
    script: tuple[MessageItems, ...] = ()
    held_from: int | None = None
    headers_as: Literal["list", "lists", "tuple", "generator"] = "list"
    times: int = 1
