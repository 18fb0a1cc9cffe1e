"""Read a project's baseline, and refuse one that belongs to another model."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Sequence
from functools import cache

from pydantic import ValidationError

from reprobuild.core.baseline import require_same_spec
from reprobuild.core.overrides import merged
from reprobuild.domain.baseline import BASELINE_FILE, BASELINE_SCHEMA, Baseline
from reprobuild.domain.spec import SPEC_FILE
from reprobuild.errors import BaselineError
from reprobuild.services.build import BuildService
from reprobuild.services.project import Project


def read_baseline(project: Project) -> Baseline:
    """The project's baseline as it stands, fresh or stale.

    Raises:
        BaselineError: there is none, or it is damaged.
    """
    try:
        text = (project.path / BASELINE_FILE).read_text(encoding="utf-8")
    except FileNotFoundError:
        raise BaselineError(
            f"{project.spec.model.name}: there is no {BASELINE_FILE}", hint="run `reprobuild baseline`"
        ) from None
    except (OSError, UnicodeDecodeError) as error:
        raise BaselineError(
            f"cannot read {BASELINE_FILE}: {error}", hint="run `reprobuild baseline`"
        ) from error
    try:
        return Baseline.model_validate_json(text)
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        raise BaselineError(
            f"{BASELINE_FILE} is damaged",
            expected=BASELINE_SCHEMA,
            actual=f"{'.'.join(map(str, first['loc'])) or 'the whole file'}: {first['msg']}",
            hint="restore it from version control, or run `reprobuild baseline`",
        ) from error


def require_fresh_baseline(project: Project, build: BuildService) -> Baseline:
    """The baseline, if runs with other seeds would still be the ones that it was made from.

    The digest of the spec tells most changes; the derivations of one run tell all others: code, data, lock, rules.

    Raises:
        BaselineError: there is none, or it is damaged or stale; says which side has changed.
        LockMissingError, LockStaleError: the derivations cannot be known.
    """
    baseline = read_baseline(project)
    require_same_spec(baseline, project.spec)
    for run in baseline.runs[:1]:
        seed = {"numerics": {"seed": run.seed}}
        found = build.instantiate(dataclasses.replace(project, overrides=merged(project.overrides, seed)))
        for output in run.outputs:
            drv_path = found.stages[output.stage].drv_path
            if drv_path != output.drv_path:
                raise BaselineError(
                    f"{BASELINE_FILE} is stale: what stage {output.stage} is built from has changed since",
                    expected=drv_path,
                    expected_from=f"{SPEC_FILE}, code, data and lock, with seed {run.seed}",
                    actual=output.drv_path,
                    actual_from=BASELINE_FILE,
                    hint="run `reprobuild baseline`",
                )
    return baseline


def baseline_references(project: Project, build: BuildService) -> Callable[[str], Sequence[float]]:
    """Metric → what the project's baseline holds of it; read and checked when first asked for.

    The callable raises BaselineError as `require_fresh_baseline` does.
    """

    @cache
    def baseline() -> Baseline:
        return require_fresh_baseline(project, build)

    return lambda metric: baseline().references(metric)
