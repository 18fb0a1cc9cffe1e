"""The edges of the system as Protocols: a service asks for one of these, `cli/wiring.py` hands in the adapter."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from reprobuild.domain.lock import Source
from reprobuild.domain.store import Instantiation, PathInfo

if TYPE_CHECKING:
    from reprobuild.core.build_tree import BuildTree
    from reprobuild.core.deb_package import DebianBase, DebPin
    from reprobuild.core.machines_file import Entry
    from reprobuild.core.wheel_pin import ResolvedWheel
    from reprobuild.domain.build_event import Event
    from reprobuild.domain.builder_facts import BuilderFacts
    from reprobuild.domain.cache import ArchiveDigests, CacheLookup
    from reprobuild.domain.digest import Digest
    from reprobuild.domain.hardware import HardwareProfile
    from reprobuild.domain.lock import DebianBasePin
    from reprobuild.domain.machine import Machine
    from reprobuild.domain.narinfo import CacheEntry
    from reprobuild.domain.record import BuildRecord
    from reprobuild.domain.signing_key import Algorithm, SigningKey


class ByteProgress(Protocol):
    """Where long transfers report to; all calls may come from any thread."""

    def start(self, total_bytes: int, total_files: int) -> None: ...
    def advance(self, name: str, size_bytes: int) -> None: ...
    def finish(self, name: str) -> None: ...
    def note(self, text: str) -> None: ...
    def close(self) -> None: ...


class HttpClient(Protocol):
    def get(self, url: str) -> bytes:
        """The whole body of a small document.

        Raises:
            NetworkError: no answer or an error after all tries.
        """
        ...

    def find(self, url: str) -> bytes | None:
        """The same; None where the server says that there is none.

        Raises:
            NetworkError: no answer or another error after all tries.
        """
        ...

    def size_bytes(self, url: str) -> int:
        """Size of a file, without fetching it.

        Raises:
            NetworkError: no answer, or the server does not say.
        """
        ...

    def download(
        self, url: str, target: Path, *, expected_bytes: int | None = None, advance: Callable[[int], None]
    ) -> Digest:
        """Fetch into `target`, going on from `target`'s present size where the server can.

        Args:
            advance: told of every byte, those already there included; negative when it must start over.
        Returns:
            SHA-256 of the whole file; the caller compares it, and the size.
        Raises:
            NetworkError: no answer or an error after all tries; what was fetched stays for the next try.
        """
        ...


class BaseResolver(Protocol):
    """Which packages, exactly, make a base."""

    def resolve(
        self, suite: str, *, snapshot: str | None = None, extra_packages: Iterable[str] = ()
    ) -> DebianBase:
        """
        Raises:
            ResolveError, SignatureError, ContentMismatchError, NetworkError, SpecError.
        """
        ...


class WheelResolver(Protocol):
    """Which wheels, exactly, a base gets for these requirements."""

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
            files: requirements.txt or pyproject.toml.
            keep: pins that stay where the requirements still allow them.
            update: names whose pins may move.
            constraints: requirements that hold for what is chosen anyhow, and choose nothing.
        Raises:
            ResolveError, UnsupportedWheelError, NetworkError, ToolMissingError.
        """
        ...


class WheelLocator(Protocol):
    """Where pinned wheels can be had, asked of the ordinary client's configuration."""

    def locate(
        self, wheels: Sequence[Source], *, offline: bool = False, fresh: bool = False
    ) -> Mapping[str, Sequence[str]]:
        """File name → addresses (`file://` or `https://`), best first; absent when nobody has it.

        Args:
            offline: ask nobody on the network.
            fresh: ask the indexes even where an address is known already.
        Raises:
            NetworkError: an index had to be asked and did not answer.
        """
        ...


class CacheReader(Protocol):
    """What a binary cache has, read from its files; nothing is copied to the store."""

    def lookup(self, cache: str, paths: Iterable[str]) -> CacheLookup:
        """Ask a cache for its entries of some store paths, several at a time.

        Raises:
            UsageError: not an address of a binary cache, or there is none.
            NetworkError: it does not answer.
        """
        ...

    def digests(self, cache: str, entry: CacheEntry) -> ArchiveDigests:
        """Read a path's whole archive and hash it.

        Raises:
            NetworkError: it is not there, or breaks off.
            ValueError: it cannot be unpacked.
        """
        ...


