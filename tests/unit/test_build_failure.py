"""A failed build becomes the error that helps: which one, its last lines, its log, and Nix's status."""

from __future__ import annotations

from pathlib import Path

import pytest

from reprobuild.core.build_failure import failure
from reprobuild.core.build_tree import BuildTree
from reprobuild.domain.build_event import BuildStarted, Level, LogLine, Message
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

from .test_build_tree import replay

TRAIN = "/nix/store/kxaci1j7594kh5ksprdynjzqrwlx0l1q-digits-train.drv"
MODEL = "/nix/store/1whmfrygp5clrazl1kgbvwlvvlkpd87h-digits-1.0.0.drv"
FAILING = "/nix/store/9gf1nwss9grqn8qyda5kxxlrmmn8xxkn-digits-failing.drv"
LOG = Path("/nix/var/log/nix/drvs/kx/x.bz2")


def of_log(name: str, status: int, labels: dict[str, str] | None = None) -> ReprobuildError:
    return failure(status, replay(name, BuildTree([], labels or {})), lambda _: LOG, "digits 1.0.0")


def of_messages(*messages: str, status: int = 1, log: tuple[str, ...] = ()) -> ReprobuildError:
    tree = BuildTree([TRAIN], {TRAIN: "train", MODEL: "model"})
    for drv_path in (TRAIN, MODEL):
        if any(drv_path in message for message in messages) and "failed" in messages[0]:
            tree.apply(BuildStarted(1, drv_path, ""), 1.0)
    for line in log:
        tree.apply(LogLine(1, TRAIN, line), 1.0)
    for message in messages:
        tree.apply(Message(Level.ERROR, message), 2.0)
    tree.finish(3.0, succeeded=False)
    return failure(status, tree, lambda _: LOG, "digits 1.0.0")


@pytest.mark.parametrize("name", ["2.8.0-keep-going.log", "2.26.3-keep-going.log", "2.34.8-keep-going.log"])
def test_a_failing_stage_is_named_with_its_last_lines_and_its_log(name: str) -> None:
    tree = replay(name)
    drv_path = next(path for path in tree.builds if path.endswith("digits-failing.drv"))
    error = of_log(name, 100, {drv_path: "train"})
    assert isinstance(error, BuildFailedError)
    assert error.message == "digits 1.0.0: stage train failed"
    assert error.exit_status == 100
    assert error.details == tuple(f"line {n}" for n in range(5, 15))
    assert error.actual_from == str(LOG)
    assert error.hint == "mend the stage, or look around in it with `reprobuild nix shell --stage train`"


def test_what_has_no_label_is_named_as_nix_does() -> None:
    assert of_log("2.8.0-keep-going.log", 100).message == "digits 1.0.0: digits-failing failed"


def test_a_wrong_byte_shows_both_hashes() -> None:
    error = of_log("2.8.0-hash-mismatch.log", 102)
    assert isinstance(error, ContentMismatchError) and error.exit_status == 102
    assert error.message == "wrong-hash: content differs from the lock"
    assert error.expected == "sha256-AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA="
    assert error.actual == "sha256-WJG1tSLV3whtD/CxEPvZ0hu0/HFjrzTQgoai6Eb2vgM="


@pytest.mark.parametrize(
    ("name", "status", "offered"),
    [
        ("2.8.0-missing-feature.log", 1, "benchmark, big-parallel, kvm, nixos-test"),
        ("2.34.8-missing-feature.log", 100, "benchmark, big-parallel, kvm, nixos-test, uid-range"),
    ],
)
def test_a_missing_feature_shows_both_sides_in_old_and_new_nix(name: str, status: int, offered: str) -> None:
    error = of_log(name, status)
    assert isinstance(error, FeatureMissingError) and error.exit_status == 3
    assert (error.expected, error.actual) == ("cuda", offered)


def no_avx2(error: ReprobuildError) -> None:
    assert isinstance(error, FeatureMissingError) and error.exit_status == 3
    assert error.message.endswith(": numerics.level portable needs a processor with AVX2")
    assert (error.expected, error.actual) == ("x86_64-v3-linux", "x86_64-linux")


def test_a_processor_without_avx2_is_told_so() -> None:
    no_avx2(of_log("2.8.0-missing-system.log", 1))


@pytest.mark.parametrize(
    "reason",
    [
        "platform mismatch\n       Required system: 'x86_64-v3-linux'\n       Current system: 'x86_64-linux'",
        "required system or feature not available\n"
        "       Required system: 'x86_64-v3-linux' with features {}\n"
        "       Current system: 'x86_64-linux' with features {benchmark, big-parallel, kvm, nixos-test}",
    ],
)
def test_so_it_is_in_newer_nix(reason: str) -> None:
    """As its source has it, in two releases."""
    no_avx2(of_messages(f"error: Cannot build '{TRAIN}'.\n       Reason: {reason}"))


def test_a_missing_feature_of_a_portable_stage_is_not_taken_for_a_missing_avx2() -> None:
    """Nix names its own system only, whatever others it can build for."""
    error = of_messages(
        f"error: a 'x86_64-v3-linux' with features {{cuda}} is required to build '{TRAIN}', "
        "but I am a 'x86_64-linux' with features {benchmark, kvm}"
    )
    assert isinstance(error, FeatureMissingError)
    assert error.message == "stage train: no builder has the features that it requires"
    assert (error.expected, error.actual) == ("cuda", "benchmark, kvm")


