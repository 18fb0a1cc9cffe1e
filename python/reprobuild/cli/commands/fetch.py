"""`reprobuild fetch`: get every pinned source into the store."""

from __future__ import annotations

import typer

from reprobuild.cli import render, wiring
from reprobuild.cli.options import HERE, CacheOption, JsonOption, OfflineOption, ProjectOption, QuietOption


def fetch(
    project: ProjectOption = HERE,
    offline: OfflineOption = False,
    cache: CacheOption = None,
    as_json: JsonOption = False,
    quiet: QuietOption = False,
) -> None:
    """Fetch what the lock pins into the store.

    From wherever it can be had; each file is checked by its hash.

    Example: reprobuild fetch --cache file:///srv/nix-cache
    """
    from reprobuild.services.project import open_project

    session = wiring.session(quiet=quiet)
    report = session.fetch_all(open_project(project), offline=offline, given_caches=cache or ())
    if as_json:
        render.document(
            {
                "schema": "reprobuild.fetch/1",
                "fetched": [
                    {"source": one.source.subject, "origin": one.origin, "from": one.label}
                    for one in report.fetched
                ],
                "reused": len(report.reused),
                "size_bytes": report.size_bytes,
                "downloaded_bytes": report.downloaded_bytes,
                "duration_s": round(report.seconds, 3),
            }
        )
    elif not quiet:
        render.note(
            f"fetched {len(report.fetched)} ({render.size(report.size_bytes)}), reused {len(report.reused)}"
        )


def register(app: typer.Typer, nix_app: typer.Typer) -> None:
    app.command("fetch")(fetch)
