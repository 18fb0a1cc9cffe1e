"""Which files of a big wheel go to its second derivation; `nix/builders/wheel.py`, with a stand-in for `installer`."""

from __future__ import annotations

import importlib.util
import io
import sys
import types
import zipfile
from pathlib import Path
from typing import Any

import pytest

BUILDER = Path(__file__).parents[2] / "nix/builders/wheel.py"
LIMIT_BYTES = 100
SIZES = {
    "pkg/small.py": 99,
    "pkg/large.so": 100,
    "pkg.data/large.so": 100,
    "pkg/data/large.so": 100,
    "pkg-1.0.data/data/share/large.bin": 1000,
    "pkg-1.0.data/scripts/large": 1000,
    "pkg-1.0.data/purelib/small.py": 1,
    "pkg-1.0.dist-info/RECORD": 1000,
    "pkg-1.0.dist-info/WHEEL": 1,
}


class WheelFile:
    def __init__(self, archive: zipfile.ZipFile) -> None:
        self.dist_info_dir, self.data_dir = "pkg-1.0.dist-info", "pkg-1.0.data"


@pytest.fixture
def builder(monkeypatch: pytest.MonkeyPatch) -> Any:
    names = {
        "installer": {"install": None},
        "installer.destinations": {"WheelDestination": object},
        "installer.records": {"RecordEntry": lambda *fields: fields},
        "installer.sources": {"WheelFile": WheelFile},
        "installer.utils": {"Scheme": str},
    }
    for name, values in names.items():
        module = types.ModuleType(name)
        module.__dict__.update(values)
        monkeypatch.setitem(sys.modules, name, module)
    found = importlib.util.spec_from_file_location("wheel_builder", BUILDER)
    assert found is not None and found.loader is not None
    module = importlib.util.module_from_spec(found)
    found.loader.exec_module(module)
    return module


@pytest.fixture
def archive() -> zipfile.ZipFile:
    archive = zipfile.ZipFile(io.BytesIO(), "w")
    for name, size_bytes in SIZES.items():
        archive.writestr(name, bytes(size_bytes))
    return archive


def parts(builder: Any, archive: zipfile.ZipFile, part: str) -> set[str]:
    source = builder.Part(archive, part, LIMIT_BYTES)
    return {name for (name, _, _), _, _ in source.get_contents()}


def test_what_the_installer_must_see_is_never_large(builder: Any, archive: zipfile.ZipFile) -> None:
    """Schemes and metadata are the installer's; folders of the package that are called alike are not."""
    large = {"pkg/large.so", "pkg/data/large.so", "pkg.data/large.so"}
    assert parts(builder, archive, "large") == large
    assert parts(builder, archive, "small") == SIZES.keys() - large
    assert parts(builder, archive, "whole") == SIZES.keys()


def test_the_large_part_is_written_beside_the_small_one(
    builder: Any, archive: zipfile.ZipFile, tmp_path: Path
) -> None:
    destination = builder.StorePath(tmp_path, "3.11", "pkg")
    builder.extract_large(builder.Part(archive, "large", LIMIT_BYTES), destination)
    written = {str(file.relative_to(tmp_path)) for file in tmp_path.rglob("*") if file.is_file()}
    site = "lib/python3.11/site-packages"
    assert written == {f"{site}/pkg/large.so", f"{site}/pkg/data/large.so", f"{site}/pkg.data/large.so"}
