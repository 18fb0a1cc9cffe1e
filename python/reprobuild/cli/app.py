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
nix_app = typer.Typer(
    help="Build, inspect and enter derivations.",
    epilog="Example: reprobuild nix build --stage train",
    no_args_is_help=True,
    rich_markup_mode=None,
)
app.add_typer(nix_app, name="nix")
builder_app = typer.Typer(
    help="Machines that build: what they have, and what they offer.",
    epilog="Example: reprobuild builder probe",
    no_args_is_help=True,
    rich_markup_mode=None,
)
app.add_typer(builder_app, name="builder")
cache_app = typer.Typer(
    help="Share sources and outputs through binary caches.",
    epilog="Example: reprobuild cache push /srv/cache",
    no_args_is_help=True,
    rich_markup_mode=None,
)
app.add_typer(cache_app, name="cache")
keys_app = typer.Typer(
    help="Keys to sign with: make, list, export, rotate, revoke.",
    epilog="Example: reprobuild keys new release",
    no_args_is_help=True,
    rich_markup_mode=None,
)
app.add_typer(keys_app, name="keys")


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
