"""All spellings of one thing mean it, and nothing else."""

from __future__ import annotations

import pytest

from reprobuild.core.composition import pinned_parts
from reprobuild.core.part_query import any_digest, one_version, query_of
from reprobuild.domain.digest import Digest
from reprobuild.domain.lineage import Part
from reprobuild.errors import UsageError

from .lineage_examples import WHEEL, dataset, of_content
from .sbom_examples import source

DEB = Digest.of_bytes(b"the package")
SEED = of_content(source("seed", "busybox"), b"seed").model_copy(update={"deb_sha256": DEB})
(TYPING,) = pinned_parts([of_content(source("wheel", "typing-extensions"), b"typing")]).values()
(NUMPY,) = pinned_parts([of_content(WHEEL, b"numpy")]).values()
(ROWS,) = pinned_parts([dataset("rows", b"rows")]).values()
(BUSYBOX,) = pinned_parts([SEED]).values()
COMMIT = Part(node="commit abcdef1234", kind="commit", name="abcdef1234")


@pytest.mark.parametrize(
    ("text", "part"),
    [
        ("numpy", NUMPY),
        ("wheel numpy", NUMPY),
        ("wheel numpy 2.4.6", NUMPY),
        ("numpy 2.4.6", NUMPY),
        ("numpy==2.4.6", NUMPY),
        ("NumPy==2.4.6", NUMPY),
        ("NumPy 2.4.6", NUMPY),
        ("wheel NumPy==2.4.6", NUMPY),
        ("numpy == 2.4.6", NUMPY),
        (" Typing.Extensions ", TYPING),
        (WHEEL.file_name, NUMPY),
        (NUMPY.store_path, NUMPY),
        ("Typing_Extensions", TYPING),
        ("rows.csv", ROWS),
        ("data/rows.csv", ROWS),
        (DEB.hex, BUSYBOX),
        ("abcdef1", COMMIT),
        ("commit abcdef1234", COMMIT),
    ],
)
def test_a_name_means_one_thing(text: str, part: Part) -> None:
    assert [one for one in (NUMPY, TYPING, ROWS, BUSYBOX, COMMIT) if query_of(text).matches(one)] == [part]


@pytest.mark.parametrize("text", ["num", "numpy==2.4", "rows-csv", "abcdef", "bcdef12", "wheel", "", "2.4.6"])
def test_a_part_of_a_name_means_nothing(text: str) -> None:
    assert not any(query_of(text).matches(one) for one in (NUMPY, TYPING, ROWS, BUSYBOX, COMMIT))


@pytest.mark.parametrize(
    "text", ["numpy<2", "numpy >= 2", "numpy~=2.4", "numpy!=2.4.6", "numpy===2", "numpy==2.*", "numpy[x]>1"]
)
def test_a_range_of_versions_is_no_name(text: str) -> None:
    with pytest.raises(UsageError, match="a range of versions names nothing") as caught:
        one_version(text)
    assert caught.value.hint == "ask for `numpy`, of whatever version, or for `numpy==VERSION`"


@pytest.mark.parametrize(
    "text", ["numpy==2.4.6", "libssl3 3.0.20-1~deb12u2", "data/rows.csv", "torch==2.13.0+cpu", "sha256-A="]
)
def test_what_may_be_a_name_is_left_as_it_is(text: str) -> None:
    assert one_version(text) == text


def test_a_digest_is_read_in_every_spelling() -> None:
    digest = Digest.of_bytes(b"rows")
    for text in (digest, digest.hex, f"sha256:{digest.hex}", digest.nix32, f"sha256:{digest.nix32}"):
        assert any_digest(text) == digest
        assert query_of(text).matches(ROWS) and not query_of(text).matches(NUMPY)
    for text in (digest[:-2], digest.hex[:-1], "e" * 52, "sha256:", ""):
        assert any_digest(text) is None
