"""What a builder claims against what was found there; and what ssh's words mean."""

from __future__ import annotations

import dataclasses

import pytest

from reprobuild.core.builder_facts import parse_facts
from reprobuild.core.ssh_failure import ssh_failure
from reprobuild.domain.builder_facts import BuilderFacts
from reprobuild.domain.finding import Finding
from reprobuild.domain.machine import Machine
from reprobuild.errors import BuilderError
from reprobuild.services.builder_check import BuilderCheckService

from .builder_fakes import FACTS, FakeBuilders, gpu_profile

GPU = Machine(
    "ssh-ng://me@gpu1",
    ("x86_64-linux",),
    supported=frozenset({"gpu-h100", "kvm"}),
    mandatory=frozenset({"cuda"}),
)
OFFERING = dataclasses.replace(
    FACTS,
    hook_runs=True,
    settings={**FACTS.settings, "system-features": "kvm cuda gpu-h100", "pre-build-hook": "/hook"},
)


def check(builders: FakeBuilders, machine: Machine = GPU) -> dict[str, Finding]:
    return {finding.name: finding for finding in BuilderCheckService(builders).run(machine)}


def good() -> FakeBuilders:
    return FakeBuilders(OFFERING, gpu_profile("cuda", "gpu-h100"))


def with_facts(**changes: object) -> FakeBuilders:
    return FakeBuilders(dataclasses.replace(OFFERING, **changes), gpu_profile("cuda", "gpu-h100"))


def with_setting(name: str, value: str) -> FakeBuilders:
    return with_facts(settings={**OFFERING.settings, name: value})


def test_a_builder_that_is_as_claimed() -> None:
    found = check(good())
    assert [one.state for one in found.values()] == ["ok"] * len(found)
    assert next(iter(found)) == "connection" and list(found)[-1] == "sandbox" and "gpu hook" in found


@pytest.mark.parametrize(
    ("builders", "name", "state", "words"),
    [
        (with_facts(nix_version="2.3.16"), "nix", "failed", "version 2.3.16"),
        (with_facts(store_dir="/gnu/store"), "store", "failed", "no path means the same on both"),
        (with_setting("system", "aarch64-linux"), "systems", "failed", "claimed x86_64-linux"),
        (with_setting("system-features", "kvm cuda"), "system features", "failed", "nix.conf: gpu-h100"),
        (FakeBuilders(OFFERING, gpu_profile("cuda", "gpu-a100")), "hardware", "failed", "there: gpu-h100"),
        (
            FakeBuilders(OFFERING, gpu_profile("cuda", "gpu-h100", "cuda-sm-90")),
            "hardware",
            "warning",
            "not claimed: cuda-sm-90",
        ),
        (with_facts(has_python=False), "hardware", "warning", "no python3"),
        (with_facts(hook_runs=False), "gpu hook", "failed", "/hook cannot be run"),
        (with_setting("pre-build-hook", ""), "gpu hook", "failed", "builds there do not see the GPU"),
        (with_setting("trusted-users", "root"), "trust", "failed", "user me is not trusted"),
        (with_facts(free_bytes=10**9), "disk", "warning", "1.0 GB free"),
        (with_facts(ahead_s=-90.0), "clock", "warning", "90 s behind"),
        (
            FakeBuilders(OFFERING, gpu_profile("cuda", "gpu-h100"), sandbox="none"),
            "sandbox",
            "failed",
            "none",
        ),
    ],
)
def test_each_difference_is_named_with_the_way_to_mend_it(
    builders: FakeBuilders, name: str, state: str, words: str
) -> None:
    found = check(builders)
    assert found[name].state == state and words in found[name].found and found[name].mend
    worst = [one for one in found.values() if one.state != "ok"]
    assert worst == [found[name]]


def test_the_way_there_is_measured_against_a_floor_where_one_is_given() -> None:
    slow = dataclasses.replace(good(), bytes_per_s=1.25e6)  # 10 Mbit/s
    assert "link" not in check(slow)
    found = {finding.name: finding for finding in BuilderCheckService(slow).run(GPU, 10.5)}
    assert found["link"].state == "failed" and "10.0 Mbit/s" in found["link"].found and found["link"].mend
    found = {finding.name: finding for finding in BuilderCheckService(slow).run(GPU, 9.5)}
    assert found["link"].state == "ok"


