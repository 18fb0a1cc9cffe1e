"""A wrong name is answered with the nearest right one."""

import copy
from pathlib import Path

import pytest

from reprobuild_worker.errors import UnknownNameError
from reprobuild_worker.names import Params, Paths

PARAMS = Params({"learning_rate": 0.1, "optimizer": {"momentum": 0.9}, "items": 3}, stage="train")


def test_parameters_are_read_by_attribute_and_item():
    assert PARAMS.learning_rate == PARAMS["learning_rate"] == 0.1
    assert PARAMS.optimizer.momentum == PARAMS["optimizer"]["momentum"] == 0.9
    assert PARAMS["items"] == 3
    assert dict(**PARAMS.optimizer) == {"momentum": 0.9}


@pytest.mark.parametrize("read", [lambda: PARAMS.learning_rat, lambda: PARAMS["learning_rat"]])
def test_a_near_miss_is_pointed_out(read):
    with pytest.raises(UnknownNameError) as error:
        read()
    assert str(error.value) == (
        "stage train has no parameter params.learning_rat\nhint: did you mean 'learning_rate'?"
    )


def test_nested_parameters_are_named_by_their_path():
    with pytest.raises(UnknownNameError, match=r"params\.optimizer\.momentun"):
        _ = PARAMS.optimizer.momentun


def test_python_protocols_still_work():
    assert getattr(PARAMS, "nothing", 5) == 5
    assert PARAMS.get("nothing") is None
    assert "learning_rate" in PARAMS
    assert copy.deepcopy(PARAMS) == PARAMS


def test_unknown_data_lists_what_there_is():
    with pytest.raises(UnknownNameError, match=r"no dataset 'x'\nhint: declared are: digits, letters"):
        _ = Paths({"digits": Path("/d"), "letters": Path("/l")}, kind="dataset", stage="train")["x"]
