"""Copy between the store and binary caches with Nix's own programs, which sign and check signatures."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from pathlib import Path

from reprobuild.adapters.binary_cache.address import known_cache
from reprobuild.adapters.nix.login import login_kept_back
from reprobuild.adapters.nix.process import run
from reprobuild.errors import ContentMismatchError, SignatureError, ToolFailedError

# What Nix remembers of a cache by its address alone may be of another bucket, or gone from it since.
_ASK_ANEW = {"narinfo-cache-positive-ttl": "0", "narinfo-cache-negative-ttl": "0"}
_AT_ONCE = 500  # store paths in one command line
_UNSIGNED = re.compile(r"(/nix/store/\S+?)'? because it (?:lacks|is not signed)", re.IGNORECASE)
_OTHER_CONTENT = re.compile(r"(?:hash|size) mismatch importing path '?(/nix/store/[^\s';]+)")


class NixCopier:
    """Implements ports.CacheCopier."""

    def push(self, cache: str, paths: Sequence[str], *, compression: str, secret_key: Path | None) -> None:
        address = known_cache(cache)
        url = address.store_url
        options = [] if "compression=" in url else [f"compression={compression}"]
        if compression == "xz":
            options.append("parallel-compression=true")
        if secret_key is not None:
            options.append(f"secret-key={secret_key.resolve()}")
        try:
            with login_kept_back(url) as (bare, settings):
                target = bare + ("&" if "?" in bare else "?") + "&".join(options)
                for some in _batches(paths):
                    run("nix", ["copy", "--to", target, *some], settings={**_ASK_ANEW, **settings})
                    if (
                        secret_key is not None
                    ):  # what was there is not copied again, and may lack this signature
                        key = ["--key-file", str(secret_key.resolve())]
                        sign = ["store", "sign", "--store", bare, "--recursive", *key, *some]
                        run("nix", sign, settings={**_ASK_ANEW, **settings})
        except ToolFailedError as error:
            raise ToolFailedError(
                f"{address.label}: cannot be written to",
                details=error.details,
                hint="check that it takes files (PUT), and the login for it",
            ) from error

    def pull(self, cache: str, paths: Sequence[str], *, keys: Sequence[str], check_signatures: bool) -> None:
        address = known_cache(cache)
        options = [] if check_signatures else ["--no-check-sigs"]
        for some in _batches(paths):
            try:
                with login_kept_back(address.store_url) as (bare, settings):
                    trusted = {"extra-trusted-public-keys": " ".join(keys)} if keys else {}
                    run(
                        "nix",
                        ["copy", "--from", bare, *options, *some],
                        settings={**_ASK_ANEW, **settings, **trusted},
                    )
            except ToolFailedError as error:
                said = " ".join(error.details)
                if (unsigned := _UNSIGNED.search(said)) is not None:
                    raise SignatureError(
                        f"{unsigned[1]}: no trusted key has signed it",
                        actual_from=address.label,
                        details=error.details,
                        hint="name the key with --trusted-key or in REPROBUILD_TRUSTED_KEYS; "
                        "nix-daemon takes keys from its trusted-users only",
                    ) from error
                if (other := _OTHER_CONTENT.search(said)) is not None:
                    raise ContentMismatchError(
                        f"{other[1]}: its archive in {address.label} has other content than its entry says",
                        details=error.details,
                        hint=f"run `reprobuild cache check {address.label}`: it names every damaged file",
                    ) from error
                raise ToolFailedError(
                    f"{address.label}: not everything could be taken",
                    details=error.details,
                    hint=f"run `reprobuild cache check {address.label}`: it names what is missing or damaged",
                ) from error


def _batches(paths: Sequence[str]) -> Iterable[Sequence[str]]:
    return (paths[start : start + _AT_ONCE] for start in range(0, len(paths), _AT_ONCE))
