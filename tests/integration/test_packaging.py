"""The wheel carries all that a build needs, and an installed command gives the same derivations as a checkout."""

from __future__ import annotations

import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest
from tests.integration.conftest import REPOSITORY, World

pytestmark = pytest.mark.integration


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel, made from a clean copy and unpacked as an installer does."""
    root = tmp_path_factory.mktemp("wheel")
    checkout = root / "checkout"
    tracked = subprocess.run(
        ["git", "ls-files", "-z"], cwd=REPOSITORY, capture_output=True, text=True, check=True
    )
    for name in filter(None, tracked.stdout.split("\0")):
        if (REPOSITORY / name).exists():
            (checkout / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(REPOSITORY / name, checkout / name)
    build = [sys.executable, "-m", "hatchling", "build", "--target", "wheel", "--directory", str(root)]
    subprocess.run(build, cwd=checkout, check=True, capture_output=True)
    with zipfile.ZipFile(next(root.glob("*.whl"))) as wheel:
        wheel.extractall(root / "site")
    return root / "site"


def test_the_wheel_holds_library_worker_templates_and_keys(installed: Path) -> None:
    data = installed / "reprobuild" / "_data"
    for name in (
        "nix/default.nix",
        "nix/builders/wheel.py",
        "python/reprobuild_handshake/compare.py",
        "python/reprobuild_probe/profile.py",
        "python/reprobuild_worker/api.py",
        "templates/archive/rebuild",
        "templates/ci/github.yml",
        "templates/quickstart/reprobuild.toml",
        "templates/quickstart/data/digits.csv.gz",
    ):
        assert (data / name).is_file(), name
    assert (installed / "reprobuild/cli/page/style.css").is_file()
    assert (installed / "reprobuild_verify/__main__.py").is_file()
    assert (installed / "reprobuild_probe/__main__.py").is_file()  # `builder probe` runs it
    assert list((installed / "reprobuild" / "data" / "debian-archive-keys").glob("*.asc"))


def test_an_installed_command_gives_the_same_derivations_as_a_checkout(
    world: World, tiny: Path, installed: Path
) -> None:
    here = world.json("nix", "eval", cwd=tiny)
    there = world.json("nix", "eval", cwd=tiny, env={"PYTHONPATH": str(installed)})
    assert there == here
