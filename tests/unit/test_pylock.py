from __future__ import annotations

from pathlib import Path

import pytest

from reprobuild.core.pylock import parse
from reprobuild.domain.digest import Digest
from reprobuild.errors import ResolveError

GOLDEN = Path(__file__).parents[1] / "golden" / "pylock"
HEAD = 'lock-version = "1.0"\ncreated-by = "x"\n'


def test_what_uv_writes_is_read() -> None:
    packages = {one.name: one for one in parse((GOLDEN / "torch-cpu.pylock.toml").read_text(), "golden")}
    torch = packages["torch"]
    assert torch.version == "2.13.0+cpu"
    assert torch.wheels[0].file_name == "torch-2.13.0+cpu-cp311-cp311-manylinux_2_28_x86_64.whl"
    assert torch.wheels[0].location.startswith("file:///srv/wheelhouse/")
    assert all(one.wheels[0].sha256 is not None for one in packages.values())


def test_names_are_normalised_and_sizes_kept() -> None:
    text = HEAD + (
        '[[packages]]\nname = "Typing_Extensions"\nversion = "1"\n'
        f'wheels = [{{ url = "https://h.example/a%2Bb-1-py3-none-any.whl#x", size = 7, '
        f'hashes = {{ sha256 = "{"0" * 64}", sha512 = "00" }} }}, '
        '{ path = "w/c-1-py3-none-any.whl", hashes = {} }]\n'
    )
    (package,) = parse(text, "x")
    assert package.name == "typing-extensions"
    first, second = package.wheels
    assert (first.file_name, first.size_bytes, first.sha256) == (
        "a+b-1-py3-none-any.whl",
        7,
        Digest("0" * 64),
    )
    assert (second.file_name, second.location, second.sha256) == (
        "c-1-py3-none-any.whl",
        "w/c-1-py3-none-any.whl",
        None,
    )


def test_a_direct_address_of_a_wheel_counts_as_its_wheel() -> None:
    archive = (
        f'archive = {{ url = "file:///w/a-2.0-py3-none-any.whl", hashes = {{ sha256 = "{"1" * 64}" }} }}\n'
    )
    (package,) = parse(HEAD + f'[[packages]]\nname = "a"\n{archive}', "x")
    assert (package.version, package.other, len(package.wheels)) == ("2.0", None, 1)


def test_a_package_without_wheels_says_what_it_is_instead() -> None:
    (package,) = parse(HEAD + '[[packages]]\nname = "a"\nvcs = { type = "git" }\n', "x")
    assert (package.wheels, package.other) == ((), "vcs")


@pytest.mark.parametrize(
    ("text", "where"),
    [
        ("lock-version = [", "is not TOML"),
        ('created-by = "x"\n', "lock-version"),
        ('lock-version = "2.0"\n', "lock-version is not one we can read"),
        (HEAD + 'packages = "a"\n', "packages"),
        (HEAD + "[[packages]]\nname = 3\n", r"packages\[0\].name"),
        (HEAD + '[[packages]]\nname = "a"\nwheels = [{}]\n', r"packages\[0\].wheels\[0\].url"),
        (HEAD + '[[packages]]\nname = "a"\nwheels = [{ url = "x", size = -1 }]\n', "size"),
        (HEAD + '[[packages]]\nname = "a"\nwheels = [{ url = "x", hashes = { sha256 = "zz" } }]\n', "sha256"),
    ],
)
def test_a_wrong_field_is_named(text: str, where: str) -> None:
    with pytest.raises(ResolveError, match=where):
        parse(text, "pylock")
