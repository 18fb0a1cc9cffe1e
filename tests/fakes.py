"""Stand-ins behind the real interfaces of `reprobuild.ports`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from reprobuild.domain.digest import Digest
from reprobuild.domain.lock import Source
from reprobuild.domain.store_path import fixed_output_path, store_name
from reprobuild.errors import ContentMismatchError


class FakeStore:
    """ports.SourceStore in memory; checks content as Nix does, flat files only.

    Args:
        caches: binary cache → store paths it has.
    """

    def __init__(self, caches: Mapping[str, Sequence[str]] | None = None) -> None:
        self.paths: dict[str, bytes] = {}
        self.caches = dict(caches or {})
        self.questions = 0

    def present(self, paths: Sequence[str]) -> set[str]:
        self.questions += 1
        return set(paths) & self.paths.keys()

    def substitute(self, paths: Sequence[str], caches: Sequence[str]) -> set[str]:
        came = {path for cache in caches for path in self.caches.get(cache, ()) if path in paths}
        self.paths.update(dict.fromkeys(came, b""))
        return came

    def add_fixed(self, file: Path, source: Source) -> str:
        assert file.name == store_name(source.file_name), "Nix takes the name from the file"
        if source.mode == "recursive":
            self.paths[source.store_path] = b""
            return source.store_path
        assert not file.is_symlink(), "Nix would add the link itself"
        content = file.read_bytes()
        path = fixed_output_path(file.name, Digest.of_bytes(content), "flat")
        if path != source.store_path:
            raise ContentMismatchError(f"{source.subject}: content differs from the lock")
        self.paths[path] = content
        return path


class FakeProgress:
    """ports.ByteProgress that keeps what it was told."""

    def __init__(self) -> None:
        self.total_bytes = self.total_files = self.done_bytes = 0
        self.finished: list[str] = []
        self.notes: list[str] = []
        self.closed = False

    def start(self, total_bytes: int, total_files: int) -> None:
        self.total_bytes, self.total_files = total_bytes, total_files

    def advance(self, name: str, size_bytes: int) -> None:
        self.done_bytes += size_bytes

    def finish(self, name: str) -> None:
        self.finished.append(name)

    def note(self, text: str) -> None:
        self.notes.append(text)

    def close(self) -> None:
        self.closed = True


class FakeLocator:
    """ports.WheelLocator with fixed answers."""

    def __init__(
        self,
        known: Mapping[str, Sequence[str]] | None = None,
        fresh: Mapping[str, Sequence[str]] | None = None,
    ) -> None:
        self.known, self.fresh = dict(known or {}), dict(fresh or {})
        self.asked: list[tuple[list[str], bool, bool]] = []

    def locate(
        self, wheels: Sequence[Source], *, offline: bool = False, fresh: bool = False
    ) -> Mapping[str, Sequence[str]]:
        names = [wheel.file_name for wheel in wheels]
        self.asked.append((names, offline, fresh))
        answers = self.fresh if fresh else self.known
        return {name: answers[name] for name in names if name in answers}


def wheel_source(name: str, content: bytes, *, version: str = "1.0", local: str = "") -> Source:
    """A pinned wheel with this content; `local`, such as `+cpu`, makes a name that Nix does not take."""
    return Source(
        kind="wheel",
        name=name,
        version=version + local,
        system="x86_64-linux",
        file_name=f"{name}-{version}{local}-py3-none-any.whl",
        sha256=Digest.of_bytes(content),
        size_bytes=len(content),
        index="default",
    )
