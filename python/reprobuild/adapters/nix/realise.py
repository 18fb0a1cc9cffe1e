"""Build derivations, with Nix's own events as they happen."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import threading
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from reprobuild.adapters.binary_cache.address import substituter_settings
from reprobuild.adapters.nix.process import builds_at_once, environment, program

if TYPE_CHECKING:
    from reprobuild.domain.build_event import Event

STOP_WAIT_S = 15.0
_ROOT_WARNING = "you did not specify '--add-root'"  # the build service makes roots of what it keeps


class NixBuilder:
    """Implements ports.Builder with `nix-store --realise`: its status tells a hash mismatch from a failed builder."""

    def __init__(self, builders: Sequence[str] | None = ()) -> None:
        """
        Args:
            builders: lines of a machines file that Nix may send builds to; empty: this machine builds; None: as
                Nix's settings have it.
        """
        self._builders = builders

    def realise(
        self,
        drv_paths: Sequence[str],
        on_event: Callable[[Event], None],
        *,
        jobs: int | None = None,
        keep_going: bool = False,
        check: bool = False,
        caches: Sequence[str] = (),
    ) -> int:
        """Build (or with `check` rebuild and compare) and wait; returns Nix's exit status.

        KeyboardInterrupt is passed on after Nix has ended: it stops its builders and leaves nothing half-made.
        """
        arguments = ["--realise", *drv_paths]
        arguments += ["--max-jobs", builds_at_once() if jobs is None else str(jobs)]
        if keep_going:
            arguments.append("--keep-going")
        if check:
            arguments += ["--check", "--keep-failed"]
        settings = substituter_settings(caches)
        if self._builders is not None:
            settings |= {"builders": " ; ".join(self._builders)}
        if self._builders:
            settings |= {"builders-use-substitutes": "true"}
        return run_heard("nix-store", arguments, on_event, settings)

    def kept_output(self, out_path: str) -> Path | None:
        """Where the output of a rebuild that differs was kept, if it was."""
        kept = Path(f"{out_path}.check")
        return kept if kept.exists() else None


def run_heard(
    name: str,
    arguments: Sequence[str],
    on_event: Callable[[Event], None],
    settings: Mapping[str, str] = {},
    variables: Mapping[str, str] = {},
) -> int:
    """Run a program of Nix with its events; returns its exit status.

    Args:
        variables: of its environment, besides the usual ones.

    Raises:
        KeyboardInterrupt: after Nix has ended.
    """
    from reprobuild.adapters.nix_log import NixLogParser  # slow to load, and often there is nothing to build
    from reprobuild.domain.build_event import Message

    process = subprocess.Popen(
        [program(name), *arguments, "--log-format", "internal-json"],
        env={**environment(settings), **variables},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        start_new_session=True,  # Ctrl-C reaches us alone; Nix is told once, below
    )
    assert process.stderr is not None
    parser = NixLogParser()
    try:
        for raw in process.stderr:
            for event in parser.feed(raw.decode("utf-8", "replace")):
                if not (isinstance(event, Message) and _ROOT_WARNING in event.text):
                    on_event(event)
        return process.wait()
    except BaseException:
        _stop(process)
        raise


def log_file(drv_path: str) -> Path | None:
    """Where Nix keeps the whole log of a derivation's last build, if it does."""
    name = drv_path.rpartition("/")[2]
    folder = Path(os.environ.get("NIX_LOG_DIR", "/nix/var/log/nix")) / "drvs" / name[:2]
    return next((f for f in (folder / f"{name[2:]}.bz2", folder / name[2:]) if f.exists()), None)


def _stop(process: subprocess.Popen[bytes]) -> None:
    """End Nix and wait for it; it ends its builders itself."""
    drain = threading.Thread(target=_drain, args=(process,), daemon=True)
    drain.start()
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGKILL):
        with contextlib.suppress(ProcessLookupError):
            process.send_signal(number)
        try:
            process.wait(STOP_WAIT_S)
            return
        except subprocess.TimeoutExpired:
            continue


def _drain(process: subprocess.Popen[bytes]) -> None:
    assert process.stderr is not None
    with contextlib.suppress(OSError, ValueError):
        while process.stderr.read(65536):
            pass
