"""Modules of tests/gpu/project, as a stage imports them."""

from __future__ import annotations

import importlib.util
from pathlib import Path
from types import ModuleType

PROJECT = Path(__file__).parent / "project"


def load(name: str) -> ModuleType:
    spec = importlib.util.spec_from_file_location(f"driver_only_{name}", PROJECT / f"{name}.py")
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module
