"""`nix diff` over what people name: sides are read without a build, and what is unknown is said."""

from __future__ import annotations

import base64
import json
import re
import shutil
import struct
from collections.abc import Callable
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from reprobuild.cli.diff_text import diff_text
from reprobuild.cli.page.diff import diff_page
from reprobuild.core.schemas import diff_schema
from reprobuild.domain.difference import (
    ComparedSide,
    DerivationDifference,
    Difference,
    Meaning,
    PackageChange,
    ValueChange,
)
from reprobuild.domain.drv import DrvFile
from reprobuild.domain.lock import Lock
from reprobuild.errors import LockFormatError, SignatureError, UsageError
from reprobuild.services import snapshot
from reprobuild.services.build import BuildRequest
from reprobuild.services.diff import DiffService
from reprobuild.services.project import open_project
from reprobuild.services.side import Sides
from reprobuild.services.sign import sign
from reprobuild.services.snapshot import Snapshots
from reprobuild.services.trusted import signers_by

from .artifact_examples import write_artifact
from .build_fakes import World
from .signing_examples import NOW, SignedArtifact
from .test_lock_format import PIN, data, wheel


def no_drv(path: str) -> DrvFile:
    raise FileNotFoundError(path)


def export(project: Path, revision: str, target: Path) -> str:
    raise UsageError("no such revision")


@pytest.fixture
def world(tmp_path: Path) -> World:
    world = World(tmp_path)
    world.project()
    return world


def diff(world: World, first: Path | str, second: Path | str, trust: Path | None = None) -> Difference:
    sides = Sides(world.service(), world, world, export, world.new_view)
    signers = signers_by(trust, NOW) if trust else None
    service = DiffService(Snapshots(sides, lambda path: [], lambda path: None, signers), no_drv)
    found = service.run(str(first), str(second), world.folder / "project")
    schema = json.loads(json.dumps(diff_schema()))
    jsonschema.validate(found.model_dump(mode="json", by_alias=True), schema)
    return found


def other_project(world: World, old: str = "lr = 0.1", new: str = "lr = 0.1", rows: str = "1") -> Path:
    """The project once more, with one edit of its spec, other data, and a lock for both."""
    home = world.folder / "other"
    home.mkdir()
    for name in ("prepare.py", "train.py"):
        (home / name).write_text("1")
    (home / "rows.csv").write_text(rows)
    spec = (world.folder / "project/reprobuild.toml").read_text()
    assert old in spec
    (home / "reprobuild.toml").write_text(spec.replace(old, new))
    project = open_project(home)
    sources = (data("rows", rows.encode()),)
    lock = Lock(inputs=project.input_digests(), systems={"x86_64-linux": PIN}, sources=sources)
    project.lock_path.write_text(lock.to_text())
    return home


def test_a_copy_of_a_project_is_the_same(world: World) -> None:
    found = diff(world, world.folder / "project", other_project(world))
    assert found.same and found.closure and not found.not_compared


def test_a_parameter_and_nothing_else(world: World) -> None:
    found = diff(world, world.folder / "project", other_project(world, new="lr = 0.2"))
    (change,) = found.meaning.parameters
    assert (change.name, change.first, change.second) == ("stages.train.params.lr", 0.1, 0.2)
    assert found.meaning.model_copy(update={"parameters": ()}) == Meaning()
    assert not found.same


def test_metrics_that_neither_side_has_are_not_passed_over(world: World) -> None:
    spec = world.folder / "project/reprobuild.toml"
    spec.write_text(spec.read_text() + '\n[metrics.score]\nstage = "train"\nminimum = 0.5\n')
    other = other_project(world)
    (other / "reprobuild.lock").unlink()  # its derivations are not known then
    found = diff(world, world.folder / "project", other)
    assert sum("metrics are not at hand" in line for line in found.not_compared) == 2
    assert diff(world, world.folder / "project", world.folder / "project").not_compared == ()


