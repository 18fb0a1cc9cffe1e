"""Which files make up the artifact, and what is it called?

Source: docs/formats/manifest.md, version 1.
"""

from __future__ import annotations

import base64
import hashlib
import json
from pathlib import Path
from typing import Any

from reprobuild_worker.digest import digest_safetensors, sri
from reprobuild_worker.outputs import walk

SCHEMA = "reprobuild.manifest/1"
FILE_NAME = "manifest.json"
CHUNK_BYTES = 1 << 20


def manifest(folder: Path, *, name: str, version: str) -> dict[str, Any]:
    """Describe every file below a folder, except for the manifest itself."""
    paths = {path.relative_to(folder).as_posix(): path for path in walk(folder)}
    paths.pop(FILE_NAME, None)
    return {
        "schema": SCHEMA,
        "name": name,
        "version": version,
        "files": [
            {"path": path, "sha256": file_digest(paths[path]), "size_bytes": paths[path].stat().st_size}
            for path in sorted(paths)
        ],
        "weights": [_weights(path, paths[path]) for path in sorted(paths) if path.endswith(".safetensors")],
    }


def artifact_id(manifest_bytes: bytes) -> str:
    """The artifact's readable name, `NAME-VERSION-HASH`, from the exact bytes of its manifest.

    HASH is the first 12 characters of the manifest's SHA-256 in lower-case base32 (RFC 4648).
    """
    document = json.loads(manifest_bytes)
    digest = base64.b32encode(hashlib.sha256(manifest_bytes).digest()).decode().lower()
    return f"{document['name']}-{document['version']}-{digest[:12]}"


def file_digest(path: Path) -> str:
    """SHA-256 of a file's bytes, as SRI."""
    hasher = hashlib.sha256()
    with path.open("rb") as file:
        while chunk := file.read(CHUNK_BYTES):
            hasher.update(chunk)
    return sri(hasher.digest())


def _weights(name: str, path: Path) -> dict[str, Any]:
    digest = digest_safetensors(path)
    return {
        "path": name,
        "digest": digest.digest,
        "tensors": [
            {"name": t.name, "dtype": t.dtype, "shape": list(t.shape), "digest": t.digest}
            for t in digest.tensors
        ],
    }
