"""What do packages say about their licence? Reads METADATA out of wheels and copyright files out of `.deb`s."""

from __future__ import annotations

import re
import zipfile
from collections.abc import Sequence
from pathlib import Path

from reprobuild.adapters.debian.deb_file import read_copyright
from reprobuild.errors import ResolveError

# METADATA, and files such as `licenses/License.txt` or `LICENSE`
_DIST_INFO = re.compile(r"[^/]+\.dist-info/(METADATA|(.*/)?(licen[cs]e|copying)[^/]*)$", re.IGNORECASE)


class LicenceFiles:
    """Licence texts of files on this machine; a file that cannot be read says nothing."""

    def of_wheel(self, file: Path) -> tuple[str, Sequence[str]] | None:
        """METADATA of a wheel and its licence files; None where the file cannot be read as a wheel."""
        try:
            with zipfile.ZipFile(file) as wheel:
                inside = [name for name in wheel.namelist() if _DIST_INFO.match(name)]
                found = {name: wheel.read(name).decode("utf-8", "replace") for name in sorted(inside)}
        except (OSError, zipfile.BadZipFile):
            return None
        metadata = next((text for name, text in found.items() if name.endswith("/METADATA")), None)
        texts = [text for name, text in found.items() if not name.endswith("/METADATA")]
        return None if metadata is None else (metadata, texts)

    def of_deb(self, file: Path, package: str) -> tuple[str | None, str | None]:
        """A package's copyright file, or else the package whose file it is a link to; neither where it has none."""
        try:
            return read_copyright(file.read_bytes(), package)
        except (OSError, ResolveError):
            return None, None
