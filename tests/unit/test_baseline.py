"""Baselines: which seeds, what is written, what is refused when read back, and when one is stale."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest

from reprobuild.core.baseline import other_seeds, require_same_spec, spec_digest, wanted_runs
from reprobuild.core.spec_parse import parse_spec, parse_toml
from reprobuild.domain.baseline import BASELINE_FILE
from reprobuild.domain.spec import Spec
from reprobuild.domain.store import Derivation, Instantiation
from reprobuild.errors import BaselineError, BuildFailedError, InterruptedBuildError
from reprobuild.services.baseline import BaselineOutcome, BaselineService
from reprobuild.services.baseline_file import read_baseline, require_fresh_baseline
from reprobuild.services.seed_runs import SeedRunBuilder

from .build_fakes import World
from .spec_examples import SPEC, edited

STATISTICAL = "minimum = 0.5\ntolerance = { statistical = { runs = 3, false_alarm_rate = 0.01 } }\n"


class SeededWorld(World):
    """Derivations are told apart by seed; a measuring stage writes a number that depends on it."""

    measured: Mapping[int, Any] = {}
    code = ""  # of the train stage

    def instantiate(
        self,
        project: Path,
        overrides: Mapping[str, Any],
        stage_order: Sequence[str],
        replaced: Mapping[str, str] = {},
    ) -> Instantiation:
        seed = overrides.get("numerics", {}).get("seed", 0)
        found = super().instantiate(project, overrides, stage_order)
        stages = {name: self.drv(f"digits-{name}{self.code}-{seed}") for name in stage_order}
        return dataclasses.replace(found, stages=stages)

    def _with_needs(self, drv_paths: Sequence[str]) -> list[str]:
        names = ["digits-base", "wheel-numpy", "digits-environment"]
        for path in drv_paths:
            name = Derivation(path, "").name
            names += [name.replace(f"train{self.code}", f"prepare{self.code}"), name]
        for name in names:
            if "train" in name:
                out = Path(self.drv(name).out_path)
                out.mkdir(parents=True, exist_ok=True)
                seed = int(name.rpartition("-")[2])
                value = self.measured.get(seed, 0.9 + seed / 100)
                (out / "metrics.json").write_text(json.dumps({"accuracy": value}))
        return names

    def baselines(self) -> BaselineService:
        seed_runs = SeedRunBuilder(
            build=self.service(),
            store=self,
            builder=self,
            host=self,
            records=self,
            fetch=self.fetch,
            log_file=lambda drv_path: None,
        )
        return BaselineService(seed_runs=seed_runs, store=self)

    def measure(self, runs: int | None = 3, *assignments: str) -> BaselineOutcome:
        return self.baselines().run(self.project(*assignments), self.new_view, runs=runs)


@pytest.fixture
def world(tmp_path: Path) -> SeededWorld:
    return SeededWorld(tmp_path)


def spec(text: str = SPEC) -> Spec:
    return parse_spec(parse_toml(text))


def rewrite(world: World, before: str, after: str) -> None:
    file = world.project().path / "reprobuild.toml"
    assert before in file.read_text()
    file.write_text(file.read_text().replace(before, after))


def test_the_models_own_seed_is_never_a_reference() -> None:
    assert other_seeds(0, 3) == (1, 2, 3)
    assert other_seeds(2**32 - 2, 3) == (2**32 - 1, 0, 1)
    assert 7 not in other_seeds(7, 1000)


def test_the_most_demanding_tolerance_says_how_many_runs() -> None:
    assert wanted_runs(spec()) == 10
    assert wanted_runs(spec(edited("minimum = 0.5\n", STATISTICAL))) == 3


def test_the_digest_of_a_spec_leaves_out_the_seed_and_nothing_else() -> None:
    plain = spec_digest(spec())
    assert spec_digest(spec(SPEC + "\n[numerics]\nseed = 5\n")) == plain
    assert spec_digest(spec(SPEC + "\n[numerics]\nthreads = 2\n")) == plain  # the default
    assert spec_digest(spec(SPEC + "\n[numerics]\nthreads = 1\n")) != plain
    assert spec_digest(spec(edited("lr = 0.1", "lr = 0.2"))) != plain


def test_all_runs_are_built_by_one_call_of_nix_and_each_has_its_record(world: SeededWorld) -> None:
    outcome = world.measure()
    [(drv_paths, _)] = world.realised
    assert [Derivation(path, "").name for path in drv_paths] == [f"digits-train-{seed}" for seed in (1, 2, 3)]
    assert outcome.built[:3] == ("base", "wheel-numpy", "environment")
    assert outcome.built[3:] == tuple(
        f"{stage} (seed {seed})" for seed in (1, 2, 3) for stage in ("prepare", "train")
    )
    assert [record.overrides for _, record in world.kept] == [
        {"numerics": {"seed": seed}} for seed in (1, 2, 3)
    ]
    assert sorted(world.roots) == [f"baseline-{seed}-train" for seed in (1, 2, 3)]


def test_the_file_is_canonical_and_the_same_when_made_again(world: SeededWorld) -> None:
    outcome = world.measure()
    text = outcome.path.read_text()
    assert text == json.dumps(json.loads(text), sort_keys=True, indent=2) + "\n"
    accuracy = json.loads(text)["metrics"]["accuracy"]
    assert accuracy["values"] == {"1": 0.91, "2": 0.92, "3": 0.93}
    assert (accuracy["mean"], accuracy["standard_deviation"]) == pytest.approx((0.92, 0.01))
    again = world.measure()
    assert (again.built, again.changed, outcome.changed) == ((), False, True)
    assert (outcome.path.read_text(), len(world.realised), len(world.kept)) == (text, 1, 3)
    assert str(world.folder) not in text.replace(str(world.folder / "store"), "")  # no place of the project


def test_what_was_written_is_read_back_in_the_order_of_the_runs(world: SeededWorld) -> None:
    written = world.measure(12).baseline
    assert read_baseline(world.project()) == written
    assert written.references("accuracy")[:2] == (0.91, 0.92)
    assert written.references("accuracy")[-1] == pytest.approx(1.02)  # 12 after 9, not after 1
    assert written.references("loss") == ()


def test_runs_that_exist_are_not_built_again(world: SeededWorld) -> None:
    world.measure(2)
    outcome = world.measure(3)
    assert outcome.built == ("prepare (seed 3)", "train (seed 3)")


def test_a_failing_run_says_which_and_how_to_look_around_in_it(world: SeededWorld) -> None:
    world.failing["digits-train-2"] = ["diverged"]
    with pytest.raises(BuildFailedError, match=r"stage train \(seed 2\) failed") as caught:
        world.measure()
    assert "nix shell --stage train --set numerics.seed=2`" in (caught.value.hint or "")
    assert not (world.project().path / BASELINE_FILE).exists()
    assert [record.status for _, record in world.kept] == ["failed"] * 3
    assert sorted(world.roots) == ["baseline-1-train"]


def test_an_interrupted_baseline_keeps_what_is_finished(world: SeededWorld) -> None:
    world.interrupt_at = "digits-train-2"
    with pytest.raises(InterruptedBuildError, match="baseline interrupted") as caught:
        world.measure()
    assert caught.value.exit_status == 130
    assert sorted(world.roots) == ["baseline-1-train"]


@pytest.mark.parametrize("value", [float("nan"), float("inf"), "0.9", True, None, 10**400])
def test_what_is_no_finite_number_is_no_measurement(world: SeededWorld, value: Any) -> None:
    world.measured = {2: value}
    with pytest.raises(BaselineError, match="stage train did not measure it with seed 2") as caught:
        world.measure()
    assert caught.value.actual == ("inf" if value == 10**400 else str(value))
    assert not (world.project().path / BASELINE_FILE).exists()


def test_a_model_without_metrics_has_no_baseline(world: SeededWorld) -> None:
    metric = SPEC[SPEC.index("[metrics") : SPEC.index("[artifact]")]
    rewrite(world, metric, "")
    with pytest.raises(BaselineError, match="there are none"):
        world.measure()


def test_a_fresh_baseline_is_taken_and_a_missing_one_named(world: SeededWorld) -> None:
    with pytest.raises(BaselineError, match=f"there is no {BASELINE_FILE}") as caught:
        require_fresh_baseline(world.project(), world.service())
    assert caught.value.hint == "run `reprobuild baseline`"
    written = world.measure().baseline
    assert require_fresh_baseline(world.project(), world.service()) == written


def test_a_change_of_the_spec_other_than_its_seed_makes_it_stale(world: SeededWorld) -> None:
    baseline = world.measure().baseline
    require_same_spec(baseline, world.project("numerics.seed=9").spec)
    with pytest.raises(BaselineError, match="changed otherwise than in its seed") as caught:
        require_fresh_baseline(world.project("train.params.lr=0.2"), world.service())
    assert caught.value.expected != caught.value.actual == baseline.spec_digest
    with pytest.raises(BaselineError, match="own seed is one of its reference runs"):
        require_fresh_baseline(world.project("numerics.seed=2"), world.service())


def test_a_change_of_code_makes_it_stale(world: SeededWorld) -> None:
    world.measure()
    world.code = "-better"
    with pytest.raises(BaselineError, match="what stage train is built from has changed") as caught:
        require_fresh_baseline(world.project(), world.service())
    assert "digits-train-better-1.drv" in (caught.value.expected or "")
    assert "digits-train-1.drv" in (caught.value.actual or "")


@pytest.mark.parametrize(
    ("before", "after", "message"),
    [
        ('"1": 0.91', '"9": 0.91', "values of other seeds"),
        ('"1": 0.91', '"1": NaN', "metrics.accuracy.values.1"),
        ('"reprobuild.baseline/1"', '"reprobuild.baseline/2"', "schema"),
        ("{", "", "Invalid JSON"),
    ],
)
def test_a_damaged_baseline_is_refused(world: SeededWorld, before: str, after: str, message: str) -> None:
    file = world.measure().path
    assert before in file.read_text()
    file.write_text(file.read_text().replace(before, after, 1))
    with pytest.raises(BaselineError, match="is damaged") as caught:
        read_baseline(world.project())
    assert message in (caught.value.actual or "")
