"""Equal weights give equal files."""

import numpy as np
import pytest

from reprobuild_worker.digest import digest_safetensors, digest_state
from reprobuild_worker.errors import OutputError
from reprobuild_worker.weights import load_arrays, load_weights, save_tensors

pytest.importorskip("safetensors")


def test_arrays_come_back_and_files_are_stable(tmp_path):
    arrays = {"b": np.arange(6.0).reshape(2, 3).T, "a": np.array(5), "c": np.array([True, False])}
    save_tensors(tmp_path / "one.safetensors", arrays)
    save_tensors(tmp_path / "two.safetensors", dict(reversed(arrays.items())))
    assert (tmp_path / "one.safetensors").read_bytes() == (tmp_path / "two.safetensors").read_bytes()
    assert digest_safetensors(tmp_path / "one.safetensors") == digest_state(arrays)
    loaded = load_arrays(tmp_path / "one.safetensors")
    assert all(np.array_equal(loaded[name], array) for name, array in arrays.items())


def test_only_safetensors(tmp_path):
    with pytest.raises(OutputError, match="safetensors"):
        save_tensors(tmp_path / "weights.npz", {"a": np.zeros(1)})


def test_tied_and_transposed_tensors_are_saved(tmp_path):
    torch = pytest.importorskip("torch")
    weight = torch.arange(6.0).reshape(2, 3)
    state = {"embedding": weight, "head": weight, "transposed": weight.T, "row": weight[0]}
    save_tensors(tmp_path / "weights.safetensors", state)
    assert digest_safetensors(tmp_path / "weights.safetensors") == digest_state(state)
    loaded = load_weights(tmp_path / "weights.safetensors")
    assert all(torch.equal(loaded[name], tensor) for name, tensor in state.items())


def test_torch_and_numpy_are_not_mixed(tmp_path):
    torch = pytest.importorskip("torch")
    with pytest.raises(OutputError, match="mixed"):
        save_tensors(tmp_path / "weights.safetensors", {"a": torch.zeros(1), "b": np.zeros(1)})
