"""The builder of the model derivation: puts the artifact together and checks its goals."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Callable, Mapping
from pathlib import Path, PurePosixPath
from typing import Any

from reprobuild_worker import card, manifest, metrics, outputs
from reprobuild_worker.canonical import canonical_json, write_json
from reprobuild_worker.config import OUT_VARIABLE, ModelConfig, model_config
from reprobuild_worker.errors import OutputError, PickleError
from reprobuild_worker.nixlog import NixReporter
from reprobuild_worker.pickles import why_pickle
from reprobuild_worker.run_stage import check_isolated

HARDWARE_SCHEMA = "reprobuild.hardware/1"


def main(check: Callable[[Mapping[str, str]], None] = check_isolated) -> int:
    """Make the artifact that `reprobuildModel` describes in the folder `out`.

    Raises:
        GoalMissedError: a metric misses a goal; nothing is left behind.
        WorkerError: configuration, sandbox or files are not as they must be.
    """
    check(os.environ)
    os.umask(0o022)
    config = model_config(os.environ)
    out = Path(os.environ[OUT_VARIABLE])
    reporter = NixReporter()
    reporter.phase("model")
    declared = config.spec.get("metrics") or {}
    measured = metrics.collect(declared, config.stages)
    for name, value in measured.items():
        reporter.line(f"metric {name} {value!r}")
    for miss in metrics.check_goals(declared, measured):
        reporter.line(f"warning: {miss}")

    out.mkdir()
    _copy_artifact_files(config, out)
    _copy_sources(config, out)
    shutil.copyfile(config.lock, out / "reprobuild.lock")
    write_json(out / "metrics.json", measured)
    write_json(out / "spec.json", config.spec)
    write_json(out / "hardware.json", _hardware(config))
    lock = json.loads(config.lock.read_text(encoding="utf-8"))
    (out / "README.md").write_bytes(card.model_card(config.spec, measured, _names(out), lock).encode())
    for path in outputs.walk(out):
        if reason := why_pickle(path):
            raise PickleError(f"model: {path.relative_to(out)} is refused, {reason}")
    outputs.normalise(out)

    model = config.spec["model"]
    document = canonical_json(manifest.manifest(out, name=model["name"], version=model["version"]))
    (out / manifest.FILE_NAME).write_bytes(document)
    identifier = manifest.artifact_id(document)
    reporter.line(f"artifact {identifier}")
    reporter.event("artifact", id=identifier, metrics=measured)
    return 0


def _copy_artifact_files(config: ModelConfig, out: Path) -> None:
    """Copy each STAGE/FILE of `[artifact] files` to FILE."""
    for name in config.spec.get("artifact", {}).get("files", []):
        stage, _, file = name.partition("/")
        if stage not in config.stages or not file or ".." in PurePosixPath(file).parts:
            raise OutputError(
                f"{name!r} is not STAGE/FILE of a stage of this model (reprobuild.toml, [artifact] files)"
            )
        source, target = config.stages[stage] / file, out / file
        if not source.exists():
            raise OutputError(f"stage {stage} has no {file} (reprobuild.toml, [artifact] files)")
        if target.exists():
            raise OutputError(f"two stages give a file {file} (reprobuild.toml, [artifact] files)")
        _copy(source, target)


def _copy_sources(config: ModelConfig, out: Path) -> None:
    """Join the files of all stages in `source/`; they are of one project, so equal names are equal files."""
    for stage in sorted(config.sources):
        root = config.sources[stage]
        for path in outputs.walk(root):
            target = out / "source" / path.relative_to(root)
            if not target.exists():
                _copy(path, target)
            elif target.read_bytes() != path.read_bytes():
                raise OutputError(
                    f"stage {stage} has another {path.relative_to(root)} than the stages before it"
                )


def _copy(source: Path, target: Path) -> None:
    """Copy contents only: store files are read-only, and times do not count."""
    target.parent.mkdir(parents=True, exist_ok=True)
    if source.is_dir():
        shutil.copytree(source, target, copy_function=shutil.copyfile, symlinks=True)
        outputs.normalise(target)  # copytree takes over the read-only modes of folders
    else:
        shutil.copyfile(source, target)


def _hardware(config: ModelConfig) -> dict[str, Any]:
    """What a machine must be like to give this result; what it was like is in the build record."""
    return {
        "schema": HARDWARE_SCHEMA,
        "system": config.system,
        "hardware": config.spec.get("hardware") or {},
        "numerics": config.spec.get("numerics") or {},
    }


def _names(out: Path) -> list[str]:
    return sorted(
        {path.relative_to(out).parts[0] for path in outputs.walk(out)} | {"README.md", manifest.FILE_NAME}
    )
