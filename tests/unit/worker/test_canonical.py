"""Equal values give equal bytes; what JSON cannot hold is named."""

import numpy as np
import pytest

from reprobuild_worker.canonical import canonical_json
from reprobuild_worker.errors import CanonicalJsonError


def test_the_order_of_keys_does_not_matter():
    assert (
        canonical_json({"b": 1, "a": 2}) == canonical_json({"a": 2, "b": 1}) == b'{\n  "a": 2,\n  "b": 1\n}\n'
    )


def test_floats_are_written_shortest_and_text_as_it_is():
    assert canonical_json([0.1, 1e-07, 1.0, "é"]) == '[\n  0.1,\n  1e-07,\n  1.0,\n  "é"\n]\n'.encode()


def test_numpy_values_are_the_numbers_they_hold():
    values = {"a": np.float64(0.5), "b": np.int64(3), "c": np.array([[1, 2]]), "d": np.bool_(True)}
    assert canonical_json(values) == canonical_json({"a": 0.5, "b": 3, "c": [[1, 2]], "d": True})


@pytest.mark.parametrize("bad", [float("nan"), float("inf"), np.float32("nan"), np.array([1.0, np.nan])])
def test_nan_and_infinity_are_refused_by_key(bad):
    with pytest.raises(CanonicalJsonError, match=r"metrics\.json: scores\[1\]: loss"):
        canonical_json({"scores": [{}, {"loss": bad}]}, what="metrics.json")


@pytest.mark.parametrize("bad", [{1: 2}, {"a": {1, 2}}, {"a": b"bytes"}, {"a": object()}])
def test_what_is_not_json_is_refused(bad):
    with pytest.raises(CanonicalJsonError):
        canonical_json(bad)
