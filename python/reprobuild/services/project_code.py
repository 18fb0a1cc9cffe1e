"""Which code of a project do its stages see?"""

from __future__ import annotations

from pathlib import Path

from reprobuild.services.project import Project


def project_code(project: Project) -> dict[str, bytes]:
    """What the stages see of the project, as `nix/lib/project-files.nix` selects it."""
    found: dict[str, bytes] = {}
    for name in {name for stage in project.spec.stages.values() for name in stage.source_files}:
        path = project.path / name
        if path.is_dir():
            found |= {f"{name.rstrip('/')}/{inner}": content for inner, content in tree(path).items()}
        else:
            found[name] = path.read_bytes()
    return found


def tree(folder: Path) -> dict[str, bytes]:
    """Path below a folder → content; byte code and git's own files left out."""
    return {
        str(file.relative_to(folder)): file.read_bytes()
        for file in sorted(folder.rglob("*"))
        if file.is_file() and not any(map(_ignored, file.relative_to(folder).parts))
    }


def _ignored(name: str) -> bool:
    return name == "__pycache__" or name.endswith(".pyc") or name.startswith(".git")
