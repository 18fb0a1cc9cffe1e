"""Which of a package's wheels does the base run best?"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache

from packaging.tags import Tag, compatible_tags, cpython_tags
from packaging.utils import InvalidWheelFilename, parse_wheel_filename

from reprobuild.errors import UnsupportedWheelError

_SHOWN = 8
# glibc versions that older names of manylinux stand for; Source: PEP 600, "Legacy manylinux tags".
_LEGACY = {17: "manylinux2014", 12: "manylinux2010", 5: "manylinux1"}
_OLDEST_GLIBC_MINOR = {"x86_64": 5, "i686": 5}
_ANY_OTHER_OLDEST = 17


@lru_cache(maxsize=8)
def supported_tags(python_version: str, glibc_version: str, system: str) -> dict[Tag, int]:
    """Tags that this base can use, each with its rank; 0 is the best.

    Args:
        python_version: `major.minor`, more is not looked at.
        glibc_version: `major.minor`.
        system: Nix's word, such as `x86_64-linux`.
    """
    machine = system.partition("-")[0]
    major, minor = (int(part) for part in python_version.split(".")[:2])
    platforms = _platforms(int(glibc_version.split(".")[1]), machine)
    interpreter = f"cp{major}{minor}"
    tags = [
        *cpython_tags((major, minor), abis=[interpreter], platforms=platforms),
        *compatible_tags((major, minor), interpreter=interpreter, platforms=platforms),
    ]
    return {tag: rank for rank, tag in reversed(list(enumerate(tags)))}


def _platforms(glibc_minor: int, machine: str) -> list[str]:
    oldest = _OLDEST_GLIBC_MINOR.get(machine, _ANY_OTHER_OLDEST)
    names = []
    for minor in range(glibc_minor, oldest - 1, -1):
        names.append(f"manylinux_2_{minor}_{machine}")
        if minor in _LEGACY:
            names.append(f"{_LEGACY[minor]}_{machine}")
    return [*names, f"linux_{machine}"]


def rank(file_name: str, tags: dict[Tag, int]) -> tuple[int, tuple[int, str]] | None:
    """Smaller is better; None when no tag of the wheel is usable, or the name is not a wheel's."""
    try:
        _, _, build, offered = parse_wheel_filename(file_name)
    except InvalidWheelFilename:
        return None
    usable = [tags[tag] for tag in offered if tag in tags]
    if not usable:
        return None
    number, suffix = build or (0, "")
    return min(usable), (-number, suffix)


def fits(file_name: str, python_version: str, glibc_version: str, system: str) -> bool:
    return rank(file_name, supported_tags(python_version, glibc_version, system)) is not None


def choose_wheel(
    package: str, file_names: Sequence[str], python_version: str, glibc_version: str, system: str
) -> str:
    """The one wheel for this base: most specific tag, then newest build, then by name.

    Raises:
        UnsupportedWheelError: none fits; says what there is and what the base can use.
    """
    tags = supported_tags(python_version, glibc_version, system)
    ranked = sorted((found, name) for name in file_names if (found := rank(name, tags)) is not None)
    if ranked:
        return ranked[0][1]
    raise UnsupportedWheelError(
        f"{package}: no wheel fits the base",
        expected=wanted(python_version, glibc_version, system),
        expected_from="the base",
        actual=_offered(file_names),
        actual_from="the package's index",
        hint="choose a version of the package with a wheel for this base, or another base.suite",
    )


def wanted(python_version: str, glibc_version: str, system: str) -> str:
    """What the base can use, in one line."""
    short = "".join(python_version.split(".")[:2])
    machine = system.partition("-")[0]
    glibc = glibc_version.replace(".", "_")
    return f"cp{short}, abi3 or py3, for manylinux_{glibc}_{machine} or older"


def _offered(file_names: Sequence[str]) -> str:
    tags = sorted({"-".join(name.removesuffix(".whl").split("-")[-3:]) for name in file_names})
    if not tags:
        return "no wheels"
    rest = f", and {len(tags) - _SHOWN} more" if len(tags) > _SHOWN else ""
    return ", ".join(tags[:_SHOWN]) + rest
