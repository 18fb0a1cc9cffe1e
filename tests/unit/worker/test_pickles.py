"""No pickle gets into an artifact, whatever it is called."""

import bz2
import gzip
import io
import lzma
import pickle
import zipfile
import zlib

import numpy as np
import pytest

from reprobuild_worker.pickles import why_pickle


def zipped(**members: bytes) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for name, data in members.items():
            archive.writestr(name.replace("__", "/").replace("_", "."), data)
    return buffer.getvalue()


def saved(save, *arrays) -> bytes:
    buffer = io.BytesIO()
    save(buffer, *arrays)
    return buffer.getvalue()


VALUES = {"weights": [1.0, 2.0], "x": "y" * 100}
PICKLES = {
    **{f"protocol {n}": pickle.dumps(VALUES, protocol=n) for n in range(2, 6)},
    "none": pickle.dumps(None),
    "large": pickle.dumps(bytes(200_000)),
    "gzip": gzip.compress(pickle.dumps(VALUES)),
    "zlib (joblib)": zlib.compress(pickle.dumps(VALUES)),
    "bz2": bz2.compress(pickle.dumps(VALUES)),
    "xz": lzma.compress(pickle.dumps(VALUES)),
    "torch archive": zipped(model__data_pkl=pickle.dumps(VALUES), model__version=b"3"),
    "pickle in a zip": zipped(state=pickle.dumps(VALUES)),
    "npy of objects": saved(np.save, np.array([{}, []], dtype=object)),
    "npz of objects": saved(np.savez, np.array([{}, []], dtype=object)),
    "npy of records with objects": saved(np.save, np.zeros(2, dtype=[("a", "O")])),
}
HARMLESS = {
    "text": b"hello",
    "empty": b"",
    "npy": saved(np.save, np.arange(3.0)),
    "npz": saved(np.savez, np.arange(3.0)),
    "zip": zipped(read_txt=b"hello"),
    "broken zip": b"PK\x03\x04 and nothing more",
    "gzip": gzip.compress(b"1,2,3\n" * 100),
    # a header of 640 bytes: the file starts like a pickle of protocol 2
    "safetensors": (640).to_bytes(8, "little") + b'{"a":{}}'.ljust(640),
}


@pytest.mark.parametrize("data", PICKLES.values(), ids=PICKLES.keys())
def test_pickles_are_found_by_content(tmp_path, data):
    path = tmp_path / "weights.bin"
    path.write_bytes(data)
    assert why_pickle(path) is not None


@pytest.mark.parametrize("suffix", [".pkl", ".pickle", ".pt", ".pth", ".joblib", ".PKL"])
def test_pickles_are_found_by_name(tmp_path, suffix):
    path = tmp_path / f"model{suffix}"
    path.write_bytes(b"anything")
    assert suffix in why_pickle(path)


@pytest.mark.parametrize("data", HARMLESS.values(), ids=HARMLESS.keys())
def test_other_files_are_let_through(tmp_path, data):
    path = tmp_path / "file.bin"
    path.write_bytes(data)
    assert why_pickle(path) is None
