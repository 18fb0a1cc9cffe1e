"""The GPU hook opens devices and driver for builds that ask, and says in one line what is missing.

Stand-ins for a machine, see tests/gpu_host.py: no GPU is needed, and none is used.
"""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

import pytest
from tests.gpu_host import CAPS, DEVICES, HOOK, LIBRARIES, LIBRARY_FOLDER, VERSION, write_gpu_host

LIB = "/run/opengl-driver/lib"


@pytest.fixture
def host(tmp_path: Path) -> Path:
    return write_gpu_host(tmp_path / "host")


def aterm(value: object) -> str:
    """As Nix writes it: lists of texts."""
    if isinstance(value, str):
        escaped = value.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
        return f'"{escaped}"'
    if isinstance(value, tuple):
        return f"({','.join(map(aterm, value))})"
    assert isinstance(value, list)
    return f"[{','.join(map(aterm, value))}]"


def write_drv(folder: Path, *features: str, structured: bool = False, **more: str) -> Path:
    if structured:
        environment = {"__json": json.dumps({"requiredSystemFeatures": features, "a": ["x\n"]}), **more}
    else:
        environment = {"requiredSystemFeatures": " ".join(features), **more}
    fields = (
        [("out", "/nix/store/x-out", "", "")],
        [("/nix/store/y.drv", ["out"])],
        ["/nix/store/z"],
        "x86_64-linux",
        "/bin/sh",
        ["-c", 'echo "(cuda)]"'],
        sorted(environment.items()),
    )
    file = folder / "q-train.drv"
    file.write_text("Derive" + aterm(fields))
    return file


def run(host: Path, *arguments: str | Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [HOOK, "--root", host, *arguments], capture_output=True, text=True, check=False, timeout=30
    )


def mounts(done: subprocess.CompletedProcess[str]) -> dict[str, str]:
    """Name inside -> file outside, as Nix reads the answer."""
    assert done.returncode == 0, done.stderr
    assert done.stderr == ""
    head, *lines, end, last = done.stdout.split("\n")
    assert (head, end, last) == ("extra-sandbox-paths", "", "")
    return dict(line.split("=", 1) for line in lines)


def line_of(done: subprocess.CompletedProcess[str]) -> str:
    """The one line of a refusal."""
    assert (done.returncode, done.stdout) == (1, "")
    (line,) = done.stderr.splitlines()
    assert line.startswith("reprobuild-gpu-hook: ")
    return line


@pytest.mark.parametrize("structured", [False, True])
def test_a_build_that_asks_is_shown_devices_and_driver(host: Path, tmp_path: Path, structured: bool) -> None:
    shown = mounts(run(host, write_drv(tmp_path, "big-parallel", "cuda", structured=structured)))
    assert set(shown) == {
        *(f"/dev/{name}" for name in DEVICES),
        *(f"/dev/nvidia-caps/{name}" for name in CAPS),
        *(f"{LIB}/{name}.so{end}" for name in LIBRARIES for end in ("", ".1", f".{VERSION}")),
    }
    assert shown["/dev/nvidia0"] == f"{host}/dev/nvidia0"
    assert shown[f"{LIB}/libcuda.so.1"] == f"{host}/{LIBRARY_FOLDER}/libcuda.so.{VERSION}"


@pytest.mark.parametrize("structured", [False, True])
@pytest.mark.parametrize("features", [[], ["kvm"], ["cuda-sm-90"], ["nocuda"]])
def test_a_build_that_does_not_ask_is_shown_nothing(
    host: Path, tmp_path: Path, features: list[str], structured: bool
) -> None:
    drv = write_drv(tmp_path, *features, structured=structured, note='requiredSystemFeatures","cuda\n')
    done = run(host, drv)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


def test_a_build_that_does_not_ask_runs_on_a_machine_without_driver(tmp_path: Path) -> None:
    (tmp_path / "host").mkdir()
    assert run(tmp_path / "host", write_drv(tmp_path)).returncode == 0


def test_no_mounted_file_is_a_link_and_every_step_of_a_chain_is_there(host: Path, tmp_path: Path) -> None:
    (host / "dev/nvidia0").rename(host / "dev/real0")
    (host / "dev/nvidia0").symlink_to("/dev/step0")
    (host / "dev/step0").symlink_to("real0")
    shown = mounts(run(host, write_drv(tmp_path, "cuda")))
    assert {shown[f"/dev/{name}"] for name in ("nvidia0", "step0", "real0")} == {f"{host}/dev/real0"}
    assert not [path for path in shown.values() if Path(path).is_symlink()]


def test_nixos_has_its_driver_in_the_folder_that_stages_look_in(host: Path, tmp_path: Path) -> None:
    store, link = host / "nix/store/v-nvidia/lib", host / "run/opengl-driver/lib"
    store.mkdir(parents=True)
    link.mkdir(parents=True)
    (store / "libcuda.so.1").write_text("of the store")
    (link / "libcuda.so.1").symlink_to("/nix/store/v-nvidia/lib/libcuda.so.1")
    shown = mounts(run(host, write_drv(tmp_path, "cuda")))
    assert [path for path in shown if path.startswith(LIB)] == [f"{LIB}/libcuda.so.1"], "of one driver only"
    assert shown[f"{LIB}/libcuda.so.1"] == f"{store}/libcuda.so.1"


def test_wsl_has_one_device_and_the_hosts_driver(tmp_path: Path) -> None:
    host = tmp_path / "host"
    for path in ("dev/dxg", "usr/lib/wsl/lib/libcuda.so.1", "usr/lib/wsl/drivers/nv/libcuda.so.1.1"):
        (host / path).parent.mkdir(parents=True, exist_ok=True)
        (host / path).write_text(path)
    shown = mounts(run(host, write_drv(tmp_path, "cuda")))
    assert set(shown) == {"/dev/dxg", f"{LIB}/libcuda.so.1", "/usr/lib/wsl/drivers"}


