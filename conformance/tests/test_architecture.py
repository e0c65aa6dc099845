"""The shape of the project: which part may know of which, and what every part owes its reader."""

import ast
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import pytest

ROOT: Final = Path(__file__).parents[2]
REFERENCE: Final = ROOT / "reference" / "cors_reference"
CONFORMANCE: Final = ROOT / "conformance" / "cors_conformance"

LAYERS: Final = (
    {"arguments", "choosing", "fetch", "pool", "strict_json"},
    {"application", "dialect", "policy", "standard"},
    {"named_policies", "scenario"},
    {"calls", "cases", "grant", "servers.base", "strategies"},
    {"implementation"},
    {"servers"},
    {"implementations"},
    {"mutants", "variants"},
    {"world"},
    {"profiles", "rules"},
    {"subjects"},
    {"findings", "grounds"},
    {"shrinking"},
    {"baseline", "run"},
    {"fuzzing", "kill_matrix", "replay"},
    {"database"},
    {"browsers", "cases_command", "report", "selection"},
    {"benchmarks", "exhaust", "mutants_command", "suite", "variants_command"},
    {"cli", "documenting", "pytest_plugin"},
)
"""The parts of `cors_conformance`, lowest first. A part imports from itself and from below."""

SOURCES: Final = sorted([*CONFORMANCE.rglob("*.py"), *REFERENCE.rglob("*.py")])
MODULES: Final = [
    path
    for path in SOURCES
    if path.is_relative_to(CONFORMANCE) and path != CONFORMANCE / "__init__.py"
]


def path_id(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


def imported_modules(path: Path) -> Iterator[str]:
    """The dotted names of the modules that a file imports, anywhere in it."""
    for node in ast.walk(ast.parse(path.read_bytes(), path)):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            # Relative imports are a matter of lint: there are none.
            assert node.module is not None
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def part_of(module: str) -> str:
    """The part of `cors_conformance` that a dotted name below it belongs to."""
    parts = set().union(*LAYERS)
    names = module.split(".")
    for length in range(len(names), 0, -1):
        if (name := ".".join(names[:length])) in parts:
            return name
    message = f"give `{names[0]}` a place in LAYERS"
    raise LookupError(message)


def layer_of(part: str) -> int:
    return next(index for index, layer in enumerate(LAYERS) if part in layer)


def module_of(path: Path) -> str:
    """The dotted name of a file below `cors_conformance`; "" for the package itself."""
    names = path.relative_to(CONFORMANCE).with_suffix("").parts
    return ".".join(names[:-1] if names[-1] == "__init__" else names)


@pytest.mark.parametrize("path", sorted(REFERENCE.rglob("*.py")), ids=path_id)
def test_reference_needs_the_standard_library_only(path: Path) -> None:
    roots = {module.partition(".")[0] for module in imported_modules(path)}
    assert roots <= sys.stdlib_module_names | {"cors_reference"}


@pytest.mark.parametrize("path", sorted((CONFORMANCE / "fetch").rglob("*.py")), ids=path_id)
def test_browser_knows_nothing_of_the_project(path: Path) -> None:
    for module in imported_modules(path):
        assert not module.startswith("cors_reference")
        assert not module.startswith("cors_conformance.") or module.startswith(
            "cors_conformance.fetch."
        )


@pytest.mark.parametrize("path", sorted(CONFORMANCE.rglob("*.py")), ids=path_id)
def test_reference_is_just_one_more_implementation(path: Path) -> None:
    knows_it = any(module.startswith("cors_reference") for module in imported_modules(path))
    # A mutant is the reference with a mistake.
    is_mutant = path.is_relative_to(CONFORMANCE / "mutants")
    assert not knows_it or is_mutant or path == CONFORMANCE / "implementations" / "reference.py"


@pytest.mark.parametrize("path", MODULES, ids=path_id)
def test_imports_point_downwards(path: Path) -> None:
    here = part_of(module_of(path))
    for imported in imported_modules(path):
        package, _, module = imported.partition(".")
        if package == "cors_conformance":
            there = part_of(module)
            assert there == here or layer_of(there) < layer_of(here), imported


def test_every_place_is_taken() -> None:
    assert {part_of(module_of(path)) for path in MODULES} == set().union(*LAYERS)


def test_pytest_plugin_imports_no_strategies() -> None:
    # It is loaded into every pytest run of whoever installed the package.
    program = "import sys, cors_conformance.pytest_plugin; print(*sys.modules)"
    loaded = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, check=True, text=True
    ).stdout.split()
    assert "cors_conformance.pytest_plugin" in loaded
    assert not [name for name in loaded if "strategies" in name]


def public_definitions(
    body: list[ast.stmt], qualifier: str = ""
) -> Iterator[tuple[str, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef]]:
    for node in body:
        if not isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            continue
        # The name of a test or of a hook says it all.
        if node.name.startswith(("_", "test_", "pytest_")):
            continue
        yield qualifier + node.name, node
        # What overrides is told where it is declared, and a mutant by its class.
        if isinstance(node, ast.ClassDef) and not node.bases:
            yield from public_definitions(node.body, f"{qualifier}{node.name}.")


@pytest.mark.parametrize("path", SOURCES, ids=path_id)
def test_every_public_name_has_a_docstring(path: Path) -> None:
    module = ast.parse(path.read_bytes(), path)
    assert ast.get_docstring(module)
    missing = [
        name for name, node in public_definitions(module.body) if not ast.get_docstring(node)
    ]
    assert missing == []


def test_frameworks_under_test_are_no_requirement() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    required = {requirement_name(line) for line in project["dependencies"]}
    tested = {
        requirement_name(line) for line in project["optional-dependencies"]["implementations"]
    }
    assert {"fastapi", "fastrapi", "starlette"} <= tested
    assert required.isdisjoint(tested)


def requirement_name(requirement: str) -> str:
    return requirement.partition(">")[0].partition("=")[0].strip()


def written_files() -> Iterator[Path]:
    """What people wrote: no caches, no environments."""
    yield from (path for path in ROOT.iterdir() if path.suffix and path.is_file())
    for name in (".ci", "benchmarks", "conformance", "docs", "harnesses", "reference"):
        for path in (ROOT / name).rglob("*"):
            inner = path.relative_to(ROOT / name).parts
            if path.is_file() and not any(part.startswith((".", "__pyc")) for part in inner):
                yield path


def test_no_file_depends_on_where_it_was_written() -> None:
    # Written in two halves, so that this file does not mention them.
    unwanted = [
        (head + tail).encode()
        for head, tail in (
            ("/wo", "rk/"),
            ("/ro", "ot/"),
            ("py", "pi.org"),
            ("files.python", "hosted"),
            ("crates", ".io"),
            ("npm", "js.org"),
            ("proxy.golang", ".org"),
        )
    ]
    found = [
        (path_id(path), word.decode())
        for path in written_files()
        for word in unwanted
        if word in path.read_bytes()
    ]
    assert found == []
