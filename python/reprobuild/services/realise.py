"""Run Nix for a service, and put down how it went, however it ends."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from reprobuild.core.build_failure import failure
from reprobuild.core.build_state import BuildStatus
from reprobuild.core.build_tree import BuildTree
from reprobuild.domain.record import BuildRecord, Revision
from reprobuild.domain.store import Instantiation, PathInfo
from reprobuild.errors import InterruptedBuildError, ReprobuildError
from reprobuild.ports import Builder, BuildView, HostFacts, RecordStore, Store
from reprobuild.services.build_record import Moment, make_record
from reprobuild.services.project import Project
from reprobuild.services.watched import realise_watched


@dataclass(frozen=True)
class Realised:
    """A run that has ended.

    Args:
        stopped: what ended it before Nix could say how it went: Ctrl-C, or another machine that went away.
    """

    tree: BuildTree
    begun: Moment
    status: int
    stopped: ReprobuildError | None

    @property
    def outcome(self) -> Literal["built", "failed", "interrupted"]:
        if isinstance(self.stopped, InterruptedBuildError):
            return "interrupted"
        return "built" if self.status == 0 else "failed"


@dataclass(frozen=True)
class Realiser:
    store: Store
    host: HostFacts
    records: RecordStore
    log_file: Callable[[str], Path | None]
    revision: Callable[[Project], Revision | None]

    def run(
        self,
        builder: Builder,
        drv_paths: Sequence[str],
        tree: BuildTree,
        view: BuildView,
        *,
        interrupted: InterruptedBuildError,
        jobs: int | None = None,
        keep_going: bool = False,
        caches: Sequence[str] = (),
    ) -> Realised:
        """Build and wait; never raises for what a build or a machine did.

        Args:
            interrupted: the error that Ctrl-C becomes.
        """
        begun, status = Moment.now(), 1
        stopped: ReprobuildError | None = None
        try:
            status = realise_watched(
                builder, drv_paths, tree, view, jobs=jobs, keep_going=keep_going, caches=caches
            )
        except KeyboardInterrupt:
            stopped = interrupted
        except ReprobuildError as problem:
            stopped = problem
        return Realised(tree, begun, status, stopped)

    def record(
        self,
        realised: Realised,
        project: Project,
        found: Instantiation,
        elsewhere: Mapping[str, PathInfo] = {},
    ) -> tuple[Path, BuildRecord]:
        """Write the record of a run, and keep the lock that it names; returns its place too.

        Args:
            elsewhere: store path → what other machines' stores say of it.
        """
        record = make_record(
            project,
            found,
            realised.tree,
            realised.begun,
            status=realised.outcome,
            store=self.store,
            host=self.host,
            log_file=self.log_file,
            elsewhere=elsewhere,
            revision=self.revision(project),
        )
        self.records.keep_lock(project.lock_path.read_bytes())
        return self.records.write(record), record

    def built(self, realised: Realised, title: str) -> tuple[str, ...]:
        """Labels (or names) of what was built.

        Args:
            title: name and version of the model, for the message.
        Raises:
            BuildFailedError, InterruptedBuildError and others: the run did not go well.
        """
        if realised.stopped is not None:
            raise realised.stopped
        if realised.status != 0:
            raise failure(realised.status, realised.tree, self.log_file, title)
        return tuple(state.label or state.name for state in realised.tree.with_status(BuildStatus.DONE))
