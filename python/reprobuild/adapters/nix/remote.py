"""Another machine's store, reached over ssh: what it has, what goes there and back, and builds in it.

Nix's client opens it as `ssh-ng://HOST`; `nix-daemon --stdio` on the other side does the work.
"""

from __future__ import annotations

import subprocess
from collections.abc import Callable, Sequence
from functools import cache
from pathlib import Path
from shlex import quote
from urllib.parse import quote as percent_encoded

from reprobuild.adapters.builder import SshBuilders, usable_facts
from reprobuild.adapters.builder_slots import held_slots
from reprobuild.adapters.nix.process import environment, program, run
from reprobuild.adapters.nix.realise import run_heard
from reprobuild.adapters.nix.store import path_infos
from reprobuild.adapters.ssh import nix_environment, run_there
from reprobuild.core.build_tree import failed_build
from reprobuild.core.connection import connection_error
from reprobuild.domain.build_event import Event, Level, Message
from reprobuild.domain.machine import Machine
from reprobuild.domain.store import PathInfo
from reprobuild.errors import BuilderError, DiskFullError, ReprobuildError, SandboxError, ToolFailedError

# The other machine's nix.conf is not ours to trust. Of the settings for builds here (adapters/nix/process.py)
# `sandbox-paths` is left out: it would have to be an empty word of `remote-program`.
_HERMETIC = ("--option", "sandbox", "true", "--option", "sandbox-fallback", "false")

_DUMP_TIMEOUT_S = 24 * 3600


@cache
def _sandbox_problem(machine: Machine) -> str | None:
    return SshBuilders().sandbox_problem(machine)


