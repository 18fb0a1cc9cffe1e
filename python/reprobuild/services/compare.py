"""Compare two outputs of one stage: where do they differ, and why?"""

from __future__ import annotations

import datetime
import os
import time
from collections.abc import Iterator
from pathlib import Path

from reprobuild.core.comparison.content import Findings, explain
from reprobuild.core.comparison.file_names import name_causes
from reprobuild.core.comparison.numeric_causes import numeric_causes
from reprobuild.core.comparison.ranking import ranked
from reprobuild.core.comparison.text_causes import Context
from reprobuild.core.comparison.times import Clock
from reprobuild.domain.comparison import Cause, FileDifference, Origin, StageComparison
from reprobuild.ports import ForeignComparer
from reprobuild.services.compare_files import first_differing_byte
from reprobuild.services.compare_tensors import compare_safetensors

MAX_EXPLAINED_BYTES = 64 << 20  # of a file that is not safetensors; larger ones are only located


def compare_trees(
    label: str,
    first: Path,
    second: Path,
    *,
    first_origin: Origin | None = None,
    second_origin: Origin | None = None,
    foreign: ForeignComparer | None = None,
) -> StageComparison:
    """Say where two outputs of one stage part, and what is likely behind it.

    Args:
        label: name of the stage, or model.
        first: the output as it was built, a file or a folder.
        second: the same of the rebuild, such as the `.check` output that Nix keeps.
        first_origin: machine and time of the first build; they tell some causes apart.
        foreign: asked about files of a format that we do not read.
    Raises:
        OSError: one of them cannot be read.
    """
    origins = first_origin, second_origin
    first, second = first.resolve(), second.resolve()
    context = _context((first, second), origins)
    files, found, said = [], Findings(), {}
    for path, difference in _tree_differences(first, second):
        if difference.state == "differs":
            difference, inner = _explained(difference, first / path, second / path, context)
            found.add(inner)
            if (
                foreign
                and inner.format == "binary"
                and (text := foreign.explain(first / path, second / path))
            ):
                said[difference.path] = text
        files.append(difference)
    numeric = numeric_causes(found.tensors, found.trajectory, *origins)
    causes = [*numeric, *found.causes, *name_causes(files, context)]
    return StageComparison(
        label=label,
        equal=not files,
        files=tuple(files),
        tensors=tuple(found.tensors),
        trajectory=found.trajectory,
        documents=tuple(found.documents),
        causes=ranked([*causes, *_unexplained(files, found, causes)]),
        foreign=said,
    )


def _tree_differences(first: Path, second: Path) -> Iterator[tuple[str, FileDifference]]:
    """Every path that is not the same on both sides, as far as Nix looks at it, in path order."""
    sides = dict(_walk(first)), dict(_walk(second))
    for path in sorted(sides[0].keys() | sides[1].keys()):
        kinds = sides[0].get(path), sides[1].get(path)
        one, other = first / path, second / path
        sizes = {
            f"{side}_size_bytes": file.stat().st_size
            for side, file, kind in (("first", one, kinds[0]), ("second", other, kinds[1]))
            if kind in ("file", "executable")
        }
        if None in kinds:
            yield path, FileDifference(path=path, state="extra" if kinds[0] is None else "missing", **sizes)
        elif kinds == ("link", "link"):
            if one.readlink() != other.readlink():
                yield path, FileDifference(path=path, state="target")
        elif "folder" in kinds or "link" in kinds:
            if kinds[0] != kinds[1]:
                yield path, FileDifference(path=path, state="kind")
        elif (place := first_differing_byte(one, other)) is not None:
            yield path, FileDifference(path=path, state="differs", first_differing_byte=place, **sizes)
        elif kinds[0] != kinds[1]:
            yield path, FileDifference(path=path, state="executable", **sizes)


def _walk(root: Path) -> Iterator[tuple[str, str]]:
    """Path below the root and kind of everything, links not followed."""
    yield ".", _kind(root)
    for folder, folders, names in os.walk(root):
        for name in (*folders, *names):
            path = Path(folder, name)
            yield path.relative_to(root).as_posix(), _kind(path)


def _kind(path: Path) -> str:
    if path.is_symlink():
        return "link"
    if path.is_dir():
        return "folder"
    return "executable" if path.stat().st_mode & 0o100 else "file"


def _explained(
    difference: FileDifference, first: Path, second: Path, context: Context
) -> tuple[FileDifference, Findings]:
    place = difference.first_differing_byte or 0
    found = None
    if difference.path.endswith(".safetensors"):
        try:
            found = compare_safetensors(difference.path, first, second, place, context)
        except ValueError:  # only its name says so
            found = None
    if found is None:
        size = max(difference.first_size_bytes or 0, difference.second_size_bytes or 0)
        if size > MAX_EXPLAINED_BYTES:
            found = Findings("binary")
        else:
            found = explain(difference.path, first.read_bytes(), second.read_bytes(), context)
    seen = {"format": found.format, "first_differing_line": found.first_differing_line}
    return difference.model_copy(update=seen), found


def _unexplained(files: list[FileDifference], found: Findings, causes: list[Cause]) -> Iterator[Cause]:
    """A cause for each path that has none yet."""
    explained = {cause.file for cause in causes}
    if any(difference.format in ("safetensors", "trajectory") for difference in files):
        # figures beside weights follow from the weights
        explained |= {difference.path for difference in files if difference.format == "json"}
        explained |= {tensor.file for tensor in found.tensors} if found.trajectory else set()
        explained |= {found.trajectory.file} if found.trajectory else set()
    documents = {document.file: document for document in found.documents}
    for difference in files:
        if difference.path in explained:
            continue
        place, evidence = _where(difference), "the content differs, with no sign of a known cause"
        random = difference.state == "differs" and difference.format in ("json", "text", "npy")
        document = documents.get(difference.path)
        if document and document.state != "spelling":
            place = f"key {document.key_path}"
            evidence = f"values differ, with no other sign: {document.first} and {document.second}"
        elif difference.state in ("missing", "extra"):
            evidence = f"it is only in the {'first' if difference.state == 'missing' else 'second'}"
        elif difference.state != "differs":
            evidence = f"the {difference.state} differs"
        yield Cause(
            cause="unseeded random source" if random else "unknown",
            file=difference.path,
            place=place,
            evidence=evidence,
            certainty="possible",
        )


def _where(difference: FileDifference) -> str:
    if difference.first_differing_line is not None:
        return f"line {difference.first_differing_line}"
    if difference.first_differing_byte is not None:
        return f"byte {difference.first_differing_byte}"
    return difference.state


def _context(trees: tuple[Path, Path], origins: tuple[Origin | None, Origin | None]) -> Context:
    # a store sets mtime to 1970, but not ctime: when the file was put there
    builds = [tree.lstat().st_ctime for tree in trees]
    builds += [
        datetime.datetime.fromisoformat(origin.started).timestamp()
        for origin in origins
        if origin and origin.started
    ]
    hosts = {(origin.host or {}).get("host_name") for origin in origins if origin}
    names = frozenset(host for host in hosts if isinstance(host, str) and len(host) > 3)
    return Context(Clock(tuple(builds), time.time()), names - {"localhost"})
