"""`reprobuild plan`: what a build would do."""

from __future__ import annotations

import typer

from reprobuild.cli import render, wiring
from reprobuild.cli.options import HERE, CacheOption, JsonOption, ProjectOption, SetOption


def plan(
    project: ProjectOption = HERE, set_: SetOption = None, cache: CacheOption = None, as_json: JsonOption = False
) -> None:
    """Say what a build would build, fetch (bytes, from where) and reuse; changes nothing.

    Example: reprobuild plan --set train.params.epochs=20
    """
    from reprobuild.services.project import open_project

    opened = open_project(project, set_ or [])
    found = wiring.session(quiet=True).plan_service(opened).run(opened, wiring.caches(cache or ()))
    steps = found.fetch.steps if found.fetch else ()
    to_fetch = [step for step in steps if step.place != "present"]
    if as_json:
        render.document(
            {
                "schema": "reprobuild.plan/1",
                "build": list(found.build),
                "reuse": list(found.reuse),
                "fetch": [
                    {"source": s.source.subject, "from": s.where, "bytes": s.source.size_bytes} for s in to_fetch
                ],
                "fetch_bytes": sum(step.source.size_bytes for step in to_fetch),
                "out_path": found.instantiation.model.out_path,
                "drv_path": found.instantiation.model.drv_path,
            }
        )
        return
    for title, names in (("build", found.build), ("reuse", found.reuse)):
        render.result_line(f"{title} {len(names)}" + (f": {_shortened(names)}" if names else ""))
    total = sum(step.source.size_bytes for step in to_fetch)
    render.result_line(f"fetch {len(to_fetch)}" + (f", {render.size(total)}" if to_fetch else ""))
    rows = [[step.source.subject, render.size(step.source.size_bytes), step.where] for step in to_fetch]
    for line in render.table(rows, indent="  "):
        render.result_line(line)
    render.result_line(found.instantiation.model.out_path)


def _shortened(names: tuple[str, ...]) -> str:
    return ", ".join(names) if len(names) <= 12 else ", ".join([*names[:6], f"… {len(names) - 9} more …", *names[-3:]])


def register(app: typer.Typer, nix_app: typer.Typer) -> None:
    app.command("plan")(plan)
