"""A small valid spec, and edits that break it in one place each."""

from __future__ import annotations

SPEC = """\
schema = "reprobuild.spec/1"

[model]
name = "digits"
version = "1.0.0"
description = "reads digits"
license = "MIT"
owners = ["you@example.org"]

[datasets.rows]
path = "rows.csv"
source = "a citation"
license = "CC-BY-4.0"
retrieved = "2026-11-20"

[stages.prepare]
run = "prepare.py"
data = ["rows"]
outputs = ["rows.safetensors"]

[stages.train]
run = "train.py"
needs = ["prepare"]
params = { lr = 0.1, epochs = 3, name = "adam", betas = [0.9, 0.99], nesterov = false }
outputs = ["weights.safetensors", "metrics.json"]

[metrics.accuracy]
stage = "train"
minimum = 0.5
owner = "me"
reason = "half of them by chance"

[artifact]
files = ["train/weights.safetensors"]
"""


def edited(before: str, after: str) -> str:
    """The spec with one place changed; says so when the place is gone."""
    assert SPEC.count(before) == 1, f"{before!r} stands {SPEC.count(before)} times in SPEC"
    return SPEC.replace(before, after)


def with_section(text: str) -> str:
    return f"{SPEC}\n{text}\n"


def on_gpu(text: str) -> str:
    """The spec with its training on a GPU, and further sections."""
    gpu = '[hardware]\naccelerator = "nvidia"'
    with_gpu = edited('run = "train.py"', 'run = "train.py"\ngpu = true')
    return f"{with_gpu}\n{gpu}\n{text}\n"
