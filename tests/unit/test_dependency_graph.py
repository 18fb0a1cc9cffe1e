"""Everything that the lock pins is reached from the model, by a path that can be printed."""

from __future__ import annotations

from reprobuild.core.dependency_graph import DependencyGraph, dependency_graph
from reprobuild.core.spec_parse import parse_spec, parse_toml
from reprobuild.domain.digest import Digest
from reprobuild.domain.lock import Kind, Source

from .spec_examples import SPEC, on_gpu

SPEC_WITH_TORCH = parse_spec(parse_toml(SPEC + '\n[python]\nrequirements = ["Torch==2.13.0", "mpmath"]\n'))


def source(kind: Kind, name: str, version: str | None = "1", depends: tuple[str, ...] = ()) -> Source:
    return Source(
        kind=kind,
        name=name,
        version=version,
        file_name=name,
        sha256=Digest.of_bytes(b""),
        size_bytes=1,
        depends=depends,
    )


SOURCES = (
    source("data", "rows", None),
    source("deb", "libc6"),
    source("seed", "busybox"),
    source("tool", "installer"),
    source("tool", "patchelf"),
    source("wheel", "mpmath"),
    source("wheel", "sympy", depends=("mpmath",)),
    source("wheel", "torch", depends=("sympy",)),
)
GRAPH = dependency_graph(SPEC_WITH_TORCH, SOURCES)


def test_every_pinned_source_is_reached_from_the_model() -> None:
    for one in SOURCES:
        assert GRAPH.paths(one.subject), one.subject


def test_a_wheel_is_reached_through_what_needs_it_and_by_its_own_requirement() -> None:
    paths = GRAPH.paths("wheel mpmath 1")
    assert [path[-2:] for path in paths] == [
        ["environment", "wheel mpmath 1"],
        ["wheel sympy 1", "wheel mpmath 1"],
    ]
    assert paths[1][2:] == ["environment", "wheel torch 1", "wheel sympy 1", "wheel mpmath 1"]


def test_data_is_reached_through_the_stage_that_reads_it() -> None:
    assert GRAPH.paths("data rows") == [[GRAPH.root, "stage prepare", "data rows"]]


def test_the_compiler_of_a_portable_model_is_needed_by_each_stage() -> None:
    graph = dependency_graph(SPEC_WITH_TORCH, (*SOURCES, source("compiler", "tcc")))
    assert [graph.root, "stage train", "compiler tcc 1"] in graph.paths("compiler tcc 1")


def test_a_name_alone_finds_its_nodes() -> None:
    assert GRAPH.named("torch") == ["wheel torch 1"]
    assert GRAPH.named("train") == ["stage train"]
    assert GRAPH.named("tor") == []


def test_wheels_that_need_each_other_do_not_hang() -> None:
    graph = DependencyGraph("model m 1", {"model m 1": ["a"], "a": ["b"], "b": ["a"]})
    assert graph.paths("b") == [["model m 1", "a", "b"]]


def test_packages_hang_on_what_needs_them_and_the_base_has_the_rest() -> None:
    spec = parse_spec(parse_toml(SPEC + '\n[base]\npackages = ["zlib1g"]\n'))
    packages = (
        source("deb", "libc6", depends=("libgcc-s1",)),  # these two need each other
        source("deb", "libgcc-s1", depends=("libc6",)),
        source("deb", "python3.11", depends=("libc6", "zlib1g")),
        source("deb", "ring-a", depends=("ring-b",)),  # nothing leads to this ring
        source("deb", "ring-b", depends=("ring-a",)),
        source("deb", "tzdata"),
        source("deb", "zlib1g", depends=("libc6",)),
        source("compiler", "g++", depends=("libc6",)),
        source("compiler", "libc6"),
    )
    graph = dependency_graph(spec, (source("data", "rows", None), *packages))
    assert graph.edges["base"] == [f"deb {name} 1" for name in ("python3.11", "tzdata", "zlib1g", "ring-a")]
    assert graph.edges["deb libc6 1"] == ["deb libgcc-s1 1"]
    assert [path[-2] for path in graph.paths("compiler libc6 1")] == ["compiler g++ 1"]
    for one in packages:
        assert graph.paths(one.subject), one.subject


def test_a_lock_that_knows_no_needs_of_packages_has_them_all_at_the_base() -> None:
    assert GRAPH.edges["base"][0] == "deb libc6 1"


def test_what_measures_the_machine_belongs_to_the_stages_on_a_gpu() -> None:
    tool = source("tool", "nvidia-ml-py")
    graph = dependency_graph(parse_spec(parse_toml(on_gpu(""))), (source("data", "rows", None), tool))
    assert {path[1] for path in graph.paths(tool.subject)} == {"stage train"}
