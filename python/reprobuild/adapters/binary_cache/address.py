"""Addresses of binary caches: as people write them, as Nix is told, and where their files lie."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import parse_qsl, unquote, urlsplit, urlunsplit

from reprobuild.core.addresses import redact
from reprobuild.errors import UsageError


@dataclass(frozen=True)
class CacheAddress:
    """
    Args:
        label: how messages call it, without secrets.
        store_url: for Nix.
        base_url: folder of its files, `file:` or `http(s):`; None where only Nix knows how to ask it.
        folder: where it is one on this machine.
        gateway: on the loopback, where Nix cannot speak to it itself.
    """

    label: str
    store_url: str
    base_url: str | None
    folder: Path | None = None
    gateway: str | None = None


def cache_address(given: str) -> CacheAddress:
    """Read an address; an S3 bucket gets a gateway on the loopback, which lives as long as this process.

    Raises:
        UsageError: an S3 address without a bucket, white space, or one that cannot be read.
    """
    found = _read(given)
    if any(character.isspace() for character in found.store_url):
        raise UsageError(
            f"{found.label}: an address with white space",
            expected="none, as Nix separates addresses by it",
            actual=found.label,
            actual_from="the address",
            hint="a folder can be reached by a link without: ln -s FOLDER /srv/cache",
        )
    return found


def _read(given: str) -> CacheAddress:
    try:
        parts = urlsplit(given)
    except ValueError:
        raise UsageError(f"{redact(given)}: not an address of a binary cache") from None
    query = f"?{parts.query}" if parts.query else ""
    if "://" not in given:
        path, mark, options = given.partition("?")
        folder = Path(path).expanduser().resolve()
        return CacheAddress(str(folder), f"file://{folder}{mark}{options}", folder.as_uri(), folder)
    if parts.scheme == "file":
        folder = Path(unquote(parts.path))
        return CacheAddress(f"file://{folder}", f"file://{folder}{query}", folder.as_uri(), folder)
    if parts.scheme in ("http", "https"):
        return CacheAddress(redact(given), given, urlunsplit((*parts[:3], "", "")).rstrip("/"))
    if parts.scheme == "s3":
        from reprobuild.adapters.binary_cache.s3_bucket import S3Bucket
        from reprobuild.adapters.binary_cache.s3_gateway import gateway

        folder_path = "".join(f"/{part}" for part in parts.path.split("/") if part)
        given_options = dict(parse_qsl(parts.query))
        base = gateway(S3Bucket.of(parts.netloc, given_options, folder=folder_path))
        others = {key: value for key, value in given_options.items() if key not in S3Bucket.OPTIONS}
        kept = "&".join(f"{key}={value}" for key, value in others.items())
        label = f"s3://{parts.netloc}{folder_path}"
        return CacheAddress(label, f"{base}?{kept}" if kept else base, base, gateway=base)
    return CacheAddress(redact(given), given, None)


def known_cache(given: str) -> CacheAddress:
    """One that we can ask ourselves.

    Raises:
        UsageError: a store of another kind, such as `ssh://`.
    """
    found = cache_address(given)
    if found.base_url is None:
        raise UsageError(
            f"{found.label}: not a binary cache",
            expected="a folder, file://, http://, https:// or s3://",
            actual=found.label.partition(":")[0],
            actual_from="the address",
        )
    return found


def substituter_settings(caches: Sequence[str]) -> dict[str, str]:
    """Nix's settings to take what these caches have; one that fails is passed over."""
    if not caches:
        return {}
    return {"substituters": " ".join(cache_address(cache).store_url for cache in caches), "fallback": "true"}
