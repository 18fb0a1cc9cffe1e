"""How long does it take to make an environment out of wheels that no build has used before?"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from benchmarks.contest import Contender, interleaved, quiet_disk, ratios
from benchmarks.hashing import hash_pass
from benchmarks.place import Place
from benchmarks.result import Result, ratio_bar
from benchmarks.uv_environment import UvEnvironment

REPEAT = 5
LIMIT = 1.15
COMPILED = ("uv, byte-code", "SHA-256, byte-code")
PLAIN = ("uv", "SHA-256")


def measure(place: Place, repeat: int) -> Result:
    found = place.instantiate(place.project)
    outputs = [drv.out_path for drv in (*found.wheels, found.environment)]
    place.realise(found.base.drv_path)
    peer = UvEnvironment(place, Path(found.base.out_path) / "bin" / "python3")
    hashed: dict[str, int] = {}

    def ours() -> Mapping[str, float]:
        place.forget(outputs)
        quiet_disk()
        return {"reprobuild": place.realise(found.environment.drv_path)[0]}

    def uv(names: tuple[str, str], *, compiled: bool) -> Contender:
        def install_and_hash() -> Mapping[str, float]:
            peer.make(cold=True)
            quiet_disk()
            seconds = peer.install(compiled=compiled)
            pass_seconds, hashed[names[1]] = hash_pass(peer.folder)
            return {names[0]: seconds, names[1]: pass_seconds}

        return install_and_hash

    # No warm-up round: every repetition starts from nothing, and the wheels have been read.
    contenders = [ours, uv(COMPILED, compiled=True), uv(PLAIN, compiled=False)]
    samples = interleaved("environment_cold", contenders, repeat, warm_up=False)
    return Result(
        name="environment_cold",
        question="How long does it take to make an environment out of wheels that no build has used before?",
        contenders={
            "reprobuild": "`nix-store --realise` of the environment's derivation with the settings of `reprobuild nix "
            "build`; sources and base are in the store, wheels and environment are not: sandbox, unpack, byte-compile "
            "(all but suites of tests), search for references, hash, register, link",
            "uv, byte-code": "`uv pip install --compile-bytecode` of the same files into a fresh venv with an empty "
            "cache, without resolving; making the venv is not in it",
            "SHA-256, byte-code": "one pass over all bytes of that venv with all cores, files in the page cache",
            "uv": "the same install without `--compile-bytecode`, uv's default: each module is compiled at its first import",
            "SHA-256": "one pass over that smaller venv",
        },
        samples=samples,
        ratios={
            "reprobuild / (uv, byte-code + SHA-256)": ratios(samples, ["reprobuild"], COMPILED),
            "reprobuild / (uv + SHA-256)": ratios(samples, ["reprobuild"], PLAIN),
        },
        bars=[
            ratio_bar(
                "cold environment / (uv with byte-code + SHA-256 pass)",
                samples,
                ["reprobuild"],
                COMPILED,
                LIMIT,
            ),
            ratio_bar(
                "cold environment / (uv without byte-code + SHA-256 pass)",
                samples,
                ["reprobuild"],
                PLAIN,
                LIMIT,
            ),
        ],
        remarks={
            "wheels": len(place.lock().of_kind("wheel")),
            "bytes": hashed[PLAIN[1]],
            "bytes_with_byte_code": hashed[COMPILED[1]],
        },
    )
