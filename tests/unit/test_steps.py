"""Stages on several machines are built in steps, and hand on what the next step reads."""

from __future__ import annotations

from reprobuild.core.spec_parse import parse_spec, parse_toml
from reprobuild.core.steps import in_steps
from reprobuild.domain.machine import Machine
from reprobuild.domain.store import Derivation

from .spec_examples import SPEC

HERE = Machine("", ("x86_64-linux",))
GPU = Machine("ssh-ng://gpu", ("x86_64-linux",), mandatory=frozenset({"cuda"}))
SPEC_ = parse_spec(parse_toml(SPEC))
STAGES = {name: Derivation(f"{name}.drv", f"/{name}") for name in ("prepare", "train")}
MODEL = {"model": Derivation("model.drv", "/model")}


def test_consecutive_stages_of_one_machine_are_one_step() -> None:
    placed = dict.fromkeys(STAGES, GPU)
    (step,) = in_steps(SPEC_, STAGES, MODEL, placed, last=GPU)
    assert list(step.targets) == ["prepare", "train", "model"] and not step.hand_on


def test_outputs_move_on_to_the_machine_that_reads_them() -> None:
    placed = {"prepare": HERE, "train": GPU}
    first, second, third = in_steps(SPEC_, STAGES, MODEL, placed, last=HERE)
    assert (first.machine, second.machine, third.machine) == (HERE, GPU, HERE)
    assert "/prepare" in first.hand_on
    assert second.hand_on == {"/train"} and not third.hand_on


def test_nothing_to_build_is_no_step() -> None:
    assert in_steps(SPEC_, {}, {}, {}, last=HERE) == ()
