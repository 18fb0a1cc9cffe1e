"""What a lock is made from: a change of it makes the lock stale, a change of anything else does not."""

from __future__ import annotations

import pytest

from reprobuild.core.lock_inputs import input_digests
from reprobuild.core.spec_parse import parse_spec, parse_toml
from reprobuild.domain.digest import Digest

from .spec_examples import SPEC, edited, on_gpu, with_section


def digests(text: str, requirements: bytes | None = None) -> dict[str, str]:
    digest = Digest.of_bytes(requirements) if requirements is not None else None
    return dict(input_digests(parse_spec(parse_toml(text)), digest))


def changed(text: str) -> set[str]:
    before, after = digests(SPEC), digests(text)
    return {part for part in before if before[part] != after[part]}


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        (with_section('[base]\nsuite = "trixie"'), {"base"}),
        (with_section('[base]\nsnapshot = "20261120T000000Z"'), {"base"}),
        (with_section('[base]\npackages = ["libgomp1"]'), {"base"}),
        (with_section('[python]\nrequirements = ["numpy"]'), {"python"}),
        (on_gpu(""), {"python"}),
        (on_gpu('[cuda]\ntoolkit = "13.0"'), {"python"}),
        (on_gpu('[cuda]\ntoolkit = "13.0"\nnvcc = true'), {"base", "python"}),
        (with_section('[numerics]\nlevel = "portable"'), {"base"}),
        (with_section('[hardware]\nsystem = "aarch64-linux"'), {"base", "python"}),
        (edited('path = "rows.csv"', 'path = "other.csv"'), {"data"}),
        (
            with_section('[datasets.b]\npath = "b"\nsource = "s"\nlicense = "l"\nretrieved = "2026-01-01"'),
            {"data"},
        ),
    ],
)
def test_what_decides_the_lock_makes_it_stale(text: str, parts: set[str]) -> None:
    assert changed(text) == parts


@pytest.mark.parametrize(
    "text",
    [
        edited("lr = 0.1", "lr = 0.2"),
        edited('version = "1.0.0"', 'version = "2.0.0"'),
        edited('license = "CC-BY-4.0"', 'license = "MIT"'),
        edited("minimum = 0.5", "minimum = 0.6"),
        with_section("[numerics]\nseed = 9"),
        with_section('[numerics]\nlevel = "tolerant"'),
        with_section('[base]\nmirrors = ["https://mirror.example.org/debian"]'),
        with_section('[base]\nsuite = "bookworm"\nkind = "debian"'),
        "# a comment\n" + SPEC,
    ],
)
def test_anything_else_leaves_it_fresh(text: str) -> None:
    assert changed(text) == set()


def test_of_a_gpu_only_the_accelerator_decides_what_is_locked() -> None:
    driver = on_gpu('gpu = "h100"\n[driver]\nminimum = "580.65"')
    assert digests(driver) == digests(on_gpu("")) != digests(SPEC)


def test_the_requirements_file_counts_by_its_content() -> None:
    text = with_section('[python]\nrequirements_file = "requirements.txt"')
    assert digests(text, b"numpy") == digests(text, b"numpy")
    assert digests(text, b"numpy")["python"] != digests(text, b"torch")["python"]


def test_the_rule_itself_does_not_drift() -> None:
    """These digests stand in locks that people keep: another value makes all of them stale."""
    text = with_section('[python]\nrequirements = ["numpy>=2", "zürich"]')
    assert digests(text) == GOLDEN


GOLDEN = {
    "base": "5fcafb1890a7bc0bdd0be839ba2be8fac5301cf96a245648806b45421f472872",
    "data": "9b919e5b279323e3a4c2a0febf4adc9322101037b30713bbdd55b6616ee7ae5a",
    "python": "018ed5748f727e69e56517b7de24858186b35b5da1d75b0eef5d675365314f14",
}
