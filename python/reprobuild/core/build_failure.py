"""From a failed build to the error that helps: which stage, its last lines, its log, the status as Nix's."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

from reprobuild.core.build_state import BuildState, BuildStatus
from reprobuild.core.build_tree import BuildTree
from reprobuild.domain.machine import AVX2_SYSTEM
from reprobuild.errors import (
    BuildFailedError,
    BuildTimeoutError,
    ContentMismatchError,
    FeatureMissingError,
    GpuHookError,
    InterruptedBuildError,
    ReprobuildError,
    SandboxError,
    SourcesMissingError,
)

# Nix's words from 2.8 to 2.34, as in tests/golden/nix-log
_MISMATCH = re.compile(
    r"hash mismatch in fixed-output derivation '(?P<drv>[^']+)'"
    r".*?specified:\s*(?P<expected>\S+).*?got:\s*(?P<actual>\S+)",
    re.DOTALL,
)
_FEATURES = (
    re.compile(
        r"a '[^']+' with features \{(?P<needed>[^}]*)\} is required to build '(?P<drv>[^']+)'"
        r".*?with features \{(?P<offered>[^}]*)\}",
        re.DOTALL,
    ),
    re.compile(
        r"Cannot build '(?P<drv>[^']+)'.*?missing system features"
        r".*?Required features: \{(?P<needed>[^}]*)\}.*?Available features: \{(?P<offered>[^}]*)\}",
        re.DOTALL,
    ),
    re.compile(
        r"Cannot build '(?P<drv>[^']+)'.*?Required system: '[^']+' with features \{(?P<needed>[^}]*)\}"
        r".*?Current system: '[^']+' with features \{(?P<offered>[^}]*)\}",
        re.DOTALL,
    ),
)
# The kind of system itself is refused: a processor without AVX2, for a stage of a portable model.
_SYSTEMS = (
    re.compile(
        r"a '(?P<needed>[^']+)' with features \{[^}]*\} is required to build '(?P<drv>[^']+)'"
        r", but I am a '(?P<offered>[^']+)'",
    ),
    re.compile(
        r"Cannot build '(?P<drv>[^']+)'.*?Required system: '(?P<needed>[^']+)'"
        r".*?Current system: '(?P<offered>[^']+)'",
        re.DOTALL,
    ),
)
_NO_SANDBOX = re.compile(
    r"(clone|unshare|mount|setgroups|uid_map|user namespace|sandbox)"
    r".*(denied|not permitted|Invalid argument|not supported)",
    re.IGNORECASE,
)
# nix/hook/reprobuild-gpu-hook: its line as Nix quotes it, and Nix's words when it did not run
_HOOK = "the GPU hook of the machine that builds"
_HOOK_LINE = re.compile(r"command 'reprobuild-gpu-hook: (?P<what>[^;']+)(?:; (?P<next>[^']+))?'")
_HOOK_BROKEN = re.compile(r"program '[^']*reprobuild-gpu-hook' (?P<what>failed [^\n]+)")
_NOT_FETCHED = re.compile(r"run-reprobuild-fetch:([\w./+-]+)")  # the address in nix/lib/sources.nix
_TIMED_OUT = re.compile(r"timed out after (?P<seconds>\d+) seconds")
_KILLED = re.compile(r"failed due to signal 9\b")
_SEED = re.compile(r" \(seed (?P<seed>\d+)\)$")  # in labels of services/seed_runs.py
# torch's words, and where the stage's own code stood, in the worker's short traceback
_NOT_DETERMINISTIC = re.compile(
    r"RuntimeError: (?P<operator>\S+) does not have a deterministic implementation"
)
_OWN_FRAME = re.compile(r"  (?P<place>[^/\s]\S*:\d+) in ")
_NOT_STAGES = ("", "base", "environment", "model")


def failure(
    status: int, tree: BuildTree, log_file: Callable[[str], Path | None], model: str = ""
) -> ReprobuildError:
    """The error for a realise that ended with a status other than 0.

    Args:
        model: name and version, such as `digits 1.0.0`, which messages about builds begin with; empty where the
            caller has said it.

    Nix's status alone is not reliable through a daemon, so messages are read as well.
    """
    messages = "\n".join(message.text for message in tree.errors)
    subject = f"{model}: " if model else ""
    if found := _MISMATCH.search(messages):
        return ContentMismatchError(
            f"{_name(found['drv'])}: content differs from the lock",
            expected=found["expected"],
            expected_from="reprobuild.lock",
            actual=found["actual"],
            actual_from="what came",
            hint="run `reprobuild fetch`; if it stays so, a mirror serves other bytes",
        )
    for pattern in _FEATURES:
        if (found := pattern.search(messages)) and _words(found["needed"]) - _words(found["offered"]):
            return FeatureMissingError(
                f"{_called(tree, found['drv'])}: no builder has the features that it requires",
                expected=found["needed"],
                expected_from="reprobuild.toml, features of the stage",
                actual=found["offered"] or "none",
                actual_from="system-features of this machine",
                hint="name a builder that has them, or take the features out",
            )
    for pattern in _SYSTEMS:
        if (found := pattern.search(messages)) and found["needed"] == AVX2_SYSTEM != found["offered"]:
            return FeatureMissingError(
                f"{_called(tree, found['drv'])}: numerics.level portable needs a processor with AVX2",
                expected=found["needed"],
                expected_from='reprobuild.toml, [numerics] level = "portable"',
                actual=found["offered"],
                actual_from="system and extra-platforms of this machine's Nix",
                hint="build on an x86-64 processor from 2015 or later, or name a builder that has one",
            )
    if found := _HOOK_LINE.search(messages):
        return GpuHookError(f"{subject}{_HOOK} refused: {found['what']}", hint=found["next"])
    if found := _HOOK_BROKEN.search(messages):
        return GpuHookError(
            f"{subject}{_HOOK} {found['what']}",
            details=_tail(messages),
            hint="run `reprobuild builder setup` on that machine",
        )
    if missing := sorted(set(_NOT_FETCHED.findall(messages))):
        return SourcesMissingError(
            f"{missing[0]} is not in the store" + (f" (and {len(missing) - 1} more)" if missing[1:] else ""),
            details=_tail(messages),
            hint="run `reprobuild fetch`",
        )
    if "interrupted by the user" in messages:
        return InterruptedBuildError("the build was interrupted", hint="run the same command again")
    failed = [state for state in tree.builds.values() if state.status is BuildStatus.FAILED]
    # a stage's own last lines are in its message too, so only Nix's own first line counts
    timed_out = next((s for s in failed if _TIMED_OUT.search(s.reason.partition("\n")[0])), None)
    if timed_out is not None or (not failed and _TIMED_OUT.search(messages)):
        return _timeout(timed_out, messages, log_file, subject)
    if not failed and (found := _NO_SANDBOX.search(messages)):
        return SandboxError(
            "Nix cannot set up its sandbox on this host",
            details=_tail(messages),
            hint="run `reprobuild doctor`",
        )
    if not failed:
        return BuildFailedError(
            f"{subject}the build failed (Nix status {status})",
            details=_tail(messages),
            hint="run `reprobuild doctor`",
        )
    first = failed[0]
    log = log_file(first.drv_path)
    others = [_what(state) for state in failed[1:]]
    if found := _NOT_DETERMINISTIC.search("\n".join(first.last_lines)):
        return _not_deterministic(first, found["operator"], log)
    killed = _KILLED.search(first.reason) is not None
    return BuildFailedError(
        f"{subject}{_what(first)} {'was killed' if killed else 'failed'}"
        + (f"; so did {', '.join(others)}" if others else ""),
        details=tuple(first.last_lines),
        actual_from=str(log) if log else None,
        actual="the whole log" if log else None,
        hint="signal 9 is most often too little memory: give the machine more, or the stage less to hold"
        if killed
        else _next_step(first),
    )


def _timeout(
    state: BuildState | None, messages: str, log_file: Callable[[str], Path | None], subject: str
) -> BuildTimeoutError:
    found = _TIMED_OUT.search(state.reason if state else messages)
    log = log_file(state.drv_path) if state else None
    return BuildTimeoutError(
        f"{subject}{_what(state) if state else 'the build'} took longer than allowed",
        expected=f"at most {found['seconds']} s" if found else None,
        expected_from="timeout of Nix's settings" if found else None,
        actual="the whole log" if log else None,
        actual_from=str(log) if log else None,
        details=tuple(state.last_lines) if state else _tail(messages),
        hint="raise `timeout` or `max-silent-time` in /etc/nix/nix.conf",
    )


def _not_deterministic(state: BuildState, operator: str, log: Path | None) -> BuildFailedError:
    """torch refused an operator. In a backward pass the place is the call of `backward`."""
    places = [found["place"] for line in state.last_lines if (found := _OWN_FRAME.match(line))]
    return BuildFailedError(
        f"{_what(state)} failed: operator {operator} has no deterministic form"
        + (f", at {places[-1]}" if places else ""),
        expected="deterministic operators only",
        expected_from="reprobuild.toml, [numerics] deterministic = true",
        actual=operator,
        actual_from=str(log) if log else None,
        details=tuple(state.last_lines),
        hint="use another operator, or give up equal bits with [numerics] deterministic = false",
    )


def _next_step(state: BuildState) -> str:
    if state.label == "model":
        return "the stages stay built: change the goal or the stage, then build again"
    if state.label in _NOT_STAGES:
        return "run `reprobuild doctor`"
    seed = _SEED.search(state.label)
    options = f"{state.label[: seed.start()]} --set numerics.seed={seed['seed']}" if seed else state.label
    return f"mend the stage, or look around in it with `reprobuild nix shell --stage {options}`"


def _what(state: BuildState) -> str:
    return state.label or state.name if state.label in _NOT_STAGES else f"stage {state.label}"


def _called(tree: BuildTree, drv_path: str) -> str:
    return _what(tree.builds[drv_path]) if drv_path in tree.builds else _name(drv_path)


def _words(features: str) -> set[str]:
    return set(features.replace(",", " ").split())


def _name(drv_path: str) -> str:
    return drv_path.rpartition("/")[2].partition("-")[2].removesuffix(".drv")


def _tail(messages: str) -> tuple[str, ...]:
    return tuple(messages.splitlines()[-12:])
