"""Toolkit, driver, compute capability and torch: what disagrees is refused, with the two lines that do."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from reprobuild.core.cuda_table import cuda_table, runs_on, version_key
from reprobuild.core.cuda_wheels import check_wheels, constraints
from reprobuild.core.gpu_features import required_features
from reprobuild.core.schemas import cuda_table_schema
from reprobuild.core.spec_parse import parse_spec, parse_toml
from reprobuild.core.wheel_pin import ResolvedWheel
from reprobuild.domain.digest import Digest
from reprobuild.domain.lock import DebianBasePin, Source
from reprobuild.domain.spec import Spec
from reprobuild.errors import ReprobuildError, ResolveError, SpecError
from reprobuild.services.lock_wheels import lock_wheels
from reprobuild.services.project import open_project
from reprobuild_probe.driver_branches import KNOWN_BRANCHES, is_known_branch

from .spec_examples import on_gpu

ROOT = Path(__file__).parents[2]
TOOLKIT = '[cuda]\ntoolkit = "13.0"\n'


def spec_of(text: str) -> Spec:
    return parse_spec(parse_toml(on_gpu(text)))


def shown(error: ReprobuildError) -> str:
    """The error as golden text: message, both sides with their places, and the next step."""
    lines = [
        f"error: {error.message}",
        f"  expected {error.expected}  {error.expected_from}",
        f"  actual   {error.actual}  {error.actual_from}",
        f"hint: {error.hint}",
    ]
    return "\n".join(lines)


def rising(versions: Sequence[str]) -> bool:
    keys = [version_key(version) for version in versions]
    return keys == sorted(set(keys))


def test_the_table_keeps_its_schema_and_names_its_sources() -> None:
    jsonschema.Draft202012Validator(cuda_table_schema()).validate(
        cuda_table().model_dump(mode="json", by_alias=True, exclude_none=True)
    )
    about = {source.about.partition(".")[0] for source in cuda_table().sources}
    assert about == {"toolkits", "torch"}


def test_the_table_rises() -> None:
    table = cuda_table()
    assert rising(list(table.toolkits)) and rising(list(table.torch))
    for entry in (*table.toolkits.values(), *table.torch.values()):
        assert rising(entry.compute_capabilities)
    drivers = [version_key(entry.minimum_driver) for entry in table.toolkits.values()]
    assert drivers == sorted(drivers)
    by_toolkit = [version_key(build.toolkit) for build in table.torch.values()]
    assert by_toolkit == sorted(by_toolkit)


def test_machines_offer_the_branches_that_toolkits_require() -> None:
    """Else no machine, however new its driver, would be given the stage."""
    required = {int(entry.minimum_driver.partition(".")[0]) for entry in cuda_table().toolkits.values()}
    assert required <= set(KNOWN_BRANCHES)


def test_torch_has_machine_code_only_for_what_its_toolkit_compiles() -> None:
    table = cuda_table()
    for build in table.torch.values():
        assert set(build.compute_capabilities) <= set(table.toolkits[build.toolkit].compute_capabilities)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (
            '[cuda]\ntoolkit = "13.9"',
            """\
error: reprobuild.toml: cuda.toolkit: no toolkit that this release knows
  expected one of 12.1, 12.4, 12.6, 12.8, 12.9, 13.0, 13.1, 13.2, 13.3, 13.4  nix/lib/cuda.json
  actual   13.9  [cuda]
hint: write toolkit = "13.4" into [cuda]""",
        ),
        (
            TOOLKIT + '[driver]\nminimum = "570.86"',
            """\
error: reprobuild.toml: driver.minimum: too old for the toolkit
  expected 580 or newer  cuda.toolkit = "13.0"
  actual   570.86  driver.minimum
hint: write minimum = "580" into [driver], or take an older toolkit""",
        ),
        (
            TOOLKIT + '[driver]\nbranch = "570"',
            """\
error: reprobuild.toml: driver.branch: too old for the toolkit
  expected 580 or newer  cuda.toolkit = "13.0"
  actual   570  driver.branch
