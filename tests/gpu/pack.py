"""Put into one folder what the GPU tests need on a machine without network: `scripts/gpu-tests pack FOLDER`.

This checkout, the installed Nix with its libraries, the project's lock and sources, and Python packages. The machine
needs an NVIDIA driver, Python of the given version, util-linux and root.
"""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
import tempfile
import zipfile
from pathlib import Path

from tests.integration.conftest import REPOSITORY, World

PROJECT = Path(__file__).parent / "project"
# uv resolves, numpy compares what differs: neither is asked here, and both are large.
LEFT_OUT = {"uv", "numpy"}
BESIDE = {"pytest", "pluggy", "iniconfig"}
PLATFORMS = ("manylinux_2_28_x86_64", "manylinux_2_17_x86_64", "manylinux2014_x86_64")

# The loader is called by name, so that the folder may lie anywhere.
WRAPPER = """#!/bin/sh
nix=$(dirname "$(dirname "$(readlink -f "$0")")")
export NIX_CONF_DIR="$nix/etc"
exec "$nix/lib/{loader}" --argv0 {name} --library-path "$nix/lib" "$nix/nix" "$@"
"""
RUN = """#!/bin/sh
# Run the GPU tests; figures go to the file that is named. As root.
set -e
here=$(dirname "$(readlink -f "$0")")
# Nix asks this program before each build, and would look for it where it was installed.
echo "build-hook = $here/nix/bin/build-remote" > "$here/nix/etc/nix.conf"
export REPROBUILD_GPU_BUNDLE="$here" REPROBUILD_GPU_RESULTS="${{1:-$here/results.json}}"
export PATH="$here/nix/bin:$PATH" PYTHONPATH="$here/packages:$here/repository/python:$here/repository"
export PYTHONDONTWRITEBYTECODE=1
cd "$here/repository"
exec {python} -m pytest -p no:cacheprovider tests/gpu -m gpu
"""


def pack(folder: Path, python: str) -> None:
    folder.mkdir(parents=True)
    _repository(folder / "repository")
    _packages(folder / "packages", python)
    _nix(folder / "nix")
    _sources(folder)
    _script(folder / "run", RUN.format(python=f"python{python}"))


def _repository(target: Path) -> None:
    """Tracked and new files, as they are now."""
    listed = ["git", "-C", str(REPOSITORY), "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    for name in subprocess.run(listed, capture_output=True, text=True, check=True).stdout.split("\0"):
        file = REPOSITORY / name
        if name and file.is_file() and not name.startswith(("docs/", "benchmarks/")):
            (target / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(file, target / name)


def _packages(target: Path, python: str) -> None:
    """Pinned wheels for that Python, unpacked."""
    runtime, dev = (_pins(REPOSITORY / "requirements" / name) for name in ("runtime.txt", "dev.txt"))
    wanted = [pin for name, pin in runtime.items() if name not in LEFT_OUT]
    wanted += [pin for name, pin in dev.items() if name in BESIDE]
    with tempfile.TemporaryDirectory() as made:
        requirements = Path(made, "requirements.txt")
        requirements.write_text("".join(wanted), encoding="utf-8")
        platforms = [word for name in PLATFORMS for word in ("--platform", name)]
        options = [
            "--quiet",
            "--no-deps",
            "--require-hashes",
            "--only-binary=:all:",
            "--python-version",
            python,
        ]
        download = [sys.executable, "-m", "pip", "download", *options, *platforms, "--implementation", "cp"]
        subprocess.run([*download, "--dest", made, "--requirement", str(requirements)], check=True)
        for wheel in sorted(Path(made).glob("*.whl")):
            with zipfile.ZipFile(wheel) as archive:
                archive.extractall(target)


def _pins(file: Path) -> dict[str, str]:
    """Name -> its lines in a requirements file."""
    blocks = re.split(r"^(?=[a-z])", file.read_text(encoding="utf-8"), flags=re.M)
    return {block.partition("==")[0]: block for block in blocks if "==" in block}


def _nix(target: Path) -> None:
    """The installed Nix, with the libraries that it loads."""
    found = shutil.which("nix-store")
    if found is None:
        raise SystemExit("error: nix-store is not installed: scripts/test installs it")
    program = Path(found).resolve()
    listed = subprocess.run(["ldd", program], capture_output=True, text=True, check=True).stdout
    libraries = [Path(path) for path in re.findall(r"(?:=>|^)\s*(/\S+) \(", listed, re.M)]
    (target / "lib").mkdir(parents=True)
    (target / "etc").mkdir()
    shutil.copy(program, target / "nix")
    for library in libraries:
        shutil.copy(library.resolve(), target / "lib" / library.name)
    (loader,) = (library.name for library in libraries if library.name.startswith("ld-linux"))
    for name in ("nix", "nix-store", "nix-instantiate", "build-remote"):
        _script(target / "bin" / name, WRAPPER.format(loader=loader, name=name))


def _sources(folder: Path) -> None:
    """The project's lock, and all its sources as one export of a store."""
    with tempfile.TemporaryDirectory() as made:
        project = Path(made, "driver-only")
        shutil.copytree(PROJECT, project)
        world = World(Path(made, "nix"), Path(made, "home"))
        (world.nix / "store").mkdir(parents=True)
        world.home.mkdir()
        world.reprobuild("lock", cwd=project)
        world.reprobuild("fetch", cwd=project)
        shutil.copy(project / "reprobuild.lock", folder)
        paths = [f"/nix/store/{path.name}" for path in world.nix.glob("store/*-*") if path.suffix != ".lock"]
        with (folder / "sources.export").open("wb") as file:
            command = world.command(["nix-store", "--export", *sorted(paths)])
            subprocess.run(command, env=world.environment(), stdout=file, check=True)
        subprocess.run(["chmod", "-R", "u+w", made], check=False)


def _script(file: Path, text: str) -> None:
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(text, encoding="utf-8")
    file.chmod(0o755)


if __name__ == "__main__":
    pack(Path(sys.argv[1]), sys.argv[2])
