"""The GPU hook under a real Nix: who sees devices and driver, and what a refusal looks like to whoever builds.

Device nodes are copies of /dev/null, libraries are text files: stand-ins, there is no GPU. tests/gpu has a real one.
"""

from __future__ import annotations

import json
import os
import re
import subprocess
from dataclasses import dataclass
from pathlib import Path

import pytest
from tests.gpu_host import LIBRARY_FOLDER, VERSION, write_gpu_host, write_hook
from tests.integration.conftest import World
from tests.integration.stranger import as_user

pytestmark = pytest.mark.integration

LOOK = """
import json, os, pathlib
from reprobuild_worker import stage

names = lambda folder: sorted(os.listdir(folder)) if os.path.isdir(folder) else []
driver = pathlib.Path("/run/opengl-driver/lib")
stage.save_json("numbers.json", {
    "lr": 0.1,
    "nvidia": [name for name in names("/dev") if name.startswith("nvidia")],
    "caps": names("/dev/nvidia-caps"),
    "device": os.major(os.stat("/dev/nvidia0").st_rdev) if os.path.exists("/dev/nvidia0") else None,
    "disk": os.path.exists("/dev/sda"),
    "driver": {name: (driver / name).read_text() for name in names(driver)},
    "text": {text},
})
"""
REFUSAL = "the GPU hook of the machine that builds refused: no libcuda.so.1 found"


@pytest.fixture
def host(tmp_path: Path) -> Path:
    return write_gpu_host(tmp_path / "host")


@pytest.fixture
def project(tiny: Path) -> Path:
    """Says what its stage `train` sees; no other test has built it."""
    (tiny / "train.py").write_text(LOOK.replace("{text}", repr(str(tiny))))
    return tiny


def on_gpu(project: Path) -> Path:
    """Asks by a feature of these tests: with `gpu = true` the stage would measure the stand-ins, and refuse them."""
    spec = project / "reprobuild.toml"
    text = spec.read_text().replace('run = "train.py"', 'run = "train.py"\nfeatures = ["stand-in"]')
    spec.write_text(text)
    return project


def settings(tmp_path: Path, host: Path) -> dict[str, str]:
    """What `reprobuild builder setup` writes into nix.conf, with a hook that looks at the stand-in."""
    hook = write_hook(tmp_path, host)
    (host / "etc/reprobuild").mkdir(parents=True)
    (host / "etc/reprobuild/gpu-hook.json").write_text('{"features": ["cuda", "stand-in"]}')
    lines = ["build-users-group =", "extra-system-features = cuda stand-in", f"pre-build-hook = {hook}"]
    return {"NIX_CONFIG": "\n".join(lines)}


def seen(world: World, project: Path, env: dict[str, str]) -> dict[str, object]:
    done = world.json("nix", "build", "--stage", "train", cwd=project, env=env)
    found: dict[str, object] = json.loads((world.file(done["outputs"]["train"]) / "numbers.json").read_text())
    return found


@pytest.mark.skipif(os.geteuid() != 0, reason="makes device nodes, which needs root")
def test_a_stage_on_a_gpu_sees_devices_and_driver(
    world: World, project: Path, host: Path, tmp_path: Path
) -> None:
    (host / "dev/nvidia0").unlink()
    os.mknod(host / "dev/real0", 0o666 | 0o020000, os.makedev(1, 3))
    (host / "dev/nvidia0").symlink_to("real0")
    found = seen(world, on_gpu(project), settings(tmp_path, host))
    assert found["nvidia"] == [
        *("nvidia-caps", "nvidia-modeset", "nvidia-uvm", "nvidia-uvm-tools"),
        *("nvidia0", "nvidia1", "nvidiactl"),
    ]
    assert found["caps"] == ["nvidia-cap1", "nvidia-cap2"]
    assert found["device"] == 1, "through the link"
    assert found["disk"] is False
    driver = found["driver"]
    assert isinstance(driver, dict)
    assert driver["libcuda.so"] == driver["libcuda.so.1"] == f"libcuda {VERSION}"
    assert not [name for name in driver if "GLX" in name]


def test_a_stage_that_does_not_ask_sees_nothing_of_it(
    world: World, project: Path, host: Path, tmp_path: Path
) -> None:
    found = seen(world, project, settings(tmp_path, host))
    assert (found["nvidia"], found["caps"], found["driver"]) == ([], [], {})


def test_without_driver_the_build_fails_with_the_hooks_line(
    world: World, project: Path, tmp_path: Path
) -> None:
    host = write_gpu_host(tmp_path / "host", libraries=False)
    env = settings(tmp_path, host)
    error = world.json("nix", "build", cwd=on_gpu(project), env=env, status=3)
    assert error["slug"] == "gpu-hook"
    assert error["message"] == f"tiny 1.0.0: {REFUSAL}"
    assert error["hint"].startswith("install the driver")


def test_a_driver_with_a_broken_link_is_named(
    world: World, project: Path, host: Path, tmp_path: Path
) -> None:
    (host / LIBRARY_FOLDER / f"libcuda.so.{VERSION}").unlink()
    done = world.reprobuild("nix", "build", cwd=on_gpu(project), env=settings(tmp_path, host), status=3)
    assert f"is a link to /{LIBRARY_FOLDER}/libcuda.so.{VERSION}, which does not exist" in done.stderr


