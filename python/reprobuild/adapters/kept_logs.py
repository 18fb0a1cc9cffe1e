"""Logs of builds on other machines: Nix keeps them there only, so we write down what we hear."""

from __future__ import annotations

from io import TextIOWrapper
from pathlib import Path


class KeptLogs:
    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._open: dict[str, TextIOWrapper] = {}

    def add(self, drv_path: str, line: str) -> None:
        """One more line; the first one of a derivation begins its log anew."""
        if drv_path not in self._open:
            self._folder.mkdir(parents=True, exist_ok=True)
            self._open[drv_path] = self._file(drv_path).open("w", encoding="utf-8", buffering=1)
        self._open[drv_path].write(line + "\n")

    def file(self, drv_path: str) -> Path | None:
        """Where the log of a build heard by this command lies."""
        return self._file(drv_path) if drv_path in self._open else None

    def _file(self, drv_path: str) -> Path:
        return self._folder / f"{drv_path.rpartition('/')[2].removesuffix('.drv')}.log"
