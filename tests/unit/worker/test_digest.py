"""The weights digest of docs/formats/weights-digest.md, version 1."""

import base64
import hashlib
import re
from pathlib import Path

import numpy as np
import pytest

from reprobuild_worker.digest import digest_safetensors, digest_state
from reprobuild_worker.errors import UnhashableTensorError

WEIGHTS = {
    "layer.weight": np.array([[1.0, -2.0, 0.5]], dtype=np.float32),
    "layer.bias": np.array([0.25], dtype=np.float32),
    "steps": np.array(3, dtype=np.int64),
}
KNOWN_ANSWER = "sha256-I8U0uwJ3BlNyFyWTdhteJgGN2TIvyAR79lgPdYxlTQE="
ROWS = [
    ("steps", "I64", [], (3).to_bytes(8, "little")),
    ("layer.weight", "F32", [1, 3], bytes.fromhex("0000803f 000000c0 0000003f")),
    ("layer.bias", "F32", [1], bytes.fromhex("0000803e")),
]


def test_known_answer():
    def sha256(data: bytes) -> bytes:
        return hashlib.sha256(data).digest()

    by_hand = sha256(
        b"reprobuild.weights/1\n"
        + sha256(b'["layer.bias","F32",[1]]\n' + bytes.fromhex("0000803e"))
        + sha256(b'["layer.weight","F32",[1,3]]\n' + bytes.fromhex("0000803f000000c00000003f"))
        + sha256(b'["steps","I64",[]]\n' + bytes.fromhex("0300000000000000"))
    )
    assert digest_state(WEIGHTS).digest == "sha256-" + base64.b64encode(by_hand).decode() == KNOWN_ANSWER


def test_the_format_page_tells_the_same_answer():
    page = Path(__file__).parents[3] / "docs/formats/weights-digest.md"
    assert re.findall(r"`(sha256-[A-Za-z0-9+/=]{44})`", page.read_text()) == [KNOWN_ANSWER]


def test_a_file_has_the_digest_of_the_weights_in_it(tmp_path, write_safetensors):
    path = write_safetensors(tmp_path / "weights.safetensors", ROWS)
    assert digest_safetensors(path) == digest_state(WEIGHTS)


def test_metadata_and_order_in_the_file_do_not_count(tmp_path, write_safetensors):
    path = write_safetensors(tmp_path / "weights.safetensors", ROWS[::-1], format="pt", note="hello")
    assert digest_safetensors(path).digest == KNOWN_ANSWER


def test_one_changed_weight_is_seen_and_named():
    other = WEIGHTS | {"layer.bias": np.nextafter(WEIGHTS["layer.bias"], np.float32(1))}
    before, after = digest_state(WEIGHTS), digest_state(other)
    assert before.digest != after.digest
    changed = [a.name for a, b in zip(before.tensors, after.tensors, strict=True) if a != b]
    assert changed == ["layer.bias"]


@pytest.mark.parametrize(
    "other",
    [
        WEIGHTS | {"steps": np.array([3], dtype=np.int64)},
        WEIGHTS | {"steps": np.array(3, dtype=np.uint64)},
        {k.replace("steps", "step"): v for k, v in WEIGHTS.items()},
        {k: v for k, v in WEIGHTS.items() if k != "steps"},
    ],
    ids=["shape", "dtype", "name", "missing"],
)
def test_shape_type_and_name_count(other):
    assert digest_state(other).digest != KNOWN_ANSWER


def test_memory_order_and_byte_order_do_not_count():
    square = np.arange(6, dtype=np.float32).reshape(2, 3)
    other = np.asfortranarray(square).astype(">f4")
    assert digest_state({"a": square}) == digest_state({"a": other})


def test_what_is_no_tensor_is_named():
    with pytest.raises(UnhashableTensorError, match="extra_state"):
        digest_state({"extra_state": {"a": 1}})


@pytest.mark.parametrize("data", [b"", b"\xff" * 40, b"\x02\0\0\0\0\0\0\0[]"])
def test_a_broken_file_is_refused(tmp_path, data):
    path = tmp_path / "weights.safetensors"
    path.write_bytes(data)
    with pytest.raises(ValueError, match="not a safetensors file"):
        digest_safetensors(path)


def test_a_file_that_is_cut_off_is_refused(tmp_path, write_safetensors):
    path = write_safetensors(tmp_path / "weights.safetensors", ROWS)
    path.write_bytes(path.read_bytes()[:-1])
    with pytest.raises(ValueError, match=r"layer\.bias lies outside"):
        digest_safetensors(path)


def test_torch_and_numpy_weights_have_the_same_digest():
    torch = pytest.importorskip("torch")
    state = {name: torch.from_numpy(np.array(array)) for name, array in WEIGHTS.items()}
    assert digest_state(state) == digest_state(WEIGHTS)


def test_torch_views_and_half_precision():
    torch = pytest.importorskip("torch")
    weight = torch.arange(6.0).reshape(2, 3)
    assert digest_state({"a": weight.T}) == digest_state({"a": weight.T.clone()})
    assert digest_state({"a": weight.bfloat16()}).tensors[0].dtype == "BF16"
    assert digest_state({"a": torch.empty(0, 3)}).tensors[0].shape == (0, 3)
    with pytest.raises(UnhashableTensorError, match="sparse"):
        digest_state({"a": weight.to_sparse()})
