"""The Nix library: its own tests, and every rule that stands in Python too."""

from __future__ import annotations

import json
import math
import shutil
import struct
import subprocess
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from tests.integration.conftest import MUST_BUILD
from tests.integration.nix_tools import (
    LIBRARY,
    REPOSITORY,
    STAND_IN_PROJECT,
    ask,
    copy_checkout,
    evaluate,
    instantiate,
)

from reprobuild.core.gpu_features import gpu_features
from reprobuild.core.lock_inputs import input_digests
from reprobuild.core.overrides import merged
from reprobuild.core.spec_checks import RESERVED_STAGE_NAMES, refuse_unsupported
from reprobuild.core.spec_parse import parse_spec, parse_toml
from reprobuild.domain.digest import Digest
from reprobuild.domain.store_path import Mode, fixed_output_path, store_name
from reprobuild.errors import NotYetSupportedError, SpecError, ToolFailedError
from reprobuild.services.project import open_project
from reprobuild_worker.config import decode_floats

pytestmark = [
    pytest.mark.integration,
    pytest.mark.skipif(
        shutil.which("nix-instantiate") is None and not MUST_BUILD,
        reason="Nix is not installed: scripts/test installs it",
    ),
]

# One process per example: few of them, each with many values.
slow = settings(
    max_examples=15, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large]
)

HEAD = """
schema = "reprobuild.spec/1"
[model]
name = "odd"
version = "1"
description = "Größe \\\\u0008 \\n 😀"
license = "MIT"
owners = ["me"]
"""
STAGE = '[stages.train]\nrun = "train.py"\noutputs = ["x"]\n'
ODD_SPECS = {
    "least": HEAD + STAGE,
    "paths": HEAD
    + '[stages.train]\nrun = "train.py"\nfiles = ["a/b"]\noutputs = ["x"]\n'
    + '[datasets.rows]\npath = "data/données.csv"\nsource = "s"\nlicense = "MIT"\nretrieved = "2026-01-01"\n',
    "address": HEAD
    + STAGE
    + f'[datasets.rows]\nurl = "https://example.org/é"\nsha256 = "{Digest.of_bytes(b"x")}"\n'
    + 'source = "s"\nlicense = "MIT"\nretrieved = "2026-01-01"\n',
    "file": HEAD + STAGE + '[python]\nrequirements = ["größe>=1"]\nrequirements_file = "requirements.txt"\n',
    "numbers": HEAD
    + '[stages.train]\nrun = "train.py"\noutputs = ["x", "metrics.json"]\n'
    + "params = { a = -0.0, b = 1e300, c = [1, 2.5, { d = 5e-324 }], e = 9223372036854775807, f = 1.0 }\n"
    + '[metrics.x]\nstage = "train"\nminimum = 1\ntolerance = { absolute = 0.1 }\nowner = "o"\nreason = "r"\n'
    + '[base]\nsuite = "trixie"\npackages = ["libgomp1"]\nmirrors = ["https://m"]\n',
    "GPU": HEAD
    + '[stages.train]\nrun = "train.py"\ngpu = true\noutputs = ["x"]\n'
    + '[cuda]\ntoolkit = "13.0"\n[driver]\nminimum = "580.65.06"\nbranch = "580"\n'
    + '[hardware]\naccelerator = "nvidia"\ngpu = "h100"\ncompute_capability = "9.0"\n',
}


def odd_project(folder: Path, text: str) -> Path:
    for file in ("train.py", "a/b/c.py", "data/données.csv", "requirements.txt"):
        (folder / file).parent.mkdir(parents=True, exist_ok=True)
        (folder / file).write_text("ö\n", encoding="utf-8")
    (folder / "reprobuild.toml").write_text(text, encoding="utf-8")
    return folder


