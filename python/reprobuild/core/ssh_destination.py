"""Whom does ssh call for a store's address?"""

from __future__ import annotations

from urllib.parse import urlsplit

from reprobuild.errors import UsageError


def ssh_destination(uri: str) -> str | None:
    """`USER@HOST` of an address that is reached by ssh; None for other stores.

    Raises:
        UsageError: ssh would take it for an option, and run what that says on this machine; or there is no host.
    """
    parts = urlsplit(uri)
    if parts.scheme not in ("ssh", "ssh-ng"):
        return None
    user, at, host = parts.netloc.rpartition("@")
    if not host or host.startswith("-") or user.startswith("-") or (at and not user):
        raise UsageError(
            f"{uri}: this is no address of a builder",
            expected="ssh-ng://USER@HOST, where neither begins with `-`",
            actual=uri,
            hint="give it a name in ~/.ssh/config, and use that",
        )
    return parts.netloc