def test_rows_are_compared_by_the_pinned_bytes_only(world: World) -> None:
    first, second = world.folder / "project", other_project(world, rows="2")
    (change,) = diff(world, first, second).meaning.data
    assert change.rows and change.rows.changed == 1
    (second / "rows.csv").write_text("3")
    (change,) = diff(world, first, second).meaning.data
    assert change.rows is None and "second side's file" in (change.rows_unknown or "")


def test_code_is_compared_as_the_stages_see_it(world: World) -> None:
    second = other_project(world)
    (second / "train.py").write_text("2")
    (second / "notes.py").write_text("no stage names this file")
    (change,) = diff(world, world.folder / "project", second).meaning.code
    assert (change.file, [one.name for one in change.functions]) == ("train.py", ["module"])


def test_a_project_without_a_lock_is_compared_as_far_as_it_goes(world: World) -> None:
    second = other_project(world, new="lr = 0.2")
    (second / "reprobuild.lock").unlink()
    found = diff(world, world.folder / "project", second)
    assert found.meaning.parameters and found.closure is None and found.cause is None
    assert any("no lock" in line for line in found.not_compared)


def test_a_stale_lock_leaves_the_derivations_unknown(world: World) -> None:
    second = other_project(world)
    spec = (second / "reprobuild.toml").read_text()
    (second / "reprobuild.toml").write_text(spec + '\n[python]\nrequirements = ["numpy"]\n')
    found = diff(world, world.folder / "project", second)
    assert found.cause is None and found.closure
    assert any("derivations are not known" in line and "stale" in line for line in found.not_compared)


def test_locks_alone_show_packages_and_versions(world: World) -> None:
    files = []
    for number, version in enumerate(("2.12.0", "2.13.0")):
        lock = Lock(
            inputs=open_project(world.folder / "project").input_digests(),
            systems={"x86_64-linux": PIN},
            sources=(wheel("torch", version),),
        )
        files.append(world.folder / f"{number}.lock")
        files[-1].write_text(lock.to_text())
    found = diff(world, *files)
    assert [(one.name, one.second_version) for one in found.closure.packages] == [("torch", "2.13.0")]  # type: ignore[union-attr]
    assert [(one.name, one.first) for one in found.meaning.software] == [("torch", "2.12.0")]


def test_the_same_lock_is_no_more_than_the_same_lock(world: World) -> None:
    project = world.folder / "project"
    found = diff(world, project / "reprobuild.lock", project)
    assert found.same and any("says nothing of spec" in line for line in found.not_compared)
    assert diff_text(found).splitlines()[-1] == "same as far as compared"


def test_a_record_and_the_project_it_was_built_from_agree_also_on_hashes(world: World) -> None:
    world.service().run(world.project(), BuildRequest(), world.new_view)
    (_, record), *_ = world.kept
    file = world.folder / "record.json"
    file.write_text(record.model_dump_json(by_alias=True, exclude_none=True))
    kept = diff(world, file, world.folder / "project")
    assert kept.meaning.outputs == ()
    assert kept.first.artifact_id == kept.second.artifact_id


def test_a_record_is_compared_by_its_kept_lock_where_project_and_artifact_are_gone(world: World) -> None:
    world.service().run(world.project(), BuildRequest(), world.new_view)
    (_, record), *_ = world.kept
    moved = record.model_copy(update={"project": str(world.folder / "gone")})
    file = world.folder / "record.json"
    file.write_text(moved.model_dump_json(by_alias=True, exclude_none=True))
    world.valid.clear()
    assert not any("lock is not at hand" in gap for gap in diff(world, file, file).not_compared)
    world.locks.clear()
    assert any("lock is not at hand" in gap for gap in diff(world, file, file).not_compared)


def safetensors(**tensors: list[float]) -> bytes:
    header: dict[str, Any] = {}
    body = b""
    for name, values in tensors.items():
        raw = struct.pack(f"<{len(values)}f", *values)
        place = [len(body), len(body) + len(raw)]
        header[name] = {"dtype": "F32", "shape": [len(values)], "data_offsets": place}
        body += raw
    text = json.dumps(header).encode()
    return struct.pack("<Q", len(text)) + text + body


