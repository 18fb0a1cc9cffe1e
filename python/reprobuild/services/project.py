"""Open a project: its spec with overrides, its files, its lock."""

from __future__ import annotations

import json
import re
import tomllib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from reprobuild.core.gpu_features import NVML_TOOL
from reprobuild.core.lock_inputs import Part, input_digests
from reprobuild.core.overrides import merged, parse_overrides
from reprobuild.core.spec_checks import refuse_unsupported
from reprobuild.core.spec_keys import key_path
from reprobuild.core.spec_parse import parse_spec, parse_toml
from reprobuild.domain.digest import Digest
from reprobuild.domain.lock import LOCK_FILE, LOCK_SCHEMA, Lock
from reprobuild.domain.spec import SPEC_FILE, Spec
from reprobuild.domain.spec_types import without_secrets
from reprobuild.errors import LockFormatError, LockMissingError, LockStaleError, SpecError

_PARTS: dict[Part, str] = {"base": "[base]", "data": "[datasets]", "python": "[python]"}


@dataclass(frozen=True)
class Project:
    """A folder with a spec, as asked for: `overrides` is what `--set` laid over the file."""

    path: Path
    spec: Spec
    overrides: dict[str, Any]

    @property
    def title(self) -> str:
        """Name and version of the model, as messages say them: `digits 1.0.0`."""
        return f"{self.spec.model.name} {self.spec.model.version}"

    @property
    def lock_path(self) -> Path:
        return self.path / LOCK_FILE

    @property
    def state_dir(self) -> Path:
        """Per-project state (roots of stages, kept logs); never an input of a build."""
        return self.path / ".reprobuild"

    @property
    def code_files(self) -> list[str]:
        """Files and folders, besides data, that a build reads: spec, lock, requirements, what stages see."""
        requirements = self.spec.python.requirements_file
        seen = {file for stage in self.spec.stages.values() for file in stage.source_files}
        return sorted({SPEC_FILE, LOCK_FILE, *seen, *([requirements] if requirements else [])})

    def input_digests(self) -> dict[Part, str]:
        """Digests of all that a lock of this project is made from."""
        file = self.spec.python.requirements_file
        digest = Digest.of_bytes((self.path / file).read_bytes()) if file else None
        return input_digests(self.spec, digest)


def open_project(path: Path, assignments: Sequence[str] = ()) -> Project:
    """Read and check `reprobuild.toml` and that the files it names are there.

    Raises:
        SpecError, OverrideError, NotYetSupportedError.
    """
    path = path.resolve()
    file = path / SPEC_FILE
    try:
        text = file.read_text(encoding="utf-8")
    except (FileNotFoundError, NotADirectoryError):
        raise SpecError(
            f"no {SPEC_FILE} in {path}", hint="go to the project's folder, or make one with `reprobuild init`"
        ) from None
    except (OSError, UnicodeDecodeError) as error:
        raise SpecError(f"cannot read {file}: {error}") from error
    document = parse_toml(text)
    overrides = parse_overrides(assignments, document)
    spec = parse_spec(merged(document, overrides), f"{SPEC_FILE} with --set" if overrides else SPEC_FILE)
    refuse_unsupported(spec, SPEC_FILE)
    _check_files(path, spec)
    return Project(path, spec, overrides)


def read_lock(project: Project) -> Lock:
    """The project's lock as it stands, fresh or stale.

    Raises:
        LockMissingError, LockFormatError.
    """
    try:
        text = project.lock_path.read_text(encoding="utf-8")
    except FileNotFoundError:
        raise LockMissingError(
            f"{project.spec.model.name}: there is no {LOCK_FILE}", hint="run `reprobuild lock`"
        ) from None
    except (OSError, UnicodeDecodeError) as error:
        raise LockFormatError(f"cannot read {LOCK_FILE}: {error}", hint="run `reprobuild lock`") from error
    return parse_lock(text)


def parse_lock(text: str | bytes, origin: str = LOCK_FILE) -> Lock:
    """The lock that a text, or a file's content, holds.

    Raises:
        LockFormatError.
    """
    try:
        found = json.loads(text)
        if isinstance(found, dict) and found.get("schema") != LOCK_SCHEMA:
            raise LockFormatError(
                f"{origin}: format not known to this release",
                expected=LOCK_SCHEMA,
                actual=str(found.get("schema")),
                hint="run `reprobuild lock` to make it anew",
            )
        return Lock.model_validate_json(text)
    except (json.JSONDecodeError, UnicodeDecodeError, ValidationError) as error:
        raise LockFormatError(
            f"{origin} is damaged",
            expected=LOCK_SCHEMA,
            actual=_damage(error),
            hint="restore it from version control, or run `reprobuild lock`",
        ) from error


def _base_change(spec: Spec, lock: Lock) -> str:
    """Which section made the base another one: a level or nvcc needs a compiler that the lock has not."""
    # only here: a build with nothing to do reads no packages
    from reprobuild.core.deb_closure import COMPILER, HOST_COMPILER

    compilers = {source.name for source in lock.of_kind("compiler")}
    if (COMPILER in compilers) != (spec.numerics.level == "portable"):
        return "level in [numerics]"
    if (HOST_COMPILER in compilers) != (spec.cuda is not None and spec.cuda.nvcc):
        return "nvcc in [cuda]"
    return _PARTS["base"]


