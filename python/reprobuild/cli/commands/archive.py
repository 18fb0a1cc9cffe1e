"""`reprobuild archive`: a project with everything it is built from, in one folder."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from reprobuild.cli import render, wiring
from reprobuild.cli.options import HERE, CacheOption, JsonOption, OfflineOption, QuietOption
from reprobuild.errors import EXIT_NO

if TYPE_CHECKING:
    from reprobuild.services.archive_check import ArchiveCheck


def archive(
    folder: Annotated[
        Path, typer.Argument(metavar="FOLDER", help="The archive: made, or with --check read.")
    ],
    project: Annotated[
        Path, typer.Argument(metavar="[PROJECT]", help="Its folder.", show_default="this folder")
    ] = HERE,
    outputs: Annotated[
        bool, typer.Option("--outputs", help="Put in what was built as well, with all that it refers to.")
    ] = False,
    secret_key: Annotated[
        Path | None,
        typer.Option("--secret-key", metavar="FILE", help="Sign with this key of `nix key generate-secret`."),
    ] = None,
    check: Annotated[
        bool, typer.Option("--check", help="Only check an archive: exit 0 if every file is as written, or 1.")
    ] = False,
    offline: OfflineOption = False,
    cache: CacheOption = None,
    as_json: JsonOption = False,
    quiet: QuietOption = False,
) -> None:
    """Pack a project with all it is built from into one folder.

    Spec, lock, code, data, every source and the build rules: it can be rebuilt without a network and without
    this command.

    Example: reprobuild archive ../digits-1.0.0
    """
    if check:
        _check(folder, as_json=as_json, quiet=quiet)
        return
    from reprobuild.services.project import open_project

    service = wiring.session(quiet=quiet).archive_service(offline=offline, caches=cache or ())
    made = service.pack(open_project(project), folder, outputs=outputs, secret_key=secret_key)
    if as_json:
        render.document(
            {
                "schema": "reprobuild.archived/1",
                "folder": str(made.folder),
                "digest": made.digest,
                "files": made.files,
                "size_bytes": made.size_bytes,
                "drv_path": made.document.drv_path,
                "artifact_id": made.document.artifact_id or None,
            }
        )
        return
    render.result_line(str(made.folder))
    if not quiet:
        render.note(
            f"{made.files} files, {render.size(made.size_bytes)}; digest of {made.folder.name}/SHA256SUMS:"
            f" {made.digest}"
        )
        if not made.document.artifact_id:
            render.note("the model is not built: a rebuild will have nothing to compare with")


def _check(folder: Path, *, as_json: bool, quiet: bool) -> None:
    from reprobuild.services.archive_check import check_archive

    found = check_archive(folder)
    if as_json:
        render.document(
            {
                "schema": "reprobuild.archive-check/1",
                "folder": str(folder),
                "ok": found.ok,
                "digest": found.digest,
                "files": found.files,
                "findings": [
                    {"path": one.path, "state": one.state, "detail": one.detail} for one in found.findings
                ],
            }
        )
    elif not quiet:
        _show(found)
    if not found.ok:
        raise typer.Exit(EXIT_NO)


def _show(found: ArchiveCheck) -> None:
    for one in found.findings:
        render.result_line(f"{one.state}  {one.path}")
        if one.detail:
            render.result_line(f"  {one.detail}")
    if found.ok and found.document is not None:
        render.result_line(f"{found.document.model} {found.document.version}  {found.digest}")
    render.note(
        f"{found.files} files, " + ("all as written" if found.ok else f"{len(found.findings)} findings")
    )


def register(app: typer.Typer, nix_app: typer.Typer) -> None:
    app.command("archive")(archive)
