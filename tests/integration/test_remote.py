"""Builds on other machines, over a real ssh, with stores of their own."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import pytest
from tests.integration.conftest import World
from tests.integration.hosts import Host, Lab, lab

from reprobuild.domain.lock import Lock

pytestmark = pytest.mark.integration


@pytest.fixture(scope="module")
def pair(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lab]:
    """Two machines: one for everything, one with the features of a GPU machine (a stand-in: there is no GPU)."""
    with lab(tmp_path_factory.mktemp("remote") / "lab") as made:
        made.host("cpu")
        made.host("gpu", ["fast", "rack-7"])
        yield made


@pytest.fixture
def client(pair: Lab, world: World, tiny_lock: str) -> World:
    return pair.world(world)


def fresh(project: Path, what: str) -> Path:
    """A training that no test has run before."""
    (project / "train.py").write_text((project / "train.py").read_text() + f"\n# {what}\n")
    return project


def test_a_model_is_built_there_and_comes_back(client: World, pair: Lab, tiny: Path) -> None:
    fresh(tiny, "first remote one")
    cpu = pair.hosts["cpu"]
    done = client.json("nix", "build", "--builder", cpu.uri, cwd=tiny)
    model = done["outputs"]["model"]
    assert cpu.valid(model) and client.file(model).is_dir()
    assert (tiny / "result").readlink() == Path(model)
    record = json.loads(Path(done["record"]).read_text())
    assert {one["builder"] for one in record["outputs"]} == {"cpu"}
    assert all(one["nar_hash"] and one["status"] == "built" for one in record["outputs"])
    train = record["outputs"][0]
    assert "epoch" in Path(train["log_path"]).read_text()
    assert not client.file(train["out_path"]).exists()  # only what was asked for comes back


NOISY = """
from pathlib import Path
from reprobuild_worker import stage

noise = int(Path("/proc/sys/kernel/random/uuid").read_text()[:4], 16) / 1e9
stage.save_json("numbers.json", {"lr": 0.1 + noise, "seed": stage.seed})
"""


def test_another_machine_agrees(client: World, pair: Lab, tiny: Path) -> None:
    fresh(tiny, "verified elsewhere")
    client.reprobuild("nix", "build", cwd=tiny)
    cpu = pair.hosts["cpu"]
    verdict = client.json("verify", "--builder", cpu.uri, cwd=tiny)
    assert verdict["ok"]
    assert {stage["builder"] for stage in verdict["stages"]} == {"cpu"}
    again = client.reprobuild("verify", "--builder", cpu.uri, "--stage", "train", "--rounds", "2", cwd=tiny)
    assert "2 of 2 rebuilds on cpu equal" in again.stdout


def test_another_machine_that_gives_other_bytes_is_found_and_its_output_compared(
    client: World, pair: Lab, tiny: Path
) -> None:
    (tiny / "train.py").write_text(NOISY)
    client.reprobuild("nix", "build", cwd=tiny)
    verdict = client.json("verify", "--builder", pair.hosts["cpu"].uri, cwd=tiny, status=1)
    train, evaluate, model = verdict["stages"]
    assert (train["verdict"], evaluate["verdict"], model["verdict"]) == (
        "differs",
        "same bytes",
        "same bytes",
    )
    assert train["builder"] == "cpu"
    assert train["comparison"]["documents"][0]["key_path"] == "lr"
    assert client.file(train["differing_path"]).is_dir()
    (carried,) = verdict["carried"]
    assert carried["label"] == "evaluate" and not carried["equal"]


def test_what_was_built_there_before_with_other_bytes_is_a_difference(
    client: World, pair: Lab, tiny: Path
) -> None:
    (tiny / "train.py").write_text(NOISY + "# built on both\n")
    cpu = pair.hosts["cpu"]
    client.reprobuild("nix", "build", "--record-only", "--builder", cpu.uri, cwd=tiny)
    client.reprobuild("nix", "build", cwd=tiny)
    verdict = client.json("verify", "--builder", cpu.uri, "--stage", "train", cwd=tiny, status=1)
    (train,) = verdict["stages"]
    assert train["verdict"] == "differs"
    assert train["comparison"]["documents"][0]["key_path"] == "lr"


def test_what_stayed_there_is_rebuilt_and_not_compared_with_itself(
    client: World, pair: Lab, tiny: Path
) -> None:
    (tiny / "train.py").write_text(NOISY + "# stayed there\n")
    cpu = pair.hosts["cpu"]
    client.reprobuild("nix", "build", "--record-only", "--builder", cpu.uri, cwd=tiny)
    verdict = client.json("verify", "--builder", cpu.uri, "--stage", "train", cwd=tiny, status=1)
    (train,) = verdict["stages"]
    assert (train["verdict"], train["builder"]) == ("differs", "cpu")


def test_what_was_collected_there_goes_there_again_for_a_rebuild(
    client: World, pair: Lab, tiny: Path
) -> None:
    fresh(tiny, "collected there")
    cpu = pair.hosts["cpu"]
    build = ["nix", "build", "--builder", cpu.uri]
    record = Path(client.json(*build, "--record-only", cwd=tiny)["record"])
    train = json.loads(record.read_text())["outputs"][0]["out_path"]
    cpu.run(["nix-collect-garbage"])
    assert not cpu.valid(train)
    verdict = client.json("verify", "--builder", cpu.uri, "--stage", "model", cwd=tiny)
    (model,) = verdict["stages"]
    assert (model["verdict"], model["builder"], model["equal"]) == ("same bytes", "cpu", 1)
    assert cpu.valid(train)  # it was needed, and was nowhere any more


GPU_SPEC = """
[stages.prepare]
run = "prepare.py"
outputs = ["rows.json"]

