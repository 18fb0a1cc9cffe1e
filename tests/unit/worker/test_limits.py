"""A stage is kept to its limits, and says which one it reached."""

import json

import pytest

from reprobuild_worker.config import Limits
from reprobuild_worker.limits import memory_problem

IMPORT = "from reprobuild_worker import stage\n"
HOLD = IMPORT + "held = bytearray({mib} * 2**20)\nstage.save_json('answer.json', len(held))\n"
CORES = IMPORT + "import os\nstage.save_json('answer.json', len(os.sched_getaffinity(0)))\n"


def test_more_memory_than_the_limit_fails_with_limit_key_and_the_users_line(run_stage):
    run = run_stage("train.py", {"train.py": HOLD.format(mib=512)}, limits={"memory_mib": 128})
    assert run.status == 1
    assert "  train.py:2 in <module>\n    held = bytearray(512 * 2**20)\n" in run.stderr
    assert "error: stage train reached its memory limit\n  expected at most 128 MiB" in run.stderr
    assert "stages.train.resources.memory_mib" in run.stderr
    assert "hint: raise stages.train.resources.memory_mib, or hold less at a time" in run.stderr
    assert run.stderr.count("error:") == 1


def test_many_small_things_reach_it_as_well(run_stage):
    code = IMPORT + "held = []\nwhile True:\n    held.append(bytearray(1000))\n"
    run = run_stage("train.py", {"train.py": code}, limits={"memory_mib": 64})
    assert run.status == 1
    assert "error: stage train reached its memory limit" in run.stderr


def test_what_fits_goes_through_and_the_limit_is_in_the_log(run_stage):
    run = run_stage("train.py", {"train.py": HOLD.format(mib=64)}, limits={"memory_mib": 256})
    assert run.status == 0, run.stderr
    assert "limit: 256 MiB of memory (stages.train.resources.memory_mib)" in run.stdout


def test_processes_that_a_stage_starts_have_the_limit_too(run_stage):
    code = IMPORT + (
        "import subprocess, sys\n"
        "done = subprocess.run([sys.executable, '-c', 'bytearray(512 * 2**20)'], capture_output=True)\n"
        "stage.save_json('answer.json', b'MemoryError' in done.stderr)\n"
    )
    run = run_stage("train.py", {"train.py": code}, limits={"memory_mib": 128})
    assert run.status == 0, run.stderr
    assert json.loads((run.out / "answer.json").read_text()) is True


def test_without_a_limit_a_lack_of_memory_is_any_other_failure(run_stage):
    run = run_stage("train.py", {"train.py": "raise MemoryError('mine')\n"})
    assert "error: stage train failed: MemoryError: mine" in run.stderr
    assert "limit" not in run.stderr + run.stdout


def test_it_runs_on_as_many_cores_as_stated(run_stage):
    run = run_stage("train.py", {"train.py": CORES}, limits={"cores": 1})
    assert (run.out / "answer.json").read_text() == "1\n"
    assert "limit: 1 of " in run.stdout


def test_more_cores_than_there_are_is_all_of_them(run_stage):
    free = run_stage("train.py", {"train.py": CORES})
    many = run_stage("train.py", {"train.py": CORES}, limits={"cores": 4096})
    assert (many.out / "answer.json").read_text() == (free.out / "answer.json").read_text()


@pytest.mark.parametrize(
    ("error", "counts"),
    [
        (MemoryError(), True),
        (OSError(12, "Cannot allocate memory"), True),
        (RuntimeError("DefaultCPUAllocator: can't allocate memory: you tried to allocate 8 bytes"), True),
        (RuntimeError("std::bad_alloc"), True),
        (RuntimeError("can't start new thread"), True),
        (RuntimeError("shapes differ"), False),
        (OSError(2, "No such file or directory"), False),
        (ValueError("can't allocate memory"), False),
    ],
)
def test_what_counts_as_no_more_memory(error, counts):
    assert (memory_problem(error, Limits(memory_mib=1), "train") is not None) == counts