@pytest.mark.skipif(os.geteuid() != 0, reason="starts a daemon of its own, which needs root")
def test_through_a_daemon_the_line_reaches_the_user_too(world: World, project: Path, tmp_path: Path) -> None:
    host = write_gpu_host(tmp_path / "host", libraries=False)
    hook = settings(tmp_path, host)["NIX_CONFIG"].removeprefix("build-users-group =\n")
    # What the daemon's nix.conf says is read by the user's Nix too; here each has its own.
    config = tmp_path / "stranger/.config/nix/nix.conf"
    config.parent.mkdir(parents=True)
    config.write_text("extra-system-features = cuda stand-in\n")
    done = as_user(world, on_gpu(project), "true\n" + hook, "nix", "build")
    assert done.returncode == 3, done.stderr
    assert REFUSAL in done.stderr


# A builder as Nix's own remote building sees it: another store, reached by Nix's protocol. In place of ssh, a script
# runs the daemon there, in a mount namespace of its own. tests/integration/hosts.py has real hosts.
# Newer releases of Nix ask for a shared connection (`-O check`) and wait for a line that ssh itself says.
SSH = """#!/bin/sh
case "$*" in
  *"-O check"*) exit 1 ;;
  *"echo started"*) echo started ;;
esac
export NIX_CONFIG="{config}"
exec unshare --mount sh -c 'mount --bind {there} /nix && exec nix-daemon --stdio' 2>>{there}/../stderr
"""
DERIVATION = """
derivation {{
  name = "looks"; system = "x86_64-linux"; salt = "{salt}";
  builder = "/bin/sh"; args = [ "-c" "echo /dev/* /run/opengl-driver/lib/* >$out" ];
  requiredSystemFeatures = [ "cuda" ];
}}
"""


@dataclass
class Builder:
    """A machine that takes builds from this world."""

    world: World
    folder: Path
    env: dict[str, str]

    def nix(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        config = "build-users-group =\nsubstituters =\nexperimental-features = nix-command"
        return self.world.run([*arguments], cwd=self.folder, env={**self.env, "NIX_CONFIG": config})

    def instantiate(self) -> str:
        """A derivation that asks for a GPU and says what it sees."""
        return self.nix("nix-instantiate", "--expr", DERIVATION.format(salt=self.folder)).stdout.strip()

    def realise(self, drv: str) -> subprocess.CompletedProcess[str]:
        """By the classic way: Nix sends what to build, and not the derivation."""
        machine = "ssh-ng://there x86_64-linux - 1 1 cuda"
        return self.nix("nix-store", "--realise", drv, "--max-jobs", "0", "--builders", machine)


@pytest.fixture
def builder(world: World, host: Path, tmp_path: Path) -> Builder:
    """The hook is there alone, and the tools that the derivation runs are shown by its nix.conf."""
    if os.geteuid() != 0:
        pytest.skip("mounts a second store, which needs root")
    there, programs = tmp_path / "there", tmp_path / "programs"
    (there / "store").mkdir(parents=True)
    programs.mkdir()
    shell = subprocess.run(["ldd", "/bin/sh"], capture_output=True, text=True, check=True).stdout
    needed = {"/bin/sh", *re.findall(r"(/\S+) \(", shell)}
    paths = " ".join(f"{path}={os.path.realpath(path)}" for path in sorted(needed))
    config = settings(tmp_path, host)["NIX_CONFIG"] + f"\nsandbox = true\nsandbox-paths = {paths}"
    ssh = programs / "ssh"
    ssh.write_text(SSH.format(config=config, there=there))
    ssh.chmod(0o755)
    return Builder(world, tmp_path, {"PATH": f"{programs}:{os.environ['PATH']}"})


def test_a_classic_remote_build_has_no_derivation_there_and_no_gpu(builder: Builder) -> None:
    drv = builder.instantiate()
    done = builder.realise(drv)
    assert done.returncode == 0, done.stderr
    said = (builder.folder / "stderr").read_text()
    assert f"{drv} is not on this machine (NixOS/nix#9272): no GPU is shown" in said, "in that Nix's own log"
    assert "nvidia" not in builder.world.file(done.stdout.strip()).read_text()


def test_once_the_derivation_is_copied_the_classic_build_has_its_gpu(builder: Builder) -> None:
    drv = builder.instantiate()
    copied = builder.nix("nix", "copy", "--derivation", "--to", "ssh-ng://there", drv)
    assert copied.returncode == 0, copied.stderr
    done = builder.realise(drv)
    assert done.returncode == 0, done.stderr
    shown = builder.world.file(done.stdout.strip()).read_text().split()
    assert {"/dev/nvidia0", "/dev/nvidiactl", "/run/opengl-driver/lib/libcuda.so.1"} <= set(shown)


def test_a_builder_for_gpus_alone_refuses_what_it_cannot_read(builder: Builder, host: Path) -> None:
    (host / "etc/reprobuild/gpu-hook.json").write_text('{"without_derivation": "refuse"}')
    done = builder.realise(builder.instantiate())
    assert done.returncode != 0
    assert "copy the derivations first: reprobuild does with --builder" in done.stderr
