"""diffoscope, where it is installed: says what differs in files that we do not read."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

TIMEOUT_S = 30
MOST_CHARACTERS = 2000


class Diffoscope:
    """Implements ports.ForeignComparer."""

    def __init__(self, *, timeout_s: float = TIMEOUT_S) -> None:
        self._program = shutil.which("diffoscope")
        self._timeout_s = timeout_s

    def explain(self, first: Path, second: Path) -> str | None:
        if self._program is None:
            return None
        limits = ["--no-progress", "--max-text-report-size", str(MOST_CHARACTERS)]
        command = [self._program, *limits, "--text", "-", str(first), str(second)]
        try:
            done = subprocess.run(
                command,
                stdin=subprocess.DEVNULL,
                capture_output=True,
                timeout=self._timeout_s,
                check=False,
            )
        except (OSError, subprocess.TimeoutExpired):
            return None
        text = done.stdout.decode("utf-8", "replace").strip()
        if done.returncode != 1 or not text:  # 1: they differ; everything else is its own trouble
            return None
        return text if len(text) <= MOST_CHARACTERS else text[: MOST_CHARACTERS - 1] + "…"
