"""What a rebuild says: per stage, and as a whole."""

from __future__ import annotations

from typing import Any, Final, Literal

from pydantic import BaseModel, ConfigDict, Field, computed_field, model_validator

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
    reason: str | None = Field(default=None, description="why a rebuild failed: message and last lines")
    differing_path: str | None = Field(default=None, description="kept output of the first differing rebuild")


class Verdict(_Value):
    """One level of docs/reproducibility.md: same bytes."""

    schema_: Literal["reprobuild.verdict/1"] = Field(default=VERDICT_SCHEMA, alias="schema")
    artifact_id: str | None
    stages: tuple[StageVerdict, ...]

    @model_validator(mode="before")
    @classmethod
    def _without_ok(cls, document: Any) -> Any:
        """`ok` is written for readers; read back, it follows from the stages."""
        return {k: v for k, v in document.items() if k != "ok"} if isinstance(document, dict) else document

    @computed_field(description="every rebuild gave the same bytes")  # type: ignore[prop-decorator]
    @property
    def ok(self) -> bool:
        return all(stage.verdict == "same bytes" for stage in self.stages)
