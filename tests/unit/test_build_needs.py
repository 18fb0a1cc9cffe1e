"""A build fetches what it reads, and nothing more."""

from __future__ import annotations

import dataclasses

from reprobuild.core.build_needs import needed_derivations, needed_sources, still_needed
from reprobuild.core.spec_parse import parse_spec, parse_toml
from reprobuild.domain.digest import Digest
from reprobuild.domain.lock import Kind, Source
from reprobuild.domain.store import Derivation, Instantiation

from .spec_examples import SPEC, on_gpu


def drv(name: str) -> Derivation:
    return Derivation(f"/nix/store/{'a' * 32}-{name}.drv", f"/nix/store/{'b' * 32}-{name}")


def source(kind: Kind, name: str, version: str | None = None) -> Source:
    return Source(
        kind=kind, name=name, version=version, file_name=name, sha256=Digest.of_bytes(b""), size_bytes=1
    )


FOUND = Instantiation(
    model=drv("digits-1.0.0"),
    stages={"prepare": drv("digits-prepare"), "train": drv("digits-train")},
    environment=drv("python-environment"),
    base=drv("base"),
    wheels=tuple(
        drv(name)
        for name in (
            "wheel-numpy-2.0",
            "big-wheel-torch-2.13.0_cpu",
            "big-wheel-torch-2.13.0_cpu-large-files",
        )
    ),
)
SOURCES = (
    source("data", "rows"),
    source("deb", "libc6", "2.36"),
    source("seed", "busybox", "1"),
    source("tool", "installer", "1"),
    source("wheel", "numpy", "2.0"),
    source("wheel", "torch", "2.13.0+cpu"),
)
PROJECT = parse_spec(parse_toml(SPEC))


def names(*missing: Derivation) -> set[str]:
    return {one.name for one in needed_sources(PROJECT, FOUND, missing, SOURCES)}


def test_where_nothing_is_missing_nothing_is_needed() -> None:
    assert names() == set()


def test_a_stage_needs_its_own_data_only() -> None:
    with_data = {label for label, stage in PROJECT.stages.items() if "rows" in stage.data}
    assert with_data == {"prepare"}
    assert names(FOUND.stages["prepare"]) == {"rows"}
    assert names(FOUND.stages["train"], FOUND.model) == set()


def test_a_missing_wheel_needs_its_file_and_the_installer() -> None:
    assert names(FOUND.wheels[0]) == {"numpy", "installer"}


def test_half_of_a_big_wheel_needs_the_whole_file() -> None:
    assert names(FOUND.wheels[2]) == {"torch", "installer"}


def test_a_missing_base_needs_packages_seed_and_tools() -> None:
    assert names(FOUND.base) == {"libc6", "busybox", "installer"}


def test_a_missing_shim_needs_compiler_seed_and_tools_and_stages_need_the_shim() -> None:
    shim = drv("portable-shim.so")
    found = dataclasses.replace(FOUND, shims=(shim,))
    sources = (*SOURCES, source("compiler", "tcc", "1"))
    missing = needed_sources(PROJECT, found, [shim], sources)
    assert {one.name for one in missing} == {"tcc", "busybox", "installer"}
    assert "tcc" not in {one.name for one in needed_sources(PROJECT, found, [FOUND.base], sources)}
    assert needed_derivations(PROJECT, found, ["prepare"])[-2:] == (shim, FOUND.stages["prepare"])
    assert shim in found.all()


def test_a_missing_stage_on_a_gpu_needs_what_measures_the_machine() -> None:
    spec, sources = parse_spec(parse_toml(on_gpu(""))), (*SOURCES, source("tool", "nvidia-ml-py", "13"))

    def needed(*missing: Derivation) -> set[str]:
        return {one.name for one in needed_sources(spec, FOUND, missing, sources)}

    assert needed(FOUND.stages["train"]) == {"nvidia-ml-py"}
    assert needed(FOUND.stages["prepare"]) == {"rows"}
    assert "nvidia-ml-py" not in needed(FOUND.base)


def test_one_stage_needs_only_what_comes_before_it() -> None:
    needed = needed_derivations(PROJECT, FOUND, ["prepare"])
    assert needed == (FOUND.base, *FOUND.wheels, FOUND.environment, FOUND.stages["prepare"])
    assert needed_derivations(PROJECT, FOUND, ["model"]) == FOUND.all()
    assert needed_derivations(PROJECT, FOUND, ["base"]) == (FOUND.base,)


def needs(*there: Derivation, target: str = "model") -> tuple[set[str], set[str]]:
    """Names of what is to be built, and of what it reads that is there."""
    found = still_needed(PROJECT, FOUND, [target], {one.out_path for one in there})
    return {one.name for one in found.build}, {one.name for one in found.take}


def test_with_the_model_there_nothing_is_needed() -> None:
    assert needs(FOUND.model) == (set(), {"digits-1.0.0"})


def test_where_only_the_model_is_missing_the_environment_is_not_needed() -> None:
    assert needs(*FOUND.stages.values(), FOUND.base) == (
        {"digits-1.0.0"},
        {"digits-prepare", "digits-train", "base"},
    )


def test_a_missing_stage_needs_its_environment_and_what_that_is_made_of() -> None:
    build, take = needs(FOUND.stages["prepare"], FOUND.base)
    assert build == {one.name for one in (*FOUND.wheels, FOUND.environment, FOUND.model)} | {"digits-train"}
    assert take == {"digits-prepare", "base"}
    assert needs(FOUND.environment, target="prepare") == ({"digits-prepare", "base"}, {"python-environment"})


def test_where_nothing_is_there_everything_is_built_in_order() -> None:
    assert still_needed(PROJECT, FOUND, ["model"], ()).build == FOUND.all()
