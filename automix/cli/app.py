"""The program: its commands, its exit codes, and what signals do to it."""

import signal
import sys
from types import FrameType
from typing import Annotated, NoReturn

import typer

from automix.cli import completion, demo, render, vocal
from automix.version import __version__

app = typer.Typer(
    name="automix",
    help="Mixes music by itself, and writes down what it did as a plan that you can edit.",
    epilog="Exit codes: 0 done, 1 some items failed, 2 usage, 3 input, 4 output, 5 weights or"
    " device, 6 plug-in, 130/143/129 interrupted.",
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode=None,  # plain help: it has to be instant
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
)
app.command()(vocal.vocal)
app.command()(render.render)
app.command()(demo.demo)
app.command()(completion.completion)


def _print_version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"automix {__version__}")
        raise typer.Exit


@app.callback()
def _options(
    version: Annotated[
        bool,
        typer.Option("--version", callback=_print_version, is_eager=True, help="Show version."),
    ] = False,
) -> None:
    pass


class Terminated(BaseException):
    """A signal asked the program to end; unwinding removes what is unfinished."""


def _terminate(number: int, frame: FrameType | None) -> NoReturn:
    raise Terminated(number)


def main() -> None:
    """Runs the program and exits."""
    signal.signal(signal.SIGTERM, _terminate)
    signal.signal(signal.SIGHUP, _terminate)
    try:
        app(prog_name="automix")
    except Terminated as ended:
        number = signal.Signals(ended.args[0])
        print(f"automix: ended by {number.name}; nothing unfinished was kept", file=sys.stderr)
        sys.exit(128 + number)
