"""Start a project from a template, without ever overwriting a file."""

from __future__ import annotations

import shutil
from pathlib import Path

from reprobuild.errors import UsageError

_LEFT_OUT = shutil.ignore_patterns("__pycache__", "*.pyc", ".reprobuild", "result*", "reprobuild.lock")


def start_project(templates: Path, template: str, folder: Path) -> list[str]:
    """Copy a template's files; returns their names, sorted.

    Raises:
        UsageError: no such template, or a file of it is there already.
    """
    known = sorted(entry.name for entry in templates.iterdir() if (entry / "reprobuild.toml").exists())
    if template not in known:
        raise UsageError(f"--template {template}: not known", expected=", ".join(known), actual=template)
    source = templates / template
    ignored = {str(path) for path in _ignored(source)}
    files = sorted(
        str(path.relative_to(source)) for path in source.rglob("*") if path.is_file() and str(path) not in ignored
    )
    there = [file for file in files if (folder / file).exists()]
    if there:
        raise UsageError(
            f"{folder}: {there[0]} is there already, and nothing is overwritten",
            hint="choose another folder: `reprobuild init NEW-FOLDER`",
        )
    for file in files:
        target = folder / file
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes((source / file).read_bytes())
    return files


def _ignored(source: Path) -> set[Path]:
    found: set[Path] = set()
    for folder in [source, *(path for path in source.rglob("*") if path.is_dir())]:
        for name in _LEFT_OUT(str(folder), [entry.name for entry in folder.iterdir()]):
            left_out = folder / name
            found |= {left_out, *(left_out.rglob("*") if left_out.is_dir() else ())}
    return found
