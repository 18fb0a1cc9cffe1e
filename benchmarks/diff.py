"""How long does it take to say what differs between two CUDA closures?"""

from __future__ import annotations

import json
import sys
from pathlib import Path

from benchmarks.contest import interleaved, middle, ratios, timed
from benchmarks.place import Place
from benchmarks.result import Bar, Result, ratio_bar
from reprobuild.adapters.nix.process import run as nix
from reprobuild.domain.digest import Digest
from reprobuild.domain.lock import DebianBasePin, Lock, Source

REPEAT = 15
LIMIT_S = 1.0
WHEELS, DEBS, CHANGED = 60, 120, 15
WHEEL_BYTES = 80_000_000
SYSTEM = "x86_64-linux"


def packages(release: int) -> tuple[list[str], list[str]]:
    """Names with versions of wheels and Debian packages; a few wheels are of the release."""
    wheels = [f"nvidia-part-{n}-{release if n < CHANGED else 1}.0.{n}" for n in range(WHEELS)]
    return wheels, [f"libpart{n}-2.{n}+deb12u1" for n in range(DEBS)]


def lock(file: Path, release: int) -> Path:
    """A lock of these packages, 5 GB by its words."""
    wheels, debs = packages(release)
    sources = [
        Source(
            kind="wheel" if number < WHEELS else "deb",
            name=name.rpartition("-")[0],
            version=name.rpartition("-")[2],
            file_name=f"{name}.file",
            sha256=Digest.of_bytes(name.encode()),
            size_bytes=WHEEL_BYTES,
        )
        for number, name in enumerate([*wheels, *debs])
    ]
    pin = DebianBasePin(
        suite="bookworm",
        snapshot="20261120T000000Z",
        release_sha256=Digest.of_bytes(b"release"),
        python_version="3.11",
        glibc_version="2.36",
    )
    file.write_text(Lock(inputs={}, systems={SYSTEM: pin}, sources=tuple(sources)).to_text())
    return file


def closure(release: int) -> str:
    """Store path of a closure with these packages, built here: without a sandbox, for /bin/sh."""
    wheels, debs = packages(release)
    library = Path(__file__).with_name("closures.nix")
    arguments = ["--no-out-link", "--option", "sandbox", "false", "--expr"]
    call = f'import {library} (builtins.fromJSON (builtins.getEnv "packages"))'
    named = {"packages": json.dumps({"wheels": wheels, "debs": debs})}
    return nix("nix-build", [*arguments, call], variables=named).stdout.strip()


def measure(place: Place, repeat: int) -> Result:
    folder = place.folder / "diff"
    folder.mkdir(exist_ok=True)
    locks = [lock(folder / f"{release}.lock", release) for release in (1, 2)]
    paths = [closure(release) for release in (1, 2)]
    python = sys.executable
    ours = [place.reprobuild, "nix", "diff"]
    theirs = ["nix", "--extra-experimental-features", "nix-command", "store", "diff-closures", *paths]
    samples = interleaved(
        "diff",
        [
            lambda: {"locks": timed([*ours, *locks], ok=1)[0]},
            lambda: {"store paths": timed([*ours, *paths], ok=1)[0]},
            lambda: {"nix": timed(theirs)[0]},
            lambda: {"python": timed([python, "-c", "pass"])[0]},
            lambda: {"typer": timed([python, "-c", "import typer"])[0]},
            lambda: {"pydantic": timed([python, "-c", "import pydantic.main, pydantic.fields"])[0]},
        ],
        repeat,
    )
    return Result(
        name="diff",
        question="How long does it take to say what differs between two CUDA closures?",
        contenders={
            "locks": f"`reprobuild nix diff A B` of two locks, {WHEELS} wheels and {DEBS} Debian packages each, {CHANGED} of them "
            "changed; no store",
            "store paths": "`reprobuild nix diff A B` of two store paths with closures of the same packages: packages, and "
            "the derivations that differ",
            "nix": "`nix store diff-closures` of the same two store paths: packages alone",
            "python": "`python -c pass` of the same virtual environment",
            "typer": "`import typer` in the same, which every command of ours does",
            "pydantic": "`import pydantic.main, pydantic.fields` in the same, by which typer checks arguments and we read formats",
        },
        samples=samples,
        ratios={
            "store paths / nix": ratios(samples, ["store paths"], ["nix"]),
            "locks / nix": ratios(samples, ["locks"], ["nix"]),
            "typer / nix": ratios(samples, ["typer"], ["nix"]),
            "pydantic / nix": ratios(samples, ["pydantic"], ["nix"]),
        },
        bars=[
            Bar("`reprobuild nix diff A B` of two CUDA locks", LIMIT_S, middle(samples["locks"]), "s"),
            Bar(
                "`reprobuild nix diff A B` of two CUDA closures", LIMIT_S, middle(samples["store paths"]), "s"
            ),
            ratio_bar("the same / `nix store diff-closures`", samples, ["store paths"], ["nix"], 1.0),
        ],
    )
