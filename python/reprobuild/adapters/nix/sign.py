"""Sign paths in this machine's Nix store; the secret goes through a pipe, never through a file."""

from __future__ import annotations

from reprobuild.adapters.nix.process import run
from reprobuild.errors import ToolFailedError


class NixSigner:
    """Implements ports.StoreSigner."""

    def sign(self, path: str, secret_key: str) -> None:
        arguments = ["store", "sign", "--recursive", "--key-file", "/dev/stdin", path]
        try:
            run("nix", arguments, given=secret_key)
        except ToolFailedError as error:
            raise ToolFailedError(
                f"{path}: Nix did not sign it",
                details=error.details,
                hint="with nix-daemon only its trusted-users may add signatures",
            ) from error
