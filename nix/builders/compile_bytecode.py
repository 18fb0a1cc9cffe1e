"""Byte-compile a tree so that the same sources give the same bytes.

Unchecked-hash pycs carry no time stamp. CPython's marshal writes reference flags by the state of the compiling
process, so files are dealt to a fixed number of processes in a fixed order, whatever the number of cores.

Suites of tests that wheels carry stay sources: a quarter of all modules, which a training run does not import.
"""

import os
import py_compile
import subprocess
import sys
import warnings
from pathlib import Path

PROCESSES = 4
FILES_WORTH_A_PROCESS = 200
TEST_FOLDERS = {"test", "tests"}


def compile_files(root: Path, files: list[str]) -> None:
    warnings.simplefilter("ignore")
    for name in files:
        try:
            py_compile.compile(
                str(root / name),
                dfile=name,
                doraise=True,
                invalidation_mode=py_compile.PycInvalidationMode.UNCHECKED_HASH,
            )
        except (py_compile.PyCompileError, SyntaxError, UnicodeDecodeError, ValueError):
            continue  # wheels ship templates and sources of other Python versions; importing them fails as it would


def main(root: Path) -> None:
    files = sorted(
        str(name)
        for path in root.rglob("*.py")
        if path.is_file() and not path.is_symlink()
        if TEST_FOLDERS.isdisjoint((name := path.relative_to(root)).parts[1:-1])
    )
    if len(files) < FILES_WORTH_A_PROCESS:
        compile_files(root, files)
        return
    shares = [files[start::PROCESSES] for start in range(PROCESSES)]
    running = []
    for share in shares:
        process = subprocess.Popen(
            [sys.executable, "-S", __file__, str(root), "--share"], stdin=subprocess.PIPE, text=True
        )
        assert process.stdin is not None
        process.stdin.write("\n".join(share))
        process.stdin.close()
        running.append(process)
    for process in running:
        if process.wait() != 0:
            sys.exit(f"byte-compiling {root} failed")


if __name__ == "__main__":
    os.umask(0o022)
    if sys.argv[2:] == ["--share"]:
        compile_files(Path(sys.argv[1]), sys.stdin.read().splitlines())
    else:
        main(Path(sys.argv[1]))
