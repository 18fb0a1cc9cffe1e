"""What do packages say about their licence? Reads METADATA out of wheels and copyright files out of `.deb`s."""

from __future__ import annotations

import zipfile
from pathlib import Path

from reprobuild.adapters.debian.deb_file import read_copyright
from reprobuild.errors import ResolveError


class LicenceFiles:
    """Licence texts of files on this machine; a file that cannot be read says nothing."""

    def wheel_metadata(self, file: Path) -> str | None:
        """METADATA of a wheel; None where the file cannot be read as one."""
        try:
            with zipfile.ZipFile(file) as wheel:
                names = [name for name in wheel.namelist() if name.endswith(".dist-info/METADATA")]
                top = [name for name in names if name.count("/") == 1]
                return wheel.read(top[0]).decode("utf-8", "replace") if top else None
        except (OSError, zipfile.BadZipFile):
            return None

    def deb_copyright(self, file: Path, package: str) -> tuple[str | None, str | None]:
        """A package's copyright file, or else the package whose file it is a link to; neither where it has none."""
        try:
            return read_copyright(file.read_bytes(), package)
        except (OSError, ResolveError):
            return None, None
