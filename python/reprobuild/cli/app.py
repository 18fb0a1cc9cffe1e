"""The command line: its commands, and the one place that catches, prints and decides the exit status."""

from __future__ import annotations

import errno
import importlib
import inspect
import os
import sys
import traceback
from collections.abc import Iterable, Sequence

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

# Module of `commands` → the commands that it makes, in the order of the help.
COMMANDS = {
    "init": ("init",),
    "lock": ("lock",),
    "fetch": ("fetch",),
    "plan": ("plan",),
    "build": ("nix build", "build"),
    "baseline": ("baseline",),
    "verify": ("verify",),
    "show": ("show",),
    "why": ("why",),
    "lineage": ("lineage",),
    "sbom": ("sbom",),
    "report": ("report",),
    "archive": ("archive",),
    "sign": ("sign",),
    "attest": ("attest",),
    "verify_signature": ("verify-signature",),
    "nix": ("nix shell", "nix eval"),
    "diff": ("nix diff",),
    "ci": ("ci",),
    "doctor": ("doctor",),
    "schema": ("schema",),
    "builder": ("builder add", "builder list", "builder remove"),
    "builder_check": ("builder check",),
    "builder_probe": ("builder probe",),
    "builder_setup": ("builder setup",),
    "cache": ("cache push", "cache pull", "cache check"),
    "keys": ("keys new", "keys list", "keys export", "keys trust", "keys rotate", "keys revoke"),
}
# Name → what it says of itself, and its example.
GROUPS = {
    "nix": ("Build, inspect and enter derivations.", "reprobuild nix build --stage train"),
    "builder": ("Machines that build: what they have, and what they offer.", "reprobuild builder probe"),
    "cache": ("Share sources and outputs through binary caches.", "reprobuild cache push /srv/cache"),
    "keys": ("Keys to sign with: make, list, export, rotate, revoke.", "reprobuild keys new release"),
}


# Options whose commands have a better word for an empty value; a reason may be empty.
_MAY_BE_EMPTY = ("--feature", "--model", "--why")


def _print_version(wanted: bool) -> None:
    if wanted:
        render.result_line(f"reprobuild {__version__}")
        raise typer.Exit


def _root(
    version: bool = typer.Option(
        False, "--version", "-V", help="Print the version.", callback=_print_version, is_eager=True
    ),
    debug: bool = typer.Option(False, "--debug", help="Show a traceback with errors."),
) -> None: ...


def make_app(modules: Iterable[str] = COMMANDS) -> typer.Typer:
    """The command line with the commands of these modules; each one that is left out starts sooner."""
    app = typer.Typer(
        name="reprobuild",
        help="Provably rebuildable machine-learning models: one TOML spec, hash-pinned inputs, Nix's sandbox.",
        epilog="Example: reprobuild init digits && cd digits && reprobuild lock && reprobuild nix build",
        no_args_is_help=True,
        pretty_exceptions_enable=False,
        rich_markup_mode=None,
        context_settings={"help_option_names": ["-h", "--help"]},
    )
    app.callback()(_root)
    groups = {}
    for name, (words, example) in GROUPS.items():
        groups[name] = typer.Typer(
            help=words, epilog=f"Example: {example}", no_args_is_help=True, rich_markup_mode=None
        )
        app.add_typer(groups[name], name=name)
    for module in modules:
        register = importlib.import_module(f"reprobuild.cli.commands.{module}").register
        name = COMMANDS[module][0].partition(" ")[0]
        if name in groups and name != "nix":
            register(groups[name])
        else:
            register(app, groups["nix"])
    for group in (app, *groups.values()):
        _examples_last(group)
    return app


def _examples_last(group: typer.Typer) -> None:
    """Help ends with the example: it is the last paragraph of each command's docstring."""
    for command in group.registered_commands:
        text = command.help or inspect.getdoc(command.callback) or ""
        command.help, mark, example = text.partition("\n\nExample: ")
        command.epilog = f"Example: {example}" if mark else None


def modules_for(arguments: Sequence[str]) -> Iterable[str]:
    """The module of the command that is called; all where none is recognised: help, completion, a mistyped name."""
    words = [word for word in arguments if not word.startswith("-")]
    called = " ".join(words[: 2 if words[:1] and words[0] in GROUPS else 1])
    return [module for module, names in COMMANDS.items() if called in names] or COMMANDS


def run(arguments: Sequence[str]) -> int:
    """Run one command; returns its exit status."""
    ours = list(arguments)[: arguments.index("--")] if "--" in arguments else arguments
    as_json = "--json" in ours
    debug = "--debug" in ours or bool(os.environ.get("REPROBUILD_DEBUG"))
    try:
        _refuse_empty(ours)
        status = make_app(modules_for(arguments))(
            args=list(arguments), prog_name="reprobuild", standalone_mode=False
        )
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
        if isinstance(bug, OSError) and bug.errno == errno.ENAMETOOLONG:
            hint = "was the content of a file passed, not its name?"
            render.error(UsageError("a name is longer than a file's can be", hint=hint), as_json=as_json)
            return EXIT_REQUEST
        render.bug(bug, as_json=as_json)
        return EXIT_BUG


def _refuse_empty(arguments: Sequence[str]) -> None:
    """An empty name would be read as the folder here, and what is said of that would be taken for an answer.

    Raises:
        UsageError.
    """
    for number, word in enumerate(arguments):
        if word == "" and arguments[number - 1] not in _MAY_BE_EMPTY:
            raise UsageError(
                f"argument {number + 1} is empty",
                expected="a name",
                actual="''",
                hint="if it stands for a variable of the shell: is that set?",
            )


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
