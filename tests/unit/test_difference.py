"""What differs between two models: planted changes are found, each in its layer, and nothing else is."""

from __future__ import annotations

import gzip
import hashlib
import json
from typing import Any

import pytest

from reprobuild.core.difference.cause import explain
from reprobuild.core.difference.code import code_changes
from reprobuild.core.difference.meaning import data_changes, metric_changes, spec_changes
from reprobuild.core.difference.packages import closure_changes, locked_packages, stored_packages
from reprobuild.core.difference.rows import row_changes
from reprobuild.core.difference.values import value_changes
from reprobuild.domain.digest import Digest
from reprobuild.domain.drv import DrvFile
from reprobuild.domain.lock import Source
from reprobuild.domain.store import PathInfo

TABLE = b"id,x\n" + b"".join(b"%d,%d\n" % (n, n * n) for n in range(100))


def counts(first: bytes, second: bytes, name: str = "t.csv") -> tuple[int, int, int]:
    found = row_changes(name, first, second)
    return found.added, found.removed, found.changed


def test_a_changed_row_is_shown_with_its_number() -> None:
    found = row_changes("t.csv", TABLE, TABLE.replace(b"7,49\n", b"7,50\n"))
    (row,) = found.examples
    assert (found.changed, row.first_row, row.second_row, row.first, row.second) == (1, 8, 8, "7,49", "7,50")


def test_added_and_removed_rows_do_not_make_others_differ() -> None:
    assert counts(TABLE, TABLE.replace(b"id,x\n", b"id,x\nnew,1\n")) == (1, 0, 0)
    assert counts(TABLE, TABLE.replace(b"50,2500\n", b"")) == (0, 1, 0)
    both = TABLE.replace(b"3,9\n", b"").replace(b"90,8100\n", b"90,8100\nnew,1\n")
    assert counts(TABLE, both) == (1, 1, 0)


def test_a_row_that_is_there_twice_counts_twice() -> None:
    assert counts(b"a\n1\n1\n2\n", b"a\n1\n2\n") == (0, 1, 0)


def test_rows_in_another_order_are_the_same_rows() -> None:
    found = row_changes("t.csv", b"a\n1\n2\n", b"a\n2\n1\n")
    assert found.reordered and not (found.added or found.removed or found.changed)


def test_columns_are_named() -> None:
    found = row_changes("t.csv", b"a,b\n1,2\n", b"a,c\n1,2\n")
    assert (found.columns_added, found.columns_removed) == (("c",), ("b",))


def test_gzip_and_json_lines_are_read() -> None:
    packed = gzip.compress(TABLE, mtime=1), gzip.compress(TABLE + b"x,1\n", mtime=2)
    assert counts(*packed, name="t.csv.gz") == (1, 0, 0)
    first, second = b'{"a": 1, "b": 2}\n{"a": 2}\n', b'{"b": 2, "a": 1}\n{"a": 3}\n'
    assert counts(first, second, name="t.jsonl") == (0, 0, 1)


@pytest.mark.parametrize("name", ["t.csv.gz", "t.jsonl", "t.csv"])
def test_what_is_no_table_is_refused(name: str) -> None:
    with pytest.raises(ValueError):
        row_changes(name, b"\xff\x00not", b"\xff\x00a table")


CODE = """
class Net:
    size = 3
    def forward(self, x):
        return x
def train():
    pass
LIMIT = 1
"""


def test_columns_that_changed_places_are_no_equal_table() -> None:
    found = row_changes("x.csv", b"a,b\n1,2\n", b"b,a\n1,2\n")
    assert found.columns_reordered and not (found.columns_added or found.columns_removed or found.changed)
    assert not row_changes("x.csv", b"a,b\n1,2\n", b"a,c\n1,2\n").columns_reordered


def test_a_line_separator_inside_a_text_ends_no_row() -> None:
    first, second = ('{"t": "one\u2028two"}\r\n', '{"t": "one\u2028three"}\r\n')
    assert row_changes("x.jsonl", first.encode(), second.encode()).changed == 1


