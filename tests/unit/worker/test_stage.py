"""Stages run from start to end, each in its own process."""

import json
import os
import subprocess
import sys
from pathlib import Path

import jsonschema
import pytest

PYTHON = Path(__file__).parents[3] / "python"

IMPORT = "from reprobuild_worker import stage\n"


def test_a_script_gets_what_the_spec_declares(run_stage, tmp_path):
    data = tmp_path / "rows.csv"
    data.write_text("1\n2\n")
    code = IMPORT + (
        "total = sum(int(line) for line in stage.data['rows'].open())\n"
        "stage.save_json('answer.json', {'total': total, 'lr': stage.params.lr, 'seed': stage.seed,\n"
        "  'threads': stage.threads, 'name': stage.name, 'main': __name__})\n"
    )
    run = run_stage(
        "train.py", {"train.py": code}, data={"rows": str(data)}, params={"lr": {"__float__": [1, -2]}}
    )
    assert (run.status, run.stderr.count("error")) == (0, 0)
    answer = json.loads((run.out / "answer.json").read_text())
    assert answer == {"total": 3, "lr": 0.25, "seed": 7, "threads": 1, "name": "train", "main": "__main__"}


@pytest.mark.parametrize("signature", ["", "stage", "s"])
def test_a_function_is_called_with_the_stage_if_it_wants_it(run_stage, signature):
    code = IMPORT + f"def fit({signature}):\n    {signature or 'stage'}.save_json('answer.json', 1)\n"
    files = {"package/__init__.py": "", "package/training.py": code}
    assert run_stage("package.training:fit", files).status == 0


def test_code_finds_its_neighbours_and_not_the_working_folder(run_stage):
    code = IMPORT + (
        "import sys, pathlib, helper, beside\n"
        "assert str(pathlib.Path.cwd()) not in sys.path and '' not in sys.path\n"
        "pathlib.Path('scratch').write_text('may be written, and is not an output')\n"
        "stage.save_json('answer.json', helper.VALUE + beside.VALUE)\n"
    )
    files = {"scripts/train.py": code, "helper.py": "VALUE = 1", "scripts/beside.py": "VALUE = 2"}
    assert run_stage("scripts/train.py", files).status == 0


def test_a_failure_shows_the_users_lines_only(run_stage):
    code = "import json\ndef load():\n    return json.loads('{')\nload()\n"
    run = run_stage("train.py", {"train.py": code})
    assert run.status == 1
    assert "train.py:4 in <module>\n    load()\n  train.py:3 in load" in run.stderr
    assert "error: stage train failed: JSONDecodeError" in run.stderr
    assert "runpy" not in run.stderr and "reprobuild_worker" not in run.stderr


def test_an_error_of_the_api_points_to_the_line(run_stage):
    run = run_stage("train.py", {"train.py": IMPORT + "stage.params.epoch\n"}, params={"epochs": 3})
    assert run.status == 1
    assert "train.py:2" in run.stderr
    assert "error: stage train has no parameter params.epoch\nhint: did you mean 'epochs'?" in run.stderr


@pytest.mark.parametrize(("code", "status"), [("sys.exit(0)", 0), ("sys.exit()", 0), ("sys.exit(3)", 1)])
def test_exit_status_counts(run_stage, code, status):
    run = run_stage(
        "train.py", {"train.py": IMPORT + f"import sys; stage.save_json('answer.json', 1); {code}"}
    )
    assert run.status == status


@pytest.mark.parametrize("entry", ["missing.py", "missing:fit", "train:missing"])
def test_a_missing_entry_point_is_said_clearly(run_stage, entry):
    run = run_stage(entry, {"train.py": ""})
    assert run.status == 1
    assert "error: " in run.stderr and "missing" in run.stderr and "Traceback" not in run.stderr


def test_undeclared_and_missing_outputs_fail_the_stage(run_stage):
    code = IMPORT + "stage.save_json('answers.json', 1)"
    run = run_stage("train.py", {"train.py": code})
    assert run.status == 1
    assert "did not write answer.json" in run.stderr and "it wrote 'answers.json'" in run.stderr


def test_pickles_fail_the_stage(run_stage):
    code = IMPORT + "import pickle; (stage.out / 'answer.json').write_bytes(pickle.dumps({'a': 1}))"
    run = run_stage("train.py", {"train.py": code})
    assert run.status == 1 and "answer.json is refused, a pickle stream" in run.stderr


def test_random_numbers_and_set_order_are_the_same_in_every_run(run_stage):
    code = IMPORT + (
        "import random, numpy, os\n"
        "stage.save_json('answer.json', [random.random(), numpy.random.rand(), list({'a', 'b', 'c'}),\n"
        "  stage.python_rng('x').random(), stage.numpy_rng('x').random(), stage.numpy_rng('y').random(),\n"
        "  stage.numpy_rng('x').random(), sorted(os.environ)])\n"
    )
    runs = [
        run_stage("train.py", {"train.py": code}, env=env)
        for env in ({}, {"NIX_BUILD_CORES": "9", "TERM": "xterm", "NIX_LOG_FD": "2"})
    ]
    one, two = [(run.out / "answer.json").read_bytes() for run in runs]
    assert one == two
    values = json.loads(one)
    assert values[4] != values[5] and values[4] != values[6]  # own streams, which go on


