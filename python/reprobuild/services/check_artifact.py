"""Compare an artifact's files with its own manifest: every missing, extra and changed file is named."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from reprobuild.domain.digest import Digest
from reprobuild.services.artifact import MANIFEST_FILE, Manifest, read_manifest


@dataclass(frozen=True)
class FileFinding:
    path: str
    state: Literal["missing", "extra", "changed"]
    expected: str | None = None
    actual: str | None = None


@dataclass(frozen=True)
class ArtifactCheck:
    manifest: Manifest
    findings: tuple[FileFinding, ...]

    @property
    def ok(self) -> bool:
        return not self.findings


def check_artifact(path: Path) -> ArtifactCheck:
    """Read every file of an artifact and compare it with the manifest; needs neither Nix nor the project.

    Raises:
        NotAResultError: there is no readable manifest.
    """
    manifest = read_manifest(path)
    listed = {str(entry["path"]): Digest(entry["sha256"]) for entry in manifest.files}
    found = {
        str(file.relative_to(path)): file
        for file in sorted(path.rglob("*"))
        if file.is_symlink() or not file.is_dir()
    }
    found.pop(MANIFEST_FILE, None)
    findings = [FileFinding(name, "missing", listed[name]) for name in sorted(listed.keys() - found.keys())]
    findings += [FileFinding(name, "extra") for name in sorted(found.keys() - listed.keys())]
    for name in sorted(listed.keys() & found.keys()):
        actual = _digest(found[name])
        if actual != listed[name]:
            findings.append(FileFinding(name, "changed", listed[name], actual))
    return ArtifactCheck(manifest, tuple(findings))


def _digest(file: Path) -> str:
    if file.is_symlink():
        return f"a link to {file.readlink()}"
    with file.open("rb") as stream:
        return Digest.of_raw(hashlib.file_digest(stream, "sha256").digest())
