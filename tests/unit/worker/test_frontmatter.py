"""Front matter reads back as the values it was made of."""

import pytest
import yaml

from reprobuild_worker.frontmatter import front_matter


@pytest.mark.parametrize(
    "value",
    [
        "plain",
        "yes",
        "null",
        "1.0",
        "a: b",
        "# no",
        "- x",
        'say "hi"',
        "é\nü",
        "",
        " x ",
        "a-b_c",
        True,
        3,
        0.97,
        1e-05,
        1e22,
    ],
)
def test_scalars_read_back(value):
    text = front_matter({"key": value, "list": [value], "nested": [{"a": value, "b": {"c": value}}]})
    read = yaml.safe_load(text.strip("-\n"))
    assert read == {"key": value, "list": [value], "nested": [{"a": value, "b": {"c": value}}]}
    assert type(read["key"]) is type(value)
