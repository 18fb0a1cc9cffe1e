"""Naming builders: what the user says counts first, then what was measured, then what was known before."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import pytest

from reprobuild.core.builder_entry import BuilderWish
from reprobuild.errors import BuilderError, MachinesFileError, UsageError
from reprobuild.services.builder_list import BuilderListService

from .builder_fakes import FACTS, FakeBuilders, FakeFiles, gpu_profile

USERS = "/home/me/machines"
GPU = FakeBuilders(FACTS, gpu_profile("cuda", "gpu-h100"))
SILENT = FakeBuilders(FACTS, error=BuilderError("builder gpu1: it cannot be reached", hint="switch it on"))


def service(files: FakeFiles, builders: FakeBuilders = GPU) -> BuilderListService:
    return BuilderListService(files, builders, lambda: "x86_64-linux")


def test_a_machine_with_a_gpu_is_kept_for_builds_that_ask_and_takes_one_at_a_time() -> None:
    files = FakeFiles()
    added = service(files).add(BuilderWish("me@gpu1"))
    assert added.line == "ssh-ng://me@gpu1 x86_64-linux,x86_64-v3-linux - 1 1 gpu-h100,kvm cuda"
    assert files.texts[USERS] == added.line + "\n"
    assert added.notes == (
        "its nix.conf does not offer cuda, gpu-h100: run `reprobuild builder setup` there",
    )


def test_a_machine_without_gpu_takes_as_many_as_its_nix() -> None:
    added = service(FakeFiles(), FakeBuilders(FACTS)).add(BuilderWish("cpu1"))
    assert added.line == "ssh-ng://cpu1 x86_64-linux,x86_64-v3-linux - 4 1 kvm" and not added.notes


def test_what_the_user_says_counts_first() -> None:
    wish = BuilderWish(
        "ssh://gpu1",
        features=("mine",),
        mandatory=("gpu-h100",),
        systems=("i686-linux",),
        jobs=3,
        speed=7,
        ssh_key="/key",
        host_key="QQ==",
    )
    added = service(FakeFiles()).add(wish)
    assert added.line == "ssh://gpu1 i686-linux /key 3 7 cuda,kvm,mine gpu-h100 QQ=="


def test_a_known_builder_is_measured_again_and_its_line_keeps_the_rest() -> None:
    files = FakeFiles({USERS: "# mine\nssh-ng://gpu1 x86_64-linux /key 2 9 cuda-sm-80,old - QQ== # fast\n"})
    added = service(files).add(BuilderWish("gpu1"))
    assert files.texts[USERS] == (
        "# mine\nssh-ng://gpu1 x86_64-linux,x86_64-v3-linux /key 2 9 cuda,gpu-h100,kvm - QQ== # fast\n"
    )
    assert added.before is not None and added.before.features == {"cuda-sm-80", "old"}


def test_a_builder_that_does_not_answer_is_written_down_as_it_is_said() -> None:
    files = FakeFiles()
    added = service(files, SILENT).add(BuilderWish("gpu1", features=("cuda",)))
    assert added.line == "ssh-ng://gpu1 x86_64-linux - 1 1 cuda"
    assert added.notes == ("not asked what it has: builder gpu1: it cannot be reached; switch it on",)
    kept = service(files, SILENT).add(BuilderWish("gpu1", jobs=2))
    assert kept.line == "ssh-ng://gpu1 x86_64-linux - 2 1 cuda"


def test_who_insists_on_measuring_gets_the_error_and_nothing_written() -> None:
    files = FakeFiles()
    with pytest.raises(BuilderError):
        service(files, SILENT).add(BuilderWish("gpu1"), probe=True)
    assert files.texts == {}


def test_who_does_not_want_it_asked_is_not_connected() -> None:
    builders = FakeBuilders(FACTS)
    service(FakeFiles(), builders).add(BuilderWish("gpu1"), probe=False)
    assert builders.asked == []


def test_a_dry_run_writes_nothing() -> None:
    files = FakeFiles()
    assert service(files).add(BuilderWish("gpu1"), write=False).line and files.texts == {}


def test_what_is_missing_on_the_builder_is_said() -> None:
    no_nix = FakeBuilders(dataclasses.replace(FACTS, nix_version=None))
    assert "no Nix" in service(FakeFiles(), no_nix).add(BuilderWish("a")).notes[0]
    no_python = FakeBuilders(dataclasses.replace(FACTS, has_python=False))
    assert "no python3" in service(FakeFiles(), no_python).add(BuilderWish("a")).notes[0]


@pytest.mark.parametrize("address", ["gpu1:2222", "ssh-ng://me@gpu1:2222", "ssh://gpu1:22?compress=true"])
def test_a_port_is_refused_for_old_nix_takes_it_for_a_name(address: str) -> None:
    with pytest.raises(UsageError, match="port") as caught:
        service(FakeFiles()).add(BuilderWish(address))
    assert "~/.ssh/config" in (caught.value.hint or "")


def test_what_cannot_be_written_is_refused_before_anybody_is_asked() -> None:
    builders = FakeBuilders(FACTS)
    with pytest.raises(MachinesFileError):
        service(FakeFiles(), builders).add(BuilderWish("gpu1", ssh_key="/a key"))
    assert builders.asked == []


def test_a_name_or_an_address_means_a_builder_and_a_wrong_one_the_nearest() -> None:
    files = FakeFiles({USERS: "ssh-ng://me@gpu1\n", "/etc/nix/machines": "gpu2\nroot@gpu2\n"})
    builders = service(files)
    assert builders.named("gpu1").machine == builders.named("ssh-ng://me@gpu1").machine
    with pytest.raises(UsageError, match="more than one") as caught:
        builders.named("gpu2")
    assert caught.value.expected == "one of ssh://gpu2, ssh://root@gpu2"
    with pytest.raises(UsageError, match="no such builder") as caught:
        builders.named("gpu11")
    assert caught.value.hint == "did you mean `gpu1`?"
    with pytest.raises(UsageError, match="no machines file has this address"):
        builders.named("ssh-ng://gpu3")


def test_remove_takes_it_out_of_the_users_file_and_says_where_else_it_stands() -> None:
    files = FakeFiles({USERS: "# mine\na\nb\n", "/etc/nix/machines": "c\n"})
    machine, file = service(files).remove("a")
    assert (machine.uri, str(file), files.texts[USERS]) == ("ssh://a", USERS, "# mine\nb\n")
    with pytest.raises(UsageError, match="builder c stands in /etc/nix/machines"):
        service(files).remove("c")
    service(files).remove("c", Path("/etc/nix/machines"))
    assert files.texts["/etc/nix/machines"] == ""
