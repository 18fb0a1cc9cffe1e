"""Make this machine a builder for GPU stages: the hook, and what nix.conf must say. And take it back."""

from __future__ import annotations

import contextlib
import difflib
import os
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from reprobuild.core.nix_conf import builder_lines, included, setting, with_block, without_block
from reprobuild.errors import BuilderSetupError, UsageError

HOOK = "/usr/local/libexec/reprobuild-gpu-hook"
NIX_CONF = "/etc/nix/nix.conf"
_CUSTOM = "nix.custom.conf"  # where an installer that owns nix.conf wants other people's lines
_FEATURE = re.compile(r"[A-Za-z0-9][A-Za-z0-9._+-]*")


@dataclass(frozen=True)
class FileChange:
    """One file as it is and as it is to be; None: it is not there."""

    path: Path
    before: str | None
    after: str | None
    mode: int

    def diff(self) -> str:
        """Every line that changes, as a unified diff."""
        old, new = ("/dev/null" if text is None else str(self.path) for text in (self.before, self.after))
        lines = (self.before or "").splitlines(), (self.after or "").splitlines()
        return "\n".join(difflib.unified_diff(*lines, old, new, lineterm="")) + "\n"


class BuilderSetup:
    """
    Args:
        hook: the hook as it comes with this package.
        root: where the machine's files lie; in tests not `/`.
    """

    def __init__(self, hook: Path, root: Path = Path("/")) -> None:
        self._hook = hook
        self._root = root

    def plan(self, features: Sequence[str], interpreter: str) -> tuple[FileChange, ...]:
        """What would change; nothing, if all is as it should be.

        Args:
            interpreter: a Python 3.8 or newer that is there for nix-daemon too.
        Raises:
            UsageError: not a feature's name.
            BuilderSetupError: the files are not ours to change, or another hook is in place.
        """
        for name in features:
            if not _FEATURE.fullmatch(name):
                raise UsageError(f"{name!r} is no system feature", expected="letters, digits, and . _ + -")
        conf = self._nix_conf()
        self._refuse_another_hook(conf, conf)
        text = self._hook.read_text(encoding="utf-8").partition("\n")[2]
        return self._changes(
            FileChange(self._at(HOOK), self._read(self._at(HOOK)), f"#!{interpreter} -I\n{text}", 0o755),
            self._conf_change(conf, with_block(self._read(conf) or "", builder_lines(features, HOOK))),
        )

    def plan_undo(self) -> tuple[FileChange, ...]:
        """What takes the setup back: the block goes, and then the hook that nobody calls any more."""
        conf = self._nix_conf()
        return self._changes(
            self._conf_change(conf, without_block(self._read(conf) or "") or None),
            FileChange(self._at(HOOK), self._read(self._at(HOOK)), None, 0o755),
        )

    def warnings(self) -> list[str]:
        """What stays as it is, and should not."""
        conf = self._nix_conf()
        sandbox = setting(self._read(conf) or "", "sandbox")
        if sandbox not in ("false", "relaxed"):
            return []
        text = f"{conf}: sandbox = {sandbox}: builds are not isolated, and stages refuse to run; say `sandbox = true`"
        return [text]

    def _nix_conf(self) -> Path:
        """The file that takes our lines."""
        conf = self._at(NIX_CONF)
        if conf.resolve().is_relative_to("/nix/store") or self._at("/etc/NIXOS").exists():
            raise BuilderSetupError(
                f"{conf} is made by this system's own configuration, and would be made anew",
                hint="import nixosModules.gpu-builder of reprobuild's flake: see docs/how-to/gpu-builder.md",
            )
        own = _CUSTOM in [Path(path).name for path in included(self._read(conf) or "")]
        return conf.with_name(_CUSTOM) if own else conf

    def _refuse_another_hook(self, conf: Path, first: Path, seen: frozenset[Path] = frozenset()) -> None:
        text = self._read(conf) or ""
        given = setting(text, "pre-build-hook")
        if given and given != HOOK:
            raise BuilderSetupError(
                "Nix runs one pre-build-hook, and there is another one already",
                expected=HOOK,
                expected_from="this command",
                actual=given,
                actual_from=str(conf),
                hint="take that line out, or name a program of your own there that prints what both print",
            )
        for name in included(text):
            path = conf.parent / name
            if path not in seen:
                self._refuse_another_hook(path, first, seen | {conf})

    def _conf_change(self, conf: Path, after: str | None) -> FileChange:
        return FileChange(conf, self._read(conf), after, 0o644)

    def _changes(self, *all_of_them: FileChange) -> tuple[FileChange, ...]:
        return tuple(change for change in all_of_them if change.before != change.after)

    def _at(self, path: str) -> Path:
        return self._root / path.lstrip("/")

    def _read(self, path: Path) -> str | None:
        try:
            return path.read_text(encoding="utf-8")
        except FileNotFoundError:
            return None
        except (OSError, UnicodeDecodeError) as error:
            raise BuilderSetupError(f"{path} cannot be read: {error}") from error


def apply(changes: Sequence[FileChange]) -> None:
    """Write all files, each at once or not at all.

    Raises:
        BuilderSetupError: no right to write, or no room. Files before that one are written.
    """
    for change in changes:
        part = change.path.with_name(f".{change.path.name}.reprobuild")
        try:
            if change.after is None:
                change.path.unlink(missing_ok=True)
                continue
            target = change.path.resolve()  # a link stays a link
            part = target.with_name(part.name)
            target.parent.mkdir(parents=True, exist_ok=True)
            part.write_text(change.after, encoding="utf-8")
            part.chmod(change.mode)
            part.replace(target)
        except OSError as error:
            with contextlib.suppress(OSError):
                part.unlink(missing_ok=True)
            raise BuilderSetupError(
                f"{change.path} cannot be written: {error.strerror}",
                hint="run the same command as root" if os.geteuid() else None,
            ) from error
