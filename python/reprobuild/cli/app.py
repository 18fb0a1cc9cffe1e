"""The command line: its commands, and the one place that catches, prints and decides the exit status."""

from __future__ import annotations

import importlib
import inspect
import os
import sys
import traceback
from collections.abc import Sequence

import typer
from typer.exceptions import Abort, Exit, TyperException

from reprobuild import __version__
from reprobuild.cli import render
from reprobuild.errors import (
    EXIT_BUG,
    EXIT_INTERRUPTED,
    EXIT_REQUEST,
    InterruptedBuildError,
    ReprobuildError,
    UsageError,
)

app = typer.Typer(
    name="reprobuild",
    help="Provably rebuildable machine-learning models: one TOML spec, hash-pinned inputs, Nix's sandbox.",
    epilog="Example: reprobuild init digits && cd digits && reprobuild lock && reprobuild nix build",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
    context_settings={"help_option_names": ["-h", "--help"]},
)


def _group(name: str, words: str, example: str) -> typer.Typer:
    """Commands of one kind, under one name."""
    group = typer.Typer(help=words, epilog=f"Example: {example}", no_args_is_help=True, rich_markup_mode=None)
    app.add_typer(group, name=name)
    return group


nix_app = _group("nix", "Build, inspect and enter derivations.", "reprobuild nix build --stage train")
builder_app = _group(
    "builder", "Machines that build: what they have, and what they offer.", "reprobuild builder probe"
)
cache_app = _group(
    "cache", "Share sources and outputs through binary caches.", "reprobuild cache push /srv/cache"
)
keys_app = _group(
    "keys", "Keys to sign with: make, list, export, rotate, revoke.", "reprobuild keys new release"
)


def _print_version(wanted: bool) -> None:
    if wanted:
        render.result_line(f"reprobuild {__version__}")
        raise typer.Exit


@app.callback()
def _root(
    version: bool = typer.Option(
        False, "--version", "-V", help="Print the version.", callback=_print_version, is_eager=True
    ),
    debug: bool = typer.Option(False, "--debug", help="Show a traceback with errors."),
) -> None: ...


for _module in (
    "init",
    "lock",
    "fetch",
    "plan",
    "build",
    "baseline",
    "verify",
    "show",
    "why",
    "sbom",
    "archive",
    "sign",
    "verify_signature",
    "nix",
    "diff",
    "ci",
    "doctor",
    "schema",
):
    importlib.import_module(f"reprobuild.cli.commands.{_module}").register(app, nix_app)
for _module in ("builder", "builder_check", "builder_probe", "builder_setup"):
    importlib.import_module(f"reprobuild.cli.commands.{_module}").register(builder_app)
importlib.import_module("reprobuild.cli.commands.cache").register(cache_app)
importlib.import_module("reprobuild.cli.commands.keys").register(keys_app)


def _examples_last(group: typer.Typer) -> None:
    """Help ends with the example: it is the last paragraph of each command's docstring."""
    for command in group.registered_commands:
        text = command.help or inspect.getdoc(command.callback) or ""
        command.help, mark, example = text.partition("\n\nExample: ")
        command.epilog = f"Example: {example}" if mark else None


_examples_last(app)
_examples_last(nix_app)
_examples_last(builder_app)
_examples_last(cache_app)
_examples_last(keys_app)


def run(arguments: Sequence[str]) -> int:
    """Run one command; returns its exit status."""
    ours = list(arguments)[: arguments.index("--")] if "--" in arguments else arguments
    as_json = "--json" in ours
    debug = "--debug" in ours or bool(os.environ.get("REPROBUILD_DEBUG"))
    try:
        status = app(args=list(arguments), prog_name="reprobuild", standalone_mode=False)
        sys.stdout.flush()
        if status == EXIT_INTERRUPTED:  # typer's word for Ctrl-C
            raise KeyboardInterrupt
        return status if isinstance(status, int) else 0
    except Exit as stop:
        return stop.exit_code
    except ReprobuildError as error:
        if debug:
            traceback.print_exc()
        render.error(error, as_json=as_json)
        return error.exit_status
    except TyperException as problem:
        if problem.format_message().startswith("Usage:"):  # no command given: the help itself
            render.note(problem.format_message())
            return EXIT_REQUEST
        context = getattr(problem, "ctx", None)
        hint = f"see `{context.command_path if context is not None else 'reprobuild'} --help`"
        render.error(UsageError(_readable(problem.format_message()), hint=hint), as_json=as_json)
        return EXIT_REQUEST
    except (KeyboardInterrupt, Abort):
        render.error(InterruptedBuildError("interrupted"), as_json=as_json)
        return EXIT_INTERRUPTED
    except BrokenPipeError:
        # Whoever read our output has gone; nothing is left to say.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except Exception as bug:
        if debug:
            traceback.print_exc()
        render.bug(bug, as_json=as_json)
        return EXIT_BUG


def _readable(message: str) -> str:
    """The option parser's words, without those of the library behind it."""
    words = {
        "Input should be greater than or equal to": "expected at least",
        "Input should be less than or equal to": "expected at most",
        "Input should be a valid integer, unable to parse string as an integer": "expected a whole number",
        "Input should be": "expected",
    }
    for theirs, ours in words.items():
        message = message.replace(theirs, ours)
    return message
