"""The baseline, `reprobuild.baseline.json`: what runs of one model with other seeds measure.

Nothing in it varies between machines or days, so that it can be compared and signed. Format page:
docs/formats/baseline.md.
"""

from __future__ import annotations

import json
from typing import Final, Literal, Self

from pydantic import Field, model_validator

from reprobuild.domain.digest import Digest
from reprobuild.domain.spec_types import Finite
from reprobuild.domain.value import Value

BASELINE_SCHEMA: Final = "reprobuild.baseline/1"
BASELINE_FILE = "reprobuild.baseline.json"


class MetricBaseline(Value):
    """One metric over all runs."""

    stage: str = Field(description="stage that measured it")
    values: dict[str, Finite] = Field(description="seed → what that run measured")
    mean: Finite
    standard_deviation: Finite = Field(description="of a sample: the squares' sum is divided by runs - 1")


class RunOutput(Value):
    """What one stage of one run wrote."""

    stage: str
    drv_path: str
    out_path: str
    nar_hash: Digest


class BaselineRun(Value):
    """One run: the model's stages, built with another seed."""

    seed: int
    outputs: tuple[RunOutput, ...] = Field(description="of the stages that measure, by name")


class Baseline(Value):
    schema_: Literal["reprobuild.baseline/1"] = Field(default=BASELINE_SCHEMA, alias="schema")
    model: str
    version: str
    reprobuild_version: str
    spec_digest: Digest = Field(description="of the spec without its seed, canonical JSON")
    lock_digest: Digest = Field(description="of the lock file")
    metrics: dict[str, MetricBaseline]
    runs: tuple[BaselineRun, ...] = Field(description="by seed, as they were asked for")

    @model_validator(mode="after")
    def _complete(self) -> Self:
        seeds = {str(run.seed) for run in self.runs}
        for name, metric in self.metrics.items():
            if metric.values.keys() != seeds:
                raise ValueError(f"metric {name} has values of other seeds than the runs")
        return self

    def references(self, metric: str) -> tuple[float, ...]:
        """What the runs measured of a metric, in their order; nothing if they did not measure it."""
        found = self.metrics.get(metric)
        return tuple(found.values[str(run.seed)] for run in self.runs) if found else ()

    def to_text(self) -> str:
        """The file's text: canonical JSON (sorted keys, 2 spaces), ends with a newline."""
        document = self.model_dump(mode="json", by_alias=True)
        return json.dumps(document, sort_keys=True, indent=2, ensure_ascii=False, allow_nan=False) + "\n"
