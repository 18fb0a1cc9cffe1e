"""Do the files of a folder have the digests that were signed?"""

from __future__ import annotations

import base64
import hashlib
import json
import os
from collections.abc import Iterable, Mapping
from pathlib import Path, PurePosixPath

from reprobuild_verify.problems import Problem

MANIFEST = "manifest.json"
_NAMED = {
    MANIFEST: "manifest-changed",
    "README.md": "card-changed",
    "metrics.json": "metrics-changed",
    "spec.json": "spec-changed",
    "reprobuild.lock": "lock-changed",
}


def folder_digests(folder: Path) -> dict[str, str]:
    """Path → SHA-256 (hex) of every file; of what is no regular file, words that equal no digest.

    Raises:
        OSError: a file or folder cannot be read.
    """
    found = {}
    for root, folders, names in os.walk(folder, onerror=_stop):
        links = [name for name in folders if (Path(root) / name).is_symlink()]
        for name in (*names, *links):
            file = Path(root) / name
            if file.is_symlink():
                digest = f"a link to {file.readlink()}"
            elif not file.is_file():
                digest = "no regular file"
            else:
                with file.open("rb") as stream:
                    digest = hashlib.file_digest(stream, "sha256").hexdigest()
            found[file.relative_to(folder).as_posix()] = digest
    return found


def _stop(error: OSError) -> None:
    raise error


def compare(
    signed: Mapping[str, str], found: Mapping[str, str], ignored: Iterable[str] = ()
) -> list[Problem]:
    """Every missing, extra and changed file, by name."""
    passed_over = {PurePosixPath(one) for one in ignored}
    problems = [
        Problem("file-missing", f"{name} is missing; it was signed")
        for name in sorted(signed.keys() - found.keys())
    ]
    for name in sorted(found.keys() - signed.keys()):
        path = PurePosixPath(name)
        if passed_over.isdisjoint((path, *path.parents)):
            problems.append(Problem("file-extra", f"{name} was not signed"))
    for name in sorted(signed.keys() & found.keys()):
        if signed[name] != found[name]:
            problems.append(_changed(name, signed, found))
    return problems


def _changed(name: str, signed: Mapping[str, str], found: Mapping[str, str]) -> Problem:
    twin = next((other for other in sorted(signed) if other != name and signed[other] == found[name]), None)
    if twin is not None:
        slug = "weights-swapped" if name.endswith(".safetensors") else "file-swapped"
        return Problem(slug, f"{name} has the content that was signed as {twin}")
    slug = "weights-changed" if name.endswith(".safetensors") else _NAMED.get(name, "file-changed")
    return Problem(slug, f"{name}: signed {signed[name]}, found {found[name]}")


def artifact_id(name: str, version: str, manifest_sha256: str) -> str:
    """The rule of docs/formats/manifest.md."""
    return f"{name}-{version}-{base64.b32encode(bytes.fromhex(manifest_sha256)).decode().lower()[:12]}"


def whole_artifact(folder: Path, found: Mapping[str, str]) -> str | None:
    """The id of the artifact that the folder is by its own manifest; None where they disagree."""
    try:
        manifest = json.loads((folder / MANIFEST).read_bytes())
        listed = {
            str(entry["path"]): base64.b64decode(entry["sha256"].removeprefix("sha256-")).hex()
            for entry in manifest["files"]
        }
        name = artifact_id(manifest["name"], manifest["version"], found[MANIFEST])
    except (OSError, ValueError, KeyError, TypeError, AttributeError, RecursionError):
        return None
    return name if listed == {path: digest for path, digest in found.items() if path != MANIFEST} else None
