"""The documentation holds: its Python runs, its files are valid, its commands and links exist.

Sybil finds the examples, because it knows Markdown's fences and runs the blocks of a page in one
namespace; `doctest` reads prompts only, and the pages are easier to copy from without.
"""

import json
import os
import re
import shlex
import subprocess
import sys
from collections.abc import Iterator
from configparser import ConfigParser
from pathlib import Path
from types import ModuleType
from typing import Final

import pytest
from sybil import Document
from sybil.parsers.markdown import CodeBlockParser, PythonCodeBlockParser

from cors_conformance.application import ApplicationResponse
from cors_conformance.fetch.http import HTTPRequest
from cors_conformance.implementation import Implementation
from cors_conformance.named_policies import find_policy
from cors_conformance.policy import Policy
from cors_conformance.servers.base import ConfigurationRefused
from cors_conformance.servers.start import start

ROOT: Final = Path(__file__).parents[2]
PAGES: Final = [*sorted(ROOT.glob("*.md")), *sorted((ROOT / "docs").glob("*.md"))]

PROGRAMS: Final = {".ci/run", "cors-conformance", "pip", "pytest", "python3", "tox"}
"""What the pages tell people to run."""


def page_id(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


def blocks(page: Path, language: str) -> list[str]:
    """The code blocks of a page in one language."""
    return [
        str(example.parsed)
        for example in Document.parse(str(page), CodeBlockParser(language, lambda _: None))
    ]


def some_middleware(app: object, *, origins: object, methods: object) -> object:
    """What the pages import from `my_package`."""
    return app


@pytest.fixture
def my_package(monkeypatch: pytest.MonkeyPatch) -> None:
    module = ModuleType("my_package")
    vars(module)["SomeMiddleware"] = some_middleware
    monkeypatch.setitem(sys.modules, "my_package", module)


@pytest.mark.usefixtures("my_package")
@pytest.mark.parametrize("page", PAGES, ids=page_id)
def test_python_examples_run(page: Path) -> None:
    for example in Document.parse(str(page), PythonCodeBlockParser()):
        example.evaluate()


@pytest.mark.usefixtures("my_package")
@pytest.mark.parametrize(
    "page", [ROOT / "README.md", ROOT / "docs" / "plugging-in.md"], ids=page_id
)
def test_declared_implementations_wrap_an_application(page: Path) -> None:
    document = Document.parse(str(page), PythonCodeBlockParser())
    for example in document:
        example.evaluate()
    implementation = document.namespace["implementation"]
    assert isinstance(implementation, Implementation)
    assert implementation.wrap is not None
    assert implementation.wrap(lambda: None, Policy()) is not None


PROGRAM: Final = """
import json, sys
from http.server import BaseHTTPRequestHandler, HTTPServer

port, policy = int(sys.argv[2]), json.loads(sys.argv[4])
if "*" in policy["allow_origins"]:
    sys.exit("no wildcards here")


class Hello(BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200)
        self.send_header("Access-Control-Allow-Origin", policy["allow_origins"][0])
        self.send_header("Content-Length", "5")
        self.end_headers()
        self.wfile.write(b"hello")


HTTPServer(("127.0.0.1", port), Hello).serve_forever()
"""
"""What the page about plugging in calls `my-server`."""


@pytest.fixture
def my_server(
    my_package: None,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> Implementation:
    program = tmp_path / "my-server"
    program.write_text(f"#!{sys.executable}\n{PROGRAM}")
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}{os.pathsep}{os.environ['PATH']}")
    document = Document.parse(str(ROOT / "docs" / "plugging-in.md"), PythonCodeBlockParser())
    for example in document:
        example.evaluate()
    implementation = document.namespace["served"]
    assert isinstance(implementation, Implementation)
    return implementation


def test_the_documented_server_answers_and_is_ended(my_server: Implementation) -> None:
    request = HTTPRequest(method=b"GET", url="https://api.example/", headers=())
    policy = Policy(allow_origins=("https://a.example",))
    with start(my_server, policy) as server:
        response = server.send(request, ApplicationResponse()).response
        process = vars(server)["_process"]
    assert response is not None
    assert response.body == b"hello"
    assert process.returncode is not None


def test_the_documented_server_tells_refusals(my_server: Implementation) -> None:
    with pytest.raises(ConfigurationRefused, match="no wildcards here"):
        start(my_server, Policy(allow_origins=("*",)))


def test_documented_policies_can_be_given(tmp_path: Path) -> None:
    (policy,) = blocks(ROOT / "README.md", "json")
    file = tmp_path / "policy.json"
    file.write_text(policy)
    assert find_policy(str(file)) == find_policy("fastrapi-specific-origins")


def test_the_finding_of_the_readme_is_printed_as_it_stands_there() -> None:
    (finding,) = blocks(ROOT / "README.md", "text")
    (again,) = (line for line in finding.splitlines() if "--replay" in line)
    _, *arguments = shlex.split(again)
    command = [sys.executable, "-m", "cors_conformance.cli", *arguments, "--no-baseline"]
    ran = subprocess.run(command, capture_output=True, check=False, text=True)
    assert ran.returncode == 1
    printed = "\n".join(line.rstrip() for line in ran.stdout.splitlines())
    assert finding.rstrip() in printed


def test_documented_cases_agree_with_the_browser(tmp_path: Path) -> None:
    (cases,) = blocks(ROOT / "docs" / "browser-model.md", "json")
    file = tmp_path / "cases.json"
    file.write_text(cases)
    command = [sys.executable, "-m", "cors_conformance.cli", "cases", str(file)]
    ran = subprocess.run(command, capture_output=True, check=False, text=True)
    assert (ran.returncode, ran.stdout) == (
        0,
        f"{len(json.loads(cases)['cases'])} agree, 0 disagree\n",
    )


def commands(page: Path) -> Iterator[list[str]]:
    """The words of each command that a page shows; `&&` joins several on a line."""
    for block in blocks(page, "sh"):
        for line in block.splitlines():
            for command in line.split("&&"):
                if words := shlex.split(command, comments=True):
                    yield words


@pytest.mark.parametrize("page", PAGES, ids=page_id)
def test_shown_commands_exist(page: Path) -> None:
    environments = tox_environments()
    for program, *arguments in commands(page):
        assert program.removeprefix(".venv/bin/") in PROGRAMS
        if program.endswith("tox") and arguments:
            assert arguments[0] == "-e"
            assert arguments[1] in environments


def tox_environments() -> set[str]:
    parser = ConfigParser()
    parser.read(ROOT / "tox.ini")
    prefix = "testenv:"
    return {name.removeprefix(prefix) for name in parser.sections() if name.startswith(prefix)}


def test_two_commands_of_the_readme_differ_in_the_environment_only() -> None:
    lines = [
        line
        for line in blocks(ROOT / "README.md", "sh")[0].splitlines()
        if not line.startswith("#")
    ]
    assert [line.rpartition(" ")[2] for line in lines] == ["conformance", "tests"]
    assert len({line.rpartition(" ")[0] for line in lines}) == 1


@pytest.mark.parametrize("page", PAGES, ids=page_id)
def test_links_inside_the_project_lead_somewhere(page: Path) -> None:
    for target in re.findall(r"\]\(([^)\s]+)\)", page.read_text(encoding="utf-8")):
        if target.startswith("https://"):
            continue
        path, _, fragment = target.partition("#")
        linked = page.parent / path if path else page
        assert linked.is_file(), target
        assert not fragment or fragment in headings(linked), target


def headings(page: Path) -> set[str]:
    """The anchors that a page's headings get."""
    lines = page.read_text(encoding="utf-8").splitlines()
    titles = (line.lstrip("#").strip().lower() for line in lines if line.startswith("#"))
    return {re.sub(r"[^\w -]", "", title).replace(" ", "-") for title in titles}
