"""Write a pipeline for a project: check the lock, build, verify, on GitHub or GitLab."""

from __future__ import annotations

import re
import shlex
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from reprobuild.core.spec_keys import nearest
from reprobuild.errors import UsageError
from reprobuild.services.project import Project

# system -> where its pipeline lies in a repository; the texts are templates/ci/SYSTEM.yml
FILES: Final = {"github": ".github/workflows/reprobuild.yml", "gitlab": ".gitlab-ci.yml"}

_PLAIN_FOLDER = re.compile(r"[\w./-]+", re.ASCII)  # needs no quotes in YAML, shell and GitHub's expressions


@dataclass(frozen=True)
class Pipeline:
    file: Path
    text: str
    written: bool  # false: a dry run, or the file said all this already


def write_pipeline(
    templates: Path, system: str, project: Project, requirement: str, *, force: bool, dry_run: bool
) -> Pipeline:
    """Put a system's pipeline for this project into the repository that the project lies in.

    Args:
        templates: folder with `ci/SYSTEM.yml`.
        requirement: what pip installs there to have this command.
        force: replace a file that says something else.
    Raises:
        UsageError: no such system, another file is there, or the repository cannot be written.
    """
    if system not in FILES:
        near = nearest(system, FILES)
        raise UsageError(
            f"{system}: there is no pipeline for such a system",
            expected=f"one of {', '.join(FILES)}",
            actual=system,
            hint=f"did you mean `{near}`?" if near else None,
        )
    if "\n" in requirement or not requirement.strip():
        raise UsageError("--requirement: one line that pip understands", actual=repr(requirement))
    repository = _repository(project.path.resolve())
    folder = project.path.resolve().relative_to(repository).as_posix()
    if not _PLAIN_FOLDER.fullmatch(folder):
        raise UsageError(
            f"{folder}: a pipeline cannot name this folder",
            expected="letters, digits, and . _ - /",
            actual=folder,
            hint="rename the folder",
        )
    text = (templates / "ci" / f"{system}.yml").read_text(encoding="utf-8")
    for mark, value in {
        "@model@": project.spec.model.name,
        "@folder@": folder,
        "@prefix@": "" if folder == "." else f"{folder}/",
        "@requirement@": shlex.quote(requirement),
    }.items():
        text = text.replace(mark, value)
    return _written(repository / FILES[system], text, force=force, dry_run=dry_run)


def _repository(folder: Path) -> Path:
    """The nearest folder above (or this one) with a `.git`; without any, the project is the repository."""
    return next((one for one in (folder, *folder.parents) if (one / ".git").exists()), folder)


def _written(file: Path, text: str, *, force: bool, dry_run: bool) -> Pipeline:
    try:
        there = file.read_text(encoding="utf-8") if file.exists() else None
        if dry_run or there == text:
            return Pipeline(file, text, written=False)
        if there is not None and not force:
            raise UsageError(
                f"{file} is there already and says something else",
                hint="look at the new one with `--dry-run`; `--force` replaces the file",
            )
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text, encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise UsageError(
            f"cannot write {file}: {error}", hint="see to that file, or use `--dry-run`"
        ) from error
    return Pipeline(file, text, written=True)
