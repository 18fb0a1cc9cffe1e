"""From a failed build to the error that helps: which stage, its last lines, its log, the status as Nix's."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

from reprobuild.core.build_tree import BuildState, BuildStatus, BuildTree
from reprobuild.errors import (
    BuildFailedError,
    BuildTimeoutError,
    ContentMismatchError,
    FeatureMissingError,
    ReprobuildError,
    SandboxError,
)

_MISMATCH = re.compile(
    r"hash mismatch in fixed-output derivation '(?P<drv>[^']+)'.*?specified:\s*(?P<expected>\S+).*?got:\s*(?P<actual>\S+)",
    re.DOTALL,
)
_FEATURES = re.compile(r"a '(?P<system>[^']+)' with features \{(?P<features>[^}]*)\} is required to build '(?P<drv>[^']+)'")
_NO_SANDBOX = re.compile(r"(clone|unshare|mount|setgroups|uid_map|user namespace|sandbox).*(denied|not permitted|Invalid argument|not supported)", re.IGNORECASE)


def failure(status: int, tree: BuildTree, log_file: Callable[[str], Path | None], project: str) -> ReprobuildError:
    """The error for a realise that ended with a status other than 0.

    Nix's status alone is not reliable through a daemon, so messages are read as well.
    """
    messages = "\n".join(message.text for message in tree.errors)
    if found := _MISMATCH.search(messages):
        return ContentMismatchError(
            f"{_name(found['drv'])}: content differs from the lock",
            expected=found["expected"],
            expected_from="reprobuild.lock",
            actual=found["actual"],
            hint="run `reprobuild fetch`; if it stays so, a mirror serves other bytes",
        )
    if found := _FEATURES.search(messages):
        return FeatureMissingError(
            f"{_name(found['drv'])}: no builder has the features that it requires",
            expected=found["features"],
            expected_from="reprobuild.toml, features of the stage",
            actual="this machine offers others",
            hint="name a builder that has them, or take the features out",
        )
    if "run-reprobuild-fetch:" in messages:
        return ContentMismatchError(
            "a pinned source is not in the store", details=_tail(messages), hint="run `reprobuild fetch`"
        )
    failed = [state for state in tree.builds.values() if state.status is BuildStatus.FAILED]
    if not failed and (found := _NO_SANDBOX.search(messages)):
        return SandboxError(
            "Nix cannot set up its sandbox on this host", details=_tail(messages), hint="run `reprobuild doctor`"
        )
    if status == 101 or "timed out" in messages:
        return BuildTimeoutError("the build took longer than allowed", details=_tail(messages))
    if not failed:
        return BuildFailedError(
            f"the build failed (Nix status {status})", details=_tail(messages), hint="run `reprobuild doctor`"
        )
    first = failed[0]
    log = log_file(first.drv_path)
    others = [state.label or state.name for state in failed[1:]]
    return BuildFailedError(
        f"{_what(first)} failed" + (f" (and {', '.join(others)})" if others else ""),
        details=tuple(first.last_lines),
        actual_from=str(log) if log else None,
        actual="the whole log" if log else None,
        hint=_next_step(first),
    )


def _next_step(state: BuildState) -> str:
    if state.label and state.label not in ("base", "environment", "model"):
        return f"mend the stage, or look around in it with `reprobuild nix shell --stage {state.label}`"
    if state.label == "model":
        return "the stages stay built: change the goal or the stage, then build again"
    return "run `reprobuild doctor`"


def _what(state: BuildState) -> str:
    return f"stage {state.label}" if state.label not in ("", "base", "environment", "model") else state.label or state.name


def _name(drv_path: str) -> str:
    return drv_path.rpartition("/")[2].partition("-")[2].removesuffix(".drv")


def _tail(messages: str) -> tuple[str, ...]:
    return tuple(messages.splitlines()[-12:])
