"""The build record: what was built, from what, where, and what it took. Never part of an output.

Format page: docs/formats/record.md.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, Literal

from pydantic import Field

from reprobuild.domain.digest import Digest
from reprobuild.domain.value import Value

if TYPE_CHECKING:
    from reprobuild.domain.comparison import Origin

RECORD_SCHEMA: Final = "reprobuild.record/1"


@dataclass(frozen=True)
class Revision:
    """Where a project's folder stands in git.

    Args:
        dirty: files that a build reads are not as in the commit.
    """

    commit: str
    dirty: bool


class OffPlan(Value):
    """Another number than the spec plans: both, in the unit that the key ends with."""

    key: Literal["cores", "memory_mib", "time_s", "loader_s"]
    planned: float
    measured: float


class OutputRecord(Value):
    """One derivation of the project, built now or reused."""

    label: str = Field(description="stage name, or model")
    drv_path: str
    out_path: str
    nar_hash: Digest | None = Field(default=None, description="absent when it could not be built")
    nar_size_bytes: int | None = None
    status: Literal["built", "reused", "failed", "stopped", "not-built"]
    started: str | None = Field(default=None, description="UTC, ISO 8601")
    duration_s: float | None = None
    cpu_s: float | None = None
    peak_memory_bytes: int | None = None
    loader_s: float | None = Field(default=None, description="time spent waiting for data")
    off_plan: tuple[OffPlan, ...] = Field(
        default=(), description="what was more than 20 % off `resources` of the stage"
    )
    log_digest: str | None = Field(default=None, description="SHA-256, hex, over the log lines")
    log_path: str | None = None
    builder: str = Field(default="", description="machine that built it; empty: this one")
    host: dict[str, Any] | None = Field(default=None, description="what the stage saw of its machine")
    numerics: dict[str, Any] | None = Field(
        default=None, description="torch, its kernels, threads and GPU as in use at the end"
    )
    hardware: dict[str, Any] | None = Field(
        default=None, description="hardware profile measured before a stage on a GPU"
    )

    def origin(self) -> Origin:
        """How it was made, as far as it can explain a difference."""
        from reprobuild.domain.comparison import Origin

        return Origin(host=self.host, numerics=self.numerics, hardware=self.hardware, started=self.started)

    @property
    def left_gpu_unused(self) -> bool:
        """A stage on a GPU whose torch never started CUDA: it may have computed on the processor."""
        numerics = self.numerics or {}
        return self.hardware is not None and "torch" in numerics and "gpu" not in numerics


class BuildRecord(Value):
    schema_: Literal["reprobuild.record/1"] = Field(default=RECORD_SCHEMA, alias="schema")
    model: str
    version: str
    artifact_id: str | None = None
    project: str = Field(description="folder of the project")
    spec_digest: Digest = Field(description="of the effective spec, canonical JSON")
    lock_digest: Digest = Field(description="of the lock file")
    overrides: dict[str, Any] = Field(default={})
    spec: dict[str, Any] = Field(description="the effective spec: parameters, seed, goals")
    started: str
    finished: str
    status: Literal["built", "failed", "interrupted"]
    reprobuild_version: str
    host: dict[str, Any]
    outputs: tuple[OutputRecord, ...]
    built_others: int = Field(default=0, description="wheels, base and environment built on the way")
    commit: str | None = Field(default=None, description="git commit that the project's folder was at")
    dirty: bool | None = Field(
        default=None, description="spec, lock or code were not as in that commit; absent without one"
    )
    files: dict[str, Digest] | None = Field(
        default=None, description="files of the artifact, by its manifest: path → SHA-256"
    )
