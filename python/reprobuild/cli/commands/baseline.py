"""`reprobuild baseline`: what other seeds give."""

from __future__ import annotations

from typing import Annotated

import typer

from reprobuild.cli import render, wiring
from reprobuild.cli.options import (
    HERE,
    CacheOption,
    JobsOption,
    JsonOption,
    OfflineOption,
    ProjectOption,
    QuietOption,
)


def baseline(
    runs: Annotated[
        int | None,
        typer.Option(
            "--runs",
            metavar="N",
            min=2,
            max=1000,
            help="How many seeds.",
            show_default="what tolerances ask for, or 10",
        ),
    ] = None,
    project: ProjectOption = HERE,
    jobs: JobsOption = None,
    offline: OfflineOption = False,
    cache: CacheOption = None,
    as_json: JsonOption = False,
    quiet: QuietOption = False,
) -> None:
    """Measure what other seeds give.

    Writes reprobuild.baseline.json, by which statistical tolerances are judged. Builds the stages that
    measure, once for each seed; finished runs are reused.

    Example: reprobuild baseline --runs 20
    """
    from reprobuild.services.project import open_project

    session = wiring.session(quiet=quiet)
    service = session.baseline_service(offline=offline, caches=cache or ())
    outcome = service.run(
        open_project(project),
        session.build_view,
        runs=runs,
        jobs=jobs,
        caches=wiring.all_caches(cache or ()),
    )
    if as_json:
        render.document(outcome.baseline.model_dump(mode="json", by_alias=True))
        return
    rows = [["metric", "mean", "deviation", "least", "most"]]
    for name, metric in sorted(outcome.baseline.metrics.items()):
        numbers = (
            metric.mean,
            metric.standard_deviation,
            min(metric.values.values()),
            max(metric.values.values()),
        )
        rows.append([name, *(f"{number:.6g}" for number in numbers)])
    for line in render.table(rows):
        render.result_line(line)
    if not quiet:
        state = "written" if outcome.changed else "said this already"
        built = f"built {len(outcome.built)}" if outcome.built else "nothing to build"
        render.note(f"{outcome.path.name}: {state}  ({len(outcome.baseline.runs)} runs, {built})")


def register(app: typer.Typer, nix_app: typer.Typer) -> None:
    app.command("baseline")(baseline)
