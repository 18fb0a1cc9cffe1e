"""Ask the Nix library questions, as the command line and flakes do. Nothing is built."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

from reprobuild.adapters.nix.process import run

REPO = Path(__file__).resolve().parents[2]
LIBRARY = REPO / "nix"

# What flakes need of this repository; a copy of these is a checkout as far as Nix can tell.
FLAKE_PARTS = ("flake.nix", "flake.lock", "nix", "templates", "python/reprobuild_worker")


def evaluate(file: Path, **arguments: Any) -> Any:
    """The value of a Nix file's function, called with one JSON request."""
    request = ["--argstr", "request", json.dumps(arguments)] if arguments else []
    return json.loads(run("nix-instantiate", ["--eval", "--strict", "--json", *request, str(file)]).stdout)


def copy_checkout(target: Path) -> Path:
    """A fresh copy of what flakes need of this repository."""
    for part in FLAKE_PARTS:
        source, place = REPO / part, target / part
        place.parent.mkdir(parents=True, exist_ok=True)
        if source.is_dir():
            shutil.copytree(source, place, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            shutil.copy2(source, place)
    return target
