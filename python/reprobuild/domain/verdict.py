"""What a rebuild or a comparison says: per stage, per metric, per level, and as a whole.

Format page: docs/formats/verdict.md.
"""

from __future__ import annotations

from typing import Any, Final, Literal

from pydantic import Field, computed_field, model_validator

from reprobuild.domain.comparison import StageComparison
from reprobuild.domain.metric_verdict import MetricVerdict
from reprobuild.domain.value import Value

VERDICT_SCHEMA: Final = "reprobuild.verdict/1"

# docs/reproducibility.md says what each one means.
Level = Literal["same inputs", "same bytes", "same weights", "same behaviour"]


class StageVerdict(Value):
    label: str
    drv_path: str
    out_path: str
    rounds: int = Field(description="rebuilds that were made; 1 for a comparison")
    equal: int = Field(description="rebuilds whose bytes were equal to the first build's")
    verdict: Literal["same bytes", "differs", "failed", "unknown"]
    first_build: Literal["store", "record", "now"] = Field(
        default="store",
        description="what was compared with: the output in the store, the hash in a build record (the output was "
        "gone), or an output built just before",
    )
    builder: str = Field(default="", description="machine that rebuilt it; empty: this one")
    reason: str | None = Field(default=None, description="why a rebuild failed, or why nothing can be said")
    differing_path: str | None = Field(
        default=None,
        description="copy of a differing rebuild's output: of one with other tensors, if there was one",
    )
    comparison: StageComparison | None = Field(
        default=None, description="where the two outputs differ, and why; absent where one of them is gone"
    )


class LevelVerdict(Value):
    level: Level
    holds: bool | None = Field(description="null: nothing can be said")
    reason: str = Field(description="one line for people")


class GoldenVerdict(Value):
    """One tensor of the golden pairs that a stage wrote, against the other build's."""

    label: str = Field(description="stage that wrote it")
    tensor: str = Field(description="`input.NAME` or `output.NAME`")
    verdict: Literal["equal", "close", "not close", "not comparable"]
    max_absolute: float | None = Field(default=None, description="largest difference of finite answers")
    explanation: str = Field(description="one line for people, with the tolerance that holds for the type")


class Verdict(Value):
    """Four levels, each with its own answer."""

    schema_: Literal["reprobuild.verdict/1"] = Field(default=VERDICT_SCHEMA, alias="schema")
    artifact_id: str | None
    against: str | None = Field(
        default=None, description="what was compared with; absent for a rebuild of the same derivations"
    )
    demanded: Level = Field(description="level that decides, from the spec's [numerics] level or --level")
    levels: tuple[LevelVerdict, ...] = Field(description="strictest first")
    stages: tuple[StageVerdict, ...]
    carried: tuple[StageComparison, ...] = Field(
        default=(),
        description="stages after a differing one, run again on what the rebuild gave, against the first build",
    )
    carry_problem: str | None = Field(
        default=None, description="why one of these stages could not be run again"
    )
    metrics: tuple[MetricVerdict, ...] = ()
    unmeasured: tuple[str, ...] = Field(
        default=(), description="metrics of the spec that were not measured on both sides"
    )
    golden: tuple[GoldenVerdict, ...] = Field(default=(), description="answers to stored inputs")

    @model_validator(mode="before")
    @classmethod
    def _without_ok(cls, document: Any) -> Any:
        """`ok` is written for readers; read back, it follows from the levels."""
        return {k: v for k, v in document.items() if k != "ok"} if isinstance(document, dict) else document

    @computed_field(description="the demanded level holds")  # type: ignore[prop-decorator]
    @property
    def ok(self) -> bool:
        return any(one.level == self.demanded and one.holds is True for one in self.levels)
