"""What one section of a spec says about another, and what this release cannot honour yet."""

from __future__ import annotations

import collections
import json
from collections.abc import Iterable

from reprobuild.core.cuda_checks import check_cuda
from reprobuild.core.gpu_features import is_hardware
from reprobuild.core.spec_keys import nearest
from reprobuild.domain.spec import Spec, Stage
from reprobuild.errors import NotYetSupportedError, SpecError

# What a flake has beside its stages (nix/lib/flake-project.nix).
RESERVED_STAGE_NAMES = frozenset({"base", "default", "environment", "model"})
# What the worker itself puts into an artifact (docs/formats/manifest.md).
RESERVED_FILES = frozenset(
    {"README.md", "hardware.json", "manifest.json", "metrics.json", "reprobuild.lock", "source", "spec.json"}
)


def check_references(spec: Spec, origin: str) -> None:
    """Every name that a section uses is declared, and stages do not need each other in a circle.

    Raises:
        SpecError: names the key, what it says, and what there is.
    """
    for name, stage in spec.stages.items():
        if name in RESERVED_STAGE_NAMES:
            raise SpecError(
                f"{origin}: stages.{name}: this name is taken",
                expected=f"a name other than {', '.join(sorted(RESERVED_STAGE_NAMES))}",
                actual=name,
            )
        for key in ("files", "needs", "data", "outputs", "features"):
            _once(f"{origin}: stages.{name}.{key}", getattr(stage, key))
        _declared(f"{origin}: stages.{name}.needs", "stage", stage.needs, spec.stages)
        _declared(f"{origin}: stages.{name}.data", "dataset", stage.data, spec.datasets)
        cores = stage.resources.cores if stage.resources else None
        if cores is not None and cores < spec.numerics.threads:
            raise SpecError(
                f"{origin}: stages.{name}.resources.cores: fewer cores than threads",
                expected=f"at least {spec.numerics.threads}",
                expected_from="numerics.threads",
                actual=str(cores),
                hint="state more cores, or set threads in [numerics]: every stage is then built again",
            )
    try:
        spec.stage_order()
    except ValueError as error:
        raise SpecError(
            f"{origin}: {error}",
            expected="stages that can be built one after the other",
            hint="take one of the needs out",
        ) from error
    if spec.numerics.level == "portable" and spec.hardware.system != "x86_64-linux":
        raise SpecError(
            f"{origin}: numerics.level: portable means x86-64 processors with AVX2",
            expected='system = "x86_64-linux" in [hardware]',
            actual=spec.hardware.system,
            hint='use level = "exact"',
        )
    _check_gpu(spec, origin)
    check_cuda(spec, origin)
    for name, metric in spec.metrics.items():
        _declared(f"{origin}: metrics.{name}.stage", "stage", [metric.stage], spec.stages)
        if "metrics.json" not in spec.stages[metric.stage].outputs:
            raise SpecError(
                f"{origin}: metrics.{name}.stage: stage {metric.stage} writes no metrics.json",
                expected="a stage with metrics.json among its outputs",
                actual=", ".join(spec.stages[metric.stage].outputs),
                hint=f'add "metrics.json" to [stages.{metric.stage}] outputs',
            )
        if metric.minimum is not None and metric.maximum is not None and metric.minimum > metric.maximum:
            raise SpecError(
                f"{origin}: metrics.{name}: no value can meet this goal",
                expected=f"minimum at most maximum ({metric.maximum})",
                actual=f"minimum {metric.minimum}",
            )
    _once(f"{origin}: python.requirements", spec.python.requirements)
    _once(f"{origin}: artifact.files", spec.artifact.files)
    for position, entry in enumerate(spec.artifact.files):
        _artifact_file(f"{origin}: artifact.files[{position}]", entry, spec.stages)
    _once(
        f"{origin}: artifact.files",
        [entry.partition("/")[2] for entry in spec.artifact.files],
        "two stages give a file of this name",
    )