[stages.train]
features = ["fast", "rack-7"]
needs = ["prepare"]"""


def on_gpu(project: Path, what: str) -> Path:
    """Prepare anywhere, train where there is a GPU."""
    spec = project / "reprobuild.toml"
    spec.write_text(spec.read_text().replace("\n[stages.train]", GPU_SPEC))
    (project / "prepare.py").write_text(
        f'from reprobuild_worker import stage\nstage.save_json("rows.json", [1])\n# {what}\n'
    )
    return project


def builders(record: str) -> dict[str, str]:
    return {one["label"]: one["builder"] for one in json.loads(Path(record).read_text())["outputs"]}


@contextmanager
def listed(client: World, host: Host) -> Iterator[None]:
    """The client's list of builders has this one, for what asks for its features."""
    known = client.home / ".config" / "reprobuild" / "machines"
    known.parent.mkdir(parents=True, exist_ok=True)
    known.write_text(f"{host.uri} x86_64-linux - 1 1 rack-7 fast\n")
    try:
        yield
    finally:
        known.unlink()


def test_the_machine_with_the_features_is_chosen_and_the_others_work_is_handed_on(
    client: World, pair: Lab, tiny: Path
) -> None:
    on_gpu(tiny, "two machines")
    named = [one for name in ("cpu", "gpu") for one in ("--builder", pair.hosts[name].uri)]
    done = client.json("nix", "build", *named, cwd=tiny)
    assert builders(done["record"]) == {"prepare": "cpu", "train": "gpu", "evaluate": "cpu", "model": "cpu"}
    train = json.loads(Path(done["record"]).read_text())["outputs"][1]["out_path"]
    assert pair.hosts["gpu"].valid(train) and pair.hosts["cpu"].valid(train)


def test_prepare_here_train_there(client: World, pair: Lab, tiny: Path) -> None:
    on_gpu(tiny, "here and there")
    with listed(client, pair.hosts["gpu"]):
        done = client.json("nix", "build", cwd=tiny)
    assert builders(done["record"]) == {"prepare": "", "train": "gpu", "evaluate": "", "model": ""}


