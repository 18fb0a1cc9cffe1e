"""Binary caches: what goes there, what is believed of it, and what damage is found."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest
from tests.integration.conftest import World, write_sourced
from tests.loopback import Files, loopback_files

pytestmark = pytest.mark.integration


class Desk:
    """A built project, a key pair, and a cache that holds all of it, signed."""

    def __init__(self, world: World, folder: Path, project: Path) -> None:
        self.world, self.folder, self.project = world, folder, project
        self.secret, self.public = keys(world, folder, "tests-1")
        self.cache = folder / "cache"
        self.pushed = world.json(
            "cache", "push", f"{self.cache}?compression=none", "--secret-key", str(self.secret), cwd=project
        )

    def elsewhere(self, folder: Path) -> World:
        """An empty store and an empty home that know no index."""
        other = World(folder / "nix", folder / "home", knows_indexes=False)
        (other.nix / "store").mkdir(parents=True)
        other.home.mkdir()
        return other

    def file_of(self, cache: Path, path: str) -> tuple[Path, Path]:
        """Entry and archive of a store path in a cache."""
        entry = cache / f"{path.rpartition('/')[2].partition('-')[0]}.narinfo"
        url = next(line for line in entry.read_text().splitlines() if line.startswith("URL: "))
        return entry, cache / url.removeprefix("URL: ")


def keys(world: World, folder: Path, name: str) -> tuple[Path, str]:
    secret, public = folder / f"{name}.secret", folder / f"{name}.public"
    done = world.run(["nix-store", "--generate-binary-cache-key", name, str(secret), str(public)], cwd=folder)
    assert done.returncode == 0, done.stderr
    return secret, public.read_text().strip()


@pytest.fixture(scope="module")
def desk(world: World, sourced_lock: str, tmp_path_factory: pytest.TempPathFactory) -> Desk:
    folder = tmp_path_factory.mktemp("desk")
    project = write_sourced(folder / "sourced")
    (project / "reprobuild.lock").write_text(sourced_lock)
    world.reprobuild("nix", "build", cwd=project)
    world.reprobuild("fetch", cwd=project)  # sources that another test's garbage collection has taken
    return Desk(world, folder, project)


@pytest.fixture
def copied(desk: Desk, tmp_path: Path) -> Path:
    """A copy of the cache, to be damaged."""
    return shutil.copytree(desk.cache, tmp_path / "copied")


@pytest.fixture
def served(desk: Desk) -> Iterator[Files]:
    with loopback_files(desk.cache) as files:
        yield files


def names(found: dict[str, Any], state: str) -> list[str]:
    return [one["name"] for one in found["findings"] if one["state"] == state]


def test_all_that_was_pushed_is_found_whole_and_signed(desk: Desk) -> None:
    found = desk.world.json("cache", "check", str(desk.cache), "--trusted-key", desk.public, cwd=desk.project)
    assert found["ok"] and found["findings"] == []
    counts = {one["kind"]: one for one in found["kinds"]}
    assert {"deb", "wheel", "tool", "seed", "data", "output"} <= counts.keys()
    assert all(one["missing"] == 0 and one["present_bytes"] > 0 for one in counts.values())
    assert {one["kind"] for one in desk.pushed["moved"]} == counts.keys() - {"reference"}
    again = desk.world.json("cache", "push", str(desk.cache), cwd=desk.project)
    assert again["moved"] == [] and len(again["present"]) == len(desk.pushed["moved"])


def test_damage_is_found_and_named(desk: Desk, copied: Path) -> None:
    paths = {one["name"]: one["path"] for one in desk.pushed["moved"]}
    wheel, package = (next(name for name in paths if name.startswith(kind)) for kind in ("wheel", "deb"))
    _, archive = desk.file_of(copied, paths[wheel])
    flip(archive)
    _, model_archive = desk.file_of(copied, paths["model"])
    flip(model_archive)
    entry, _ = desk.file_of(copied, paths[package])
    entry.write_text("half a line")
    desk.file_of(copied, paths["train"])[0].unlink()
    desk.file_of(copied, paths["evaluate"])[1].unlink()
    found = desk.world.json(
        "cache", "check", str(copied), "--trusted-key", desk.public, cwd=desk.project, status=1
    )
    assert sorted(names(found, "damaged")) == sorted([wheel, package, "model", "evaluate"])
    assert names(found, "missing") == ["train"]
    details = {one["name"]: one["detail"] for one in found["findings"]}
    assert details[wheel].startswith(f"nar/{archive.name}: ")
    assert details[package].startswith(entry.name)
    quick = ("cache", "check", str(copied), "--entries-only", "--trusted-key", desk.public)
    assert set(names(desk.world.json(*quick, cwd=desk.project, status=1), "damaged")) == {package}


def flip(file: Path) -> None:
    """One bit in the middle."""
    content = bytearray(file.read_bytes())
    content[len(content) // 2] ^= 1
    file.chmod(0o644)
    file.write_bytes(content)


def test_an_entry_that_fits_its_archive_and_not_the_lock_is_found(desk: Desk, copied: Path) -> None:
    """Whoever can write to a cache can change both; the lock tells."""
    one, two = [item["path"] for item in desk.pushed["moved"] if item["kind"] == "deb"][:2]
    entry, _ = desk.file_of(copied, one)
    other, _ = desk.file_of(copied, two)
    kept = [line for line in entry.read_text().splitlines() if line.startswith(("StorePath", "CA", "Ref"))]
    taken = [
        line for line in other.read_text().splitlines() if not line.startswith(("StorePath", "CA", "Ref"))
    ]
    entry.write_text("\n".join([*kept, *taken]) + "\n")
    found = desk.world.json("cache", "check", str(copied), "--sources", cwd=desk.project, status=1)
    states = {(finding["state"], finding["path"]) for finding in found["findings"]}
    assert states == {("differs", one), ("damaged", one)}
    assert any("reprobuild.lock" in finding["detail"] for finding in found["findings"])


def test_outputs_are_taken_from_a_trusted_signer_only(desk: Desk, tmp_path: Path) -> None:
    other = desk.elsewhere(tmp_path)
    model = next(one["path"] for one in desk.pushed["moved"] if one["name"] == "model")
    pull = ("cache", "pull", str(desk.cache))
    refused = other.json(*pull, cwd=desk.project, status=1)
    assert (refused["slug"], refused["actual"]) == ("signature", "signatures by tests-1")
    assert "signed by no trusted key" in refused["message"]
    _, stranger = keys(desk.world, tmp_path, "stranger-1")
    assert other.json(*pull, "--trusted-key", stranger, cwd=desk.project, status=1)["slug"] == "signature"
    assert not other.file(model).exists()
    checked = other.json("cache", "check", str(desk.cache), "--entries-only", cwd=desk.project, status=1)
    assert {one["kind"] for one in checked["findings"] if one["state"] == "unsigned"} == {"output"}
    taken = other.json(*pull, "--trusted-key", desk.public, cwd=desk.project)
    assert taken["missing"] == [] and other.file(model).exists()
    assert other.json("nix", "build", "--offline", cwd=desk.project)["built"] == []


def test_unsigned_outputs_are_taken_when_told_so(desk: Desk, copied: Path, tmp_path: Path) -> None:
    for entry in copied.glob("*.narinfo"):
        lines = entry.read_text().splitlines(keepends=True)
        entry.write_text("".join(line for line in lines if not line.startswith("Sig: ")))
    other = desk.elsewhere(tmp_path)
    refused = other.reprobuild("cache", "pull", str(copied), cwd=desk.project, status=1)
    assert "no signature" in refused.stderr
    told = ("cache", "pull", str(copied), "--no-check-signatures", "--outputs")
    assert other.json(*told, cwd=desk.project)["moved"]
    signed = ("cache", "push", str(copied), "--outputs", "--secret-key", str(desk.secret))
    assert desk.world.json(*signed, cwd=desk.project)["moved"] == []
    check = ("cache", "check", str(copied), "--outputs", "--trusted-key", desk.public)
    assert desk.world.json(*check, cwd=desk.project)["ok"], "a second push signs what is there"


def test_a_build_takes_finished_outputs_from_a_web_server(desk: Desk, served: Files, tmp_path: Path) -> None:
    other = desk.elsewhere(tmp_path)
    trusting = {"REPROBUILD_TRUSTED_KEYS": desk.public}
    plan = other.json("plan", "--cache", served.url, "--check", cwd=desk.project, env=trusting)
    assert (plan["build"], [one["name"] for one in plan["take"]], plan["fetch"]) == ([], ["model"], [])
    (count,) = plan["caches"]
    assert count["outputs"] > 3 and count["sources"] > 20 and count["unsigned"] == 0
    built = other.json("nix", "build", "--cache", served.url, cwd=desk.project, env=trusting)
    assert built["built"] == []
    archives = [path for method, path in served.requests if method == "GET" and path.startswith("/nar/")]
    assert len(archives) < 8, "the model and what it refers to, not what it was built from"


def test_without_the_key_a_build_takes_sources_only(desk: Desk, served: Files, tmp_path: Path) -> None:
    other = desk.elsewhere(tmp_path)
    plan = other.json("plan", "--cache", served.url, "--check", cwd=desk.project, status=1)
    assert plan["take"] == [] and plan["caches"][0]["unsigned"] > 3
    assert {one["origin"] for one in plan["fetch"]} == {"binary-cache"}
    assert plan["download_bytes"] > 10_000_000
    done = other.reprobuild("nix", "build", "--cache", served.url, "--json", cwd=desk.project)
    assert "signed by no trusted key" in done.stderr
    assert '"model"' in done.stdout


def test_a_damaged_copy_is_refused_and_the_other_cache_used(desk: Desk, copied: Path, tmp_path: Path) -> None:
    for archive in (copied / "nar").iterdir():
        flip(archive)
    other = desk.elsewhere(tmp_path)
    both = ("--cache", str(copied), "--cache", str(desk.cache))
    fetched = other.json("fetch", "--offline", *both, cwd=desk.project)
    assert {one["origin"] for one in fetched["fetched"]} == {"binary-cache"}
    check = ("cache", "check", str(desk.cache), "--sources")
    assert other.json(*check, cwd=desk.project)["ok"], "the store's copies are those of the lock"
    trusting = {"REPROBUILD_TRUSTED_KEYS": desk.public}
    built = other.json("nix", "build", "--offline", *both, cwd=desk.project, env=trusting)
    assert built["built"] == []
    error = desk.elsewhere(tmp_path / "third").json(
        "cache", "pull", str(copied), "--trusted-key", desk.public, cwd=desk.project, status=102
    )
    assert error["slug"] == "content-mismatch"


def test_a_web_server_that_takes_files_becomes_a_cache(desk: Desk, tmp_path: Path) -> None:
    (tmp_path / "served").mkdir()
    with loopback_files(tmp_path / "served", writable=True) as files:
        push = ("cache", "push", files.url, "--sources", "--secret-key", str(desk.secret))
        desk.world.reprobuild(*push, cwd=desk.project)
        assert desk.world.json("cache", "check", files.url, "--sources", cwd=desk.project)["ok"]
    with loopback_files(tmp_path / "served") as files:
        (tmp_path / "served" / "nix-cache-info").unlink()
        error = desk.world.json("cache", "push", files.url, "--sources", cwd=desk.project, status=3)
        assert error["message"] == f"{files.url}: cannot be written to"


def test_a_project_that_is_not_built_pushes_its_sources_alone(desk: Desk, tiny: Path, tmp_path: Path) -> None:
    spec = tiny / "reprobuild.toml"
    spec.write_text(spec.read_text().replace("lr = 0.1234567", "lr = 0.7654321"))
    error = desk.world.json("cache", "push", str(tmp_path / "cache"), cwd=tiny, status=2)
    assert error["message"] == "tiny 1.0.0 is not built, so its outputs cannot be pushed"
    desk.world.reprobuild("cache", "push", str(tmp_path / "cache"), "--sources", cwd=tiny)
    lacking = desk.world.json("cache", "pull", str(tmp_path / "cache"), cwd=tiny, status=1)
    assert "model" in [one["name"] for one in lacking["missing"]]


def test_a_folder_that_is_no_cache_is_refused(desk: Desk, tmp_path: Path) -> None:
    error = desk.world.json("cache", "check", str(tmp_path), cwd=desk.project, status=2)
    assert "no binary cache" in error["message"]


# Nix's programs, each noting what its command line shows to everybody.
NOTED = """#!/bin/sh
printf '%s\\n' "$*" >>{log}
exec {program} "$@"
"""


def test_a_login_reaches_nix_and_no_command_line(world: World, tiny: Path, tmp_path: Path) -> None:
    folder, log, programs = tmp_path / "cache", tmp_path / "log", tmp_path / "programs"
    folder.mkdir()
    programs.mkdir()
    for program in Path(shutil.which("nix") or "").parent.glob("nix*"):
        (programs / program.name).write_text(NOTED.format(log=log, program=program))
        (programs / program.name).chmod(0o755)
    noting = {"PATH": f"{programs}:{os.environ['PATH']}"}
    world.reprobuild("fetch", cwd=tiny)
    with loopback_files(folder, writable=True) as files:
        password = 'pa"ss w\\rd%'
        files.login = f"ada:{password}"
        url = files.url.replace("://", f"://ada:{quote(password, safe='')}@")
        refused = world.reprobuild("cache", "push", files.url, "--sources", cwd=tiny, status=3)
        assert "401" in refused.stderr and "~/.netrc" in refused.stderr
        pushed = world.json("cache", "push", url, "--sources", cwd=tiny, env=noting)
        assert pushed["moved"]
        assert world.json("cache", "check", url, "--sources", cwd=tiny, env=noting)["ok"]
        other = world.fresh_store(tmp_path / "other")
        netrc, escaped = tmp_path / "netrc", password.replace("\\", r"\\").replace('"', r"\"")
        netrc.write_text(f'machine 127.0.0.1 login ada password "{escaped}"')
        pulled = other.json(
            "cache", "pull", files.url, "--sources", cwd=tiny, env={**noting, "NETRC": str(netrc)}
        )
        assert pulled["moved"]
    said = log.read_text()
    assert f"copy --to {files.url}" in said and f"copy --from {files.url}" in said
    assert "ada" not in said and "pa" + '"' not in said
