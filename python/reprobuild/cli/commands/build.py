"""`reprobuild nix build`, and its alias `reprobuild build`."""

from __future__ import annotations

from collections.abc import Sequence
from enum import Enum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from reprobuild.cli import render, wiring
from reprobuild.cli.options import (
    HERE,
    BuilderOption,
    CacheOption,
    JobsOption,
    JsonOption,
    OfflineOption,
    ProjectOption,
    QuietOption,
    SetOption,
)
from reprobuild.errors import UsageError

if TYPE_CHECKING:
    from reprobuild.domain.record import OffPlan


class Route(Enum):
    STORE = "store"
    CLASSIC = "classic"


def build(
    project: ProjectOption = HERE,
    stage: Annotated[
        list[str] | None,
        typer.Option("--stage", metavar="NAME", help="Build only this stage and what it needs."),
    ] = None,
    environment: Annotated[
        bool, typer.Option("--environment", help="Build only what stages stand on; needs no GPU.")
    ] = False,
    set_: SetOption = None,
    out_link: Annotated[
        Path, typer.Option("--out-link", "-o", metavar="PATH", help="Link that keeps the result.")
    ] = Path("result"),
    no_link: Annotated[bool, typer.Option("--no-link", help="Make no link.")] = False,
    keep_going: Annotated[
        bool, typer.Option("--keep-going", "-k", help="Build what still can after a failure.")
    ] = False,
    jobs: JobsOption = None,
    builder: BuilderOption = None,
    route: Annotated[
        Route,
        typer.Option(
            "--route", help="store: we build in the builder's store; classic: Nix sends builds there itself."
        ),
    ] = Route.STORE,
    record_only: Annotated[
        bool, typer.Option("--record-only", help="Leave the result on the builder; bring back its record.")
    ] = False,
    max_hours: Annotated[
        float | None,
        typer.Option(
            "--max-hours",
            metavar="HOURS",
            min=0,
            envvar="REPROBUILD_MAX_HOURS",
            help="Build nothing if the stages together are expected to take longer.",
        ),
    ] = None,
    max_gpu_hours: Annotated[
        float | None,
        typer.Option(
            "--max-gpu-hours",
            metavar="HOURS",
            min=0,
            envvar="REPROBUILD_MAX_GPU_HOURS",
            help="The same for the stages that run on a GPU.",
        ),
    ] = None,
    offline: OfflineOption = False,
    cache: CacheOption = None,
    as_json: JsonOption = False,
    quiet: QuietOption = False,
) -> None:
    """Build the model in Nix's sandbox.

    What is missing is fetched, what exists is reused.

    Example: reprobuild nix build --set train.params.lr=0.01
    """
    from reprobuild.services.build import BuildRequest
    from reprobuild.services.project import open_project

    if record_only and route is Route.CLASSIC:
        raise UsageError(
            "--record-only has no effect beside --route classic: there Nix brings everything back",
            hint="leave one of them out",
        )
    opened = open_project(project, set_ or [])
    request = BuildRequest(
        stages=tuple(stage or ()),
        environment=environment,
        out_link=None if no_link else Path.cwd() / out_link,
        jobs=jobs,
        keep_going=keep_going,
        caches=wiring.all_caches(cache or ()),
        record_only=record_only,
    )
    limits = (max_hours, max_gpu_hours)
    session = wiring.session(quiet=quiet)
    service = session.build_service(
        offline=offline,
        caches=cache or (),
        builders=builder or (),
        classic=route is Route.CLASSIC,
        quota=None if limits == (None, None) else session.quota(*limits),
    )
    outcome = service.run(opened, request, session.build_view)
    if outcome.other_build is not None and outcome.artifact is not None:
        render.note(
            f"warning: {outcome.artifact.name} {outcome.artifact.version} was built before with other bytes\n"
            f"  before {outcome.other_build.artifact_id}  {outcome.other_build.finished}\n"
            f"  now    {outcome.artifact.artifact_id}\n"
            "hint: give it a new version in reprobuild.toml before anybody else sees it"
        )
    _warn_off_plan(outcome.off_plan)
    for stage_name in outcome.unused_gpu:
        render.note(
            f"warning: stage {stage_name} asked for a GPU and did not use it: torch never started CUDA\n"
            "hint: move model and data to the device `cuda`, or leave gpu = true out"
        )
    if outcome.left_on and not quiet:
        render.note("\n".join(f"left on {machine}: {path}" for path, machine in outcome.left_on.items()))
    if as_json:
        render.document(
            {
                "schema": "reprobuild.build/1",
                "outputs": outcome.outputs,
                "drv_paths": {
                    label: drv.drv_path
                    for label, drv in {
                        **outcome.instantiation.stages,
                        "model": outcome.instantiation.model,
                    }.items()
                },
                "built": list(outcome.built),
                "artifact_id": outcome.artifact.artifact_id if outcome.artifact else None,
                "metrics": outcome.artifact.metrics if outcome.artifact else None,
                "left_on": outcome.left_on,
                "off_plan": [{"stage": stage, **found.model_dump()} for stage, found in outcome.off_plan],
                "unused_gpu": list(outcome.unused_gpu),
                "record": str(outcome.record_path) if outcome.record_path else None,
                "duration_s": round(outcome.duration_s, 3),
            }
        )
        return
    for path in outcome.outputs.values():
        render.result_line(path)
    if outcome.artifact is not None and not quiet:
        metrics = "  ".join(f"{name} {value:g}" for name, value in outcome.artifact.metrics.items())
        state = "built" if outcome.built else "nothing to do"
        render.note(f"{outcome.artifact.artifact_id}  {metrics}  ({state}, {outcome.duration_s:.1f} s)")


def _warn_off_plan(findings: Sequence[tuple[str, OffPlan]]) -> None:
    units = {"cores": "in use on average", "memory_mib": "MiB", "time_s": "s", "loader_s": "s"}
    for stage, found in findings:
        off = found.measured / found.planned - 1
        unit = units[found.key]
        render.note(
            f"warning: stage {stage}: {abs(off):.0%} {'above' if off > 0 else 'below'} its plan\n"
            f"  planned  {found.planned:g} {unit}  reprobuild.toml, stages.{stage}.resources.{found.key}\n"
            f"  measured {found.measured:g} {unit}"
        )


def register(app: typer.Typer, nix_app: typer.Typer) -> None:
    nix_app.command("build")(build)
    app.command("build", help="Alias of `reprobuild nix build`.\n\nExample: reprobuild build --stage train")(
        build
    )