def test_other_seeds_run_on_listed_builders(client: World, pair: Lab, tiny: Path) -> None:
    on_gpu(tiny, "baseline")
    with listed(client, pair.hosts["gpu"]):
        found = client.json("baseline", "--runs", "2", cwd=tiny)
    assert [run["seed"] for run in found["runs"]] == [1, 2]
    for run in found["runs"]:
        drv_path = client.drv_paths(tiny, "--set", f"numerics.seed={run['seed']}")["train"]
        assert pair.hosts["gpu"].file(drv_path).is_file()  # what a hook there reads


def test_a_machine_without_the_features_is_refused_before_anything_moves(
    client: World, pair: Lab, tiny: Path
) -> None:
    on_gpu(tiny, "wrong machine")
    cpu = pair.hosts["cpu"]
    before = sorted(cpu.file("/nix/store").iterdir())
    done = client.reprobuild("nix", "build", "--builder", cpu.uri, cwd=tiny, status=3)
    assert "no known builder can run it" in done.stderr and "cpu" in done.stderr
    assert sorted(cpu.file("/nix/store").iterdir()) == before


def test_only_the_record_comes_back(client: World, pair: Lab, tiny: Path) -> None:
    fresh(tiny, "record only")
    cpu = pair.hosts["cpu"]
    done = client.json("nix", "build", "--record-only", "--builder", cpu.uri, cwd=tiny)
    model = done["outputs"]["model"]
    assert cpu.valid(model) and not client.file(model).exists()
    assert done["left_on"] == {model: "cpu"} and not (tiny / "result").exists()
    record = json.loads(Path(done["record"]).read_text())
    assert record["outputs"][-1]["nar_hash"]
    cpu.run(["nix-collect-garbage"])
    assert cpu.valid(model)
    client.reprobuild("nix", "build", "--builder", cpu.uri, cwd=tiny)
    assert client.file(model).is_dir()


def test_sources_come_from_the_builder_s_own_cache(
    client: World, pair: Lab, tiny: Path, tmp_path: Path
) -> None:
    lock = Lock.model_validate_json((tiny / "reprobuild.lock").read_text())
    sources = [one.store_path for one in lock.for_system("x86_64-linux")]
    cache = f"file://{tmp_path}/cache"
    client.reprobuild("fetch", "--offline", cwd=tiny)  # what another test's garbage collection has taken
    options = ["--extra-experimental-features", "nix-command"]
    client.run(["nix", *options, "copy", "--to", cache, *sources], cwd=tiny)
    near = pair.host("near")
    near.configure(substituters=cache)
    # a machine that has no source, and nowhere to fetch one
    bare = replace(client, nix=client.fresh_store(tmp_path).nix)
    nothing = {"XDG_CACHE_HOME": str(tmp_path / "nothing")}
    build = ["nix", "build", "--offline", "--stage", "train"]
    bare.reprobuild(*build, "--builder", near.uri, cwd=tiny, env=nothing)
    assert near.valid(sources[0]) and not bare.file(sources[0]).exists()
    empty = pair.host("empty")  # no other test has built there
    done = bare.reprobuild(*build, "--builder", empty.uri, "--set", "train.params.lr=0.5", cwd=tiny,
                           env=nothing, status=3)  # fmt: skip
    assert "missing sources" in done.stderr


def test_nix_itself_sends_builds_there(client: World, pair: Lab, tiny: Path) -> None:
    on_gpu(tiny, "classic")
    gpu = pair.hosts["gpu"]
    route = ["--route", "classic", "--builder", gpu.uri]
    done = client.json("nix", "build", *route, cwd=tiny)
    train = json.loads(Path(done["record"]).read_text())["outputs"][1]
    assert train["builder"] == "gpu" and client.file(train["out_path"]).is_dir()
    assert gpu.file(train["drv_path"]).is_file()  # what a hook there reads
