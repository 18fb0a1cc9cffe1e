"""What does the level portable cost while a model trains?"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from benchmarks.contest import Contender, interleaved, ratios, timed
from benchmarks.place import Place
from benchmarks.result import Result
from benchmarks.training import STAGE, script_seconds, timed_project
from reprobuild.domain.spec import SPEC_FILE

REPEAT = 15
PORTABLE, EXACT = "portable", "exact"


def measure(place: Place, repeat: int) -> Result:
    stages = {level: stage_of(place, timed_project(place, level), level) for level in (PORTABLE, EXACT)}

    def train(level: str) -> Contender:
        def once() -> Mapping[str, float]:
            return {level: script_seconds(place.realise(stages[level], "--check")[1])}

        return once

    samples = interleaved("levels", [train(PORTABLE), train(EXACT)], repeat)
    return Result(
        name="levels",
        question="What does the level portable cost while a model trains?",
        contenders={
            PORTABLE: "the quickstart's `train.py` from its first line to its last, in the sandbox, with "
            '`numerics.level = "portable"`: kernels held to AVX2, and the shim preloaded',
            EXACT: 'the same with `numerics.level = "exact"`, as it is by default: the kernels of this processor',
        },
        samples=samples,
        ratios={f"{PORTABLE} / {EXACT}": ratios(samples, [PORTABLE], [EXACT])},
        bars=[],
    )


def stage_of(place: Place, project: Path, level: str) -> str:
    """The training's derivation, built once. The level portable needs a lock with a compiler in it."""
    spec = project / SPEC_FILE
    text = spec.read_text(encoding="utf-8").replace('level = "exact"', f'level = "{level}"')
    spec.write_text(text, encoding="utf-8")
    timed([place.reprobuild, "lock"], cwd=project)
    timed([place.reprobuild, "fetch"], cwd=project)
    drv_path = place.instantiate(project).stages[STAGE].drv_path
    place.realise(drv_path)
    return drv_path
