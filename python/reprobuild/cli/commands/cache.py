"""`reprobuild cache push`, `pull` and `check`: binary caches in folders, on HTTP servers and in S3 buckets."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from reprobuild.cli import render, wiring
from reprobuild.cli.options import HERE, JsonOption, QuietOption, TrustedKeyOption
from reprobuild.core.addresses import shown_address
from reprobuild.errors import EXIT_NO

if TYPE_CHECKING:
    from reprobuild.domain.cache_report import CacheCheck, CacheItem, CacheTransfer
    from reprobuild.services.cache_items import Selection

UrlArgument = Annotated[
    str,
    typer.Argument(metavar="URL", help="Folder, file://, http://, https:// or s3://BUCKET?endpoint=HOST."),
]
ProjectArgument = Annotated[
    Path, typer.Argument(metavar="[PROJECT]", help="Its folder.", show_default="this folder")
]
SourcesOption = Annotated[bool, typer.Option("--sources", help="Only what the lock pins.")]
OutputsOption = Annotated[bool, typer.Option("--outputs", help="Only what was built.")]


def push(
    url: UrlArgument,
    project: ProjectArgument = HERE,
    sources: SourcesOption = False,
    outputs: OutputsOption = False,
    secret_key: Annotated[
        Path | None,
        typer.Option("--secret-key", metavar="FILE", help="Sign with this key of `nix key generate-secret`."),
    ] = None,
    as_json: JsonOption = False,
    quiet: QuietOption = False,
) -> None:
    """Copy a project's sources and outputs to a binary cache.

    Outputs go with all that they refer to. A folder or bucket that is no cache yet becomes one.

    Example: reprobuild cache push /srv/cache --secret-key cache.secret
    """
    from reprobuild.services.project import open_project

    service = wiring.session(quiet=quiet).cache_transfer_service()
    done = service.push(open_project(project), url, _selection(sources, outputs), secret_key=secret_key)
    _show_transfer(done, "pushed", as_json=as_json, quiet=quiet)


def pull(
    url: UrlArgument,
    project: ProjectArgument = HERE,
    sources: SourcesOption = False,
    outputs: OutputsOption = False,
    trusted_key: TrustedKeyOption = None,
    no_check_signatures: Annotated[
        bool, typer.Option("--no-check-signatures", help="Take also outputs that no trusted key has signed.")
    ] = False,
    as_json: JsonOption = False,
    quiet: QuietOption = False,
) -> None:
    """Take a project's sources and outputs from a binary cache into the store.

    Sources are checked by the lock, outputs by a trusted signature. Exit 1 if the cache lacks some.

    Example: reprobuild cache pull https://cache.example.org --trusted-key cache-1:BASE64
    """
    from reprobuild.services.project import open_project

    done = (
        wiring.session(quiet=quiet)
        .cache_transfer_service()
        .pull(
            open_project(project),
            url,
            _selection(sources, outputs),
            keys=trusted_key or (),
            check_signatures=not no_check_signatures,
        )
    )
    _show_transfer(done, "pulled", as_json=as_json, quiet=quiet)
    if done.missing:
        raise typer.Exit(EXIT_NO)


def check(
    url: UrlArgument,
    project: ProjectArgument = HERE,
    sources: SourcesOption = False,
    outputs: OutputsOption = False,
    trusted_key: TrustedKeyOption = None,
    entries_only: Annotated[
        bool,
        typer.Option("--entries-only", help="Read what the cache says of its archives, not the archives."),
    ] = False,
    as_json: JsonOption = False,
    quiet: QuietOption = False,
) -> None:
    """Say what a binary cache has of a project, and whether it is whole and signed.

    Reads and hashes every archive. Exit 0 if all is there, whole and signed by a trusted key, 1 if not.

    Example: reprobuild cache check s3://models --sources
    """
    from reprobuild.services.project import open_project

    found = (
        wiring.session(quiet=quiet)
        .cache_check_service()
        .run(
            open_project(project),
            url,
            _selection(sources, outputs),
            keys=trusted_key or (),
            read_archives=not entries_only,
        )
    )
    if as_json:
        render.document(_check_document(found))
    elif not quiet:
        _show_check(found)
    if not found.ok:
        raise typer.Exit(EXIT_NO)


def _selection(sources: bool, outputs: bool) -> Selection:
    from reprobuild.services.cache_items import Selection

    return Selection(sources, outputs) if sources or outputs else Selection()


def _show_transfer(done: CacheTransfer, verb: str, *, as_json: bool, quiet: bool) -> None:
    if as_json:
        render.document(
            {
                "schema": "reprobuild.cache-transfer/1",
                "cache": shown_address(done.cache),
                "direction": verb,
                "moved": _items(done.moved),
                "present": _items(done.present),
                "missing": _items(done.missing),
            }
        )
        return
    for item in done.missing:
        render.result_line(f"missing  {item.label}  {item.path}")
    if not quiet:
        there = "there already" if verb == "pushed" else "in the store already"
        missing = f", {len(done.missing)} missing" if done.missing else ""
        render.note(f"{verb} {_counted(done.moved)}; {len(done.present)} {there}{missing}")


def _items(items: Sequence[CacheItem]) -> list[dict[str, str]]:
    return [{"kind": item.kind, "name": item.label, "path": item.path} for item in items]


def _counted(items: Sequence[CacheItem]) -> str:
    outputs = sum(item.kind == "output" for item in items)
    words = [(len(items) - outputs, "source"), (outputs, "output")]
    return " and ".join(f"{count} {word}{'' if count == 1 else 's'}" for count, word in words)


def _check_document(found: CacheCheck) -> dict[str, Any]:
    return {
        "schema": "reprobuild.cache-check/1",
        "cache": shown_address(found.cache),
        "ok": found.ok,
        "archives_read": found.archives_read,
        "kinds": [
            {
                "kind": one.kind,
                "present": one.present,
                "present_bytes": one.present_bytes,
                "missing": one.missing,
                "missing_bytes": one.missing_bytes,
            }
            for one in found.counts
        ],
        "findings": [
            {
                "kind": one.item.kind,
                "name": one.item.label,
                "path": one.item.path,
                "state": one.state,
                "detail": one.detail,
            }
            for one in found.findings
        ],
    }


def _show_check(found: CacheCheck) -> None:
    rows = [
        [
            one.kind,
            f"{one.present} of {one.present + one.missing}",
            render.size(one.present_bytes),
            f"{one.missing} missing" if one.missing else "",
        ]
        for one in found.counts
    ]
    for line in render.table(rows):
        render.result_line(line)
    for one in found.findings:
        render.result_line(f"{one.state}  {one.item.label}  {one.item.path}")
        if one.detail:
            render.result_line(f"  {one.detail}")
    read = f", {found.archives_read} archives read" if found.archives_read else ""
    render.note(("all there, whole and signed" if found.ok else f"{len(found.findings)} findings") + read)


def register(cache_app: typer.Typer) -> None:
    cache_app.command("push")(push)
    cache_app.command("pull")(pull)
    cache_app.command("check")(check)
