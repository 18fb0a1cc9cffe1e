"""What does a build cost when there is nothing to build?"""

from __future__ import annotations

from benchmarks.contest import interleaved, middle, ratios, timed
from benchmarks.place import Place
from benchmarks.result import Bar, Result

REPEAT = 15
LIMIT_S = 0.6


def measure(place: Place, repeat: int) -> Result:
    project = place.built
    model = place.instantiate(project).model.out_path
    samples = interleaved(
        "noop",
        [
            lambda: {"reprobuild": timed([place.reprobuild, "nix", "build"], cwd=project)[0]},
            lambda: {"nix-store": place.realise(model)[0]},
        ],
        repeat,
    )
    return Result(
        name="noop",
        question="What does a build cost when there is nothing to build?",
        contenders={
            "reprobuild": "`reprobuild nix build` of the built quickstart: reads spec and lock, hashes the files of "
            "the project, evaluates, asks the store, keeps roots, shows the result",
            "nix-store": "`nix-store --realise` of the same output path: asks the store",
        },
        samples=samples,
        ratios={"reprobuild / nix-store": ratios(samples, ["reprobuild"], ["nix-store"])},
        bars=[Bar("`reprobuild nix build`, nothing to do", LIMIT_S, middle(samples["reprobuild"]), "s")],
    )
