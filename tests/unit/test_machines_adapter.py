"""Machines files on disk: read as empty where there are none, replaced whole, through links."""

from __future__ import annotations

from pathlib import Path

import pytest

from reprobuild.adapters.nix import machines
from reprobuild.errors import MachinesFileError


def test_the_users_file_follows_the_xdg_folders(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.delenv("XDG_CONFIG_HOME", raising=False)
    assert machines.user_file() == tmp_path / ".config/reprobuild/machines"
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "xdg"))
    assert machines.user_file() == tmp_path / "xdg/reprobuild/machines"


def test_a_file_that_is_not_there_is_empty_and_one_that_is_no_text_is_named(tmp_path: Path) -> None:
    assert machines.read_text(tmp_path / "machines") == ""
    (tmp_path / "machines").write_bytes(b"\xff")
    with pytest.raises(MachinesFileError, match="machines cannot be read"):
        machines.read_text(tmp_path / "machines")


def test_a_file_is_replaced_through_its_link_and_keeps_its_rights(tmp_path: Path) -> None:
    target, link = tmp_path / "dotfiles", tmp_path / "config/machines"
    target.write_text("old\n")
    target.chmod(0o600)
    link.parent.mkdir()
    link.symlink_to(target)
    machines.write_text(link, "new\n")
    assert link.is_symlink() and target.read_text() == "new\n"
    assert target.stat().st_mode & 0o777 == 0o600
    assert sorted(path.name for path in tmp_path.iterdir()) == ["config", "dotfiles"]


def test_a_folder_is_made_and_a_place_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    machines.write_text(tmp_path / "a/b/machines", "x\n")
    assert (tmp_path / "a/b/machines").read_text() == "x\n"
    with pytest.raises(MachinesFileError, match="cannot be written"):
        machines.write_text(tmp_path / "a/b/machines/machines", "x\n")
