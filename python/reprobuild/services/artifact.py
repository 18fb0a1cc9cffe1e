"""Read a finished artifact: its manifest, metrics and id, without Nix."""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from reprobuild.domain.digest import Digest
from reprobuild.errors import NotAResultError

MANIFEST_FILE = "manifest.json"
MANIFEST_SCHEMA = "reprobuild.manifest/1"


@dataclass(frozen=True)
class Manifest:
    path: Path  # the artifact's folder
    name: str
    version: str
    artifact_id: str
    files: tuple[dict[str, Any], ...]  # path, sha256, size_bytes


@dataclass(frozen=True)
class Artifact(Manifest):
    metrics: dict[str, Any]
    spec: dict[str, Any]


def artifact_id(name: str, version: str, manifest: bytes) -> str:
    """`name-version-<12 characters>`; the rule of docs/formats/manifest.md, written by the worker too."""
    digest = base64.b32encode(hashlib.sha256(manifest).digest()).decode().lower()
    return f"{name}-{version}-{digest[:12]}"


def read_manifest(path: Path) -> Manifest:
    """Read an artifact's `manifest.json`.

    Raises:
        NotAResultError: the folder is not an artifact of this format.
    """
    if not path.exists():
        raise NotAResultError(
            f"there is no result at {path}",
            expected="a result link or a store path",
            actual="a link to something that is gone" if path.is_symlink() else "nothing",
            hint="build one with `reprobuild nix build`",
        )
    with speaking_of(path):
        raw = (path / MANIFEST_FILE).read_bytes()
        manifest = json.loads(raw)
        if manifest["schema"] != MANIFEST_SCHEMA:
            raise NotAResultError(
                f"{path}: manifest of another format",
                expected=MANIFEST_SCHEMA,
                actual=str(manifest["schema"]),
            )
        name, version = manifest["name"], manifest["version"]
        for one in (name, version):  # files are named after them
            if not isinstance(one, str) or not one.isprintable() or "/" in one:
                raise ValueError(f"name {name!r}, version {version!r}")
        for entry in manifest["files"]:
            if not isinstance(entry["path"], str) or not isinstance(entry["sha256"], str):
                raise ValueError(f"a file {entry['path']!r}")
            Digest(entry["sha256"])
        return Manifest(
            path=path,
            name=name,
            version=version,
            artifact_id=artifact_id(name, version, raw),
            files=tuple(manifest["files"]),
        )


def project_or_artifact(place: Path) -> bool:
    """Whether this is a project's folder; else it is an artifact.

    Raises:
        NotAResultError: a folder that is neither.
    """
    from reprobuild.domain.spec import SPEC_FILE  # slow to load; `show` does without

    if (place / SPEC_FILE).exists():
        return True
    if place.is_dir() and not (place / MANIFEST_FILE).exists():
        raise NotAResultError(
            f"{place.resolve()} is neither a project nor a result",
            expected=f"a folder with {SPEC_FILE} or {MANIFEST_FILE}",
            actual="a folder without them",
            hint="go to the project's folder, or name a result",
        )
    return False


def read_artifact(path: Path) -> Artifact:
    """Read an artifact's manifest, `metrics.json` and `spec.json`.

    Raises:
        NotAResultError: the folder is not an artifact of this format.
    """
    manifest = read_manifest(path)
    with speaking_of(path):
        documents = [json.loads((path / name).read_bytes()) for name in ("metrics.json", "spec.json")]
        if not all(isinstance(one, dict) for one in documents):
            raise ValueError("metrics.json or spec.json is no JSON object")
        return Artifact(**vars(manifest), metrics=documents[0], spec=documents[1])


@contextmanager
def speaking_of(path: Path) -> Iterator[None]:
    """What goes wrong inside is a fault of that folder's documents."""
    try:
        yield
    except (OSError, AttributeError, KeyError, TypeError, ValueError, RecursionError) as error:
        raise NotAResultError(
            f"{path} is not a reprobuild artifact",
            expected="a folder with manifest.json, metrics.json and spec.json",
            actual=_what_is_wrong(error),
            hint="build one with `reprobuild nix build`",
        ) from error


def _what_is_wrong(error: Exception) -> str:
    match error:
        case OSError(filename=str(name)):
            return f"{Path(name).name}: {error.strerror}"
        case KeyError():
            return f"its documents lack the key {error}"
        case _:
            return f"a document that is damaged: {error}"
