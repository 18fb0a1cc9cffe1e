"""Build on another machine: send what it lacks, watch, and bring back what is wanted."""

from __future__ import annotations

import contextlib
import dataclasses
import tempfile
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from reprobuild.core.drv_graph import Node, out_paths, read_graph
from reprobuild.core.transfer import Transfer, plan_transfer
from reprobuild.domain.build_event import BuildStarted, Event, Level, LogLine, Message
from reprobuild.domain.drv import DrvFile
from reprobuild.domain.store import PathInfo
from reprobuild.errors import EXIT_NOT_DETERMINISTIC, ReprobuildError
from reprobuild.ports import BuildMachine, Store

KeepLog = Callable[[str, str], None]  # derivation path, line


@dataclass
class RemoteBuilder:
    """Implements ports.Builder on one other machine.

    Args:
        read_drv: a derivation's file, by its store path.
        fetch: brings sources, by their store paths, into the store here.
        source_bytes: store path → size of each source that `fetch` can bring.
        keep_log: told every line of every build there: Nix keeps the log on the other side only.
        bring: store paths to copy back once they are built.
        keep: name → store path that stays there, kept from its garbage collector.
    """

    machine: BuildMachine
    store: Store
    read_drv: Callable[[str], DrvFile]
    fetch: Callable[[Collection[str]], None]
    source_bytes: Mapping[str, int]
    keep_log: KeepLog = lambda drv_path, line: None
    bring: Collection[str] | None = None  # None: all that is asked for
    keep: Mapping[str, str] = field(default_factory=dict)
    infos: dict[str, PathInfo] = field(default_factory=dict)  # what was built or found there, after a run
    _prepared: dict[tuple[str, ...], Transfer] = field(default_factory=dict)
    _kept: dict[str, Path] = field(default_factory=dict)
    _folders: list[tempfile.TemporaryDirectory[str]] = field(default_factory=list)

    def prepare(
        self, drv_paths: Sequence[str], expected: Collection[str] = (), *, check: bool = False
    ) -> Transfer:
        """Find out what it lacks, and get the sources for that: from its own caches, else to here.

        Args:
            expected: outputs that will be here by the time of the build.
            check: it builds these again, whatever it has of them.
        Raises:
            BuilderError, SandboxError, and what fetching raises.
        """
        self.machine.require_sandbox()
        transfer = self._plan(drv_paths, expected, check=check)
        if transfer.sources and self.machine.substitute(transfer.sources):
            transfer = self._plan(drv_paths, expected, check=check)
        self.fetch(transfer.fetch)
        if not expected and not check:
            self._prepared[tuple(drv_paths)] = transfer
        return transfer

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
        """As ports.Builder has it. `caches` are of this machine; the other one has its own.

        Raises:
            BuilderError, DiskFullError, ToolFailedError: what was finished there is kept.
        """

        def hear(event: Event) -> None:
            if isinstance(event, BuildStarted):
                event = dataclasses.replace(event, machine=self.machine.machine.name)
            if isinstance(event, LogLine):
                self.keep_log(event.drv_path, event.text)
            on_event(event)

        prepared = None if check else self._prepared.pop(tuple(drv_paths), None)
        transfer = prepared or self.prepare(drv_paths, check=check)
        self._prepared.clear()
        self.machine.send(drv_paths, hear, derivations=True)
        self.machine.send(transfer.send, hear)
        graph = self._graph(drv_paths)
        outputs = [graph[one].out_path for one in drv_paths]
        if check:
            if not self._same_there(graph[drv_paths[0]], hear):
                return EXIT_NOT_DETERMINISTIC
            status = self.machine.realise(drv_paths, hear, jobs=1, check=True)
            if status != 0:
                self._keep_differing(outputs[0])
            return status
        try:
            status = self._build(transfer, drv_paths, hear, jobs=jobs, keep_going=keep_going)
        except (ReprobuildError, KeyboardInterrupt):
            with contextlib.suppress(ReprobuildError):  # mostly it answers again, or its disk is full
                self._finished(graph, outputs)
            raise
        self._collect(graph, outputs, hear)
        return status

    def _build(
        self,
        transfer: Transfer,
        drv_paths: Sequence[str],
        hear: Callable[[Event], None],
        *,
        jobs: int | None,
        keep_going: bool,
    ) -> int:
        """No more builds at a time than there are: others may use the rest of the machine."""
        if not transfer.build:
            return 0
        most = min(jobs or self.machine.machine.max_jobs, len(transfer.build))
        return self.machine.realise(drv_paths, hear, jobs=most, keep_going=keep_going)

    def kept_output(self, out_path: str) -> Path | None:
        """The output of a rebuild that differs, brought here."""
        return self._kept.get(out_path)

    def _collect(
        self, graph: Mapping[str, Node], outputs: Sequence[str], hear: Callable[[Event], None]
    ) -> None:
        """After a build, well or not: what is finished and wanted comes back, the rest is known by its hash."""
        wanted = set(outputs if self.bring is None else self.bring)
        done = self._finished(graph, sorted({*outputs, *wanted}))
        self.machine.bring(sorted(done & wanted), hear)
        for name, path in self.keep.items():
            if path in done:
                self.machine.keep(name, path)

    def _finished(self, graph: Mapping[str, Node], outputs: Sequence[str]) -> set[str]:
        """Ask for the hashes of what is there of these outputs and of all stages; returns which those are."""
        stages = {node.out_path for node in graph.values() if node.kind == "stage"}
        done = self.machine.present(sorted(stages | {*outputs}))
        self.infos |= self.machine.infos(sorted(done))
        return done

    def _same_there(self, node: Node, hear: Callable[[Event], None]) -> bool:
        """Put the output to check into its store; False where it has another one, built there before."""
        path = node.out_path
        if path not in self.machine.present([path]):
            self.machine.send([path], hear)
            return True
        there = self.machine.infos([path])[path].nar_hash
        if there == self.store.info(path).nar_hash:
            return True
        hear(BuildStarted(0, node.drv_path, ""))
        hear(
            Message(
                Level.ERROR, f"error: derivation '{node.drv_path}' may not be deterministic: built before"
            )
        )
        self._unpack(path, path)
        return False

    def _keep_differing(self, path: str) -> None:
        kept = f"{path}.check"
        self._kept.pop(path, None)
        if self.machine.has_file(kept):
            self._unpack(path, kept)

    def _unpack(self, path: str, kept: str) -> None:
        folder = tempfile.TemporaryDirectory(prefix="reprobuild-rebuilt-")
        self._folders.append(folder)  # gone when the builder is
        self._kept[path] = Path(folder.name) / f"{path.rpartition('/')[2][33:]}.check"
        self.machine.unpack(kept, self._kept[path])

    def _graph(self, drv_paths: Sequence[str]) -> dict[str, Node]:
        return read_graph(drv_paths, self.read_drv)

    def _plan(self, drv_paths: Sequence[str], expected: Collection[str], *, check: bool) -> Transfer:
        graph = self._graph(drv_paths)
        paths = out_paths(graph)
        there = self.machine.present(paths)
        if check:  # its inputs may be gone though the output is there
            there -= {graph[one].out_path for one in drv_paths}
        here = self.store.present([path for path in paths if path not in there])
        sizes = {path: info.nar_size_bytes for path, info in self.store.infos(sorted(here)).items()}
        return plan_transfer(
            graph,
            drv_paths,
            there=there,
            here=dict.fromkeys(expected, 0) | sizes,
            source_bytes=self.source_bytes,
        )