def require_fresh_lock(project: Project) -> Lock:
    """The lock, if it was made from this spec.

    Raises:
        LockMissingError, LockFormatError, LockStaleError.
    """
    lock = read_lock(project)
    for part, digest in project.input_digests().items():
        if (locked := lock.inputs.get(part)) != digest:
            what = _PARTS[part]
            if part == "base":
                what = _base_change(project.spec, lock)
            if part == "python" and project.spec.cuda is not None:
                what = "[python] or [cuda]"
            on_gpu = project.spec.hardware.accelerator != "none"
            if part == "python" and on_gpu != any(tool.name == NVML_TOOL for tool in lock.of_kind("tool")):
                what = "accelerator in [hardware]"
            if _touched(part, project.overrides):
                raise LockStaleError(
                    f"{LOCK_FILE} was made from another {what} than --set asks for",
                    expected=f"inputs {digest[:16]}…",
                    expected_from=f"{SPEC_FILE} with --set",
                    actual=f"inputs {(locked or 'none')[:16]}…",
                    actual_from=LOCK_FILE,
                    hint=f"write the change into {SPEC_FILE}, then run `reprobuild lock`",
                )
            raise LockStaleError(
                f"{LOCK_FILE} is stale: {what} has changed in {SPEC_FILE} since",
                expected=f"inputs {digest[:16]}…",
                expected_from=SPEC_FILE,
                actual=f"inputs {(locked or 'none')[:16]}…",
                actual_from=LOCK_FILE,
                hint="run `reprobuild lock`",
            )
    if project.spec.hardware.system not in lock.systems:
        raise LockStaleError(
            f"{LOCK_FILE} has nothing for {project.spec.hardware.system}", hint="run `reprobuild lock`"
        )
    return lock


def _damage(error: json.JSONDecodeError | UnicodeDecodeError | ValidationError) -> str:
    if not isinstance(error, ValidationError):
        return f"not JSON: {error}"
    first = error.errors(include_url=False)[0]
    return f"{key_path(first['loc']) or 'the whole file'}: {first['msg']}"


def _touched(part: Part, overrides: dict[str, Any]) -> bool:
    """Do these overrides reach into what this part of a lock is made from?"""
    sections = {"base": ("base", "hardware"), "data": ("datasets",), "python": ("python", "cuda", "hardware")}
    if part == "base" and "level" in overrides.get("numerics", {}):
        return True
    return any(section in overrides for section in sections[part])


def _check_files(path: Path, spec: Spec) -> None:
    """Everything named is there: scripts, data and requirements as files, the rest as files or folders."""
    named = [(f"stages.{name}", file) for name, stage in spec.stages.items() for file in stage.source_files]
    single = {stage.run for stage in spec.stages.values()} | {data.path for data in spec.datasets.values()}
    single.add(spec.python.requirements_file)
    named += [(f"datasets.{name}.path", data.path) for name, data in spec.datasets.items() if data.path]
    if spec.python.requirements_file:
        named.append(("python.requirements_file", spec.python.requirements_file))
    for key, file in named:
        if not (path / file).exists():
            raise SpecError(
                f"{SPEC_FILE}: {key}: file {file} does not exist",
                expected=str(path / file),
                actual="nothing there",
                hint="make the file, or mend the name",
            )
        if file in single and not (path / file).is_file():
            raise SpecError(
                f"{SPEC_FILE}: {key}: {file} is a folder", expected="a file", actual=str(path / file)
            )
        # data is pinned by its content, wherever the link leads; of source files Nix takes the link itself
        if key.startswith("stages.") and not (path / file).resolve().is_relative_to(path):
            raise SpecError(
                f"{SPEC_FILE}: {key}: {file} is a link that leads out of the project",
                expected=f"a file below {path}",
                actual=str((path / file).resolve()),
                hint="copy the file into the project",
            )
    if spec.python.requirements_file:
        _check_requirements(path / spec.python.requirements_file)


def _check_requirements(file: Path) -> None:
    """A requirements file stands alone: what it would include is not part of the lock's inputs.

    uv tells the formats apart by the file's name, and so do we.
    """
    try:
        text = file.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError as error:
        raise SpecError(f"{file.name} is not UTF-8: {error}", hint="save it as UTF-8") from error
    if file.name == "pyproject.toml":
        try:
            _check_pyproject(file.name, tomllib.loads(text))
        except (tomllib.TOMLDecodeError, RecursionError) as error:
            raise SpecError(
                f"{file.name} is not valid TOML: {error}", hint=f"mend {file.name} at the place named"
            ) from error
    elif file.suffix in (".toml", ".py", ".cfg"):
        raise SpecError(
            f"{SPEC_FILE}: python.requirements_file: {file.name} is of another kind",
            expected="a requirements.txt, or pyproject.toml",
            actual=file.name,
        )
    else:
        for number, line in enumerate(text.splitlines(), 1):
            # a file's name may follow without a space
            if re.match(r"\s*(-[rce]|--(requirement|constraint|editable))", line):
                raise _not_alone(file.name, f"line {number}", without_secrets(line.strip()))


def _check_pyproject(name: str, document: dict[str, Any]) -> None:
    """Read as far as it must be; what else is wrong in it, uv will say."""

    def at(*path: str) -> Any:
        value: Any = document
        for key in path:
            value = value.get(key) if isinstance(value, dict) else None
        return value

    sources = at("tool", "uv", "sources")
    for package, source in sources.items() if isinstance(sources, dict) else ():
        for one in source if isinstance(source, list) else [source]:
            for key in ("path", "workspace"):
                if isinstance(one, dict) and one.get(key):
                    place = f"tool.uv.sources.{package}"
                    raise _not_alone(name, place, f"{key} = {json.dumps(one[key], ensure_ascii=False)}")
    dynamic = at("project", "dynamic")
    if isinstance(dynamic, list) and "dependencies" in dynamic:
        raise _not_alone(name, "project.dynamic", "dependencies")


def _not_alone(name: str, place: str, actual: str) -> SpecError:
    return SpecError(
        f"{name}: {place} includes another file, whose changes would go unnoticed",
        expected="requirements only",
        actual=actual,
        hint=f"copy what it requires into {name}",
    )
