"""Claims about NAR digests; known answers from Nix 2.8.0 (`nix-hash --type sha256 FOLDER`)."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reprobuild.domain.nar import (
    File,
    Folder,
    Link,
    nar_of_path,
    nar_of_tree,
    path_chunks,
    seed_tree,
    tree_chunks,
    write_seed,
    write_tree,
)

TREE = Folder(
    {
        "b": File(b"12345678"),
        "a": Folder({}),
        "B": Link("../b"),
        "a.x": File(b"#!/bin/sh\n", executable=True),
        "ä": File(b""),
    }
)
KNOWN = "68454b048a4a07054bfa499b8f8cee84e164b5871340102d3259aba2eaa10ee0"


def test_known_answer_of_nix() -> None:
    assert nar_of_tree(TREE).digest.hex == KNOWN


def test_memory_and_disk_agree(tmp_path: Path) -> None:
    write_tree(TREE, tmp_path / "t")
    assert b"".join(path_chunks(tmp_path / "t")) == b"".join(tree_chunks(TREE))
    assert nar_of_path(tmp_path / "t") == nar_of_tree(TREE)


@pytest.mark.skipif(shutil.which("nix-hash") is None, reason="no nix-hash here")
def test_nix_agrees(tmp_path: Path) -> None:
    write_tree(TREE, tmp_path / "t")
    run = subprocess.run(
        ["nix-hash", "--type", "sha256", tmp_path / "t"], capture_output=True, text=True, check=True
    )
    assert run.stdout.strip() == nar_of_path(tmp_path / "t").digest.hex


def test_moving_a_folder_and_its_times_and_permissions_keep_the_digest(tmp_path: Path) -> None:
    write_tree(TREE, tmp_path / "t")
    before = nar_of_path(tmp_path / "t")
    (tmp_path / "t" / "b").chmod(0o600)
    os.utime(tmp_path / "t" / "b", (1, 1))
    (tmp_path / "t").rename(tmp_path / "u")
    assert nar_of_path(tmp_path / "u") == before


def test_the_executable_bit_changes_the_digest(tmp_path: Path) -> None:
    write_tree(TREE, tmp_path / "t")
    before = nar_of_path(tmp_path / "t")
    (tmp_path / "t" / "b").chmod(0o700)
    assert nar_of_path(tmp_path / "t").digest != before.digest


def test_a_link_is_not_followed(tmp_path: Path) -> None:
    (tmp_path / "l").symlink_to("/nowhere")
    assert nar_of_path(tmp_path / "l") == nar_of_tree(Link("/nowhere"))


def test_a_pipe_is_refused(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "p")
    with pytest.raises(ValueError, match="p: neither"):
        nar_of_path(tmp_path)


def test_a_file_larger_than_one_piece(tmp_path: Path) -> None:
    content = bytes(range(256)) * 5000 + b"odd"
    (tmp_path / "f").write_bytes(content)
    assert nar_of_path(tmp_path / "f") == nar_of_tree(File(content))


@given(st.dictionaries(st.text("abAB.-é", min_size=1, max_size=3), st.binary(max_size=20), max_size=5))
def test_the_order_of_entries_does_not_matter(files: dict[str, bytes]) -> None:
    forward = Folder({name: File(content) for name, content in files.items()})
    backward = Folder({name: File(files[name]) for name in reversed(files)})
    info = nar_of_tree(forward)
    assert info == nar_of_tree(backward)
    assert info.size_bytes == len(b"".join(tree_chunks(forward))) and info.size_bytes % 8 == 0


def test_the_seed_has_a_program_and_a_shell(tmp_path: Path) -> None:
    info = write_seed(b"elf", tmp_path / "seed")
    assert info == nar_of_tree(seed_tree(b"elf")) == nar_of_path(tmp_path / "seed")
    assert (tmp_path / "seed/bin/sh").readlink() == Path("busybox")
    assert os.access(tmp_path / "seed/bin/busybox", os.X_OK)
