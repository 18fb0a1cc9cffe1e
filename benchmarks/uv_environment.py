"""The peer of our environment: `uv pip install` of the same wheel files into a venv of the same Python."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path

from benchmarks.contest import timed
from benchmarks.place import Place, remove


class UvEnvironment:
    """Local files, nothing resolved, nothing downloaded: unpack and link, which is what our derivations do.

    Args:
        python: the base's interpreter, so that both have the same one.
    """

    def __init__(self, place: Place, python: Path) -> None:
        self._place = place
        self._python = python
        self.folder = place.folder / "uv-venv"
        self._cache = place.folder / "uv-cache"
        self._wheels = _wheel_files(place)

    @property
    def site_packages(self) -> Path:
        return next(self.folder.glob("lib/python*/site-packages"))

    def make(self, *, cold: bool) -> None:
        """A fresh venv; with `cold` also an empty cache. Not timed."""
        remove(self.folder)
        if cold:
            remove(self._cache)
        timed(
            [self._place.uv, "venv", "--quiet", "--offline", "--python", self._python, self.folder],
            env=self._variables,
        )

    def install(self, *, compiled: bool) -> float:
        """Seconds of `uv pip install` of all wheels of the lock.

        Args:
            compiled: byte-compile too, as our environments are.
        """
        options = [
            "--offline",
            "--no-index",
            "--no-deps",
            "--quiet",
            *(["--compile-bytecode"] if compiled else []),
        ]
        command: list[str | Path] = [
            self._place.uv,
            "pip",
            "install",
            *options,
            "--python",
            self.folder / "bin" / "python",
            *self._wheels,
        ]
        return timed(command, env=self._variables)[0]

    @property
    def _variables(self) -> Mapping[str, str]:
        kept = {key: value for key, value in os.environ.items() if not key.startswith("UV_")}
        return {**kept, "UV_CACHE_DIR": str(self._cache), "UV_NO_CONFIG": "1", "UV_PYTHON_DOWNLOADS": "never"}


def _wheel_files(place: Place) -> list[Path]:
    """The lock's wheels under their real names, as links into the store."""
    folder = place.folder / "wheels"
    folder.mkdir(exist_ok=True)
    files = []
    for source in place.lock().of_kind("wheel"):
        link = folder / source.file_name
        link.unlink(missing_ok=True)
        link.symlink_to(source.store_path)
        link.read_bytes()  # in the page cache, for us and for uv
        files.append(link)
    return files
