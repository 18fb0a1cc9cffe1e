"""Pins move only when asked: what is unchanged keeps its pins and asks nobody."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path

import pytest

from reprobuild.core.deb_package import DebianBase, DebPin
from reprobuild.core.gpu_features import NVML_TOOL
from reprobuild.core.wheel_pin import ResolvedWheel
from reprobuild.domain.digest import Digest
from reprobuild.domain.lock import DebianBasePin, Source
from reprobuild.errors import (
    ContentMismatchError,
    LockStaleError,
    NotYetSupportedError,
    ResolveError,
    UsageError,
)
from reprobuild.services.lock import LockService
from reprobuild.services.project import open_project

from .spec_examples import SPEC, on_gpu

URL = "https://example.org/files/images.tar"
WITH_WHEELS = f'{SPEC}\n[python]\nrequirements = ["numpy", "zlib"]\n'


class World:
    """Everything outside: a Debian archive, an index of wheels, and who asked them what."""

    def __init__(self) -> None:
        self.date = "2026-11-20T00:00:00Z"
        self.python = "3.11"
        self.has_compiler = True
        self.versions = {"numpy": "1.0", "zlib": "1.0"}
        self.asked: list[str] = []
        self.keep: list[str] = []
        self.wanted: list[str] = []
        self.update: frozenset[str] = frozenset()

    def service(self) -> LockService:
        return LockService(
            base=lambda mirrors: self, wheels=Index(self), seed=self, hasher=self, url_size=self.url_size
        )

    def resolve(
        self, suite: str, *, snapshot: str | None = None, extra_packages: Iterable[str] = ()
    ) -> DebianBase:
        self.asked.append("base")
        return DebianBase(
            suite=suite,
            architecture="amd64",
            release_date=self.date,
            release_digest=Digest.of_bytes(self.date.encode()),
            python_version=self.python,
            glibc_version="2.36",
            packages=tuple(_deb(name, self.date) for name in ("libc6", *sorted(extra_packages))),
            seed_deb=_deb("busybox-static", self.date),
            compiler_deb=_deb("tcc", self.date) if self.has_compiler else None,
            host_compiler_debs=(_deb("g++", self.date), _deb("libc6", self.date))
            if self.has_compiler
            else (),
        )

    def pin(self, deb: DebPin, base: DebianBasePin, system: str, mirrors: Sequence[str]) -> Source:
        return Source(
            kind="seed",
            name="busybox",
            system=system,
            file_name="seed",
            sha256=deb.digest,
            size_bytes=1,
            mode="recursive",
        )

    def digest(self, file: Path) -> Digest:
        return Digest.of_bytes(file.read_bytes())

    def url_size(self, url: str) -> int:
        self.asked.append("url")
        return 7


class Index:
    def __init__(self, world: World) -> None:
        self.world = world

    def resolve(
        self,
        requirements: Sequence[str],
        files: Sequence[Path],
        *,
        python_version: str,
        glibc_version: str,
        system: str,
        keep: Sequence[Source] = (),
        update: frozenset[str] = frozenset(),
        constraints: Sequence[str] = (),
    ) -> tuple[ResolvedWheel, ...]:
        tools = any(requirement.startswith(("installer", NVML_TOOL)) for requirement in requirements)
        self.world.asked.append("tools" if tools else "wheels")
        names = [requirement.partition("==")[0] for requirement in requirements]
        kept = {wheel.name: wheel for wheel in keep if wheel.name not in update}
        if not tools:
            self.world.keep, self.world.update = sorted(kept), update
            self.world.wanted = list(requirements)
        return tuple(
            _wheel(
                name,
                kept[name].version or "" if name in kept else self.world.versions.get(name, "1"),
                python_version,
            )
            for name in names
        )


def _deb(name: str, date: str) -> DebPin:
    return DebPin(
        name=name,
        version="1",
        architecture="amd64",
        pool_path=f"pool/{name}_1_amd64.deb",
        digest=Digest.of_bytes(f"{name} {date}".encode()),
        size_bytes=10,
    )


def _wheel(name: str, version: str, python: str) -> ResolvedWheel:
    return ResolvedWheel(
        name=name,
        version=version,
        file_name=f"{name}-{version}-cp{python.replace('.', '')}-none-any.whl",
        sha256=Digest.of_bytes(f"{name} {version} {python}".encode()),
        size_bytes=10,
        index="pypi",
        addresses=("https://user:secret@index.example.org/x.whl",),
    )


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for name in ("prepare.py", "train.py", "rows.csv"):
        (tmp_path / name).write_text("1")
    (tmp_path / "reprobuild.toml").write_text(WITH_WHEELS)
    return tmp_path


@pytest.fixture
def world() -> World:
    return World()


def run(world: World, folder: Path, *update: str, dry_run: bool = False) -> list[str]:
    """Lock, and return the changes in words; `world.asked` holds who was asked."""
    world.asked.clear()
    outcome = world.service().run(open_project(folder), update=frozenset(update), dry_run=dry_run)
    return [change.line() for change in outcome.changes]


def text(folder: Path) -> str:
    return (folder / "reprobuild.lock").read_text()


def respec(folder: Path, before: str, after: str) -> None:
    spec = (folder / "reprobuild.toml").read_text()
    assert before in spec
    (folder / "reprobuild.toml").write_text(spec.replace(before, after))


def test_a_first_lock_pins_everything(world: World, folder: Path) -> None:
    changes = run(world, folder)
    assert [line.rpartition("  ")[0] for line in changes] == [
        "+ base x86_64-linux",
        "+ data rows",
        "+ deb libc6",
        "+ seed busybox",
        "+ tool installer",
        "+ tool patchelf",
        "+ wheel numpy",
        "+ wheel zlib",
    ]
    assert world.asked == ["base", "tools", "wheels"]


def test_a_second_lock_asks_nobody_and_changes_no_byte(world: World, folder: Path) -> None:
    run(world, folder)
    before, stamp = text(folder), (folder / "reprobuild.lock").stat().st_mtime_ns
    world.date, world.versions = "2026-12-24T00:00:00Z", {"numpy": "9"}
    assert run(world, folder) == []
    assert world.asked == []
    assert (text(folder), (folder / "reprobuild.lock").stat().st_mtime_ns) == (before, stamp)


def test_equal_worlds_give_equal_locks(folder: Path) -> None:
    run(World(), folder)
    first = text(folder)
    (folder / "reprobuild.lock").unlink()
    run(World(), folder)
    assert text(folder) == first


def test_no_address_and_no_secret_gets_into_the_lock(world: World, folder: Path) -> None:
    run(world, folder)
    assert "secret" not in text(folder) and "https://" not in text(folder)


def test_new_requirements_keep_what_is_pinned(world: World, folder: Path) -> None:
    run(world, folder)
    world.versions = {"numpy": "9", "torch": "2"}
    respec(folder, '["numpy", "zlib"]', '["numpy", "torch"]')
    assert run(world, folder) == ["+ wheel torch  2", "- wheel zlib  1.0"]
    assert (world.asked, world.keep) == (["wheels"], ["numpy", "zlib"])


def test_no_requirements_ask_for_no_wheels(world: World, folder: Path) -> None:
    respec(folder, '\n[python]\nrequirements = ["numpy", "zlib"]\n', "")
    run(world, folder)
    assert world.asked == ["base", "tools"]


def test_a_new_package_of_the_base_resolves_the_base_only(world: World, folder: Path) -> None:
    run(world, folder)
    (folder / "reprobuild.toml").write_text(WITH_WHEELS + '[base]\npackages = ["libgomp1"]\n')
    assert run(world, folder) == ["+ deb libgomp1  1"]
    assert world.asked == ["base", "tools"]


PORTABLE = '\n[numerics]\nlevel = "portable"\n'


def test_a_portable_model_gets_a_compiler_and_an_exact_one_loses_it(world: World, folder: Path) -> None:
    run(world, folder)
    assert "compiler" not in text(folder)
    (folder / "reprobuild.toml").write_text(WITH_WHEELS + PORTABLE)
    assert run(world, folder) == ["+ compiler tcc  1"]
    assert world.asked == ["base", "tools"], "wheels keep their pins"
    assert run(world, folder) == [] and world.asked == []
    (folder / "reprobuild.toml").write_text(WITH_WHEELS)
    assert run(world, folder) == ["- compiler tcc  1"]


def test_a_model_on_a_gpu_gets_what_measures_the_machine_and_keeps_its_base_and_wheels(
    world: World, folder: Path
) -> None:
    run(world, folder)
    world.date, world.versions = "2026-12-24T00:00:00Z", {"numpy": "9"}
    on_gpu = WITH_WHEELS.replace('run = "train.py"', 'run = "train.py"\ngpu = true')
    (folder / "reprobuild.toml").write_text(f'{on_gpu}\n[hardware]\naccelerator = "nvidia"\n')
    (line,) = run(world, folder)
    assert line.startswith("+ tool nvidia-ml-py ")
    assert "base" not in world.asked and world.keep == ["numpy", "zlib"]
    assert run(world, folder) == [] and world.asked == []
    assert run(world, folder, "base")[0].startswith("~ base")
    assert NVML_TOOL in text(folder)
    (folder / "reprobuild.toml").write_text(WITH_WHEELS)
    assert run(world, folder) == [line.replace("+", "-", 1)]


def test_a_suite_without_the_compiler_is_named(world: World, folder: Path) -> None:
    world.has_compiler = False
    run(world, folder)  # nobody misses it
    (folder / "reprobuild.toml").write_text(WITH_WHEELS + PORTABLE)
    with pytest.raises(ResolveError, match="package tcc is not in the suite, and numerics"):
        run(world, folder)


NVCC = '\n[cuda]\ntoolkit = "13.2"\nnvcc = true\n'


def test_nvcc_gets_a_host_compiler_and_its_wheels(world: World, folder: Path) -> None:
    (folder / "reprobuild.toml").write_text(on_gpu(NVCC))
    added = run(world, folder)
    assert [line for line in added if "compiler" in line] == ["+ compiler g++  1", "+ compiler libc6  1"]
    assert world.wanted == ["cuda-toolkit[cccl,crt,cudart,nvcc,nvvm]==13.2.*"]
    (folder / "reprobuild.toml").write_text(on_gpu(NVCC.replace("nvcc = true", "")))
    assert {line.split()[1] for line in run(world, folder)} == {"compiler", "wheel"}


def test_a_lock_without_a_host_compiler_says_that_nvcc_has_changed(world: World, folder: Path) -> None:
    (folder / "reprobuild.toml").write_text(on_gpu(NVCC.replace("nvcc = true", "")))
    run(world, folder)
    (folder / "reprobuild.toml").write_text(on_gpu(NVCC))
    with pytest.raises(LockStaleError, match=r"nvcc in \[cuda\] has changed"):
        world.service().check(open_project(folder))


def test_a_suite_without_a_host_compiler_is_named(world: World, folder: Path) -> None:
    world.has_compiler = False
    (folder / "reprobuild.toml").write_text(on_gpu(NVCC))
    with pytest.raises(ResolveError, match=r"package g\+\+ is not in the suite, and cuda.nvcc needs it"):
        run(world, folder)


def test_another_python_resolves_the_wheels_again(world: World, folder: Path) -> None:
    run(world, folder)
    world.python = "3.13"
    (folder / "reprobuild.toml").write_text(WITH_WHEELS + '[base]\nsuite = "trixie"\n')
    changes = run(world, folder)
    assert world.asked == ["base", "tools", "wheels"]
    assert [line.split("  ")[0] for line in changes if "wheel" in line] == ["~ wheel numpy", "~ wheel zlib"]


def test_one_wheel_is_renewed_by_name(world: World, folder: Path) -> None:
    run(world, folder)
    world.versions = {"numpy": "2.0", "zlib": "2.0"}
    assert run(world, folder, "numpy") == ["~ wheel numpy  1.0 → 2.0"]
    assert (world.asked, world.update) == (["wheels"], {"numpy"})


def test_all_wheels_are_renewed_with_python(world: World, folder: Path) -> None:
    run(world, folder)
    world.versions = {"numpy": "2.0", "zlib": "2.0"}
    assert run(world, folder, "python") == ["~ wheel numpy  1.0 → 2.0", "~ wheel zlib  1.0 → 2.0"]


def test_the_base_moves_to_its_newest_state_when_asked(world: World, folder: Path) -> None:
    run(world, folder)
    world.date = "2026-12-24T00:00:00Z"
    changes = run(world, folder, "base")
    assert changes[0] == "~ base x86_64-linux  bookworm 20261120T000000Z → bookworm 20261224T000000Z"
    assert not [line for line in changes if "wheel" in line]


def test_all_renews_all(world: World, folder: Path) -> None:
    run(world, folder)
    (folder / "rows.csv").write_text("2")
    world.date, world.versions = "2026-12-24T00:00:00Z", {"numpy": "2.0", "zlib": "2.0"}
    changes = run(world, folder, "all")
    assert {line.split()[1] for line in changes} >= {"base", "data", "deb", "wheel"}


def test_changed_data_is_refused_until_it_is_named(world: World, folder: Path) -> None:
    run(world, folder)
    before = text(folder)
    (folder / "rows.csv").write_text("2")
    with pytest.raises(ContentMismatchError, match="dataset rows: content differs from the lock") as caught:
        run(world, folder)
    assert (caught.value.expected, caught.value.actual) == (Digest.of_bytes(b"1"), Digest.of_bytes(b"2"))
    assert caught.value.hint == "if the change is intended, run `reprobuild lock --update rows`"
    assert text(folder) == before
    assert len(run(world, folder, "rows")) == 1
    assert text(folder) != before


def test_data_that_differs_from_the_spec_is_refused_always(world: World, folder: Path) -> None:
    respec(folder, 'path = "rows.csv"', f'path = "rows.csv"\nsha256 = "{Digest.of_bytes(b"other")}"')
    with pytest.raises(ContentMismatchError, match="dataset rows: content differs from the spec"):
        run(world, folder, "all")


def test_data_behind_an_address_is_pinned_by_the_spec(world: World, folder: Path) -> None:
    respec(folder, 'path = "rows.csv"', f'url = "{URL}"\nsha256 = "{Digest.of_bytes(b"x")}"')
    run(world, folder)
    assert '"file_name": "images.tar"' in text(folder)
    run(world, folder)
    assert "url" not in world.asked


@pytest.mark.parametrize(
    ("name", "message", "hint"),
    [
        ("nmupy", "--update nmupy: the lock has no source of this name", None),
        ("libc6", "Debian packages belong to one dated state", "run `reprobuild lock --update base`"),
    ],
)
def test_an_unknown_name_is_refused(
    world: World, folder: Path, name: str, message: str, hint: str | None
) -> None:
    run(world, folder)
    with pytest.raises(UsageError, match=message) as caught:
        run(world, folder, name)
    assert hint is None or caught.value.hint == hint


def test_a_dry_run_says_all_and_writes_nothing(world: World, folder: Path) -> None:
    assert len(run(world, folder, dry_run=True)) == 8
    assert not (folder / "reprobuild.lock").exists()
    run(world, folder)
    before = text(folder)
    world.versions = {"numpy": "2.0"}
    assert run(world, folder, "numpy", dry_run=True) == ["~ wheel numpy  1.0 → 2.0"]
    assert text(folder) == before


def test_nothing_is_left_beside_the_lock(world: World, folder: Path) -> None:
    run(world, folder)
    assert {path.name for path in folder.iterdir() if path.name.startswith("reprobuild.")} == {
        "reprobuild.lock",
        "reprobuild.toml",
    }


def test_a_damaged_lock_is_made_anew(world: World, folder: Path) -> None:
    run(world, folder)
    before = text(folder)
    (folder / "reprobuild.lock").write_text("<<<<<<< HEAD\n")
    run(world, folder)
    assert text(folder) == before


def test_check_asks_nobody_and_says_what_is_stale(world: World, folder: Path) -> None:
    run(world, folder)
    world.asked.clear()
    world.service().check(open_project(folder))
    (folder / "rows.csv").write_text("2")
    with pytest.raises(ContentMismatchError):
        world.service().check(open_project(folder))
    respec(folder, '["numpy", "zlib"]', '["numpy"]')
    with pytest.raises(LockStaleError):
        world.service().check(open_project(folder))
    assert world.asked == []


def test_a_nixpkgs_base_is_refused_in_words(world: World, folder: Path) -> None:
    (folder / "reprobuild.toml").write_text(WITH_WHEELS + '[base]\nkind = "nixpkgs"\n')
    with pytest.raises(NotYetSupportedError, match="pins Debian bases only"):
        run(world, folder)
