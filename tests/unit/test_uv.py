"""Against the real uv and indexes that are folders: no network."""

from __future__ import annotations

import hashlib
import stat
import zipfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from reprobuild.adapters.credentials import Credentials
from reprobuild.adapters.http import HttpxClient
from reprobuild.adapters.pip_config import Index, IndexConfig
from reprobuild.adapters.uv import Uv
from reprobuild.adapters.uv_output import depends_of, error_of, parse_annotated, stopped_at_first_index
from reprobuild.core.wheel_pin import ResolvedWheel
from reprobuild.domain.digest import Digest
from reprobuild.domain.lock import Source
from reprobuild.errors import (
    NetworkError,
    ReprobuildError,
    ResolveError,
    ToolMissingError,
    UnsupportedWheelError,
)

GOLDEN = Path(__file__).parents[1] / "golden" / "pylock"
CANARY = "canary-s3cret"
BASE = {"python_version": "3.11", "glibc_version": "2.36", "system": "x86_64-linux"}


def make_wheel(
    folder: Path, name: str, version: str, *needs: str, tag: str = "py3-none-any", python: str = ">=3.8"
) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    file = folder / f"{name}-{version}-{tag}.whl"
    info = f"{name}-{version}.dist-info"
    lines = ["Metadata-Version: 2.1", f"Name: {name}", f"Version: {version}", f"Requires-Python: {python}"]
    lines += [f"Requires-Dist: {need}" for need in needs]
    with zipfile.ZipFile(file, "w") as archive:
        for path, text in (
            (f"{name}.py", f"# {file.name}\n"),
            (f"{info}/METADATA", "\n".join(lines) + "\n"),
            (f"{info}/WHEEL", f"Wheel-Version: 1.0\nGenerator: test\nRoot-Is-Purelib: true\nTag: {tag}\n"),
            (f"{info}/RECORD", ""),
        ):
            archive.writestr(zipfile.ZipInfo(path), text)
    return file