def test_weights_of_two_results_are_compared_by_tensor(world: World) -> None:
    first = write_artifact(world.folder / "first", safetensors(a=[1, 2], b=[3]))
    second = write_artifact(world.folder / "second", safetensors(a=[1, 2.5], b=[3]))
    for folder in (first, second):
        manifest = json.loads((folder / "manifest.json").read_text())
        manifest["weights"] = [{"path": "weights.safetensors", "tensors": [{"name": "a"}, {"name": "b"}]}]
        (folder / "manifest.json").write_text(json.dumps(manifest))
        (folder / "spec.json").write_text(
            world.project().spec.model_dump_json(by_alias=True, exclude_none=True)
        )
    found = diff(world, first, second)
    (change,) = found.meaning.weights
    assert change.equal_tensors == 1
    (tensor,) = change.tensors
    assert (tensor.name, tensor.differing_elements, tensor.max_absolute) == ("a", 1, 0.5)
    assert {one.name for one in found.meaning.outputs} == {"file weights.safetensors"}


def test_a_copy_whose_weights_were_swapped_is_not_the_same_though_its_manifest_says_so(world: World) -> None:
    spec = world.project().spec.model_dump_json(by_alias=True, exclude_none=True)
    folders = [
        write_artifact(world.folder / name, safetensors(a=[1, 2])) for name in ("validated", "deployed")
    ]
    for folder in folders:
        (folder / "spec.json").write_text(spec)
    assert diff(world, *folders).same
    (folders[1] / "metrics.json").write_text('{"accuracy": "high", "loss": 0.25}')
    assert [(one.name, one.second) for one in diff(world, *folders).meaning.metrics] == [("accuracy", None)]
    (folders[1] / "metrics.json").write_bytes((folders[0] / "metrics.json").read_bytes())
    (folders[1] / "weights.safetensors").write_bytes(safetensors(a=[1, 3]))
    (folders[1] / "more.py").write_text("1")
    found = diff(world, *folders)
    assert not found.same and [one.file for one in found.meaning.weights] == ["weights.safetensors"]
    assert {one.name for one in found.meaning.outputs} == {"file weights.safetensors", "file more.py"}