def test_rows_are_shown_in_one_line_that_no_terminal_obeys() -> None:
    first = b'a,b\n"x\ny",\x1b[2J\n'
    (example,) = row_changes("x.csv", first, b"a,b\nz,1\n").examples
    assert example.first == '"x\\ny",\\x1b[2J'
    (example,) = row_changes("x.jsonl", b'"\\ud800"\n', b"1\n").examples
    assert example.first == '"\\ud800"'


def test_json_that_is_nested_too_deep_is_refused() -> None:
    with pytest.raises(ValueError, match="too deep"):
        row_changes("x.jsonl", b"[" * 100_000, b"1")


@pytest.mark.parametrize(
    ("old", "new", "name", "state"),
    [
        ("return x", "return x + 1", "Net.forward", "changed"),
        ("size = 3", "size = 4", "Net", "changed"),
        ("class Net:", "class Net(object):", "Net", "changed"),
        ("LIMIT = 1", "LIMIT = 2", "module", "changed"),
        ("def train():\n    pass\n", "", "train", "removed"),
        ("LIMIT = 1", "LIMIT = 1\ndef more(): ...", "more", "added"),
    ],
)
def test_the_function_that_changed_is_named(old: str, new: str, name: str, state: str) -> None:
    assert old in CODE
    (change,) = code_changes({"a.py": CODE.encode()}, {"a.py": CODE.replace(old, new).encode()})
    assert [(one.name, one.state) for one in change.functions] == [(name, state)]
    assert not change.layout_only


def test_the_same_statements_in_another_order_are_more_than_layout() -> None:
    before, after = b"def f(): ...\nf()\n", b"f()\ndef f(): ...\n"
    (change,) = code_changes({"a.py": before}, {"a.py": after})
    assert [one.name for one in change.functions] == ["module"] and not change.layout_only


def test_comments_are_no_change_of_meaning_and_broken_python_is_still_a_changed_file() -> None:
    (change,) = code_changes({"a.py": CODE.encode()}, {"a.py": ("# new\n" + CODE).encode()})
    assert change.layout_only and not change.functions
    (change,) = code_changes({"a.py": b"x = 1"}, {"a.py": b"x = ("})
    assert change.state == "changed" and not change.layout_only and not change.functions


def test_files_are_added_and_removed() -> None:
    found = code_changes({"a.py": b"", "b.sh": b"1"}, {"b.sh": b"2", "c.py": b""})
    assert [(one.file, one.state) for one in found] == [
        ("a.py", "removed"),
        ("b.sh", "changed"),
        ("c.py", "added"),
    ]


def test_values_are_named_by_their_dotted_key_and_a_bool_is_no_number() -> None:
    first: dict[str, Any] = {"a": {"b": 1, "c": [1], "x": {"y": 1}}, "same": {"k": 1}, "flag": True}
    second: dict[str, Any] = {"a": {"b": 2, "c": [1, 2]}, "same": {"k": 1}, "flag": 1}
    found = {one.name: (one.state, one.first, one.second) for one in value_changes(first, second)}
    assert found == {
        "a.b": ("changed", 1, 2),
        "a.c": ("changed", [1], [1, 2]),
        "a.x.y": ("removed", 1, None),
        "flag": ("changed", True, 1),
    }


def test_parameters_stand_before_other_keys() -> None:
    stage = {"stages": {"train": {"params": {"lr": 1}, "outputs": ["a"]}}, "numerics": {"seed": 0}}
    other = {"stages": {"train": {"params": {"lr": 2}, "outputs": ["b"]}}, "numerics": {"seed": 1}}
    deciding, rest = spec_changes(stage, other)
    assert [one.name for one in deciding] == ["numerics.seed", "stages.train.params.lr"]
    assert [one.name for one in rest] == ["stages.train.outputs"]


