"""A valid spec is read as it stands; an odd one is refused with an error of ours, never a crash."""

from __future__ import annotations

import json
import re
import tomllib
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from reprobuild.core.schemas import spec_schema
from reprobuild.core.spec_parse import parse_spec, parse_toml
from reprobuild.errors import ReprobuildError

from .spec_examples import SPEC, edited

TEMPLATES = sorted((Path(__file__).parents[2] / "templates").glob("*/reprobuild.toml"))


def test_there_are_templates() -> None:
    assert [path.parent.name for path in TEMPLATES] == ["pytorch-cuda", "quickstart", "scikit-learn"]


@pytest.mark.parametrize("path", TEMPLATES, ids=lambda path: path.parent.name)
def test_a_template_passes_the_parser_and_the_published_schema(path: Path) -> None:
    document = parse_toml(path.read_text(encoding="utf-8"))
    parse_spec(document)
    jsonschema.Draft202012Validator(spec_schema()).validate(document)


@pytest.mark.parametrize("path", TEMPLATES, ids=lambda path: path.parent.name)
def test_flakes_describe_a_template_by_what_it_is_about(path: Path) -> None:
    about = parse_spec(parse_toml(path.read_text(encoding="utf-8"))).model.name.partition("-")[0]
    own = (path.parent / "flake.nix").read_text(encoding="utf-8")
    ours = (path.parents[2] / "flake.nix").read_text(encoding="utf-8")
    listed = re.search(rf"\b{path.parent.name} = {{.*?}}", ours, re.DOTALL)
    assert listed is not None
    for text in (own, listed[0]):
        description = re.search(r'description = "(.*)"', text)
        assert description is not None and about in description[1].lower()


def test_stages_are_ordered_by_need_then_name() -> None:
    text = edited("[stages.train]", '[stages.audit]\nrun = "a.py"\noutputs = ["x"]\n\n[stages.train]')
    assert parse_spec(parse_toml(text)).stage_order() == ("audit", "prepare", "train")


def test_a_stage_sees_its_script_and_its_files_sorted() -> None:
    text = edited('run = "train.py"', 'run = "train.py"\nfiles = ["model.py", "lib"]')
    assert parse_spec(parse_toml(text)).stages["train"].source_files == ("lib", "model.py", "train.py")


def test_a_stage_that_runs_a_function_sees_its_files_only() -> None:
    text = edited('run = "train.py"', 'run = "lib.train:main"\nfiles = ["lib"]')
    assert parse_spec(parse_toml(text)).stages["train"].source_files == ("lib",)


def test_parameters_keep_their_types() -> None:
    params = parse_spec(parse_toml(SPEC)).stages["train"].params
    assert params == {"lr": 0.1, "epochs": 3, "name": "adam", "betas": [0.9, 0.99], "nesterov": False}
    assert {key: type(value) for key, value in params.items()} == {
        "lr": float,
        "epochs": int,
        "name": str,
        "betas": list,
        "nesterov": bool,
    }


def test_what_is_left_out_has_the_published_default() -> None:
    spec = parse_spec(parse_toml(SPEC))
    assert (spec.numerics.level, spec.numerics.seed, spec.base.suite) == ("exact", 0, "bookworm")


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=6,
)
KEYS = sorted(
    {key for model in spec_schema()["$defs"].values() for key in model["properties"]}
    | set(spec_schema()["properties"])
)


def _places(value: Any, place: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    inner = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    return [place, *(found for key, item in inner for found in _places(item, (*place, key)))]


PLACES = [place for place in _places(tomllib.loads(SPEC)) if place]


@given(st.sampled_from(PLACES), json_values)
@settings(max_examples=150, deadline=None)
def test_any_value_anywhere_is_taken_or_refused_in_words(place: tuple[Any, ...], value: Any) -> None:
    document = json.loads(json.dumps(tomllib.loads(SPEC)))
    section = document
    for part in place[:-1]:
        section = section[part]
    section[place[-1]] = value
    _taken_or_refused(document)


@given(st.dictionaries(st.sampled_from(KEYS), json_values, max_size=5))
@settings(max_examples=100, deadline=None)
def test_any_document_is_taken_or_refused_in_words(document: dict[str, Any]) -> None:
    _taken_or_refused({"schema": "reprobuild.spec/1", **document})


@given(st.text(alphabet="[]={}\"'.,\n\\ab1-#", max_size=40))
@settings(max_examples=200, deadline=None)
def test_any_text_is_toml_or_refused(text: str) -> None:
    try:
        parse_toml(text)
    except ReprobuildError as error:
        assert error.message.startswith("reprobuild.toml")


@pytest.mark.parametrize("text", ["a = " + "[" * 5000, "a." * 3000 + "b = 1", "a = " + "{a=" * 2000])
def test_deep_nesting_is_refused(text: str) -> None:
    with pytest.raises(ReprobuildError, match=r"reprobuild\.toml"):
        parse_toml(text)


def _taken_or_refused(document: dict[str, Any]) -> None:
    try:
        parse_spec(document)
    except ReprobuildError as error:
        assert error.message and error.expected
