"""Put down what a build was and what it took: outside the outputs, since all of this varies."""

from __future__ import annotations

import datetime
import json
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from reprobuild import __version__
from reprobuild.core.build_state import BuildState, BuildStatus
from reprobuild.core.build_tree import BuildTree
from reprobuild.core.off_plan import off_plan
from reprobuild.domain.digest import Digest
from reprobuild.domain.record import BuildRecord, OutputRecord, Revision
from reprobuild.domain.store import Derivation, Instantiation, PathInfo
from reprobuild.ports import HostFacts, Store
from reprobuild.services.artifact import read_artifact
from reprobuild.services.project import Project


@dataclass(frozen=True)
class Moment:
    """One moment on the wall clock (UTC) and on the clock that build events are timed by."""

    wall: datetime.datetime
    clock_s: float

    @classmethod
    def now(cls) -> Moment:
        return cls(datetime.datetime.now(datetime.UTC), time.monotonic())

    def text(self, clock_s: float | None = None) -> str:
        """ISO 8601 of this moment, or of another one on the same clock."""
        shift = datetime.timedelta(seconds=0 if clock_s is None else clock_s - self.clock_s)
        return (self.wall + shift).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def make_record(
    project: Project,
    found: Instantiation,
    tree: BuildTree,
    begun: Moment,
    *,
    status: Literal["built", "failed", "interrupted"],
    store: Store,
    host: HostFacts,
    log_file: Callable[[str], Path | None],
    elsewhere: Mapping[str, PathInfo] = {},
    revision: Revision | None = None,
) -> BuildRecord:
    """The record of a build that has just ended, well or not.

    Args:
        elsewhere: store path → what other machines' stores say of it.
        revision: None: the project is in no git repository.
    """
    named = {**found.stages, "model": found.model}
    valid = store.present([drv.out_path for drv in named.values()])
    built_model = read_artifact(Path(found.model.out_path)) if found.model.out_path in valid else None
    spec = project.spec.model_dump(mode="json", by_alias=True, exclude_none=True)
    labelled = {drv.drv_path for drv in named.values()}

    def output(label: str, drv: Derivation) -> OutputRecord:
        info = store.info(drv.out_path) if drv.out_path in valid else elsewhere.get(drv.out_path)
        state = tree.builds.get(drv.drv_path)
        measured = _measured(state, begun, log_file(drv.drv_path)) if state else {}
        stage = project.spec.stages.get(label)
        return OutputRecord(
            label=label,
            drv_path=drv.drv_path,
            out_path=drv.out_path,
            nar_hash=info.nar_hash if info else None,
            nar_size_bytes=info.nar_size_bytes if info else None,
            status=_status(state, valid=info is not None),
            off_plan=off_plan(stage.resources if stage else None, measured),
            **measured,
        )

    return BuildRecord(
        model=project.spec.model.name,
        version=project.spec.model.version,
        artifact_id=built_model.artifact_id if built_model else None,
        project=str(project.path),
        spec_digest=Digest.of_bytes(json.dumps(spec, sort_keys=True, ensure_ascii=False).encode()),
        lock_digest=Digest.of_bytes(project.lock_path.read_bytes()),
        overrides=project.overrides,
        spec=spec,
        started=begun.text(),
        finished=Moment.now().text(),
        status=status,
        reprobuild_version=__version__,
        host=host.document(),
        outputs=tuple(output(label, drv) for label, drv in named.items()),
        built_others=sum(state.drv_path not in labelled for state in tree.with_status(BuildStatus.DONE)),
        commit=revision.commit if revision else None,
        dirty=revision.dirty if revision else None,
        files={file["path"]: Digest(file["sha256"]) for file in built_model.files} if built_model else None,
    )


def _status(
    state: BuildState | None, *, valid: bool
) -> Literal["built", "reused", "failed", "stopped", "not-built"]:
    """What became of an output: the store decides whether it is there, the events say what was tried."""
    ran = state is not None and state.started_s is not None
    if valid:
        return "built" if ran else "reused"
    if state is None or not ran:
        return "not-built"
    return "failed" if state.status is BuildStatus.FAILED else "stopped"


def _measured(state: BuildState, begun: Moment, log: Path | None) -> dict[str, Any]:
    if state.started_s is None or state.finished_s is None:
        return {}
    resources = state.resources or {}
    return {
        "started": begun.text(state.started_s),
        "duration_s": round(state.finished_s - state.started_s, 3),
        "cpu_s": resources.get("cpu_s"),
        "peak_memory_bytes": resources.get("peak_memory_bytes"),
        "loader_s": resources.get("loader_s"),
        "log_digest": state.log_digest,
        "log_path": str(log) if log else None,
        "builder": state.machine,
        "host": state.host,
        "numerics": state.numerics,
        "hardware": state.hardware,
    }
