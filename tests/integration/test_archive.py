"""An archive is enough: rebuilt in an empty store without home, network, command, and with a clock ten years ahead."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path

import pytest
from tests.integration.conftest import World, cannot_build, write_sourced
from tests.integration.stranger import run_as_user

from reprobuild.domain.archive import sums_text
from reprobuild.services.archive import file_digests

pytestmark = pytest.mark.integration

YEARS_AHEAD = 10
FLIPS = """
import time

from reprobuild_worker import stage

stage.save_json("numbers.json", {"lr": 0.1, "time_ns": time.monotonic_ns()})
raise SystemExit(0)
"""


def faketime_library() -> Path:
    """Debian's package libfaketime: scripts/test installs it."""
    named = os.environ.get("REPROBUILD_LIBFAKETIME")
    places = [Path(named)] if named else sorted(Path("/usr/lib").glob("*/faketime/libfaketimeMT.so.1"))
    if not places or not places[0].is_file():
        cannot_build("libfaketime is not installed: scripts/test installs it")
    return places[0]


def empty_world(folder: Path) -> World:
    made = World(folder / "nix", folder / "home", knows_indexes=False)
    (made.nix / "store").mkdir(parents=True)
    made.home.mkdir()
    return made


@pytest.fixture(scope="module")
def project(world: World, sourced_lock: str, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A built project with a wheel, a data file, code in a folder, a link and an executable."""
    folder = write_sourced(tmp_path_factory.mktemp("archive") / "sourced")
    (folder / "reprobuild.lock").write_text(sourced_lock)
    code = folder / "code"
    code.mkdir()
    (code / "rows.py").write_text("ROWS = 2\n")
    (code / "tool").write_text("#!/bin/sh\n")
    (code / "tool").chmod(0o755)
    (code / "also.py").symlink_to("rows.py")
    spec = folder / "reprobuild.toml"
    spec.write_text(spec.read_text().replace('run = "train.py"', 'run = "train.py"\nfiles = ["code"]', 1))
    (folder / ".env").write_text("TOKEN=secret\n")
    world.reprobuild("nix", "build", cwd=folder)
    return folder


@pytest.fixture(scope="module")
def archive(world: World, project: Path) -> Path:
    folder = project.parent / "archived"
    world.reprobuild("archive", str(folder), cwd=project)
    return folder


def test_it_is_whole_and_the_same_each_time(
    world: World, project: Path, archive: Path, tmp_path: Path
) -> None:
    checked = world.json("archive", str(archive), "--check", cwd=tmp_path)
    assert checked["ok"] and checked["files"] > 100
    again = world.json("archive", str(tmp_path / "again"), str(project), cwd=tmp_path)
    assert again["digest"] == checked["digest"]
    assert (again["files"], again["artifact_id"]) == (
        checked["files"],
        world.json("show", str(project / "result"), cwd=tmp_path)["artifact_id"],
    )
    assert not list(archive.rglob(".env")), "what the spec does not name stays out"
    done = subprocess.run(["sha256sum", "--quiet", "--check", "SHA256SUMS"], cwd=archive, check=False)
    assert done.returncode == 0


@pytest.mark.parametrize("victim", ["cache/nar/*.nar", "cache/*.narinfo", "project/train.py", "archive.json"])
def test_one_flipped_bit_is_named_and_nothing_is_built(
    world: World, archive: Path, tmp_path: Path, victim: str
) -> None:
    copy = shutil.copytree(archive, tmp_path / "copy", symlinks=True)
    file = sorted(copy.glob(victim))[0]
    content = bytearray(file.read_bytes())
    content[len(content) // 2] ^= 1
    file.chmod(0o644)
    file.write_bytes(content)
    found = world.json("archive", str(copy), "--check", cwd=tmp_path, status=1)
    assert ("changed", file.relative_to(copy).as_posix()) in [
        (one["state"], one["path"]) for one in found["findings"]
    ]
    other = empty_world(tmp_path / "other")
    done = other.run(["./rebuild"], cwd=copy, offline=True)
    assert done.returncode != 0 and file.name in done.stdout + done.stderr
    assert not list((other.nix / "store").iterdir())


def test_what_is_missing_or_added_is_named(world: World, archive: Path, tmp_path: Path) -> None:
    copy = shutil.copytree(archive, tmp_path / "copy", symlinks=True)
    gone = sorted(copy.glob("cache/*.narinfo"))[0]
    gone.unlink()
    (copy / "project" / "more.py").write_text("")
    (copy / "project" / "code" / "also.py").unlink()
    found = world.json("archive", str(copy), "--check", cwd=tmp_path, status=1)
    states = {(one["state"], one["path"]) for one in found["findings"]}
    assert {
        ("missing", gone.relative_to(copy).as_posix()),
        ("extra", "project/more.py"),
        ("missing", "project/code/also.py"),
    } <= states


def test_it_is_rebuilt_without_network_home_and_command(
    world: World, project: Path, archive: Path, tmp_path: Path
) -> None:
    model = world.json("nix", "build", cwd=project)
    moved = shutil.copytree(archive, tmp_path / "some where", symlinks=True)
    other = empty_world(tmp_path)
    bare = {"PATH": "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"}
    done = other.run(["./rebuild", "--no-out-link"], cwd=moved, env=bare, offline=True)
    assert done.returncode == 0, done.stderr
    assert model["outputs"]["model"] in done.stdout and "same bytes: sha256:" in done.stdout
    shown = other.json("show", model["outputs"]["model"], cwd=tmp_path)
    assert shown["artifact_id"] == model["artifact_id"]


def test_where_the_model_is_already_it_is_built_again(world: World, archive: Path) -> None:
    """The first try is on the machine that packed it: comparing a store with itself would say nothing."""
    done = world.run(["./rebuild", "--no-out-link"], cwd=archive, offline=True)
    assert done.returncode == 0, done.stderr
    assert "same bytes: sha256:" in done.stdout
    for name in ("tiny-train", "tiny-evaluate", "tiny-1.0.0"):
        assert re.search(rf"checking outputs of '/nix/store/\S+-{name}\.drv'", done.stderr), done.stderr


def test_what_the_store_has_and_is_not_what_is_built_is_found(
    world: World, archive: Path, tmp_path: Path
) -> None:
    """A stage that gave other bytes than its inputs give, and a model made of them."""
    copy = shutil.copytree(archive, tmp_path / "copy", symlinks=True)
    (copy / "project/train.py").write_text(FLIPS + (copy / "project/train.py").read_text())
    other = empty_world(tmp_path)
    drv = other.run(["nix-instantiate", "default.nix"], cwd=copy).stdout.strip()
    document = json.loads((copy / "archive.json").read_text()) | {"drv_path": drv, "nar_hash": ""}
    (copy / "archive.json").write_text(json.dumps(document, indent=2))
    (copy / "SHA256SUMS").write_text(sums_text(file_digests(copy)))
    first = other.run(["./rebuild", "--no-out-link"], cwd=copy, offline=True)
    assert first.returncode == 0, first.stderr
    second = other.run(["./rebuild", "--no-out-link"], cwd=copy, offline=True)
    assert second.returncode == 1 and "tiny-train.drv" in second.stderr
    assert "was not built again with the same bytes" in second.stderr


def test_outputs_in_the_archive_are_not_taken_for_a_rebuild(
    world: World, project: Path, tmp_path: Path
) -> None:
    folder, secret, public = (tmp_path / name for name in ("archived", "secret", "public"))
    made = ["nix-store", "--generate-binary-cache-key", "tests-1", str(secret), str(public)]
    assert world.run(made, cwd=tmp_path).returncode == 0
    world.reprobuild("archive", str(folder), "--outputs", "--secret-key", str(secret), cwd=project)
    trusting = {
        "NIX_CONFIG": f"build-users-group =\nextra-trusted-public-keys = {public.read_text().strip()}"
    }
    done = empty_world(tmp_path).run(["./rebuild", "--no-out-link"], cwd=folder, env=trusting, offline=True)
    assert done.returncode == 0, done.stderr
    for name in ("tiny-train", "tiny-1.0.0"):
        assert re.search(rf"building '/nix/store/\S+-{name}\.drv'", done.stderr), done.stderr


@pytest.mark.skipif(os.geteuid() != 0, reason="starts a daemon of its own, which needs root")
def test_it_is_rebuilt_by_a_user_whom_the_daemon_does_not_trust(archive: Path, tmp_path: Path) -> None:
    copy = shutil.copytree(archive, tmp_path / "copy", symlinks=True)
    done = run_as_user(empty_world(tmp_path), copy, "true", "./rebuild", "--no-out-link")
    assert done.returncode == 0, done.stderr
    assert "same bytes: sha256:" in done.stdout


def test_it_is_rebuilt_by_the_command_with_a_clock_ten_years_ahead(
    world: World, project: Path, archive: Path, tmp_path: Path
) -> None:
    """Front end and Nix by a preloaded library; the builders by one in the sandbox, which changes no derivation."""
    library = faketime_library()
    model = world.json("nix", "build", cwd=project)
    other = empty_world(tmp_path)
    ahead = {"LD_PRELOAD": str(library), "FAKETIME": f"+{YEARS_AHEAD * 365}d", "FAKETIME_DONT_RESET": "1"}
    clock = "from datetime import datetime, UTC; print(datetime.now(UTC).year)"
    year = other.run([sys.executable, "-c", clock], cwd=tmp_path, env=ahead).stdout.strip()
    assert int(year) >= datetime.now(UTC).year + YEARS_AHEAD - 1
    done = other.reprobuild(
        "nix", "build", "--cache", "../cache", "--json", cwd=archive / "project", env=ahead, offline=True
    )
    assert model["artifact_id"] in done.stdout
    assert '"drv_paths": {' in done.stdout and model["drv_paths"]["model"] in done.stdout


def test_builders_see_the_clock_ten_years_ahead_and_give_the_same_bytes(
    archive: Path, tmp_path: Path
) -> None:
    library = faketime_library()
    (tmp_path / "ld.so.preload").write_text("/faketime.so\n")
    (tmp_path / "faketimerc").write_text(f"+{YEARS_AHEAD * 365}d\n")
    inside = f"/etc/ld.so.preload={tmp_path}/ld.so.preload /etc/faketimerc={tmp_path}/faketimerc /faketime.so={library}"
    other = empty_world(tmp_path)
    options = ["--no-out-link", "--option", "sandbox", "true", "--option", "sandbox-paths", inside]
    done = other.run(["./rebuild", *options], cwd=archive, offline=True)
    assert done.returncode == 0, done.stderr
    assert "same bytes: sha256:" in done.stdout
    clock = [str(Path(__file__).with_name("clock.nix")), "--argstr", "archive", str(archive)]
    year = other.run(
        ["nix-build", *clock, *options, "--option", "substituters", ""], cwd=archive, offline=True
    )
    assert year.returncode == 0, year.stderr
    assert int(other.file(year.stdout.strip()).read_text()) >= datetime.now(UTC).year + YEARS_AHEAD - 1
