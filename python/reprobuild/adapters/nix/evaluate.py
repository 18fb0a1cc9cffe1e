"""Translate a project to derivations: one JSON argument in, JSON out."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from reprobuild.adapters.nix.process import run
from reprobuild.domain.drv import DrvFile, parse_drv
from reprobuild.domain.store import Derivation, Instantiation
from reprobuild.errors import SpecError, ToolFailedError


class NixEvaluator:
    def __init__(self, library: Path) -> None:
        self._library = library

    def instantiate(
        self,
        project: Path,
        overrides: Mapping[str, Any],
        stage_order: Sequence[str],
        replaced: Mapping[str, str] = {},
    ) -> Instantiation:
        """Evaluate and write the `.drv` files; builds nothing.

        Args:
            replaced: store paths to take in place of some stages' outputs.
        Raises:
            SpecError: the Nix library refuses the project (a message of its own).
            ToolFailedError: Nix failed in another way.
        """
        request = json.dumps({"project": str(project), "overrides": overrides, "replaced": dict(replaced)})
        arguments = ["--eval", "--strict", "--json", "--read-write-mode", "--argstr", "request", request]
        try:
            done = run("nix-instantiate", [*arguments, str(self._library / "instantiate.nix")])
        except ToolFailedError as error:
            own = [line.partition("error: ")[2] for line in error.details if "error: reprobuild" in line]
            if own:
                raise SpecError(own[-1]) from error
            raise
        found = json.loads(done.stdout)
        return Instantiation(
            model=_derivation(found["model"]),
            stages={name: _derivation(found["stages"][name]) for name in stage_order},
            environment=_derivation(found["environment"]),
            base=_derivation(found["base"]),
            wheels=tuple(_derivation(wheel) for wheel in found["wheels"]),
            shims=tuple(_derivation(shim) for shim in found["shims"]),
        )


def drv_path_of(file: Path) -> str:
    """The derivation that a Nix file gives; it is written into the store.

    Raises:
        ToolFailedError: it cannot be evaluated.
    """
    return run("nix-instantiate", [str(file)]).stdout.strip()


def read_drv(drv_path: str) -> DrvFile:
    """A derivation's file out of the store here."""
    return parse_drv(Path(drv_path).read_text(encoding="utf-8", errors="surrogateescape"))


def _derivation(found: Mapping[str, str]) -> Derivation:
    return Derivation(found["drv_path"], found["out_path"])
