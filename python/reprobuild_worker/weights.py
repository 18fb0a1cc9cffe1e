"""Tensors and arrays to and from safetensors files, byte-stable: equal tensors give equal files."""

from __future__ import annotations

import importlib.util
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from reprobuild_worker.digest import is_torch_tensor
from reprobuild_worker.errors import OutputError


def save_tensors(path: Path, tensors: Mapping[str, Any]) -> None:
    """Write torch tensors or numpy arrays, by name, as one safetensors file.

    Tensors that share memory (tied weights) are written once for each name, so that the file loads back
    into the same state dict.

    Raises:
        OutputError: the name does not end in .safetensors, or torch and numpy are mixed.
    """
    if path.suffix != ".safetensors":
        raise OutputError(f"{path.name}: tensors and arrays are saved as .safetensors")
    path.parent.mkdir(parents=True, exist_ok=True)
    _need_safetensors(path.name)
    of_torch = {is_torch_tensor(value) for value in tensors.values()}
    if of_torch == {True}:
        import safetensors.torch

        # one metadata key at most: with more the library's files are not byte-stable
        safetensors.torch.save_file(_separate(tensors), path, metadata={"format": "pt"})
    elif of_torch <= {False}:
        import numpy
        import safetensors.numpy

        # asarray first: ascontiguousarray alone would turn a scalar into a list of one
        arrays = {name: numpy.asarray(tensors[name], order="C") for name in sorted(tensors)}
        safetensors.numpy.save_file(arrays, path, metadata={"format": "np"})
    else:
        raise OutputError(f"{path.name}: torch tensors and numpy arrays are mixed; convert one kind")


def load_weights(path: Path) -> dict[str, Any]:
    """Read a safetensors file as torch tensors on the CPU."""
    _need_safetensors(path.name)
    from safetensors.torch import load_file

    return dict(load_file(path))


def load_arrays(path: Path) -> dict[str, Any]:
    """Read a safetensors file as numpy arrays."""
    _need_safetensors(path.name)
    from safetensors.numpy import load_file

    return dict(load_file(path))


def _need_safetensors(name: str) -> None:
    if importlib.util.find_spec("safetensors") is None:
        raise OutputError(
            f"{name}: the project's environment has no safetensors",
            hint='add "safetensors" to [python] requirements and run `reprobuild lock`',
        )


def _separate(tensors: Mapping[str, Any]) -> dict[str, Any]:
    """CPU copies in name order that are contiguous and share no memory with one another."""
    separate: dict[str, Any] = {}
    seen: set[int] = set()
    for name in sorted(tensors):
        tensor = tensors[name].detach().cpu().resolve_conj().resolve_neg().contiguous()
        storage = tensor.untyped_storage()
        if storage.data_ptr() in seen or storage.nbytes() != tensor.numel() * tensor.element_size():
            tensor = tensor.clone()
        seen.add(tensor.untyped_storage().data_ptr())
        separate[name] = tensor
    return separate
