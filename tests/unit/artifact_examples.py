"""A small artifact as the worker makes them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from reprobuild.domain.digest import Digest

SPEC_AS_BUILT: dict[str, Any] = {
    "schema": "reprobuild.spec/1",
    "model": {
        "name": "digits",
        "version": "1.0.0",
        "description": "reads digits",
        "license": "MIT",
        "owners": ["you@example.org"],
        "tags": [],
    },
    "numerics": {"level": "exact", "seed": 7, "threads": 2, "deterministic": True, "tf32": False},
    "datasets": {
        "rows": {"path": "rows.csv", "license": "CC0-1.0", "retrieved": "2026-11-20", "source": "a citation"}
    },
    "metrics": {
        "accuracy": {"stage": "evaluate", "minimum": 0.9, "required": True},
        "loss": {"stage": "evaluate", "maximum": 1.5, "minimum": 0.0, "required": True},
    },
}


def write_artifact(folder: Path, content: bytes = b"weights") -> Path:
    """An artifact folder; other content gives another artifact id."""
    folder.mkdir(parents=True, exist_ok=True)
    files = {
        "weights.safetensors": content,
        "metrics.json": json.dumps({"accuracy": 0.975, "loss": 0.25}).encode(),
        "spec.json": json.dumps(SPEC_AS_BUILT).encode(),
    }
    for name, data in files.items():
        (folder / name).write_bytes(data)
    manifest = {
        "schema": "reprobuild.manifest/1",
        "name": "digits",
        "version": "1.0.0",
        "files": [
            {"path": name, "sha256": str(Digest.of_bytes(data)), "size_bytes": len(data)}
            for name, data in sorted(files.items())
        ],
    }
    (folder / "manifest.json").write_text(json.dumps(manifest))
    return folder
