"""Pack a project with everything that it is built from into one folder, to be rebuilt years later."""

from __future__ import annotations

import hashlib
import os
import shutil
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from reprobuild import __version__
from reprobuild.domain.archive import ARCHIVE_FILE, SUMS_FILE, ArchiveDocument, sums_text
from reprobuild.domain.baseline import BASELINE_FILE
from reprobuild.domain.digest import Digest
from reprobuild.domain.lock import LOCK_FILE, Source
from reprobuild.domain.spec import SPEC_FILE
from reprobuild.errors import ContentMismatchError, UsageError
from reprobuild.ports import Store
from reprobuild.services.artifact import read_artifact
from reprobuild.services.build import BuildService
from reprobuild.services.cache_items import Selection
from reprobuild.services.cache_transfer import CacheTransferService
from reprobuild.services.project import Project, require_fresh_lock

# Beside what the spec names; anything else in the folder may hold secrets and stays out.
_ALSO = (SPEC_FILE, LOCK_FILE, BASELINE_FILE, "README*", "LICENSE*", "flake.nix", "flake.lock")
_LEFT_OUT = shutil.ignore_patterns("__pycache__", "*.pyc", ".git*")


@dataclass(frozen=True)
class Archived:
    folder: Path
    document: ArchiveDocument
    digest: Digest  # of SHA256SUMS, and so of everything
    files: int
    size_bytes: int


