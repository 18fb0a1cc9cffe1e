"""Where can pinned wheels be had? Wheelhouses and addresses learned before, else the indexes, asked through uv."""

from __future__ import annotations

import re
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

from reprobuild.adapters.address_cache import AddressCache
from reprobuild.adapters.uv_program import MANYLINUX, Job, Target, UvProgram
from reprobuild.core import pylock
from reprobuild.domain.lock import Source
from reprobuild.errors import NetworkError, ResolveError


class UvLocator:
    """Implements ports.WheelLocator."""

    def __init__(self, uv: UvProgram, addresses: AddressCache) -> None:
        self._uv = uv
        self._addresses = addresses

    def locate(
        self, wheels: Sequence[Source], *, offline: bool = False, fresh: bool = False
    ) -> dict[str, tuple[str, ...]]:
        """File name → addresses: wheelhouses, then what was learned before, then what the indexes say now.

        Args:
            offline: no index on the network is asked.
            fresh: ask the indexes even where an address is known.
        Raises:
            NetworkError: an index had to be asked and did not answer.
        """
        known: dict[str, list[str]] = {wheel.file_name: [] for wheel in wheels}
        for wheel in wheels:
            houses = (folder / wheel.file_name for folder in self._uv.config.wheelhouses)
            known[wheel.file_name] += [file.resolve().as_uri() for file in houses if file.is_file()]
            known[wheel.file_name] += self._addresses.get(wheel.sha256)
        asked = [wheel for wheel in wheels if fresh or not known[wheel.file_name]]
        for group in _by_base(asked):
            for file_name, address in self._ask(group, offline).items():
                known[file_name].append(address)
        return {name: tuple(dict.fromkeys(found)) for name, found in known.items() if found}

    def _ask(self, wheels: Sequence[Source], offline: bool) -> dict[str, str]:
        """Ask uv for exact pins; halves the question when uv refuses it, to find who is to blame."""
        if not wheels:
            return {}
        target = _target_of(wheels)
        with tempfile.TemporaryDirectory(prefix="reprobuild-uv-") as folder:
            listed = Path(folder) / "requirements.in"
            listed.write_text("".join(f"{wheel.name}=={wheel.version}\n" for wheel in wheels), "utf-8")
            job = Job(self._uv, Path(folder), target, (str(listed),), ())
            # identity is the digest: which index has the bytes does not matter here
            options = [
                "--no-deps",
                "--index-strategy",
                "unsafe-first-match",
                *(["--offline"] if offline else []),
            ]
            try:
                packages = pylock.parse(job.pylock({}, options, None), "uv's pylock.toml")
            except NetworkError:
                if not offline:
                    raise
                packages = None
            except ResolveError:
                packages = None
        if packages is None:
            if len(wheels) == 1:
                return {}
            half = len(wheels) // 2
            return self._ask(wheels[:half], offline) | self._ask(wheels[half:], offline)
        by_digest = {one.sha256: one.location for package in packages for one in package.wheels if one.sha256}
        found = {wheel.file_name: by_digest[wheel.sha256] for wheel in wheels if wheel.sha256 in by_digest}
        for wheel in wheels:
            if wheel.file_name in found:
                self._addresses.add(wheel.sha256, [found[wheel.file_name]])
        return found


def _by_base(wheels: Sequence[Source]) -> list[list[Source]]:
    groups: dict[str, list[Source]] = {}
    for wheel in wheels:
        groups.setdefault(_machine(wheel), []).append(wheel)
    free = groups.pop("", [])
    if not groups:
        return [free] if free else []
    first, *rest = groups.values()
    return [first + free, *rest]


def _machine(wheel: Source) -> str:
    if wheel.system:
        return wheel.system.partition("-")[0]
    found = re.search(r"(x86_64|aarch64)\.whl$", wheel.file_name)
    return found[1] if found else ""


def _target_of(wheels: Sequence[Source]) -> Target:
    """The newest base of this machine: a pinned wheel is found by its digest, not by what fits."""
    tags = [re.search(r"-cp3(\d+)-cp3\d", wheel.file_name) for wheel in wheels]
    minor = next((int(tag[1]) for tag in tags if tag), sys.version_info.minor)
    machine = next((found for wheel in wheels if (found := _machine(wheel))), "x86_64")
    return Target(f"3.{minor}", f"2.{MANYLINUX[-1]}", f"{machine}-linux")
