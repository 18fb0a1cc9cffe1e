"""What speaks against a model is found, and what nobody looked at is never called good."""

from __future__ import annotations

from pathlib import Path

import pytest

from reprobuild.core.risks import (
    SignedStatement,
    licence_risks,
    machine_risks,
    metric_risks,
    signature_risks,
    verdict_risks,
    vulnerability_risks,
)
from reprobuild.core.sbom.advisories import Judgement
from reprobuild.core.spec_parse import parse_spec, parse_toml
from reprobuild.domain.record import OutputRecord
from reprobuild.domain.spec import Spec

from .report_examples import RUN, VERDICT, report
from .sbom_examples import SOURCES, bill
from .spec_examples import SPEC, on_gpu


def spec(text: str = SPEC) -> Spec:
    return parse_spec(parse_toml(text))


H100 = spec(on_gpu('gpu = "h100"\ncompute_capability = "9.0"'))
GPU = {"name": "NVIDIA H100 80GB HBM3", "names": ["h100"], "compute_capability": "9.0"}


def on(measured: dict[str, object] | None, **numerics: object) -> OutputRecord:
    hardware = {"gpus": [measured]} if measured is not None else None
    return RUN.model_copy(update={"hardware": hardware, "numerics": numerics, "off_plan": ()})


@pytest.mark.parametrize(
    ("metrics", "said"),
    [
        ({"accuracy": 0.5}, []),
        ({"accuracy": 0.49}, ["accuracy misses its goal: 0.49"]),
        ({}, ["accuracy was not measured"]),
    ],
)
def test_a_goal_is_met_missed_or_not_measured(metrics: dict[str, float], said: list[str]) -> None:
    found = metric_risks(spec(), metrics)
    assert [one.text for one in found] == said and all(one.known for one in found)


def test_a_metric_without_a_goal_is_no_proof() -> None:
    (found,) = metric_risks(spec(SPEC.replace("minimum = 0.5\n", "")), {"accuracy": 0.1})
    assert (found.known, found.text) == (False, "no metric has a goal")


def test_no_verdict_is_an_open_question_and_a_bad_one_a_finding() -> None:
    (missing,) = verdict_risks(None)
    assert not missing.known and "not verified" in missing.text
    assert verdict_risks(VERDICT) == []
    for holds, known in ((False, True), (None, False)):
        levels = tuple(
            one.model_copy(update={"holds": holds, "reason": "train differs"}) for one in VERDICT.levels
        )
        (found,) = verdict_risks(VERDICT.model_copy(update={"levels": levels}))
        assert (found.known, found.text) == (known, "not the same bytes: train differs")
    (found,) = verdict_risks(VERDICT.model_copy(update={"levels": ()}))
    assert not found.known


@pytest.mark.parametrize(
    ("run", "known", "said"),
    [
        (on(GPU, torch="2.13.0", gpu="H100"), None, ""),
        (on(None), False, "none was measured"),
        (on(GPU | {"names": ["a100"], "name": "A100"}), True, "ran on A100, declared is h100"),
        (on(GPU | {"compute_capability": "8.0"}), True, "no GPU of compute capability 9.0"),
        (on(GPU, torch="2.13.0"), True, "its GPU was not used"),
        (RUN.model_copy(update={"status": "reused"}), False, "no record says where it ran"),
    ],
)
def test_a_stage_ran_on_what_was_declared(run: OutputRecord, known: bool | None, said: str) -> None:
    found = machine_risks(H100, [run])
    assert [one.known for one in found] == ([] if known is None else [known])
    assert all(said in one.text for one in found)


@pytest.mark.parametrize(
    ("driver", "version", "known"),
    [
        ('minimum = "580.65.06"', "580.65.06", None),
        ('minimum = "580.65.06"', "580.9.1", True),
        ('branch = "580"', "580.9.1", None),
        ('branch = "580"', "590.1.1", True),
        ('branch = "580"', None, False),
    ],
)
def test_the_driver_was_the_declared_one(driver: str, version: str | None, known: bool | None) -> None:
    run = RUN.model_copy(
        update={"hardware": {"gpus": [GPU], "driver": {"version": version}}, "numerics": None}
    )
    found = machine_risks(spec(on_gpu(f"\n[driver]\n{driver}")), [run.model_copy(update={"off_plan": ()})])
    assert [one.known for one in found] == ([] if known is None else [known])


def test_a_stage_off_its_plan_is_named_and_no_record_is_an_open_question() -> None:
    (found,) = machine_risks(spec(), [RUN])
    assert (found.known, found.text) == (True, "train: time_s is 61.5, planned 30")
    (found,) = machine_risks(spec(), [])
    assert not found.known


def test_unknown_licences_are_counted() -> None:
    (found,) = licence_risks(bill())
    assert (found.known, found.text) == (False, "2 of 8 parts have no known licence")
    known = tuple(one for one in SOURCES if one.kind in ("data", "wheel") and one.name != "nvidia-cuda-nvrtc")
    with_torch_alone = tuple(one.model_copy(update={"depends": ()}) for one in known)
    assert licence_risks(bill(sources=with_torch_alone)) == []


def test_vulnerabilities_that_nobody_looked_for_are_not_none() -> None:
    (found,) = vulnerability_risks(None)
    assert not found.known
    assert vulnerability_risks(Judgement((), ())) == []
    (found,) = vulnerability_risks(Judgement((), ("X in y",)))
    assert not found.known


def test_signatures_that_nobody_checked_are_not_good_ones() -> None:
    assert [one.known for one in signature_risks((), ())] == [False]
    assert [one.known for one in signature_risks((SignedStatement("t", ("k",), False),), ())] == [False]
    assert signature_risks((SignedStatement("t", ("alice",), True),), ()) == []
    bad = SignedStatement("t", (), True, ("key-unknown: nobody",))
    assert [one.text for one in signature_risks((bad,), ("none covers all files",))] == [
        "key-unknown: nobody",
        "none covers all files",
    ]


def test_a_report_says_what_was_found_first(tmp_path: Path) -> None:
    full = report(tmp_path / "full", full=True)
    assert [one.known for one in full.risks] == [True, True, False]
    bare = {one.area for one in report(tmp_path / "bare", full=False).risks}
    assert bare == {"rebuild", "hardware", "vulnerabilities", "licences", "signatures"}
