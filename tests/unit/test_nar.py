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
    Tree,
    nar_of_folder,
    nar_of_tree,
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


def tree_on_disk(path: Path) -> Tree:
    """What `write_tree` made, read back."""
    if path.is_symlink():
        return Link(str(path.readlink()))
    if path.is_dir():
        return Folder({entry.name: tree_on_disk(entry) for entry in path.iterdir()})
    return File(path.read_bytes(), executable=os.access(path, os.X_OK))


def test_memory_and_disk_agree(tmp_path: Path) -> None:
    write_tree(TREE, tmp_path / "t")
    assert nar_of_folder(tmp_path / "t") == nar_of_tree(TREE)
    assert tree_on_disk(tmp_path / "t") == TREE


@pytest.mark.skipif(shutil.which("nix-hash") is None, reason="no nix-hash here")
def test_nix_agrees_about_what_is_written(tmp_path: Path) -> None:
    write_tree(TREE, tmp_path / "t")
    run = subprocess.run(
        ["nix-hash", "--type", "sha256", tmp_path / "t"], capture_output=True, text=True, check=True
    )
    assert run.stdout.strip() == nar_of_tree(TREE).digest.hex


def test_what_is_there_is_not_written_over(tmp_path: Path) -> None:
    (tmp_path / "f").write_bytes(b"mine")
    with pytest.raises(FileExistsError):
        write_tree(File(b"other"), tmp_path / "f")


def test_the_executable_bit_changes_the_digest() -> None:
    assert nar_of_tree(File(b"x")).digest != nar_of_tree(File(b"x", executable=True)).digest


@given(st.dictionaries(st.text("abAB.-é", min_size=1, max_size=3), st.binary(max_size=20), max_size=5))
def test_the_order_of_entries_does_not_matter(files: dict[str, bytes]) -> None:
    forward = Folder({name: File(content) for name, content in files.items()})
    backward = Folder({name: File(files[name]) for name in reversed(files)})
    info = nar_of_tree(forward)
    assert info == nar_of_tree(backward)
    assert info.size_bytes == len(b"".join(tree_chunks(forward))) and info.size_bytes % 8 == 0


def test_the_seed_has_a_program_and_a_shell(tmp_path: Path) -> None:
    info = write_seed(b"elf", tmp_path / "seed")
    assert info == nar_of_tree(seed_tree(b"elf"))
    assert tree_on_disk(tmp_path / "seed") == seed_tree(b"elf")
    assert (tmp_path / "seed/bin/sh").readlink() == Path("busybox")
    assert os.access(tmp_path / "seed/bin/busybox", os.X_OK)
