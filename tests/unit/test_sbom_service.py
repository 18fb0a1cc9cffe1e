"""A bill of materials from a project's spec and lock alone, and from a result; what is unknown is said."""

from __future__ import annotations

import io
import json
import shutil
import tarfile
import zipfile
from pathlib import Path
from typing import Any

import pytest

from reprobuild.adapters.debian.deb_file import read_copyright
from reprobuild.adapters.licence_texts import LicenceFiles
from reprobuild.domain.digest import Digest
from reprobuild.domain.lock import LOCK_FILE, Lock, Source
from reprobuild.errors import NotAResultError
from reprobuild.services.artifact import MANIFEST_FILE
from reprobuild.services.project import open_project
from reprobuild.services.sbom import SbomReport, SbomService

from .artifact_examples import write_artifact
from .sbom_examples import PIN, SOURCES, source
from .spec_examples import SPEC

DEP5 = "Format: https://example.org/1.0/\n\nFiles: *\nLicense: Expat\n"


def deb(members: dict[str, str | tuple[str]]) -> bytes:
    """A package with these files; a tuple is where a link leads."""
    data = io.BytesIO()
    with tarfile.open(fileobj=data, mode="w:xz") as archive:
        for path, content in members.items():
            info = tarfile.TarInfo(f"./{path}")
            if isinstance(content, tuple):
                info.type, info.linkname = tarfile.SYMTYPE, content[0]
                archive.addfile(info)
            else:
                info.size = len(content.encode())
                archive.addfile(info, io.BytesIO(content.encode()))
    raw = data.getvalue()
    header = f"{'data.tar.xz':<16}{0:<12}{0:<6}{0:<6}{'100644':<8}{len(raw):<10}`\n"
    return b"!<arch>\n" + header.encode() + raw + b"\n" * (len(raw) % 2)


def wheel(license_line: str) -> bytes:
    data = io.BytesIO()
    with zipfile.ZipFile(data, "w") as archive:
        archive.writestr("x/vendored-1.dist-info/METADATA", "Name: vendored\nLicense: ISC\n\n")
        archive.writestr("x-1.dist-info/METADATA", f"Name: x\n{license_line}\n\n")
    return data.getvalue()


@pytest.fixture
def project(tmp_path: Path) -> Path:
    folder = tmp_path / "project"
    folder.mkdir()
    (folder / "reprobuild.toml").write_text(SPEC)
    for name in ("rows.csv", "prepare.py", "train.py"):
        (folder / name).write_text("")
    return folder


def lock(project: Path, sources: tuple[Source, ...] = SOURCES) -> None:
    inputs: Any = open_project(project).input_digests()
    made = Lock(inputs=inputs, systems={"x86_64-linux": PIN}, sources=sources)
    (project / LOCK_FILE).write_text(made.to_text())


def pinned(cache: Path, pin: Source, content: bytes) -> Source:
    """The source with its file among the downloads."""
    digest = Digest.of_bytes(content)
    file = cache / "files" / digest.hex / pin.file_name
    file.parent.mkdir(parents=True)
    file.write_bytes(content)
    return pin.model_copy(update={"sha256": digest, "size_bytes": len(content)})


def report(place: Path, cache: Path) -> SbomReport:
    return SbomService(LicenceFiles(), cache).of(place)


def licences(found: SbomReport) -> dict[str, str]:
    return {one.name: one.licence.text for one in found.bill.licensed}


def test_the_lock_alone_is_enough_and_what_is_missing_is_said(project: Path, tmp_path: Path) -> None:
    lock(project)
    found = report(project, tmp_path / "cache")
    assert {one.node for one in found.bill.parts} >= {one.subject for one in SOURCES}
    assert found.bill.built is None
    assert found.gaps[0].startswith("no result of this spec and lock")
    assert found.gaps[1].startswith("6 of 8 parts are not on this machine")
    assert licences(found) == {"digits": "MIT", "rows": "CC-BY-4.0"} | {
        one.name: "unknown" for one in SOURCES if one.kind != "data"
    }


