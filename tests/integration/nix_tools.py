"""Ask the Nix library questions. Nothing is built, nothing is written to a store."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

from reprobuild.adapters.nix.process import run

REPOSITORY = Path(__file__).resolve().parents[2]
LIBRARY = REPOSITORY / "nix"
STAND_IN_PROJECT = LIBRARY / "tests" / "project"

# What flakes need of this repository; a copy of these is a checkout as far as Nix can tell.
FLAKE_PARTS = ("flake.nix", "flake.lock", "nix", "templates", "python/reprobuild_worker")


def evaluate(file: Path, **request: Any) -> Any:
    """The value of a Nix file, called with the request as JSON where it is a function."""
    argument = ["--argstr", "request", json.dumps(request)]
    return json.loads(run("nix-instantiate", ["--eval", "--strict", "--json", *argument, str(file)]).stdout)


def ask(**request: Any) -> Any:
    """Answers of nix/tests/ask.nix."""
    return evaluate(LIBRARY / "tests" / "ask.nix", **request)


def instantiate(project: Path, library: Path = LIBRARY) -> Any:
    """Derivations of a project, as the command line asks for them."""
    return evaluate(library / "instantiate.nix", project=str(project))


def copy_checkout(target: Path) -> Path:
    """A fresh copy of what flakes need of this repository."""
    for part in FLAKE_PARTS:
        source, place = REPOSITORY / part, target / part
        place.parent.mkdir(parents=True, exist_ok=True)
        if source.is_dir():
            shutil.copytree(source, place, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            shutil.copy2(source, place)
    return target
