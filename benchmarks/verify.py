"""How long does a whole verification take, against the training that it repeats?"""

from __future__ import annotations

from benchmarks.contest import interleaved, middle, ratios, timed
from benchmarks.place import Place
from benchmarks.result import Bar, Result
from benchmarks.training import STAGE

REPEAT = 9
TRAININGS = 2.0
FIXED_S = 5.0


def measure(place: Place, repeat: int) -> Result:
    project = place.built
    train = place.instantiate(project).stages[STAGE].drv_path
    samples = interleaved(
        "verify",
        [
            lambda: {"reprobuild": timed([place.reprobuild, "verify"], cwd=project)[0]},
            lambda: {"training": place.realise(train, "--check")[0]},
        ],
        repeat,
    )
    beyond = [
        round(whole - FIXED_S, 4) / training
        for whole, training in zip(samples["reprobuild"], samples["training"], strict=True)
    ]
    return Result(
        name="verify",
        question="How long does a whole verification take, against the training that it repeats?",
        contenders={
            "reprobuild": "`reprobuild verify` of the built quickstart: every stage and the artifact built again in the "
            "sandbox, one after the other, compared and judged",
            "training": "`nix-store --realise --check` of the stage that trains, alone",
        },
        samples=samples,
        ratios={"reprobuild / training": ratios(samples, ["reprobuild"], ["training"])},
        bars=[Bar(f"(verify less {FIXED_S:g} s) / training", TRAININGS, middle(beyond), "x")],
    )