def test_metrics_have_a_delta_where_both_were_measured() -> None:
    found = metric_changes({"a": 1.0, "b": 2.0, "c": 3.0}, {"a": 1.5, "b": 2.0})
    assert [(one.name, one.delta) for one in found] == [("a", 0.5), ("c", None)]


def test_a_metric_that_is_no_number_on_both_sides_is_equal() -> None:
    nan = float("nan")
    assert metric_changes({"a": nan}, {"a": nan}) == ()
    assert [one.name for one in metric_changes({"a": nan}, {"a": 1.0})] == ["a"]


def source(kind: Any, name: str, version: str | None, size: int, content: str) -> Source:
    digest = Digest.of_bytes(content.encode())
    return Source(
        kind=kind, name=name, version=version, file_name=f"{name}.x", sha256=digest, size_bytes=size
    )


OLD = (
    source("wheel", "numpy", "2.4.5", 100, "n5"),
    source("wheel", "same", "1", 50, "s"),
    source("deb", "zlib1g", "1.2", 7, "z"),
)
NEW = (
    source("wheel", "numpy", "2.4.6", 110, "n6"),
    source("wheel", "same", "1", 50, "s"),
    source("data", "rows", None, 9, "r"),
)


def test_packages_have_versions_sizes_and_what_is_unique() -> None:
    found = closure_changes(locked_packages(OLD), locked_packages(NEW))
    assert [(one.kind, one.name, one.state) for one in found.packages] == [
        ("wheel", "numpy", "changed"),
        ("deb", "zlib1g", "removed"),
        ("data", "rows", "added"),
    ]
    wheels = found.totals[0]
    assert (wheels.kind, wheels.first_count, wheels.first_size_bytes, wheels.second_size_bytes) == (
        "wheel",
        2,
        150,
        160,
    )
    assert (wheels.first_only_bytes, wheels.second_only_bytes) == (100, 110)


def test_a_package_of_the_same_version_with_other_bytes_differs() -> None:
    other = source("wheel", "numpy", "2.4.5", 100, "built again")
    (change,) = closure_changes(locked_packages(OLD[:1]), locked_packages([other])).packages
    assert change.first_version == change.second_version == "2.4.5"


def test_store_closures_are_compared_by_name_and_version() -> None:
    def info(name: str, hash_: str) -> PathInfo:
        return PathInfo(f"/nix/store/{hash_ * 32}-{name}", Digest.of_bytes(b""), 10)

    first = stored_packages([info("glibc-2.36", "a"), info("base", "b")])
    second = stored_packages([info("glibc-2.41", "c"), info("base", "b")])
    (change,) = closure_changes(first, second).packages
    assert (change.name, change.first_version, change.second_version) == ("glibc", "2.36", "2.41")


def test_data_is_compared_by_its_pins() -> None:
    def rows(content: str) -> dict[str, Source]:
        return {"rows": source("data", "rows", None, len(content), content)}

    assert data_changes(rows("a"), rows("a")) == ()
    assert [one.state for one in data_changes(rows("a"), rows("bb"))] == ["changed"]
    assert [one.state for one in data_changes({}, rows("b"))] == ["added"]


