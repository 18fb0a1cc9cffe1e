"""Nix's machines file: read as Nix reads it, edited without loss."""

from __future__ import annotations

import base64
import dataclasses

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reprobuild.core.machines_file import (
    Entry,
    machine_line,
    parse_machines,
    with_machine,
    without_machine,
)
from reprobuild.domain.machine import Machine
from reprobuild.errors import MachinesFileError

SYSTEM = "x86_64-linux"
# Lines as people have them: Nix's manual, NixOS's module, a Hydra, one with all columns.
MANUAL = """\
ssh://nix@scratchy.labs.cs.uu.nl i686-linux      /home/nix/.ssh/id_scratchy_auto        8 1 kvm
ssh://nix@itchy.labs.cs.uu.nl    i686-linux      /home/nix/.ssh/id_scratchy_auto        8 2
ssh://nix@poochie.labs.cs.uu.nl  i686-linux      /home/nix/.ssh/id_scratchy_auto        1 2 kvm benchmark
"""
NIXOS = (
    "ssh-ng://builder@gpu1 x86_64-linux,aarch64-linux /root/.ssh/id 4 10 big-parallel,cuda,kvm - "
    "c3NoLWVkMjU1MTkgQUFBQQo="
)


def parse(text: str, files: dict[str, str] | None = None) -> tuple[Entry, ...]:
    return parse_machines(text, "here", this_system=SYSTEM, read=lambda name: (files or {}).get(name, ""))


def machines(text: str) -> list[Machine]:
    return [entry.machine for entry in parse(text)]


def test_lines_of_nixs_manual() -> None:
    scratchy, itchy, poochie = machines(MANUAL)
    assert (scratchy.name, scratchy.max_jobs, scratchy.supported) == (
        "scratchy.labs.cs.uu.nl",
        8,
        frozenset({"kvm"}),
    )
    assert (itchy.speed_factor, itchy.features) == (2, frozenset())
    assert poochie.mandatory == {"benchmark"}


def test_all_columns() -> None:
    (found,) = machines(NIXOS)
    assert found == Machine(
        uri="ssh-ng://builder@gpu1",
        systems=("x86_64-linux", "aarch64-linux"),
        supported=frozenset({"big-parallel", "cuda", "kvm"}),
        ssh_key="/root/.ssh/id",
        max_jobs=4,
        speed_factor=10,
        host_key="c3NoLWVkMjU1MTkgQUFBQQo=",
    )
    assert machine_line(found) == NIXOS


def test_what_is_left_out_is_nixs_default() -> None:
    assert machines("gpu1") == [Machine("ssh://gpu1", (SYSTEM,))]
    assert machines("gpu1 - - - - - - -") == machines("gpu1")
    assert machines("ssh-ng://gpu1 - - 1 1.5")[0].speed_factor == 1.5


def test_semicolons_comments_and_blank_lines() -> None:
    assert [m.name for m in machines("a ; b x86_64-linux # c\n\n \t\n# d\n#e;f\n  g\r\n")] == [
        "a",
        "b",
        "f",  # Nix cuts at `;` before it looks for comments
        "g",
    ]


def test_files_read_files_and_say_which_machine_is_whose() -> None:
    files = {"/etc/nix/machines": "a\n@/etc/nix/more\n", "/etc/nix/more": "b\n"}
    found = parse("@/etc/nix/machines; c; @/nowhere", files)
    assert [(one.machine.name, one.origin) for one in found] == [
        ("a", "/etc/nix/machines"),
        ("b", "/etc/nix/more"),
        ("c", "here"),
    ]


def test_a_file_that_reads_itself_is_refused() -> None:
    with pytest.raises(MachinesFileError, match="reads itself"):
        parse("@a", {"a": "@b", "b": "@a"})


@pytest.mark.parametrize(
    "line", ["- x86_64-linux", "a - - many", "a - - -1", "a - - 1 nan", "a - - 1 1 - - §"]
)
def test_a_line_that_nix_refuses_is_named_with_its_file(line: str) -> None:
    with pytest.raises(MachinesFileError) as caught:
        parse("b\n" + line)
    assert (caught.value.actual, caught.value.actual_from) == (line, "here")


def test_another_machine_comes_last_and_all_else_stays() -> None:
    text = "# mine\n\ngpu1 - - 2  # the old one\nthis is no § line Nix reads\n@/etc/more"
    added = with_machine(text, Machine("ssh-ng://gpu2", (SYSTEM,)))
    assert added == text + "\nssh-ng://gpu2 x86_64-linux - 1 1\n"
    assert without_machine(added, "ssh-ng://gpu2") == text + "\n"


def test_a_known_machine_is_changed_in_its_place_with_its_comment() -> None:
    text = "a; gpu1 - - 2 ;b  # three\n"
    assert with_machine(text, Machine("ssh://gpu1", (SYSTEM,), max_jobs=3)) == (
        "a; ssh://gpu1 x86_64-linux - 3 1 ;b  # three\n"
    )


def test_removing_takes_the_line_and_nothing_else() -> None:
    text = "# head\na\r\n  gpu1 - - 2 # slow\n\nb;gpu1;c\n#gpu1\n"
    assert without_machine(text, "ssh://gpu1") == "# head\na\r\n\nb;c\n#gpu1\n"
    assert without_machine("gpu1;\n", "ssh://gpu1") == ""
    assert without_machine("a", "ssh://b") == "a"


def test_what_cannot_stand_in_a_file_is_refused() -> None:
    with pytest.raises(MachinesFileError, match="cannot stand"):
        machine_line(Machine("ssh://gpu1", (SYSTEM,), ssh_key="/home/a user/key"))


words = st.text(st.sampled_from("abz09-_.+"), min_size=1, max_size=8).filter(lambda word: word != "-")
a_machine = st.builds(
    Machine,
    uri=st.builds("{}://{}".format, st.sampled_from(["ssh", "ssh-ng"]), words),
    systems=st.lists(words, min_size=1, max_size=3).map(tuple),
    supported=st.frozensets(words, max_size=3),
    mandatory=st.frozensets(words, max_size=3),
    ssh_key=st.none() | words,
    max_jobs=st.integers(0, 99),
    speed_factor=st.integers(0, 99).map(float) | st.sampled_from([0.5, 1.25]),
    host_key=st.none() | st.binary(min_size=1).map(lambda key: base64.b64encode(key).decode()),
)
texts = st.text(st.sampled_from("ab#;@- \t\r\n"), max_size=40)


@given(a_machine)
def test_a_line_reads_back_as_the_same_machine(machine: Machine) -> None:
    assert machines(machine_line(machine)) == [machine]


@given(texts, a_machine)
def test_adding_and_removing_leaves_the_text_as_it_was(text: str, machine: Machine) -> None:
    machine = dataclasses.replace(machine, uri=f"{machine.uri}z")  # no text above names it
    added = with_machine(text, machine)
    assert with_machine(added, machine) == added
    assert without_machine(added, machine.uri) == (text if not text or text.endswith("\n") else text + "\n")
