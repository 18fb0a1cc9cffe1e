"""What speaks against using a model, and what is not known of it? Only from what was measured, stated and checked."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from reprobuild.core.sbom.advisories import Judgement
from reprobuild.core.sbom.bill import Bill
from reprobuild.domain.record import OutputRecord
from reprobuild.domain.spec import Metric, Spec
from reprobuild.domain.verdict import Verdict


@dataclass(frozen=True)
class Risk:
    """
    Args:
        known: true: it was found; false: nobody looked, or nobody can say.
    """

    area: str
    known: bool
    text: str


@dataclass(frozen=True)
class SignedStatement:
    """One statement on the result.

    Args:
        by: names of trusted keys; of a statement that was not checked, the ids that its signatures name.
        checked: whether it was compared with a trust file; the problems then say what is wrong.
    """

    predicate_type: str | None
    by: tuple[str, ...]
    checked: bool
    problems: tuple[str, ...] = ()


def goal_met(metric: Metric, value: float) -> bool:
    low, high = metric.minimum, metric.maximum
    return (low is None or value >= low) and (high is None or value <= high)


def file_risks(damage: Mapping[str, str]) -> list[Risk]:
    """
    Args:
        damage: file → `missing`, `extra` or `changed`, by the manifest.
    """
    return [Risk("files", True, f"{name} is {state}: not as it was built") for name, state in damage.items()]


def metric_risks(spec: Spec, metrics: Mapping[str, float]) -> list[Risk]:
    found = []
    for name, metric in spec.metrics.items():
        if name not in metrics:
            found.append(Risk("metrics", True, f"{name} was not measured"))
        elif not goal_met(metric, metrics[name]):
            found.append(Risk("metrics", True, f"{name} misses its goal: {metrics[name]:g}"))
    if not any(one.minimum is not None or one.maximum is not None for one in spec.metrics.values()):
        found.append(Risk("metrics", False, "no metric has a goal"))
    return found


def verdict_risks(verdict: Verdict | None) -> list[Risk]:
    if verdict is None:
        return [Risk("rebuild", False, "not verified: no verdict of a rebuild was given")]
    if verdict.ok:
        return []
    asked = [one for one in verdict.levels if one.level == verdict.demanded]
    why = ", ".join(one.reason for one in asked) or "the verdict does not say"
    known = any(one.holds is False for one in asked)
    return [Risk("rebuild", known, f"not the {verdict.demanded}: {why}")]


def licence_risks(bill: Bill) -> list[Risk]:
    unknown = [one.node for one in bill.licensed if one.licence.expression is None]
    if not unknown:
        return []
    return [Risk("licences", False, f"{len(unknown)} of {len(bill.licensed)} parts have no known licence")]


def vulnerability_risks(judged: Judgement | None) -> list[Risk]:
    if judged is None:
        return [Risk("vulnerabilities", False, "not looked for: no advisories were given")]
    found = [
        Risk(
            "vulnerabilities",
            True,
            f"{one.advisory.id} in {one.node}: {one.advisory.summary or 'no summary'}",
        )
        for one in judged.findings
    ]
    return found + [Risk("vulnerabilities", False, f"cannot be judged: {one}") for one in judged.not_judged]


def machine_risks(spec: Spec, runs: Sequence[OutputRecord]) -> list[Risk]:
    """Of the machines that stages ran on, and of what they took there."""
    if not runs:
        return [Risk("hardware", False, "no build record: nothing is known of the machine")]
    found = []
    for run in runs:
        stage = spec.stages.get(run.label)
        if run.status != "built" and stage is not None:
            found.append(Risk("hardware", False, f"{run.label}: no record says where it ran"))
            continue
        if stage is not None and stage.gpu:
            found += _gpu_risks(spec, run)
        found += [
            Risk("plan", True, f"{run.label}: {one.key} is {one.measured:g}, planned {one.planned:g}")
            for one in run.off_plan
        ]
    return found


def _gpu_risks(spec: Spec, run: OutputRecord) -> list[Risk]:
    if run.hardware is None:
        return [Risk("hardware", False, f"{run.label}: asks for a GPU, and none was measured")]
    gpus = [one for one in run.hardware.get("gpus") or () if isinstance(one, dict)]
    asked = spec.hardware
    found = []
    if asked.gpu and not any(asked.gpu in (one.get("names") or ()) for one in gpus):
        named = ", ".join(str(one.get("name")) for one in gpus) or "none"
        found.append(Risk("hardware", True, f"{run.label}: ran on {named}, declared is {asked.gpu}"))
    capability = asked.compute_capability
    if capability and not any(one.get("compute_capability") == capability for one in gpus):
        found.append(Risk("hardware", True, f"{run.label}: no GPU of compute capability {capability}"))
    found += _driver_risks(spec, run.label, str((run.hardware.get("driver") or {}).get("version") or ""))
    if run.left_gpu_unused:
        found.append(Risk("hardware", True, f"{run.label}: its GPU was not used"))
    return found


def _driver_risks(spec: Spec, label: str, version: str) -> list[Risk]:
    """
    Args:
        version: of the driver as measured, such as 580.65.06; empty: not known.
    """
    asked = spec.driver
    if asked is None or not (asked.minimum or asked.branch):
        return []
    if not version:
        return [Risk("hardware", False, f"{label}: its driver was not measured")]
    old = asked.minimum is not None and _numbers(version) < _numbers(asked.minimum)
    other = asked.branch is not None and version.partition(".")[0] != asked.branch
    declared = f"from {asked.minimum}" if old else f"of branch {asked.branch}"
    return (
        [Risk("hardware", True, f"{label}: driver {version}, declared is {declared}")] if old or other else []
    )


def _numbers(version: str) -> list[int]:
    return [int(one) for one in re.findall(r"\d+", version)]


def signature_risks(signed: Sequence[SignedStatement], problems: Sequence[str]) -> list[Risk]:
    """
    Args:
        problems: of all statements together.
    """
    if not signed and not problems:
        return [Risk("signatures", False, "nobody signed it: there are no statements beside the result")]
    found = [Risk("signatures", True, problem) for one in signed for problem in one.problems]
    found += [Risk("signatures", True, problem) for problem in problems]
    if signed and not any(one.checked for one in signed):
        found.append(Risk("signatures", False, "its signatures were not checked: no trust file was given"))
    return found
