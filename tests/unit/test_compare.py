"""Claims about comparing two folders, as Nix sees them."""

from __future__ import annotations

import io
import json
import os
import struct
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from reprobuild.adapters.diffoscope import Diffoscope
from reprobuild.domain.comparison import StageComparison
from reprobuild.services import compare_files
from reprobuild.services.compare import compare_trees
from reprobuild.services.compare_files import PIECE_BYTES, first_differing_byte


def tree(folder: Path, files: Mapping[str, bytes]) -> Path:
    for name, content in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(content)
    return folder


def compared(tmp_path: Path, first: Mapping[str, bytes], second: Mapping[str, bytes]) -> StageComparison:
    return compare_trees("train", tree(tmp_path / "first", first), tree(tmp_path / "second", second))


def safetensors(tensors: Mapping[str, Any], metadata: Mapping[str, str] | None = None) -> bytes:
    header: dict[str, Any] = {"__metadata__": dict(metadata)} if metadata else {}
    names = {"float32": "F32", "int64": "I64", "float16": "F16"}
    data = b""
    for name, values in tensors.items():
        raw = values.tobytes()
        header[name] = {
            "dtype": names[values.dtype.name],
            "shape": values.shape,
            "data_offsets": [len(data), len(data) + len(raw)],
        }
        data += raw
    text = json.dumps(header).encode()
    return struct.pack("<Q", len(text)) + text + data


def floats(*shape: int, seed: int = 1) -> Any:
    return np.random.default_rng(seed).normal(size=shape).astype("f4")


def test_equal_trees_are_equal(tmp_path: Path) -> None:
    found = compared(tmp_path, {"a/b": b"x"}, {"a/b": b"x"})
    assert found == StageComparison(label="train", equal=True)


def test_every_path_that_differs_is_named_with_its_kind(tmp_path: Path) -> None:
    first = tree(tmp_path / "first", {"a": b"1", "only": b"22", "x": b"", "kind": b""})
    second = tree(tmp_path / "second", {"a": b"133", "new/deep": b"", "x": b"", "kind/y": b""})
    (first / "link").symlink_to("a")
    (second / "link").symlink_to("x")
    (first / "x").chmod(0o644)
    (second / "x").chmod(0o755)
    found = compare_trees("train", first, second)
    assert {(one.path, one.state) for one in found.files} == {
        ("a", "differs"),
        ("kind", "kind"),
        ("kind/y", "extra"),
        ("link", "target"),
        ("new", "extra"),
        ("new/deep", "extra"),
        ("only", "missing"),
        ("x", "executable"),
    }
    a = found.files[0]
    assert (a.first_size_bytes, a.second_size_bytes, a.first_differing_byte) == (1, 3, 1)
    assert {cause.file for cause in found.causes} == {one.path for one in found.files}


def test_files_under_other_names_are_laid_to_what_differs_in_their_names(tmp_path: Path) -> None:
    found = compared(
        tmp_path,
        {"run/at-20261121-050001.bin": b"x", "run/a.bin": b""},
        {"run/at-20261121-050002.bin": b"x", "run/b.bin": b""},
    )
    assert [(cause.cause, cause.file, cause.place) for cause in found.causes] == [
        ("time stamp", "run/at-20261121-050001.bin", "file name"),
        ("time stamp", "run/at-20261121-050002.bin", "file name"),
        ("unknown", "run/a.bin", "missing"),
        ("unknown", "run/b.bin", "extra"),
    ]


def test_two_files_are_compared_as_they_are(tmp_path: Path) -> None:
    (tmp_path / "a.json").write_text('{"x": 1}')
    (tmp_path / "b.json").write_text('{"x": 2}')
    found = compare_trees("x", tmp_path / "a.json", tmp_path / "b.json")
    assert (found.files[0].path, found.documents[0].key_path) == (".", "x")


@pytest.mark.parametrize(
    "place", [0, 1, PIECE_BYTES - 1, PIECE_BYTES, 2 * PIECE_BYTES + 5, 3 * PIECE_BYTES - 2]
)
def test_the_first_differing_byte_is_found_wherever_it_is(tmp_path: Path, place: int) -> None:
    first = bytearray(3 * PIECE_BYTES - 1)
    (tmp_path / "a").write_bytes(first)
    first[place] = first[-1] = 1
    (tmp_path / "b").write_bytes(first)
    assert first_differing_byte(tmp_path / "a", tmp_path / "b") == place
    assert first_differing_byte(tmp_path / "a", tmp_path / "a") is None


def test_a_tensor_that_differs_is_named_with_its_place_and_size(tmp_path: Path) -> None:
    first = {"a": floats(300, 1000), "b": floats(4, 5), "c": floats(7)}
    second = {name: values.copy() for name, values in first.items()}
    second["b"][2, 3] += 1
    found = compared(tmp_path, {"w.safetensors": safetensors(first)}, {"w.safetensors": safetensors(second)})
    (one,) = found.tensors
    assert (one.name, one.state, one.first_index, one.differing_elements) == ("b", "values", (2, 3), 1)
    assert one.first_value == str(first["b"][2, 3])
    assert one.max_absolute == pytest.approx(1, rel=1e-6)
    assert found.files[0].format == "safetensors"


def test_tensors_that_lie_elsewhere_in_the_file_are_compared_too(tmp_path: Path) -> None:
    a, b = floats(5), floats(6, seed=2)
    found = compared(
        tmp_path,
        {"w.safetensors": safetensors({"a": a, "b": b, "old": a, "typed": a})},
        {"w.safetensors": safetensors({"b": b, "a": a[:4], "new": a, "typed": a.astype("f2")})},
    )
    states = {one.name: one.state for one in found.tensors}
    assert states == {"a": "shape", "old": "missing", "new": "extra", "typed": "dtype"}


