"""From what ssh and Nix say when work on a builder fails to the error that helps: is the machine the reason?"""

from __future__ import annotations

import re

from reprobuild.core.ssh_failure import ssh_failure
from reprobuild.errors import BuilderError, DiskFullError, ReprobuildError

_LOST = re.compile(
    r"^(Connection to \S+ closed|Timeout, server \S+ not responding|client_loop: |Read from remote host )"
    r"|closed by remote host|unexpected end-of-file|cannot open connection to remote store"
    r"|^error: .*(Broken pipe|Connection reset by peer)",
    re.MULTILINE,
)
# A builder that cannot reach its own binary caches is still one that we reach.
_DOWNLOAD = re.compile(r"^.*(unable to download|substituter|binary cache).*\n?", re.MULTILINE)
_DISK_FULL = re.compile(r"No space left on device|(database or )?disk is full")


def connection_error(builder: str, said: str, *, writes_here: bool = False) -> ReprobuildError | None:
    """The error where work failed for the machine's sake; None where it failed for another reason.

    Args:
        builder: its name.
        said: what ssh and Nix wrote, without what builds wrote.
        writes_here: it was about bringing something here, so that a full disk is this machine's.
    """
    said = _DOWNLOAD.sub("", said)
    details = tuple(line for line in said.strip().splitlines() if line.strip())[-4:]
    if _DISK_FULL.search(said):
        side = "here" if writes_here else "there"
        return DiskFullError(
            f"this machine's disk is full, bringing outputs from {builder}"
            if writes_here
            else f"builder {builder}: its disk is full",
            details=details,
            hint=f"make room {side}, for example with `nix-collect-garbage`, then run the same command again",
        )
    if (known := ssh_failure(builder, said)) is not None:
        return known
    if _LOST.search(said):
        return BuilderError(
            f"builder {builder}: the connection broke",
            details=details,
            hint="run the same command again: what is finished there is kept",
        )
    return None
