"""The builder of a stage derivation, from sandbox check to checked output."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Mapping
from pathlib import Path

from reprobuild_worker import determinism, entry, limits, measure, outputs, sandbox, stage
from reprobuild_worker.config import OUT_VARIABLE, StageConfig, stage_config
from reprobuild_worker.errors import WorkerError
from reprobuild_worker.nixlog import NixReporter


def check_isolated(environment: Mapping[str, str]) -> None:
    """Refuse to run outside of Nix's sandbox."""
    sandbox.check_sandbox(environment, sandbox.network_interfaces())


def main(check: Callable[[Mapping[str, str]], None] = check_isolated) -> int:
    """Run the stage that `reprobuildStage` describes into the folder `out`.

    Args:
        check: raises SandboxError when not isolated. An argument and not a variable of the environment,
            so that nobody can switch it off in a build.
    Returns:
        the exit status: 0, or 1 when user code failed.
    Raises:
        WorkerError: configuration, sandbox or output are not as they must be.
    """
    watch = measure.Stopwatch()
    check(os.environ)
    determinism.check_hash_seed(os.environ)
    config = stage_config(os.environ)
    out = Path(os.environ[OUT_VARIABLE])
    os.chdir(sandbox.private_folders(os.environ, Path(os.environ.get("NIX_BUILD_TOP", Path.cwd()))))
    out.mkdir()
    determinism.apply(config.numerics, os.environ)

    reporter = NixReporter()
    reporter.event("host", stage=config.name, **measure.host())
    reporter.phase(config.name)
    stage.bind(config, out, reporter)
    for line in limits.apply(config.limits, config.name):
        reporter.line(line)
    try:
        entry.run(config.run, config.source, stage)
    except (Exception, SystemExit, KeyboardInterrupt) as error:
        limits.lift_memory()
        if not (isinstance(error, SystemExit) and error.code in (None, 0)):
            stage.abandon()
            _print_failure(limits.memory_problem(error, config.limits, config.name) or error, config)
            return 1
    limits.lift_memory()
    stage.finish()
    outputs.check_outputs(out, config.outputs, stage=config.name)
    outputs.normalise(out)
    loader = {} if stage.loader_s is None else {"loader_s": round(stage.loader_s, 3)}
    reporter.event("resources", stage=config.name, **watch.resources(), **loader, **measure.numerics_in_use())
    return 0


def _print_failure(error: BaseException, config: StageConfig) -> None:
    sys.stdout.flush()
    name = config.name
    for line in entry.short_traceback(error, config.source):
        print(line, file=sys.stderr)
    if isinstance(error, WorkerError):
        print(f"error: {error}", file=sys.stderr)
    elif isinstance(error, SystemExit):
        print(f"error: stage {name} ended with exit status {error.code}", file=sys.stderr)
    else:
        print(f"error: stage {name} failed: {type(error).__name__}: {error}", file=sys.stderr)
    sys.stderr.flush()
