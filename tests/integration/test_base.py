"""The Debian bases of both suites: whole, closed in themselves, and rebuilt bit by bit."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pytest
from tests.integration.conftest import World, write_tiny

pytestmark = pytest.mark.integration

SETTINGS = "build-users-group =\nsandbox = true\nsandbox-fallback = false\nsandbox-paths =\nsubstituters ="

# Runs as a stage, in the sandbox. No wheel is there: what works, works out of the base.
PROBE = """
import importlib, json, os, sys, sysconfig, zoneinfo
from pathlib import Path
from reprobuild_worker import stage

broken = {}
modules = sorted({p.name.split(".")[0] for p in Path(os.__file__).parent.joinpath("lib-dynload").glob("*.so")})
for name in [*modules, "asyncio", "bz2", "ctypes", "curses", "lzma", "multiprocessing", "sqlite3", "ssl", "zlib"]:
    try:
        importlib.import_module(name)
    except Exception as error:
        broken[name] = repr(error)
mapped = {line.split(maxsplit=5)[5].strip() for line in open("/proc/self/maps") if len(line.split()) > 5}
stage.save_json("numbers.json", {
    "modules": len(modules),
    "broken": broken,
    "base": sys.base_prefix,
    "version": list(sys.version_info[:2]),
    "libraries": sorted(p for p in mapped if p.startswith("/")),
    "purelib": os.path.relpath(sysconfig.get_path("purelib"), sys.prefix),
    "winter": str(zoneinfo.ZoneInfo("Europe/Berlin").utcoffset(__import__("datetime").datetime(2026, 1, 1))),
    "path": [p for p in sys.path if "dist-packages" in p],
})
"""


@pytest.fixture(scope="module", params=["bookworm", "trixie"])
def probed(
    request: pytest.FixtureRequest, world: World, tmp_path_factory: pytest.TempPathFactory
) -> tuple[Path, dict[str, Any]]:
    """A project on this suite's base, and what a stage found there."""
    project = write_tiny(tmp_path_factory.mktemp(request.param) / "probe")
    spec = project / "reprobuild.toml"
    spec.write_text(spec.read_text() + f'\n[base]\nsuite = "{request.param}"\n')
    (project / "train.py").write_text(PROBE)
    world.reprobuild("lock", cwd=project)
    built = world.json("nix", "build", "--stage", "train", cwd=project)
    found = json.loads((world.file(built["outputs"]["train"]) / "numbers.json").read_text())
    return project, found


def test_every_module_of_the_standard_library_can_be_imported(probed: tuple[Path, dict[str, Any]]) -> None:
    found = probed[1]
    assert found["modules"] > 30
    assert found["broken"] == {}


def test_nothing_is_loaded_from_the_host(probed: tuple[Path, dict[str, Any]]) -> None:
    assert [path for path in probed[1]["libraries"] if not path.startswith(probed[1]["base"])] == []


def test_packages_are_looked_for_where_a_venv_has_them(probed: tuple[Path, dict[str, Any]]) -> None:
    major, minor = probed[1]["version"]
    assert probed[1]["purelib"] == f"lib/python{major}.{minor}/site-packages"
    assert probed[1]["path"] == []


def test_time_zones_are_known(probed: tuple[Path, dict[str, Any]]) -> None:
    assert probed[1]["winter"] == "1:00:00"


def test_no_link_and_no_script_leads_out_of_the_base(
    world: World, probed: tuple[Path, dict[str, Any]]
) -> None:
    base = probed[1]["base"]
    root = world.file(base)
    links = [path for path in root.rglob("*") if path.is_symlink()]
    place = {path: Path(base, path.relative_to(root)) for path in links}
    targets = {path: os.path.normpath(place[path].parent / path.readlink()) for path in links}
    assert [path for path, target in targets.items() if not target.startswith(f"{base}/")] == []
    assert [path for path, target in targets.items() if not os.path.lexists(world.file(target))] == []
    first_lines = [path.open("rb").readline() for path in (root / "bin").iterdir() if not path.is_symlink()]
    assert [line for line in first_lines if line.startswith(b"#!") and base.encode() not in line] == []


def test_it_refers_to_itself_only(world: World, probed: tuple[Path, dict[str, Any]]) -> None:
    project, found = probed
    query = ["nix-store", "--query", "--references", found["base"]]
    done = world.run(query, cwd=project, env={"NIX_CONFIG": SETTINGS})
    assert done.stdout.split() == [found["base"]]


def test_a_rebuild_gives_the_same_bytes(world: World, probed: tuple[Path, dict[str, Any]]) -> None:
    project, _ = probed
    derivations = world.json("nix", "eval", cwd=project)["derivations"]
    paths = [derivations[name]["drv_path"] for name in ("base", "environment")]
    done = world.run(["nix-store", "--realise", "--check", *paths], cwd=project, env={"NIX_CONFIG": SETTINGS})
    assert done.returncode == 0, done.stderr
