"""The front matter of a card: what the hub needs to know, out of the spec and the lock."""

from __future__ import annotations

from typing import Any

import pytest
import yaml

from reprobuild_worker.card import model_card

SPEC: dict[str, Any] = {
    "model": {"name": "digits", "version": "1.0.0", "license": "MIT"},
    "metrics": {"accuracy": {"stage": "train"}},
}


def front(spec: dict[str, Any], *wheels: str) -> dict[str, Any]:
    sources = [{"kind": "tool", "name": "torch"}, *({"kind": "wheel", "name": name} for name in wheels)]
    text = model_card({**SPEC, **spec}, {"accuracy": 0.5}, ["README.md"], {"sources": sources})
    found: dict[str, Any] = yaml.safe_load(text.split("---\n")[1])
    return found


def task_of(found: dict[str, Any]) -> str:
    task: str = found["model-index"][0]["results"][0]["task"]["type"]
    return task


def test_the_task_is_the_pipeline_and_that_of_the_results() -> None:
    found = front({"model": {**SPEC["model"], "task": "image-classification"}})
    assert (found["pipeline_tag"], task_of(found)) == ("image-classification", "image-classification")


def test_without_a_task_there_is_no_pipeline() -> None:
    found = front({})
    assert ("pipeline_tag" in found, task_of(found)) == (False, "other")


@pytest.mark.parametrize(
    ("requirements", "wheels", "library"),
    [
        (["numpy", "torch==2.13.0"], [], "pytorch"),
        (["scikit_learn>=1"], ["scikit-learn", "torch"], "sklearn"),
        ([], ["numpy", "torch"], "pytorch"),
        (["numpy"], ["numpy", "scikit-learn"], "sklearn"),
        (["torchvision-like"], ["numpy"], None),
        ([], [], None),
    ],
)
def test_the_library_is_the_one_asked_for_else_the_one_locked(
    requirements: list[str], wheels: list[str], library: str | None
) -> None:
    found = front({"python": {"requirements": requirements}}, *wheels)
    assert found.get("library_name") == library