def test_a_revision_without_the_project_is_told_from_one_that_is_none(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(globals(), "export", lambda project, revision, target: "0123456789abcdef")
    with pytest.raises(UsageError, match=r"v1 \(0123456789ab\): .* is no project there") as caught:
        diff(world, "v1", world.folder / "project")
    assert caught.value.hint == "name the project's folder with --project, or a later revision"


def test_what_cannot_be_compared_is_refused(world: World) -> None:
    lock = world.folder / "project/reprobuild.lock"
    with pytest.raises(UsageError, match="nothing of this name"):
        diff(world, lock, "v1.0")
    other = world.folder / "notes.txt"
    other.write_text("notes")
    with pytest.raises(UsageError, match="cannot compare this"):
        diff(world, lock, other)
    with pytest.raises(UsageError, match="cannot compare this") as caught:
        diff(world, lock, f"/nix/store/{'0' * 32}-gone")
    assert caught.value.actual == f"/nix/store/{'0' * 32}-gone, which is not here"
    (world.folder / "link").symlink_to(f"/nix/store/{'0' * 32}-gone")
    with pytest.raises(UsageError, match="cannot compare this") as caught:
        diff(world, lock, world.folder / "link")
    assert caught.value.actual == f"/nix/store/{'0' * 32}-gone, which is not here"


class Unsigned:
    """Signs nothing: what is compared is what a statement says."""

    keyid = "0" * 64

    def sign(self, data: bytes) -> bytes:
        return b"signature"


def signed(world: World, name: str, content: bytes, record: Path | None = None) -> Path:
    folder = world.folder / name
    artifact = write_artifact(folder / "result", content)
    found = sign(artifact, Unsigned(), record=record)  # type: ignore[arg-type]
    shutil.rmtree(artifact)
    return next(file for file in found.files if file.name.endswith(".intoto.jsonl"))


def test_statements_are_compared_by_the_files_that_they_name(world: World) -> None:
    first, second = signed(world, "first", b"one"), signed(world, "second", b"two")
    found = diff(world, first, second)
    names = {one.name for one in found.meaning.outputs}
    assert names == {"output of model", "file weights.safetensors"}
    assert sum("signatures were not checked" in line for line in found.not_compared) == 2
    assert diff(world, first, first).same


@pytest.fixture
def signed_pair(tmp_path: Path) -> tuple[SignedArtifact, Path]:
    """A statement by alice and bob, and the trust file that asks for both."""
    artifact = SignedArtifact(tmp_path)
    artifact.record = artifact.record.rename(tmp_path / "elsewhere.json")  # it is no whole record
    trust = tmp_path / "trust.toml"
    trust.write_text(artifact.trust)
    return artifact, trust


def test_with_a_trust_file_signatures_are_checked_and_the_signers_named(
    world: World, signed_pair: tuple[SignedArtifact, Path]
) -> None:
    artifact, trust = signed_pair
    other = signed(world, "other", b"two")
    plain = diff(world, artifact.statements, other)
    assert plain.first.signed_by is None
    assert sum("signatures were not checked: --trust" in line for line in plain.not_compared) == 2
    found = diff(world, artifact.statements, artifact.statements, trust)
    assert found.first.signed_by == found.second.signed_by == ("alice", "bob")
    assert found.same and not [line for line in found.not_compared if "checked" in line]
    assert "signed by alice, bob" in diff_text(found) and diff_page(found).count("alice, bob") == 2


@pytest.mark.parametrize(
    ("tamper", "slug"),
    [
        (lambda artifact: artifact.sign(artifact.payload(), by=["alice"]), "threshold-missed"),
        (lambda artifact: artifact.sign(artifact.payload(), by=["mallory"]), "key-unknown"),
        (lambda artifact: artifact.write({**artifact.envelope(), "signatures": []}), "signature-missing"),
        (
            lambda artifact: artifact.write(
                {
                    **artifact.envelope(),
                    "payload": base64.b64encode(
                        base64.b64decode(artifact.envelope()["payload"]).replace(b"1.0.0", b"1.0.1")
                    ).decode(),
                }
            ),
            "signature-wrong",
        ),
    ],
)
def test_what_is_not_signed_as_the_trust_file_asks_is_not_compared(
    world: World,
    signed_pair: tuple[SignedArtifact, Path],
    tamper: Callable[[SignedArtifact], None],
    slug: str,
) -> None:
    artifact, trust = signed_pair
    tamper(artifact)
    with pytest.raises(SignatureError) as caught:
        diff(world, artifact.statements, artifact.statements, trust)
    assert any(line.startswith(f"{slug}: ") for line in caught.value.details), caught.value.details


def test_a_trust_file_without_a_statement_is_refused(
    world: World, signed_pair: tuple[SignedArtifact, Path]
) -> None:
    lock = world.folder / "project/reprobuild.lock"
    with pytest.raises(UsageError, match="--trust has no effect"):
        diff(world, lock, lock, signed_pair[1])


def test_the_signed_record_beside_a_statement_tells_the_inputs_and_another_one_is_not_believed(
    world: World,
) -> None:
    world.service().run(world.project(), BuildRequest(), world.new_view)
    (_, record), *_ = world.kept
    file, folder = world.folder / "record.json", world.folder / "signed"
    file.write_text(record.model_dump_json(by_alias=True, exclude_none=True))
    folder.mkdir()
    artifact = Path(world.drv("digits-1.0.0").out_path)
    sign(artifact, Unsigned(), record=file, folder=folder)  # type: ignore[arg-type]
    (statement,) = folder.glob("*.intoto.jsonl")
    (copy,) = folder.glob("*.record.json")
    second = other_project(world, new="lr = 0.2")
    found = diff(world, statement, second)
    assert found.first.kind == "statement"
    assert [one.name for one in found.meaning.parameters] == ["stages.train.params.lr"]
    copy.write_text(copy.read_text().replace("0.1", "0.3"))
    with pytest.raises(UsageError, match="nothing in common"):
        diff(world, statement, world.folder / "project/reprobuild.lock")


def test_a_file_without_a_statement_is_refused(world: World) -> None:
    file = world.folder / "x.intoto.jsonl"
    file.write_text('{"payload": "e30="}\nnot JSON\n')
    with pytest.raises(UsageError, match="holds no statement"):
        diff(world, file, file)


@pytest.mark.parametrize(
    ("name", "error"), [("x.intoto.jsonl", UsageError), ("reprobuild.lock", LockFormatError)]
)
def test_bytes_that_are_no_text_are_refused(world: World, name: str, error: type[Exception]) -> None:
    file = world.folder / name
    file.write_bytes(b"\xff\xfe\x00\xff")
    with pytest.raises(error):
        diff(world, file, world.folder / "project")


def test_a_file_inside_of_an_output_is_not_taken_for_the_whole_output(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    output = world.folder / "0000-digits"
    output.mkdir()
    (output / "metrics.json").write_text("{}")
    monkeypatch.setattr(snapshot, "STORE", f"{world.folder}/")
    with pytest.raises(UsageError, match="cannot compare this") as caught:
        diff(world, output / "metrics.json", output)
    assert caught.value.hint == f"name the output: {output}"


def test_a_folder_in_the_way_of_a_revision_says_how_to_name_the_revision(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    (world.folder / "main").mkdir()
    monkeypatch.chdir(world.folder)
    with pytest.raises(UsageError) as caught:
        diff(world, "main", "project")
    assert caught.value.hint == "a revision of this name is written `heads/main` or `tags/main`"


SIDE = ComparedSide(named="a <b>", kind="project", model="digits 1.0.0")
LR = ValueChange(name="stages.train.params.lr", state="changed", first=0.1, second=0.2)
FOUND = Difference(
    first=SIDE,
    second=SIDE,
    same=False,
    meaning=Meaning(parameters=(LR,)),
    cause=(
        DerivationDifference(
            name="train",
            first_drv_path="/nix/store/a.drv",
            second_drv_path="/nix/store/b.drv",
            path=("model", "train"),
            own=(LR,),
        ),
        DerivationDifference(
            name="model",
            first_drv_path="/nix/store/c.drv",
            second_drv_path="/nix/store/d.drv",
            path=("model",),
            inputs=("train",),
        ),
    ),
    not_compared=("packages: <unknown>",),
)


def test_the_text_begins_with_the_sides_and_ends_with_the_answer() -> None:
    lines = diff_text(FOUND).splitlines()
    assert lines[0].startswith("- project") and lines[-1] == "different"
    assert "  ~ stages.train.params.lr  0.1 → 0.2" in lines
    assert "  train ← model" in lines and "model" not in lines, "what only follows is no cause"


def test_a_long_section_is_cut_in_the_text_and_whole_on_the_page() -> None:
    many = tuple(LR.model_copy(update={"name": f"k{number}"}) for number in range(30))
    found = FOUND.model_copy(update={"meaning": Meaning(spec=many)})
    assert "18 lines more" in diff_text(found) and "k29" not in diff_text(found)
    assert "k29" in diff_page(found)


def test_the_page_needs_nothing_else_and_escapes_what_it_shows() -> None:
    page = diff_page(FOUND)
    assert "a &lt;b&gt;" in page and "<b>" not in page
    assert not re.search(r"<script|https?:|url\((?!#)|@import|<img|<link", page)
    assert page == diff_page(FOUND)
    assert "width=device-width" in page and "prefers-color-scheme: dark" in page
    assert re.search(r"<li>model<ul><li>train <span", page), "the graph leads from the model down"


def test_packages_of_one_version_are_written_once() -> None:
    from reprobuild.cli.diff_text import package_line

    one = PackageChange(kind="wheel", name="a", state="changed", first_version="1", second_version="1")
    sized = one.model_copy(update={"first_size_bytes": 5, "second_size_bytes": 1000})
    assert package_line(sized) == "~ wheel a  1  (5 B → 1.0 kB)"
