"""`reprobuild builder setup`: make this machine a builder for GPU stages."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from reprobuild.cli import render, wiring
from reprobuild.cli.options import JsonOption
from reprobuild.errors import EXIT_NO, BuilderSetupError, UsageError


def setup(
    feature: Annotated[
        list[str] | None,
        typer.Option(
            "--feature",
            metavar="NAME",
            help="System feature to offer, instead of those that the probe finds; may be repeated.",
        ),
    ] = None,
    undo: Annotated[bool, typer.Option("--undo", help="Take out what this command put in.")] = False,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Show what would change, change nothing.")
    ] = False,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")] = False,
    root: Annotated[
        Path, typer.Option("--root", metavar="FOLDER", help="Where the machine's files lie.", hidden=True)
    ] = Path("/"),
    as_json: JsonOption = False,
) -> None:
    """Install the GPU hook on this machine and tell its Nix what it offers.

    Shows every line that would change, and asks. Writes /usr/local/libexec/reprobuild-gpu-hook and a marked block in
    /etc/nix/nix.conf; no other line is touched. With --json it asks nothing and writes with --yes only.

    Example: reprobuild builder setup --dry-run
    """
    from reprobuild.services.builder_setup import apply

    if undo and feature:
        raise UsageError("--undo and --feature: one at a time", hint="leave out --feature")
    session = wiring.session(quiet=True)
    service = session.builder_setup(root)
    features = [] if undo else _features(session, feature)
    changes = service.plan_undo() if undo else service.plan(features, session.system_python())
    write = bool(changes) and not dry_run and (yes or not as_json)
    if not as_json:
        for change in changes:
            render.result_line(change.diff().removesuffix("\n"))
    for warning in service.warnings():
        render.note(f"warning: {warning}")
    if write and not yes and not _agreed():
        render.note("nothing was changed")
        raise typer.Exit(EXIT_NO)
    if write:
        apply(changes)
    if as_json:
        render.document(
            {
                "schema": "reprobuild.builder-setup/1",
                "features": features,
                "changes": [{"file": str(change.path), "diff": change.diff()} for change in changes],
                "written": write,
            }
        )
    elif not changes:
        render.note("nothing to change")
    elif write:
        render.note("next: restart nix-daemon, if there is one: sudo systemctl restart nix-daemon")


def _features(session: wiring.Session, given: list[str] | None) -> list[str]:
    if given:
        return given
    profile = session.hardware_probe()()
    if not profile.features:
        raise BuilderSetupError(
            "this machine offers no GPU to builds",
            actual=profile.not_available["features"],
            actual_from="reprobuild builder probe",
            hint="install NVIDIA's driver, or name features yourself: --feature cuda",
        )
    return list(profile.features)


def _agreed() -> bool:
    try:
        return typer.confirm("Change these files?", err=True)
    except typer.Abort:
        raise UsageError("nobody answered", hint="add --yes to change the files, or --dry-run") from None


def register(builder_app: typer.Typer) -> None:
    builder_app.command("setup")(setup)