def without(host: Path, name: str) -> None:
    for path in list(host.rglob(name)):
        path.unlink()


@pytest.mark.parametrize(
    ("gone", "said"),
    [
        ("nvidia[0-9]", "no NVIDIA device: /dev/nvidia0 is missing; load the driver (try nvidia-smi)"),
        ("nvidiactl", "/dev/nvidiactl is missing; make it with nvidia-modprobe -u -c=0, as root"),
        ("nvidia-uvm", "/dev/nvidia-uvm is missing; make it with nvidia-modprobe -u -c=0, as root"),
        ("libcuda.so.1", "no libcuda.so.1 found; install the driver, or set driver_folder in "),
        (
            f"libcuda.so.{VERSION}",
            f"/{LIBRARY_FOLDER}/libcuda.so is a link to /{LIBRARY_FOLDER}/libcuda.so.{VERSION}, "
            "which does not exist; install the driver again",
        ),
    ],
)
def test_what_is_missing_is_said_in_one_line(host: Path, tmp_path: Path, gone: str, said: str) -> None:
    without(host, gone)
    assert said in line_of(run(host, write_drv(tmp_path, "cuda")))


def test_within_a_sandbox_the_line_is_a_command_that_nix_refuses_and_quotes(
    host: Path, tmp_path: Path
) -> None:
    without(host, "libcuda*")
    drv = write_drv(tmp_path, "cuda")
    done = run(host, drv, f"{drv}.chroot")
    assert done.stdout == done.stderr
    assert done.stdout.startswith("reprobuild-gpu-hook: no libcuda.so.1 found")
    assert "'" not in done.stdout, "Nix puts it between quotes"


@pytest.mark.parametrize("text", ["", "ELF", "Derive(", "Derive([],[]", "Derive([],[])", 'Derive([("a")])'])
def test_a_derivation_that_cannot_be_read_is_refused(host: Path, tmp_path: Path, text: str) -> None:
    (tmp_path / "q-x.drv").write_text(text)
    line = line_of(run(host, tmp_path / "q-x.drv"))
    assert f"{tmp_path}/q-x.drv cannot be read" in line and "nix-store --verify-path" in line


def test_without_the_derivation_no_gpu_is_shown_and_the_build_goes_on(host: Path) -> None:
    done = run(host, "/nix/store/q-x.drv", "/nix/store/q-x.drv.chroot")
    assert (done.returncode, done.stdout) == (0, "")
    (line,) = done.stderr.splitlines()
    assert "/nix/store/q-x.drv is not on this machine (NixOS/nix#9272)" in line


def write_settings(host: Path, **settings: object) -> None:
    (host / "etc/reprobuild").mkdir(parents=True)
    (host / "etc/reprobuild/gpu-hook.json").write_text(json.dumps(settings))


def test_a_machine_for_gpu_builds_alone_refuses_without_the_derivation(host: Path) -> None:
    write_settings(host, without_derivation="refuse")
    line = line_of(run(host, "/nix/store/q-x.drv"))
    assert "copy the derivations first: reprobuild does with --builder" in line


@pytest.mark.parametrize("sandbox", [".chroot", ".chroot/root"])
def test_a_store_at_another_place_has_its_derivation_there(host: Path, tmp_path: Path, sandbox: str) -> None:
    drv = write_drv(tmp_path, "cuda")
    done = run(host, f"/nix/store/{drv.name}", f"{drv}{sandbox}")
    assert "/dev/nvidia0" in mounts(done)


def test_settings_add_files_folders_with_what_they_link_to_and_feature_names(
    host: Path, tmp_path: Path
) -> None:
    for path in ("opt/fabric/state", "opt/elsewhere/far", "opt/libextra.so.1"):
        (host / path).parent.mkdir(parents=True, exist_ok=True)
        (host / path).write_text(path)
    (host / "opt/fabric/near").symlink_to("state")
    (host / "opt/fabric/out").symlink_to("/opt/elsewhere/far")
    write_settings(host, features=["gpu"], paths=["/opt/fabric"], libraries=["/opt/libextra.so.1"])
    shown = mounts(run(host, write_drv(tmp_path, "gpu")))
    assert shown["/opt/fabric"] == f"{host}/opt/fabric"
    assert shown["/opt/elsewhere/far"] == f"{host}/opt/elsewhere/far"
    assert "/opt/fabric/state" not in shown, "it comes with its folder"
    assert shown[f"{LIB}/libextra.so.1"] == f"{host}/opt/libextra.so.1"
    assert run(host, write_drv(tmp_path, "cuda")).stdout == ""


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ({"feature": ["x"]}, "unknown key feature, known are features, paths,"),
        ({"without_derivation": "guess"}, "without_derivation is continue or refuse"),
        ({"paths": ["/opt/none"]}, "/opt/none does not exist"),
        ({"driver_folder": "/opt"}, "libcuda.so.1 is not in /opt; mend driver_folder"),
    ],
)
def test_wrong_settings_are_named(host: Path, tmp_path: Path, settings: dict[str, object], said: str) -> None:
    write_settings(host, **settings)
    line = line_of(run(host, write_drv(tmp_path, "cuda")))
    assert said in line and "gpu-hook.json" in line


def test_it_runs_with_the_oldest_python_it_names_and_the_standard_library_alone() -> None:
    import ast

    tree = ast.parse(HOOK.read_text(encoding="utf-8"), feature_version=(3, 8))
    imported = {n.names[0].name for n in ast.walk(tree) if isinstance(n, ast.Import)}
    assert imported == {"json", "os", "re", "subprocess", "sys"}
