"""What a mutant is, and the places at which mutants differ from the reference.

Here alone, and beside `implementations/`, the reference is known: mutants are made from it.
"""

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final, TypeVar

from cors_conformance.dialect import Dialect
from cors_conformance.implementation import Application, Implementation, Option, OriginPattern
from cors_conformance.policy import Policy
from cors_reference.asgi import ASGIApp, CORSMiddleware, Message, Receive, Scope, Send
from cors_reference.core import Answer, Header
from cors_reference.wsgi import WSGICORSMiddleware

ORIGIN: Final = b"access-control-allow-origin"
CREDENTIALS: Final = b"access-control-allow-credentials"
METHODS: Final = b"access-control-allow-methods"
HEADERS: Final = b"access-control-allow-headers"
EXPOSE: Final = b"access-control-expose-headers"
MAX_AGE: Final = b"access-control-max-age"
VARY: Final = b"vary"

PROMISES: Final = Dialect(
    always_allowed_headers=frozenset(),
    wildcard_covers_authorization=True,
    wildcard_covers_null=True,
    wildcard_lists_with_credentials=True,
    wildcard_with_credentials="refused",
)
"""What the reference documents, and what mutants are held to."""

__all__ = [
    "CREDENTIALS",
    "EXPOSE",
    "HEADERS",
    "MAX_AGE",
    "METHODS",
    "ORIGIN",
    "PROMISES",
    "VARY",
    "ASGIApp",
    "Answer",
    "Believing",
    "CORSMiddleware",
    "Chapter",
    "Configured",
    "Editing",
    "Everyone",
    "Header",
    "Loose",
    "Message",
    "Mutant",
    "Receive",
    "Scope",
    "Send",
    "WSGICORSMiddleware",
    "first",
    "named",
    "names_in",
    "replaced",
    "without",
]

_Class = TypeVar("_Class", bound=type[CORSMiddleware | WSGICORSMiddleware])


@dataclass(frozen=True, slots=True, kw_only=True)
class Mutant:
    """A wrong middleware.

    Attributes:
        id: unique; its class in words.
        mistake: what it does wrong, a sentence.
        defect: the class of defects it stands for: a key of `defects.CLASSES`.
        copies: the real case: project, and issue, commit or CVE.
        consequence: what comes of it in a browser.
        dies_by: the ids of the rules that name the mistake; others may fail as well.
        implementation: for a run.

    """

    id: str
    mistake: str
    defect: str
    copies: str
    consequence: str
    dies_by: tuple[str, ...]
    implementation: Implementation


class Chapter:
    """The mutants of one module, in its order."""

    def __init__(self) -> None:
        self._mutants: list[Mutant] = []

    def __iter__(self) -> Iterator[Mutant]:
        """Iterate over the mutants."""
        return iter(self._mutants)

    def add(
        self,
        defect: str,
        *dies_by: str,
        copies: str,
        consequence: str,
        dialect: Dialect = PROMISES,
        patterns: tuple[OriginPattern, ...] = (),
        null_origin: Option | None = None,
        private_network: Option | None = None,
    ) -> Callable[[_Class], _Class]:
        """Decorate the class of a mutant, whose docstring is the mistake."""

        def register(made: _Class) -> _Class:
            name = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "-", made.__name__).lower()

            def wrap(app: Application, policy: Policy) -> Application:
                parameters: dict[str, Any] = dict(policy.parameters())
                product: Application = made(app, **parameters)
                return product

            self._mutants.append(
                Mutant(
                    id=name,
                    mistake=(made.__doc__ or "").strip(),
                    defect=defect,
                    copies=copies,
                    consequence=consequence,
                    dies_by=dies_by,
                    implementation=Implementation(
                        name=f"mutant {name}",
                        interface="wsgi" if issubclass(made, WSGICORSMiddleware) else "asgi",
                        wrap=wrap,
                        dialect=dialect,
                        as_given=True,
                        patterns=patterns,
                        null_origin=null_origin,
                        private_network=private_network,
                    ),
                )
            )
            return made

        return register


