"""Runs the user's code: a script, or a function in a module. Failures become short tracebacks."""

from __future__ import annotations

import importlib
import inspect
import linecache
import runpy
import sys
import traceback
from collections.abc import Callable
from pathlib import Path
from typing import Any

from reprobuild_worker.errors import ConfigError, WorkerError


def run(entry: str, source: Path, stage: Any) -> None:
    """Run `script.py` as `__main__`, or `module:function` with no argument or with `stage`.

    Raises:
        ConfigError: there is no such script, module or function.
        BaseException: whatever user code raises.
    """
    sys.path[:] = [str(source), *(path for path in sys.path if path not in ("", str(Path.cwd())))]
    sys.dont_write_bytecode = True
    if ":" in entry:
        _call(entry, stage)
        return
    script = source / entry
    if not script.is_file():
        raise ConfigError(
            f"there is no {entry} among the files of this stage", hint="add it to `files` in reprobuild.toml"
        )
    if script.parent != source:  # as `python folder/script.py` has it
        sys.path.insert(1, str(script.parent))
    sys.argv = [str(script)]
    runpy.run_path(str(script), run_name="__main__")


def short_traceback(error: BaseException, source: Path) -> list[str]:
    """The frames of user code, with paths as in the project, then what was raised.

    Frames of libraries are left out, except for the one where the error was raised.
    """
    frames = traceback.extract_tb(error.__traceback__)
    kept = [f for f in frames if f.filename.startswith(f"{source}/")]
    if frames and frames[-1] not in kept and not isinstance(error, WorkerError):
        kept.append(frames[-1])
    lines = []
    for frame in kept:
        name = frame.filename.removeprefix(f"{source}/")
        lines.append(f"  {name}:{frame.lineno} in {frame.name}")
        if text := linecache.getline(frame.filename, frame.lineno or 0).strip():
            lines.append(f"    {text}")
    if not isinstance(error, WorkerError):
        lines += [line.rstrip("\n") for line in traceback.format_exception_only(error)]
    return lines


def _call(entry: str, stage: Any) -> None:
    module_name, _, function_name = entry.partition(":")
    try:
        module = importlib.import_module(module_name)
    except ModuleNotFoundError as error:
        if error.name is None or not f"{module_name}.".startswith(f"{error.name}."):
            raise
        raise ConfigError(
            f"there is no module {error.name} among the files of this stage",
            hint="add it to `files` in reprobuild.toml",
        ) from None
    function: Callable[..., Any] | None = getattr(module, function_name, None)
    if not callable(function):
        raise ConfigError(f"module {module_name} has no function {function_name} ([stages] run = {entry!r})")
    function(*([stage] if inspect.signature(function).parameters else []))
