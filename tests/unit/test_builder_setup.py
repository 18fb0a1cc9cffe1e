"""`reprobuild builder setup`: every line is shown, only ours is touched, and all of it can be taken back."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from tests.gpu_host import HOOK

from reprobuild.cli import wiring
from reprobuild.cli.app import run
from reprobuild.core.nix_conf import builder_lines, included, setting, with_block, without_block

HOOK_PATH = "/usr/local/libexec/reprobuild-gpu-hook"
CONF = "# mine\nsandbox = true\nextra-system-features = kvm\n"
FEATURES = ("--feature", "cuda", "--feature", "nvidia-driver-580")
BLOCK = (
    "# reprobuild builder setup: begin; take out with `reprobuild builder setup --undo`\n"
    "extra-system-features = cuda nvidia-driver-580\n"
    f"pre-build-hook = {HOOK_PATH}\n"
    "# reprobuild builder setup: end\n"
)


@pytest.fixture
def root(tmp_path: Path) -> Path:
    (tmp_path / "etc/nix").mkdir(parents=True)
    (tmp_path / "etc/nix/nix.conf").write_text(CONF)
    return tmp_path


def conf(root: Path) -> str:
    return (root / "etc/nix/nix.conf").read_text()


def tree(root: Path) -> dict[str, tuple[bytes, int]]:
    return {str(p): (p.read_bytes(), p.stat().st_mode) for p in sorted(root.rglob("*")) if p.is_file()}


def setup(capsys: pytest.CaptureFixture[str], root: Path, *options: str, status: int = 0) -> tuple[str, str]:
    assert run(["builder", "setup", "--root", str(root), *options]) == status
    said = capsys.readouterr()
    return said.out, said.err


def refused(capsys: pytest.CaptureFixture[str], root: Path, *options: str, status: int) -> dict[str, Any]:
    out, _ = setup(capsys, root, *FEATURES, "--json", *options, status=status)
    error: dict[str, Any] = json.loads(out)
    return error


def test_it_installs_the_hook_and_says_so_to_nix(root: Path, capsys: pytest.CaptureFixture[str]) -> None:
    _, said = setup(capsys, root, *FEATURES, "--yes")
    assert conf(root) == CONF + BLOCK
    hook = root / HOOK_PATH.lstrip("/")
    assert hook.stat().st_mode & 0o777 == 0o755
    first, rest = hook.read_text().split("\n", 1)
    assert first.startswith("#!/") and first.endswith(" -I")
    assert rest == HOOK.read_text().split("\n", 1)[1]
    assert "restart nix-daemon" in said


def test_the_installed_hook_runs_without_any_path(root: Path, capsys: pytest.CaptureFixture[str]) -> None:
    setup(capsys, root, *FEATURES, "--yes")
    hook = root / HOOK_PATH.lstrip("/")
    done = subprocess.run([hook, "/nix/store/x.drv"], env={}, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (0, "")
    assert "not on this machine" in done.stderr


def test_a_dry_run_shows_every_line_and_changes_nothing(
    root: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    before = tree(root)
    shown, _ = setup(capsys, root, *FEATURES, "--dry-run")
    assert tree(root) == before
    added = [line[1:] for line in shown.splitlines() if line.startswith("+") and not line.startswith("+++")]
    setup(capsys, root, *FEATURES, "--yes")
    assert "\n".join(added) + "\n" == (root / HOOK_PATH.lstrip("/")).read_text() + BLOCK


def test_a_second_run_changes_nothing_and_needs_no_answer(
    root: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    setup(capsys, root, *FEATURES, "--yes")
    before = tree(root)
    out, said = setup(capsys, root, *FEATURES)
    assert (out, said, tree(root)) == ("", "nothing to change\n", before)


def test_other_features_replace_those_of_before(root: Path, capsys: pytest.CaptureFixture[str]) -> None:
    setup(capsys, root, *FEATURES, "--yes")
    (root / "etc/nix/nix.conf").write_text(conf(root) + "cores = 2\n")
    setup(capsys, root, "--feature", "cuda", "--yes")
    assert conf(root) == CONF + "cores = 2\n" + BLOCK.replace(" nvidia-driver-580", "")


@pytest.mark.parametrize("before", [CONF, None])
def test_undo_takes_everything_back(
    root: Path, capsys: pytest.CaptureFixture[str], before: str | None
) -> None:
    if before is None:
        (root / "etc/nix/nix.conf").unlink()
    files = tree(root)
    setup(capsys, root, *FEATURES, "--yes")
    shown, _ = setup(capsys, root, "--undo", "--yes")
    assert tree(root) == files
    assert f"-pre-build-hook = {HOOK_PATH}" in shown


@pytest.mark.parametrize(("answer", "status"), [("y\n", 0), ("n\n", 1), ("", 2)])
def test_it_asks(root: Path, answer: str, status: int) -> None:
    before = tree(root)
    command = [
        *(sys.executable, "-m", "reprobuild", "builder", "setup", "--root", str(root)),
        *FEATURES,
    ]
    done = subprocess.run(command, input=answer, capture_output=True, text=True, check=False)
    assert done.returncode == status, done.stderr
    assert "Change these files? [y/N]" in done.stderr
    assert "Change these files?" not in done.stdout
    assert (tree(root) == before) is (status != 0)


def test_another_hook_is_left_alone_also_in_an_included_file(
    root: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (root / "etc/nix/nix.conf").write_text("!include missing.conf\ninclude more.conf\n")
    (root / "etc/nix/more.conf").write_text("include nix.conf\npre-build-hook = /opt/theirs # ours\n")
    before = tree(root)
    error = refused(capsys, root, "--yes", status=3)
    assert tree(root) == before
    assert error["slug"] == "builder-setup"
    assert error["actual"] == "/opt/theirs"
    assert error["actual_from"] == str(root / "etc/nix/more.conf")
    assert "take that line out" in error["hint"]


def test_an_installer_that_owns_nix_conf_has_a_file_for_other_lines(
    root: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (root / "etc/nix/nix.conf").write_text("!include nix.custom.conf\n")
    setup(capsys, root, *FEATURES, "--yes")
    assert conf(root) == "!include nix.custom.conf\n"
    assert (root / "etc/nix/nix.custom.conf").read_text() == BLOCK
    setup(capsys, root, "--undo", "--yes")
    assert not (root / "etc/nix/nix.custom.conf").exists()


def test_nixos_is_pointed_at_the_module(root: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (root / "etc/NIXOS").touch()
    assert "nixosModules.gpu-builder" in refused(capsys, root, "--yes", status=3)["hint"]


def test_json_writes_with_yes_alone(root: Path, capsys: pytest.CaptureFixture[str]) -> None:
    before = tree(root)
    out, _ = setup(capsys, root, *FEATURES, "--json")
    document = json.loads(out)
    assert document["schema"] == "reprobuild.builder-setup/1"
    assert document["features"] == ["cuda", "nvidia-driver-580"]
    assert [Path(change["file"]).name for change in document["changes"]] == [
        "reprobuild-gpu-hook",
        "nix.conf",
    ]
    assert (document["written"], tree(root)) == (False, before)
    out, _ = setup(capsys, root, *FEATURES, "--json", "--yes")
    assert json.loads(out)["written"] is True
    assert tree(root) != before


def test_builds_that_are_not_isolated_are_warned_of(root: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (root / "etc/nix/nix.conf").write_text("sandbox = false\n")
    _, said = setup(capsys, root, *FEATURES, "--dry-run")
    assert f"warning: {root}/etc/nix/nix.conf: sandbox = false" in said


def test_a_feature_with_a_space_or_comment_is_refused(root: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for name in ("cuda kvm", "cuda#", "", "cuda\nsandbox=false"):
        out, _ = setup(capsys, root, "--feature", name, "--yes", "--json", status=2)
        assert "no system feature" in json.loads(out)["message"]


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
def test_without_the_right_to_write_root_is_named(root: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (root / "etc/nix").chmod(0o555)
    assert "as root" in refused(capsys, root, "--yes", status=3)["hint"]


def test_a_folder_in_the_way_is_named(root: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (root / HOOK_PATH.lstrip("/")).mkdir(parents=True)
    error = refused(capsys, root, "--yes", status=3)
    assert HOOK_PATH in error["message"]


def test_nix_reads_what_is_written_as_it_is_meant() -> None:
    text = with_block("a = 1", builder_lines(["cuda"], HOOK_PATH))
    assert text.startswith("a = 1\n# reprobuild")
    assert without_block(text) == "a = 1\n"
    assert setting(text, "pre-build-hook") is None, "ours does not count"
    assert setting("x = 1\n x=2 # 3\n#x = 4\n", "x") == "2"
    assert included("include a\n !include b.conf \n# include c\n") == ["a", "b.conf"]


def test_features_are_those_of_the_probe(
    root: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    profile = SimpleNamespace(features=("cuda", "gpu-h100"), not_available={})
    monkeypatch.setattr(wiring.Session, "hardware_probe", lambda self: lambda: profile)
    setup(capsys, root, "--yes")
    assert "extra-system-features = cuda gpu-h100\n" in conf(root)


def test_without_a_gpu_the_probes_reason_is_said(
    root: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    profile = SimpleNamespace(features=(), not_available={"features": "NVML is not installed"})
    monkeypatch.setattr(wiring.Session, "hardware_probe", lambda self: lambda: profile)
    before = tree(root)
    out, _ = setup(capsys, root, "--yes", "--json", status=3)
    assert json.loads(out)["actual"] == "NVML is not installed"
    assert tree(root) == before
