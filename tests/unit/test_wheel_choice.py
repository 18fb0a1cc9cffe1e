from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reprobuild.core.wheel_choice import choose_wheel, fits
from reprobuild.errors import UnsupportedWheelError

BOOKWORM = ("3.11", "2.36", "x86_64-linux")


def choose(*tags: str, base: tuple[str, str, str] = BOOKWORM) -> str:
    found = choose_wheel("pkg 1.0", [f"pkg-1.0-{tag}.whl" for tag in tags], *base)
    return found.removeprefix("pkg-1.0-").removesuffix(".whl")


def test_the_most_specific_wheel_is_taken() -> None:
    own = "cp311-cp311-manylinux_2_28_x86_64"
    assert choose("py3-none-any", "cp38-abi3-manylinux_2_28_x86_64", own) == own
    assert choose("py3-none-any", "cp38-abi3-manylinux_2_28_x86_64") == "cp38-abi3-manylinux_2_28_x86_64"


def test_a_newer_glibc_of_the_same_abi_is_taken_up_to_the_base_s() -> None:
    tags = [f"cp311-cp311-manylinux_2_{minor}_x86_64" for minor in (17, 28, 36, 39)]
    assert choose(*tags) == tags[2]
    assert choose(*tags, base=("3.11", "2.41", "x86_64-linux")) == tags[3]


def test_old_names_of_manylinux_count() -> None:
    assert fits("pkg-1.0-cp311-cp311-manylinux2014_x86_64.whl", *BOOKWORM)
    assert fits("pkg-1.0-py3-none-manylinux1_x86_64.manylinux_2_5_x86_64.musllinux_1_1_x86_64.whl", *BOOKWORM)
    assert not fits("pkg-1.0-cp311-cp311-manylinux1_aarch64.whl", "3.11", "2.36", "aarch64-linux")


def test_wheels_of_others_do_not_fit() -> None:
    for tag in (
        "cp312-cp312-manylinux_2_28_x86_64",
        "cp312-abi3-manylinux_2_28_x86_64",
        "cp311-cp311-manylinux_2_28_aarch64",
        "cp311-cp311-musllinux_1_2_x86_64",
        "cp311-cp311-win_amd64",
        "cp313-cp313t-manylinux_2_28_x86_64",
    ):
        assert not fits(f"pkg-1.0-{tag}.whl", *BOOKWORM), tag
    assert not fits("pkg-1.0.tar.gz", *BOOKWORM)


def test_the_newest_build_of_equal_wheels_is_taken() -> None:
    names = ["pkg-1.0-2-py3-none-any.whl", "pkg-1.0-10-py3-none-any.whl", "pkg-1.0-py3-none-any.whl"]
    assert choose_wheel("pkg 1.0", names, *BOOKWORM) == names[1]


@given(st.permutations([f"cp311-cp311-manylinux_2_{n}_x86_64" for n in (17, 24, 28, 34)] + ["py3-none-any"]))
def test_the_order_of_the_index_does_not_matter(tags: list[str]) -> None:
    assert choose(*tags) == "cp311-cp311-manylinux_2_34_x86_64"


def test_no_fit_names_what_there_is_and_what_the_base_has() -> None:
    with pytest.raises(UnsupportedWheelError) as caught:
        choose("cp312-cp312-manylinux_2_28_x86_64", "cp313-cp313-manylinux_2_28_x86_64")
    assert "pkg 1.0" in caught.value.message
    assert caught.value.expected == "cp311, abi3 or py3, for manylinux_2_36_x86_64 or older"
    assert caught.value.actual == "cp312-cp312-manylinux_2_28_x86_64, cp313-cp313-manylinux_2_28_x86_64"
