"""What goes to a builder is whichever moves fewer bytes."""

from __future__ import annotations

from collections.abc import Mapping

from reprobuild.core.drv_graph import Kind, Node, read_graph
from reprobuild.core.transfer import Transfer, plan_transfer
from reprobuild.domain.drv import DrvFile

# base out of a package; a wheel; environment; two stages
INPUTS: dict[str, tuple[Kind, tuple[str, ...]]] = {
    "deb": ("source", ()),
    "whl": ("source", ()),
    "rows": ("source", ()),
    "base": ("other", ("deb",)),
    "wheel": ("other", ("base", "whl")),
    "environment": ("other", ("base", "wheel")),
    "prepare": ("stage", ("environment", "rows")),
    "train": ("stage", ("environment", "prepare")),
}
GRAPH = {name: Node(name, f"/{name}", kind, inputs) for name, (kind, inputs) in INPUTS.items()}
SOURCES = {"/deb": 100, "/whl": 100, "/rows": 10}


def transfer(*there: str, here: Mapping[str, int] = {}, target: str = "train") -> Transfer:
    return plan_transfer(
        GRAPH, [target], there={f"/{one}" for one in there}, here={f"/{k}": v for k, v in here.items()},
        source_bytes=SOURCES,
    )  # fmt: skip


def test_an_empty_store_gets_sources_and_builds_the_rest() -> None:
    found = transfer(here=dict.fromkeys(("deb", "whl", "rows"), 100))
    assert found.build == ("base", "wheel", "environment", "prepare", "train")
    assert found.send == found.sources == ("/deb", "/whl", "/rows") and found.fetch == ()
    assert found.send_bytes == 300


def test_what_is_there_is_not_looked_behind() -> None:
    assert transfer("environment", "prepare") == Transfer(("train",), (), (), (), 0)
    assert transfer("train") == Transfer((), (), (), (), 0)


def test_only_sources_that_are_needed_there_are_fetched() -> None:
    assert transfer("environment").fetch == ("/rows",)
    assert transfer("environment", target="environment").fetch == ()


def test_a_finished_stage_is_sent_whatever_its_size() -> None:
    found = transfer("environment", here={"prepare": 10**12})
    assert found.send == ("/prepare",) and not found.sources and found.build == ("train",)


def test_a_wheel_is_sent_installed_or_as_a_file_whichever_is_less() -> None:
    both = {"whl": 100, "deb": 100}
    assert "/whl" in transfer("base", "prepare", here=both | {"wheel": 300}).send
    small = transfer("base", "prepare", here=both | {"wheel": 99})
    assert "/wheel" in small.send and "/whl" not in small.send


def test_a_source_that_must_be_fetched_first_counts_twice() -> None:
    installed = {"wheel": 199}
    assert transfer("base", "prepare", here=installed).send == ("/wheel",)
    assert transfer("base", "prepare", here={"wheel": 201}).fetch == ("/whl",)
    assert transfer("base", "prepare", "whl", here=installed).send == ()


def test_the_environment_is_built_there_because_a_copy_would_bring_all_that_it_links_to() -> None:
    found = transfer("prepare", here={"environment": 1, "deb": 1, "whl": 1})
    assert "environment" in found.build and "/environment" not in found.send


def test_what_is_asked_for_is_built_there_even_if_it_is_here() -> None:
    assert transfer("environment", "prepare", here={"train": 1}).build == ("train",)


def test_a_graph_is_read_from_derivations_with_inputs_first() -> None:
    files = {
        "train.drv": {"reprobuildStage": "{}"},
        "base.drv": {},
        "deb.drv": {"outputHash": "sha256-…"},
    }
    inputs = {"train.drv": ["base.drv", "deb.drv"], "base.drv": ["deb.drv"], "deb.drv": []}

    def read(path: str) -> DrvFile:
        needs = dict.fromkeys(inputs[path], ("out",))
        return DrvFile({"out": f"/{path}"}, needs, (), "x86_64-linux", "/sh", (), files[path])

    graph = read_graph(["train.drv"], read)
    assert list(graph) == ["deb.drv", "base.drv", "train.drv"]
    assert [node.kind for node in graph.values()] == ["source", "other", "stage"]