class RemoteNix:
    """Implements ports.BuildMachine."""

    def __init__(self, machine: Machine) -> None:
        self.machine = machine
        self.store = self._address()

    def require_sandbox(self, *, sent_by_nix: bool = False) -> None:
        """By our settings where they hold, else by its own; where these would build without it too, by a trial.

        Args:
            sent_by_nix: Nix here sends builds there, and hands on none of our settings.
        Raises:
            BuilderError: it cannot be used.
            SandboxError: its Nix builds without sandbox, and we have no say in that.
        """
        facts = usable_facts(self.machine)
        if (facts.writes_store and not sent_by_nix and self._takes_options()) or facts.isolates:
            return
        configured = facts.settings.get("sandbox") == "true"
        problem = _sandbox_problem(self.machine) if configured else "sandbox = false"
        if problem is not None:
            raise SandboxError(
                f"{self.machine.name}: builds there would not be hermetic, so nothing was built",
                expected="sandbox = true, sandbox-fallback = false",
                actual=problem,
                actual_from=f"/etc/nix/nix.conf on {self.machine.name}",
                hint="set both there and restart nix-daemon",
            )

    def present(self, paths: Sequence[str]) -> set[str]:
        """Which of these store paths it has."""
        if not paths:
            return set()
        arguments = ["--check-validity", "--print-invalid", "--store", self.store, *paths]
        return set(paths) - set(self._run("nix-store", arguments).split())

    def infos(self, paths: Sequence[str]) -> dict[str, PathInfo]:
        """What its store has registered about paths that it has."""
        try:
            return path_infos(paths, self.store, nix_environment())
        except ToolFailedError as error:
            raise self._problem("\n".join(error.details)) or error from error

    def substitute(self, paths: Sequence[str]) -> set[str]:
        """Let it take what its own binary caches have; returns what it has then."""
        if not paths or not usable_facts(self.machine).words("substituters"):
            return set()
        address = self._address(*_HERMETIC, "--keep-going")
        arguments = ["--realise", *paths, "--store", address]
        # it fails where a cache lacks one, or does not answer: what counts is what is there afterwards
        run("nix-store", arguments, ok=range(256), variables=nix_environment())
        return self.present(paths)

    def send(
        self, paths: Sequence[str], on_event: Callable[[Event], None], *, derivations: bool = False
    ) -> None:
        """Copy paths from here, with what they need.

        Args:
            derivations: the `.drv` files themselves, not what they build.
        Raises:
            BuilderError, DiskFullError, ToolFailedError: what arrived whole is kept.
        """
        options = ["--derivation"] if derivations else []
        self._copy([*options, "--to", self.store], paths, on_event)

    def bring(self, paths: Sequence[str], on_event: Callable[[Event], None]) -> None:
        """Copy paths from there.

        Raises: as `send`; a full disk is this machine's.
        """
        self._copy(["--from", self.store], paths, on_event, writes_here=True)

    def realise(
        self,
        drv_paths: Sequence[str],
        on_event: Callable[[Event], None],
        *,
        jobs: int | None = None,
        keep_going: bool = False,
        check: bool = False,
    ) -> int:
        """Build there (or with `check` rebuild and compare); returns Nix's exit status, which tells little over ssh.

        Waits while the machine has all the builds that its entry allows at a time.

        Raises:
            BuilderError, DiskFullError: it went away, or has no room; what was finished is kept there.
            KeyboardInterrupt: its builders end when the connection does.
        """
        options = ["--keep-going"] if keep_going else []
        options += ["--keep-failed"] if check else []

        def busy(who: str) -> None:
            waits = f"{self.machine.name} is busy with builds of {who}: waiting until it has room"
            on_event(Message(Level.WARN, waits))

        with held_slots(self.machine, jobs or self.machine.max_jobs, busy) as held:
            address = self._address(*_HERMETIC, "--max-jobs", str(held), *options)
            arguments = ["--realise", *drv_paths, "--store", address, *(["--check"] if check else [])]
            return self._heard("nix-store", arguments, on_event)[0]

    def unpack(self, path: str, target: Path) -> None:
        """Write the files of one path there into a new folder here, without what it needs.

        Args:
            path: of its store, registered or not (the kept output of a rebuild).
        Raises:
            BuilderError, DiskFullError (of this machine), ToolFailedError.
        """
        problem: BuilderError | None = None
        with subprocess.Popen(
            [program("nix-store"), "--restore", str(target)],
            stdin=subprocess.PIPE,
            stderr=subprocess.PIPE,
            env=environment(),
        ) as restore:
            assert restore.stdin is not None and restore.stderr is not None
            dump = f"nix-store --dump {quote(path)}"
            try:
                run_there(self.machine, dump, timeout_s=_DUMP_TIMEOUT_S, into=restore.stdin)
            except BuilderError as error:  # also where it could not write, since this side had ended
                problem = error
            restore.stdin.close()
            said = restore.stderr.read().decode("utf-8", "replace")
        if restore.returncode == 0 and problem is None:
            return
        known = connection_error(self.machine.name, said, writes_here=True)
        raise (known if isinstance(known, DiskFullError) else problem) or ToolFailedError(
            f"{self.machine.name}: {path} could not be brought here", details=tuple(said.splitlines()[-6:])
        )

    def has_file(self, path: str) -> bool:
        return "yes" in run_there(self.machine, f"if [ -e {quote(path)} ]; then echo yes; fi")

    def keep(self, name: str, path: str) -> None:
        """Keep a path there from its garbage collector."""
        root = f'"${{XDG_STATE_HOME:-$HOME/.local/state}}"/reprobuild/roots/{quote(name)}'
        add = f"nix-store --realise --add-root {root} --indirect {quote(path)}"
        run_there(self.machine, f"mkdir -p $(dirname {root}) && {add}")

    def _address(self, *daemon_options: str) -> str:
        """The machine as a store, with options for the `nix-daemon --stdio` that ssh starts there.

        Nix's client does not hand its settings on over ssh. These hold where that process writes the store itself.
        """
        store = "ssh-ng://" + self.machine.store_uri.partition("://")[2]
        if not daemon_options or not self._takes_options():
            return store
        words = " ".join(["nix-daemon", *daemon_options])
        return f"{store}{'&' if '?' in store else '?'}remote-program={percent_encoded(words)}"

    def _takes_options(self) -> bool:
        return "remote-program=" not in self.machine.store_uri

    def _copy(
        self,
        options: Sequence[str],
        paths: Sequence[str],
        on_event: Callable[[Event], None],
        *,
        writes_here: bool = False,
    ) -> None:
        if not paths:
            return
        arguments = ["copy", "--no-check-sigs", *options, *paths]
        status, said = self._heard("nix", arguments, on_event, writes_here=writes_here)
        if status != 0:
            raise ToolFailedError(
                f"{self.machine.name}: copying failed (Nix status {status})",
                details=tuple(said[-8:]),
                hint="run the same command again: what arrived is kept",
            )

    def _heard(
        self,
        name: str,
        arguments: Sequence[str],
        on_event: Callable[[Event], None],
        *,
        writes_here: bool = False,
    ) -> tuple[int, list[str]]:
        """Status, and what ssh and Nix said that is not about a build of its own."""
        said: list[str] = []

        def hear(event: Event) -> None:
            if isinstance(event, Message) and failed_build(event.text) is None:
                said.append(event.text)
            on_event(event)

        status = run_heard(name, arguments, hear, variables=nix_environment())
        if status != 0 and (problem := self._problem("\n".join(said), writes_here=writes_here)):
            raise problem
        return status, said

    def _run(self, name: str, arguments: Sequence[str], ok: Sequence[int] = (0, 1)) -> str:
        """
        Raises:
            BuilderError and others, where ssh or Nix say that the machine is the reason.
        """
        done = run(name, arguments, ok=range(256), variables=nix_environment())
        if done.returncode != 0 and (problem := self._problem(done.stderr)):
            raise problem
        if done.returncode not in ok:
            details = tuple(done.stderr.strip().splitlines()[-12:])
            raise ToolFailedError(f"{self.machine.name}: {name} failed there", details=details)
        return done.stdout

    def _problem(self, said: str, *, writes_here: bool = False) -> ReprobuildError | None:
        return connection_error(self.machine.name, said, writes_here=writes_here)
