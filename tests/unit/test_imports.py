"""Imports point down: cli → services → core → domain → errors; adapters are known to cli/wiring only."""

from __future__ import annotations

import ast
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

PYTHON = Path(__file__).parents[2] / "python"
FILES = sorted(PYTHON.glob("reprobuild/**/*.py"))

# Who may import whom, besides itself. `package` is reprobuild/__init__.py: the version.
ALLOWED = {
    "errors": set(),
    "domain": {"errors"},
    "core": {"errors", "domain"},
    "ports": {"errors", "domain", "core"},
    "adapters": {"errors", "domain", "core", "ports"},
    "services": {"errors", "domain", "core", "ports"},
    "cli": {"errors", "domain", "core", "ports", "services"},
}
WIRING = "reprobuild/cli/wiring/"


def layer(module: str) -> str:
    """`reprobuild.core.overrides` -> core; `reprobuild` itself, and who starts it -> package."""
    part = [*module.split("."), ""][1]
    return part if part in ALLOWED else "package"


def imported(tree: ast.AST) -> Iterator[str]:
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and node.level == 0 and node.module:
            # `from reprobuild.cli import wiring` names a module: join both
            yield from (f"{node.module}.{alias.name}" for alias in node.names)
        elif isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)


def arrows_up(file: str, code: str) -> list[str]:
    """Imports of one file that do not point down, in words."""
    here = layer(file.removesuffix(".py").replace("/", "."))
    allowed = set(ALLOWED.get(here, ALLOWED)) | {here, "package"}
    if file.startswith(WIRING):
        allowed.add("adapters")
    return [
        f"{file} ({here}) imports {module} ({layer(module)})"
        for module in imported(ast.parse(code))
        if module.split(".")[0] == "reprobuild" and layer(module) not in allowed
    ]


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(PYTHON)))
def test_imports_point_down(path: Path) -> None:
    assert arrows_up(str(path.relative_to(PYTHON)), path.read_text(encoding="utf-8")) == []


@pytest.mark.parametrize(
    ("file", "code"),
    [
        ("reprobuild/core/x.py", "from reprobuild.services import build"),
        ("reprobuild/services/x.py", "def f():\n    from reprobuild.adapters.uv import Uv"),
        ("reprobuild/cli/commands/x.py", "import reprobuild.adapters.resources"),
        ("reprobuild/domain/x.py", "from reprobuild.core.overrides import merged"),
        ("reprobuild/adapters/x.py", "from reprobuild.services.doctor import Finding"),
    ],
)
def test_an_arrow_that_points_up_is_named(file: str, code: str) -> None:
    (found,) = arrows_up(file, code)
    assert found.startswith(f"{file} (") and " imports reprobuild." in found


def test_wiring_may_know_adapters() -> None:
    assert arrows_up(f"{WIRING}sources.py", "from reprobuild.adapters.uv import Uv") == []


@pytest.mark.parametrize("path", sorted(PYTHON.glob("reprobuild_worker/**/*.py")), ids=lambda path: path.name)
def test_the_worker_stands_alone(path: Path) -> None:
    names = {module.split(".")[0] for module in imported(ast.parse(path.read_text(encoding="utf-8")))}
    assert "reprobuild" not in names


@pytest.mark.parametrize("path", sorted(PYTHON.glob("reprobuild_verify/*.py")), ids=lambda path: path.name)
def test_the_checker_of_signatures_needs_cryptography_alone(path: Path) -> None:
    names = {module.split(".")[0] for module in imported(ast.parse(path.read_text(encoding="utf-8")))}
    assert names - {*sys.stdlib_module_names, "reprobuild_verify"} <= {"cryptography"}


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(PYTHON)))
def test_only_the_worker_imports_torch(path: Path) -> None:
    names = {module.split(".")[0] for module in imported(ast.parse(path.read_text(encoding="utf-8")))}
    assert not names & {"torch", "safetensors", "reprobuild_worker"}


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(PYTHON)))
def test_numpy_is_imported_by_the_comparison_alone_and_late(path: Path) -> None:
    tree = ast.parse(path.read_text(encoding="utf-8"))
    at_once = ast.Module([node for node in tree.body if isinstance(node, ast.Import | ast.ImportFrom)], [])
    assert "numpy" not in {name.split(".")[0] for name in imported(at_once)}
    if "numpy" in {name.split(".")[0] for name in imported(tree)}:
        assert path.parent.name == "comparison"


def test_every_file_belongs_to_a_layer() -> None:
    known = {*ALLOWED, "__init__", "__main__", "_data"}
    tops = {path.relative_to(PYTHON / "reprobuild").parts[0].removesuffix(".py") for path in FILES}
    assert tops <= known
