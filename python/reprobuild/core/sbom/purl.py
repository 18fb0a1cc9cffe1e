"""How is a pinned source called outside: its package URL.

Source: package-url specification, types `deb` and `pypi`.
"""

from __future__ import annotations

from urllib.parse import quote

from reprobuild.domain.lock import Source


def package_url(source: Source) -> str | None:
    """Such as `pkg:deb/debian/libc6@2.36-9?arch=amd64&distro=bookworm`; None for data."""
    if source.pool_path is not None:
        file = source.pool_path.rpartition("/")[2].removesuffix(".deb")
        name, arch = file.partition("_")[0], file.rpartition("_")[2]
        distro = f"&distro={_quoted(source.suite)}" if source.suite else ""
        return f"pkg:deb/debian/{_quoted(name)}@{_quoted(source.version or '')}?arch={_quoted(arch)}{distro}"
    if source.kind in ("tool", "wheel"):
        version = _quoted(source.version or "")
        return f"pkg:pypi/{_quoted(source.name)}@{version}?file_name={_quoted(source.file_name)}"
    return None


def debian_source_name(source: Source) -> str | None:
    """The source package that a package was built from, as its place in the archive says: `glibc` for libc6."""
    return source.pool_path.split("/")[-2] if source.pool_path else None


def _quoted(text: str) -> str:
    return quote(text, safe="-._~:")
