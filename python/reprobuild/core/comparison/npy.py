"""By how much do two arrays in numpy's file format differ?"""

from __future__ import annotations

import io

from reprobuild.core.comparison.tensors import ValueDifferences
from reprobuild.domain.comparison import TensorDifference

MAGIC = b"\x93NUMPY"
# numpy's names, without byte order -> as safetensors writes them
_DTYPES = {
    "b1": "BOOL", "u1": "U8", "i1": "I8", "u2": "U16", "i2": "I16", "u4": "U32", "i4": "I32", "u8": "U64",
    "i8": "I64", "f2": "F16", "f4": "F32", "f8": "F64", "c8": "C64",
}  # fmt: skip


def npy_difference(file: str, name: str, first: bytes, second: bytes) -> TensorDifference | None:
    """None if one is no array of plain numbers, or both hold equal elements."""
    import numpy

    try:
        arrays = [numpy.load(io.BytesIO(side), allow_pickle=False) for side in (first, second)]
    except (ValueError, OSError, EOFError):
        return None
    dtypes = [_DTYPES.get(array.dtype.str[1:]) for array in arrays]
    if dtypes[0] is None or dtypes[1] is None:
        return None
    fields = {
        "file": file,
        "name": name,
        "first_dtype": dtypes[0],
        "second_dtype": dtypes[1],
        "first_shape": arrays[0].shape,
        "second_shape": arrays[1].shape,
    }
    if dtypes[0] != dtypes[1]:
        return TensorDifference.model_validate({**fields, "state": "dtype"})
    if arrays[0].shape != arrays[1].shape:
        return TensorDifference.model_validate({**fields, "state": "shape"})
    raw = [array.astype(array.dtype.newbyteorder("<")).tobytes(order="C") for array in arrays]
    if raw[0] == raw[1]:
        return None
    added = ValueDifferences(dtypes[0], arrays[0].shape)
    added.add(0, *raw)
    return TensorDifference.model_validate({**fields, "state": "values", **added.fields()})
