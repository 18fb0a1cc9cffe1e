"""What one metric of two results says: equal, within its tolerance, outside of it, or nothing.

Format page: docs/formats/metric-verdict.md.
"""

from __future__ import annotations

import math
from typing import Annotated, Literal

from pydantic import Field, PlainSerializer

from reprobuild.domain.value import Value

# JSON has no infinities: they are written as text, and read back.
Number = Annotated[
    float,
    PlainSerializer(
        lambda value: value if math.isfinite(value) else str(value), return_type=float | str, when_used="json"
    ),
]
ToleranceKind = Literal["absolute", "relative", "statistical"]


class MetricVerdict(Value):
    """One level of docs/reproducibility.md: same behaviour, for one metric."""

    metric: str
    references: tuple[Number, ...] = Field(description="what the reference runs measured")
    values: tuple[Number, ...] = Field(description="what the judged runs measured")
    reference: Number = Field(description="mean of the reference runs")
    value: Number = Field(description="mean of the judged runs")
    tolerance: ToleranceKind | None = Field(default=None, description="what it was judged by")
    limit: Number | None = Field(
        default=None, description="largest difference allowed, in the metric's unit; absent if unknown"
    )
    verdict: Literal["equal", "within tolerance", "outside tolerance", "no tolerance", "not judged"]
    p_value: float | None = Field(
        default=None,
        description="statistical: how often noise alone would give a difference at least as large",
    )
    false_alarm_rate: float | None = Field(
        default=None, description="statistical: share of runs without a change that are rejected"
    )
    cause: Literal["noise", "change"] | None = Field(
        default=None, description="statistical: noise (an A/A test passes) or a change (A/B)"
    )
    explanation: str = Field(description="one sentence for people")

    @property
    def ok(self) -> bool:
        """Same behaviour: equal, or different by no more than the tolerance allows."""
        return self.verdict in ("equal", "within tolerance")
