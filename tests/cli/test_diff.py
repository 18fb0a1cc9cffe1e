"""`reprobuild nix diff`: exit statuses, the one JSON document, and the page; two locks need neither Nix nor a store."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from tests.unit.signing_examples import SignedArtifact

from reprobuild.cli.app import run
from reprobuild.domain.digest import Digest
from reprobuild.domain.lock import DebianBasePin, Lock, Source

COUNT, SIZE_BYTES = 60, 80_000_000  # as many sources, and as large ones, as a model on CUDA has


def write_lock(file: Path, version: str = "2.13.0") -> Path:
    names = [*(f"nvidia-part-{number}" for number in range(COUNT - 1)), "torch"]
    sources = tuple(
        Source(
            kind="wheel",
            name=name,
            version=version,
            file_name=f"{name}-{version}-py3-none-any.whl",
            sha256=Digest.of_bytes(f"{name} {version}".encode()),
            size_bytes=SIZE_BYTES,
        )
        for name in names
    )
    pin = DebianBasePin(
        suite="bookworm",
        snapshot="20261120T000000Z",
        release_sha256=Digest.of_bytes(b"release"),
        python_version="3.11",
        glibc_version="2.36",
    )
    file.write_text(Lock(inputs={}, systems={"x86_64-linux": pin}, sources=sources).to_text())
    return file


def test_equal_ones_exit_with_0(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    first, second = write_lock(tmp_path / "a.lock"), write_lock(tmp_path / "b.lock")
    assert run(["nix", "diff", str(first), str(second)]) == 0
    assert capsys.readouterr().out.splitlines()[-1] == "same"


def test_different_ones_exit_with_1_and_print_one_document_and_a_page(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    first, second = write_lock(tmp_path / "a.lock"), write_lock(tmp_path / "b.lock", "2.14.0")
    page = tmp_path / "diff.html"
    assert run(["nix", "diff", str(first), str(second), "--json", "--html", str(page)]) == 1
    found = json.loads(capsys.readouterr().out)
    assert (found["schema"], found["same"]) == ("reprobuild.diff/1", False)
    (total,) = found["closure"]["totals"]
    assert total["first_only_bytes"] == total["second_only_bytes"] == COUNT * SIZE_BYTES
    assert {one["second_version"] for one in found["closure"]["packages"]} == {"2.14.0"}
    assert "torch" in page.read_text()


def test_what_is_no_side_exits_with_2(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    lock = write_lock(tmp_path / "a.lock")
    assert run(["nix", "diff", str(lock), str(tmp_path), "--json"]) == 2
    assert json.loads(capsys.readouterr().out)["slug"] == "usage"
    assert run(["nix", "diff", str(lock), str(lock), "--html", str(tmp_path / "gone/x.html")]) == 2


def test_signatures_are_checked_by_a_trust_file(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    artifact = SignedArtifact(tmp_path)
    artifact.record = artifact.record.rename(tmp_path / "elsewhere.json")  # it is no whole record
    trust = tmp_path / "trust.toml"
    trust.write_text(artifact.trust)
    arguments = ["nix", "diff", *[str(artifact.statements)] * 2, "--trust", str(trust), "--json"]
    assert run(arguments) == 0
    assert json.loads(capsys.readouterr().out)["first"]["signed_by"] == ["alice", "bob"]
    artifact.sign(artifact.payload(), by=["alice"])
    assert run(arguments) == 1
    refused = json.loads(capsys.readouterr().out)
    assert refused["slug"] == "signature" and "threshold-missed" in str(refused)
    trust.write_text("")
    assert run(arguments) == 2
    assert json.loads(capsys.readouterr().out)["slug"] == "trust-file"
