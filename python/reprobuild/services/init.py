"""Start a project from a template, without ever overwriting a file."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

from reprobuild.core.spec_keys import nearest
from reprobuild.errors import UsageError

_LEFT_OUT = shutil.ignore_patterns("__pycache__", "*.pyc", ".reprobuild", "result*", "reprobuild.lock")


def start_project(templates: Path, template: str, folder: Path) -> list[str]:
    """Copy a template's files; returns their names, sorted.

    Raises:
        UsageError: no such template, or a file of it is there already.
    """
    known = sorted(entry.name for entry in templates.iterdir() if (entry / "reprobuild.toml").exists())
    if template not in known:
        near = nearest(template, known)
        raise UsageError(
            f"--template {template}: there is no such template",
            expected=f"one of {', '.join(known)}",
            actual=template,
            hint=f"did you mean `{near}`?" if near else None,
        )
    source = templates / template
    ignored = {str(path) for path in _ignored(source)}
    files = sorted(
        str(path.relative_to(source))
        for path in source.rglob("*")
        if path.is_file() and str(path) not in ignored
    )
    if os.path.lexists(folder) and not folder.is_dir():
        raise UsageError(f"{folder} is there and is not a folder", hint="choose another name")
    there = [file for file in files if os.path.lexists(folder / file)]
    if there:
        raise UsageError(
            f"{folder}: {there[0]} is there already, and nothing is overwritten",
            hint="choose another folder: `reprobuild init NEW-FOLDER`",
        )
    try:
        for file in files:
            target = folder / file
            target.parent.mkdir(parents=True, exist_ok=True)
            with target.open("xb") as new:
                new.write((source / file).read_bytes())
    except OSError as error:
        raise UsageError(
            f"cannot write {error.filename}: {error.strerror}", hint="choose another folder"
        ) from error
    return files


def _ignored(source: Path) -> set[Path]:
    found: set[Path] = set()
    for folder in [source, *(path for path in source.rglob("*") if path.is_dir())]:
        for name in _LEFT_OUT(str(folder), [entry.name for entry in folder.iterdir()]):
            left_out = folder / name
            found |= {left_out, *(left_out.rglob("*") if left_out.is_dir() else ())}
    return found