def refuse_unsupported(spec: Spec, origin: str) -> None:
    """Sections of the format that this release cannot honour are refused, never ignored.

    A nixpkgs base works in flakes, which bring the package set, so nix/lib/spec-check.nix lets that one pass.

    Raises:
        NotYetSupportedError: names the section and what works instead.
    """
    if spec.base.kind != "debian":
        raise NotYetSupportedError(
            f"{origin}: base.kind: the `reprobuild` command pins Debian bases only, found {spec.base.kind}",
            hint="the nixpkgs base is for flakes that bring their own pin: docs/how-to/nixpkgs-base.md",
        )
    if spec.hardware.system != "x86_64-linux":
        raise NotYetSupportedError(
            f"{origin}: hardware.system: part of the format, but this release cannot honour it yet",
            hint='use system = "x86_64-linux"',
        )


def _check_gpu(spec: Spec, origin: str) -> None:
    """Sections about GPUs, and stages that run on one, go together."""
    on_gpu = [name for name, stage in spec.stages.items() if stage.gpu]
    for name, stage in spec.stages.items():
        # a builder would show it the GPU, and nobody would measure which one
        if not stage.gpu and (words := [feature for feature in stage.features if is_hardware(feature)]):
            raise SpecError(
                f"{origin}: stages.{name}.features: {words[0]} speaks of a GPU",
                expected="gpu = true",
                expected_from=f"stages.{name}.features = {json.dumps(words)}",
                actual="gpu = false",
                actual_from=f"[stages.{name}]",
                hint=f"write gpu = true into [stages.{name}], and what it needs into [hardware] and [driver]",
            )
    if spec.hardware.accelerator == "none":
        asked = [f"stages.{name}.gpu = true" for name in on_gpu]
        asked += [f"hardware.{key}" for key in ("gpu", "compute_capability") if getattr(spec.hardware, key)]
        asked += [f"[{key}]" for key in ("cuda", "driver") if getattr(spec, key) is not None]
        if asked:
            raise SpecError(
                f"{origin}: {asked[0]} without an accelerator",
                expected='accelerator = "nvidia"',
                expected_from=asked[0],
                actual='accelerator = "none"',
                actual_from="[hardware]",
                hint=f'write accelerator = "nvidia" into [hardware], or leave {asked[0]} out',
            )
    elif not on_gpu:
        raise SpecError(
            f"{origin}: hardware.accelerator: no stage runs on it",
            expected="gpu = true in at least one stage",
            expected_from=f'hardware.accelerator = "{spec.hardware.accelerator}"',
            actual=f"stages {', '.join(spec.stages)} without it",
            hint="write gpu = true into the stages that need the GPU, such as train",
        )


def _declared(where: str, kind: str, names: Iterable[str], known: Iterable[str]) -> None:
    known = sorted(known)
    for name in names:
        if name not in known:
            near = nearest(name, known)
            raise SpecError(
                f"{where}: there is no {kind} {name}",
                expected=f"one of {', '.join(known)}" if known else f"a {kind} of this file (it has none)",
                actual=name,
                hint=f"did you mean `{near}`?" if near else f"declare it as [{kind}s.{name}]",
            )


def _once(where: str, names: Iterable[str], message: str = "named twice") -> None:
    name, count = next(iter(collections.Counter(names).most_common(1)), ("", 0))
    if count > 1:
        raise SpecError(f"{where}: {message}", expected="each name once", actual=f"{name}, {count} times")


def _artifact_file(where: str, entry: str, stages: dict[str, Stage]) -> None:
    stage, _, file = entry.partition("/")
    if not file:
        raise SpecError(
            f"{where}: not STAGE/FILE", expected="such as train/weights.safetensors", actual=entry
        )
    _declared(where, "stage", [stage], stages)
    top = file.partition("/")[0]
    if top in RESERVED_FILES:
        raise SpecError(
            f"{where}: every artifact has a {top} already",
            expected=f"a name other than {', '.join(sorted(RESERVED_FILES))}",
            actual=file,
            hint="leave the entry out, or give the stage's output another name",
        )
    outputs = stages[stage].outputs
    if top not in {output.partition("/")[0] for output in outputs}:
        near = nearest(file, outputs)
        raise SpecError(
            f"{where}: stage {stage} does not write {file}",
            expected=f"one of {', '.join(outputs)}",
            expected_from=f"outputs of [stages.{stage}]",
            actual=file,
            hint=f"did you mean `{stage}/{near}`?" if near else f"add it to outputs of [stages.{stage}]",
        )
