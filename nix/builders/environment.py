"""Join wheel paths into one environment, as a venv sees it: `pyvenv.cfg`, `bin`, `lib/pythonX.Y/site-packages`.

A folder that only one wheel has is linked as a whole, unless a shared library lies in or below it: those find each
other by `$ORIGIN/..`, which must lead to this tree and not into the wheel's own path. All else is merged.
"""

import os
import sys
from pathlib import Path

PLACEHOLDER = b"#!/reprobuild/python"


class Folder:
    """One folder of the joined tree: what is in it, and whether it may be linked as a whole."""

    def __init__(self) -> None:
        self.folders: dict[str, Folder] = {}
        self.files: dict[str, str] = {}
        self.owners: set[str] = set()
        self.has_library = False


def read(tree: Folder, path: str, wheel: str, at: str) -> None:
    """Add one wheel's folder to the tree.

    Raises:
        SystemExit: two wheels have the same file with different content.
    """
    tree.owners.add(path)
    with os.scandir(path) as entries:
        for entry in sorted(entries, key=lambda e: e.name):
            if entry.is_dir(follow_symlinks=False):
                child = tree.folders.setdefault(entry.name, Folder())
                read(child, entry.path, wheel, f"{at}/{entry.name}")
                tree.has_library = tree.has_library or child.has_library
            else:
                other = tree.files.setdefault(entry.name, entry.path)
                if other != entry.path and Path(other).read_bytes() != Path(entry.path).read_bytes():
                    sys.exit(f"two wheels have different files {at}/{entry.name}:\n  {other}\n  {entry.path}")
                tree.has_library = tree.has_library or ".so" in entry.name


def write(tree: Folder, target: Path, *, top: bool = False) -> None:
    if not top and len(tree.owners) == 1 and not tree.has_library:
        target.symlink_to(next(iter(tree.owners)))
        return
    target.mkdir()
    for name, folder in tree.folders.items():
        write(folder, target / name)
    for name, path in tree.files.items():
        (target / name).symlink_to(path)


def write_scripts(tree: Folder, target: Path, interpreter: bytes) -> None:
    """`bin`: scripts get this environment's interpreter; programs are linked."""
    for name, path in tree.files.items():
        content = Path(path).read_bytes()
        if content.startswith(PLACEHOLDER):
            script = target / name
            script.write_bytes(b"#!" + interpreter + content[len(PLACEHOLDER) :])
            script.chmod(0o755)
        else:
            (target / name).symlink_to(path)


def main() -> None:
    out = Path(os.environ["out"])
    version = os.environ["pythonVersion"]
    base_python = Path(os.environ["basePython"])
    site = f"lib/python{version}/site-packages"
    root = Folder()
    for wheel in os.environ["wheels"].split():
        read(root, wheel, wheel, "")

    bin_tree = root.folders.pop("bin", Folder())
    lib_tree = root.folders.pop("lib", Folder())
    python_tree = lib_tree.folders.pop(f"python{version}", Folder())
    site_tree = python_tree.folders.pop("site-packages", Folder())

    (out / site).parent.mkdir(parents=True)
    (out / "bin").mkdir()
    for name in ("python", "python3", f"python{version}"):
        (out / "bin" / name).symlink_to(base_python)
    write_scripts(bin_tree, out / "bin", f"{out}/bin/python".encode())
    write(site_tree, out / site, top=True)
    for tree, folder in ((python_tree, out / f"lib/python{version}"), (lib_tree, out / "lib"), (root, out)):
        for name, child in tree.folders.items():
            write(child, folder / name)
        for name, path in tree.files.items():
            (folder / name).symlink_to(path)
    (out / "pyvenv.cfg").write_text(
        f"home = {base_python.parent}\ninclude-system-site-packages = false\nversion = {version}\n"
    )


if __name__ == "__main__":
    os.umask(0o022)
    main()
