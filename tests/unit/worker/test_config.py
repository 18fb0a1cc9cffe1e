"""What Nix hands over arrives exactly, or is refused."""

import json
import math

import pytest

from reprobuild_worker.config import decode_floats, stage_config
from reprobuild_worker.errors import ConfigError


def encode(value: float) -> dict[str, list[int]]:
    mantissa, exponent = math.frexp(value)
    return {"__float__": [int(mantissa * 2**53), exponent - 53]}


@pytest.mark.parametrize("value", [0.1, 0.003, -1e-7, 1e300, 5e-324, 0.0, 123456789.123456789, math.pi])
def test_floats_survive_the_way_through_nix(value):
    text = json.dumps({"params": {"values": [encode(value)]}})
    assert decode_floats(json.loads(text)) == {"params": {"values": [value]}}


def test_integers_and_words_stay_what_they_are():
    assert decode_floats({"a": 3, "b": "0.1", "c": [True, None]}) == {"a": 3, "b": "0.1", "c": [True, None]}


def test_outside_of_a_stage_the_error_says_where_stages_run():
    with pytest.raises(ConfigError, match="reprobuild nix shell"):
        stage_config({})


def test_another_version_of_the_document_is_refused():
    with pytest.raises(ConfigError, match=r"reprobuild\.stage/2"):
        stage_config({"reprobuildStage": '{"schema": "reprobuild.stage/2"}'})


def test_a_missing_key_is_named():
    with pytest.raises(ConfigError, match="outputs"):
        stage_config(
            {"reprobuildStage": '{"schema":"reprobuild.stage/1","name":"a","run":"a.py","source":"/"}'}
        )
