"""The built-in implementations, and how people name their own."""

import inspect
import sys
import textwrap
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryFile
from typing import Any

import pytest

from cors_conformance.application import ApplicationResponse
from cors_conformance.dialect import Dialect
from cors_conformance.fetch.http import HTTPRequest, HTTPResponse
from cors_conformance.implementation import Capability, Implementation
from cors_conformance.implementations import adapt, registry
from cors_conformance.implementations.errors import BadImplementation, UnknownImplementation
from cors_conformance.implementations.registry import BUILT_IN, find, missing, names
from cors_conformance.policy import Policy
from cors_conformance.servers.base import ConfigurationRefused, HarnessError, ServerDied
from cors_conformance.servers.nursery import SCRIPT_SIZE, SharedScript
from cors_conformance.servers.start import start, wrapped

ORIGIN = b"https://a.example"
POLICY = Policy(allow_origins=(ORIGIN.decode("ascii"),))
GET = HTTPRequest(method=b"GET", url="https://api.example/a/b?c", headers=((b"origin", ORIGIN),))
PLAIN = ApplicationResponse()

Write = Callable[..., str]


@pytest.fixture
def write(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Write:
    """Write a module of a name of its own into the current directory; return the name."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", list(sys.path))
    counter = iter(range(100))

    def write(source: str) -> str:
        name = f"plugin_{tmp_path.name}_{next(counter)}"
        (tmp_path / f"{name}.py").write_text(textwrap.dedent(source), encoding="utf-8")
        return name

    return write


def answer(implementation: Implementation, request: HTTPRequest = GET) -> HTTPResponse:
    with start(implementation, POLICY) as server:
        response = server.send(request, PLAIN).response
    assert response is not None
    return response


@pytest.mark.parametrize("name", sorted(BUILT_IN))
def test_built_in_implementation_grants_what_its_policy_grants(name: str) -> None:
    if name in {absent.name for absent in missing()}:
        pytest.skip(f"{name} is not installed")
    implementation = find(name)
    response = answer(implementation)
    assert implementation.name == name
    assert response.body == b"origin app"
    granted = dict(response.headers).get(b"access-control-allow-origin")
    assert granted == (None if name == "none" else ORIGIN)
    assert bool(implementation.version) is (name != "none")


@pytest.mark.parametrize("name", ["reference", "reference-wsgi"])
def test_reference_refuses_all_origins_with_credentials(name: str) -> None:
    policy = Policy(allow_origins=("*",), allow_credentials=True)
    with pytest.raises(ConfigurationRefused):
        start(find(name), policy)


@pytest.mark.parametrize("method", [b"GET", b"PUT", b"OPTIONS", b"we!rd"])
def test_every_method_reaches_the_application_in_fastapi(method: bytes) -> None:
    pytest.importorskip("fastapi")
    request = replace(GET, method=method, url="https://api.example/docs")
    with start(find("fastapi"), POLICY) as server:
        (call,) = server.send(request, PLAIN).calls
    assert (call.method, call.target) == (method, b"/docs")


def test_unhandled_exception_in_fastapi_has_no_cors_headers_and_is_the_applications() -> None:
    pytest.importorskip("fastapi")
    with start(find("fastapi"), POLICY) as server:
        reply = server.send(GET, ApplicationResponse(raises="before start"))
    assert reply.application_raised
    assert reply.response is not None
    assert b"access-control-allow-origin" not in dict(reply.response.headers)


@pytest.mark.parametrize(
    "policy",
    [
        Policy(allow_origins=("*",), allow_credentials=True),
        Policy(allow_origins=("https://a.example",), allow_methods=("*",), allow_credentials=True),
    ],
)
def test_fastrapi_dies_of_a_wildcard_with_credentials(policy: Policy) -> None:
    pytest.importorskip("fastrapi")
    with pytest.raises(ServerDied, match="SIGABRT: Invalid CORS configuration"):
        start(find("fastrapi"), policy)


@pytest.mark.parametrize("path", ["/", "/a", "/a/b/c/d/e/f?g=h"])
@pytest.mark.parametrize("method", [b"GET", b"POST", b"PUT", b"DELETE", b"PATCH"])
def test_fastrapi_handlers_answer_the_scripted_status_and_body(method: bytes, path: str) -> None:
    pytest.importorskip("fastrapi")
    request = HTTPRequest(method=method, url=f"https://api.example{path}", body=b"body")
    with start(find("fastrapi"), POLICY) as server:
        reply = server.send(request, ApplicationResponse(status=418, body=(b"a", b"b")))
    assert reply.response is not None
    assert (reply.response.status, reply.response.body) == (418, b"ab")


def test_fastrapi_lacks_what_it_is_said_to_lack() -> None:
    pytest.importorskip("fastrapi")
    script = ApplicationResponse(headers=((b"x-a", b"1"),))
    with start(find("fastrapi"), POLICY) as server:
        reply = server.send(GET, script)
        assert reply.response is not None
        assert b"x-a" not in dict(reply.response.headers)
        assert reply.calls == ()
        raised = server.send(GET, ApplicationResponse(raises="before start"))
        assert raised.response is not None
        assert (raised.response.status, raised.failure) == (500, None)
        other = server.send(replace(GET, method=b"QUERY"), PLAIN).response
        assert other is not None
        assert other.status == 405


def test_fastrapi_has_a_server_without_the_middleware() -> None:
    pytest.importorskip("fastrapi")
    bare = find("fastrapi").bare
    assert bare is not None
    request = HTTPRequest(
        method=b"GET", url="https://api.example/a", headers=((b"origin", b"https://a.example"),)
    )
    with bare() as server:
        response = server.send(request, ApplicationResponse(status=201, body=(b"x",))).response
    assert response is not None
    assert (response.status, response.body) == (201, b"x")
    assert not [name for name, _ in response.headers if name.startswith((b"access", b"vary"))]


def test_handlers_of_fastrapi_read_the_script() -> None:
    server = pytest.importorskip("cors_conformance.implementations.fastrapi_server")
    with TemporaryFile() as memory:
        memory.truncate(SCRIPT_SIZE)
        script = SharedScript(memory.fileno())
        assert callable(server.build(POLICY.parameters(), script))
        answer = server.handler(script)
        script.write(404, b"body", raises=False)
        assert type(answer()).__name__ == "HTMLResponse"
        script.write(200, b"", raises=True)
        with pytest.raises(RuntimeError, match="as scripted"):
            answer()
        script.close()


def test_names_are_the_built_in_ones_first() -> None:
    assert names()[: len(BUILT_IN)] == tuple(BUILT_IN)


def test_misspelt_name_is_answered_with_the_right_one() -> None:
    with pytest.raises(UnknownImplementation, match="did you mean 'starlette'"):
        find("starlete")


@pytest.mark.parametrize("selector", ["", "zzz", ":", "a:", ":b"])
def test_unknown_name_is_answered_with_the_known_ones(selector: str) -> None:
    with pytest.raises(UnknownImplementation, match="reference-wsgi, starlette"):
        find(selector)


def test_missing_package_is_answered_with_the_command_that_installs_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.delitem(sys.modules, "cors_conformance.implementations.starlette", raising=False)
    monkeypatch.setitem(sys.modules, "starlette.middleware", None)
    (absent,) = [one for one in missing() if one.name == "starlette"]
    assert absent.install == 'pip install "cors-conformance[implementations]"'
    with pytest.raises(BadImplementation, match=r"starlette is not installed.*pip install"):
        find("starlette")


def test_missing_fastrapi_is_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    module = pytest.importorskip("cors_conformance.implementations.fastrapi")
    monkeypatch.setattr(module, "find_spec", lambda _: None)
    assert "fastrapi" in {absent.name for absent in missing()}


ASGI_CLASS = """
    class Middleware:
        def __init__(self, app, allow_origins=(), max_age=600):
            self.app = app
        async def __call__(self, scope, receive, send):
            await self.app(scope, receive, send)
"""


def test_class_of_the_current_directory_is_found_and_its_missing_parameters_are_lacks(
    write: Write,
) -> None:
    selector = f"{write(ASGI_CLASS)}:Middleware"
    implementation = find(selector)
    assert (implementation.name, implementation.interface) == (selector, "asgi")
    assert implementation.lacks == {
        Capability.PATTERNS: "it declares no pattern for origins",
        Capability.NULL_ORIGIN: "it declares no option for the origin null",
        Capability.PRIVATE_NETWORK: "it declares no option for private networks",
        Capability.WSGI: "it is reached as an ASGI application",
    } | {
        Capability(name): f"its constructor has no parameter `{name}`"
        for name in ("allow_methods", "allow_headers", "allow_credentials", "expose_headers")
    }
    assert implementation.version == ""
    assert answer(implementation).body == b"origin app"
    find(selector)  # the directory is not added twice
    assert sys.path.count(str(Path.cwd())) == 1


@pytest.mark.parametrize(
    ("source", "interface"),
    [
        (
            "class Given:\n def __init__(self, app, **kw): ...\n def __call__(self, s, r, t): ...",
            "asgi",
        ),
        (
            "class Given:\n def __init__(self, app, **kw): ...\n def __call__(self, e, s): ...",
            "wsgi",
        ),
        (
            (
                "class A:\n def __call__(self, e, s): ...\n"
                "class Given(A):\n def __init__(self, app, **kw): ..."
            ),
            "wsgi",
        ),
        (
            "class Given:\n def __init__(self, *a, **kw): ...\n def __call__(self, s, r, t): ...",
            "asgi",
        ),
        ("def Given(app, **kw):\n async def call(s, r, t): ...\n return call", "asgi"),
        ("def Given(app, **kw):\n def call(e, s, more=1): ...\n return call", "wsgi"),
        (
            "class A:\n def __call__(self, e, s): ...\ndef Given(app, *a, **kw):\n return A()",
            "wsgi",
        ),
    ],
)
def test_interface_is_told_from_how_the_middleware_is_called(
    write: Write, source: str, interface: str
) -> None:
    implementation = find(f"{write(source)}:Given")
    assert implementation.interface == interface
    other = Capability.ASGI if interface == "wsgi" else Capability.WSGI
    options = {Capability.PATTERNS, Capability.NULL_ORIGIN, Capability.PRIVATE_NETWORK}
    assert set(implementation.lacks) == {other, *options}


def test_version_of_a_class_is_that_of_its_package() -> None:
    pytest.importorskip("starlette")
    implementation = find("starlette.middleware.cors:CORSMiddleware")
    assert implementation.version == find("starlette").version


def test_version_of_half_removed_metadata_is_unknown(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(adapt, "_distributions", lambda: {"gone": ["no-such-package"]})
    assert adapt.version_of("gone.module") == ""


DECLARED = """
    from cors_conformance.implementation import Implementation
    def wrap(app, policy):
        return app
    class Holder:
        declared = Implementation(name="mine", interface="asgi", wrap=wrap)
    def make():
        return Holder.declared
    def broken():
        raise ValueError("broken")
    def wrong():
        return 1
    number = 1
"""


@pytest.mark.parametrize("attribute", ["Holder.declared", "make"])
def test_declared_implementation_is_taken_as_it_is(write: Write, attribute: str) -> None:
    assert find(f"{write(DECLARED)}:{attribute}").name == "mine"


@pytest.mark.parametrize(
    ("source", "attribute", "message"),
    [
        (DECLARED, "number", "it is 'int' and neither"),
        (DECLARED, "broken", "calling it failed: ValueError: broken"),
        (DECLARED, "wrong", "it returned a 'int', not an `Implementation`"),
        ("raise ValueError('at import')", "x", "failed: ValueError: at import"),
        ("import no_such_package", "x", "imports 'no_such_package', which is not installed"),
        ("raise ModuleNotFoundError", "x", "imports None"),
        ("raise SystemExit(3)", "x", "failed: SystemExit: 3"),
        ("def x(): raise SystemExit", "x", "calling it failed: SystemExit"),
        ("class X:\n def __init__(self, *, app): ...", "X", "as its first argument"),
        ("class X:\n pass", "X", "as its first argument"),
        ("class X:\n def __init__(self, **kw): ...", "X", "as its first argument"),
        ("X = type", "X", "signature cannot be read"),
        (
            "class X:\n def __init__(self, app, origins=()): ...",
            "X",
            "besides? the application: origins",
        ),
        ("class X:\n def __init__(self, app): ...", "X", "application: none"),
        ("class X:\n def __init__(self, app, key, allow_origins): ...", "X", "an argument `key`"),
        ("class X:\n def __init__(self, app, allow_origins): ...", "X", "neither as ASGI asks"),
        (
            "class X:\n def __init__(self, app, allow_origins): ...\n def __call__(self, a): ...",
            "X",
            "neither as",
        ),
        (
            "class X:\n def __init__(self, app, allow_origins): ...\n __call__ = type",
            "X",
            "neither as ASGI",
        ),
        (
            "def X(app, allow_origins): raise ValueError('no')",
            "X",
            "cannot be built.*ValueError: no",
        ),
    ],
)
def test_what_cannot_be_tested_says_why(
    write: Write, source: str, attribute: str, message: str
) -> None:
    with pytest.raises(BadImplementation, match=message.replace("besides?", "beside")):
        find(f"{write(source)}:{attribute}")


def test_message_about_other_parameters_shows_the_module_to_write(write: Write) -> None:
    source = "class X:\n def __init__(self, app, origins=()): ..."
    with pytest.raises(BadImplementation) as error:
        find(f"{write(source)}:X")
    assert adapt.EXAMPLE in str(error.value)
    assert len(adapt.EXAMPLE.splitlines()) <= 10


def test_misspelt_attribute_is_answered_with_the_right_one(write: Write) -> None:
    name = write(ASGI_CLASS)
    with pytest.raises(UnknownImplementation, match=f"did you mean {name}:Middleware"):
        find(f"{name}:Midleware")
    with pytest.raises(UnknownImplementation, match=f"did you mean {name}:Middleware"):
        find(f"{name}:MIDDLEWARE")
    with pytest.raises(UnknownImplementation, match=r"has no 'zzz'$"):
        find(f"{name}:zzz")


@pytest.mark.parametrize("module", ["my_cors.py", "./my_cors.py", "folder/my_cors.py"])
def test_a_file_is_answered_with_its_module(module: str) -> None:
    with pytest.raises(UnknownImplementation, match=r"named as in an import.*: my_cors:Class$"):
        find(f"{module}:Class")


@pytest.mark.parametrize("module", ["no_such_module", "no_such_package.module"])
def test_unknown_module_is_answered_with_where_it_was_looked_for(module: str) -> None:
    with pytest.raises(UnknownImplementation, match="in the current directory"):
        find(f"{module}:Class")


def advertise(directory: Path, *lines: str) -> None:
    metadata = directory / "advertiser-1.0.dist-info"
    metadata.mkdir()
    (metadata / "METADATA").write_text("Name: advertiser\nVersion: 1.0\n", encoding="utf-8")
    points = "\n".join([f"[{registry.GROUP}]", *lines])
    (metadata / "entry_points.txt").write_text(points, encoding="utf-8")


def test_advertised_implementation_is_found_by_its_name(write: Write) -> None:
    module = write(DECLARED)
    advertise(Path.cwd(), f"advertised = {module}:Holder.declared", "broken = nowhere:x")
    sys.path.insert(0, str(Path.cwd()))
    assert {"advertised", "broken"} <= set(names())
    assert find("advertised").name == "mine"
    with pytest.raises(BadImplementation, match=r"'nowhere:x'.*cannot be\s+loaded"):
        find("broken")


def test_every_declaration_is_sound() -> None:
    for name in set(BUILT_IN) - {absent.name for absent in missing()}:
        implementation = find(name)
        assert isinstance(implementation.dialect, Dialect)
        assert all(reason and reason[0].islower() for reason in implementation.lacks.values())


def implementation_that(act: Callable[[], None]) -> Implementation:
    def wrap(app: object, _: Policy) -> Callable[..., None]:
        act()
        raise AssertionError(app)

    return Implementation(name="acting", interface="asgi", wrap=wrap)


def test_system_exit_at_construction_is_a_death() -> None:
    with pytest.raises(ServerDied, match="SystemExit"):
        start(implementation_that(sys.exit), POLICY)


def test_interrupt_at_construction_reaches_the_caller() -> None:
    def interrupt() -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        start(implementation_that(interrupt), POLICY)


def test_server_wraps_nothing() -> None:
    server = Implementation(name="s", interface="http", serve=lambda _: pytest.fail("not started"))
    with pytest.raises(TypeError, match="wraps nothing"):
        wrapped(server, object, POLICY)


def test_unknown_capability_is_an_error() -> None:
    with pytest.raises(TypeError, match="unknown capability 'telepathy'"):
        replace(find("none"), lacks={"telepathy": "none"})  # type: ignore[dict-item]


def test_implementation_is_either_wrapped_or_served() -> None:
    with pytest.raises(TypeError, match="exactly one of"):
        Implementation(name="neither", interface="asgi")


@pytest.mark.parametrize(
    ("declared", "message"),
    [
        ({"interface": "htp"}, "unknown interface 'htp'; there are asgi, wsgi, http"),
        ({"interface": "http"}, "`serve` is for the interface 'http'"),
        ({"dialect": None}, "expected a Dialect, got"),
        ({"patterns": "https://*.a.example"}, "expected a tuple of OriginPattern"),
        ({"patterns": 1}, "expected a tuple of OriginPattern"),
        ({"null_origin": "allow_null=True"}, "expected an Option"),
    ],
)
def test_declarations_that_make_no_sense_are_errors(declared: dict[str, Any], message: str) -> None:
    with pytest.raises(TypeError, match=message):
        replace(find("none"), **declared)


def test_a_server_is_not_reached_in_process() -> None:
    with pytest.raises(TypeError, match=r"`serve` is for the interface 'http'.*'asgi'"):
        Implementation(name="s", interface="asgi", serve=lambda _: pytest.fail("not started"))


@pytest.mark.parametrize(
    ("declared", "message"),
    [
        ({"wildcard_with_credentials": "no"}, "is 'no'; there are 'refused', 'never"),
        ({"always_allowed_headers": "accept"}, "is 'accept'; expected a frozenset"),
        ({"wildcard_methods": ["GET"]}, "expected a frozenset"),
    ],
)
def test_words_that_no_dialect_has_are_errors(declared: dict[str, Any], message: str) -> None:
    with pytest.raises((TypeError, ValueError), match=message):
        Dialect(**declared)


def test_what_is_served_is_a_server() -> None:
    implementation = Implementation(name="s", interface="http", serve=lambda _: None)  # type: ignore[arg-type,return-value]
    with pytest.raises(HarnessError, match="`serve` returned a 'NoneType'; expected a subclass of"):
        start(implementation, POLICY)


def test_only_a_server_has_one_without_the_middleware() -> None:
    with pytest.raises(TypeError, match="`bare` is for servers"):
        replace(find("none"), bare=lambda: pytest.fail("not started"))


def test_example_in_the_messages_is_right(write: Write) -> None:
    package = write("class SomeMiddleware:\n def __init__(self, app, origins): self.app = app")
    source = adapt.EXAMPLE.replace("some_package", package).replace(", ...)", ")")
    implementation = find(f"{write(source)}:implementation")
    assert inspect.isfunction(implementation.wrap)
    assert wrapped(implementation, object, POLICY) is not None