class CacheCopier(Protocol):
    """Copies between the store and binary caches, with signatures."""

    def push(self, cache: str, paths: Sequence[str], *, compression: str, secret_key: Path | None) -> None:
        """Copy paths with all that they refer to; sign, also what the cache has already.

        Raises:
            ToolFailedError: Nix could not; carries its last lines.
        """
        ...

    def pull(self, cache: str, paths: Sequence[str], *, keys: Sequence[str], check_signatures: bool) -> None:
        """Copy paths with all that they refer to.

        Args:
            keys: trusted for this call, besides those of Nix's configuration.
        Raises:
            SignatureError: Nix refused a path for want of a trusted signature.
            ContentMismatchError: an archive has other content than its entry says.
            ToolFailedError: Nix could not for another reason.
        """
        ...


class SourceStore(Protocol):
    """The store as the fetcher sees it."""

    def present(self, paths: Sequence[str]) -> set[str]:
        """Which of these store paths are valid."""
        ...

    def substitute(self, paths: Sequence[str], caches: Sequence[str]) -> set[str]:
        """Copy what binary caches have into the store; returns the paths that came."""
        ...

    def add_fixed(self, file: Path, source: Source) -> str:
        """Add a checked file (or folder, mode recursive) under the source's store name.

        Raises:
            ContentMismatchError: the store computed another path than the lock implies.
        """
        ...


class Evaluator(Protocol):
    def instantiate(
        self,
        project: Path,
        overrides: Mapping[str, Any],
        stage_order: Sequence[str],
        replaced: Mapping[str, str] = {},
    ) -> Instantiation:
        """Translate a project to derivations; builds nothing.

        Args:
            replaced: store paths to take in place of some stages' outputs.
        """
        ...


class Store(SourceStore, Protocol):
    """The store as builds see it."""

    def add_root(self, link: Path, path: str) -> None:
        """Make `link` lead to a store path and keep that path from the garbage collector; quick if it is so."""
        ...

    def add(self, path: Path) -> str:
        """Copy a file or folder into the store, under its own name; returns its store path."""
        ...

    def info(self, path: str) -> PathInfo:
        """What the store has registered about one path."""
        ...

    def infos(self, paths: Sequence[str]) -> dict[str, PathInfo]:
        """What the store has registered about paths that it has."""
        ...


class Builder(Protocol):
    def realise(
        self,
        drv_paths: Sequence[str],
        on_event: Callable[[Event], None],
        *,
        jobs: int | None = None,
        keep_going: bool = False,
        check: bool = False,
        caches: Sequence[str] = (),
    ) -> int:
        """Build (or with `check` rebuild and compare) and wait; returns Nix's exit status.

        Args:
            caches: binary caches that outputs may be taken from.
        """
        ...

    def kept_output(self, out_path: str) -> Path | None:
        """Where the output of a rebuild that differs was kept, if it was."""
        ...


class BuildMachine(Protocol):
    """Another machine's store, in which builds can run. All of it raises BuilderError."""

    machine: Machine

    def require_sandbox(self, *, sent_by_nix: bool = False) -> None:
        """
        Args:
            sent_by_nix: Nix here sends builds there, and hands on none of our settings.
        Raises:
            SandboxError: builds there would not be isolated.
        """
        ...

    def present(self, paths: Sequence[str]) -> set[str]: ...
    def infos(self, paths: Sequence[str]) -> dict[str, PathInfo]: ...
    def substitute(self, paths: Sequence[str]) -> set[str]:
        """Let it take what its own binary caches have; returns which of the paths it has then."""
        ...

    def send(
        self, paths: Sequence[str], on_event: Callable[[Event], None], *, derivations: bool = False
    ) -> None:
        """Copy store paths from here (or the `.drv` files themselves), with what they need."""
        ...

    def bring(self, paths: Sequence[str], on_event: Callable[[Event], None]) -> None: ...
    def realise(
        self,
        drv_paths: Sequence[str],
        on_event: Callable[[Event], None],
        *,
        jobs: int | None = None,
        keep_going: bool = False,
        check: bool = False,
    ) -> int:
        """As `Builder.realise`, in its store."""
        ...

    def unpack(self, path: str, target: Path) -> None:
        """Write the files of one path there into a new folder here."""
        ...

    def has_file(self, path: str) -> bool: ...
    def keep(self, name: str, path: str) -> None:
        """Keep a path there from its garbage collector."""
        ...


