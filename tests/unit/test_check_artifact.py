"""An artifact is compared with its manifest: a missing, an extra and a changed file are each named."""

from __future__ import annotations

from pathlib import Path

import pytest

from reprobuild.errors import NotAResultError
from reprobuild.services.check_artifact import check_artifact

from .artifact_examples import write_artifact


def found(folder: Path) -> list[tuple[str, str]]:
    return [(finding.state, finding.path) for finding in check_artifact(folder).findings]


def test_an_untouched_artifact_has_nothing_to_report(tmp_path: Path) -> None:
    assert check_artifact(write_artifact(tmp_path)).ok


@pytest.mark.parametrize("name", ["weights.safetensors", "spec.json"])
def test_a_missing_file_is_named(tmp_path: Path, name: str) -> None:
    (write_artifact(tmp_path) / name).unlink()
    assert found(tmp_path) == [("missing", name)]


def test_an_extra_file_is_named_wherever_it_lies(tmp_path: Path) -> None:
    (write_artifact(tmp_path) / "source").mkdir()
    (tmp_path / "source" / "extra.py").write_text("")
    assert found(tmp_path) == [("extra", "source/extra.py")]


def test_every_changed_byte_is_found(tmp_path: Path) -> None:
    weights = write_artifact(tmp_path) / "weights.safetensors"
    original = weights.read_bytes()
    for position in range(len(original)):
        changed = bytearray(original)
        changed[position] ^= 1
        weights.write_bytes(changed)
        assert found(tmp_path) == [("changed", "weights.safetensors")]


def test_a_file_replaced_by_a_link_to_the_same_bytes_is_changed(tmp_path: Path) -> None:
    weights = write_artifact(tmp_path / "artifact") / "weights.safetensors"
    weights.rename(tmp_path / "elsewhere")
    weights.symlink_to(tmp_path / "elsewhere")
    assert found(tmp_path / "artifact") == [("changed", "weights.safetensors")]


def test_swapped_files_are_both_changed(tmp_path: Path) -> None:
    artifact = write_artifact(tmp_path)
    (artifact / "metrics.json").rename(artifact / "x")
    (artifact / "spec.json").rename(artifact / "metrics.json")
    (artifact / "x").rename(artifact / "spec.json")
    assert found(tmp_path) == [("changed", "metrics.json"), ("changed", "spec.json")]


def test_a_folder_without_manifest_is_no_artifact(tmp_path: Path) -> None:
    with pytest.raises(NotAResultError):
        check_artifact(tmp_path)
