"""What do people read about a verdict?"""

from __future__ import annotations

from collections.abc import Iterator

from reprobuild.cli.render import table
from reprobuild.domain.comparison import StageComparison
from reprobuild.domain.verdict import StageVerdict, Verdict

MOST = 3  # differing tensors, documents and causes that are shown for one stage


def verdict_text(verdict: Verdict) -> str:
    """Stages, the trail to the cause where something differs, metrics, levels, and the answer in the last line."""
    parts = [list(table([[s.label, s.verdict, _rounds(s, verdict)] for s in verdict.stages]))]
    parts += [list(_trail(stage)) for stage in verdict.stages]
    parts += [
        [f"{one.label}, run on the other inputs:", *differences(one)]
        for one in verdict.carried
        if not one.equal
    ]
    if not all(stage.verdict == "same bytes" for stage in verdict.stages):
        parts.append([f"metric {one.metric}: {one.explanation}" for one in verdict.metrics])
        if verdict.carry_problem:
            parts.append([f"a stage after a differing one failed: {verdict.carry_problem}"])
        parts.append([f"metric {name}: not measured on both sides" for name in verdict.unmeasured])
        parts.append([f"answer {one.label}: {one.explanation}" for one in verdict.golden])
        words = {True: "yes", False: "no", None: "not known"}
        parts.append(list(table([[one.level, words[one.holds], one.reason] for one in verdict.levels])))
    answer = verdict.demanded if verdict.ok else f"not the {verdict.demanded}"
    parts.append([f"verdict: {answer}"])
    return "\n".join("\n".join(part) for part in parts if part)


def failed_tests(verdict: Verdict) -> list[str]:
    """Why the demanded level does not hold: one line for each stage or metric, else one for the level."""
    test = f"test of {verdict.demanded}"
    lines = []
    if verdict.demanded == "same bytes":
        lines = [
            f"{stage.label if stage.label == 'model' else f'stage {stage.label}'}: {test}: {stage.verdict}, "
            f"{_rounds(stage, verdict)}"
            for stage in verdict.stages
            if stage.verdict != "same bytes"
        ]
    elif verdict.demanded == "same behaviour":
        lines = [f"metric {one.metric}: {test}: {one.explanation}" for one in verdict.metrics if not one.ok]
    return lines or [f"{test}: {one.reason}" for one in verdict.levels if one.level == verdict.demanded]


def _rounds(stage: StageVerdict, verdict: Verdict) -> str:
    if verdict.against is not None:
        return f"against {verdict.against}" if stage.verdict != "unknown" else stage.reason or ""
    what = {
        "store": "",
        "record": ", the first one against the build record",
        "now": ", built for the first time",
    }[stage.first_build]
    where = f" on {stage.builder}" if stage.builder else ""
    return f"{stage.equal} of {stage.rounds} rebuilds{where} equal{what}"


def _trail(stage: StageVerdict) -> Iterator[str]:
    if stage.verdict == "same bytes":
        return
    if stage.comparison is not None:
        yield f"{stage.label}:"
        yield from differences(stage.comparison)
    elif stage.reason:
        yield from f"{stage.label}: {stage.reason}".splitlines()
    if stage.differing_path:
        yield f"  compare {stage.out_path}"
        yield f"  with    {stage.differing_path}"


def differences(found: StageComparison) -> Iterator[str]:
    for file in found.files[:MOST]:
        at = f", first at byte {file.first_differing_byte}" if file.first_differing_byte is not None else ""
        yield f"  file    {file.path}: {file.state}{at}"
    for tensor in found.tensors[:MOST]:
        yield f"  tensor  {tensor.file}: {tensor.name}: {tensor.state}"
        if tensor.first_index is not None:
            index = ", ".join(map(str, tensor.first_index))
            yield f"          first at [{index}]: {tensor.first_value}, then {tensor.second_value}"
            yield (
                f"          {tensor.differing_elements} of {tensor.elements} elements; at most "
                f"{_number(tensor.max_absolute)} absolute, {_number(tensor.max_relative)} relative, "
                f"{_number(tensor.max_ulp)} ulp"
            )
    if (parted := found.trajectory) is not None:
        when = f"epoch {parted.epoch}" if parted.epoch is not None else "before the first epoch"
        what = f"{parted.parted} {parted.name}" if parted.name else parted.parted
        yield f"  parted  {when}: {what}: {parted.first}, then {parted.second}"
    for document in found.documents[:MOST]:
        where = document.key_path or "the whole document"
        yield f"  json    {document.file}: {where}: {document.state}: {document.first}, then {document.second}"
    left_out = sum(max(0, len(part) - MOST) for part in (found.files, found.tensors, found.documents))
    if left_out:
        yield f"  and {left_out} more; `--json` has all"
    for cause in found.causes[:MOST]:
        yield f"  cause   {cause.cause} ({cause.certainty}), {cause.file}: {cause.place}"
        yield f"          {cause.evidence}"


def _number(value: float | None) -> str:
    return "-" if value is None else f"{value:.6g}"
