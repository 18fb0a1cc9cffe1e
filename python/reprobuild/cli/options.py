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
TrustedKeyOption = Annotated[
    list[str] | None,
    typer.Option(
        "--trusted-key",
        metavar="NAME:BASE64",
        help="Public key whose signatures count, also REPROBUILD_TRUSTED_KEYS.",
    ),
]
JobsOption = Annotated[
    int | None,
    typer.Option("--jobs", "-j", metavar="N", min=1, help="Builds at the same time; one per core if unset."),
]
MachinesOption = Annotated[
    Path | None,
    typer.Option(
        "--machines",
        metavar="FILE",
        help="Machines file to use, and no other.",
        show_default="~/.config/reprobuild/machines; to look things up, also those of Nix",
    ),
]


def builder_names(incomplete: str) -> list[str]:
    """Names of known builders, for shell completion; none where they cannot be read."""
    from reprobuild.cli import wiring
    from reprobuild.errors import ReprobuildError

    try:
        names = [entry.machine.name for entry in wiring.session(quiet=True).builder_list().known()]
    except ReprobuildError:
        return []
    return [name for name in names if name.startswith(incomplete)]


def locked_names(incomplete: str) -> list[str]:
    """Names of what the lock in this folder pins, for shell completion; none where it cannot be read."""
    from reprobuild.domain.lock import LOCK_FILE
    from reprobuild.errors import ReprobuildError
    from reprobuild.services.project import parse_lock

    try:
        sources = parse_lock(Path(LOCK_FILE).read_text(encoding="utf-8")).sources
    except (OSError, UnicodeDecodeError, ReprobuildError):
        return []
    return sorted({one.name for one in sources if one.name.startswith(incomplete)})


BuilderOption = Annotated[
    list[str] | None,
    typer.Option(
        "--builder",
        metavar="NAME",
        autocompletion=builder_names,
        help="Machine to use: a builder's name, or an address such as ssh-ng://HOST. May be repeated.",
    ),
]
BuilderArgument = Annotated[
    str,
    typer.Argument(metavar="NAME", help="A builder, by name or address.", autocompletion=builder_names),
]
ArtifactArgument = Annotated[
    Path, typer.Argument(metavar="RESULT", help="Result link, store path, or a copied artifact.")
]
HERE = Path()
