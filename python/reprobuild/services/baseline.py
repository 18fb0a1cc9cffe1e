"""Measure what runs with other seeds give, and write it down as the project's baseline."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from reprobuild import __version__
from reprobuild.core.baseline import other_seeds, spec_digest, summary, wanted_runs
from reprobuild.domain.baseline import BASELINE_FILE, Baseline, BaselineRun, RunOutput
from reprobuild.domain.digest import Digest
from reprobuild.domain.spec import SPEC_FILE
from reprobuild.errors import BaselineError
from reprobuild.ports import Store
from reprobuild.services.build import NewView
from reprobuild.services.project import Project
from reprobuild.services.seed_runs import SeedRun, SeedRunBuilder

METRICS_FILE = "metrics.json"  # of a stage's output


@dataclass(frozen=True)
class BaselineOutcome:
    baseline: Baseline
    path: Path
    built: tuple[str, ...]  # labels (or names) built now
    changed: bool  # the file says something else than before


class BaselineService:
    def __init__(self, *, seed_runs: SeedRunBuilder, store: Store) -> None:
        self._seed_runs = seed_runs
        self._store = store

    def run(
        self,
        project: Project,
        new_view: NewView,
        *,
        runs: int | None = None,
        jobs: int | None = None,
        caches: tuple[str, ...] = (),
    ) -> BaselineOutcome:
        """Build the runs that are missing in one call of Nix, read their metrics, and write the baseline.

        The artifact itself is not built, so a seed that misses a goal counts as well.

        Args:
            runs: how many; None: as many as the spec's tolerances ask for.
        Raises:
            BaselineError: the spec has no metrics, or a run measured none.
            BuildFailedError, InterruptedBuildError and others: as of a build.
        """
        if not project.spec.metrics:
            raise BaselineError(
                f"{project.spec.model.name}: a baseline is about metrics, and there are none",
                expected="at least one section [metrics.NAME]",
                expected_from=SPEC_FILE,
                hint=f"declare a metric in {SPEC_FILE}",
            )
        seeds = other_seeds(project.spec.numerics.seed, runs or wanted_runs(project.spec))
        variants = self._seed_runs.variants(project, seeds)
        built = self._seed_runs.build(project, variants, new_view, jobs, caches)
        baseline = self._measured(project, variants)
        path, text = project.path / BASELINE_FILE, baseline.to_text()
        changed = not path.is_file() or path.read_text(encoding="utf-8") != text
        if changed:
            part = path.with_name(f"{path.name}.part")
            part.write_text(text, encoding="utf-8")
            part.replace(path)
        return BaselineOutcome(baseline, path, built, changed)

    def _measured(self, project: Project, variants: Sequence[SeedRun]) -> Baseline:
        spec = project.spec
        metrics = {
            name: summary(
                metric.stage,
                {one.seed: _metric(name, metric.stage, one) for one in variants},
            )
            for name, metric in spec.metrics.items()
        }
        return Baseline(
            model=spec.model.name,
            version=spec.model.version,
            reprobuild_version=__version__,
            spec_digest=spec_digest(spec),
            lock_digest=Digest.of_bytes(project.lock_path.read_bytes()),
            metrics=metrics,
            runs=tuple(
                BaselineRun(
                    seed=one.seed,
                    outputs=tuple(
                        RunOutput(
                            stage=stage,
                            drv_path=drv.drv_path,
                            out_path=drv.out_path,
                            nar_hash=self._store.info(drv.out_path).nar_hash,
                        )
                        for stage, drv in one.measuring.items()
                    ),
                )
                for one in variants
            ),
        )


def _metric(name: str, stage: str, run: SeedRun) -> float:
    file = Path(run.measuring[stage].out_path) / METRICS_FILE
    try:
        value: object = json.loads(file.read_bytes())
    except (OSError, ValueError) as error:
        value = error
    value = value.get(name, "no such key") if isinstance(value, Mapping) else value
    if isinstance(value, int) and not isinstance(value, bool):
        value = float(value) if abs(value) < 2**1023 else math.inf
    if not isinstance(value, float) or not math.isfinite(value):
        raise BaselineError(
            f"metric {name}: stage {stage} did not measure it with seed {run.seed}",
            expected="a finite number",
            expected_from=f"{SPEC_FILE}, [metrics.{name}]",
            actual=str(value),
            actual_from=str(file),
            hint=f"mend the stage, or look around in it with `reprobuild nix shell --stage {stage}"
            f" --set numerics.seed={run.seed}`",
        )
    return value
