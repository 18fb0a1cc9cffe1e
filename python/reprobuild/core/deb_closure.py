"""Which packages does a base need?

Dependencies are followed as in an empty system. The base is unpacked, never installed: no maintainer script
runs and `dpkg` is not there, so packages that only serve installation are cut off (`NOT_NEEDED`). Reasons for
each: docs/decisions/debian-base.md.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import NamedTuple

from reprobuild.core import deb_version
from reprobuild.core.deb_package import Alternatives, DebPackage, PackageIndex, Relation
from reprobuild.errors import ResolveError

SEED = "busybox-static"
# Compiles the few lines of C that a portable model needs; of all that it depends on, the base has libc6 anyhow.
COMPILER = "tcc"
# Compiles the host's part of CUDA kernels, for nvcc.
HOST_COMPILER = "g++"

# A dependency on one of these is dropped, with all that it alone would bring. A root is never dropped.
NOT_NEEDED = frozenset(
    {
        # register something at installation
        "adduser", "base-files", "base-passwd", "debconf", "debianutils", "dpkg", "init-system-helpers",
        "install-info", "libc-bin", "login", "passwd", "sensible-utils", "systemd", "tar", "ucf", "udev",
        # looked up under /etc and /usr/share of the running system, which a build does not have
        "ca-certificates", "media-types", "mime-support", "netbase", "readline-common",
    }
)  # fmt: skip
NOT_NEEDED_PATTERN = re.compile(r"gcc-\d+-base")  # an empty documentation folder

_PYTHON = re.compile(r"python(3\.\d+)")


class Closure(NamedTuple):
    python_version: str
    glibc_version: str
    packages: tuple[DebPackage, ...]  # sorted by name
    seed: DebPackage
    compiler: DebPackage | None
    host_compiler: tuple[DebPackage, ...]  # with all that it needs, sorted by name; empty: not in the suite
    depends: Mapping[str, tuple[str, ...]]  # package → names of those that it needs, of both closures


def base_closure(index: PackageIndex, extra_packages: Iterable[str] = ()) -> Closure:
    """The suite's own CPython with C++, OpenMP and time-zone data, and what the user adds.

    Raises:
        ResolveError: a package is not in the suite.
    """
    python_version = suite_python(index)
    # tzdata: a root, because only newer suites' python depends on it
    roots = [f"python{python_version}", "libstdc++6", "libgomp1", "tzdata", *extra_packages]
    packages = closure(index, roots)
    host_compiler = closure(index, [HOST_COMPILER]) if index.get(HOST_COMPILER) is not None else ()
    return Closure(
        python_version,
        suite_glibc(index),
        packages,
        _root(index, SEED),
        index.get(COMPILER),
        host_compiler,
        {package.name: _needed(index, package) for package in (*packages, *host_compiler)},
    )


def suite_python(index: PackageIndex) -> str:
    """The version, such as `3.11`, of the interpreter that the suite's `python3` stands for."""
    for alternatives in _root(index, "python3").needs:
        if match := _PYTHON.fullmatch(alternatives[0].name):
            return match.group(1)
    raise ResolveError(
        "the suite's default Python is not known",
        expected="a dependency of python3 on python3.X",
        actual="none",
        actual_from="package index",
        hint="report this together with the suite's name",
    )


def suite_glibc(index: PackageIndex) -> str:
    return deb_version.upstream(_root(index, "libc6").version)


def closure(index: PackageIndex, roots: Iterable[str]) -> tuple[DebPackage, ...]:
    """The roots and all that they need, sorted by name.

    Of alternatives the first that can be had is taken: the real package if its version fits, else the first
    provider by name. The choice looks at nothing else, so it does not depend on any order.

    Raises:
        ResolveError: a root or a needed package is not in the suite.
    """
    found: dict[str, DebPackage] = {}
    waiting = [_root(index, name) for name in roots]
    while waiting:
        package = waiting.pop()
        if package.name in found:
            continue
        found[package.name] = package
        waiting += _chosen(index, package)
    return tuple(found[name] for name in sorted(found))


def _chosen(index: PackageIndex, package: DebPackage) -> list[DebPackage]:
    return [chosen for need in package.needs if (chosen := _choose(index, need, package)) is not None]


def _needed(index: PackageIndex, package: DebPackage) -> tuple[str, ...]:
    return tuple(sorted({one.name for one in _chosen(index, package)} - {package.name}))


def _choose(index: PackageIndex, need: Alternatives, wanted_by: DebPackage) -> DebPackage | None:
    """The package that fulfils a need; None when the need is cut off."""
    for relation in need:
        if relation.name in NOT_NEEDED or NOT_NEEDED_PATTERN.fullmatch(relation.name):
            return None
        if (package := _available(index, relation)) is not None:
            return package
    raise ResolveError(
        f"package {wanted_by.name}: a dependency is not in the suite",
        expected=" | ".join(map(str, need)),
        expected_from=f"{wanted_by.name} {wanted_by.version}",
        actual="no package and no provider that fits",
        actual_from="package index",
        hint=f"remove {wanted_by.name} from [base] packages, or take another suite",
    )


def _available(index: PackageIndex, relation: Relation) -> DebPackage | None:
    package = index.get(relation.name)
    if package is not None and _fits(package.version, relation):
        return package
    for provider in index.providers(relation.name):
        for offered in provider.provides:
            # policy 7.5: a provided name without a version fulfils only relations without one
            if offered.name == relation.name and (
                not relation.operator or (offered.version and _fits(offered.version, relation))
            ):
                return provider
    return None


def _fits(version: str, relation: Relation) -> bool:
    return not relation.operator or deb_version.satisfies(version, relation.operator, relation.version)


def _root(index: PackageIndex, name: str) -> DebPackage:
    package = _available(index, Relation(name))
    if package is None:
        raise ResolveError(
            f"package {name} is not in the suite",
            expected=name,
            expected_from="[base] packages",
            actual="no such package",
            actual_from="package index, component main",
            hint="check the name, or take another suite",
        )
    return package