def test_nothing_is_built_on_a_nix_that_is_too_old() -> None:
    assert list(check(with_facts(nix_version="2.3.16"))) == ["connection", "nix", "store"]


def test_without_a_connection_nothing_else_is_said() -> None:
    refused = FakeBuilders(OFFERING, error=BuilderError("builder gpu1: it cannot be reached", hint="wait"))
    assert check(refused) == {"connection": Finding("connection", "failed", "it cannot be reached", "wait")}
    no_nix = check(with_facts(nix_version=None))
    assert "find no Nix" in no_nix["connection"].found and len(no_nix) == 1


def test_a_builder_without_gpu_needs_no_hook() -> None:
    cpu = Machine("ssh-ng://cpu", ("x86_64-linux",), frozenset({"kvm"}))
    found = check(FakeBuilders(FACTS, gpu_profile()), cpu)
    assert "gpu hook" not in found and found["hardware"].state == "ok"


@pytest.mark.parametrize(
    ("user", "groups", "trusted", "writes", "expected"),
    [
        ("me", (), "root me", False, True),
        ("me", ("wheel",), "root @wheel", False, True),
        ("me", (), "*", False, True),
        ("me", ("wheel",), "root", False, False),
        ("root", (), "", True, True),
    ],
)
def test_who_may_add_unsigned_paths(
    user: str, groups: tuple[str, ...], trusted: str, writes: bool, expected: bool
) -> None:
    facts = BuilderFacts(0.0, user, groups, writes_store=writes, settings={"trusted-users": trusted})
    assert facts.trusts_us is expected


PRINTED = (
    "clock_s\t1000\nuser\tme\ngroups\tme wheel\npython3\tyes\nnix_version\tnix-store (Nix) 2.8.0\n"
    "store_dir\t/nix/store\nfree_kib\t2048\nsetting system\tx86_64-linux\nsetting pre-build-hook\t\n"
)


def test_what_the_script_prints_is_read() -> None:
    facts = parse_facts(PRINTED, asked_s=1000.2, answered_s=1000.9)
    assert (facts.nix_version, facts.free_bytes, facts.groups) == ("2.8.0", 2097152, ("me", "wheel"))
    assert facts.words("system") == ("x86_64-linux",) and not facts.words("pre-build-hook")
    assert facts.has_python and not facts.hook_runs


@pytest.mark.parametrize(
    ("asked_s", "answered_s", "ahead_s"), [(1000.5, 1003, 0), (990, 991, 9), (1011, 1012, -10)]
)
def test_a_clock_is_judged_by_the_time_that_asking_took(
    asked_s: float, answered_s: float, ahead_s: float
) -> None:
    assert parse_facts(PRINTED, asked_s=asked_s, answered_s=answered_s).ahead_s == ahead_s


def test_what_a_shells_start_up_file_prints_does_not_disturb() -> None:
    assert parse_facts("Welcome!\n" + PRINTED, asked_s=0, answered_s=1).user == "me"
    with pytest.raises(ValueError, match="clock_s"):
        parse_facts("Welcome!\n", asked_s=0, answered_s=1)


@pytest.mark.parametrize(
    ("stderr", "words"),
    [
        ("ssh: connect to host gpu1 port 22: Connection refused", "cannot be reached"),
        ("ssh: connect to host gpu1 port 22: No route to host", "cannot be reached"),
        ("ssh: connect to host 10.0.0.1 port 22: Connection timed out", "cannot be reached"),
        ("ssh: Could not resolve hostname gpu1: Name or service not known", "no host of this name"),
        ("me@gpu1: Permission denied (publickey).", "refused our key"),
        ("@@@@@@@\n@ WARNING: REMOTE HOST IDENTIFICATION HAS CHANGED!     @\n@@@@@@@", "another machine"),
        ("No ED25519 host key is known for gpu1 and …\nHost key verification failed.", "not known here"),
        ("bash: line 1: nix-daemon: command not found\nerror: cannot open connection", "find no Nix"),
        ("sh: 1: nix-store: not found", "find no Nix"),
    ],
)  # fmt: skip
def test_words_of_ssh(stderr: str, words: str) -> None:
    error = ssh_failure("gpu1", stderr)
    assert error is not None and error.message.startswith("builder gpu1: ") and words in error.message
    assert error.hint


def test_words_of_others_are_not_taken_for_those_of_ssh() -> None:
    assert ssh_failure("gpu1", "error: builder for '/nix/store/x.drv' failed with exit code 1") is None
