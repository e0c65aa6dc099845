"""Scenarios: what pages and strangers do to one server during one example."""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import product
from typing import Any, Final, Literal, TypeAlias

from cors_conformance.application import ApplicationResponse
from cors_conformance.fetch.http import HeaderLines

API: Final = "https://api.example"
"""The origin of the API server that the pages fetch from."""

MessageItems: TypeAlias = tuple[tuple[str, Any], ...]
"""An ASGI message as its items, so that it can be hashed."""

Mode: TypeAlias = Literal["cors", "no-cors", "same-origin"]
Credentials: TypeAlias = Literal["omit", "same-origin", "include"]
Redirect: TypeAlias = Literal["follow", "error", "manual"]

BODILESS: Final = frozenset({b"GET", b"HEAD"})
"""The methods with which the `Request` constructor throws if it is given a body."""

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

    def visits(self) -> Iterator[Visit]:
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


def _body(method: bytes) -> bytes | None:
    # `get` is normalised before the constructor looks for a body.
    return None if method.upper() in BODILESS else b"page"


@dataclass(frozen=True, slots=True, kw_only=True)
class ASGICall:
    """One call of an ASGI application, watched message by message.

    Attributes:
        name: what it is about, e.g. "chunks".
        scope_type: the scope's type: `http`, `websocket`, `lifespan` or one that nobody knows.
        method: of an `http` scope.
        headers: of the scope.
        received: the messages that the server has for the application, in order.
        sent: the messages that the application sends, in order.
        raises_after: the number of messages sent after which the application raises; `None`
            where it does not.

    """

    name: str
    scope_type: str = "http"
    method: str = "GET"
    headers: HeaderLines = ()
    received: tuple[MessageItems, ...] = ()
    sent: tuple[MessageItems, ...] = ()
    raises_after: int | None = None