class Drvs:
    """Derivations by path; each one's name and content make its path, as Nix does it."""

    def __init__(self) -> None:
        self.files: dict[str, DrvFile] = {}

    def add(self, name: str, *inputs: str, srcs: tuple[str, ...] = (), **environment: str) -> str:
        """An input's output stands in the variable `inputs`, and a variable that names it is filled in."""
        outs = [self.files[one].outputs["out"] for one in inputs]
        content = json.dumps([name, inputs, srcs, sorted(environment.items())])
        out = f"/nix/store/{hashlib.sha256(content.encode()).hexdigest()[:32]}-{name}"
        variables = {"out": out, "inputs": " ".join(outs), "files": " ".join(srcs), **environment}
        drv = DrvFile(
            {"out": out}, dict.fromkeys(inputs, ("out",)), srcs, "x86_64-linux", "/bin/sh", (), variables
        )
        self.files[f"{out}.drv"] = drv
        return f"{out}.drv"

    def model(self, lr: float = 0.1, numpy: str = "2.4.5", script: str = "a", more: bool = False) -> str:
        wheel = self.add(f"wheel-numpy-{numpy}", self.add(f"numpy-{numpy}-cp311.whl", outputHash=numpy))
        extra = [self.add("wheel-extra-1.0")] if more else []
        environment = self.add("environment", wheel, *extra)
        code = f"/nix/store/{script * 32}-train-source"
        stage = json.dumps({"params": {"lr": lr}, "source": code})
        train = self.add("train", environment, srcs=(code,), stage=stage)
        return self.add("digits-1.0.0", train, spec=json.dumps({"lr": lr}))

    def explain(self, first: str, second: str) -> dict[str, tuple[list[str], list[str]]]:
        """Name of each origin → what differs in itself, and the path to it."""
        found = explain({"model": (first, second)}, self.files.__getitem__)
        return {
            one.name: ([change.name for change in one.own], list(one.path)) for one in found if one.is_origin
        }


def test_equal_derivations_need_no_explanation() -> None:
    drvs = Drvs()
    assert explain({"model": (drvs.model(), drvs.model())}, drvs.files.__getitem__) == ()


def test_a_parameter_is_named_at_the_stage_that_it_reaches_before_the_model_that_repeats_it() -> None:
    drvs = Drvs()
    found = drvs.explain(drvs.model(), drvs.model(lr=0.2))
    assert found == {"train": (["stage.params.lr"], ["model", "train"]), "model": (["spec.lr"], ["model"])}
    assert list(found) == ["train", "model"]


def test_a_wheel_is_traced_to_its_derivation_and_what_follows_is_no_origin() -> None:
    drvs = Drvs()
    found = drvs.explain(drvs.model(), drvs.model(numpy="2.4.6"))
    path = ["model", "train", "environment", "wheel-numpy-2.4.6", "numpy-2.4.6-cp311.whl"]
    assert found == {path[-1]: (["outputHash"], path)}


def test_code_is_named_as_a_file() -> None:
    drvs = Drvs()
    found = drvs.explain(drvs.model(), drvs.model(script="b"))
    assert found == {"train": (["file train-source"], ["model", "train"])}


def test_an_input_more_is_named_once_where_it_comes_in() -> None:
    drvs = Drvs()
    pair = drvs.model(), drvs.model(more=True)
    (origin,) = [one for one in explain({"model": pair}, drvs.files.__getitem__) if one.is_origin]
    assert (origin.name, origin.inputs_added, origin.own) == ("environment", ("wheel-extra-1.0",), ())


def test_every_differing_derivation_is_in_the_graph() -> None:
    drvs = Drvs()
    found = explain({"model": (drvs.model(), drvs.model(numpy="2.4.6"))}, drvs.files.__getitem__)
    assert {one.name for one in found if not one.is_origin} == {
        "model",
        "train",
        "environment",
        "wheel-numpy-2.4.6",
    }


def test_a_file_that_is_gone_is_said() -> None:
    drvs = Drvs()
    first, second = drvs.model(), drvs.model(lr=2)
    del drvs.files[first]
    with pytest.raises(KeyError):
        explain({"model": (first, second)}, drvs.files.__getitem__)


def test_the_same_change_on_both_paths_is_looked_at_once() -> None:
    drvs = Drvs()
    sides = []
    for version in ("1", "2"):
        base = drvs.add("base", version=version)
        sides.append(drvs.add("model", drvs.add("left", base), drvs.add("right", base)))
    found = explain({"model": (sides[0], sides[1])}, drvs.files.__getitem__)
    assert [one.path for one in found if one.name == "base"] == [("model", "left", "base")]
