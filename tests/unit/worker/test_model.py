"""The artifact: complete, equal each time, and refused when a goal is missed."""

import json
from pathlib import Path

import jsonschema
import pytest
import yaml

from reprobuild_worker.manifest import artifact_id, file_digest

SCHEMAS = Path(__file__).parents[3] / "schemas"


@pytest.fixture
def model(tmp_path, write_safetensors):
    """A model document whose stages have been built; tests change it."""
    train, evaluate = tmp_path / "train", tmp_path / "evaluate"
    train.mkdir()
    evaluate.mkdir()
    write_safetensors(train / "weights.safetensors", [("w", "F32", [1], bytes(4))])
    (train / "trajectory.json").write_text("{}\n")
    (evaluate / "metrics.json").write_text('{"accuracy": 0.98, "other": 1}')
    sources = {}
    for stage in ("train", "evaluate"):
        folder = tmp_path / f"source-{stage}"
        (folder / "lib").mkdir(parents=True)
        (folder / f"{stage}.py").write_text("pass\n")
        (folder / "lib/shared.py").write_text("pass\n")
        folder.joinpath("lib").chmod(0o555)  # as in the store
        sources[stage] = str(folder)
    (tmp_path / "reprobuild.lock").write_text("{}\n")
    spec = {
        "schema": "reprobuild.spec/1",
        "model": {
            "name": "digits",
            "version": "1.0.0",
            "description": "Reads: digits",
            "license": "Apache-2.0",
            "owners": ["a@example.org"],
            "tags": ["image-classification"],
            "inputs": {"image": {"dtype": "float32", "shape": ["batch", 8], "description": "grey | black"}},
            "outputs": {},
        },
        "python": {"requirements": ["torch==2.13.0", "numpy"]},
        "hardware": {"system": "x86_64-linux", "accelerator": "none"},
        "numerics": {"level": "exact", "seed": 0, "threads": 2, "deterministic": True, "tf32": False},
        "datasets": {
            "digits": {"path": "d.csv", "source": "https://example.org/d", "license": "CC-BY-4.0",
                       "retrieved": "2026-11-20", "description": "scans", "owner": ""}
        },
        "stages": {"train": {"run": "train.py"}, "evaluate": {"run": "evaluate.py"}},
        "metrics": {
            "accuracy": {"stage": "evaluate", "minimum": {"__float__": [8736983277098762, -53]}}
        },
        "artifact": {"files": ["train/weights.safetensors", "train/trajectory.json"]},
    }  # fmt: skip
    return {
        "schema": "reprobuild.model/1",
        "spec": spec,
        "lock": str(tmp_path / "reprobuild.lock"),
        "stages": {"train": str(train), "evaluate": str(evaluate)},
        "sources": sources,
    }


def files(folder):
    return {p.relative_to(folder).as_posix(): p.read_bytes() for p in folder.rglob("*") if p.is_file()}


def test_the_artifact_is_complete_and_equal_each_time(model, run_model):
    one, two = run_model(model), run_model(model)
    assert one.status == 0, one.stderr
    assert files(one.out) == files(two.out)
    assert sorted(files(one.out)) == [
        "README.md",
        "hardware.json",
        "manifest.json",
        "metrics.json",
        "reprobuild.lock",
        "source/evaluate.py",
        "source/lib/shared.py",
        "source/train.py",
        "spec.json",
        "trajectory.json",
        "weights.safetensors",
    ]
    assert json.loads((one.out / "metrics.json").read_text()) == {"accuracy": 0.98}
    spec = json.loads((one.out / "spec.json").read_text())
    assert spec["metrics"]["accuracy"]["minimum"] == 0.97
    hardware = json.loads((one.out / "hardware.json").read_text())
    assert (hardware["system"], hardware["numerics"]["threads"]) == ("x86_64-linux", 2)


def test_the_manifest_lists_every_other_file(model, run_model):
    run = run_model(model)
    data = (run.out / "manifest.json").read_bytes()
    manifest = json.loads(data)
    jsonschema.validate(manifest, json.loads((SCHEMAS / "reprobuild-manifest-1.json").read_text()))
    assert [f["path"] for f in manifest["files"]] == sorted(files(run.out).keys() - {"manifest.json"})
    for file in manifest["files"]:
        assert file["sha256"] == file_digest(run.out / file["path"])
        assert file["size_bytes"] == (run.out / file["path"]).stat().st_size
    (weights,) = manifest["weights"]
    assert weights["path"] == "weights.safetensors" and weights["tensors"][0]["name"] == "w"
    assert run.events("artifact")[0]["id"] == artifact_id(data)


def test_known_artifact_id():
    assert artifact_id(b'{"name": "digits", "version": "1.0.0"}') == "digits-1.0.0-qqmqkn3mg727"


def test_a_missed_goal_fails_with_both_numbers(model, run_model, tmp_path):
    (tmp_path / "evaluate/metrics.json").write_text('{"accuracy": 0.41}')
    run = run_model(model)
    assert run.status == 1
    assert (
        "error: metric accuracy misses its goal: 0.41 measured by stage evaluate, at least 0.97 required "
        "(reprobuild.toml, [metrics.accuracy] minimum)"
    ) in run.stderr
    assert not run.out.exists()


def test_the_goal_itself_is_enough(model, run_model, tmp_path):
    (tmp_path / "evaluate/metrics.json").write_text('{"accuracy": 0.97}')
    assert run_model(model).status == 0


def test_a_maximum_is_a_goal_too(model, run_model):
    model["spec"]["metrics"]["other"] = {"stage": "evaluate", "maximum": 0, "required": True}
    run = run_model(model)
    assert run.status == 1
    assert "1 measured by stage evaluate, at most 0 required" in run.stderr


def test_a_goal_that_is_not_required_only_warns(model, run_model):
    model["spec"]["metrics"]["other"] = {"stage": "evaluate", "maximum": 0, "required": False}
    run = run_model(model)
    assert run.status == 0 and "warning: metric other misses its goal" in run.stdout


def test_a_metric_that_no_stage_wrote_is_named(model, run_model):
    model["spec"]["metrics"]["acuracy"] = {"stage": "evaluate"}
    run = run_model(model)
    assert run.status == 1 and "did you mean 'accuracy'?" in run.stderr


@pytest.mark.parametrize("name", ["train/missing.bin", "nostage/weights.safetensors", "train/../x", "train"])
def test_artifact_files_must_exist(model, run_model, name):
    model["spec"]["artifact"]["files"].append(name)
    run = run_model(model)
    assert run.status == 1 and "[artifact] files" in run.stderr


def test_the_card_is_in_the_hugging_face_form(model, run_model):
    card = (run_model(model).out / "README.md").read_text()
    _, front, body = card.split("---\n", 2)
    data = yaml.safe_load(front)
    assert (data["license"], data["library_name"]) == ("apache-2.0", "pytorch")
    (result,) = data["model-index"][0]["results"]
    assert result["metrics"] == [{"type": "accuracy", "value": 0.98, "name": "accuracy"}]
    assert result["task"]["type"] and result["dataset"]["type"] and result["dataset"]["name"]
    for text in ("https://example.org/d", "CC-BY-4.0", "2026-11-20", "≥ 0.97", "grey \\| black", "`exact`"):
        assert text in body


def test_an_unusual_licence_becomes_other(model, run_model):
    model["spec"]["model"]["license"] = "LicenseRef-Own"
    front = yaml.safe_load((run_model(model).out / "README.md").read_text().split("---\n")[1])
    assert (front["license"], front["license_name"]) == ("other", "licenseref-own")
