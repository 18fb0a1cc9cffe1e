"""Which runs make a baseline, what do they say together, and does a baseline still belong to a spec?"""

from __future__ import annotations

import json
import statistics
from collections.abc import Mapping

from reprobuild.domain.baseline import BASELINE_FILE, Baseline, MetricBaseline
from reprobuild.domain.digest import Digest
from reprobuild.domain.spec import SPEC_FILE, Spec
from reprobuild.errors import BaselineError

DEFAULT_RUNS = 10  # where no metric says how many it needs
_SEEDS = 2**32


def wanted_runs(spec: Spec) -> int:
    """As many as the metric with the most demanding tolerance asks for."""
    asked = [
        metric.tolerance.statistical.runs
        for metric in spec.metrics.values()
        if metric.tolerance is not None and metric.tolerance.statistical is not None
    ]
    return max(asked, default=DEFAULT_RUNS)


def other_seeds(seed: int, runs: int) -> tuple[int, ...]:
    """The seeds that follow the model's own, which is never among them: it is what will be judged."""
    return tuple((seed + 1 + number) % _SEEDS for number in range(runs))


def spec_digest(spec: Spec) -> Digest:
    """Digest of everything that a spec says, defaults included, but for the seed."""
    document = spec.model_dump(mode="json", by_alias=True, exclude_none=True)
    del document["numerics"]["seed"]
    return Digest.of_bytes(json.dumps(document, sort_keys=True, ensure_ascii=False).encode())


def summary(stage: str, values: Mapping[int, float]) -> MetricBaseline:
    """Mean and deviation of one metric by seed; at least two values, all finite."""
    return MetricBaseline(
        stage=stage,
        values={str(seed): value for seed, value in values.items()},
        mean=statistics.mean(values.values()),
        standard_deviation=statistics.stdev(values.values()),
    )


def require_same_spec(baseline: Baseline, spec: Spec) -> None:
    """
    Raises:
        BaselineError: the spec has changed otherwise than in its seed, or its seed is one of the baseline's runs.
    """
    expected = spec_digest(spec)
    if baseline.spec_digest != expected:
        raise BaselineError(
            f"{BASELINE_FILE} is stale: {SPEC_FILE} has changed otherwise than in its seed since",
            expected=expected,
            expected_from=f"{SPEC_FILE}, without its seed",
            actual=baseline.spec_digest,
            actual_from=BASELINE_FILE,
            hint="run `reprobuild baseline`: finished runs are reused where the change does not touch them",
        )
    if any(run.seed == spec.numerics.seed for run in baseline.runs):
        raise BaselineError(
            f"{BASELINE_FILE} is stale: the model's own seed is one of its reference runs",
            expected=f"seeds other than {spec.numerics.seed}",
            expected_from=f"{SPEC_FILE}, numerics.seed",
            actual=", ".join(str(run.seed) for run in baseline.runs),
            actual_from=BASELINE_FILE,
            hint="run `reprobuild baseline`",
        )
