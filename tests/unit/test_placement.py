"""Which machine runs what, and what is said where none can."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reprobuild.core.offers import in_short
from reprobuild.core.placement import Need, place
from reprobuild.domain.machine import Machine
from reprobuild.errors import NoBuilderError

SYSTEM = "x86_64-linux"


def machine(
    uri: str, *supported: str, mandatory: tuple[str, ...] = (), speed: float = 1, jobs: int = 1
) -> Machine:
    return Machine(
        uri, (SYSTEM,), frozenset(supported), frozenset(mandatory), speed_factor=speed, max_jobs=jobs
    )


HERE = machine("", "kvm")
A100 = machine(
    "ssh-ng://root@a100",
    "gpu-a100",
    "cuda-sm-80",
    "nvidia-driver-570",
    "nvidia-driver-580",
    mandatory=("cuda",),
)
H100 = machine("ssh-ng://root@h100", "cuda", "gpu-h100", "cuda-sm-90", "nvidia-driver-580", speed=2)
TRAIN = Need("train", SYSTEM, ("cuda", "cuda-sm-90", "gpu-h100"))


def test_this_machine_first_and_the_gpu_where_it_is() -> None:
    assert place([Need("prepare", SYSTEM), TRAIN], [A100, H100, HERE]) == {"prepare": HERE, "train": H100}


def test_the_quicker_of_two_and_of_equals_the_first() -> None:
    on_any_gpu = Need("train", SYSTEM, ("cuda",))
    assert place([on_any_gpu], [A100, H100])["train"] is H100
    twin = machine("ssh-ng://twin", "cuda", speed=2)
    assert place([on_any_gpu], [H100, twin])["train"] is H100
    assert place([on_any_gpu], [twin, H100])["train"] is twin


def test_a_machine_with_mandatory_features_is_left_to_those_who_ask() -> None:
    assert place([Need("prepare", SYSTEM)], [A100, H100])["prepare"] is H100


def test_a_machine_with_no_jobs_gets_none() -> None:
    idle = machine("", jobs=0)
    assert place([Need("prepare", SYSTEM)], [idle, H100])["prepare"] is H100


def test_where_nothing_fits_a_table_compares_each_field_of_each_machine() -> None:
    need = Need("train", SYSTEM, ("big", "cuda", "gpu-h100", "cuda-sm-90", "nvidia-driver-590"))
    with pytest.raises(NoBuilderError) as caught:
        place([Need("prepare", SYSTEM), need], [HERE, A100, H100])
    error = caught.value
    assert error.exit_status == 3 and error.message.startswith("stage train: ")
    assert error.details == (
        "builder       system        other features  CUDA    GPU     compute capability  driver",
        "required      x86_64-linux  big             yes     h100    9.0                 590",
        "this machine  ✓             ✗ no big        ✗ none  ✗ none  ✗ none              ✗ none",
        "a100          ✓             ✗ no big        ✓       ✗ a100  ✗ 8.0               ✗ 580",
        "h100          ✓             ✗ no big        ✓       ✓       ✓                   ✗ 580",
        "nearest fit: h100, but lacks big, lacks nvidia-driver-590",
    )
    assert error.document()["offers"][2] == {
        "builder": "h100",
        "system": "✓",
        "other features": "✗ no big",
        "CUDA": "✓",
        "GPU": "✓",
        "compute capability": "✓",
        "driver": "✗ 580",
    }


def test_the_table_says_what_a_machine_demands_and_that_it_has_no_jobs() -> None:
    idle = Machine("", ("aarch64-linux", "armv7l-linux"), max_jobs=0)
    with pytest.raises(NoBuilderError) as caught:
        place([Need("prepare", SYSTEM)], [idle, A100])
    assert caught.value.details == (
        "builder       system                         takes only            jobs",
        "required      x86_64-linux",
        "this machine  ✗ aarch64-linux, armv7l-linux  ✓                     ✗ 0",
        "a100          ✓                              ✗ what asks for cuda  ✓",
        "nearest fit: a100, but takes only what asks for cuda",
    )


def test_without_any_machine_the_requirement_stands_alone() -> None:
    with pytest.raises(NoBuilderError) as caught:
        place([TRAIN], [])
    assert len(caught.value.details) == 2


features = st.frozensets(st.sampled_from(["cuda", "gpu-a", "gpu-b", "nvidia-driver-580"]))
systems = st.sampled_from([SYSTEM, "aarch64-linux"])
some_machines = st.lists(
    st.builds(
        Machine,
        uri=st.sampled_from(["", "ssh-ng://a", "ssh-ng://b"]),
        systems=st.lists(systems, min_size=1, max_size=2).map(tuple),
        supported=features,
        mandatory=features,
        max_jobs=st.integers(0, 2),
        speed_factor=st.sampled_from([1.0, 2.0]),
    ),
    max_size=4,
)
some_needs = st.lists(st.builds(Need, st.sampled_from("abc"), systems, features.map(tuple)), max_size=3)


@given(some_needs, some_machines)
def test_nothing_is_placed_where_nix_would_not_give_it(needs: list[Need], machines: list[Machine]) -> None:
    def fits(one: Machine, need: Need) -> bool:
        return one.max_jobs > 0 and one.takes(need.system, need.features)

    try:
        chosen = place(needs, machines)
    except NoBuilderError:
        assert any(not any(fits(one, need) for one in machines) for need in needs)
        return
    for need in {need.label: need for need in needs}.values():
        assert fits(chosen[need.label], need)
        assert chosen[need.label].is_local or not any(one.is_local and fits(one, need) for one in machines)


def test_driver_branches_are_said_in_short() -> None:
    older = {f"nvidia-driver-{branch}" for branch in (535, 570, 580)}
    said = in_short({*older, "nvidia-driver-branch-580", "cuda"})
    assert said == "cuda, nvidia-driver-580 and older, nvidia-driver-branch-580"
    assert in_short({"nvidia-driver-580"}) == "nvidia-driver-580"