@pytest.mark.parametrize(
    ("first", "second", "cause", "place"),
    [
        (safetensors({"a": floats(3), "b": floats(3)}), safetensors({"b": floats(3), "a": floats(3)}),
         "set or folder order", "header"),
        (safetensors({"a": floats(3)}, {"x": "1", "y": "2"}), safetensors({"a": floats(3)}, {"y": "2", "x": "1"}),
         "key order", "metadata"),
        (safetensors({"a": floats(3)}, {"x": "05:00:01"}), safetensors({"a": floats(3)}, {"x": "05:00:02"}),
         "time stamp", "metadata, key x"),
        (safetensors({"a": floats(9)}), safetensors({"a": floats(9)[::-1].copy()}),
         "set or folder order", "tensor a"),
        (safetensors({"a": floats(9)}), safetensors({"a": np.nextafter(floats(9), np.float32(9))}),
         "reduction order", "tensor a"),
    ],
)  # fmt: skip
def test_safetensors_files_are_laid_to_what_differs_in_them(
    tmp_path: Path, first: bytes, second: bytes, cause: str, place: str
) -> None:
    found = compared(tmp_path, {"w.safetensors": first}, {"w.safetensors": second})
    assert (found.causes[0].cause, found.causes[0].place) == (cause, place)


def test_a_file_that_only_its_name_calls_safetensors_is_still_compared(tmp_path: Path) -> None:
    found = compared(tmp_path, {"w.safetensors": b"05:00:01"}, {"w.safetensors": b"05:00:02"})
    assert [cause.cause for cause in found.causes] == ["time stamp"]


def test_figures_beside_differing_weights_are_not_laid_to_a_cause_of_their_own(tmp_path: Path) -> None:
    sides = [
        {"w.safetensors": safetensors({"a": floats(9, seed=seed)}), "metrics.json": b'{"score": 0.%d}' % seed}
        for seed in (1, 2)
    ]
    found = compared(tmp_path, *sides)
    assert [(cause.cause, cause.file) for cause in found.causes] == [
        ("unseeded random source", "w.safetensors")
    ]
    assert found.documents[0].key_path == "score"


def npy(array: Any) -> bytes:
    buffer = io.BytesIO()
    np.save(buffer, array)
    return buffer.getvalue()


def npz(**arrays: Any) -> bytes:
    buffer = io.BytesIO()
    np.savez(buffer, **arrays)
    return buffer.getvalue()


def test_arrays_in_numpys_own_formats_are_compared_as_tensors(tmp_path: Path) -> None:
    array = floats(3, 4)
    nearly = np.nextafter(array, np.float32(9))
    sides = [
        {"a.npy": npy(one), "b.npz": npz(x=array, y=one), "c.npy": npy(np.asfortranarray(other))}
        for one, other in ((array, array), (nearly, nearly[:2]))
    ]
    found = compared(tmp_path, *sides)
    assert [(one.file, one.name, one.state, one.max_ulp) for one in found.tensors] == [
        ("a.npy", "array", "values", 1),
        ("b.npz", "y", "values", 1),
        ("c.npy", "array", "shape", None),
    ]
    assert found.causes[0].cause == "reduction order"


def test_a_file_too_large_to_explain_is_located(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("reprobuild.services.compare.MAX_EXPLAINED_BYTES", 3)
    found = compared(tmp_path, {"a": b"05:00:01"}, {"a": b"05:00:02"})
    assert (found.files[0].format, found.causes[0].cause) == ("binary", "unknown")
    assert found.causes[0].place == "byte 7"


def test_a_link_to_a_result_is_followed(tmp_path: Path) -> None:
    tree(tmp_path / "first", {"a": b"x"})
    (tmp_path / "result").symlink_to("first")
    assert compare_trees("x", tmp_path / "result", tmp_path / "first").equal


def test_a_file_that_shrinks_while_it_is_read_is_an_error_and_no_endless_loop(tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(b"x")
    with (tmp_path / "a").open("rb", buffering=0) as one, pytest.raises(EOFError):
        list(compare_files.differing_pieces(one, memoryview(b"xy"), 0, 0, 2))


def test_an_empty_file_is_compared_too(tmp_path: Path) -> None:
    found = compared(tmp_path, {"a": b"", "b": b"", "c": b"x"}, {"a": b"x", "b": b"", "c": b""})
    assert [(one.path, one.first_differing_byte) for one in found.files] == [("a", 0), ("c", 0)]


def fake_diffoscope(folder: Path, script: str) -> str:
    program = folder / "bin" / "diffoscope"
    program.parent.mkdir()
    program.write_text(f"#!/bin/sh\n{script}\n")
    program.chmod(0o755)
    return f"{program.parent}{os.pathsep}{os.environ['PATH']}"


@pytest.mark.parametrize(
    ("script", "expected"),
    [
        ("echo 'header differs'; exit 1", "header differs"),
        ("yes x | head -c 9000; exit 1", None),
        ("echo broken; exit 2", ""),
        ("exit 0", ""),
        ("exec sleep 9", ""),
    ],
)
def test_diffoscope_is_asked_about_other_formats_within_bounds(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, script: str, expected: str | None
) -> None:
    monkeypatch.setenv("PATH", fake_diffoscope(tmp_path, script))
    sides = [tree(tmp_path / name, {"a.bin": b"\0" + name.encode()}) for name in ("first", "second")]
    found = compare_trees("x", *sides, foreign=Diffoscope(timeout_s=0.5))
    if expected is None:
        assert len(found.foreign["a.bin"]) == 2000
    else:
        assert found.foreign == ({"a.bin": expected} if expected else {})


def test_without_diffoscope_nothing_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    assert Diffoscope().explain(tmp_path / "a", tmp_path / "b") is None
