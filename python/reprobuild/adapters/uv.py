"""Which wheels, exactly, does a base get? uv resolves, we pin.

Indexes, wheelhouses and credentials are the ordinary clients' (`pip_config`); no lock gets an address.
"""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from packaging.requirements import InvalidRequirement, Requirement
from packaging.utils import canonicalize_name

from reprobuild.adapters.address_cache import AddressCache
from reprobuild.adapters.pip_config import IndexConfig, local_path
from reprobuild.adapters.uv_locate import UvLocator
from reprobuild.adapters.uv_output import depends_of
from reprobuild.adapters.uv_program import Job, Target, UvProgram
from reprobuild.core import pylock, wheel_choice
from reprobuild.core.addresses import redact, without_login
from reprobuild.core.wheel_pin import ResolvedWheel
from reprobuild.domain.digest import Digest
from reprobuild.domain.lock import Source
from reprobuild.errors import ResolveError
from reprobuild.ports import HttpClient

FIND_LINKS = "find-links"
DEFAULT = "default"
_CONNECTIONS = 16


class Uv:
    """Resolves wheels (for the lock), and implements ports.WheelLocator.

    Args:
        http: asked for the sizes of files that the index does not tell.
        cache_dir: addresses learned here are remembered below it.
        config: by default that of the ordinary clients.
    """

    def __init__(
        self,
        *,
        http: HttpClient,
        cache_dir: Path,
        config: IndexConfig | None = None,
        environment: Mapping[str, str] = os.environ,
        program: Path | None = None,
    ) -> None:
        self._http = http
        self._addresses = AddressCache(cache_dir / "addresses")
        self._uv = UvProgram(config, environment, program)
        self._locator = UvLocator(self._uv, self._addresses)

    def resolve(
        self,
        requirements: Sequence[str],
        files: Sequence[Path],
        *,
        python_version: str,
        glibc_version: str,
        system: str,
        keep: Sequence[Source] = (),
        update: frozenset[str] = frozenset(),
        constraints: Sequence[str] = (),
    ) -> tuple[ResolvedWheel, ...]:
        """One wheel per package, sorted by name.

        Args:
            files: requirements.txt or pyproject.toml; uv also reads its settings beside the first.
            keep: pins that stay where the requirements still allow them.
            update: names whose pins may move.
            constraints: requirements that hold for what is chosen anyhow, and choose nothing.
        Raises:
            ResolveError, UnsupportedWheelError, NetworkError, ToolMissingError.
        """
        target = Target(python_version, glibc_version, system)
        moving = {canonicalize_name(name) for name in update}
        kept = {pin.name: pin for pin in keep if pin.name not in moving and pin.system in (None, system)}
        with tempfile.TemporaryDirectory(prefix="reprobuild-uv-") as folder:
            sources = _sources(requirements, files, constraints, Path(folder))
            job = Job(self._uv, Path(folder), target, sources, files)
            if kept and not moving and (same := job.annotated(_pins(kept), offline=True, preferred=True)):
                versions = {name: pin.version for name, pin in same.items()}
                fit = all(
                    wheel_choice.fits(pin.file_name, python_version, glibc_version, system)
                    for pin in kept.values()
                )
                if fit and versions == {name: pin.version for name, pin in kept.items()}:
                    depends = depends_of(same)
                    return tuple(_from_pin(pin, depends[name]) for name, pin in sorted(kept.items()))
            found = self._compiled(job, _pins(kept), moving, target)
        for wheel in found:
            self._addresses.add(wheel.sha256, wheel.addresses)
        return found

    def _compiled(
        self, job: Job, kept: Mapping[str, str], moving: Iterable[str], target: Target
    ) -> tuple[ResolvedWheel, ...]:
        upgrades = [word for name in sorted(moving) for word in ("--upgrade-package", name)]
        text = job.pylock(kept, upgrades, self._second_strategy())
        packages = {package.name: package for package in pylock.parse(text, "uv's pylock.toml")}
        wheels = {name: _best(package, target) for name, package in packages.items()}
        pins = {name: package.version for name, package in packages.items() if package.version}
        # the same resolution again, out of uv's cache: says who needs whom and which index had it
        annotated = job.annotated(pins, offline=True) or job.annotated(pins, offline=False)
        if annotated is None:
            raise ResolveError(
                "uv could not resolve its own pins again", hint="try again; report it if it stays so"
            )
        depends, missing = depends_of(annotated), sorted(packages.keys() - annotated.keys())
        if missing:
            raise ResolveError(f"uv says nothing about where {', '.join(missing)} came from")

        def resolved(name: str) -> ResolvedWheel:
            wheel, package = wheels[name], packages[name]
            address = wheel.location if "://" in wheel.location else (job.folder / wheel.location).as_uri()
            digest = wheel.sha256
            if digest is None:
                if (file := local_path(address)) is None:
                    raise ResolveError(
                        f"{name} {package.version}: its index gives no SHA-256",
                        hint="put the wheel into a wheelhouse and lock again",
                    )
                with file.open("rb") as stream:
                    digest = Digest.of_chunks(iter(lambda: stream.read(1 << 20), b""))
            size = wheel.size_bytes if wheel.size_bytes is not None else self._http.size_bytes(address)
            return ResolvedWheel(
                name=name,
                version=package.version or "",
                file_name=wheel.file_name,
                sha256=digest,
                size_bytes=size,
                index=self._label(annotated[name].index_url),
                addresses=(without_login(address),),
                depends=depends[name],
            )

        with ThreadPoolExecutor(_CONNECTIONS) as pool:
            return tuple(pool.map(resolved, sorted(packages)))

    def locate(
        self, wheels: Sequence[Source], *, offline: bool = False, fresh: bool = False
    ) -> dict[str, tuple[str, ...]]:
        """As ports.WheelLocator; what was learned when resolving is not asked for again."""
        return self._locator.locate(wheels, offline=offline, fresh=fresh)

    def _second_strategy(self) -> str | None:
        """pip's extra indexes count like the default one: what the first lacks may come from the next."""
        return (
            "unsafe-first-match"
            if self._uv.config.pip_rules and "UV_INDEX_STRATEGY" not in self._uv.environment
            else None
        )

    def _label(self, url: str | None) -> str:
        """The name that locks call an index by: find-links, a configured name, extra-N, or default."""
        if url is None:
            return "direct"
        for link in self._uv.config.find_links:
            if _same(url, link):
                return FIND_LINKS
        return next((index.name for index in self._uv.config.indexes if _same(url, index.url)), DEFAULT)