@pytest.fixture(scope="module")
def projects(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    root = tmp_path_factory.mktemp("odd ünicode.d")  # a folder with a space, a dot and a letter beyond ASCII
    odd = [odd_project(root / name, text) for name, text in ODD_SPECS.items()]
    return [*odd, REPOSITORY / "templates/quickstart", REPOSITORY / "templates/scikit-learn"]


def test_its_own_tests_pass_and_every_documented_function_has_one() -> None:
    found = evaluate(LIBRARY / "tests")
    assert found["tests"] > 100
    assert (found["failures"], found["untested"], found["undocumented"]) == ([], [], [])


@slow
@given(st.lists(st.floats(allow_nan=False, allow_infinity=False), min_size=1, max_size=200))
@example(
    [0.0, -0.0, 5e-324, -5e-324, 2.2250738585072014e-308, 2.225073858507201e-308, 1.7976931348623157e308]
)
@example([0.1, 0.1234567, 0.12345671, 1e300, -1e-300, 2.0**52, 2.0**53 - 1, 2.0**53, 2.0**53 + 2, 1 / 3])
def test_floats_reach_the_worker_bit_by_bit(numbers: list[float]) -> None:
    toml = "\n".join(f"x{n} = {number!r}" for n, number in enumerate(numbers))
    answer = ask(toml=toml, value=numbers)
    from_toml, from_json = (decode_floats(json.loads(answer[key])) for key in ("exact", "from_json"))
    wanted = [struct.pack("<d", number) for number in numbers]
    assert [struct.pack("<d", from_toml[f"x{n}"]) for n in range(len(numbers))] == wanted
    assert [struct.pack("<d", number) for number in from_json] == wanted


@pytest.mark.parametrize("number", ["inf", "-inf", "nan"])
def test_a_number_that_is_not_finite_is_refused(number: str) -> None:
    with pytest.raises(ToolFailedError) as failed:
        ask(toml=f"x = {number}")
    assert "not finite" in "\n".join(failed.value.details)


@slow
@given(
    st.dictionaries(
        st.text(max_size=8), st.text() | st.integers(-(2**63), 2**63 - 1) | st.booleans(), max_size=20
    )
)
@example(
    {
        "\x08\x0c\x1f\x7f": '\\u0008 \\\\u000c " \n\r\t',
        "é": "数据",
        "😀": "\U0010ffff",
        "\ue000": 1,
        "\U00010000": 2,
    }
)
def test_json_is_pythons_canonical_json(value: dict[str, Any]) -> None:
    for taken in ("outPath", "__toString", "__float__"):
        value.pop(taken, None)
    value = {
        key.replace("\0", ""): v.replace("\0", "") if isinstance(v, str) else v for key, v in value.items()
    }
    expected = json.dumps(value, sort_keys=True, ensure_ascii=False, separators=(",", ":"))
    assert ask(value=value)["from_json"] == expected


@slow
@given(
    st.lists(
        st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]), min_size=1), max_size=50
    )
)
@example([".hidden", "torch-2.13.0+cpu.whl", "a~b%3a", "données-数据-😀.csv", "..", "a b"])
def test_store_names(names: list[str]) -> None:
    assert ask(names=names)["store_names"] == [store_name(name) for name in names]


@slow
@given(st.lists(st.binary(max_size=16), min_size=1, max_size=30))
def test_the_paths_of_sources(contents: list[bytes]) -> None:
    digests = [Digest.of_bytes(content) for content in contents]
    modes: list[Mode] = ["flat", "recursive"]
    sources = [
        {"kind": "data", "name": "x", "file_name": "données+1.csv", "sha256": digest, "mode": mode}
        for digest in digests
        for mode in modes
    ]
    assert ask(sources=sources)["source_paths"] == [
        fixed_output_path(store_name("données+1.csv"), digest, mode) for digest in digests for mode in modes
    ]


trees = st.recursive(
    st.integers(-9, 9) | st.text("abc", max_size=3) | st.lists(st.integers(-9, 9), max_size=3),
    lambda inner: st.dictionaries(st.sampled_from("abcd"), inner, max_size=4),
    max_leaves=12,
)
sections = st.dictionaries(st.sampled_from("abcd"), trees, max_size=4)


@slow
@given(st.lists(st.tuples(sections, sections), min_size=1, max_size=30))
def test_overrides_are_laid_over_a_spec_by_one_rule(
    pairs: list[tuple[dict[str, Any], dict[str, Any]]],
) -> None:
    answer = ask(merges=[{"document": document, "tree": tree} for document, tree in pairs])["merged"]
    assert answer == [merged(document, tree) for document, tree in pairs]


def test_specs_are_completed_by_one_rule(projects: list[Path]) -> None:
    answer = ask(projects=[str(project) for project in projects])["specs"]
    for project, found in zip(projects, answer, strict=True):
        spec = open_project(project).spec.model_dump(mode="json", by_alias=True, exclude_none=True)
        assert json_numbers(found) == without_tensor_defaults(spec), project.name


def test_what_a_lock_is_made_from_is_digested_by_one_rule(projects: list[Path]) -> None:
    answer = ask(projects=[str(project) for project in projects])["input_digests"]
    assert answer == [open_project(project).input_digests() for project in projects]


def test_a_requirements_file_is_part_of_it(tmp_path: Path) -> None:
    project = odd_project(tmp_path, ODD_SPECS["file"])
    before = ask(projects=[str(project)])["input_digests"][0]
    (project / "requirements.txt").write_text("numpy\n")
    after = ask(projects=[str(project)])["input_digests"][0]
    assert before["python"] != after["python"]
    assert {**before, "python": ""} == {**after, "python": ""}
    assert after == open_project(project).input_digests()


