"""`--set` changes declared keys, and gives what an edit of the file would give."""

from __future__ import annotations

import tomllib
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from reprobuild.core.overrides import merged, parse_overrides
from reprobuild.core.spec_parse import parse_spec, parse_toml
from reprobuild.errors import OverrideError, ReprobuildError

from .spec_examples import SPEC, edited

DOCUMENT = tomllib.loads(SPEC)


def tree(*assignments: str) -> dict[str, Any]:
    return parse_overrides(assignments, DOCUMENT)


def refused(assignment: str) -> OverrideError:
    with pytest.raises(OverrideError) as caught:
        tree(assignment)
    return caught.value


@pytest.mark.parametrize(
    ("assignment", "before", "after"),
    [
        ("train.params.lr=0.01", "lr = 0.1", "lr = 0.01"),
        ("stages.train.params.lr=0.01", "lr = 0.1", "lr = 0.01"),
        (" train.params.lr = 0.01 ", "lr = 0.1", "lr = 0.01"),
        ("train.params.lr=1", "lr = 0.1", "lr = 1.0"),
        ("train.params.lr=1e-7", "lr = 0.1", "lr = 1e-7"),
        ("train.params.lr=0.1234567891234567", "lr = 0.1", "lr = 0.1234567891234567"),
        ("train.params.epochs=5", "epochs = 3", "epochs = 5"),
        ("train.params.name=sgd", '"adam"', '"sgd"'),
        ('train.params.name="sgd"', '"adam"', '"sgd"'),
        ("train.params.name=1e3", '"adam"', '"1e3"'),
        ("train.params.name=a=b", '"adam"', '"a=b"'),
        ("train.params.betas=[0.5]", "[0.9, 0.99]", "[0.5]"),
        ("train.params.nesterov=true", "nesterov = false", "nesterov = true"),
        ("model.version=2", '"1.0.0"', '"2"'),
        ("model.version=2026-11-20", '"1.0.0"', '"2026-11-20"'),
        ("datasets.rows.retrieved=2026-11-21", '"2026-11-20"', '"2026-11-21"'),
        ("metrics.accuracy.minimum=1", "minimum = 0.5", "minimum = 1.0"),
        (
            "metrics.accuracy.tolerance.absolute=0.1",
            'owner = "me"',
            'owner = "me"\ntolerance.absolute = 0.1',
        ),
        ("numerics.seed=7", "[artifact]", "[numerics]\nseed = 7\n\n[artifact]"),
        ("base.suite=trixie", "[artifact]", '[base]\nsuite = "trixie"\n\n[artifact]'),
        (
            "base.snapshot=20261120T000000Z",
            "[artifact]",
            '[base]\nsnapshot = "20261120T000000Z"\n\n[artifact]',
        ),
        ("stages.train.run=other.py", '"train.py"', '"other.py"'),
        ('train.files=["a.py"]', 'run = "train.py"', 'run = "train.py"\nfiles = ["a.py"]'),
    ],
)
def test_it_gives_what_an_edit_of_the_file_gives(assignment: str, before: str, after: str) -> None:
    by_edit = parse_spec(parse_toml(edited(before, after)))
    by_set = parse_spec(merged(DOCUMENT, tree(assignment)))
    assert by_set.model_dump_json() == by_edit.model_dump_json()


def test_several_are_laid_over_together_and_the_last_one_wins() -> None:
    found = tree("train.params.lr=1", "numerics.seed=1", "train.params.epochs=2", "train.params.lr=0.5")
    assert found == {"stages": {"train": {"params": {"lr": 0.5, "epochs": 2}}}, "numerics": {"seed": 1}}


def test_the_document_itself_stays_as_it_is() -> None:
    merged(DOCUMENT, tree("train.params.lr=1"))
    assert tomllib.loads(SPEC) == DOCUMENT


