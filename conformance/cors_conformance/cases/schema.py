"""The keys of a case file, their types and their defaults.

    {"meta": {...}, "cases": [case, ...]}

Strings that stand for bytes are isomorphic decodings (https://infra.spec.whatwg.org/#isomorphic-decode),
so they hold no character above U+00FF. A key that is not declared here is an error, so that a
misspelt one cannot pass for a judgement that was made.
"""

from typing import Annotated, Any, Literal, TypeAlias

from msgspec import UNSET, Meta, Struct, UnsetType

from cors_conformance.fetch.urls import why_no_origin

Isomorphic: TypeAlias = Annotated[str, Meta(pattern=r"\A[\x00-\xff]*\Z")]
Lines: TypeAlias = tuple[tuple[Isomorphic, Isomorphic], ...]
Values: TypeAlias = dict[Isomorphic, Isomorphic | None]

Mode: TypeAlias = Literal["cors", "no-cors", "same-origin"]
Credentials: TypeAlias = Literal["omit", "same-origin", "include"]
Redirect: TypeAlias = Literal["follow", "error", "manual"]
ReferrerPolicy: TypeAlias = Literal[
    "",
    "no-referrer",
    "no-referrer-when-downgrade",
    "same-origin",
    "origin",
    "strict-origin",
    "origin-when-cross-origin",
    "strict-origin-when-cross-origin",
    "unsafe-url",
]
OutcomeName: TypeAlias = Literal["success", "network_error", "type_error"]
ResponseType: TypeAlias = Literal["basic", "cors", "opaque", "opaqueredirect"]


class Request(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What the script asks for; the defaults are those of `fetch()`."""

    url: str
    method: Isomorphic = "GET"
    headers: Lines = ()
    mode: Mode = "cors"
    credentials: Credentials = "same-origin"
    redirect: Redirect = "follow"
    body: Isomorphic | None = None
    use_cors_preflight: bool = False
    referrer_policy: ReferrerPolicy = ""


class Response(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What the server is told to answer; `$ORIGIN`, `$ACRM` and `$ACRH` are filled in."""

    status: Annotated[int, Meta(ge=100, le=999)] = 200
    headers: Lines = ()
    body: Isomorphic | None = None


class Hop(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One URL and its two answers; `None` says that the case defines none."""

    url: str
    preflight: Response | None = None
    actual: Response | None = None


class Server(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The hops of the scripted server, in the order in which a fetch visits them."""

    hops: tuple[Hop, ...]


class Expected(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What must come out. Only the keys that are present are judged; null is a judgement."""

    outcome: OutcomeName | UnsetType = UNSET
    preflight: bool | UnsetType = UNSET
    acrm: Isomorphic | UnsetType | None = UNSET
    acrh: Isomorphic | UnsetType | None = UNSET
    origin_header: Isomorphic | UnsetType | None = UNSET
    final_origin_header: Isomorphic | UnsetType | None = UNSET
    status: Annotated[int, Meta(ge=0, le=999)] | UnsetType | None = UNSET
    response_type: ResponseType | UnsetType | None = UNSET
    visible_headers: Values | UnsetType = UNSET
    final_method: Isomorphic | UnsetType | None = UNSET
    cookie_sent: Isomorphic | UnsetType | None = UNSET
    sent_headers: Values | UnsetType = UNSET
    final_headers: Values | UnsetType = UNSET
    preflight_headers: Values | UnsetType = UNSET
    preflight_count: Annotated[int, Meta(ge=0)] | UnsetType = UNSET
    from_http_cache: bool | UnsetType = UNSET


class Step(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One fetch; before it the clock of the browser moves on by `wait_before_s` seconds."""

    request: Request
    server: Server
    expected: Expected
    wait_before_s: Annotated[float, Meta(ge=0, le=1e9)] = 0


class _Page(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    id: Annotated[str, Meta(min_length=1)]
    client_origin: str
    source: str | None = None

    def __post_init__(self) -> None:
        if (wrong := why_no_origin(self.client_origin)) is not None:
            message = f"`client_origin`: {wrong}"
            raise ValueError(message)


class OneFetch(_Page, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A case as it is written where the page fetches once."""

    request: Request
    server: Server
    expected: Expected

    def fetches(self) -> tuple[Step, ...]:
        """Return the one fetch as a step."""
        return (Step(request=self.request, server=self.server, expected=self.expected),)


class Steps(_Page, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A case as it is written where several fetches share one browser."""

    steps: Annotated[tuple[Step, ...], Meta(min_length=1)]

    def fetches(self) -> tuple[Step, ...]:
        """Return the fetches in their order."""
        return self.steps


Case: TypeAlias = OneFetch | Steps


class CaseFile(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A file; its cases are converted one by one, so that an error can name the case."""

    cases: Annotated[tuple[Any, ...], Meta(min_length=1)]
    meta: Any = None