class ArchiveService:
    """
    Args:
        data_root: folder with `nix/` and the packages in `python/` that builds read.
        templates: folder with `archive/`.
        fetch: fills the store's missing sources.
        instantiate: derivation that a Nix file gives.
    """

    def __init__(
        self,
        *,
        build: BuildService,
        store: Store,
        transfer: CacheTransferService,
        fetch: Callable[[Project, Sequence[Source]], object],
        instantiate: Callable[[Path], str],
        data_root: Path,
        templates: Path,
    ) -> None:
        self._build = build
        self._store = store
        self._transfer = transfer
        self._fetch = fetch
        self._instantiate = instantiate
        self._data_root = data_root
        self._templates = templates

    def pack(
        self, project: Project, folder: Path, *, outputs: bool = False, secret_key: Path | None = None
    ) -> Archived:
        """Write the archive; the folder appears when it is complete.

        Args:
            outputs: put what was built into its cache as well.
            secret_key: signs what is in its cache.
        Raises:
            UsageError: there is something at this place.
            SourcesMissingError, NetworkError, ContentMismatchError: a source cannot be had.
            ContentMismatchError: what was copied does not give the model's derivation.
        """
        folder = folder.absolute()
        if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
            raise UsageError(f"{folder} is there already and not an empty folder", hint="name another folder")
        found = self._build.instantiate(project)
        self._fetch(project, require_fresh_lock(project).for_system(project.spec.hardware.system))
        part = folder.with_name(f".{folder.name}.part")
        shutil.rmtree(part, ignore_errors=True)
        part.mkdir(parents=True)
        try:
            links = self._copy_project(project, part / "project")
            self._copy_rules(part)
            document = self._document(project, found.model.drv_path, found.model.out_path, outputs, links)
            self._copy_texts(document, part)
            self._require_same_inputs(document, part)
            selection = Selection(sources=True, outputs=outputs)
            self._transfer.push(
                project, str(part / "cache"), selection, secret_key=secret_key, compression="none"
            )
            (part / ARCHIVE_FILE).write_text(document.to_text(), encoding="utf-8")
            digests = file_digests(part)
            sums = sums_text(digests)
            (part / SUMS_FILE).write_text(sums, encoding="utf-8")
            size_bytes = sum((part / path).stat().st_size for path in digests)
            if folder.exists():
                folder.rmdir()
            part.replace(folder)
        except BaseException:
            shutil.rmtree(part, ignore_errors=True)
            raise
        return Archived(folder, document, Digest.of_bytes(sums.encode()), len(digests) + 1, size_bytes)

    def _require_same_inputs(self, document: ArchiveDocument, part: Path) -> None:
        actual = self._instantiate(part / "default.nix")
        if actual != document.drv_path:
            raise ContentMismatchError(
                "what was packed gives another derivation, so no archive was written",
                expected=document.drv_path,
                expected_from="the project",
                actual=actual,
                actual_from="the packed files",
                hint="pack again while nothing edits the project",
            )

    def _copy_project(self, project: Project, target: Path) -> dict[str, str]:
        """What the spec names, and what belongs to it; returns the links among it."""
        spec = project.spec
        named = {file for stage in spec.stages.values() for file in stage.source_files}
        named |= {found.name for pattern in _ALSO for found in project.path.glob(pattern) if found.is_file()}
        if spec.python.requirements_file:
            named.add(spec.python.requirements_file)
        target.mkdir(parents=True)
        for name in sorted(named):
            _copy(project.path / name, target / name)
        for dataset in spec.datasets.values():
            if dataset.path:  # its content is pinned, wherever a link leads
                (target / dataset.path).parent.mkdir(parents=True, exist_ok=True)
                shutil.copyfile(project.path / dataset.path, target / dataset.path)
        links = {}
        for folder, folders, files in os.walk(target):
            for place in (Path(folder) / name for name in (*folders, *files)):
                if place.is_symlink():
                    links[place.relative_to(target).as_posix()] = str(place.readlink())
        return dict(sorted(links.items()))

    def _copy_rules(self, part: Path) -> None:
        packages = [file.parent for file in sorted(self._data_root.glob("python/reprobuild_*/__init__.py"))]
        for folder in (self._data_root / "nix", *packages):
            place = part / "reprobuild" / folder.relative_to(self._data_root)
            shutil.copytree(folder, place, ignore=_LEFT_OUT)

    def _document(
        self, project: Project, drv_path: str, out_path: str, outputs: bool, links: dict[str, str]
    ) -> ArchiveDocument:
        built = self._store.info(out_path) if self._store.present([out_path]) else None
        return ArchiveDocument(
            model=project.spec.model.name,
            version=project.spec.model.version,
            system=project.spec.hardware.system,
            drv_path=drv_path,
            out_path=out_path,
            nar_hash=f"sha256:{built.nar_hash.nix32}" if built else "",
            artifact_id=read_artifact(Path(out_path)).artifact_id if built else "",
            outputs=outputs,
            reprobuild_version=__version__,
            links=links,
        )

    def _copy_texts(self, document: ArchiveDocument, part: Path) -> None:
        values = {
            "@title@": f"{document.model} {document.version}",
            "@system@": document.system.partition("-")[0],
            "@outputs@": " and everything that was built" if document.outputs else "",
        }
        for template in sorted((self._templates / "archive").iterdir()):
            text = template.read_text(encoding="utf-8")
            for mark, value in values.items():
                text = text.replace(mark, value)
            (part / template.name).write_text(text, encoding="utf-8")
        (part / "rebuild").chmod(0o755)


def archive_files(folder: Path) -> Iterator[Path]:
    """Every file in it, by path; links are no files."""
    for place, folders, files in os.walk(folder):
        folders.sort()
        for name in sorted(files):
            if not (file := Path(place) / name).is_symlink():
                yield file


def file_digests(folder: Path) -> dict[str, str]:
    """Path → SHA-256, hexadecimal, of every file but the list of digests itself."""
    files = {file.relative_to(folder).as_posix(): file for file in archive_files(folder)}
    files.pop(SUMS_FILE, None)
    with ThreadPoolExecutor(os.cpu_count() or 1) as pool:
        return dict(zip(files, pool.map(_digest, files.values()), strict=True))


def _digest(file: Path) -> str:
    with file.open("rb") as opened:
        return hashlib.file_digest(opened, "sha256").hexdigest()


def _copy(source: Path, target: Path) -> None:
    """Files with their modes, folders without what no stage sees, links as links: as Nix takes them."""
    target.parent.mkdir(parents=True, exist_ok=True)
    if source.is_symlink():
        if not target.is_symlink():
            target.symlink_to(source.readlink())
    elif source.is_dir():
        shutil.copytree(source, target, symlinks=True, ignore=_LEFT_OUT, dirs_exist_ok=True)
    else:
        shutil.copy(source, target)
