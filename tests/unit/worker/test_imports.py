"""The worker's source is an input of every model: it stands alone."""

import ast
import subprocess
import sys
from pathlib import Path

import pytest

WORKER = Path(__file__).parents[3] / "python/reprobuild_worker"
LAZY = {"numpy", "torch", "safetensors"}


@pytest.mark.parametrize("path", sorted(WORKER.glob("*.py")), ids=lambda path: path.name)
def test_only_the_standard_library_at_import_time(path):
    top_level = [
        node for node in ast.parse(path.read_text()).body if isinstance(node, ast.Import | ast.ImportFrom)
    ]
    everywhere = [
        node
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.Import | ast.ImportFrom)
    ]

    def packages(nodes):
        names = [
            node.module or "" if isinstance(node, ast.ImportFrom) else node.names[0].name for node in nodes
        ]
        return {name.partition(".")[0] for name in names} - sys.stdlib_module_names - {"reprobuild_worker"}

    assert packages(top_level) == set()
    assert packages(everywhere) <= LAZY


def test_importing_it_is_quick_work():
    code = "import sys, reprobuild_worker.run_stage, reprobuild_worker.run_model; print(*sys.modules)"
    command = [sys.executable, "-S", "-c", code]
    done = subprocess.run(
        command, env={"PYTHONPATH": str(WORKER.parent)}, capture_output=True, text=True, check=True
    )
    assert not LAZY & set(done.stdout.split())
