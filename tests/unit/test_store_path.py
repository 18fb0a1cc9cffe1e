"""Store paths computed without Nix are those that Nix computes."""

from __future__ import annotations

import pytest

from reprobuild.domain.digest import Digest
from reprobuild.domain.store import Derivation, Instantiation
from reprobuild.domain.store_path import fixed_output_path, store_name

HELLO = Digest.of_bytes(b"hello\n")
FLAT = "/nix/store/gy454w1cxaq731grqwylhzf4pp9r5izh-hello.txt"
RECURSIVE = "/nix/store/0zgbbyd533sbd98m5a7135zjdzj0cbna-hello.txt"


def test_a_flat_file_has_nixs_path() -> None:
    # nix-store --print-fixed-path sha256 $HEX hello.txt, Nix 2.8.0
    assert fixed_output_path("hello.txt", HELLO, "flat") == FLAT


def test_a_recursive_one_has_nixs_path() -> None:
    # nix-store --print-fixed-path --recursive sha256 $HEX hello.txt, Nix 2.8.0
    assert fixed_output_path("hello.txt", HELLO, "recursive") == RECURSIVE


def test_another_store_gives_another_path() -> None:
    assert fixed_output_path("hello.txt", HELLO, "flat", "/other/store").startswith("/other/store/")


@pytest.mark.parametrize(
    ("file_name", "name"),
    [
        (
            "numpy-2.0.0-cp311-cp311-manylinux_2_17_x86_64.whl",
            "numpy-2.0.0-cp311-cp311-manylinux_2_17_x86_64.whl",
        ),
        ("libstdc++6_12.2.0-14_amd64.deb", "libstdc__6_12.2.0-14_amd64.deb"),
        ("torch-2.5.1+cpu-cp311-linux.whl", "torch-2.5.1_cpu-cp311-linux.whl"),
        ("a b%20c.csv", "a_b_20c.csv"),
        ("zähler.csv", "z_hler.csv"),
        (".hidden", "_.hidden"),
    ],
)
def test_a_file_name_becomes_a_store_name(file_name: str, name: str) -> None:
    assert store_name(file_name) == name


def test_a_derivation_is_called_by_its_name() -> None:
    drv = Derivation(
        "/nix/store/kxaci1j7594kh5ksprdynjzqrwlx0l1q-digits-train.drv", "/nix/store/x-digits-train"
    )
    assert drv.name == "digits-train"


def test_labels_lead_from_derivations_to_what_people_call_them() -> None:
    drvs = {name: Derivation(f"/d/{name}.drv", f"/o/{name}") for name in ("m", "t", "e", "b", "w")}
    found = Instantiation(drvs["m"], {"train": drvs["t"]}, drvs["e"], drvs["b"], (drvs["w"],))
    assert found.labels() == {
        "/d/b.drv": "base",
        "/d/e.drv": "environment",
        "/d/t.drv": "train",
        "/d/m.drv": "model",
    }
    assert [drv.out_path for drv in found.all()] == ["/o/b", "/o/w", "/o/e", "/o/t", "/o/m"]