class World:
    """Two indexes and a wheelhouse, all folders, and a uv that knows nothing else."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.environment = {"HOME": str(root), "UV_CACHE_DIR": str(root / "uv-cache"), "UV_NO_CONFIG": "1"}
        self.cache_dir = root / "cache"
        self.config: dict[str, Any] = {"default_index": Index("default", self.index("default"))}
        self.http = HttpxClient(Credentials())

    def index(self, name: str) -> str:
        (self.root / name / "simple").mkdir(parents=True, exist_ok=True)
        return (self.root / name / "simple").as_uri()

    def publish(self, index: str, name: str, version: str, *needs: str, **options: str) -> Path:
        file = make_wheel(self.root / index / "files", name, version, *needs, **options)
        page = self.root / index / "simple" / name.replace("_", "-") / "index.html"
        page.parent.mkdir(parents=True, exist_ok=True)
        digest = hashlib.sha256(file.read_bytes()).hexdigest()
        before = page.read_text() if page.exists() else "<!DOCTYPE html>\n"
        page.write_text(f'{before}<a href="../../files/{file.name}#sha256={digest}">{file.name}</a>\n')
        return file

    def uv(self, **config: Any) -> Uv:
        return Uv(
            http=self.http,
            cache_dir=self.cache_dir,
            config=IndexConfig(**{**self.config, **config}),
            environment=self.environment,
        )

    def resolve(self, *requirements: str, uv: Uv | None = None, **options: Any) -> dict[str, ResolvedWheel]:
        found = (uv or self.uv()).resolve(requirements, options.pop("files", ()), **{**BASE, **options})
        return {wheel.name: wheel for wheel in found}


@pytest.fixture
def world(tmp_path: Path) -> World:
    return World(tmp_path)


def pins(found: dict[str, ResolvedWheel]) -> list[Source]:
    return [wheel.source("wheel", "x86_64-linux") for wheel in found.values()]


def test_each_wheel_has_hash_size_index_and_what_it_needs(world: World) -> None:
    file = world.publish("default", "alpha", "1.0", "beta-lib>=1")
    world.publish("default", "beta_lib", "1.5", tag="cp311-cp311-manylinux_2_28_x86_64")
    found = world.resolve("alpha")
    assert list(found) == ["alpha", "beta-lib"]
    alpha = found["alpha"]
    assert alpha.sha256 == Digest.of_bytes(file.read_bytes())
    assert (alpha.size_bytes, alpha.file_name) == (file.stat().st_size, file.name)
    assert (alpha.index, alpha.depends, alpha.addresses) == ("default", ("beta-lib",), (file.as_uri(),))


def test_the_best_wheel_for_the_base_is_taken(world: World) -> None:
    for tag in ("cp311-cp311-manylinux_2_28_x86_64", "cp313-cp313-manylinux_2_39_x86_64", "py3-none-any"):
        world.publish("default", "alpha", "1.0", tag=tag)
    assert world.resolve("alpha")["alpha"].file_name.endswith("cp311-cp311-manylinux_2_28_x86_64.whl")
    trixie = world.resolve("alpha", python_version="3.13", glibc_version="2.41")
    assert trixie["alpha"].file_name.endswith("cp313-cp313-manylinux_2_39_x86_64.whl")


def test_markers_are_those_of_the_base_and_not_of_this_python(world: World) -> None:
    world.publish(
        "default", "alpha", "1.0", "beta; python_version < '3.12'", "gamma; sys_platform == 'win32'"
    )
    world.publish("default", "beta", "1.0")
    assert list(world.resolve("alpha")) == ["alpha", "beta"]
    assert list(world.resolve("alpha", python_version="3.13")) == ["alpha"]


def test_constraints_rule_out_and_choose_nothing(world: World) -> None:
    """As the toolkit's do: the build of alpha follows from what it needs, and a wheelhouse's build is left."""
    world.publish("default", "alpha", "2.0", "runtime==13.2")
    world.publish("default", "alpha", "1.0", "runtime==13.0")
    world.publish("default", "runtime", "13.0")
    world.publish("default", "runtime", "13.2")
    make_wheel(world.root / "wheels", "alpha", "2.0+cpu")
    uv = world.uv(find_links=(str(world.root / "wheels"),))

    def versions(*constraints: str, keep: Sequence[Source] = ()) -> dict[str, str]:
        found = world.resolve("alpha", uv=uv, constraints=constraints, keep=keep)
        return {name: wheel.version for name, wheel in found.items()}

    assert versions("runtime==13.*", "other==1") == {"alpha": "2.0+cpu"}
    with_cuda = {"alpha": "2.0", "runtime": "13.2"}
    assert versions("alpha!=2.0+cpu") == with_cuda
    assert versions("alpha!=2.0+cpu", "runtime==13.0.*") == {"alpha": "1.0", "runtime": "13.0"}
    # a build that is locked already does not stay against them
    before = pins(world.resolve("alpha", uv=uv))
    assert versions("alpha!=2.0+cpu", keep=before) == with_cuda


def test_a_local_version_in_the_wheelhouse_wins(world: World) -> None:
    world.publish("default", "alpha", "2.0")
    make_wheel(world.root / "wheels", "alpha", "2.0+cpu")
    found = world.resolve("alpha==2.0", uv=world.uv(find_links=(str(world.root / "wheels"),)))["alpha"]
    assert (found.version, found.index) == ("2.0+cpu", "find-links")


def test_indexes_are_called_by_name_and_asked_before_the_default_one(world: World) -> None:
    world.publish("corp", "alpha", "1.0")
    world.publish("default", "alpha", "2.0")
    world.publish("default", "beta", "2.0")
    found = world.resolve("alpha", "beta", uv=world.uv(extra_indexes=(Index("corp", world.index("corp")),)))
    assert {(wheel.name, wheel.version, wheel.index) for wheel in found.values()} == {
        ("alpha", "1.0", "corp"),
        ("beta", "2.0", "default"),
    }


def test_pip_s_extra_indexes_may_miss_a_version_and_uv_s_may_not(world: World) -> None:
    world.publish("corp", "alpha", "1.0")
    world.publish("default", "alpha", "2.0")
    extra = (Index("corp", world.index("corp")),)
    assert (
        world.resolve("alpha==2.0", uv=world.uv(extra_indexes=extra, pip_rules=True))["alpha"].version
        == "2.0"
    )
    with pytest.raises(ResolveError, match="cannot be resolved"):
        world.resolve("alpha==2.0", uv=world.uv(extra_indexes=extra))


def test_locked_versions_stay_until_they_are_named(world: World) -> None:
    for name in ("alpha", "beta"):
        world.publish("default", name, "1.0")
    locked = pins(world.resolve("alpha", "beta"))
    for name in ("alpha", "beta"):
        world.publish("default", name, "2.0")
    same = world.resolve("alpha", "beta", keep=locked)
    assert pins(same) == locked
    moved = world.resolve("alpha", "beta", keep=locked, update=frozenset({"beta"}))
    assert (moved["alpha"].version, moved["beta"].version) == ("1.0", "2.0")
    free = world.resolve("alpha", "beta")
    assert (free["alpha"].version, free["beta"].version) == ("2.0", "2.0")


def test_a_new_requirement_keeps_the_other_pins(world: World) -> None:
    world.publish("default", "alpha", "1.0")
    locked = pins(world.resolve("alpha"))
    world.publish("default", "alpha", "2.0")
    world.publish("default", "beta", "1.0")
    found = world.resolve("alpha", "beta", keep=locked)
    assert (found["alpha"].version, found["beta"].version) == ("1.0", "1.0")
    assert world.resolve("alpha>=2", keep=locked)["alpha"].version == "2.0"
    assert world.resolve("beta", keep=locked).keys() == {"beta"}


def test_the_same_question_has_the_same_answer(world: World) -> None:
    world.publish("default", "alpha", "1.0", "beta")
    world.publish("default", "beta", "1.0", "alpha")
    assert world.resolve("alpha", "beta") == world.resolve("beta", "alpha")


def test_requirements_come_from_files_too(world: World) -> None:
    for name in ("alpha", "beta", "gamma"):
        world.publish("default", name, "1.0")
    (world.root / "requirements.txt").write_text("alpha\n")
    (world.root / "pyproject.toml").write_text(
        '[project]\nname = "me"\nversion = "1"\ndependencies = ["beta"]\n'
    )
    files = [world.root / "requirements.txt", world.root / "pyproject.toml"]
    found = world.resolve("gamma", files=files)
    assert list(found) == ["alpha", "beta", "gamma"]
    assert not (world.root / "uv.lock").exists()


def test_a_missing_file_and_a_bad_line_are_named(world: World) -> None:
    with pytest.raises(ResolveError, match=r"nothing\.txt is not there"):
        world.resolve(files=[world.root / "nothing.txt"])
    with pytest.raises(ResolveError, match="not a requirement: a b c"):
        world.resolve("a b c")


def test_a_package_without_a_fitting_wheel_says_what_it_offers(world: World) -> None:
    world.publish("default", "alpha", "1.0", tag="cp39-cp39-manylinux_2_28_x86_64")
    with pytest.raises(UnsupportedWheelError) as caught:
        world.resolve("alpha==1.0")
    assert "alpha==1.0" in caught.value.message
    assert "cp311" in (caught.value.expected or "")
    assert "cp39" in (caught.value.actual or "")


def test_a_direct_address_of_a_wheel_is_pinned(world: World) -> None:
    file = make_wheel(world.root / "elsewhere", "alpha", "3.0")
    found = world.resolve(f"alpha @ {file.as_uri()}")["alpha"]
    assert (found.version, found.index, found.sha256) == ("3.0", "direct", Digest.of_bytes(file.read_bytes()))


def test_locating_asks_nobody_right_after_locking(world: World) -> None:
    world.publish("default", "alpha", "1.0")
    found = world.resolve("alpha")
    blind = Uv(
        http=world.http,
        cache_dir=world.cache_dir,
        config=IndexConfig(),
        environment={},
        program=Path("/nowhere"),
    )
    assert blind.locate(pins(found)) == {found["alpha"].file_name: found["alpha"].addresses}


def test_locating_on_another_machine_asks_the_indexes(world: World) -> None:
    for name in ("alpha", "beta", "gamma"):
        world.publish("default", name, "1.0")
    locked = pins(world.resolve("alpha", "beta", "gamma"))
    world.cache_dir = world.root / "other-cache"
    (world.root / "default/simple/beta/index.html").write_text("<!DOCTYPE html>")
    world.environment["UV_CACHE_DIR"] = str(world.root / "other-uv-cache")
    found = world.uv().locate(locked)
    assert set(found) == {"alpha-1.0-py3-none-any.whl", "gamma-1.0-py3-none-any.whl"}
    assert world.uv().locate([]) == {}


def test_an_index_that_does_not_answer_is_an_error_unless_offline(world: World) -> None:
    world.publish("default", "alpha", "1.0")
    locked = pins(world.resolve("alpha"))
    world.cache_dir = world.root / "other-cache"
    world.environment |= {"UV_HTTP_RETRIES": "0", "UV_CACHE_DIR": str(world.root / "other-uv-cache")}
    uv = world.uv(default_index=Index("default", "http://127.0.0.1:9/simple"))
    assert uv.locate(locked, offline=True) == {}
    with pytest.raises(NetworkError, match="could not reach an index"):
        uv.locate(locked)


def test_an_index_with_other_bytes_of_the_same_name_is_no_place(world: World) -> None:
    world.publish("default", "alpha", "1.0")
    locked = [pin.model_copy(update={"sha256": Digest("0" * 64)}) for pin in pins(world.resolve("alpha"))]
    assert world.uv().locate(locked) == {}


def test_wheelhouses_are_looked_into_first(world: World) -> None:
    world.publish("default", "alpha", "1.0")
    house = make_wheel(world.root / "wheels", "alpha", "1.0")
    found = world.resolve("alpha")
    uv = world.uv(find_links=(str(world.root / "wheels"),))
    assert uv.locate(pins(found))[house.name] == (house.as_uri(), *found["alpha"].addresses)


def test_no_credential_appears_in_errors_arguments_or_cache(world: World) -> None:
    spy = world.root / "uv"
    spy.write_text(
        '#!/bin/sh\necho "$@" > "$HOME/arguments"; env > "$HOME/environment"\n'
        'echo "error: Failed to fetch: $UV_DEFAULT_INDEX/alpha/?token=' + CANARY + '" >&2; exit 2\n'
    )
    spy.chmod(spy.stat().st_mode | stat.S_IXUSR)
    config = IndexConfig(default_index=Index("default", f"https://me:{CANARY}@index.example/simple"))
    uv = Uv(
        http=world.http,
        cache_dir=world.cache_dir,
        config=config,
        environment={**world.environment, "PATH": "/usr/bin:/bin"},
        program=spy,
    )
    with pytest.raises(NetworkError) as caught:
        world.resolve("alpha", uv=uv)
    assert CANARY in (world.root / "environment").read_text()
    assert CANARY not in (world.root / "arguments").read_text()
    assert CANARY not in str(caught.value.document()) + repr(uv)
    for file in world.cache_dir.rglob("*"):
        assert file.is_dir() or CANARY not in file.read_text()


def test_addresses_that_may_hold_a_secret_are_not_remembered(world: World) -> None:
    uv, digest = world.uv(), Digest("0" * 64)
    uv._addresses.add(
        digest, [f"https://h.example/a.whl?X-Signature={CANARY}", f"https://me:{CANARY}@h.example/a.whl"]
    )
    assert not (world.cache_dir / "addresses").exists()
    uv._addresses.add(digest, ["https://h.example/a.whl#sha256=00"])
    assert uv._addresses.get(digest) == ("https://h.example/a.whl",)


def test_a_missing_uv_is_said_so(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("uv.find_uv_bin", lambda: (_ for _ in ()).throw(FileNotFoundError()))
    world.environment["PATH"] = "/nowhere"
    with pytest.raises(ToolMissingError, match="uv is not installed"):
        world.resolve("alpha")


def test_annotations_turned_round_are_the_dependency_graph() -> None:
    found = parse_annotated((GOLDEN / "torch-cpu.annotated.txt").read_text())
    assert found["torch"].version == "2.13.0+cpu"
    assert (
        found["torch"].index_url == "/srv/wheelhouse" or found["torch"].index_url == "file:///srv/wheelhouse"
    )
    depends = depends_of(found)
    assert depends["jinja2"] == ("markupsafe",)
    assert set(depends["torch"]) >= {"filelock", "sympy", "typing-extensions"}
    assert depends["safetensors"] == ()


@pytest.mark.parametrize(
    ("file", "kind", "word"),
    [
        ("error-sdist.txt", ResolveError, "antlr4-python3-runtime==4.9.3: published as source only"),
        ("error-unknown.txt", ResolveError, "cannot be resolved"),
        ("error-conflict.txt", ResolveError, "cannot be resolved"),
        ("error-no-fit.txt", UnsupportedWheelError, "tensorflow==2.15.0: no wheel fits"),
        ("error-network.txt", NetworkError, "could not reach an index"),
        ("error-offline.txt", NetworkError, "could not reach an index"),
        ("error-first-index.txt", ResolveError, "cannot be resolved"),
    ],
)
def test_uv_s_errors_become_ours(file: str, kind: type[ReprobuildError], word: str) -> None:
    text = (GOLDEN / file).read_text()
    error = error_of(text, "the base's tags")
    assert type(error) is kind
    assert word in error.message
    assert error.hint and error.details
    assert stopped_at_first_index(text) == (file == "error-first-index.txt")
