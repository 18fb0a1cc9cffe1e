"""An archive's own documents: `archive.json` and `SHA256SUMS`. Format page: docs/formats/archive.md."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final, Literal

from pydantic import Field

from reprobuild.domain.value import Value

ARCHIVE_SCHEMA: Final = "reprobuild.archive/1"
ARCHIVE_FILE = "archive.json"
SUMS_FILE = "SHA256SUMS"


class ArchiveDocument(Value):
    """What was archived."""

    schema_: Literal["reprobuild.archive/1"] = Field(default=ARCHIVE_SCHEMA, alias="schema")
    model: str
    version: str
    system: str
    drv_path: str = Field(description="derivation of the model")
    out_path: str = Field(description="store path of the model")
    nar_hash: str = Field(
        default="", description="of the model, as Nix prints it; empty where it was not built"
    )
    artifact_id: str = Field(default="", description="empty where it was not built")
    outputs: bool = Field(description="whether the cache holds outputs as well")
    reprobuild_version: str
    links: dict[str, str] = Field(default={}, description="symbolic links of the project: place → target")

    def to_text(self) -> str:
        return self.model_dump_json(by_alias=True, indent=2) + "\n"


def sums_text(digests: Mapping[str, str]) -> str:
    """As `sha256sum` prints it, sorted by name.

    Args:
        digests: path in the archive → SHA-256, hexadecimal.
    """
    return "".join(f"{digest}  {path}\n" for path, digest in sorted(digests.items()))


def parse_sums(text: str) -> dict[str, str]:
    """
    Raises:
        ValueError: it lists nothing, or a line is no digest and name.
    """
    found = {}
    for line in text.splitlines():
        digest, mark, path = line.partition("  ")
        if not mark or len(digest) != 64 or not path:
            raise ValueError(f"not a line of {SUMS_FILE}: {line[:60]!r}")
        found[path] = digest
    if not found:
        raise ValueError("lists no file")
    return found
