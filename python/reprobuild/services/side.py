"""One side of a comparison: a project as built, a result, a build record, a baseline, or a git revision."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from pydantic import ValidationError

from reprobuild.domain.baseline import BASELINE_SCHEMA, Baseline
from reprobuild.domain.comparison import Origin
from reprobuild.domain.digest import Digest
from reprobuild.domain.record import RECORD_SCHEMA, BuildRecord, OutputRecord
from reprobuild.domain.spec import Spec
from reprobuild.domain.store import Instantiation
from reprobuild.errors import NotAResultError, UsageError
from reprobuild.ports import ForeignComparer, RecordStore, Store
from reprobuild.services.artifact import MANIFEST_FILE, read_artifact, read_manifest
from reprobuild.services.baseline_file import baseline_references
from reprobuild.services.build import BuildRequest, BuildService, NewView
from reprobuild.services.metric_values import metric_values, one_run
from reprobuild.services.project import Project, open_project

STORE = "/nix/store/"


@dataclass(frozen=True)
class Output:
    """One stage's output, or the model, as far as it is known."""

    drv_path: str | None = None
    nar_hash: Digest | None = None
    path: Path | None = None
    origin: Origin | None = None


@dataclass(frozen=True)
class Side:
    """
    Args:
        named: what it is, for people.
        metrics: name → what was measured, once per run.
    """

    named: str
    outputs: dict[str, Output]
    metrics: dict[str, list[float]] = field(default_factory=dict)
    spec: Spec | None = None
    artifact_id: str | None = None
    model: str | None = None  # of a baseline, which has no spec
    seeds: tuple[int, ...] = ()  # of a baseline's runs


