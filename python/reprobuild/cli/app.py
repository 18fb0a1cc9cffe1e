"""The command line: its commands, and the one place that catches, prints and decides the exit status."""

from __future__ import annotations

import importlib
import os
import sys
import traceback
from collections.abc import Sequence

import typer
from typer.exceptions import Abort, Exit, TyperException

from reprobuild import __version__
from reprobuild.cli import render
from reprobuild.errors import EXIT_BUG, EXIT_INTERRUPTED, EXIT_REQUEST, ReprobuildError, UsageError

app = typer.Typer(
    name="reprobuild",
    help="Provably rebuildable machine-learning models: one TOML spec, hash-pinned inputs, Nix's sandbox.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
    context_settings={"help_option_names": ["-h", "--help"]},
)
nix_app = typer.Typer(
    help="Build, inspect and enter derivations.", no_args_is_help=True, rich_markup_mode=None
)
app.add_typer(nix_app, name="nix")


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


for _module in ("init", "lock", "fetch", "plan", "build", "verify", "show", "nix", "doctor", "schema"):
    importlib.import_module(f"reprobuild.cli.commands.{_module}").register(app, nix_app)


def run(arguments: Sequence[str]) -> int:
    """Run one command; returns its exit status."""
    as_json = "--json" in arguments
    debug = "--debug" in arguments or bool(os.environ.get("REPROBUILD_DEBUG"))
    try:
        status = app(args=list(arguments), standalone_mode=False)
        return status if isinstance(status, int) else 0
    except Exit as stop:
        return stop.exit_code
    except ReprobuildError as error:
        if debug:
            traceback.print_exc()
        render.error(error, as_json=as_json)
        return error.exit_status
    except TyperException as problem:
        context = getattr(problem, "ctx", None)
        hint = f"see `{context.command_path} --help`" if context is not None else None
        render.error(UsageError(problem.format_message() or "which command?", hint=hint), as_json=as_json)
        return EXIT_REQUEST
    except (KeyboardInterrupt, Abort):
        sys.stderr.write("interrupted\n")
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
