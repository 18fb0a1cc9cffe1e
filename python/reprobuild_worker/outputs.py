"""Is the output what the spec declares, and nothing else?"""

from __future__ import annotations

import difflib
import os
from collections.abc import Iterator, Sequence
from pathlib import Path, PurePosixPath

from reprobuild_worker.errors import OutputError, PickleError
from reprobuild_worker.pickles import why_pickle


def check_outputs(out: Path, declared: Sequence[str], *, stage: str) -> None:
    """Check names, links and contents of a stage's output.

    Args:
        declared: paths below `out`; a folder stands for all that is in it.
    Raises:
        OutputError: something declared is missing, something else is there, or a link leads out.
        PickleError: a file holds Python objects.
    """
    here = f"reprobuild.toml, [stages.{stage}] outputs"
    top_level = {PurePosixPath(name).parts[0] for name in declared}
    found = {entry.name for entry in out.iterdir()}
    undeclared = sorted(found - top_level)
    missing = [name for name in declared if not (out / name).exists()]
    if missing:
        near = difflib.get_close_matches(missing[0], undeclared, n=1)
        raise OutputError(
            f"stage {stage} did not write {', '.join(missing)} ({here})",
            hint=f"it wrote {near[0]!r}: make the names equal"
            if near
            else "write to `stage.out`, or drop the name there",
        )
    if undeclared:
        raise OutputError(
            f"stage {stage} wrote {', '.join(undeclared)}, which it does not declare",
            hint=f"add the name in {here}, or write scratch files to the working folder",
        )
    for path in walk(out):
        _check_file(out, path, stage)


def normalise(out: Path) -> None:
    """Give all files mode 0644 and all folders 0755, whatever user code did."""
    for folder, _, files in os.walk(out):
        Path(folder).chmod(0o755)
        for name in files:
            if not (path := Path(folder, name)).is_symlink():
                path.chmod(0o644)


def walk(folder: Path) -> Iterator[Path]:
    """All files and links below a folder, in path order; links are not followed."""
    for entry in sorted(folder.iterdir()):
        if entry.is_dir() and not entry.is_symlink():
            yield from walk(entry)
        else:
            yield entry


def _check_file(out: Path, path: Path, stage: str) -> None:
    name = path.relative_to(out).as_posix()
    if path.is_symlink():
        target = path.readlink()
        inside = (path.parent / target).resolve().is_relative_to(out.resolve())
        if target.is_absolute() or not inside:
            raise OutputError(
                f"stage {stage}: {name} is a link out of the output, to {target}", hint="copy the file"
            )
        return
    if not path.is_file():
        raise OutputError(f"stage {stage}: {name} is neither a file, a folder nor a link")
    if reason := why_pickle(path):
        raise PickleError(
            f"stage {stage}: {name} is refused, {reason}",
            hint="save tensors and arrays with `stage.save_weights` or `stage.save_arrays`",
        )