def test_quoted_keys_may_hold_dots() -> None:
    document = tomllib.loads(SPEC.replace("metrics.accuracy", 'metrics."top.5"'))
    assert parse_overrides(['metrics."top.5".minimum=0.25'], document) == {
        "metrics": {"top.5": {"minimum": 0.25}}
    }


def test_a_section_of_the_format_comes_before_a_stage_of_the_same_name() -> None:
    document = tomllib.loads(SPEC.replace("stages.train", "stages.numerics"))
    assert parse_overrides(["numerics.seed=1"], document) == {"numerics": {"seed": 1}}


@pytest.mark.parametrize(
    ("assignment", "message", "hint"),
    [
        ("train.params.lrr=1", "the spec declares no key stages.train.params.lrr", "did you mean `lr`?"),
        ("trian.params.lr=1", "the spec declares no key trian", "did you mean `train`?"),
        ("numerics.sed=1", "the spec declares no key numerics.sed", "did you mean `seed`?"),
        ("metrics.acuracy.minimum=1", "the spec declares no key metrics.acuracy", "did you mean `accuracy`?"),
        (
            "datasets.new.path=x",
            "the spec declares no key datasets.new",
            "declare it in reprobuild.toml first",
        ),
        (
            "prepare.params.x=1",
            "the spec declares no key stages.prepare.params.x",
            "declare it in reprobuild.toml first",
        ),
        ("train.params=1", "stages.train.params is a section", "name one of its keys"),
        ("prepare.params={x = 1}", "stages.prepare.params is a section", "name one of its keys"),
        ("numerics={seed = 1}", "numerics is a section", "name one of its keys"),
        (
            "train.params.lr.x=1",
            "stages.train.params.lr has no keys below it",
            "set stages.train.params.lr itself",
        ),
        ("lr", "not KEY=VALUE", None),
        ("=1", "not KEY=VALUE", None),
        ("a b=1", "not KEY=VALUE", None),
        ("a\nb=1", "not KEY=VALUE", None),
        ("train.params.lr=fast", "value of another type than the declared one", None),
        ("train.params.epochs=2.5", "value of another type than the declared one", None),
        ("train.params.epochs=true", "value of another type than the declared one", None),
        ("train.params.nesterov=1", "value of another type than the declared one", None),
        ("train.params.betas=0.5", "value of another type than the declared one", None),
        ("train.params.name=[1]", "value of another type than the declared one", None),
        ("train.params.lr=nan", "not a finite number", None),
        ("train.params.epochs=9223372036854775808", "number does not fit 64 bits", None),
        ("model.description=a\x00b", "control character in a text", None),
    ],
)
def test_what_is_not_declared_or_does_not_fit_is_refused(
    assignment: str, message: str, hint: str | None
) -> None:
    error = refused(assignment)
    assert error.message == f"--set {assignment}: {message}"
    assert error.hint == hint
    assert error.expected


def test_both_types_are_named() -> None:
    error = refused("train.params.epochs=2.5")
    assert (error.expected, error.expected_from) == ("a whole number, such as 3", "reprobuild.toml")
    assert error.actual == "2.5 (a number)"


@given(st.text(max_size=20), st.text(max_size=20))
@settings(max_examples=200, deadline=None)
def test_any_text_is_taken_or_refused_in_words(key: str, value: str) -> None:
    for assignment in (f"{key}={value}", f"train.params.lr={value}", f"train.params.name={value}"):
        try:
            tree(assignment)
        except ReprobuildError as error:
            assert error.message.startswith("--set ")


@pytest.mark.parametrize(
    "assignment",
    [
        "datasets.rows.ulr=https://me:hunter2@example.org/",
        "train.params.epochs=https://example.org/?key=hunter2",
        "https://me:hunter2@example.org/",
    ],
)
def test_no_message_shows_a_secret(assignment: str) -> None:
    error = refused(assignment)
    assert "hunter2" not in f"{error.document()}"
    assert "example.org/" in error.message
