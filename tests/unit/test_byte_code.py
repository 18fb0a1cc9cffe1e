"""Byte-code of wheels: the same sources give the same bytes, and what no training imports stays a source."""

from __future__ import annotations

import importlib.util
import os
import subprocess
import sys
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parents[2]
SCRIPT = REPOSITORY / "nix/builders/compile_bytecode.py"
MANY = 250  # enough for several processes


def compile_tree(root: Path) -> dict[str, bytes]:
    environment = {key: value for key, value in os.environ.items() if key != "PYTHONDONTWRITEBYTECODE"}
    subprocess.run([sys.executable, "-S", str(SCRIPT), str(root)], check=True, env=environment)
    return {str(path.relative_to(root)): path.read_bytes() for path in root.rglob("*.pyc")}


def write(root: Path, files: dict[str, str]) -> Path:
    for name, text in files.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    return root


def cached(name: str) -> str:
    return importlib.util.cache_from_source(name)


def test_equal_sources_give_equal_bytes_wherever_and_whenever(tmp_path: Path) -> None:
    files = {
        f"package/m{n}.py": f"name = 'value'\n\ndef f(value={n}):\n    return name, value\n"
        for n in range(MANY)
    }
    first, second = (write(tmp_path / folder, files) for folder in ("a", "b/c"))
    for path in second.rglob("*.py"):
        os.utime(path, (1, 1))
    found = compile_tree(first)
    assert len(found) == MANY
    assert found == compile_tree(second)


def test_byte_code_carries_an_unchecked_hash_and_no_time(tmp_path: Path) -> None:
    write(tmp_path, {"one.py": "x = 1\n"})
    code = compile_tree(tmp_path)[cached("one.py")]
    assert code[:4] == importlib.util.MAGIC_NUMBER
    assert code[4:8] == (1).to_bytes(4, "little")  # PEP 552: by hash, not checked
    assert code[8:16] == importlib.util.source_hash(b"x = 1\n")


def test_suites_of_tests_stay_sources_a_package_of_that_name_does_not(tmp_path: Path) -> None:
    write(
        tmp_path,
        dict.fromkeys(
            ("net/core.py", "net/tests/test_core.py", "net/sub/test/deep/x.py", "tests/api.py", "tests.py"),
            "x = 1\n",
        ),
    )
    assert set(compile_tree(tmp_path)) == {
        cached(name) for name in ("net/core.py", "tests/api.py", "tests.py")
    }


def test_what_is_no_python_of_this_version_is_left_alone(tmp_path: Path) -> None:
    write(tmp_path, {"good.py": "x = 1\n", "old.py": "print 'two'\n"})
    (tmp_path / "latin.py").write_bytes(b"x = '\xe9'\n")
    assert set(compile_tree(tmp_path)) == {cached("good.py")}