def test_licences_are_read_out_of_the_files(project: Path, tmp_path: Path) -> None:
    cache = tmp_path / "cache"
    own = deb({"usr/lib/x": "", "usr/share/doc/liba/copyright": DEP5})
    linked = deb({"usr/share/doc/libb": ("liba",)})
    by_file = deb({"usr/share/doc/libc/copyright": ("../libb/copyright",)})
    outside = deb({"usr/share/doc/libd": ("gcc-12-base",)})
    lock(
        project,
        (
            source("data", "rows", None),
            pinned(cache, source("deb", "liba"), own),
            pinned(cache, source("deb", "libb"), linked),
            pinned(cache, source("deb", "libc"), by_file),
            pinned(cache, source("deb", "libd"), outside),
            pinned(cache, source("deb", "libe"), deb({"usr/lib/y": ""})),
            pinned(cache, source("deb", "libf"), b"no package"),
            pinned(cache, source("wheel", "free"), wheel("License-Expression: MIT")),
            pinned(cache, source("wheel", "broken"), b"no zip"),
        ),
    )
    found = report(project, cache)
    assert licences(found) | {"rows": "", "digits": ""} == {
        "liba": "MIT",
        "libb": "MIT",
        "libc": "MIT",
        "libd": "unknown",
        "libe": "unknown",
        "libf": "unknown",
        "free": "MIT",
        "broken": "unknown",
        "rows": "",
        "digits": "",
    }
    why = {one.name: one.licence.why_unknown for one in found.bill.licensed}
    assert why["libd"] == "its copyright file is in gcc-12-base, which is not part of the base"
    assert why["libe"] == why["libf"] == "it has no copyright file"
    assert why["broken"] == "it cannot be read as a wheel"
    assert found.gaps[1] == "4 licences are not stated in a readable way: `reprobuild sbom --licences`"


def test_packages_that_refer_to_each_other_do_not_hang(project: Path, tmp_path: Path) -> None:
    cache = tmp_path / "cache"
    one = deb({"usr/share/doc/liba": ("libb",)})
    two = deb({"usr/share/doc/libb": ("liba",)})
    lock(
        project,
        (
            source("data", "rows", None),
            pinned(cache, source("deb", "liba"), one),
            pinned(cache, source("deb", "libb"), two),
        ),
    )
    assert licences(report(project, cache))["liba"] == "unknown"


def test_an_absolute_link_to_documentation_is_followed() -> None:
    package = deb({"usr/share/doc/x": ("/usr/share/doc/y",)})
    assert read_copyright(package, "x") == (None, "y")


def artifact_of(project: Path, folder: Path) -> Path:
    """A result of this project, as the worker writes it."""
    write_artifact(folder)
    spec = open_project(project).spec.model_dump(mode="json", by_alias=True, exclude_none=True)
    (folder / "spec.json").write_text(json.dumps(spec))
    shutil.copy(project / LOCK_FILE, folder)
    return folder


def test_a_result_tells_files_metrics_and_its_id(project: Path, tmp_path: Path) -> None:
    lock(project)
    result = artifact_of(project, tmp_path / "artifact")
    alone = report(result, tmp_path / "cache")
    assert alone.bill.built is not None
    assert alone.bill.built.metrics["accuracy"] == 0.975
    assert alone.bill.built.manifest_digest == Digest.of_bytes((result / MANIFEST_FILE).read_bytes())
    assert "weights.safetensors" in alone.bill.built.files
    (project / "result").symlink_to(result)
    assert report(project, tmp_path / "cache").bill == alone.bill


def test_a_result_of_another_spec_or_lock_is_not_taken_for_the_project(project: Path, tmp_path: Path) -> None:
    lock(project)
    (project / "result").symlink_to(artifact_of(project, tmp_path / "artifact"))
    lock(project, SOURCES[:-1])
    assert report(project, tmp_path / "cache").bill.built is None
    lock(project)
    assert report(project, tmp_path / "cache").bill.built is not None
    (project / "reprobuild.toml").write_text(SPEC.replace("lr = 0.1", "lr = 0.2"))
    assert report(project, tmp_path / "cache").bill.built is None


def test_a_folder_that_is_neither_is_refused(tmp_path: Path) -> None:
    with pytest.raises(NotAResultError):
        report(tmp_path, tmp_path)
    artifact = write_artifact(tmp_path / "artifact")
    (artifact / "spec.json").write_text("{}")
    with pytest.raises(Exception, match=r"spec\.json"):
        report(artifact, tmp_path)


def test_a_result_without_its_lock_is_refused(project: Path, tmp_path: Path) -> None:
    lock(project)
    result = artifact_of(project, tmp_path / "artifact")
    (result / LOCK_FILE).write_text("{}")
    with pytest.raises(NotAResultError, match=LOCK_FILE):
        report(result, tmp_path)
