"""Plug-ins that are no `Implementation` yet: classes and callables that take the six parameters."""

import inspect
from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields
from functools import cache
from importlib.metadata import PackageNotFoundError, packages_distributions, version
from typing import Any, Final, Literal

from cors_conformance.implementation import Application, Capability, Implementation
from cors_conformance.implementations.errors import BadImplementation
from cors_conformance.policy import Policy
from cors_conformance.servers.origin import ASGIOrigin
from cors_conformance.servers.text import describe_error

PARAMETERS: Final = tuple(field.name for field in fields(Policy))

EXAMPLE: Final = """\
from cors_conformance.implementation import Capability, Implementation
from some_package import SomeMiddleware

def wrap(app, policy):
    return SomeMiddleware(app, origins=list(policy.allow_origins), ...)

implementation = Implementation(
    name="some-middleware", interface="asgi",  # or "wsgi"
    wrap=wrap, lacks={Capability.MAX_AGE: "it has no such option"},
)"""

HOW_TO: Final = f"""\
Declare it in a module `declared.py` of your own, and select `declared:implementation`:

{EXAMPLE}"""


@dataclass(frozen=True, slots=True)
class _Wrap:
    """Builds the middleware with those of the parameters that its signature has."""

    factory: Callable[..., Any]
    names: frozenset[str]

    def __call__(self, app: Application, policy: Policy) -> Application:
        parameters = policy.parameters()
        accepted = {name: value for name, value in parameters.items() if name in self.names}
        product: Application = self.factory(app, **accepted)
        return product


def adapt(selector: str, factory: Callable[..., Any]) -> Implementation:
    """Make an implementation of something that is called as `factory(app, **six parameters)`.

    Raises:
        BadImplementation: its signature is of another kind, or what it makes is neither an ASGI
            nor a WSGI application.

    """
    names = _names(selector, factory)
    wrap = _Wrap(factory, names)
    interface = _interface(selector, factory, wrap)
    lacks = {
        Capability(name): f"its constructor has no parameter `{name}`"
        for name in PARAMETERS
        if name not in names
    }
    return Implementation(
        name=selector,
        interface=interface,
        version=version_of(factory.__module__),
        wrap=wrap,
        lacks=lacks,
        as_given=True,
    )


def _names(selector: str, factory: Callable[..., Any]) -> frozenset[str]:
    try:
        parameters = list(inspect.signature(factory).parameters.values())
    except (TypeError, ValueError) as error:
        message = f"{selector}: its signature cannot be read ({describe_error(error)}).\n{HOW_TO}"
        raise BadImplementation(message) from error
    positional = {
        inspect.Parameter.POSITIONAL_ONLY,
        inspect.Parameter.POSITIONAL_OR_KEYWORD,
        inspect.Parameter.VAR_POSITIONAL,
    }
    if not parameters or parameters[0].kind not in positional:
        message = f"{selector}: it does not take an application as its first argument.\n{HOW_TO}"
        raise BadImplementation(message)
    rest = parameters[1:]
    for parameter in rest:
        named = parameter.kind not in {parameter.VAR_POSITIONAL, parameter.VAR_KEYWORD}
        if named and parameter.default is parameter.empty and parameter.name not in PARAMETERS:
            message = (
                f"{selector}: it needs an argument `{parameter.name}`, which the suite does not"
                f" know; it gives the application and {', '.join(PARAMETERS)}.\n{HOW_TO}"
            )
            raise BadImplementation(message)
    if any(parameter.kind is parameter.VAR_KEYWORD for parameter in rest):
        return frozenset(PARAMETERS)
    names = frozenset(parameter.name for parameter in rest).intersection(PARAMETERS)
    if "allow_origins" not in names:
        has = ", ".join(parameter.name for parameter in rest) or "none"
        message = (
            f"{selector}: it has no parameter `allow_origins`; its parameters beside the"
            f" application: {has}.\n{HOW_TO}"
        )
        raise BadImplementation(message)
    return names


def _interface(selector: str, factory: Callable[..., Any], wrap: _Wrap) -> Literal["asgi", "wsgi"]:
    call: object
    if inspect.isclass(factory):
        # Not `factory.__call__`, which is the metaclass' where the class has none.
        call = next(
            (vars(base)["__call__"] for base in factory.__mro__ if "__call__" in vars(base)), None
        )
        bound = 1
    else:
        call, bound = _call_of_product(selector, wrap), 0
    if inspect.iscoroutinefunction(call):
        return "asgi"
    count = _positional(call) - bound
    if count == 3:  # noqa: PLR2004 - scope, receive, send
        return "asgi"
    if count == 2:  # noqa: PLR2004 - environ, start_response
        return "wsgi"
    message = (
        f"{selector}: what it makes is called neither as ASGI asks (scope, receive, send) nor as"
        f" WSGI does (environ, start_response), as far as its signature tells.\n{HOW_TO}"
    )
    raise BadImplementation(message)


def _call_of_product(selector: str, wrap: _Wrap) -> object:
    try:
        product = wrap(ASGIOrigin(), Policy(allow_origins=("https://example.com",)))
    except Exception as error:
        message = (
            f"{selector}: it cannot be built around an application with"
            f" allow_origins=['https://example.com'] ({describe_error(error)}).\n{HOW_TO}"
        )
        raise BadImplementation(message) from error
    return product if inspect.isroutine(product) else getattr(product, "__call__", None)  # noqa: B004 - what it has is inspected, not whether it has it


def _positional(call: object) -> int:
    """Return how many positional arguments it takes, without counting those with a default."""
    if not callable(call):
        return -1
    try:
        parameters = inspect.signature(call).parameters.values()
    except (TypeError, ValueError):
        return -1
    positional = {inspect.Parameter.POSITIONAL_ONLY, inspect.Parameter.POSITIONAL_OR_KEYWORD}
    return sum(one.kind in positional and one.default is one.empty for one in parameters)


def version_of(module: str) -> str:
    """Return the version of the distribution that has the module, "" where none has."""
    package = module.partition(".")[0]
    for distribution in _distributions().get(package, ()):
        try:
            return version(distribution)
        except PackageNotFoundError:  # metadata half removed
            continue
    return ""


@cache
def _distributions() -> Mapping[str, list[str]]:
    """Return the distributions of each package; finding out reads the metadata of all."""
    return packages_distributions()
