"""Install one wheel into a store path with pypa's installer: `lib/pythonX.Y/site-packages`, `bin`, data.

Large files can be left to a second derivation (`part = "large"`), so that two cores unpack and hash one big wheel.
Console scripts get a placeholder interpreter; the environment puts in its own.
"""

import os
import shutil
import subprocess
import sys
import zipfile
from collections.abc import Iterable
from pathlib import Path
from typing import BinaryIO

from installer import install
from installer.destinations import WheelDestination
from installer.records import RecordEntry
from installer.sources import WheelFile
from installer.utils import Scheme

PLACEHOLDER_PYTHON = "/reprobuild/python"
CHUNK_BYTES = 1 << 20


class StorePath(WheelDestination):
    """Writes each file once and trusts the wheel's RECORD: Nix has checked the wheel's own hash."""

    def __init__(self, out: Path, python_version: str, distribution: str) -> None:
        site = out / "lib" / f"python{python_version}" / "site-packages"
        self.made: set[Path] = set()
        self.folders = {
            "purelib": site,
            "platlib": site,
            "scripts": out / "bin",
            "data": out,
            "headers": out / "include" / f"python{python_version}" / distribution,
        }

    def write_file(
        self, scheme: Scheme, path: "str | os.PathLike[str]", stream: BinaryIO, is_executable: bool
    ) -> RecordEntry:
        name = os.path.normpath(path)
        # By its words: a wheel has no links, and this folder holds nothing but what is written here.
        if name.startswith(("/", "../")) or name == "..":
            sys.exit(f"wheel: {path} leads out of its folder")
        target = self.folders[scheme] / name
        if target.parent not in self.made:
            target.parent.mkdir(parents=True, exist_ok=True)
            self.made.add(target.parent)
        mode = 0o755 if is_executable or scheme == "scripts" else 0o644
        with os.fdopen(os.open(target, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, mode), "wb") as file:
            chunk = stream.read(CHUNK_BYTES)
            if scheme == "scripts" and chunk.startswith(b"#!python"):
                chunk = f"#!{PLACEHOLDER_PYTHON}".encode() + chunk.removeprefix(b"#!python")
            while chunk:
                file.write(chunk)
                chunk = stream.read(CHUNK_BYTES)
        return RecordEntry(str(path), None, None)

    def write_script(self, name: str, module: str, attr: str, section: str) -> RecordEntry:
        target = self.folders["scripts"] / name
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(
            f"#!{PLACEHOLDER_PYTHON}\nimport sys\nfrom {module} import {attr.split('.')[0]}\n"
            f"if __name__ == '__main__':\n    sys.exit({attr}())\n"
        )
        target.chmod(0o755)
        return RecordEntry(name, None, None)

    def finalize_installation(
        self, scheme: Scheme, record_file_path: str, records: Iterable[tuple[Scheme, RecordEntry]]
    ) -> None:
        # The wheel's RECORD stays as it is: it names what the wheel holds.
        with (
            (self.folders[scheme] / record_file_path).open("wb") as file,
            self.wheel_record(record_file_path) as own,
        ):
            shutil.copyfileobj(own, file)
        dist_info = (self.folders[scheme] / record_file_path).parent
        (dist_info / "INSTALLER").write_text("reprobuild\n")

    def wheel_record(self, record_file_path: str) -> BinaryIO:
        return self.archive.open(record_file_path)  # type: ignore[return-value]

    archive: zipfile.ZipFile


class Part(WheelFile):
    """The files of a wheel below the limit, or those at and above it.

    Metadata and files for other schemes than site-packages count as small: where they go, `install` knows.
    """

    def __init__(self, archive: zipfile.ZipFile, part: str, limit_bytes: int) -> None:
        super().__init__(archive)
        self.archive, self.part, self.limit_bytes = archive, part, limit_bytes

    def wanted(self, name: str) -> bool:
        is_site = name.partition("/")[0] not in (self.data_dir, self.dist_info_dir)
        large = is_site and self.archive.getinfo(name).file_size >= self.limit_bytes
        return self.part == "whole" or large == (self.part == "large")

    def get_contents(self):  # type: ignore[no-untyped-def]
        for name in self.archive.namelist():
            if name.endswith("/") or not self.wanted(name):
                continue
            mode = self.archive.getinfo(name).external_attr >> 16
            with self.archive.open(name) as stream:
                yield (name, "", ""), stream, bool(mode & 0o111) and (mode & 0o170000) in (0, 0o100000)


def main() -> None:
    out = Path(os.environ["out"])
    version = os.environ["pythonVersion"]
    part = os.environ["part"]
    wheel = Path(os.environ["NIX_BUILD_TOP"]) / os.environ["fileName"]
    wheel.symlink_to(os.environ["wheel"])
    with zipfile.ZipFile(wheel) as archive:
        source = Part(archive, part, int(os.environ["largeBytes"]))
        destination = StorePath(out, version, source.distribution)
        destination.archive = archive
        if part == "large":
            extract_large(source, destination)
        else:
            install(source, destination, additional_metadata={})
            subprocess.run(
                [sys.executable, "-S", os.environ["compile"], str(destination.folders["purelib"])], check=True
            )
    out.mkdir(exist_ok=True)


def extract_large(source: Part, destination: StorePath) -> None:
    for (name, _, _), stream, executable in source.get_contents():
        destination.write_file("platlib", name, stream, executable)


if __name__ == "__main__":
    os.umask(0o022)
    main()