def test_overrides_count_for_the_lock(projects: list[Path]) -> None:
    overrides = {"python": {"requirements": ["numpy"]}}
    answer = ask(projects=[str(projects[0])], overrides=overrides)["input_digests"][0]
    document = merged(parse_toml((projects[0] / "reprobuild.toml").read_text()), overrides)
    assert answer == input_digests(parse_spec(document), None)


def test_both_ask_for_the_same_gpu(projects: list[Path]) -> None:
    answer = ask(projects=[str(project) for project in projects])["gpu_features"]
    assert answer == [list(gpu_features(open_project(project).spec)) for project in projects]
    asked = answer[list(ODD_SPECS).index("GPU")]
    assert asked == ["cuda", "gpu-h100", "cuda-sm-90", "nvidia-driver-580", "nvidia-driver-branch-580"]


@pytest.mark.parametrize(
    "section",
    [
        '[hardware]\nsystem = "aarch64-linux"',
    ],
)
def test_both_refuse_what_this_release_cannot_honour(tmp_path: Path, section: str) -> None:
    project = odd_project(tmp_path, HEAD + STAGE + section)
    try:
        refuse_unsupported(
            parse_spec(parse_toml((project / "reprobuild.toml").read_text())), "reprobuild.toml"
        )
        refused = False
    except NotYetSupportedError:
        refused = True
    try:
        ask(projects=[str(project)])
        assert not refused
    except ToolFailedError as failed:
        assert refused
        assert "cannot honour it yet" in "\n".join(failed.details)


@pytest.mark.parametrize("name", sorted(RESERVED_STAGE_NAMES))
def test_both_refuse_stages_that_a_flake_would_hide(tmp_path: Path, name: str) -> None:
    project = odd_project(tmp_path, HEAD + STAGE.replace("train]", f"{name}]"))
    with pytest.raises(SpecError, match="this name is taken"):
        parse_spec(parse_toml((project / "reprobuild.toml").read_text()))
    with pytest.raises(ToolFailedError) as failed:
        ask(projects=[str(project)])
    assert f"stages.{name}: this name is taken" in "\n".join(failed.value.details)


@pytest.mark.parametrize("key", ['suite = "trixie"', "packages = []", 'mirrors = ["https://m"]'])
def test_both_refuse_debian_keys_for_another_base(tmp_path: Path, key: str) -> None:
    project = odd_project(tmp_path, HEAD + STAGE + f'[base]\nkind = "nixpkgs"\n{key}\n')
    with pytest.raises(SpecError, match="has no Debian packages"):
        parse_spec(parse_toml((project / "reprobuild.toml").read_text()))
    with pytest.raises(ToolFailedError) as failed:
        ask(projects=[str(project)])
    assert "has no Debian packages" in "\n".join(failed.value.details)


DATASET = (
    f'[datasets.d]\nsha256 = "{Digest.of_bytes(b"x")}"\nlicense = "MIT"\nretrieved = "2026-01-01"\n'
    'url = "{url}"\nsource = "{source}"\n'
)


@pytest.mark.parametrize(
    "section",
    [
        '[python]\nrequirements = ["a @ https://me:hunter2@h/a.whl"]',
        '[python]\nrequirements = ["a @ https://h/a.whl?key=hunter2"]',
        '[python]\nrequirements = ["b", "a@git+https://hunter2@h/a.git@v1"]',
        '[base]\nmirrors = ["https://me:hunter2@h"]',
        DATASET.format(url="https://h/x?hunter2", source="s"),
        DATASET.format(url="https://h/x#hunter2", source="s"),
        DATASET.format(url="https://hunter2@h/x", source="s"),
        DATASET.format(url="https://h/x", source="see https://me:hunter2@h/"),
    ],
)
def test_both_refuse_what_may_be_a_secret_and_show_none(tmp_path: Path, section: str) -> None:
    project = odd_project(tmp_path, HEAD + STAGE + section)
    with pytest.raises(SpecError) as refused:
        parse_spec(parse_toml((project / "reprobuild.toml").read_text()))
    with pytest.raises(ToolFailedError) as failed:
        ask(projects=[str(project)])
    assert "hunter2" not in f"{refused.value.document()}"
    assert "with a login or query in it" in (said := "\n".join(failed.value.details))
    assert "hunter2" not in said


@pytest.mark.parametrize(
    "section",
    [
        "[python]\nrequirements = [\"a @ https://h/x@y/a.whl#sha256=00 ; python_version > '3'\"]",
        DATASET.format(url="https://h/a@b/x", source="https://h/?id=1#a@b"),
    ],
)
def test_both_take_an_address_without_secrets(tmp_path: Path, section: str) -> None:
    project = odd_project(tmp_path, HEAD + STAGE + section)
    parse_spec(parse_toml((project / "reprobuild.toml").read_text()))
    ask(projects=[str(project)])


