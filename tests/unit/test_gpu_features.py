"""Sections about GPUs reach the stages that run on one, and no other."""

from __future__ import annotations

import pytest

from reprobuild.core.gpu_features import required_features
from reprobuild.core.spec_parse import parse_spec, parse_toml
from reprobuild.domain.machine import Machine
from reprobuild.errors import SpecError

from .spec_examples import edited, on_gpu, with_section


def test_only_stages_on_the_gpu_ask_for_one() -> None:
    spec = parse_spec(parse_toml(on_gpu('compute_capability = "9.0"\n[driver]\nminimum = "580.65.06"')))
    assert required_features(spec, "train") == ("cuda", "cuda-sm-90", "nvidia-driver-580")
    assert required_features(spec, "prepare") == ()


@pytest.mark.parametrize(
    ("text", "both"),
    [
        (
            edited('run = "train.py"', 'run = "train.py"\ngpu = true'),
            ("stages.train.gpu = true", "[hardware]"),
        ),
        (with_section('[cuda]\ntoolkit = "13.0"'), ("[cuda]", "[hardware]")),
        (with_section('[hardware]\ngpu = "h100"'), ("hardware.gpu", "[hardware]")),
        (
            edited('run = "train.py"', 'run = "train.py"\nfeatures = ["kvm", "gpu-h100"]'),
            ('stages.train.features = ["gpu-h100"]', "gpu = false"),
        ),
        (with_section('[hardware]\naccelerator = "nvidia"'), ("gpu = true", "hardware.accelerator")),
    ],
)
def test_a_refusal_names_both_lines_that_disagree(text: str, both: tuple[str, str]) -> None:
    with pytest.raises(SpecError) as caught:
        parse_spec(parse_toml(text))
    shown = str(caught.value.document())
    assert all(line in shown for line in both)


def test_a_machine_takes_what_nix_would_give_it() -> None:
    machine = Machine(
        "ssh-ng://root@gpu1", ("x86_64-linux",), frozenset({"cuda-sm-90", "kvm"}), frozenset({"cuda"})
    )
    assert machine.name == "gpu1"
    assert machine.takes("x86_64-linux", ["cuda", "cuda-sm-90"])
    assert not machine.takes("x86_64-linux", ["cuda", "cuda-sm-80"])
    assert not machine.takes("aarch64-linux", ["cuda"])
    assert not machine.takes("x86_64-linux", [])  # what does not ask for the mandatory feature stays off it