hint: write branch = "580" into [driver], or take an older toolkit""",
        ),
        (
            '[driver]\nminimum = "590.44"\nbranch = "580"',
            """\
error: reprobuild.toml: driver.branch: no driver of this branch is new enough
  expected branch 590 or newer  driver.minimum = "590.44"
  actual   580  driver.branch
hint: leave one of the two out, or let them agree""",
        ),
        (
            'compute_capability = "7.0"\n' + TOOLKIT,
            """\
error: reprobuild.toml: hardware.compute_capability: too old for the toolkit
  expected one of 7.5, 8.0, 8.6, 8.7, 8.8, 8.9, 9.0, 10.0, 10.3, 11.0, 12.0, 12.1  cuda.toolkit = "13.0"
  actual   7.0  hardware.compute_capability
hint: 7.0 is known to toolkit 12.1, 12.4, 12.6, 12.8, 12.9""",
        ),
        (
            'compute_capability = "10.0"\n[cuda]\ntoolkit = "12.6"',
            """\
error: reprobuild.toml: hardware.compute_capability: too new for the toolkit
  expected one of 5.0, 5.2, 5.3, 6.0, 6.1, 6.2, 7.0, 7.2, 7.5, 8.0, 8.6, 8.7, 8.9, 9.0  cuda.toolkit = "12.6"
  actual   10.0  hardware.compute_capability
hint: 10.0 is known to toolkit 12.8, 12.9, 13.0, 13.1, 13.2, 13.3, 13.4""",
        ),
        (
            '[cuda]\ntoolkit = "12.8"\nnvcc = true',
            """\
error: reprobuild.toml: cuda.nvcc: the wheels of this toolkit hold no whole nvcc
  expected a toolkit of 13.0, 13.1, 13.2, 13.3, 13.4  cuda.nvcc = true
  actual   cuda.toolkit = "12.8"  [cuda]
hint: write toolkit = "13.0" into [cuda], or leave nvcc out""",
        ),
    ],
)
def test_a_refusal_names_the_two_lines_that_disagree(text: str, expected: str) -> None:
    with pytest.raises(SpecError) as caught:
        spec_of(text)
    assert shown(caught.value) == expected


@pytest.mark.parametrize(
    "text",
    [
        TOOLKIT + '[driver]\nminimum = "580"\nbranch = "590"',
        TOOLKIT + '[driver]\nminimum = "580.65.06"\nbranch = "580"',
        'compute_capability = "12.1"\n' + TOOLKIT,
        '[driver]\nminimum = "470"',  # no toolkit named: nothing to compare with
        '[driver]\nminimum = "700.10"',  # newer than all that this release knows
    ],
)
def test_what_agrees_is_taken(text: str) -> None:
    spec_of(text)


@pytest.mark.parametrize(("minimum", "next_one"), [("585.10", "590"), ("440", "450"), ("600", "610")])
def test_a_driver_that_no_machine_offers_is_refused(minimum: str, next_one: str) -> None:
    with pytest.raises(SpecError) as caught:
        spec_of(f'[driver]\nminimum = "{minimum}"')
    assert f"driver.minimum: there is no branch {minimum.partition('.')[0]} of drivers" in shown(caught.value)
    assert caught.value.hint == f'write minimum = "{next_one}" into [driver], the next branch after it'


def test_what_a_toolkit_needs_is_a_branch_that_machines_offer() -> None:
    assert all(is_known_branch(one.minimum_driver) for one in cuda_table().toolkits.values())


def test_without_a_stated_driver_the_toolkits_own_is_required() -> None:
    assert required_features(spec_of(TOOLKIT), "train") == ("cuda", "nvidia-driver-580")
    assert required_features(spec_of('[cuda]\ntoolkit = "12.8"'), "train") == ("cuda", "nvidia-driver-525")
    stated = TOOLKIT + '[driver]\nminimum = "590.1"'
    assert required_features(spec_of(stated), "train") == ("cuda", "nvidia-driver-590")


@pytest.mark.parametrize(
    ("built_for", "capability", "runs"),
    [(("8.0",), "8.6", True), (("8.6",), "8.0", False), (("8.0", "9.0"), "10.0", False)],
)
def test_machine_code_runs_on_its_own_major_version(
    built_for: tuple[str, ...], capability: str, runs: bool
) -> None:
    assert runs_on(built_for, capability) == runs


def wheel(name: str, version: str, *depends: str, index: str = "default") -> ResolvedWheel:
    return ResolvedWheel(
        name=name,
        version=version,
        file_name=f"{name}-{version}-cp311-cp311-linux_x86_64.whl",
        sha256=Digest.of_bytes(f"{name} {version}".encode()),
        size_bytes=1,
        index=index,
        depends=depends,
    )


CPU = wheel("torch", "2.13.0+cpu", index="find-links")
CUDA_130 = (
    wheel("torch", "2.13.0", "cuda-toolkit"),
    wheel("cuda-toolkit", "13.0.3.0", "nvidia-cuda-runtime"),
)
RUNTIME_130 = wheel("nvidia-cuda-runtime", "13.0.96")


@pytest.mark.parametrize(
    ("text", "wheels", "expected"),
    [
        (
            "",
            [CPU],
            """\
