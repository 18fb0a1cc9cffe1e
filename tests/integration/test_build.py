"""What a build says when things go wrong, and what it leaves behind (part 8)."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import jsonschema
import pytest
from tests.integration.conftest import REPOSITORY, World
from tests.unit.test_startup import HEAVY, LISTED, loaded

from reprobuild.domain.drv import parse_drv

pytestmark = pytest.mark.integration


def test_a_failing_stage_shows_its_last_lines_and_where_the_whole_log_is(world: World, tiny: Path) -> None:
    (tiny / "train.py").write_text(
        "for n in range(40):\n    print('line', n)\nraise ValueError('no such column: age')\n"
    )
    done = world.reprobuild("nix", "build", cwd=tiny, status=100)
    assert "error: tiny 1.0.0: stage train failed" in done.stderr
    assert "no such column: age" in done.stderr
    assert "train.py:3" in done.stderr
    log = re.search(r"/nix/var/log/nix/drvs/\S+", done.stderr)
    assert log is not None
    assert world.file(log[0]).exists()


def test_a_missed_goal_fails_the_model_with_both_numbers_and_keeps_the_stages(
    world: World, tiny: Path
) -> None:
    done = world.reprobuild("nix", "build", "--set", "metrics.score.minimum=0.99", cwd=tiny, status=100)
    assert "metric score misses its goal" in done.stderr
    assert "0.8765433" in done.stderr
    assert "0.99" in done.stderr
    plan = world.json("plan", "--set", "metrics.score.minimum=0.99", cwd=tiny)
    assert plan["build"] == ["model"]


def test_a_build_that_would_take_too_long_is_refused_by_what_it_took_before(world: World, tiny: Path) -> None:
    (tiny / "train.py").write_text(
        (tiny / "train.py").read_text() + "\nimport time; time.sleep(1)  # quota\n"
    )
    own = ("--set", "train.params.lr=0.17321")  # no other test's: records are shared
    refused = world.reprobuild("nix", "build", *own, "--max-hours", "1", cwd=tiny, status=1)
    assert "nobody can say how long" in refused.stderr and "time_s" in refused.stderr
    world.reprobuild("nix", "build", *own, cwd=tiny)
    (tiny / "train.py").write_text((tiny / "train.py").read_text() + "# and again\n")
    plan = world.json("plan", *own, cwd=tiny)
    train = next(one for one in plan["where"] if one["stage"] == "train")
    assert train["expected_s"] >= 1 and train["expected_basis"] == "as 1 build here"
    assert re.search(r"train +about \S+s, as 1 build here", world.reprobuild("plan", *own, cwd=tiny).stdout)
    limit = {"REPROBUILD_MAX_HOURS": "0.0001"}
    refused = world.reprobuild("nix", "build", *own, cwd=tiny, status=1, env=limit)
    assert "more than is allowed" in refused.stderr and "as 1 build here" in refused.stderr
    world.reprobuild("nix", "build", *own, "--max-hours", "1", cwd=tiny)


def test_an_undeclared_output_is_an_error_that_names_it(world: World, tiny: Path) -> None:
    (tiny / "train.py").write_text(
        (tiny / "train.py").read_text() + '(stage.out / "extra.bin").write_bytes(b"x")\n'
    )
    done = world.reprobuild("nix", "build", cwd=tiny, status=100)
    assert "extra.bin" in done.stderr


def test_ctrl_c_stops_the_build_leaves_nothing_half_made_and_exits_130(world: World, tiny: Path) -> None:
    (tiny / "train.py").write_text("import time\nprint('sleeping', flush=True)\ntime.sleep(600)\n")
    process = subprocess.Popen(
        world.command([sys.executable, "-m", "reprobuild", "nix", "build"]),
        cwd=tiny,
        env=world.environment(),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    assert process.stderr is not None
    deadline = time.monotonic() + 60
    for line in process.stderr:
        if "train: started" in line or time.monotonic() > deadline:
            break
    time.sleep(1)
    os.killpg(process.pid, signal.SIGINT)
    stdout, stderr = process.communicate(timeout=60)
    assert process.returncode == 130, stderr
    assert stdout == ""
    assert "interrupted" in stderr
    assert not (tiny / "result").is_symlink()
    out_path = world.json("nix", "eval", cwd=tiny)["derivations"]["train"]["out_path"]
    # newer releases of Nix leave an empty folder, which their store does not count as there
    assert world.run(["nix-store", "--check-validity", out_path], cwd=tiny).returncode != 0
    record = sorted((world.home / ".local/state/reprobuild/records").glob("*-tiny-*"))[-1]
    assert json.loads(record.read_text())["status"] == "interrupted"


def test_results_and_stages_survive_garbage_collection(world: World, tiny: Path) -> None:
    built = world.json("nix", "build", "--set", "train.params.lr=0.2", cwd=tiny)
    world.run(["nix-store", "--gc"], cwd=tiny)
    assert world.file(built["outputs"]["model"]).exists()
    assert world.json("nix", "build", "--set", "train.params.lr=0.2", cwd=tiny)["built"] == []
    evaluated = world.json("nix", "eval", "--set", "train.params.lr=0.2", cwd=tiny)["derivations"]
    assert world.file(evaluated["train"]["out_path"]).exists()
    # the sources went: they come back by the lock
    world.reprobuild("fetch", cwd=tiny)


def test_stage_builds_only_the_stage_and_what_it_needs(world: World, tiny: Path) -> None:
    done = world.json("nix", "build", "--stage", "train", "--set", "train.params.lr=0.21", cwd=tiny)
    assert set(done["built"]) <= {"train", "base", "environment"}
    assert list(done["outputs"]) == ["train"]
    assert str((tiny / "result").readlink()) == done["outputs"]["train"]


def test_required_features_that_no_builder_has_are_named_beforehand(world: World, tiny: Path) -> None:
    spec = tiny / "reprobuild.toml"
    spec.write_text(
        spec.read_text().replace('run = "train.py"', 'run = "train.py"\nfeatures = ["cuda-sm_90"]')
    )
    done = world.reprobuild("nix", "build", cwd=tiny, status=3)
    assert "stage train: no known builder can run it" in done.stderr
    assert "nearest fit: this machine, but lacks cuda-sm_90" in done.stderr


def test_reusing_a_version_for_other_bytes_is_noticed(world: World, tiny: Path) -> None:
    world.reprobuild("nix", "build", cwd=tiny)
    done = world.reprobuild("nix", "build", "--set", "train.params.lr=0.05", cwd=tiny)
    assert "tiny 1.0.0 was built before with other bytes" in done.stderr


def test_the_shell_has_the_stages_interpreter_inputs_and_parameters(world: World, tiny: Path) -> None:
    code = "from reprobuild_worker import stage; import sys; print(stage.params.lr, sys.prefix)"
    done = world.reprobuild("nix", "shell", "--stage", "train", "--", "python", "-c", code, cwd=tiny)
    assert done.stdout.startswith("0.1234567 /nix/store/")
    code = "from reprobuild_worker import stage; print((stage.inputs['train'] / 'numbers.json').exists())"
    done = world.reprobuild("nix", "shell", "--stage", "evaluate", "--", "python", "-c", code, cwd=tiny)
    assert done.stdout == "True\n"


def test_a_stage_that_is_not_deterministic_is_found_and_the_others_are_judged_too(
    world: World, tiny: Path
) -> None:
    (tiny / "train.py").write_text(
        "import os\nfrom reprobuild_worker import stage\n"
        'stage.save_json("numbers.json", {"lr": 0.1, "noise": os.urandom(4).hex()})\n'
    )
    world.reprobuild("nix", "build", cwd=tiny)
    verdict = json.loads(world.reprobuild("verify", "--json", cwd=tiny, status=1).stdout)
    assert {s["label"]: s["verdict"] for s in verdict["stages"]} == {
        "train": "differs",
        "evaluate": "same bytes",
        "model": "same bytes",
    }
    assert not verdict["ok"]


def test_doctor_finds_this_host_able(world: World, tiny: Path) -> None:
    findings = world.json("doctor", cwd=tiny)
    assert {f["name"]: f["state"] for f in findings["findings"]}["sandbox"] == "ok"


def test_a_build_with_nothing_to_do_loads_nothing_that_builds(world: World, tiny: Path) -> None:
    world.reprobuild("nix", "build", cwd=tiny)
    again = world.run([sys.executable, "-c", LISTED, "nix", "build"], cwd=tiny)
    assert "(nothing to do" in again.stderr
    assert "reprobuild.services.build" in loaded(again) and not loaded(again) & HEAVY


@pytest.mark.parametrize(
    ("label", "variable", "name"),
    [("train", "reprobuildStage", "stage"), ("model", "reprobuildModel", "model")],
)
def test_what_nix_writes_for_the_worker_fits_the_published_schema(
    world: World, tiny: Path, label: str, variable: str, name: str
) -> None:
    drv = parse_drv(world.file(world.drv_paths(tiny)[label]).read_text())
    schema = json.loads((REPOSITORY / f"schemas/reprobuild-{name}-1.json").read_text())
    jsonschema.validate(json.loads(drv.environment[variable]), schema)
