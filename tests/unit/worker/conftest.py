"""Runs the worker as a build would, in a process of its own, with the sandbox check handed in."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

PYTHON = Path(__file__).parents[3] / "python"

# what `python -m reprobuild_worker` does, but for the sandbox check
CHILD = """
import sys
from importlib import import_module
from reprobuild_worker.errors import WorkerError, print_error
main = import_module("reprobuild_worker." + sys.argv[1]).main
try:
    sys.exit(main(check=lambda environment: None))
except WorkerError as error:
    print_error(error)
    sys.exit(1)
"""


@dataclass(frozen=True)
class Run:
    status: int
    stdout: str
    stderr: str
    out: Path

    def events(self, name: str) -> list[dict[str, Any]]:
        lines = [line.removeprefix("@reprobuild ") for line in self.stdout.splitlines() if line[0:1] == "@"]
        return [event for event in map(json.loads, lines) if event["event"] == name]


RunStage = Callable[..., Run]


def run_worker(duty: str, variable: str, document: dict[str, Any], top: Path, **variables: str) -> Run:
    out = top / f"out-{len(list(top.glob('out-*')))}"
    build = top / "build"
    build.mkdir(exist_ok=True)
    environment = {
        "PATH": os.environ["PATH"],
        "PYTHONPATH": str(PYTHON),
        "PYTHONHASHSEED": "0",
        "NIX_BUILD_TOP": str(build),
        "out": str(out),
        variable: json.dumps(document),
        **variables,
    }
    command = [sys.executable, "-c", CHILD, duty]
    done = subprocess.run(command, env=environment, cwd=build, capture_output=True, text=True, check=False)
    return Run(done.returncode, done.stdout, done.stderr, out)


@pytest.fixture
def run_stage(tmp_path: Path) -> RunStage:
    """Run code as a stage called `train`: `run_stage("train.py", {"train.py": CODE}, outputs=[...])`."""

    def run(entry: str, files: dict[str, str], *, env: dict[str, str] | None = None, **fields: Any) -> Run:
        source = tmp_path / "source"
        for name, code in files.items():
            path = source / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(code)
        document = {
            "schema": "reprobuild.stage/1",
            "name": "train",
            "run": entry,
            "source": str(source),
            "inputs": {},
            "data": {},
            "params": {},
            "outputs": ["answer.json"],
            "numerics": {"level": "exact", "seed": 7, "threads": 1, "deterministic": True, "tf32": False},
            **fields,
        }
        return run_worker("run_stage", "reprobuildStage", document, tmp_path, **(env or {}))

    return run


@pytest.fixture
def run_model(tmp_path: Path) -> Callable[[dict[str, Any]], Run]:
    def run(document: dict[str, Any]) -> Run:
        return run_worker("run_model", "reprobuildModel", document, tmp_path, system="x86_64-linux")

    return run


@pytest.fixture
def write_safetensors() -> Callable[..., Path]:
    """Write a safetensors file without the library, in any order of tensors."""

    def write(path: Path, tensors: list[tuple[str, str, list[int], bytes]], **metadata: str) -> Path:
        header: dict[str, Any] = {"__metadata__": metadata} if metadata else {}
        data = b""
        for name, dtype, shape, raw in tensors:
            header[name] = {"dtype": dtype, "shape": shape, "data_offsets": [len(data), len(data) + len(raw)]}
            data += raw
        text = json.dumps(header).encode()
        path.write_bytes(len(text).to_bytes(8, "little") + text + data)
        return path

    return write
