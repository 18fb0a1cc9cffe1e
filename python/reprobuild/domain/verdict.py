"""What a rebuild says: per stage, and as a whole."""

from __future__ import annotations

from typing import Final, Literal

from pydantic import BaseModel, ConfigDict, Field

VERDICT_SCHEMA: Final = "reprobuild.verdict/1"


class _Value(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", populate_by_name=True)


class StageVerdict(_Value):
    label: str
    drv_path: str
    out_path: str
    rounds: int = Field(description="rebuilds that were made")
    equal: int = Field(description="rebuilds whose bytes were equal to the first build's")
    verdict: Literal["same bytes", "differs", "failed", "not built before"]
    differing_path: str | None = Field(default=None, description="kept output of the first differing rebuild")


class Verdict(_Value):
    """Level "same bytes" only; the other levels of docs/architecture.md come with `verify --against`."""

    schema_: Literal["reprobuild.verdict/1"] = Field(default=VERDICT_SCHEMA, alias="schema")
    artifact_id: str | None
    stages: tuple[StageVerdict, ...]

    @property
    def ok(self) -> bool:
        return all(stage.verdict == "same bytes" for stage in self.stages)