def without(lines: Iterable[Header], *names: bytes) -> list[Header]:
    """Return the lines that have none of the names."""
    return [line for line in lines if line[0] not in names]


def replaced(lines: Iterable[Header], name: bytes, value: bytes) -> list[Header]:
    """Return the lines with another value where the name is; `*` for an origin too."""
    return [(key, value if key == name else old) for key, old in lines]


def named(lines: Iterable[Header], origin: bytes | None) -> list[Header]:
    """Return the lines with another origin where one is named."""
    return [
        (key, origin if key == ORIGIN and value != b"*" and origin is not None else value)
        for key, value in lines
    ]


def first(scope: Scope, name: bytes) -> bytes | None:
    """Return the value of the first line of a request with a name."""
    return next((value for key, value in scope["headers"] if key == name), None)


def names_in(value: bytes) -> list[bytes]:
    """Return the names of a list header, in lower case."""
    return [name for item in value.lower().split(b",") if (name := item.strip(b" \t"))]


class Loose(CORSMiddleware):
    """Takes a request's origin for an allowed one that it is not, and echoes it."""

    def matches(self, origin: bytes, allowed: bytes) -> bool:
        """Whether the one is taken for the other."""
        raise NotImplementedError

    def _taken_for(self, origin: bytes) -> bytes:
        if origin in self.grants:
            return origin
        return next((each for each in self.grants if each and self.matches(origin, each)), origin)

    def answer(self, origin: bytes, method: bytes, headers: bytes) -> Answer:
        """Answer a preflight."""
        status, lines, body = super().answer(self._taken_for(origin), method, headers)
        return status, named(lines, origin), body

    def share(self, origin: bytes | None, headers: Iterable[Header]) -> list[Header]:
        """Share a response."""
        if origin is None:
            return super().share(origin, headers)
        return named(super().share(self._taken_for(origin), headers), origin)


class Believing(CORSMiddleware):
    """Reads the request wrongly; the application gets it as it is."""

    def __init__(self, app: ASGIApp, **parameters: Any) -> None:  # noqa: ANN401 - those of a policy
        async def unharmed(scope: Scope, receive: Receive, send: Send) -> None:
            await app(scope.pop("as it is", scope), receive, send)

        super().__init__(unharmed, **parameters)

    def believed(self, scope: Scope) -> Mapping[str, Any]:
        """Return what is read wrongly: items of a scope."""
        raise NotImplementedError

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve."""
        if scope["type"] == "http":
            scope = {**scope, **self.believed(scope), "as it is": scope}
        await super().__call__(scope, receive, send)


class Editing(CORSMiddleware):
    """Changes the lines of responses, its own and those it passes on, when all is decided."""

    def edited(self, scope: Scope, status: int, lines: list[Header]) -> list[Header]:
        """Return the lines in the place of what the reference would send."""
        raise NotImplementedError

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve."""

        async def send_edited(message: Message) -> None:
            if message["type"] == "http.response.start":
                lines = self.edited(scope, message["status"], list(message["headers"]))
                message = {**message, "headers": lines}
            await send(message)

        await super().__call__(scope, receive, send_edited)


class Configured(CORSMiddleware):
    """Understands its parameters wrongly."""

    def __init__(self, app: ASGIApp, **parameters: Any) -> None:  # noqa: ANN401 - those of a policy
        super().__init__(app, **{**parameters, **self.understood(**parameters)})

    def understood(self, **parameters: Any) -> Mapping[str, Any]:  # noqa: ANN401 - see above
        """Return the parameters that are understood in another way."""
        raise NotImplementedError


class Everyone(Configured):
    """Serves all origins with credentials, where the reference refuses."""

    def understood(self, **parameters: Any) -> Mapping[str, Any]:  # noqa: ANN401 - see above
        """Remember it, and get past the reference."""
        self.everyone: bool = parameters["allow_credentials"] and "*" in parameters["allow_origins"]
        return {"allow_credentials": parameters["allow_credentials"] and not self.everyone}