@pytest.mark.parametrize("key", ["outPath", "__toString", "__float__"])
def test_a_parameter_that_nix_would_swallow_is_refused(tmp_path: Path, key: str) -> None:
    project = shutil.copytree(STAND_IN_PROJECT, tmp_path / "p")
    spec = project / "reprobuild.toml"
    spec.write_text(spec.read_text().replace("lr = 0.1", f'lr = 0.1, {key} = "x"'))
    with pytest.raises(ToolFailedError) as failed:
        instantiate(project)
    assert f"error: reprobuild.toml: the key {key}" in "\n".join(failed.value.details)


def test_a_project_gives_the_same_derivations_wherever_it_lies(tmp_path: Path) -> None:
    here = instantiate(STAND_IN_PROJECT)
    for place in ("a b/ünï.code/python/reprobuild_worker/x", "c++/(d)/$e[1]*", ".hidden/__pycache__"):
        assert instantiate(shutil.copytree(STAND_IN_PROJECT, tmp_path / place)) == here, place


def test_leftovers_in_a_project_change_nothing(tmp_path: Path) -> None:
    project = shutil.copytree(STAND_IN_PROJECT, tmp_path / "p")
    here = instantiate(project)
    (project / "evaluation/old/__pycache__").mkdir(parents=True)
    (project / "evaluation/old/__pycache__/x.cpython-311.pyc").write_bytes(b"x")
    (project / "evaluation/empty").mkdir()
    (project / "unrelated.py").write_text("x")
    (project / "reprobuild.lock").chmod(0o755)
    assert instantiate(project) == here
    (project / "evaluation/new.py").write_text("x")
    changed = instantiate(project)
    assert changed["stages"]["train"] == here["stages"]["train"]
    assert changed["stages"]["evaluate"] != here["stages"]["evaluate"]


def test_the_worker_is_the_same_from_any_place(tmp_path: Path) -> None:
    """From a checkout with leftovers, from an installed wheel, below folders of the same name."""
    here = ask()["worker"]
    checkout = copy_checkout(tmp_path / "python/reprobuild_worker/a b.c/python/reprobuild_worker")
    wheel = tmp_path / "site-packages/reprobuild/_data"
    shutil.copytree(LIBRARY, wheel / "nix")
    shutil.copytree(REPOSITORY / "python/reprobuild_worker", wheel / "python/reprobuild_worker")
    worker = checkout / "python/reprobuild_worker"
    for leftover in (
        "__pycache__/x.pyc",
        "old/__pycache__/x.pyc",
        "notes.txt",
        ".#api.py",
        "api.py~",
        "py.typed",
    ):
        (worker / leftover).parent.mkdir(parents=True, exist_ok=True)
        (worker / leftover).write_text("x")
    (checkout / "python/reprobuild").mkdir()
    (checkout / "python/reprobuild/cli.py").write_text("x")
    for root in (checkout, wheel):
        assert evaluate(root / "nix/tests/ask.nix")["worker"] == here
    (worker / "new.py").write_text("x")
    assert evaluate(checkout / "nix/tests/ask.nix")["worker"] != here


def test_the_worker_is_all_of_its_python_files_and_nothing_else(tmp_path: Path) -> None:
    """The path that Nix computes is that of a folder with exactly these files."""
    package = REPOSITORY / "python/reprobuild_worker"
    for file in package.rglob("*.py"):
        place = tmp_path / "reprobuild-worker/reprobuild_worker" / file.relative_to(package)
        place.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(file, place)
    hashed = subprocess.run(
        ["nix-hash", "--type", "sha256", str(tmp_path / "reprobuild-worker")],
        capture_output=True,
        text=True,
        check=True,
    ).stdout.strip()
    assert ask()["worker"] == fixed_output_path("reprobuild-worker", Digest(hashed), "recursive")


def json_numbers(value: Any) -> Any:
    """Floats that Nix prints with six digits, compared as such; how they travel exactly is tested above."""
    if isinstance(value, dict):
        return {key: json_numbers(inner) for key, inner in value.items()}
    if isinstance(value, list):
        return [json_numbers(inner) for inner in value]
    return float(f"{value:.6g}") if isinstance(value, float) and math.isfinite(value) else value


def without_tensor_defaults(spec: dict[str, Any]) -> Any:
    """Nix does not fill in the empty descriptions of tensors, which nothing reads."""
    for side in ("inputs", "outputs"):
        for tensor in spec["model"][side].values():
            if tensor["description"] == "":
                del tensor["description"]
    return json_numbers(spec)
