"""The lock, `reprobuild.lock`: every byte that can go into a build, by hash.

JSON, sorted, one source per line, so that a changed pin is a changed line. Format page: docs/formats/lock.md.
"""

from __future__ import annotations

import json
from typing import Annotated, Any, Final, Literal

from pydantic import Field, NonNegativeInt, StringConstraints

from reprobuild.domain.digest import Digest
from reprobuild.domain.store_path import Mode, fixed_output_path, store_name
from reprobuild.domain.value import Value

LOCK_SCHEMA: Final = "reprobuild.lock/1"
LOCK_FILE = "reprobuild.lock"

Kind = Literal["compiler", "data", "deb", "seed", "tool", "wheel"]
HexDigest = Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{64}$")]


class Source(Value):
    """One pinned source: a fixed-output path, whatever address it comes from."""

    kind: Kind
    name: str = Field(description="dataset, package or distribution name")
    version: str | None = None
    system: str | None = Field(default=None, description="absent: the same on all systems")
    file_name: str = Field(description="as published")
    sha256: Digest = Field(description="of the file, or of the NAR for mode recursive")
    size_bytes: NonNegativeInt
    mode: Mode = "flat"
    index: str | None = Field(default=None, description="name of the index or wheelhouse (wheel, tool)")
    suite: str | None = Field(default=None, description="archive suite (compiler, deb, seed)")
    pool_path: str | None = Field(default=None, description="path inside the archive (compiler, deb, seed)")
    deb_sha256: Digest | None = Field(default=None, description="the package that a seed is taken out of")
    path: str | None = Field(default=None, description="file inside the project (data)")
    depends: tuple[str, ...] = Field(
        default=(), description="names of those of its kind that it depends on (compiler, deb, tool, wheel)"
    )

    @property
    def subject(self) -> str:
        """How messages call it."""
        return f"{self.kind} {self.name}" + (f" {self.version}" if self.version else "")

    @property
    def store_path(self) -> str:
        return fixed_output_path(store_name(self.file_name), self.sha256, self.mode)


class DebianBasePin(Value):
    """The archive state that a base was resolved in."""

    kind: Literal["debian"] = "debian"
    suite: str
    snapshot: str = Field(description="date of the signed release, YYYYMMDDTHHMMSSZ")
    release_sha256: Digest = Field(description="of the verified, signed release file")
    python_version: str = Field(description="major.minor")
    glibc_version: str


class Lock(Value):
    schema_: Literal["reprobuild.lock/1"] = Field(default=LOCK_SCHEMA, alias="schema")
    inputs: dict[Literal["base", "data", "python"], HexDigest] = Field(
        description="SHA-256 of each part of the spec that the lock was made from"
    )
    systems: dict[str, DebianBasePin]
    sources: tuple[Source, ...]

    def of_kind(self, *kinds: Kind) -> tuple[Source, ...]:
        return tuple(source for source in self.sources if source.kind in kinds)

    def for_system(self, system: str) -> tuple[Source, ...]:
        """What a build on this system can need."""
        return tuple(source for source in self.sources if source.system in (None, system))

    def to_text(self) -> str:
        """The file's text: sorted, one source per line, ends with a newline."""
        head = self.model_dump(mode="json", by_alias=True, exclude={"sources"}, exclude_none=True)
        head = {
            key: dict(sorted(part.items())) if isinstance(part, dict) else part for key, part in head.items()
        }
        lines = [f"  {json.dumps(key)}: {_inline(head[key])}" for key in ("schema", "inputs", "systems")]
        rows = sorted(self.sources, key=lambda s: (s.kind, s.name, s.system or "", s.file_name))
        body = ",\n".join(
            "    " + _inline(row.model_dump(mode="json", exclude_none=True, exclude_defaults=True))
            for row in rows
        )
        lines.append(f'  "sources": [\n{body}\n  ]')
        return "{\n" + ",\n".join(lines) + "\n}\n"


def _inline(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, sort_keys=False)
