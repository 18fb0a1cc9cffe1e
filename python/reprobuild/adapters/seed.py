"""The seed of every build, a static busybox: taken out of its verified package and pinned by its NAR hash."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path

from reprobuild.adapters.debian.archive import DebianArchive
from reprobuild.adapters.debian.deb_file import busybox_of
from reprobuild.core.deb_package import DebPin
from reprobuild.domain.lock import DebianBasePin, Source
from reprobuild.domain.nar import write_seed
from reprobuild.domain.store_path import store_name

SEED_FILE_NAME = "busybox-seed"


class DebianSeedMaker:
    """Implements ports.SeedMaker."""

    def __init__(self, archive: Callable[[Sequence[str]], DebianArchive]) -> None:
        self._archive = archive

    def pin(self, deb: DebPin, base: DebianBasePin, system: str, mirrors: Sequence[str]) -> Source:
        """Raises: ContentMismatchError, NetworkError: no mirror has the package's bytes."""
        package = self._archive(mirrors).fetch_package(deb, base.snapshot)
        with tempfile.TemporaryDirectory() as folder:
            info = write_seed(busybox_of(package), Path(folder) / "seed")
        return Source(
            kind="seed",
            name="busybox",
            version=deb.version,
            system=system,
            file_name=SEED_FILE_NAME,
            sha256=info.digest,
            size_bytes=deb.size_bytes,
            mode="recursive",
            suite=base.suite,
            pool_path=deb.pool_path,
            deb_sha256=deb.digest,
        )


def unpack_seed(deb: Path, folder: Path) -> Path:
    """Make the seed's folder out of its package, inside `folder`, under its store name."""
    target = folder / store_name(SEED_FILE_NAME)
    write_seed(busybox_of(deb.read_bytes()), target)
    return target
