"""Options that several commands share."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

ProjectOption = Annotated[
    Path,
    typer.Option(
        "--project", "-p", metavar="FOLDER", help="Folder with reprobuild.toml.", show_default="this folder"
    ),
]
SetOption = Annotated[
    list[str] | None,
    typer.Option(
        "--set", metavar="KEY=VALUE", help="Change a declared key of the spec, such as train.params.lr=0.01."
    ),
]
JsonOption = Annotated[bool, typer.Option("--json", help="Print one JSON document.")]
QuietOption = Annotated[bool, typer.Option("--quiet", "-q", help="Show no progress.")]
OfflineOption = Annotated[bool, typer.Option("--offline", help="Use only what is on this machine.")]
CacheOption = Annotated[
    list[str] | None,
    typer.Option("--cache", metavar="URL", help="Binary cache to take from, also REPROBUILD_CACHES."),
]
JobsOption = Annotated[
    int | None,
    typer.Option("--jobs", "-j", metavar="N", min=1, help="Builds at the same time; one per core if unset."),
]
BuilderOption = Annotated[
    list[str] | None,
    typer.Option(
        "--builder",
        metavar="NAME",
        help="Machine to use: a builder's name, or an address such as ssh-ng://HOST. May be repeated.",
    ),
]
HERE = Path()
