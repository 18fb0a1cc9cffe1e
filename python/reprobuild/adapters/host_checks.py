"""The checks of `reprobuild doctor`."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import uv

from reprobuild.adapters.host import nix_version
from reprobuild.adapters.nix.process import run, runs_builds_as_root, uses_daemon
from reprobuild.adapters.nix.sandbox import sandbox_problem
from reprobuild.adapters.resources import nix_library
from reprobuild.domain.finding import Finding
from reprobuild.errors import ReprobuildError

OLDEST_NIX = (2, 8)
TRIED_NIX = "2.8, 2.26 and 2.34"  # tests/integration/test_nix_releases.py
NEEDED_FREE_BYTES = 5_000_000_000


def check_nix() -> Finding:
    try:
        version = nix_version()
    except ReprobuildError as error:
        return Finding("nix", "failed", error.message, error.hint)
    numbers = tuple(int(part) for part in version.split(".")[:2] if part.isdigit())
    if numbers < OLDEST_NIX:
        return Finding("nix", "failed", f"version {version}", "install Nix 2.8 or newer")
    return Finding("nix", "ok", f"version {version}; reprobuild was tried with {TRIED_NIX}")


def check_store() -> Finding:
    if uses_daemon():
        return (
            Finding("store", "ok", "through nix-daemon")
            if _answers()
            else Finding(
                "store",
                "failed",
                "nix-daemon does not answer",
                "start it: `sudo systemctl start nix-daemon`, or `sudo nix-daemon &` where there is no systemd",
            )
        )
    if _answers():
        return Finding("store", "ok", "local, written directly")
    return Finding(
        "store",
        "failed",
        "cannot be opened",
        "look at the output of `nix-store --check-validity --print-invalid`",
    )


def check_user_namespaces() -> Finding:
    done = subprocess.run(["unshare", "--user", "--map-root-user", "true"], capture_output=True, check=False)
    if done.returncode == 0:
        return Finding("user namespaces", "ok", "available")
    return Finding(
        "user namespaces",
        "warning" if os.geteuid() == 0 or uses_daemon() else "failed",
        "not available to this user",
        "as root: `sysctl -w kernel.unprivileged_userns_clone=1 user.max_user_namespaces=15000`",
    )


def check_build_users() -> Finding:
    if not runs_builds_as_root():
        return Finding("build users", "ok", "builds run as users of their own")
    return Finding(
        "build users",
        "warning",
        "none: builds run as root, and a stage that means to could change what it reads",
        "make the group nixbld with users in it (on Debian: `apt install nix-setup-systemd`)",
    )


def check_sandbox() -> Finding:
    problem = sandbox_problem(nix_library())
    if problem is None:
        return Finding("sandbox", "ok", "a build sees no network and no host files")
    return Finding(
        "sandbox",
        "failed",
        problem,
        "with nix-daemon, put `sandbox = true` into /etc/nix/nix.conf and restart it; in a container, allow user "
        "namespaces and mounts",
    )


def check_disk() -> Finding:
    place = Path("/nix/store") if Path("/nix/store").exists() else Path("/")
    free = shutil.disk_usage(place).free
    text = f"{free / 1e9:.1f} GB free at {place}"
    if free < NEEDED_FREE_BYTES:
        return Finding(
            "disk", "warning", text, "a torch environment takes about 2 GB: `nix-collect-garbage` frees some"
        )
    return Finding("disk", "ok", text)


def check_uv() -> Finding:
    try:
        path = uv.find_uv_bin()
    except FileNotFoundError:
        return Finding("uv", "failed", "not installed", "install it with `pip install uv`")
    done = subprocess.run([path, "--version"], capture_output=True, text=True, check=False)
    if done.returncode != 0:
        return Finding("uv", "failed", done.stderr.strip() or f"{path} does not run", "install uv again")
    return Finding("uv", "ok", done.stdout.strip())


def check_gpu() -> Finding:
    import pynvml

    try:
        pynvml.nvmlInit()
    except pynvml.NVMLError as error:
        return Finding("gpu", "ok", f"none that NVML sees ({error}): builds run on the CPU")
    try:
        driver = pynvml.nvmlSystemGetDriverVersion()
        names = [
            pynvml.nvmlDeviceGetName(pynvml.nvmlDeviceGetHandleByIndex(index))
            for index in range(pynvml.nvmlDeviceGetCount())
        ]
    finally:
        pynvml.nvmlShutdown()
    return Finding("gpu", "ok", f"{', '.join(map(str, names))}, driver {driver}")


def _answers() -> bool:
    try:
        run("nix-store", ["--check-validity", "--print-invalid"], ok=(0, 1))
    except ReprobuildError:
        return False
    return True


ALL = (
    check_nix,
    check_store,
    check_user_namespaces,
    check_build_users,
    check_sandbox,
    check_disk,
    check_uv,
    check_gpu,
)