@dataclass(frozen=True)
class Sides:
    """Opens what people name."""

    build: BuildService
    store: Store
    records: RecordStore
    export: Callable[[Path, str, Path], str]  # project, revision, target → commit
    new_view: NewView
    foreign: ForeignComparer | None = None

    def references(self, project: Project | None) -> Callable[[str], Sequence[float]]:
        """Metric → what the project's baseline holds of it; nothing where there is no project."""
        return baseline_references(project, self.build) if project else lambda metric: ()

    def of_project(self, project: Project, named: str = "") -> Side:
        """The project, built where it is not."""
        outcome = self.build.run(project, BuildRequest(), self.new_view)
        found = self.of_instantiation(project, outcome.instantiation, named)
        built = {label: output for label, output in found.outputs.items() if output.path is not None}
        return replace(found, outputs=built)

    def of_instantiation(self, project: Project, instantiation: Instantiation, named: str = "") -> Side:
        """The project's derivations, with those outputs that are in the store; builds nothing."""
        drvs = {**instantiation.stages, "model": instantiation.model}
        infos = self.store.infos(sorted(self.store.present([drv.out_path for drv in drvs.values()])))
        outputs = {
            label: Output(drv.drv_path, infos[drv.out_path].nar_hash, Path(drv.out_path))
            if drv.out_path in infos
            else Output(drv.drv_path)
            for label, drv in drvs.items()
        }
        stages = {label: drv.out_path for label, drv in instantiation.stages.items()}
        metrics = one_run(metric_values(project.spec, stages))
        model = outputs["model"].path
        identity = read_manifest(model).artifact_id if model else None
        return Side(named or str(project.path), outputs, metrics, project.spec, identity)

    def of_result(self, path: Path) -> Side:
        """An artifact's folder; what a record knows of it comes along.

        Raises:
            NotAResultError.
        """
        path = path.resolve()
        artifact = read_artifact(path)
        records = self.records.of_version(artifact.name, artifact.version)
        recorded = (out.drv_path for one in records for out in one.outputs if out.out_path == str(path))
        model = Output(next(recorded, None), path=path)
        spec = _spec_as_built(artifact.spec, path)
        metrics = {
            name: [float(value)] for name, value in artifact.metrics.items() if isinstance(value, int | float)
        }
        return Side(str(path), {"model": model}, metrics, spec, artifact.artifact_id)

    def of_record(self, file: Path) -> Side:
        """A build record: hashes always, files where they are still in the store.

        Raises:
            NotAResultError: the file is damaged.
        """
        record = read_record(file)
        valid = self.store.present([output.out_path for output in record.outputs])

        def files(one: OutputRecord) -> Path | None:
            """The output that was recorded; another build of the same derivation has its path, too."""
            if one.out_path not in valid or self.store.info(one.out_path).nar_hash != one.nar_hash:
                return None
            return Path(one.out_path)

        outputs = {
            one.label: Output(one.drv_path, one.nar_hash, files(one), one.origin())
            for one in record.outputs
            if one.nar_hash is not None
        }
        spec = _spec_as_built(record.spec, file)
        paths = {label: one.path for label, one in outputs.items() if one.path is not None}
        metrics = one_run(metric_values(spec, paths))
        return Side(f"record {file.name}", outputs, metrics, spec, record.artifact_id)

    def of_baseline(self, file: Path) -> Side:
        """What runs with other seeds measured: metrics alone.

        Raises:
            NotAResultError: the file is damaged.
        """
        try:
            baseline = Baseline.model_validate_json(file.read_text(encoding="utf-8"))
        except (OSError, ValidationError) as error:
            raise NotAResultError(
                f"{file} is not a baseline", actual=str(error), hint="make one with `reprobuild baseline`"
            ) from error
        metrics = {name: list(baseline.references(name)) for name in baseline.metrics}
        return Side(
            f"baseline {file.name}, {len(baseline.runs)} runs",
            {},
            metrics,
            model=baseline.model,
            seeds=tuple(run.seed for run in baseline.runs),
        )

    def of_revision(self, project: Project, revision: str) -> Side:
        """The project at a git revision, built where it is not."""
        with TemporaryDirectory(prefix="reprobuild-revision-") as folder:
            commit = self.export(project.path, revision, Path(folder))
            return self.of_project(open_project(Path(folder)), f"{revision} ({commit[:12]})")

    def named(self, project: Project | None, text: str) -> Side:
        """What `--against` names.

        Raises:
            UsageError: nothing of the kind.
        """
        path = Path(text)
        if (path / MANIFEST_FILE).is_file():
            return self.of_result(path)
        if path.is_file() and schema_of(path) == RECORD_SCHEMA:
            return self.of_record(path)
        if path.is_file() and schema_of(path) == BASELINE_SCHEMA:
            return self.of_baseline(path)
        if path.exists() or project is None:
            raise UsageError(
                f"--against {text}: cannot compare with this",
                expected="a result, a build record, a baseline, or a git revision of the project",
                actual="nothing of that name" if not path.exists() else "something else",
                hint="for a revision name the project with --project" if project is None else None,
            )
        return self.of_revision(project, text)


def read_record(file: Path) -> BuildRecord:
    """
    Raises:
        NotAResultError: the file is damaged.
    """
    try:
        return BuildRecord.model_validate_json(file.read_text(encoding="utf-8"))
    except (OSError, ValidationError) as error:
        raise NotAResultError(
            f"{file} is not a build record",
            actual=str(error),
            hint="`reprobuild nix build --json` prints where its record lies",
        ) from error


def _spec_as_built(document: Mapping[str, Any], origin: Path) -> Spec:
    """
    Raises:
        NotAResultError: another release wrote it, with keys or values that this one refuses.
    """
    try:
        return Spec.model_validate_json(json.dumps(document))
    except ValidationError as error:
        raise NotAResultError(
            f"{origin}: its spec is not one of this release",
            actual=str(error),
            hint="compare with the release that wrote it",
        ) from error


def schema_of(file: Path) -> str | None:
    """The `schema` of a JSON document; None where it has none."""
    try:
        document = json.loads(file.read_bytes())
    except (OSError, ValueError):
        return None
    found = document.get("schema") if isinstance(document, dict) else None
    return found if isinstance(found, str) else None
