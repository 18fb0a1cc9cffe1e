"""Prepare a stage's environment for interactive work: the same interpreter, variables, inputs and parameters."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

from reprobuild.domain.drv import parse_drv
from reprobuild.services.build import BuildService, NewView, known_stage
from reprobuild.services.project import Project

# What a person's terminal needs; the rest of the environment is the derivation's.
_KEPT = (
    "TERM",
    "COLORTERM",
    "HOME",
    "USER",
    "LANG",
    "DISPLAY",
    "WAYLAND_DISPLAY",
    "XDG_RUNTIME_DIR",
    "SHELL",
)
_NOT_FOR_PEOPLE = ("builder", "name", "system", "requiredSystemFeatures")


@dataclass(frozen=True)
class ShellEnvironment:
    stage: str
    variables: dict[str, str]
    python: Path
    out: Path


class ShellService:
    def __init__(self, build: BuildService) -> None:
        self._build = build

    def prepare(self, project: Project, stage: str | None, new_view: NewView) -> ShellEnvironment:
        """Build what the stage needs (not the stage) and return its environment.

        Args:
            stage: by default the last stage of the spec.
        """
        order = project.spec.stage_order()
        name = stage or order[-1]
        found = self._build.instantiate(project)
        drv_path = known_stage(name, found.stages).drv_path
        self._build.provide_inputs(project, found, [name], new_view)
        drv = parse_drv(Path(drv_path).read_text(encoding="utf-8"))
        out = project.state_dir / "shell" / name
        out.mkdir(parents=True, exist_ok=True)
        variables = {key: os.environ[key] for key in _KEPT if key in os.environ}
        variables |= {key: value for key, value in drv.environment.items() if key not in _NOT_FOR_PEOPLE}
        variables["PATH"] = f"{drv.environment['PATH']}:{os.environ.get('PATH', '')}"
        variables["out"] = str(out)
        variables["REPROBUILD_SHELL"] = name
        return ShellEnvironment(name, variables, Path(drv.builder), out)
