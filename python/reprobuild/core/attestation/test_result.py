"""Is it good enough: goals of the metrics, and what a rebuild said.

Source: in-toto attestation framework, predicate test-result v0.1.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from reprobuild.domain.attestation import Resource, TestResult
from reprobuild.domain.verdict import Verdict


def test_result(
    spec: Mapping[str, Any],
    metrics: Mapping[str, float],
    configuration: tuple[Resource, ...],
    verdict: Verdict | None,
) -> TestResult | None:
    """None where nothing was tested: no metric has a goal, and there is no verdict.

    Args:
        spec: the artifact's `spec.json`.
        metrics: the artifact's `metrics.json`.
        configuration: the files that the answer follows from.
    """
    states = dict(_goals(spec, metrics)) | (dict(_levels(verdict)) if verdict else {})
    if not states:
        return None
    found = {
        state: tuple(name for name, its in states.items() if its == state)
        for state in ("PASSED", "WARNED", "FAILED")
    }
    return TestResult(
        result="FAILED" if found["FAILED"] else "WARNED" if found["WARNED"] else "PASSED",
        configuration=configuration,
        passed_tests=found["PASSED"],
        warned_tests=found["WARNED"],
        failed_tests=found["FAILED"],
    )


def _goals(spec: Mapping[str, Any], metrics: Mapping[str, float]) -> Iterator[tuple[str, str]]:
    for name, metric in sorted(spec.get("metrics", {}).items()):
        for bound, sign in (("minimum", 1), ("maximum", -1)):
            if metric.get(bound) is None:
                continue
            if name not in metrics:  # only a metric that is not required may be missing
                yield f"goal {name} {bound}", "WARNED"
            else:
                good = sign * metrics[name] >= sign * metric[bound]
                yield f"goal {name} {bound}", "PASSED" if good else "FAILED"


def _levels(verdict: Verdict) -> Iterator[tuple[str, str]]:
    """What does not hold is a failure where the verdict as a whole is no, else a warning."""
    short = "WARNED" if verdict.ok else "FAILED"
    for level in verdict.levels:
        yield f"verify {level.level}", "PASSED" if level.holds else short
    for metric in verdict.metrics:
        yield f"verify metric {metric.metric}", "PASSED" if metric.ok else short
