"""`reprobuild verify`: rebuild or compare, and say at which level both agree."""

from __future__ import annotations

from enum import Enum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from reprobuild.cli import render, wiring
from reprobuild.cli.annotation import annotate
from reprobuild.cli.options import HERE, BuilderOption, JsonOption, ProjectOption, QuietOption, SetOption
from reprobuild.errors import EXIT_NO, UsageError

if TYPE_CHECKING:
    from reprobuild.domain.verdict import Level, Verdict


class LevelName(Enum):
    INPUTS = "inputs"
    BYTES = "bytes"
    WEIGHTS = "weights"
    BEHAVIOUR = "behaviour"


_LEVELS: dict[LevelName, Level] = {
    LevelName.INPUTS: "same inputs",
    LevelName.BYTES: "same bytes",
    LevelName.WEIGHTS: "same weights",
    LevelName.BEHAVIOUR: "same behaviour",
}


def verify(
    what: Annotated[
        Path | None,
        typer.Argument(
            metavar="[RESULT|PROJECT]",
            help="A result is checked against its manifest; a project is rebuilt. By default the project here.",
        ),
    ] = None,
    project: ProjectOption = HERE,
    stage: Annotated[
        list[str] | None, typer.Option("--stage", metavar="NAME", help="Only this stage.")
    ] = None,
    rounds: Annotated[int, typer.Option("--rounds", metavar="N", min=1, help="How often to rebuild.")] = 1,
    against: Annotated[
        str | None,
        typer.Option(
            "--against",
            metavar="OTHER",
            help="Compare with a result, a build record, a baseline or a git revision instead of rebuilding.",
        ),
    ] = None,
    level: Annotated[
        LevelName | None,
        typer.Option("--level", help="What decides; by default what the spec's [numerics] level demands."),
    ] = None,
    html: Annotated[
        Path | None, typer.Option("--html", metavar="FILE", help="Write the verdict as one HTML page too.")
    ] = None,
    builder: BuilderOption = None,
    set_: SetOption = None,
    as_json: JsonOption = False,
    quiet: QuietOption = False,
) -> None:
    """Rebuild in a clean sandbox, or compare, and say at which level both agree.

    Levels: same inputs, same bytes, same weights, same behaviour. Every stage and the artifact are judged, with the
    place and the likely cause of each difference. Exit 0 if the demanded level holds, 1 if not.

    Example: reprobuild verify --rounds 3
    """
    from reprobuild.domain.spec import SPEC_FILE

    is_result = what is not None and not (what / SPEC_FILE).is_file()
    _refuse_without_effect(
        "--against",
        against is not None,
        {"--stage": bool(stage), "--rounds": rounds > 1, "--builder": bool(builder)},
    )
    if what is not None and is_result and against is None:
        given = {"--stage": bool(stage), "--rounds": rounds > 1, "--builder": bool(builder)}
        given |= {"--level": level is not None}
        _refuse_without_effect("RESULT", True, {**given, "--html": html is not None, "--set": bool(set_)})
        _check_files(what, as_json=as_json)
        return
    if html is not None and not html.absolute().parent.is_dir():
        raise UsageError(f"--html {html}: there is no such folder", hint=f"make {html.absolute().parent}")
    session = wiring.session(quiet=quiet)
    chosen = _LEVELS[level] if level else None
    name = "the result"
    if against is not None:
        verdict = _compare(
            session, what if is_result else None, project if what is None else what, against, chosen, set_
        )
    else:
        from reprobuild.services.project import open_project

        opened = open_project(what or project, set_ or [])
        name = opened.title
        verdict = session.verify_service(builder or ()).run(
            opened, stages=tuple(stage or ()), rounds=rounds, level=chosen
        )
    if as_json:
        render.document(verdict.model_dump(mode="json", by_alias=True))
    else:
        from reprobuild.cli.verdict_text import verdict_text

        render.result_line(verdict_text(verdict))
    if html is not None:
        _write_page(verdict, html)
    if not verdict.ok:
        _say_what_failed(verdict, verdict.artifact_id or name)
        raise typer.Exit(EXIT_NO)


def _refuse_without_effect(beside: str, given: bool, options: dict[str, bool]) -> None:
    """
    Raises:
        UsageError: options that do nothing here.
    """
    idle = [name for name, is_given in options.items() if is_given]
    if given and idle:
        raise UsageError(
            f"{', '.join(idle)} has no effect beside {beside}",
            hint=f"leave {', '.join(idle)} or {beside} out",
        )


def _write_page(verdict: Verdict, file: Path) -> None:
    from reprobuild.cli.page.verdict import verdict_page

    try:
        file.write_text(verdict_page(verdict), encoding="utf-8")
    except OSError as error:
        raise UsageError(
            f"--html {file}: cannot be written", actual=str(error.strerror), hint="name another file"
        ) from error


def _say_what_failed(verdict: Verdict, artifact: str) -> None:
    """Artifact, stage (or metric) and test, one line each; on GitHub also beside the run."""
    from reprobuild.cli.verdict_text import failed_tests

    for line in failed_tests(verdict):
        render.note(f"error: {artifact}: {line}")
        annotate("reprobuild: verify", f"{artifact}: {line}")


def _compare(
    session: wiring.Session,
    result: Path | None,
    project: Path,
    against: str,
    level: Level | None,
    assignments: list[str] | None,
) -> Verdict:
    """Judge a result, or the project as built, by what `--against` names."""
    from reprobuild.domain.spec import SPEC_FILE
    from reprobuild.services.project import open_project
    from reprobuild.services.verify_against import verify_against

    opened = (
        open_project(project, assignments or [])
        if (project / SPEC_FILE).is_file() or result is None
        else None
    )
    sides = session.sides()
    reference = sides.named(opened, against)
    if result is not None:
        judged = sides.of_result(result)
    else:
        assert opened is not None
        judged = sides.of_project(opened)
    return verify_against(
        judged,
        reference,
        store=session.store,
        references=sides.references(opened),
        level=level,
        foreign=sides.foreign,
    )


def _check_files(result: Path, *, as_json: bool) -> None:
    from reprobuild.services.check_artifact import check_artifact

    found = check_artifact(result.resolve())
    if as_json:
        render.document(
            {
                "schema": "reprobuild.artifact-check/1",
                "artifact_id": found.manifest.artifact_id,
                "ok": found.ok,
                "files": len(found.manifest.files),
                "findings": [vars(finding) for finding in found.findings],
            }
        )
    else:
        for finding in found.findings:
            render.result_line(f"{finding.state:<8} {finding.path}")
            if finding.actual:
                render.note(f"  expected {finding.expected}  manifest.json\n  actual   {finding.actual}")
        state = (
            f"{len(found.manifest.files)} files as in the manifest" if found.ok else "not as in the manifest"
        )
        render.result_line(f"verdict: {found.manifest.artifact_id}: {state}")
    if not found.ok:
        raise typer.Exit(EXIT_NO)


def register(app: typer.Typer, nix_app: typer.Typer) -> None:
    app.command("verify")(verify)
