"""The output is what the spec declares, and nothing else."""

import os
import pickle

import pytest

from reprobuild_worker.errors import OutputError, PickleError
from reprobuild_worker.outputs import check_outputs, normalise


def check(out, *declared):
    check_outputs(out, declared, stage="train")


def test_files_and_folders_are_accepted(tmp_path):
    (tmp_path / "plots/deep").mkdir(parents=True)
    (tmp_path / "plots/deep/loss.svg").write_text("<svg/>")
    (tmp_path / "a.json").write_text("{}")
    check(tmp_path, "a.json", "plots")
    check(tmp_path, "a.json", "plots/deep/loss.svg")


def test_a_missing_output_is_named(tmp_path):
    with pytest.raises(OutputError, match=r"did not write weights\.safetensors"):
        check(tmp_path, "weights.safetensors")


def test_a_slip_of_the_pen_is_pointed_out(tmp_path):
    (tmp_path / "weight.safetensors").touch()
    with pytest.raises(OutputError, match=r"it wrote 'weight\.safetensors'"):
        check(tmp_path, "weights.safetensors")


def test_undeclared_outputs_are_named(tmp_path):
    for name in ("a.json", "debug.txt", "log"):
        (tmp_path / name).touch()
    with pytest.raises(OutputError, match=r"wrote debug\.txt, log, which it does not declare"):
        check(tmp_path, "a.json")


def test_a_pickle_deep_down_is_refused(tmp_path):
    (tmp_path / "models").mkdir()
    (tmp_path / "models/best.bin").write_bytes(pickle.dumps({"a": 1}))
    with pytest.raises(PickleError, match=r"models/best\.bin is refused, a pickle stream"):
        check(tmp_path, "models")


@pytest.mark.parametrize("target", ["/etc/passwd", "../elsewhere", "inner/../../x"])
def test_links_out_of_the_output_are_refused(tmp_path, target):
    out = tmp_path / "out"
    (out / "inner").mkdir(parents=True)
    (tmp_path / "elsewhere").touch()
    (tmp_path / "x").touch()
    (out / "link").symlink_to(target)
    if (out / "link").exists():
        with pytest.raises(OutputError, match="link"):
            check(out, "link", "inner")


def test_links_inside_are_accepted(tmp_path):
    (tmp_path / "best").write_text("1")
    (tmp_path / "last").symlink_to("best")
    check(tmp_path, "best", "last")


def test_named_pipes_are_refused(tmp_path):
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(OutputError, match="neither a file"):
        check(tmp_path, "pipe")


def test_modes_are_made_equal(tmp_path):
    (tmp_path / "a").touch(mode=0o777)
    normalise(tmp_path)
    assert (tmp_path / "a").stat().st_mode & 0o777 == 0o644
