"""A result is read without Nix; what is no result is said to be none."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reprobuild.errors import NotAResultError
from reprobuild.services.artifact import artifact_id, read_artifact
from reprobuild_worker import manifest as worker_manifest

from .artifact_examples import write_artifact


def test_it_is_read(tmp_path: Path) -> None:
    artifact = read_artifact(write_artifact(tmp_path))
    assert (artifact.name, artifact.version) == ("digits", "1.0.0")
    assert artifact.metrics == {"accuracy": 0.975, "loss": 0.25}
    assert [file["path"] for file in artifact.files] == ["metrics.json", "spec.json", "weights.safetensors"]


def test_the_id_follows_its_published_example() -> None:
    manifest = b'{"name": "digits", "version": "1.0.0"}'  # docs/formats/manifest.md
    assert artifact_id("digits", "1.0.0", manifest) == "digits-1.0.0-qqmqkn3mg727"


@given(st.text(), st.text(), st.dictionaries(st.text(), st.integers()))
def test_the_worker_gives_the_same_id(name: str, version: str, rest: dict[str, int]) -> None:
    manifest = json.dumps({**rest, "name": name, "version": version}).encode()
    assert artifact_id(name, version, manifest) == worker_manifest.artifact_id(manifest)


def test_one_changed_byte_gives_another_id(tmp_path: Path) -> None:
    one, other = (
        read_artifact(write_artifact(tmp_path / name, name.encode())).artifact_id for name in ("a", "b")
    )
    assert one.startswith("digits-1.0.0-") and one != other


def test_nothing_there_is_said(tmp_path: Path) -> None:
    with pytest.raises(NotAResultError, match="there is no result at") as caught:
        read_artifact(tmp_path / "result")
    assert caught.value.hint == "build one with `reprobuild nix build`"


def test_a_collected_result_is_told_from_none(tmp_path: Path) -> None:
    (tmp_path / "result").symlink_to("/nix/store/gone")
    with pytest.raises(NotAResultError) as caught:
        read_artifact(tmp_path / "result")
    assert caught.value.actual == "a link to something that is gone"


def manifest(**fields: Any) -> str:
    return json.dumps(
        {"schema": "reprobuild.manifest/1", "name": "digits", "version": "1", "files": [], **fields}
    )


@pytest.mark.parametrize(
    ("name", "text", "actual"),
    [
        ("manifest.json", None, "manifest.json: No such file or directory"),
        ("metrics.json", None, "metrics.json: No such file or directory"),
        ("manifest.json", "{", "a document that is damaged: "),
        ("manifest.json", '{"schema": "reprobuild.manifest/1"}', "its documents lack the key 'name'"),
        ("manifest.json", "[]", "a document that is damaged: "),
        ("manifest.json", "[" * 100_000, "a document that is damaged: "),
        (
            "manifest.json",
            manifest(files=[{"path": "a", "sha256": []}]),
            "a document that is damaged: a file",
        ),
        ("manifest.json", manifest(version="\udcff"), "a document that is damaged: name"),
        ("manifest.json", manifest(name=5), "a document that is damaged: name 5"),
        ("manifest.json", manifest(name="../digits"), "a document that is damaged: name '../digits'"),
        ("manifest.json", manifest(files=["x"]), "a document that is damaged: "),
        ("manifest.json", manifest(files=[{"path": "a"}]), "its documents lack the key 'sha256'"),
        ("manifest.json", manifest(files=[{"path": "a", "sha256": "x"}]), "a document that is damaged: "),
        ("metrics.json", "[1]", "a document that is damaged: "),
        ("spec.json", "[]", "a document that is damaged: "),
        ("spec.json", "\udcff", "a document that is damaged: "),
        ("manifest.json", '{"schema": "other/1"}', "other/1"),
    ],
)
def test_a_folder_of_another_kind_is_refused(
    tmp_path: Path, name: str, text: str | None, actual: str
) -> None:
    write_artifact(tmp_path)
    if text is None:
        (tmp_path / name).unlink()
    else:
        (tmp_path / name).write_text(text, errors="surrogateescape")
    with pytest.raises(NotAResultError) as caught:
        read_artifact(tmp_path)
    assert (caught.value.actual or "").startswith(actual)
