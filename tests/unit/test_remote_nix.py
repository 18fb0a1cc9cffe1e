"""What comes back from a builder, and whose fault it is where it does not."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any, BinaryIO

import pytest

from reprobuild.adapters.nix import remote
from reprobuild.adapters.nix.remote import RemoteNix
from reprobuild.domain.build_event import Event, Level, Message
from reprobuild.domain.machine import Machine
from reprobuild.errors import BuilderError, DiskFullError, ReprobuildError, SandboxError, ToolFailedError

from .builder_fakes import FACTS

FAR = RemoteNix(Machine("ssh-ng://root@far", ("x86_64-linux",)))
FULL = "error: writing to file: No space left on device"


def ignore(event: Event) -> None: ...


def nix_says(monkeypatch: pytest.MonkeyPatch, text: str) -> None:
    def heard(name: str, arguments: Any, on_event: Callable[[Event], None], **_: Any) -> int:
        on_event(Message(Level.ERROR, text))
        return 1

    monkeypatch.setattr(remote, "run_heard", heard)


def test_a_full_disk_is_that_of_the_side_that_was_written(monkeypatch: pytest.MonkeyPatch) -> None:
    nix_says(monkeypatch, FULL)
    with pytest.raises(DiskFullError, match="builder far: its disk is full") as there:
        FAR.send(["/nix/store/x"], ignore)
    with pytest.raises(DiskFullError, match="this machine's disk is full, bringing outputs from far") as here:
        FAR.bring(["/nix/store/x"], ignore)
    assert "there" in (there.value.hint or "") and "here" in (here.value.hint or "")


@pytest.fixture
def restore(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[str], None]:
    """Puts a script in the place of nix-store on this side; the other side sends a few bytes."""

    def run_there(machine: Machine, command: str, *, timeout_s: float, into: BinaryIO) -> str:
        into.write(b"nar")
        return ""

    def become(script: str) -> None:
        program = tmp_path / "nix-store"
        program.write_text(f"#!/bin/sh\n{script}\n")
        program.chmod(0o755)
        monkeypatch.setattr(remote, "program", lambda name: str(program))

    monkeypatch.setattr(remote, "run_there", run_there)
    return become


def test_a_differing_output_is_unpacked_without_a_copy_in_between(
    restore: Callable[[str], None], tmp_path: Path
) -> None:
    restore('mkdir "$2"; cat >"$2/content"')
    FAR.unpack("/nix/store/x.check", tmp_path / "unpacked.check")
    assert (tmp_path / "unpacked.check" / "content").read_bytes() == b"nar"
    assert {one.name for one in tmp_path.iterdir()} == {"nix-store", "unpacked.check"}


@pytest.mark.parametrize(
    ("said", "expected", "words"),
    [(FULL, DiskFullError, "this machine's disk is full"), ("error: bad archive", ToolFailedError, "far: ")],
)
def test_an_output_that_cannot_be_unpacked_is_no_bug(
    said: str, expected: type[ReprobuildError], words: str, restore: Callable[[str], None], tmp_path: Path
) -> None:
    restore(f'cat >/dev/null; echo "{said}" >&2; exit 1')
    with pytest.raises(expected, match=words):
        FAR.unpack("/nix/store/x.check", tmp_path / "unpacked.check")


def test_a_connection_that_breaks_while_unpacking_is_the_builder_s(
    restore: Callable[[str], None], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def breaks(*_: Any, **__: Any) -> str:
        raise BuilderError("builder far: the connection broke")

    restore("cat >/dev/null; echo 'error: unexpected end-of-file' >&2; exit 1")
    monkeypatch.setattr(remote, "run_there", breaks)
    with pytest.raises(BuilderError, match="the connection broke"):
        FAR.unpack("/nix/store/x.check", tmp_path / "unpacked.check")


ON = {"sandbox": "true", "sandbox-fallback": "false"}
FALLBACK = {"sandbox": "true", "sandbox-fallback": "true"}
OFF = {"sandbox": "false", "sandbox-fallback": "false"}


@pytest.mark.parametrize(
    ("writes_store", "settings", "sent_by_nix", "query", "trial", "refused"),
    [
        (True, OFF, False, "", None, False),  # our settings hold
        (True, OFF, True, "", None, True),  # Nix hands none on
        (True, OFF, False, "?remote-program=/opt/nix-daemon", None, True),
        (True, ON, True, "", None, False),
        (False, ON, False, "", None, False),
        (False, OFF, False, "", None, True),
        (False, FALLBACK, False, "", None, False),  # it would fall back, but does not
        (False, FALLBACK, False, "", "builds are not isolated", True),
        (True, FALLBACK, True, "", "builds are not isolated", True),
    ],
)
def test_a_build_there_is_isolated_or_refused(
    writes_store: bool, settings: dict[str, str], sent_by_nix: bool, query: str, trial: str | None, refused: bool,
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    facts = replace(FACTS, writes_store=writes_store, settings={**FACTS.settings, **settings})
    monkeypatch.setattr(remote, "usable_facts", lambda machine: facts)
    monkeypatch.setattr(remote, "_sandbox_problem", lambda machine: trial)
    far = RemoteNix(Machine(f"ssh-ng://root@far{query}", ("x86_64-linux",)))
    if not refused:
        far.require_sandbox(sent_by_nix=sent_by_nix)
        return
    with pytest.raises(SandboxError, match="would not be hermetic"):
        far.require_sandbox(sent_by_nix=sent_by_nix)
