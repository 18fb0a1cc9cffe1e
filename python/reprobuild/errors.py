"""Typed errors: what failed, both sides, where each came from, and one next step.

The library raises them; `cli/app.py` alone prints them and exits with `exit_status`.
"""

from __future__ import annotations

from typing import Any, ClassVar

EXIT_NO = 1  # the answer is no: differs, stale, rejected
EXIT_REQUEST = 2  # the request is wrong: spec, lock, option
EXIT_HOST = 3  # this host cannot: tool missing, no GPU, offline
EXIT_BUG = 70
EXIT_BUILD_FAILED = 100  # 100, 101, 102, 104 as Nix
EXIT_TIMEOUT = 101
EXIT_HASH_MISMATCH = 102
EXIT_NOT_DETERMINISTIC = 104
EXIT_INTERRUPTED = 130


class ReprobuildError(Exception):
    """Base of all errors that a user can act on.

    Args:
        message: one line, what failed and on what.
        expected: the side that was asked for.
        expected_from: where that side is written (file and key, lock, Nix).
        actual: the side that was found.
        actual_from: where it was found (file, address, command).
        details: further lines, shown as they are (the last log lines, a table).
        hint: one next step, an imperative sentence.
    """

    slug: ClassVar[str] = "error"
    exit_status: ClassVar[int] = EXIT_REQUEST

    def __init__(
        self,
        message: str,
        *,
        expected: str | None = None,
        expected_from: str | None = None,
        actual: str | None = None,
        actual_from: str | None = None,
        details: tuple[str, ...] = (),
        hint: str | None = None,
    ) -> None:
        super().__init__(message)
        self.message = message
        self.expected = expected
        self.expected_from = expected_from
        self.actual = actual
        self.actual_from = actual_from
        self.details = details
        self.hint = hint

    def document(self) -> dict[str, Any]:
        """The error as the JSON document that `--json` prints."""
        fields: dict[str, Any] = {
            "schema": "reprobuild.error/1",
            "slug": self.slug,
            "exit_status": self.exit_status,
            "message": self.message,
        }
        for key in ("expected", "expected_from", "actual", "actual_from", "hint"):
            if (value := getattr(self, key)) is not None:
                fields[key] = value
        if self.details:
            fields["details"] = list(self.details)
        return fields


class SpecError(ReprobuildError):
    """The spec file is missing, unreadable or says something wrong."""

    slug = "spec"


class OverrideError(ReprobuildError):
    """A `--set` names a key that the spec does not declare, or a value of another type."""

    slug = "override"


class NotYetSupportedError(ReprobuildError):
    """A section is part of the format, but this release cannot honour it."""

    slug = "not-yet-supported"


class LockMissingError(ReprobuildError):
    slug = "lock-missing"


class LockStaleError(ReprobuildError):
    """The lock was made from other inputs than the spec names now."""

    slug = "lock-stale"


class LockFormatError(ReprobuildError):
    slug = "lock-format"


class ResolveError(ReprobuildError):
    """A requirement or package could not be resolved to pinned sources."""

    slug = "resolve"


class UnsupportedWheelError(ResolveError):
    """No wheel of a package fits the base's Python and glibc."""

    slug = "no-fitting-wheel"


class SignatureError(ReprobuildError):
    """A signed document's signature is missing or not made by a key we ship."""

    slug = "signature"
    exit_status = EXIT_NO


class ContentMismatchError(ReprobuildError):
    """Bytes differ from the digest that they are pinned by."""

    slug = "content-mismatch"
    exit_status = EXIT_HASH_MISMATCH


class SourcesMissingError(ReprobuildError):
    """Pinned sources are neither in the store nor to be had."""

    slug = "sources-missing"
    exit_status = EXIT_HOST


class NetworkError(ReprobuildError):
    """An address did not answer, or answered with an error, after all tries."""

    slug = "network"
    exit_status = EXIT_HOST


class DiskFullError(ReprobuildError):
    """There is less room than the transfer needs."""

    slug = "disk-full"
    exit_status = EXIT_HOST


class ToolMissingError(ReprobuildError):
    slug = "tool-missing"
    exit_status = EXIT_HOST


class ToolFailedError(ReprobuildError):
    """A tool that we started ended with an error that we do not know better."""

    slug = "tool-failed"
    exit_status = EXIT_HOST


class SandboxError(ReprobuildError):
    """Builds on this host would not be isolated."""

    slug = "sandbox"
    exit_status = EXIT_HOST


class BuildFailedError(ReprobuildError):
    slug = "build-failed"
    exit_status = EXIT_BUILD_FAILED


class BuildTimeoutError(ReprobuildError):
    slug = "build-timeout"
    exit_status = EXIT_TIMEOUT


class FeatureMissingError(ReprobuildError):
    """No builder offers the system features that a derivation requires."""

    slug = "feature-missing"
    exit_status = EXIT_HOST


class MachinesFileError(ReprobuildError):
    """A list of builders has a line that Nix would refuse, or cannot be read or written."""

    slug = "machines-file"


class BuilderError(ReprobuildError):
    """A builder cannot be reached, does not let us in, or cannot be used."""

    slug = "builder"
    exit_status = EXIT_HOST


class NoBuilderError(ReprobuildError):
    """No known machine can run a derivation: told before anything is fetched or built.

    Args:
        offers: what each machine offers of what is required, one object a machine, for `--json`.
    """

    slug = "no-builder"
    exit_status = EXIT_HOST

    def __init__(self, message: str, *, offers: tuple[dict[str, Any], ...] = (), **sides: Any) -> None:
        super().__init__(message, **sides)
        self.offers = offers

    def document(self) -> dict[str, Any]:
        return {**super().document(), "offers": list(self.offers)}


class QuotaError(ReprobuildError):
    """A build would take more than is allowed: told before anything is fetched or built."""

    slug = "quota"
    exit_status = EXIT_NO


class GpuHookError(ReprobuildError):
    """The hook that shows GPUs to builds refused on the machine that builds, or cannot run there."""

    slug = "gpu-hook"
    exit_status = EXIT_HOST


class BuilderSetupError(ReprobuildError):
    """This machine's configuration is not ours to change, or cannot be changed."""

    slug = "builder-setup"
    exit_status = EXIT_HOST


class NotAResultError(ReprobuildError):
    """A path is not (or no longer) a reprobuild result."""

    slug = "not-a-result"


class AdvisoryError(ReprobuildError):
    """An advisory database cannot be read, or is not in the OSV format."""

    slug = "advisories"


class UsageError(ReprobuildError):
    """An option or argument is wrong in a way that only we can tell."""

    slug = "usage"


class InterruptedBuildError(ReprobuildError):
    slug = "interrupted"
    exit_status = EXIT_INTERRUPTED


class BaselineError(ReprobuildError):
    """A baseline is missing, damaged, stale, or cannot be measured."""

    slug = "baseline"


class SigningKeyError(ReprobuildError):
    """A signing key is missing, taken, revoked, or cannot be opened."""

    slug = "signing-key"


class TrustFileError(ReprobuildError):
    """A trust file cannot be read, or says something that cannot be meant."""

    slug = "trust-file"
