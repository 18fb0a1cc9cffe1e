"""Who may send builds to other machines: Nix by the classic way, told of the machines chosen; else nobody but us."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from reprobuild.adapters.nix import realise
from reprobuild.domain.machine import Machine
from reprobuild.ports import Builder
from reprobuild.services.build import BuildRequest, BuildService
from reprobuild.services.preflight import Preflight

from .build_fakes import World
from .spec_examples import on_gpu

CPU1 = Machine("ssh-ng://root@cpu1", ("x86_64-linux",))
GPU1 = replace(CPU1, uri="ssh-ng://root@gpu1", supported=frozenset({"cuda"}))


@pytest.mark.parametrize(("named", "told"), [([], ["gpu1"]), ([CPU1], ["cpu1", "gpu1"]), ([GPU1], ["gpu1"])])
def test_nix_is_told_of_the_machines_that_were_chosen(
    tmp_path: Path, named: Sequence[Machine], told: Sequence[str]
) -> None:
    world = World(tmp_path)
    names: list[str] = []

    def classic(machines: Sequence[Machine]) -> Builder:
        names.extend(machine.name for machine in machines)
        return world

    service = BuildService(
        evaluator=world, store=world, builder=world, host=world, records=world, fetch=world.fetch,
        log_file=lambda drv_path: None, sandbox_problem=lambda: None, classic=classic,
        preflight=Preflight(lambda: world.here, lambda: [GPU1], named=named),
    )  # fmt: skip
    service.run(world.project(spec=on_gpu("")), BuildRequest(), world.new_view)
    assert names == told


@pytest.mark.parametrize(
    ("builders", "expected"), [((), ""), (None, None), (["ssh://a", "ssh://b"], "ssh://a ; ssh://b")]
)
def test_nix_sends_builds_only_where_it_is_told_to(
    builders: Sequence[str] | None, expected: str | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    given: dict[str, str] = {}

    def heard(name: str, arguments: Any, on_event: Any, settings: Mapping[str, str]) -> int:
        given.update(settings)
        return 0

    monkeypatch.setattr(realise, "run_heard", heard)
    realise.NixBuilder(builders).realise(["/x.drv"], lambda event: None, jobs=1)
    assert given.get("builders") == expected
