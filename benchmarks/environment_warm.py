"""How long does it take to make an environment out of wheels that another build has used?"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from benchmarks.contest import Contender, interleaved, quiet_disk, ratios
from benchmarks.place import Place
from benchmarks.result import Result, ratio_bar
from benchmarks.uv_environment import UvEnvironment

REPEAT = 11
LIMIT = 1.0


def measure(place: Place, repeat: int) -> Result:
    found = place.instantiate(place.project)
    drv_path = found.environment.drv_path
    place.realise(drv_path)
    peer = UvEnvironment(place, Path(found.base.out_path) / "bin" / "python3")
    peer.make(cold=True)
    peer.install(compiled=False)

    def ours() -> Mapping[str, float]:
        place.forget([found.environment.out_path])
        quiet_disk()
        return {"reprobuild": place.realise(drv_path)[0], "reprobuild, again": place.realise(drv_path)[0]}

    def uv(name: str, *, compiled: bool) -> Contender:
        def install_twice() -> Mapping[str, float]:
            peer.make(cold=False)
            quiet_disk()
            first = peer.install(compiled=compiled)
            if compiled:
                return {name: first}
            return {name: first, f"{name}, again": peer.install(compiled=compiled)}

        return install_twice

    contenders = [ours, uv("uv", compiled=False), uv("uv, byte-code", compiled=True)]
    samples = interleaved("environment_warm", contenders, repeat)
    return Result(
        name="environment_warm",
        question="How long does it take to make an environment out of wheels that another build has used?",
        contenders={
            "reprobuild": "`nix-store --realise` of the environment's derivation; all wheels are in the store, "
            "byte-compiled, as for a second model with another set of them",
            "uv": "`uv pip install` of the same files into a fresh venv from a warm cache (hard links), without "
            "byte-code; making the venv is not in it",
            "uv, byte-code": "the same with `--compile-bytecode`, as our environments are; uv keeps no byte-code",
            "reprobuild, again": "`nix-store --realise` once more: nothing to do",
            "uv, again": "`uv pip install` once more: nothing to do",
        },
        samples=samples,
        ratios={
            "reprobuild / uv": ratios(samples, ["reprobuild"], ["uv"]),
            "reprobuild / (uv, byte-code)": ratios(samples, ["reprobuild"], ["uv, byte-code"]),
            "again: reprobuild / uv": ratios(samples, ["reprobuild, again"], ["uv, again"]),
        },
        bars=[
            ratio_bar("warm environment / uv without byte-code", samples, ["reprobuild"], ["uv"], LIMIT),
        ],
    )