error: torch 2.13.0+cpu: this build has no CUDA, and would train on the processor
  expected a build of torch for CUDA  hardware.accelerator = "nvidia"
  actual   torch-2.13.0+cpu-cp311-cp311-linux_x86_64.whl  python.requirements, index find-links
hint: require "torch==2.15.*", which is built for CUDA 13.2""",
        ),
        (
            TOOLKIT,
            [wheel("torch", "2.13.0", "numpy"), wheel("numpy", "2.4")],  # nothing of NVIDIA below it
            """\
error: torch 2.13.0: this build has no CUDA, and would train on the processor
  expected a build of torch for CUDA  hardware.accelerator = "nvidia"
  actual   torch-2.13.0-cp311-cp311-linux_x86_64.whl  python.requirements, index default
hint: require "torch==2.14.*", which is built for CUDA 13.0""",
        ),
        (
            '[cuda]\ntoolkit = "13.2"',
            [*CUDA_130, RUNTIME_130],
            """\
error: torch 2.13.0 is for another CUDA toolkit
  expected cuda.toolkit = "13.2"  [cuda]
  actual   CUDA 13.0  python.requirements: torch 2.13.0
hint: write toolkit = "13.0" into [cuda], or: require "torch==2.15.*", which is built for CUDA 13.2""",
        ),
        (
            TOOLKIT,
            [wheel("torch", "2.13.0+cu126")],
            """\
error: torch 2.13.0+cu126 is for another CUDA toolkit
  expected cuda.toolkit = "13.0"  [cuda]
  actual   CUDA 12.6  python.requirements: torch 2.13.0+cu126
hint: write toolkit = "12.6" into [cuda], or: require "torch==2.14.*", which is built for CUDA 13.0""",
        ),
        (
            TOOLKIT,
            [*CUDA_130, RUNTIME_130, wheel("nvidia-cuda-runtime-cu12", "12.8.90")],
            """\
error: nvidia-cuda-runtime-cu12 12.8.90 is for another CUDA toolkit
  expected cuda.toolkit = "13.0"  [cuda]
  actual   CUDA 12.8  python.requirements: nvidia-cuda-runtime-cu12 12.8.90
hint: write toolkit = "12.8" into [cuda], or: require "torch==2.14.*", which is built for CUDA 13.0""",
        ),
        (
            'compute_capability = "11.0"\n' + TOOLKIT,
            [*CUDA_130, RUNTIME_130],
            """\
error: torch 2.13.0 has no machine code for compute capability 11.0
  expected 11.0  hardware.compute_capability
  actual   7.5, 8.0, 8.6, 9.0, 10.0, 12.0  python.requirements: torch 2.13.0, by nix/lib/cuda.json
