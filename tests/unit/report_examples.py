"""A report on a small artifact: with everything that can be known of it, or with nothing but the artifact."""

from __future__ import annotations

from pathlib import Path

from reprobuild.core.risks import SignedStatement
from reprobuild.core.sbom.advisories import judge, parse_advisory
from reprobuild.domain.difference import (
    ComparedSide,
    Difference,
    Interval,
    Meaning,
    MetricChange,
    ValueChange,
)
from reprobuild.domain.record import OffPlan, OutputRecord
from reprobuild.domain.verdict import LevelVerdict, Verdict
from reprobuild.services.artifact import read_artifact
from reprobuild.services.report import Change, Report
from reprobuild.services.signatures import Signatures

from .artifact_examples import write_artifact
from .sbom_examples import bill

ARTIFACT_ID = "digits-1.0.0-abc"
VERDICT = Verdict(
    artifact_id=ARTIFACT_ID,
    against=None,
    demanded="same bytes",
    levels=tuple(
        LevelVerdict(level=level, holds=True, reason="every stage has the same bytes")
        for level in ("same inputs", "same bytes", "same weights", "same behaviour")
    ),
    stages=(),
)
SIDE = ComparedSide(
    named="record 1.json", kind="record", model="digits 0.9.0", artifact_id="digits-0.9.0-xyz"
)
LR = ValueChange(name="stages.train.params.lr", state="changed", first=0.1, second=0.2)
DIFFERENCE = Difference(
    first=SIDE,
    second=SIDE.model_copy(update={"kind": "result", "model": "digits 1.0.0", "artifact_id": ARTIFACT_ID}),
    same=False,
    meaning=Meaning(
        metrics=(
            MetricChange(
                name="accuracy",
                first=0.9,
                second=0.975,
                delta=0.075,
                interval=Interval(low=0.07, high=0.08, runs=10),
            ),
        ),
        parameters=(LR,),
        spec=tuple(LR.model_copy(update={"name": f"key{number}"}) for number in range(30)),
    ),
    not_compared=("packages: <unknown>",),
)
RUN = OutputRecord(
    label="train",
    drv_path="/nix/store/a.drv",
    out_path="/nix/store/a",
    status="built",
    duration_s=61.5,
    cpu_s=110.0,
    peak_memory_bytes=2_000_000_000,
    off_plan=(OffPlan(key="time_s", planned=30, measured=61.5),),
    host={"cpu_model": "A processor", "kernel": "6.1"},
    numerics={"torch": "2.13.0", "cpu_capability": "AVX2", "threads": 2},
)
_ADVISORY = {
    "id": "TEST-1",
    "summary": "overflow in a parser",
    "affected": [
        {
            "package": {"ecosystem": "PyPI", "name": "mpmath"},
            "ranges": [{"type": "ECOSYSTEM", "events": [{"introduced": "0"}, {"fixed": "1.4.0"}]}],
        }
    ],
}


def report(folder: Path, *, full: bool) -> Report:
    made = bill()
    advisory = parse_advisory(_ADVISORY)
    assert advisory is not None
    statement = SignedStatement("urn:reprobuild:artifact:1", ("alice", "bob"), True)
    given = {
        "artifact": read_artifact(write_artifact(folder)),
        "bill": made,
        "verdict": VERDICT if full else None,
        "runs": (RUN,) if full else (),
        "signatures": Signatures((statement,), file=folder / "statements") if full else Signatures(),
        "change": Change(DIFFERENCE) if full else Change(problem="there is none"),
        "why": "a better learning rate" if full else "",
        "judged": judge(made, [advisory]) if full else None,
        "origins": {"manifest.json": "sha256-AAAA"},
    }
    return Report(**given)  # type: ignore[arg-type]
