"""What differs between two models, and why? Neither has to be built, or in a store."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Mapping
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from reprobuild.core.difference.cause import explain
from reprobuild.core.difference.code import code_changes
from reprobuild.core.difference.meaning import flat_changes, metric_changes, spec_changes
from reprobuild.core.difference.packages import closure_changes, locked_packages, stored_packages
from reprobuild.core.difference.software import machine, software
from reprobuild.domain.difference import (
    Closure,
    ComparedSide,
    DerivationDifference,
    Difference,
    Meaning,
    ValueChange,
    WeightsChange,
)
from reprobuild.domain.drv import DrvFile
from reprobuild.domain.spec import Spec
from reprobuild.errors import UsageError
from reprobuild.services.artifact import MANIFEST_FILE
from reprobuild.services.compare_data import compare_data
from reprobuild.services.side import Side
from reprobuild.services.snapshot import Snapshot, Snapshots, system_of


@dataclass(frozen=True)
class DiffService:
    snapshots: Snapshots
    read_drv: Callable[[str], DrvFile]

    def run(self, first: str, second: str, project: Path) -> Difference:
        """
        Args:
            first: a project, a git revision, a lock, a result, a build record or a store path; so is `second`.
            project: the folder whose revisions are meant, and whose baseline tells noise.
        Raises:
            UsageError: one is none of these, or both have nothing in common that can be compared.
        """
        with ExitStack() as cleanup:
            one, other = (self.snapshots.named(text, project, cleanup) for text in (first, second))
            if self.snapshots.signers is not None and "statement" not in (one.kind, other.kind):
                raise UsageError(
                    "--trust has no effect: neither side is a signed statement",
                    actual=f"a {one.kind} and a {other.kind}",
                    hint="leave --trust out, or name a file *.intoto.jsonl",
                )
            found = compare(one, other, self.read_drv)
        if not found.meaning.metrics:
            return found
        # slow to load, and often not needed
        from reprobuild.core.difference.interval import with_intervals
        from reprobuild.services.diff_baseline import baseline_of_one

        baseline = baseline_of_one(project, (one.side.spec, other.side.spec))
        return with_intervals(found, baseline) if baseline else found


def compare(first: Snapshot, second: Snapshot, read_drv: Callable[[str], DrvFile]) -> Difference:
    """All three layers, as far as both sides are known.

    Raises:
        UsageError: nothing of them can be compared.
    """
    gaps = [*first.gaps, *(gap for gap in second.gaps if gap not in first.gaps)]
    meaning = _meaning(first, second, gaps)
    closure = _closure(first, second)
    cause = _cause(first, second, read_drv, gaps)
    both_files = first.file_hashes() and second.file_hashes()
    if closure is None and cause is None and not both_files and not (first.side.spec and second.side.spec):
        raise UsageError(
            f"{first.side.named} and {second.side.named} have nothing in common that can be compared",
            expected=f"another {first.kind}, or a project, a result or a record",
            actual=f"a {first.kind} and a {second.kind}",
        )
    for side, other in ((first, second), (second, first)):
        if side.side.spec is None and other.side.spec is not None:
            gaps.append(f"{side.side.named}: a {side.kind} says nothing of spec, code and metrics")
    if closure is None:
        gaps.append("packages: neither two locks nor two store closures are at hand")
    # the machines explain a difference; they are none of the model
    layers = meaning.model_copy(update={"machine": ()})
    return Difference(
        first=_described(first),
        second=_described(second),
        same=layers == Meaning() and not (closure and closure.packages) and not cause,
        meaning=meaning,
        closure=closure,
        cause=cause,
        not_compared=tuple(gaps),
    )


def _described(one: Snapshot) -> ComparedSide:
    spec, model = one.side.spec, one.side.outputs.get("model")
    return ComparedSide(
        named=one.side.named,
        kind=one.kind,
        model=f"{spec.model.name} {spec.model.version}" if spec else None,
        artifact_id=one.side.artifact_id,
        drv_path=model.drv_path if model else None,
        signed_by=one.signed_by,
    )


def _meaning(first: Snapshot, second: Snapshot, gaps: list[str]) -> Meaning:
    one, other = first.side, second.side
    deciding: tuple[ValueChange, ...] = ()
    rest: tuple[ValueChange, ...] = ()
    if one.spec is not None and other.spec is not None:
        deciding, rest = spec_changes(_spec_values(one.spec), _spec_values(other.spec))
    if one.spec and other.spec and not _one_derivation(one, other):
        missing = [
            side.named for side in (one, other) if not side.metrics and side.spec and side.spec.metrics
        ]
        gaps += [
            f"{name}: its metrics are not at hand: it is not built here" for name in dict.fromkeys(missing)
        ]
    both_code = first.code is not None and second.code is not None
    known = [software(s.side.spec, s.lock, system_of(s)) for s in (first, second)]
    shared = first.lock is not None and second.lock is not None
    return Meaning(
        metrics=metric_changes(*(_single(side.metrics) for side in (one, other)))
        if one.metrics and other.metrics
        else (),
        parameters=deciding,
        data=compare_data(first, second),
        code=code_changes(first.code or {}, second.code or {}) if both_code else (),
        software=flat_changes(*known) if shared else (),
        machine=_machines(one, other),
        spec=rest,
        weights=_weights(first, second),
        outputs=flat_changes(*_hashes(first, second)),
    )


def _one_derivation(first: Side, second: Side) -> bool:
    pair = [side.outputs["model"].drv_path if "model" in side.outputs else None for side in (first, second)]
    return pair[0] is not None and pair[0] == pair[1]


def _machines(first: Side, second: Side) -> tuple[ValueChange, ...]:
    """What was measured where stages were built, of stages of which both sides know it."""
    found: list[ValueChange] = []
    for label in (label for label in first.outputs if label in second.outputs):
        one, other = first.outputs[label].origin, second.outputs[label].origin
        if one is not None and other is not None:
            found += flat_changes(machine(label, one), machine(label, other))
    return tuple(found)


def _single(metrics: Mapping[str, list[float]]) -> dict[str, float]:
    return {name: values[0] for name, values in metrics.items() if values}


def _spec_values(spec: Spec) -> dict[str, Any]:
    """The spec with its defaults, without what reaches no derivation."""
    values = spec.model_dump(mode="json", by_alias=True, exclude_none=True)
    values.get("base", {}).pop("mirrors", None)
    return values


def _hashes(first: Snapshot, second: Snapshot) -> tuple[dict[str, str], dict[str, str]]:
    """Hashes of outputs and files that are known on both sides."""
    found: tuple[dict[str, str], dict[str, str]] = ({}, {})
    for label in first.side.outputs:
        pair = [side.side.outputs[label].nar_hash for side in (first, second) if label in side.side.outputs]
        if len(pair) == 2 and None not in pair:
            for hashes, nar_hash in zip(found, pair, strict=True):
                hashes[f"output of {label}"] = str(nar_hash)
    files = first.file_hashes(), second.file_hashes()
    if files[0] and files[1]:
        for hashes, known in zip(found, files, strict=True):
            hashes |= {f"file {path}": digest for path, digest in known.items()}
    return found


def _weights(one: Snapshot, other: Snapshot) -> tuple[WeightsChange, ...]:
    """Files of weights that differ, tensor by tensor."""
    first, second = one.artifact, other.artifact
    if first is None or second is None:
        return ()
    from reprobuild.core.comparison.text_causes import Context  # slow to load, and often not needed
    from reprobuild.core.comparison.times import Clock
    from reprobuild.services.compare_tensors import compare_safetensors

    files = one.file_hashes(), other.file_hashes()
    manifest = json.loads((first / MANIFEST_FILE).read_bytes())
    counts = {weights["path"]: len(weights["tensors"]) for weights in manifest.get("weights", ())}
    context, found = Context(Clock((), time.time())), []
    for name in sorted(files[0].keys() | files[1].keys()):
        if not name.endswith(".safetensors") or files[0].get(name) == files[1].get(name):
            continue
        if name not in files[0] or name not in files[1]:
            found.append(WeightsChange(file=name, state="added" if name not in files[0] else "removed"))
            continue
        try:
            tensors = tuple(compare_safetensors(name, first / name, second / name, 0, context).tensors)
        except ValueError:  # only its name says so; that it differs stands among the outputs
            tensors = ()
        in_both = sum(tensor.state != "extra" for tensor in tensors)
        equal = max(0, counts.get(name, in_both) - in_both)
        found.append(WeightsChange(file=name, state="changed", equal_tensors=equal, tensors=tensors))
    return tuple(found)


def _closure(first: Snapshot, second: Snapshot) -> Closure | None:
    if first.closure is not None and second.closure is not None:
        return closure_changes(stored_packages(first.closure), stored_packages(second.closure))
    if first.lock is None or second.lock is None:
        return None
    return closure_changes(
        locked_packages(first.lock.for_system(system_of(first))),
        locked_packages(second.lock.for_system(system_of(second))),
    )


def _cause(
    first: Snapshot, second: Snapshot, read_drv: Callable[[str], DrvFile], gaps: list[str]
) -> tuple[DerivationDifference, ...] | None:
    pairs = {
        label: (output.drv_path, other.drv_path)
        for label, output in first.side.outputs.items()
        if (other := second.side.outputs.get(label)) and output.drv_path and other.drv_path
    }
    roots = {label: (str(one), str(other)) for label, (one, other) in pairs.items()}
    if not roots:
        return None
    if "model" in roots:
        roots = {"model": roots["model"]}
    try:
        return explain(roots, read_drv)
    except (OSError, ValueError) as error:
        if all(one == other for one, other in roots.values()):
            return ()
        gaps.append(f"derivations: a file of theirs is not at hand: {error}")
        return None
