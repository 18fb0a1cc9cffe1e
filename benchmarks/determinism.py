"""What do deterministic kernels cost while a model trains?"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from benchmarks.contest import Contender, interleaved, ratios
from benchmarks.place import Place
from benchmarks.result import Result
from benchmarks.training import STAGE, script_seconds, timed_project
from reprobuild.domain.spec import SPEC_FILE

REPEAT = 15
CHOSEN, FREE = "deterministic", "not deterministic"


def measure(place: Place, repeat: int) -> Result:
    stages = {name: stage_of(place, timed_project(place, name), name) for name in (CHOSEN, FREE)}

    def train(name: str) -> Contender:
        def once() -> Mapping[str, float]:
            return {name: script_seconds(place.realise(stages[name], "--check")[1])}

        return once

    samples = interleaved("determinism", [train(CHOSEN), train(FREE)], repeat)
    return Result(
        name="determinism",
        question="What do deterministic kernels cost while a model trains?",
        contenders={
            CHOSEN: "the quickstart's `train.py` from its first line to its last, in the sandbox, with "
            "`numerics.deterministic = true`, as it is by default",
            FREE: "the same with `numerics.deterministic = false`",
        },
        samples=samples,
        ratios={f"{CHOSEN} / {FREE}": ratios(samples, [CHOSEN], [FREE])},
        bars=[],
    )


def stage_of(place: Place, project: Path, name: str) -> str:
    """The training's derivation, built once."""
    spec = project / SPEC_FILE
    numerics = "[numerics]\n" + ("deterministic = false\n" if name == FREE else "")
    spec.write_text(spec.read_text(encoding="utf-8").replace("[numerics]\n", numerics), encoding="utf-8")
    drv_path = place.instantiate(project).stages[STAGE].drv_path
    place.realise(drv_path)
    return drv_path
