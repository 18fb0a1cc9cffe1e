"""The Nix store: what is in it, and how sources get in."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from reprobuild.adapters.binary_cache.address import substituter_settings
from reprobuild.adapters.nix.process import run
from reprobuild.domain.digest import Digest, nix32
from reprobuild.domain.lock import Source
from reprobuild.domain.store import PathInfo
from reprobuild.domain.store_path import store_name
from reprobuild.errors import ContentMismatchError, ToolFailedError, UsageError


class NixStore:
    """Implements ports.Store on the local store (or the daemon's)."""

    def present(self, paths: Sequence[str]) -> set[str]:
        """Which of these store paths are valid; one process, whatever their number."""
        if not paths:
            return set()
        done = run("nix-store", ["--check-validity", "--print-invalid", *paths], ok=(0, 1))
        return set(paths) - set(done.stdout.split())

    def substitute(self, paths: Sequence[str], caches: Sequence[str]) -> set[str]:
        """Copy what binary caches have into the store; returns the paths that came."""
        if not paths or not caches:
            return set()
        run(
            "nix-store",
            ["--realise", "--keep-going", *paths],
            settings=substituter_settings(caches),
            ok=(0, 1, 100),
        )
        return self.present(paths)

    def add_fixed(self, file: Path, source: Source) -> str:
        """Add a checked file (or folder, mode recursive) under the source's store name.

        Raises:
            UsageError: the file is not called as the store name: Nix takes the name from it.
            ContentMismatchError: the store computed another path than the lock implies.
        """
        if file.name != store_name(source.file_name):
            raise UsageError(f"{file} must be called {store_name(source.file_name)} to be added")
        recursive = ["--recursive"] if source.mode == "recursive" else []
        path = run("nix-store", ["--add-fixed", *recursive, "sha256", str(file)]).stdout.strip()
        if path != source.store_path:
            raise ContentMismatchError(
                f"{source.subject}: content differs from the lock",
                expected=source.store_path,
                expected_from="reprobuild.lock",
                actual=path,
                actual_from=str(file),
                hint=f"run `reprobuild lock --update {source.name}` if the change is intended",
            )
        return path

    def add_root(self, link: Path, path: str) -> None:
        """Make `link` lead to a store path and keep that path from the garbage collector; quick if it is so."""
        if link.is_symlink() and str(link.readlink()) == path and _indirect_root(link).is_symlink():
            return
        link.parent.mkdir(parents=True, exist_ok=True)
        run("nix-store", ["--realise", "--add-root", str(link), "--indirect", path])

    def add(self, path: Path) -> str:
        """Copy a file or folder into the store, under its own name; returns its store path."""
        return run("nix-store", ["--add", str(path)]).stdout.strip()

    def info(self, path: str) -> PathInfo:
        """What the store has registered about one path."""
        return path_infos([path])[path]

    def infos(self, paths: Sequence[str]) -> dict[str, PathInfo]:
        """What the store has registered about these paths, all of them valid; one process."""
        return path_infos(paths)

    def closure(self, path: str) -> list[PathInfo]:
        """A path and all that it refers to; one process."""
        found = json.loads(run("nix", ["path-info", "--json", "--recursive", path]).stdout)
        return [_path_info(member, entry) for member, entry in _entries(found).items()]

    def deriver(self, path: str) -> str | None:
        """The derivation that a path was built from, if the store has it still."""
        found = run("nix-store", ["--query", "--deriver", path]).stdout.strip()
        return found if found.startswith("/") and Path(found).exists() else None


def path_infos(
    paths: Sequence[str], store: str | None = None, variables: Mapping[str, str] = {}
) -> dict[str, PathInfo]:
    """What a store has registered about paths.

    Args:
        store: address of another store.
        variables: of the environment, for reaching that store.
    Raises:
        ToolFailedError: one of them is not in the store, or the store cannot be reached.
    """
    if not paths:
        return {}
    there = [] if store is None else ["--store", store]
    found = json.loads(run("nix", ["path-info", "--json", *there, *paths], variables=variables).stdout)
    entries = _entries(found)
    infos = {}
    for path in paths:
        entry = entries.get(path)
        if entry is None or not entry.get("valid", True):
            raise ToolFailedError(f"{path} is not in the store", hint="build it with `reprobuild nix build`")
        infos[path] = _path_info(path, entry)
    return infos


def _entries(found: Any) -> dict[str, Any]:
    """Path → entry, of what `nix path-info --json` prints; its form changed between releases."""
    return {one["path"]: one for one in found} if isinstance(found, list) else dict(found)


def _path_info(path: str, entry: Mapping[str, Any]) -> PathInfo:
    deriver = entry.get("deriver") or ""
    return PathInfo(
        path,
        Digest(_sri(entry["narHash"])),
        int(entry["narSize"]),
        f"/nix/store/{deriver.rpartition('/')[2]}" if deriver.endswith(".drv") else None,
    )


def _indirect_root(link: Path) -> Path:
    """Where Nix registers a root outside of the store: it knows the link by the SHA-1 of its path.

    Source: libstore/gc.cc, `addIndirectRoot`.
    """
    name = nix32(hashlib.sha1(str(link).encode(), usedforsecurity=False).digest())
    return Path(os.environ.get("NIX_STATE_DIR", "/nix/var/nix")) / "gcroots" / "auto" / name


def _sri(value: str | dict[str, str]) -> str:
    """Nix 2.33 and later may give a hash as an object."""
    return value if isinstance(value, str) else f"{value['algorithm']}-{value['hash']}"