class BuildView(Protocol):
    """What shows a running build to people."""

    def start(self, tree: BuildTree, now_s: float) -> None: ...
    def event(self, event: Event, tree: BuildTree, now_s: float) -> None: ...
    def finish(self, tree: BuildTree, now_s: float) -> None: ...


class HostFacts(Protocol):
    """The machine that asks for a build."""

    def document(self) -> dict[str, Any]:
        """Host name, kernel, CPU model and flags, cores, memory, Nix version."""
        ...


class BuilderAccess(Protocol):
    """A builder as it is asked before anything is built there."""

    def facts(self, machine: Machine) -> BuilderFacts:
        """How its Nix is set up.

        Raises:
            BuilderError: it cannot be reached, or does not let us in.
        """
        ...

    def profile(self, machine: Machine) -> HardwareProfile:
        """Its hardware, measured there.

        Raises:
            BuilderError, ToolFailedError: as `facts`; the probe failed there.
        """
        ...

    def upload_rate(self, machine: Machine) -> float:
        """How many bytes a second reach it, tried with a few MiB.

        Raises:
            BuilderError: as `facts`.
        """
        ...

    def sandbox_problem(self, machine: Machine) -> str | None:
        """None if a build there is isolated, else what is wrong: it is tried.

        Raises:
            BuilderError: as `facts`.
        """
        ...


class MachinesFiles(Protocol):
    """The lists of builders on this machine."""

    def user_file(self) -> Path:
        """The one that belongs to this user alone."""
        ...

    def known_machines(self, file: Path | None = None) -> Sequence[Entry]:
        """Builders of the user's machines file, then those of Nix's setting `builders`; or of `file` alone.

        Raises:
            MachinesFileError: a line that Nix would refuse too, or a file that cannot be read.
        """
        ...

    def read_text(self, file: Path) -> str:
        """A machines file's text; empty where there is none."""
        ...

    def write_text(self, file: Path, text: str) -> None:
        """Replace a machines file at once, making its folder.

        Raises:
            MachinesFileError: it cannot be written.
        """
        ...


class RecordStore(Protocol):
    """Build records on this machine."""

    def write(self, record: BuildRecord) -> Path: ...
    def of_version(self, model: str, version: str) -> list[BuildRecord]:
        """Records of one version of a model, oldest first."""
        ...


class FileHasher(Protocol):
    def digest(self, file: Path) -> Digest:
        """SHA-256 of a file; may remember it for a file that has not changed."""
        ...


class SeedMaker(Protocol):
    def pin(self, deb: DebPin, base: DebianBasePin, system: str, mirrors: Sequence[str]) -> Source:
        """Take the seed out of its verified package and pin it by its NAR hash."""
        ...


class LicenceTexts(Protocol):
    """What packages themselves say about their licence, read out of their files."""

    def of_wheel(self, file: Path) -> tuple[str, Sequence[str]] | None:
        """METADATA of a wheel and its licence files; None where the file cannot be read as a wheel."""
        ...

    def of_deb(self, file: Path, package: str) -> tuple[str | None, str | None]:
        """A package's copyright file, or else the package whose file it is a link to; neither where it has none."""
        ...


class ForeignComparer(Protocol):
    """A program that understands more file formats than we do."""

    def explain(self, first: Path, second: Path) -> str | None:
        """What differs between two files, shortened; None where it is not installed or has nothing to say."""
        ...


class OpenedKey(Protocol):
    """A private key that is open for signing."""

    @property
    def keyid(self) -> str: ...

    @property
    def seed(self) -> bytes:
        """The 32 secret bytes of an Ed25519 key.

        Raises:
            SigningKeyError: a key of another kind.
        """
        ...

    def sign(self, message: bytes) -> bytes: ...


class KeyStore(Protocol):
    def known(self) -> list[SigningKey]:
        """All keys, by name."""
        ...

    def create(self, name: str, algorithm: Algorithm, passphrase: bytes | None, created: str) -> SigningKey:
        """
        Raises:
            SigningKeyError: the name is taken or none that a key can have.
        """
        ...

    def update(self, key: SigningKey) -> None:
        """Write what is known of a key, but not its secret."""
        ...

    def open(self, key: SigningKey, passphrase: bytes | None) -> OpenedKey:
        """
        Raises:
            SigningKeyError: a wrong passphrase, a damaged file, or one that others can read.
        """
        ...
