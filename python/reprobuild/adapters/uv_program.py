"""Start `uv pip compile` in the ordinary clients' configuration: the one place that knows its options."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from reprobuild.adapters.credentials import Credentials
from reprobuild.adapters.pip_config import IndexConfig, read_index_config
from reprobuild.adapters.uv_output import Annotated, error_of, parse_annotated, stopped_at_first_index
from reprobuild.core import wheel_choice
from reprobuild.core.addresses import redact_all
from reprobuild.errors import NetworkError, ResolveError, ToolMissingError

PYLOCK = "pylock.wheels.toml"  # uv wants pylock.NAME.toml
# What `--python-platform` knows; Source: `uv pip compile --help`, uv 0.9.
MANYLINUX = (17, 28, *range(31, 41))
_REPLACED = frozenset(
    {
        "UV_CUSTOM_COMPILE_COMMAND",
        "UV_DEFAULT_INDEX",
        "UV_EXTRA_INDEX_URL",
        "UV_FIND_LINKS",
        "UV_INDEX",
        "UV_INDEX_URL",
        "UV_PROJECT",
        "UV_WORKING_DIR",
        "UV_CONSTRAINT",
        "UV_OVERRIDE",
        "UV_EXCLUDE",
        "VIRTUAL_ENV",
    }
)


class FirstIndexError(Exception):
    def __init__(self, stderr: str, words: str) -> None:
        super().__init__()
        self.error = error_of(stderr, words)


@dataclass(frozen=True)
class Target:
    """The base that wheels must fit."""

    python_version: str
    glibc_version: str
    system: str

    @property
    def options(self) -> tuple[str, ...]:
        machine = self.system.partition("-")[0]
        minor = int(self.glibc_version.split(".")[1])
        known = max((one for one in MANYLINUX if one <= minor), default=MANYLINUX[0])
        platform = f"{machine}-manylinux_2_{known}"
        return ("--python-version", self.python_version, "--python-platform", platform)

    @property
    def words(self) -> str:
        return wheel_choice.wanted(self.python_version, self.glibc_version, self.system)


class UvProgram:
    """
    Args:
        config: by default that of the ordinary clients.
        program: by default uv of the `uv` package, else the one on PATH.
    """

    def __init__(
        self, config: IndexConfig | None, environment: Mapping[str, str], program: Path | None
    ) -> None:
        self._given = config
        self.environment = environment
        self._program = program

    @cached_property
    def config(self) -> IndexConfig:
        return self._given if self._given is not None else read_index_config(self.environment)

    def compile(self, options: Sequence[str], cwd: Path, words: str) -> str:
        """stdout of `uv pip compile`.

        Raises:
            ToolMissingError; what uv says in our words; FirstIndexError.
        """
        config = self.config
        # addresses go by the environment: other users can read arguments
        environment = {name: value for name, value in self.environment.items() if name not in _REPLACED}
        environment |= {"NO_COLOR": "1", "UV_NO_PROGRESS": "1", "UV_PYTHON_DOWNLOADS": "never"}
        environment |= config.uv_variables
        command = [str(self._find()), "pip", "compile", *options]
        if config.no_index:
            command.append("--no-index")
        done = subprocess.run(
            command,
            cwd=cwd,
            env=environment,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
        )
        if done.returncode == 0:
            return done.stdout
        secrets = Credentials(
            [index.url for index in config.indexes] + [one for one in config.find_links if "@" in one]
        )
        stderr = redact_all(secrets.scrub(done.stderr))
        if stopped_at_first_index(stderr):
            raise FirstIndexError(stderr, words)
        raise error_of(stderr, words)

    def _find(self) -> Path:
        if self._program is None:
            try:
                from uv import find_uv_bin

                self._program = Path(os.fsdecode(find_uv_bin()))
            except (ImportError, FileNotFoundError):
                found = shutil.which("uv", path=self.environment.get("PATH"))
                if found is None:
                    raise ToolMissingError(
                        "uv is not installed", hint="install it with `pip install uv`"
                    ) from None
                self._program = Path(found)
        return self._program


@dataclass
class Job:
    """One resolution: what uv is asked, in the two forms that we need."""

    uv: UvProgram
    folder: Path
    target: Target
    sources: tuple[str, ...]
    files: Sequence[Path]
    strategy: tuple[str, ...] = ()

    @property
    def cwd(self) -> Path:
        return self.files[0].resolve().parent if self.files else self.folder

    @property
    def common(self) -> tuple[str, ...]:
        return (
            *self.sources,
            *self.target.options,
            *("--python", sys.executable, "--only-binary", ":all:", "--no-header", "--quiet"),
        )

    def pylock(self, kept: Mapping[str, str], options: Sequence[str], second_strategy: str | None) -> str:
        """Resolve; uv prefers the versions that it finds in an existing output file."""
        output = self.folder / PYLOCK
        rows = [
            f'[[packages]]\nname = "{name}"\nversion = "{version}"\nwheels = []\n'
            for name, version in kept.items()
        ]
        asked = [
            *self.common,
            "--format",
            "pylock.toml",
            "--generate-hashes",
            *options,
            "--output-file",
            str(output),
        ]

        def compiled() -> str:
            output.unlink(missing_ok=True)
            if rows:
                output.write_text(
                    'lock-version = "1.0"\ncreated-by = "reprobuild"\n' + "\n".join(rows), "utf-8"
                )
            self.uv.compile([*asked, *self.strategy], self.cwd, self.target.words)
            return output.read_text(encoding="utf-8")

        try:
            return compiled()
        except FirstIndexError as error:
            if second_strategy is None:
                raise error.error from None
            self.strategy = ("--index-strategy", second_strategy)
        try:
            return compiled()
        except FirstIndexError as error:
            raise error.error from None

    def annotated(
        self, pins: Mapping[str, str], *, offline: bool, preferred: bool = False
    ) -> dict[str, Annotated] | None:
        """Pins with who needs them and where they come from; None when these pins do not resolve.

        Args:
            preferred: the pins are wishes only.
        """
        listed, output = self.folder / "pins.txt", self.folder / "requirements.txt"
        text = "".join(f"{name}=={version}\n" for name, version in sorted(pins.items()))
        (output if preferred else listed).write_text(text, encoding="utf-8")
        options = [*self.common, "--annotation-style", "line", "--emit-index-annotation", *self.strategy]
        options += ["--output-file", str(output)] if preferred else ["--constraints", str(listed)]
        try:
            stdout = self.uv.compile(
                [*options, *(["--offline"] if offline else [])], self.cwd, self.target.words
            )
        except (ResolveError, NetworkError, FirstIndexError):
            return None
        return parse_annotated(output.read_text(encoding="utf-8") if preferred else stdout)
