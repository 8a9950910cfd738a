"""The program: its commands, its exit codes, and what signals do to it."""

import gc
import os
import sys
from typing import Annotated

import typer

from automix.cli import (
    apply,
    batch,
    bench,
    completion,
    data,
    demo,
    diff,
    evaluate,
    explain,
    export,
    info,
    listen,
    render,
    stems,
    train,
    vocal,
)
from automix.cli.output import discard_stdout, prepare_streams
from automix.cli.signals import Ended, handle_signals
from automix.errors import OutputError
from automix.version import __version__

app = typer.Typer(
    name="automix",
    help="Mixes music by itself, and writes what it did to a plan that you can read and edit."
    "\n\nTo begin: automix demo demo && automix vocal demo/vocal.wav demo/beat.wav -o demo/mix.wav",
    epilog="Exit codes: 0 done, 1 some songs of a batch failed, 2 usage or plan, 3 input, 4 output,"
    " 5 device or weights, 6 plug-in, 130/143/129 ended by Ctrl-C, SIGTERM or SIGHUP.",
    no_args_is_help=True,
    # Typer answers the completion scripts only with this on, but then adds options to --help.
    add_completion="_AUTOMIX_COMPLETE" in os.environ,
    rich_markup_mode=None,  # plain help: it has to be instant
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
)
app.command()(vocal.vocal)
app.command()(stems.stems)
app.command()(render.render)
app.command()(apply.apply)
app.command()(diff.diff)
app.command()(explain.explain)
app.command()(export.export)
app.command()(batch.batch)
app.add_typer(evaluate.app, name="evaluate")
app.add_typer(listen.app, name="listen")
app.add_typer(train.app, name="train")
app.add_typer(data.app, name="data")
app.command()(demo.demo)
app.command()(bench.bench)
app.command()(info.info)
app.command()(completion.completion)


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
    except OSError as error:  # files report their own: this is stdout
        discard_stdout()
        where = error.filename or "standard output"
        print(f"automix: {where}: {error.strerror}", file=sys.stderr)
        sys.exit(OutputError.exit_code)
    except Ended as ended:
        print(ended.message, file=sys.stderr)
        sys.stderr.flush()
        os._exit(ended.exit_code)  # at once: threads may still be reading
