"""Before anything is fetched or built: how long will it take, and is that more than is allowed?"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from reprobuild.core.expected_time import ExpectedTime, expected_times
from reprobuild.domain.machine import Machine
from reprobuild.domain.spec import Spec
from reprobuild.errors import QuotaError
from reprobuild.ports import RecordStore


@dataclass(frozen=True)
class Quota:
    """
    Args:
        hours: of all stages together, each counted by itself; None: as many as it takes.
        gpu_hours: of the stages with `gpu = true`.
    """

    records: RecordStore
    hours: float | None = None
    gpu_hours: float | None = None

    def expected(self, spec: Spec, placed: Mapping[str, Machine]) -> dict[str, ExpectedTime | None]:
        """Stage to build → how long it will run."""
        return expected_times(spec, placed, self.records.of_model(spec.model.name)) if placed else {}

    def require(self, spec: Spec, placed: Mapping[str, Machine]) -> None:
        """
        Raises:
            QuotaError: the build would take more, or nobody can say how much.
        """
        expected = self.expected(spec, placed)
        for limit, of_gpu, option in (
            (self.hours, False, "--max-hours"),
            (self.gpu_hours, True, "--max-gpu-hours"),
        ):
            if limit is None:
                continue
            counted = {
                label: time for label, time in expected.items() if not of_gpu or spec.stages[label].gpu
            }
            _require(limit, option, "GPU hours" if of_gpu else "hours", counted)


def _require(limit: float, option: str, unit: str, counted: Mapping[str, ExpectedTime | None]) -> None:
    unknown = [label for label, time in counted.items() if time is None]
    if unknown:
        raise QuotaError(
            f"nobody can say how long {', '.join(unknown)} will run, so nothing was built",
            expected=f"{limit:g} {unit} at most",
            expected_from=option,
            actual="no earlier build with these parameters, and no plan in the spec",
            hint=f"plan it: time_s = … under [stages.{unknown[0]}.resources] in reprobuild.toml",
        )
    known = {label: time for label, time in counted.items() if time is not None}
    hours = sum(time.seconds for time in known.values()) / 3600
    if hours > limit:
        raise QuotaError(
            "the build would take more than is allowed, so nothing was built",
            expected=f"{limit:g} {unit} at most",
            expected_from=option,
            actual=f"{hours:.3g} {unit}",
            details=tuple(
                f"{label}: {time.seconds / 3600:.3g} h, {time.basis}" for label, time in known.items()
            ),
            hint="ask for less (`--set`, `--stage`), or for more time",
        )
