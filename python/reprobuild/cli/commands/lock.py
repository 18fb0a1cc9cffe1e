"""`reprobuild lock`: pin every byte that can go into the build."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from reprobuild.cli import render, wiring
from reprobuild.cli.options import HERE, JsonOption, ProjectOption, QuietOption
from reprobuild.errors import EXIT_NO

if TYPE_CHECKING:
    from reprobuild.services.project import Project


def lock(
    project: ProjectOption = HERE,
    update: Annotated[
        list[str] | None,
        typer.Option(
            "--update", metavar="NAME", help="Renew a wheel or dataset, or base, python, data, all."
        ),
    ] = None,
    check: Annotated[
        bool, typer.Option("--check", help="Only say whether the lock is fresh: exit 0, or 1.")
    ] = False,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Show what would change, write nothing.")
    ] = False,
    as_json: JsonOption = False,
    quiet: QuietOption = False,
) -> None:
    """Pin base packages, wheels and data by hash.

    Writes reprobuild.lock.

    Pins move only when asked: what is locked and still fits stays as it is.

    Example: reprobuild lock --update numpy
    """
    from reprobuild.services.project import open_project

    opened = open_project(project)
    session = wiring.session(quiet=quiet)
    if check:
        _check(session, opened, as_json=as_json)
        return
    outcome = session.lock_service().run(opened, update=frozenset(update or ()), dry_run=dry_run)
    if as_json:
        render.document(
            {
                "schema": "reprobuild.lock-changes/1",
                "fresh": outcome.fresh,
                "written": outcome.written,
                "changes": [change.__dict__ for change in outcome.changes],
            }
        )
        return
    for change in outcome.changes:
        render.result_line(change.line())
    if not quiet:
        count = len(outcome.lock.sources)
        total = sum(source.size_bytes for source in outcome.lock.sources)
        state = "unchanged" if outcome.fresh else "would change" if dry_run else "written"
        render.note(f"reprobuild.lock {state}: {count} sources, {render.size(total)}")


def _check(session: wiring.Session, opened: Project, *, as_json: bool) -> None:
    from reprobuild.errors import ContentMismatchError, LockFormatError, LockMissingError, LockStaleError

    try:
        session.lock_service().check(opened)
    except (LockMissingError, LockStaleError, LockFormatError, ContentMismatchError) as stale:
        if as_json:
            render.document({"schema": "reprobuild.lock-check/1", "fresh": False, "reason": stale.document()})
        else:
            render.error(stale, as_json=False)
        raise typer.Exit(EXIT_NO) from None
    if as_json:
        render.document({"schema": "reprobuild.lock-check/1", "fresh": True})
    else:
        render.note("reprobuild.lock is fresh")


def register(app: typer.Typer, nix_app: typer.Typer) -> None:
    app.command("lock")(lock)