hint: take a release of torch that has it, or another GPU""",
        ),
    ],
)
def test_wheels_of_another_cuda_are_refused(text: str, wheels: list[ResolvedWheel], expected: str) -> None:
    with pytest.raises(ResolveError) as caught:
        check_wheels(spec_of(text), wheels)
    assert shown(caught.value) == expected


@pytest.mark.parametrize(
    ("text", "wheels"),
    [
        (TOOLKIT, [*CUDA_130, RUNTIME_130]),
        ('compute_capability = "8.9"\n' + TOOLKIT, [*CUDA_130, RUNTIME_130]),
        ('[cuda]\ntoolkit = "12.6"', [wheel("torch", "2.13.0+cu126")]),
        ("", [*CUDA_130, RUNTIME_130]),
        ("", [wheel("numpy", "2.4")]),
    ],
)
def test_wheels_of_the_toolkit_are_taken(text: str, wheels: list[ResolvedWheel]) -> None:
    check_wheels(spec_of(text), wheels)


def test_the_toolkit_constrains_what_carries_the_runtime() -> None:
    assert constraints(spec_of(TOOLKIT)) == (
        "cuda-toolkit==13.0.*",
        "nvidia-cuda-runtime==13.0.*",
        "nvidia-cuda-runtime-cu11<0",
        "nvidia-cuda-runtime-cu12<0",
    )
    assert "nvidia-cuda-runtime-cu12==12.8.*" in constraints(spec_of('[cuda]\ntoolkit = "12.8"'))
    assert constraints(spec_of("")) == ()


class Index:
    """Answers by what the constraints leave; the newest build first, and a wheelhouse's `+cpu` before it."""

    def __init__(self, *builds: Sequence[ResolvedWheel]) -> None:
        self.builds = builds
        self.asked: list[tuple[str, ...]] = []

    def resolve(self, *_: Any, constraints: Sequence[str] = (), **__: Any) -> tuple[ResolvedWheel, ...]:
        self.asked.append(tuple(constraints))
        for build in self.builds:
            excluded = any(f"torch!={one.version}" in constraints for one in build)
            wrong = any(
                one.name == "nvidia-cuda-runtime"
                and line.startswith("nvidia-cuda-runtime==")
                and not one.version.startswith(line.removeprefix("nvidia-cuda-runtime==").removesuffix("*"))
                for one in build
                for line in constraints
            )
            if not excluded and not wrong:
                return tuple(build)
        raise ResolveError("the requirements cannot be resolved")


def locked(text: str, index: Index, folder: Path) -> dict[str, Source]:
    (folder / "rows.csv").write_text("")
    for file in ("prepare.py", "train.py"):
        (folder / file).write_text("")
    (folder / "reprobuild.toml").write_text(on_gpu(f'{text}\n[python]\nrequirements = ["torch"]'))
    pin = DebianBasePin(
        suite="bookworm",
        snapshot="20261120T000000Z",
        release_sha256=Digest.of_bytes(b""),
        python_version="3.11",
        glibc_version="2.36",
    )
    return {one.name: one for one in lock_wheels(index, open_project(folder), pin, (), frozenset())}


def test_a_wheelhouse_with_a_build_for_processors_does_not_win(tmp_path: Path) -> None:
    index = Index([CPU], [*CUDA_130, RUNTIME_130])
    assert locked("", index, tmp_path)["torch"].version == "2.13.0"
    assert index.asked == [(), ("torch!=2.13.0+cpu",)]


def test_where_there_is_no_other_build_it_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ResolveError, match="this build has no CUDA"):
        locked("", Index([CPU]), tmp_path)


def test_a_toolkit_that_no_build_is_for_is_named_instead_of_uvs_words(tmp_path: Path) -> None:
    with pytest.raises(ResolveError, match=r"torch 2\.13\.0 is for another CUDA toolkit"):
        locked('[cuda]\ntoolkit = "13.4"', Index([CPU], [*CUDA_130, RUNTIME_130]), tmp_path)
