"""What does locking cost when nothing has changed?"""

from __future__ import annotations

import os
from pathlib import Path

from benchmarks.contest import interleaved, middle, ratios, timed
from benchmarks.place import Place
from benchmarks.result import Bar, Result
from reprobuild.adapters.pip_config import read_index_config
from reprobuild.services.project import open_project

REPEAT = 15
LIMIT_S = 1.0


def measure(place: Place, repeat: int) -> Result:
    project = place.project
    peer, environment = uv_command(place), uv_variables()
    samples = interleaved(
        "lock_warm",
        [
            lambda: {"reprobuild": timed([place.reprobuild, "lock"], cwd=project)[0]},
            lambda: {"uv": timed(peer, env=environment, cwd=place.folder)[0]},
        ],
        repeat,
    )
    return Result(
        name="lock_warm",
        question="What does locking cost when nothing has changed?",
        contenders={
            "reprobuild": "`reprobuild lock` of the locked quickstart: base, wheels, tools, data",
            "uv": "`uv pip compile --format pylock.toml --generate-hashes` of the same requirements for the same "
            "Python, with its cache and its last output there: wheels only",
        },
        samples=samples,
        ratios={"reprobuild / uv": ratios(samples, ["reprobuild"], ["uv"])},
        bars=[Bar("`reprobuild lock`, nothing changed", LIMIT_S, middle(samples["reprobuild"]), "s")],
    )


def uv_command(place: Place) -> list[str | Path]:
    requirements = place.folder / "requirements.txt"
    requirements.write_text(
        "\n".join(open_project(place.project).spec.python.requirements) + "\n", encoding="utf-8"
    )
    pin = next(iter(place.lock().systems.values()))
    options = ["--python-version", pin.python_version, "--only-binary", ":all:", "--quiet"]
    output: list[str | Path] = [
        "--format",
        "pylock.toml",
        "--generate-hashes",
        "--output-file",
        place.folder / "pylock.peer.toml",
    ]
    return [place.uv, "pip", "compile", requirements, *options, *output]


def uv_variables() -> dict[str, str]:
    """The indexes that pip is configured for, which uv does not read, and which `reprobuild lock` uses."""
    config = read_index_config()
    variables = {**os.environ, "UV_PYTHON_DOWNLOADS": "never", **config.uv_variables}
    if config.pip_rules:
        variables["UV_INDEX_STRATEGY"] = "unsafe-first-match"
    return variables