@pytest.mark.parametrize("name", ["2.8.0-timeout.log", "2.34.8-timeout.log"])
def test_a_timeout_names_the_build_and_the_limit(name: str) -> None:
    error = of_log(name, 101)
    assert isinstance(error, BuildTimeoutError) and error.exit_status == 101
    assert (error.message, error.expected) == (
        "digits 1.0.0: too-slow took longer than allowed",
        "at most 1 s",
    )


def test_a_stage_that_talks_of_time_did_not_time_out() -> None:
    error = of_messages(
        f"error: builder for '{TRAIN}' failed with exit code 1;\n       last 1 log lines:\n"
        "       > timed out after 30 seconds",
        status=100,
        log=("timed out after 30 seconds",),
    )
    assert isinstance(error, BuildFailedError)
    assert error.message == "digits 1.0.0: stage train failed"
    assert error.details == ("timed out after 30 seconds",)


def test_an_operator_without_a_deterministic_form_is_named_with_its_place() -> None:
    """Lines of a real build with torch 2.13.0, the end of torch's sentence left out."""
    refused = "RuntimeError: put_ does not have a deterministic implementation, but you set"
    lines = (
        "  train.py:9 in <module>",
        "    main()",
        "  parts/model.py:5 in put",
        "    return rows.put_(torch.tensor([0, 0]), torch.tensor([1.0, 2.0]))",
        "  /nix/store/wm0-python-environment/lib/python3.11/site-packages/torch/functional.py:1075 in put",
        refused,
        f"error: stage train failed: {refused}",
    )
    error = of_messages(f"error: builder for '{TRAIN}' failed with exit code 1", status=100, log=lines)
    assert isinstance(error, BuildFailedError) and error.exit_status == 100
    assert error.message == (
        "stage train failed: operator put_ has no deterministic form, at parts/model.py:5"
    )
    assert error.details == lines
    assert "deterministic = false" in (error.hint or "")


def test_a_killed_stage_is_told_about_memory() -> None:
    error = of_messages(f"error: builder for '{TRAIN}' failed due to signal 9 (Killed)", status=100)
    assert error.message == "digits 1.0.0: stage train was killed"
    assert "too little memory" in (error.hint or "")


def test_a_missed_goal_says_that_the_stages_stay_built() -> None:
    error = of_messages(f"error: builder for '{MODEL}' failed with exit code 1", status=100)
    assert error.message == "digits 1.0.0: model failed"
    assert error.hint == "the stages stay built: change the goal or the stage, then build again"


def test_several_failures_are_all_named() -> None:
    error = of_messages(
        f"error: builder for '{TRAIN}' failed with exit code 1",
        f"error: builder for '{FAILING}' failed with exit code 1",
        status=100,
    )
    assert error.message == "digits 1.0.0: stage train failed; so did digits-failing"


def test_a_source_that_is_not_there_is_named() -> None:
    error = of_messages(
        "error: unable to download 'run-reprobuild-fetch:wheel/numpy': Unsupported protocol",
        "error: unable to download 'run-reprobuild-fetch:deb/libc6': Unsupported protocol",
    )
    assert isinstance(error, SourcesMissingError) and error.exit_status == 3
    assert error.message == "deb/libc6 is not in the store (and 1 more)"
    assert error.hint == "run `reprobuild fetch`"


def test_a_host_without_sandbox_is_no_failure_of_the_build() -> None:
    error = of_messages("error: cloning builder process: Operation not permitted (unshare denied)")
    assert isinstance(error, SandboxError) and error.exit_status == 3


def test_nix_that_was_interrupted_says_so() -> None:
    error = of_log("2.8.0-interrupted.log", 1)
    assert isinstance(error, InterruptedBuildError) and error.exit_status == 130


def test_what_is_not_known_shows_what_nix_said() -> None:
    error = of_messages("error: the moon is in the wrong phase", status=1)
    assert error.message == "digits 1.0.0: the build failed (Nix status 1)"
    assert error.details == ("error: the moon is in the wrong phase",)


def test_the_gpu_hooks_line_is_the_message_and_its_next_step_the_hint() -> None:
    error = of_messages(
        "error: unknown pre-build hook command 'reprobuild-gpu-hook: no libcuda.so.1 found; install the driver, "
        "or set driver_folder in /etc/reprobuild/gpu-hook.json'"
    )
    assert isinstance(error, GpuHookError)
    assert error.message == (
        "digits 1.0.0: the GPU hook of the machine that builds refused: no libcuda.so.1 found"
    )
    assert error.hint == "install the driver, or set driver_folder in /etc/reprobuild/gpu-hook.json"
    assert error.exit_status == 3


def test_a_gpu_hook_that_cannot_run_is_told_from_a_failed_stage() -> None:
    hook = "/usr/local/libexec/reprobuild-gpu-hook"
    error = of_messages(f"error: program '{hook}' failed with exit code 1")
    assert isinstance(error, GpuHookError)
    assert error.message == "digits 1.0.0: the GPU hook of the machine that builds failed with exit code 1"
    assert error.hint == "run `reprobuild builder setup` on that machine"
