"""The origin app: the application behind the middleware, scripted by the test that runs."""

from dataclasses import dataclass
from typing import Literal

from cors_conformance.fetch.http import HeaderLines


@dataclass(frozen=True, slots=True, kw_only=True)
class ApplicationResponse:
    """What the origin app is told to answer.

    Attributes:
        status: 200 to 599.
        headers: lines the application sets itself, in order, lower-case names.
        body: the chunks of the body; each is one message (ASGI) or one item (WSGI).
        raises: whether and when the application raises `ApplicationError` instead: before the
            response starts, or after its start and its first chunk.

    """

    status: int = 200
    headers: HeaderLines = ()
    body: tuple[bytes, ...] = (b"origin app",)
    raises: Literal["never", "before start", "after start"] = "never"


@dataclass(frozen=True, slots=True, kw_only=True)
class ApplicationCall:
    """One request as the origin app saw it; `target` is path and query, percent-encoded."""

    method: bytes
    target: bytes
    headers: HeaderLines
    body: bytes


class ApplicationError(Exception):
    """The exception that a scripted origin app raises."""
