"""What does the sandbox cost while a model trains?"""

from __future__ import annotations

import re
import shutil
from collections.abc import Mapping
from pathlib import Path

from benchmarks.contest import interleaved, ratios, timed
from benchmarks.place import Place, remove
from benchmarks.result import Result, ratio_bar
from benchmarks.uv_environment import UvEnvironment
from reprobuild.domain.drv import parse_drv

REPEAT = 15
LIMIT = 1.02
STAGE = "train"
# Around the template's script: the worker is loaded and configured before the clock starts, in and out of the
# sandbox, so that both times cover the same lines. `stage.params` is what configures it.
HEAD = """\
from reprobuild_worker import stage as _stage
_stage.params
import time as _time
_begun = _time.monotonic()
"""
TAIL = """
print(f"script_s={_time.monotonic() - _begun:.4f}", flush=True)
"""
# Nix's own; the rest of a derivation's environment is what the script sees.
_NOT_OF_THE_SCRIPT = ("builder", "name", "system", "requiredSystemFeatures", "out")


def measure(place: Place, repeat: int) -> Result:
    project = timed_project(place, "timed")
    found = place.instantiate(project)
    drv_path, out_path = found.stages[STAGE].drv_path, Path(found.stages[STAGE].out_path)
    place.realise(drv_path)
    peer = UvEnvironment(place, Path(found.base.out_path) / "bin" / "python3")
    peer.make(cold=True)
    peer.install(compiled=True)
    variables = parse_drv(Path(drv_path).read_text(encoding="utf-8")).environment
    source = Path(re.findall(r'"source":"([^"]+)"', variables["reprobuildStage"])[0])
    out = place.folder / "plain-out"
    same: list[bool] = []

    def sandbox() -> Mapping[str, float]:
        whole, log = place.realise(drv_path, "--check")
        return {"sandbox": script_seconds(log), "sandbox, whole": whole}

    def plain() -> Mapping[str, float]:
        remove(out)
        scratch = place.folder / "plain-work"
        remove(scratch)
        scratch.mkdir()
        env = plain_variables(variables, venv=peer.folder, out=out, scratch=scratch)
        whole, log = timed([peer.folder / "bin" / "python", "-s", source / "train.py"], env=env, cwd=scratch)
        weights = "weights.safetensors"
        same.append((out / weights).read_bytes() == (out_path / weights).read_bytes())
        return {"plain venv": script_seconds(log), "plain venv, whole": whole}

    samples = interleaved("training", [sandbox, plain], repeat)
    return Result(
        name="training",
        question="What does the sandbox cost while a model trains?",
        contenders={
            "sandbox": "the quickstart's `train.py` from its first line to its last, in a build (`nix-store --realise "
            "--check` of the stage): imports torch, reads data, trains, records digests, saves weights",
            "plain venv": "the same file from its first line to its last, run by hand outside of Nix with a venv that uv "
            "made of the same wheels (byte-compiled), the same Python, worker, inputs and environment variables",
            "sandbox, whole": "that whole command: also Nix, setting up the sandbox, starting Python and the worker, "
            "checking, hashing and comparing the output",
            "plain venv, whole": "that whole process: also starting Python and loading the worker",
        },
        samples=samples,
        ratios={
            "sandbox / plain venv": ratios(samples, ["sandbox"], ["plain venv"]),
            "whole: sandbox / plain venv": ratios(samples, ["sandbox, whole"], ["plain venv, whole"]),
        },
        bars=[
            ratio_bar(
                "training in the sandbox / in a plain venv", samples, ["sandbox"], ["plain venv"], LIMIT
            )
        ],
        remarks={"same_weights": all(same)},
    )


def timed_project(place: Place, name: str) -> Path:
    """A copy of the quickstart whose training script says how long it took."""
    project = place.folder / f"digits-{name.replace(' ', '-')}"
    shutil.rmtree(project, ignore_errors=True)
    shutil.copytree(place.project, project, ignore=shutil.ignore_patterns("result*", ".reprobuild"))
    script = project / "train.py"
    script.write_text(HEAD + script.read_text(encoding="utf-8") + TAIL, encoding="utf-8")
    return project


def plain_variables(stage: Mapping[str, str], *, venv: Path, out: Path, scratch: Path) -> dict[str, str]:
    """The stage's environment outside of the sandbox, as `reprobuild nix shell` has it; only the venv differs."""
    kept = {key: value for key, value in stage.items() if key not in _NOT_OF_THE_SCRIPT}
    folders = {key: str(scratch) for key in ("HOME", "TMPDIR", "TMP", "TEMP")}
    return {**kept, **folders, "PATH": str(venv / "bin"), "out": str(out)}


def script_seconds(log: str) -> float:
    """
    Raises:
        ValueError: the script did not say its time.
    """
    found = re.findall(r"script_s=([0-9.]+)", log)
    if len(found) != 1:
        raise ValueError(f"expected one time of the script in its log, found {len(found)}")
    return float(found[0])