def test_what_varies_goes_to_the_log_and_not_to_the_output(run_stage):
    code = IMPORT + (
        "stage.measure(images_per_s=123.4)\n"
        "for batch in stage.steps([1, 2]): pass\n"
        "stage.save_json('answer.json', 1)\n"
    )
    run = run_stage("train.py", {"train.py": code})
    (host,), (resources,), (measured,) = (run.events(name) for name in ("host", "resources", "measure"))
    assert host["python"] == ".".join(map(str, sys.version_info[:3]))
    assert host["packages"]["numpy"] and "cpu_model" in host
    assert resources["wall_s"] > 0 and resources["cpu_s"] > 0 and resources["peak_memory_bytes"] > 1e6
    assert measured["values"] == {"images_per_s": 123.4}
    assert sorted(path.name for path in run.out.iterdir()) == ["answer.json"]


def test_threads_that_contradict_the_spec_are_refused(run_stage):
    run = run_stage("train.py", {"train.py": ""}, env={"OMP_NUM_THREADS": "64"})
    assert run.status == 1 and "OMP_NUM_THREADS is 64" in run.stderr


def test_a_random_hash_seed_is_refused(run_stage):
    run = run_stage("train.py", {"train.py": ""}, env={"PYTHONHASHSEED": "random"})
    assert run.status == 1 and "PYTHONHASHSEED" in run.stderr


TRAINING = (
    IMPORT
    + """
import numpy
weights = {"w": stage.numpy_rng("init").normal(size=3)}
stage.record_initial_weights(weights)
for epoch in stage.epochs(2):
    stage.record_sample_order(stage.numpy_rng("shuffle").permutation(10))
    weights["w"] *= stage.params.factor
    stage.log(loss=weights["w"].sum())
    stage.record_weights(weights)
"""
)


def trajectory(run):
    assert run.status == 0, run.stderr
    return json.loads((run.out / "trajectory.json").read_text())


def test_the_trajectory_shows_where_two_runs_part(run_stage):
    def train(factor):
        files = {"train.py": TRAINING}
        return trajectory(
            run_stage("train.py", files, outputs=["trajectory.json"], params={"factor": factor})
        )

    one, again, other = train(2), train(2), train(3)
    schema = PYTHON.parent / "schemas/reprobuild-trajectory-1.json"
    jsonschema.validate(one, json.loads(schema.read_text()))
    assert one == again
    assert one["schema"] == "reprobuild.trajectory/1"
    assert one["initial_weights"] == other["initial_weights"]
    assert one["sample_order"] == other["sample_order"]
    assert one["epochs"][0]["sample_order"] != one["epochs"][1]["sample_order"] == one["sample_order"]
    assert one["epochs"][0]["weights"] != other["epochs"][0]["weights"]
    assert [epoch["epoch"] for epoch in one["epochs"]] == [1, 2]
    assert set(one["epochs"][0]["values"]) == {"loss"}


def test_recording_without_a_declared_trajectory_says_what_to_declare(run_stage):
    run = run_stage("train.py", {"train.py": TRAINING}, params={"factor": 2}, outputs=["answer.json"])
    assert run.status == 1
    assert "declare trajectory.json in outputs (reprobuild.toml, [stages.train])" in run.stderr


def test_torch_is_set_up_when_it_is_imported_and_not_before(run_stage):
    pytest.importorskip("torch")
    code = IMPORT + (
        "import sys\n"
        "assert 'torch' not in sys.modules\n"
        "import torch\n"
        "stage.save_json('answer.json', {'threads': torch.get_num_threads(), 'seed': torch.initial_seed(),\n"
        "  'interop': torch.get_num_interop_threads(),\n"
        "  'deterministic': torch.are_deterministic_algorithms_enabled(),\n"
        "  'tf32': torch.backends.cudnn.allow_tf32,\n"
        "  'fill': torch.utils.deterministic.fill_uninitialized_memory,\n"
        "  'stream': stage.generator('x').initial_seed() == stage.generator('x').initial_seed(),\n"
        "  'file': torch.__spec__.origin == torch.__file__})\n"
    )
    run = run_stage("train.py", {"train.py": code})
    assert run.status == 0, run.stderr
    assert json.loads((run.out / "answer.json").read_text()) == {
        "threads": 1,
        "interop": 1,
        "seed": 7,
        "deterministic": True,
        "tf32": False,
        "fill": False,
        "stream": True,
        "file": True,
    }
    assert run.events("resources")[0]["cpu_capability"]


def run_by_hand(folder, code, **variables):
    (folder / "train.py").write_text(code)
    environment = {"PATH": os.environ["PATH"], "PYTHONPATH": str(PYTHON), **variables}
    command = [sys.executable, "train.py"]
    return subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, check=False)


def test_a_stage_runs_by_hand_in_its_shell(tmp_path):
    document = {
        "schema": "reprobuild.stage/1", "name": "train", "run": "train.py", "source": str(tmp_path),
        "params": {"factor": 2}, "outputs": ["trajectory.json"], "numerics": {"seed": 7, "threads": 1},
    }  # fmt: skip
    done = run_by_hand(
        tmp_path, TRAINING, reprobuildStage=json.dumps(document), out=str(tmp_path / "results/train")
    )
    assert done.returncode == 0, done.stderr
    assert [line.split()[0] for line in done.stdout.splitlines()] == ["epoch", "epoch"]
    assert "@nix" not in done.stderr
    assert json.loads((tmp_path / "results/train/trajectory.json").read_text())["seed"] == 7


def test_outside_of_any_stage_it_says_where_to_go(tmp_path):
    done = run_by_hand(tmp_path, IMPORT + "print(stage.params)\n")
    assert done.returncode == 1
    assert "reprobuild nix shell" in done.stderr
