"""`reprobuild plan`: what a build would do."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

from reprobuild.cli import render, wiring
from reprobuild.cli.options import HERE, CacheOption, JsonOption, ProjectOption, SetOption
from reprobuild.cli.progress.layout import duration
from reprobuild.core.addresses import shown_address
from reprobuild.errors import EXIT_NO

if TYPE_CHECKING:
    from reprobuild.services.plan import BuildPlan, CacheCount


def plan(
    project: ProjectOption = HERE,
    set_: SetOption = None,
    cache: CacheOption = None,
    check: Annotated[
        bool, typer.Option("--check", help="Exit 1 if anything has to be built, 0 if not.")
    ] = False,
    as_json: JsonOption = False,
) -> None:
    """Say what a build would build, fetch and reuse.

    Fetching with bytes and from where; changes nothing.

    Example: reprobuild plan --set train.params.epochs=20
    """
    from reprobuild.services.project import open_project

    opened = open_project(project, set_ or [])
    found = wiring.session(quiet=True).plan_service(opened).run(opened, wiring.all_caches(cache or ()))
    if as_json:
        to_fetch = found.fetch.to_fetch
        render.document(
            {
                "schema": "reprobuild.plan/1",
                "build": list(found.build),
                "reuse": list(found.reuse),
                "where": [
                    {
                        "stage": stage,
                        "builder": machine.name,
                        "address": machine.uri,
                        "expected_s": time.seconds if (time := found.expected[stage]) else None,
                        "expected_basis": time.basis if time else None,
                    }
                    for stage, machine in found.where.items()
                ],
                "take": [
                    {"name": name, "from": offer.label, "size_bytes": offer.size_bytes}
                    for name, offer in found.take.items()
                ],
                "caches": [_count_document(one) for one in found.caches],
                "fetch": [
                    {
                        "source": item.source.subject,
                        "origin": item.origin,
                        "from": item.label,
                        "size_bytes": item.source.size_bytes,
                    }
                    for item in to_fetch
                ],
                "fetch_bytes": sum(item.source.size_bytes for item in to_fetch),
                "download_bytes": found.fetch.download_bytes,
                "out_path": found.instantiation.model.out_path,
                "drv_path": found.instantiation.model.drv_path,
            }
        )
    else:
        _show(found)
    if check and found.build:
        raise typer.Exit(EXIT_NO)


def _show(found: BuildPlan) -> None:
    render.result_line(f"build {_counted(found.build)}")
    _show_stages(found)
    render.result_line(f"reuse {_counted(found.reuse)}")
    if found.caches:
        take_bytes = sum(offer.size_bytes for offer in found.take.values())
        render.result_line(
            f"take {len(found.take)}"
            + (f", {render.size(take_bytes)}: {_shortened(tuple(found.take))}" if found.take else "")
        )
    to_fetch = found.fetch.to_fetch
    fetch_bytes = sum(item.source.size_bytes for item in to_fetch)
    render.result_line(f"fetch {len(to_fetch)}" + (f", {render.size(fetch_bytes)}" if to_fetch else ""))
    rows = [
        [item.source.subject, render.size(item.source.size_bytes), item.label or item.origin]
        for item in to_fetch
    ]
    for line in render.table(rows, indent="  "):
        render.result_line(line)
    for one in found.caches:
        render.result_line(f"cache {shown_address(one.cache)}: {_count_text(one)}")
    render.result_line(found.instantiation.model.out_path)


def _show_stages(found: BuildPlan) -> None:
    """Where each stage runs and how long, as far as there is something to say."""
    known = [time for time in found.expected.values() if time is not None]
    elsewhere = not all(machine.is_local for machine in found.where.values())
    if not known and not elsewhere:
        return
    rows = []
    for stage, machine in found.where.items():
        time = found.expected[stage]
        lasts = f"about {duration(time.seconds)}, {time.basis}" if time else "nobody can say how long"
        rows.append([stage, *([f"on {machine.name}"] if elsewhere else []), lasts if known else ""])
    for line in render.table(rows, indent="  "):
        render.result_line(line.rstrip())
    if known:
        on_gpu = sum(time.seconds for time in known if time.on_gpu)
        together = f"about {duration(sum(time.seconds for time in known))} together"
        render.result_line(f"  {together}" + (f", {on_gpu / 3600:.2g} GPU hours" if on_gpu else ""))


def _counted(names: tuple[str, ...]) -> str:
    return f"{len(names)}" + (f": {_shortened(names)}" if names else "")


def _count_document(one: CacheCount) -> dict[str, Any]:
    return {
        "cache": shown_address(one.cache),
        "sources": one.sources,
        "source_bytes": one.source_bytes,
        "outputs": one.outputs,
        "output_bytes": one.output_bytes,
        "unsigned": one.unsigned,
        "problem": one.problem or None,
    }


def _count_text(one: CacheCount) -> str:
    if one.problem:
        return one.problem
    return (
        f"{one.sources} sources ({render.size(one.source_bytes)}), {one.outputs} outputs"
        f" ({render.size(one.output_bytes)})"
        + (f", {one.unsigned} that no trusted key has signed" if one.unsigned else "")
    )


def _shortened(names: tuple[str, ...]) -> str:
    return (
        ", ".join(names)
        if len(names) <= 12
        else ", ".join([*names[:6], f"… {len(names) - 9} more …", *names[-3:]])
    )


def register(app: typer.Typer, nix_app: typer.Typer) -> None:
    app.command("plan")(plan)
