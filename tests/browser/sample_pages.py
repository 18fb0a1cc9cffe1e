"""One page of each kind, with something in every section."""

from __future__ import annotations

from pathlib import Path

from tests.unit.report_examples import DIFFERENCE, VERDICT, report

from reprobuild.cli.page.diff import diff_page
from reprobuild.cli.page.report import report_page
from reprobuild.cli.page.verdict import verdict_page
from reprobuild.domain.difference import (
    DerivationDifference,
    Difference,
    ValueChange,
)
from reprobuild.domain.verdict import GoldenVerdict, StageVerdict, Verdict

PACKAGES = tuple(f"digits-wheel-part-{number}" for number in range(60))


def _derivation(*path: str, own: bool = False, inputs: tuple[str, ...] = ()) -> DerivationDifference:
    change = ValueChange(name="reprobuildStage.params.lr", state="changed", first=0.1, second=0.2)
    return DerivationDifference(
        name=path[-1],
        first_drv_path=f"/nix/store/{'a' * 32}-{path[-1]}.drv",
        second_drv_path=f"/nix/store/{'b' * 32}-{path[-1]}.drv",
        path=path,
        own=(change,) if own else (),
        inputs=inputs,
        inputs_added=("digits-wheel-new",) if path[-1] == "digits-environment" else (),
        inputs_removed=("digits-wheel-old",) if path[-1] == "digits-environment" else (),
    )


def _large_difference() -> Difference:
    """As between two models on other wheels of CUDA: sixty derivations below one."""
    top = ("model", "digits-train", "digits-environment")
    cause = (
        _derivation("model", inputs=("digits-train",)),
        _derivation("model", "digits-train", own=True, inputs=("digits-environment",)),
        _derivation(*top, inputs=PACKAGES),
        *(_derivation(*top, name, own=True) for name in PACKAGES),
    )
    long = DIFFERENCE.first.model_copy(update={"named": "/a-folder-with-a-long-name" * 12})
    return DIFFERENCE.model_copy(update={"first": long, "cause": cause, "not_compared": ("x" * 300,)})


def _differing_verdict() -> Verdict:
    return VERDICT.model_copy(
        update={
            "levels": tuple(one.model_copy(update={"holds": False}) for one in VERDICT.levels),
            "stages": (
                StageVerdict(
                    label="train",
                    drv_path=f"/nix/store/{'a' * 32}-digits-train.drv",
                    out_path=f"/nix/store/{'b' * 32}-digits-train",
                    rounds=2,
                    equal=1,
                    verdict="differs",
                    reason="weights.safetensors differs",
                ),
            ),
            "golden": (
                GoldenVerdict(
                    label="evaluate", tensor="output.scores", verdict="not close", explanation="by 0.2"
                ),
            ),
        }
    )


def write_pages(folder: Path) -> dict[str, Path]:
    """Name → file."""
    pages = {
        "report": report_page(report(folder / "full", full=True)),
        "bare-report": report_page(report(folder / "bare", full=False)),
        "verdict": verdict_page(_differing_verdict()),
        "diff": diff_page(_large_difference()),
    }
    found = {}
    for name, text in pages.items():
        found[name] = folder / f"{name}.html"
        found[name].write_text(text, encoding="utf-8")
    return found