def _sources(
    requirements: Sequence[str], files: Sequence[Path], constraints: Sequence[str], folder: Path
) -> tuple[str, ...]:
    """What uv is asked, as its arguments; lines of text become files in the folder."""
    for line in requirements:
        try:
            Requirement(line)
        except InvalidRequirement as error:
            raise ResolveError(
                f"not a requirement: {line}",
                expected="NAME, NAME==VERSION or NAME @ ADDRESS (PEP 508)",
                actual=str(error).splitlines()[0],
                actual_from="python.requirements",
            ) from error
    for file in files:
        if not file.is_file():
            raise ResolveError(
                f"requirements file {file} is not there", expected_from="python.requirements_file"
            )
    inline = folder / "requirements.in"
    inline.write_text("".join(f"{line}\n" for line in requirements), encoding="utf-8")
    asked = [*([str(inline)] if requirements else []), *(str(file.resolve()) for file in files)]
    if constraints:
        constraining = folder / "constraints.txt"
        constraining.write_text("".join(f"{line}\n" for line in constraints), encoding="utf-8")
        asked += ["--constraints", str(constraining)]
    return tuple(asked)


def _best(package: pylock.PylockPackage, target: Target) -> pylock.PylockWheel:
    if not package.wheels and package.other is not None:
        raise ResolveError(
            f"{package.name}: resolved to a {package.other}, and locks hold wheels",
            hint=f"make a wheel of {package.name} and lock with UV_FIND_LINKS=its folder in the environment",
        )
    by_name = {wheel.file_name: wheel for wheel in package.wheels}
    subject = f"{package.name} {package.version}"
    chosen = wheel_choice.choose_wheel(
        subject, list(by_name), target.python_version, target.glibc_version, target.system
    )
    return by_name[chosen]


def _pins(kept: Mapping[str, Source]) -> dict[str, str]:
    return {name: pin.version for name, pin in sorted(kept.items()) if pin.version}


def _from_pin(pin: Source, depends: tuple[str, ...]) -> ResolvedWheel:
    return ResolvedWheel(
        name=pin.name,
        version=pin.version or "",
        file_name=pin.file_name,
        sha256=pin.sha256,
        size_bytes=pin.size_bytes,
        index=pin.index or DEFAULT,
        depends=depends,
    )


def _same(url: str, configured: str) -> bool:
    def normal(text: str) -> str:
        file = local_path(text)
        return str(file.absolute()) if file is not None else redact(text).rstrip("/")

    return normal(url) == normal(configured)
