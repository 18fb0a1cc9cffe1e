"""Claims about which packages a base gets."""

from __future__ import annotations

import random

import pytest
from tests.golden.debian.tiny import BASE_PACKAGES

from reprobuild.adapters.debian.index import DebianIndex
from reprobuild.adapters.debian.relations import parse_relations
from reprobuild.core.deb_closure import base_closure, closure
from reprobuild.core.deb_package import Relation
from reprobuild.errors import ResolveError


def stanza(name: str, **fields: str) -> str:
    given = {
        "Version": "1",
        "Architecture": "amd64",
        "Filename": f"pool/main/{name}.deb",
        "Size": "7",
        "SHA256": "0" * 64,
        **{key.replace("_", "-"): value for key, value in fields.items()},
    }
    return f"Package: {name}\n" + "".join(f"{key}: {value}\n" for key, value in given.items())


def index(*stanzas: str) -> DebianIndex:
    return DebianIndex("\n".join(stanzas).encode())


def names(packages: DebianIndex, *roots: str) -> list[str]:
    return [package.name for package in closure(packages, roots)]


def test_depends_and_pre_depends_are_followed() -> None:
    packages = index(
        stanza("a", Depends="b", Pre_Depends="c"), stanza("b"), stanza("c", Depends="d"), stanza("d")
    )
    assert names(packages, "a") == ["a", "b", "c", "d"]


def test_recommended_packages_are_not_followed() -> None:
    assert names(index(stanza("a", Recommends="b"), stanza("b")), "a") == ["a"]


def test_circles_end() -> None:
    assert names(index(stanza("a", Depends="b"), stanza("b", Depends="a")), "a") == ["a", "b"]


def test_the_first_alternative_that_can_be_had_is_taken() -> None:
    packages = index(stanza("a", Depends="gone | c | b"), stanza("b"), stanza("c"))
    assert names(packages, "a") == ["a", "c"]


def test_an_alternative_of_a_version_that_does_not_fit_is_passed_over() -> None:
    packages = index(stanza("a", Depends="b (>= 2) | c"), stanza("b"), stanza("c"))
    assert names(packages, "a") == ["a", "c"]


def test_of_several_providers_the_first_by_name_is_taken() -> None:
    packages = index(
        stanza("z", Provides="mail"),
        stanza("m", Provides="x, mail"),
        stanza("a", Depends="mail"),
        stanza("n"),
    )
    assert names(packages, "a") == ["a", "m"]


def test_a_provider_without_version_does_not_fulfil_a_bound() -> None:
    packages = index(
        stanza("a", Depends="v (>= 1)"), stanza("b", Provides="v"), stanza("c", Provides="v (= 2)")
    )
    assert names(packages, "a") == ["a", "c"]


def test_a_name_inside_another_name_is_no_provider() -> None:
    with pytest.raises(ResolveError):
        names(index(stanza("a", Depends="awk"), stanza("b", Provides="mawk")), "a")


def test_what_only_serves_installation_is_cut_off() -> None:
    packages = index(stanza("a", Depends="debconf (>= 0.5) | debconf-2.0, gcc-12-base"), stanza("debconf"))
    assert names(packages, "a") == ["a"]


def test_a_root_is_never_cut_off() -> None:
    packages = index(stanza("tar"), stanza("a", Depends="tar"))
    assert names(packages, "a") == ["a"]
    assert names(packages, "a", "tar") == ["a", "tar"]


def test_a_missing_dependency_names_who_wants_it() -> None:
    with pytest.raises(ResolveError) as caught:
        names(index(stanza("a", Depends="b (>= 2) | c"), stanza("b")), "a")
    assert "package a" in caught.value.message
    assert caught.value.expected == "b (>= 2) | c"
    assert caught.value.hint is not None


def test_a_missing_root_is_named() -> None:
    with pytest.raises(ResolveError, match="nope"):
        names(index(stanza("a")), "nope")


def test_the_newest_of_two_versions_counts() -> None:
    one, two = stanza("a", Version="1.9"), stanza("a", Version="1.10")
    for packages in (index(one, two), index(two, one)):
        found = packages.get("a")
        assert found is not None and found.version == "1.10"


def test_the_closure_does_not_depend_on_the_order_of_the_index() -> None:
    stanzas = [stanza(name, **fields) for name, fields in BASE_PACKAGES.items()]
    wanted = base_closure(index(*stanzas), ["jq"])
    for seed in range(10):
        random.Random(seed).shuffle(stanzas)
        assert base_closure(index(*stanzas), ["jq"]) == wanted


def test_a_base_says_which_python_and_glibc_it_has() -> None:
    base = base_closure(index(*(stanza(name, **fields) for name, fields in BASE_PACKAGES.items())))
    assert (base.python_version, base.glibc_version, base.seed.name) == ("3.11", "2.36", "busybox-static")
    assert [package.name for package in base.packages] == [
        "libc6", "libgcc-s1", "libgomp1", "libstdc++6", "mawk", "python3.11", "tzdata",
    ]  # fmt: skip


def test_each_package_says_which_of_the_others_it_needs() -> None:
    base = base_closure(index(*(stanza(name, **fields) for name, fields in BASE_PACKAGES.items())))
    known = {package.name for package in base.packages}
    assert base.depends["libgcc-s1"] == ("libc6",) and base.depends["python3.11"]
    assert set(base.depends) == known
    assert {name for needed in base.depends.values() for name in needed} <= known, (
        "what is cut off is no edge"
    )


def test_relations_are_read() -> None:
    assert parse_relations("a (>= 1:2.3~), b:any | c (<< 4) ,d(=1)") == (
        (Relation("a", ">=", "1:2.3~"),),
        (Relation("b"), Relation("c", "<<", "4")),
        (Relation("d", "=", "1"),),
    )
    assert parse_relations("") == ()


def test_a_relation_that_cannot_be_read_is_shown() -> None:
    with pytest.raises(ResolveError) as caught:
        parse_relations("a (about 3)")
    assert caught.value.actual == "a (about 3)"


@pytest.mark.parametrize("text", [b"no index", b"Package: a\nVersion: 1\n"])
def test_a_damaged_index_is_an_error(text: bytes) -> None:
    with pytest.raises(ResolveError, match="index"):
        DebianIndex(text).get("a")
    with pytest.raises(ResolveError, match="index"):
        DebianIndex.of_xz(text)
