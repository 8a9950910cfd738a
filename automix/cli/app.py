"""The program: its commands, its exit codes, and what signals do to it."""

import functools
import gc
import inspect
import os
import sys
from importlib import import_module
from typing import TYPE_CHECKING, Annotated

import typer
from typer.core import TyperGroup
from typer.main import get_command

from automix.cli.output import (
    StandardOutputError,
    describe_failure,
    discard_stdout,
    prepare_streams,
)
from automix.cli.signals import Ended, handle_signals
from automix.errors import DeviceError, OutputError
from automix.parallel.memory import OUT_OF_MEMORY, is_out_of_memory
from automix.version import __version__

if TYPE_CHECKING:
    from typer._click import Command, Context, HelpFormatter

SUMMARIES = {
    "vocal": "Mix a lead vocal over a finished backing track.",
    "stems": "Mix the tracks of a song.",
    "check": "Say what is wrong with the tracks of a song before it is mixed.",
    "render": "Render a plan to audio.",
    "desk": "Open a mix as a mixing desk in the browser.",
    "apply": "Send audio through a network that imitates processors.",
    "diff": "Show what differs between two plans.",
    "explain": "Show why a mix is as it is.",
    "export": "Take a mix to a DAW: as a DAWproject or as stems.",
    "batch": "Mix many songs: vocals over their beats, or folders of tracks.",
    "demo": "Synthesize a song to try everything with.",
    "bench": "Measure speed and memory.",
    "info": "Show versions, devices, methods, models, processors and plug-ins.",
    "completion": "Print the completion script of a shell.",
    "evaluate": "Measure mixes, models and listening tests.",
    "listen": "Let people rate mixes, blind and side by side.",
    "train": "Train the networks on your own songs.",
    "data": "Make data to train on.",
}
"""The commands, each in a module of its name, in the order of the help."""


@functools.cache
def load(name: str) -> "Command":
    """A command, or a group of them."""
    module = import_module(f"automix.cli.{name}")
    if hasattr(module, "app"):
        program = module.app
    else:
        program = typer.Typer(add_completion=False, rich_markup_mode=None)
        program.command(name)(getattr(module, name))
    _leave_reading_to_commands(program)
    return get_command(program)


def _leave_reading_to_commands(program: typer.Typer) -> None:
    """Keeps Typer from trying whether files can be read: it would call that an error of usage."""
    for command in program.registered_commands:
        if command.callback is not None:
            for parameter in inspect.signature(command.callback).parameters.values():
                for note in getattr(parameter.annotation, "__metadata__", ()):
                    if hasattr(note, "readable"):
                        note.readable = False
    for group in program.registered_groups:
        if group.typer_instance is not None:
            _leave_reading_to_commands(group.typer_instance)


class Commands(TyperGroup):
    """The commands. A module is loaded when its command is asked for: ``--help`` needs none."""

    def list_commands(self, ctx: "Context") -> list[str]:
        """Names of the commands."""
        return list(SUMMARIES)

    def get_command(self, ctx: "Context", cmd_name: str) -> "Command | None":
        """The command of a name; none where there is none."""
        return load(cmd_name) if cmd_name in SUMMARIES else None

    def format_commands(self, ctx: "Context", formatter: "HelpFormatter") -> None:
        """Writes the list of commands for the help."""
        with formatter.section("Commands"):
            formatter.write_dl(list(SUMMARIES.items()))


app = typer.Typer(
    name="automix",
    cls=Commands,
    help="Mixes music by itself, and writes what it did to a plan that you can read and edit."
    "\n\nTo begin: automix demo demo && automix vocal demo/vocal.wav demo/beat.wav -o demo/mix.wav",
    epilog="Exit codes: 0 done, 1 some songs of a batch failed or a check found something wrong,"
    " 2 usage or plan, 3 input, 4 output, 5 device, memory or weights, 6 plug-in, 130/143/129 ended"
    " by Ctrl-C, SIGTERM or SIGHUP.",
    no_args_is_help=True,
    # Typer answers the completion scripts only with this on, but then adds options to --help.
    add_completion="_AUTOMIX_COMPLETE" in os.environ,
    rich_markup_mode=None,  # plain help: it has to be instant
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
)


def _print_version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"automix {__version__}")
        raise typer.Exit


@app.callback()
def _options(
    version: Annotated[
        bool,
        typer.Option(
            "--version", callback=_print_version, is_eager=True, help="Show the version and exit."
        ),
    ] = False,
) -> None:
    gc.enable()  # `automix.__main__` has it off


def main() -> None:
    """Runs the program and exits."""
    handle_signals()
    prepare_streams()
    try:
        app(prog_name="automix")
    except SystemExit as ended:
        if isinstance(ended.__context__, BrokenPipeError):  # the reader has seen enough
            sys.exit(0)
        raise
    except StandardOutputError as error:
        discard_stdout()
        print(f"automix: standard output: {error.strerror}", file=sys.stderr)
        sys.exit(OutputError.exit_code)
    except Exception as error:
        if is_out_of_memory(error):
            print(f"automix: {OUT_OF_MEMORY}", file=sys.stderr)
            sys.exit(DeviceError.exit_code)
        if not isinstance(error, OSError):
            raise  # a defect, which shows where
        # Files that the user named report their own errors, and those say which they are.
        print(f"automix: {describe_failure(error)}", file=sys.stderr)
        sys.exit(OutputError.exit_code)
    except Ended as ended:
        print(ended.message, file=sys.stderr)
        sys.stderr.flush()
        os._exit(ended.exit_code)  # at once: threads may still be reading
