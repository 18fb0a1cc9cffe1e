"""Build one finished derivation again in a clean sandbox, and compare the bytes."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from reprobuild.core.build_failure import failure
from reprobuild.core.build_tree import BuildTree
from reprobuild.domain.comparison import Origin, StageComparison
from reprobuild.domain.store import Derivation
from reprobuild.domain.verdict import StageVerdict
from reprobuild.errors import (
    EXIT_NOT_DETERMINISTIC,
    BuildFailedError,
    BuildTimeoutError,
    InterruptedBuildError,
)
from reprobuild.ports import Builder, ForeignComparer, Store
from reprobuild.services.build import NewView
from reprobuild.services.compare import compare_trees
from reprobuild.services.watched import realise_watched


@dataclass(frozen=True)
class Rebuilder:
    builder: Builder
    store: Store
    new_view: NewView
    log_file: Callable[[str], Path | None]
    foreign: ForeignComparer | None = None  # asked about differing files of formats that we do not read
    machine: str = ""  # that rebuilds; empty: this one

    def judge(self, label: str, drv: Derivation, rounds: int, origin: Origin | None) -> StageVerdict:
        """Rebuild so many times and compare each time; the first difference is looked into.

        Args:
            drv: its output is in the store.
            origin: of the first build, where a record knows it.
        Raises:
            ReprobuildError: Nix could not try, for a reason that is not the stage's.
        """
        equal, differing, comparison, copy, reason = 0, 0, None, None, None
        for _ in range(rounds):
            status, tree = self._run([drv.drv_path], {drv.drv_path: label}, check=True)
            if status == 0 and _ran(tree, drv.drv_path):
                equal += 1
            elif status == 0:
                reason = reason or "Nix ended well, but said of no build that it ran: nothing was compared"
            elif _differs(status, tree, drv.drv_path):
                differing += 1
                kept = self.builder.kept_output(drv.out_path)
                found = self._compare(label, drv, kept, origin, tree) if kept else None
                # Nix overwrites the kept output; the round that says most is copied: one with other tensors
                if kept and found and (comparison is None or (found.tensors and not comparison.tensors)):
                    comparison, copy = found, self.store.add(kept)
            else:
                reason = reason or self._reason(status, tree)
        return StageVerdict(
            label=label,
            drv_path=drv.drv_path,
            out_path=drv.out_path,
            rounds=rounds,
            equal=equal,
            verdict="same bytes" if equal == rounds else "differs" if differing else "failed",
            builder=self.machine,
            reason=reason,
            differing_path=copy,
            comparison=comparison,
        )

    def realise(self, drvs: Sequence[Derivation], labels: dict[str, str]) -> str | None:
        """Build derivations, as far as they go; why one failed, if so."""
        drv_paths = [drv.drv_path for drv in drvs]
        status, tree = self._run(drv_paths, labels, check=False)
        return None if status == 0 else self._reason(status, tree)

    def compare(self, label: str, first: Path, second: Path, *origins: Origin | None) -> StageComparison:
        """Where two outputs differ, and why; `origins` of both, if anything is known of them."""
        one, other = origins or (None, None)
        return compare_trees(
            label, first, second, first_origin=one, second_origin=other, foreign=self.foreign
        )

    def _run(self, drv_paths: Sequence[str], labels: dict[str, str], *, check: bool) -> tuple[int, BuildTree]:
        tree = BuildTree(drv_paths, labels)
        view = self.new_view({})
        try:
            status = realise_watched(self.builder, drv_paths, tree, view, check=check, keep_going=not check)
        except KeyboardInterrupt:
            which = ", ".join(labels.values())
            raise InterruptedBuildError(f"rebuild of {which} interrupted; nothing was changed") from None
        return status, tree

    def _reason(self, status: int, tree: BuildTree) -> str:
        problem = failure(status, tree, self.log_file)
        if not isinstance(problem, BuildFailedError | BuildTimeoutError):
            raise problem
        return "\n".join([problem.message, *problem.details])

    def _compare(
        self, label: str, drv: Derivation, kept: Path, origin: Origin | None, tree: BuildTree
    ) -> StageComparison:
        state = tree.builds.get(drv.drv_path)
        second = (
            Origin(host=state.host, numerics=state.numerics, hardware=state.hardware) if state else Origin()
        )
        return self.compare(label, Path(drv.out_path), kept, origin, second)


def _ran(tree: BuildTree, drv_path: str) -> bool:
    state = tree.builds.get(drv_path)
    return state is not None and state.started_s is not None


def _differs(status: int, tree: BuildTree, drv_path: str) -> bool:
    """Whether Nix says so, and not a stage's own last lines, which stand in Nix's messages too."""
    said = f"derivation '{drv_path}' may not be deterministic"
    return status == EXIT_NOT_DETERMINISTIC or any(said in message.text for message in tree.errors)
