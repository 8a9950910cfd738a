"""What the commands print: errors, notes, progress, tables, and one JSON document."""

import functools
import io
import json
import math
import os
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, ParamSpec

import typer

from automix.errors import AutomixError
from automix.inputs import keep_inputs

Arguments = ParamSpec("Arguments")


def report_errors(command: Callable[Arguments, None]) -> Callable[Arguments, None]:
    """Turns the errors of a command into one line on stderr and their exit code."""

    @functools.wraps(command)
    def wrapped(*args: Arguments.args, **kwargs: Arguments.kwargs) -> None:
        try:
            with keep_inputs():
                command(*args, **kwargs)
            sys.stdout.flush()
        except AutomixError as error:
            from automix.files.names import printable

            print(f"automix: {printable(str(error))}", file=sys.stderr)
            raise typer.Exit(error.exit_code) from error
        except BrokenPipeError:
            discard_stdout()  # the reader has seen enough

    return wrapped


def discard_stdout() -> None:
    """Sends what is still to be printed nowhere: Python complains if it cannot flush at exit."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


class StandardOutput(io.FileIO):
    """Standard output, whose errors say whose they are, as those of files do."""

    NAME = "standard output"

    def write(self, data: Any) -> int:
        """Writes bytes.

        Returns:
            How many were taken.

        Raises:
            OSError: The disk is full, or the reader is gone; ``filename`` is `NAME`.
        """
        try:
            return super().write(data)
        except OSError as error:
            error.filename = self.NAME
            raise


def prepare_streams() -> None:
    """Makes printing possible whatever the caller closed and whatever the locale can spell."""
    for name in ("stdout", "stderr"):
        if getattr(sys, name) is None:  # closed by the caller
            setattr(sys, name, open(os.devnull, "w"))  # noqa: SIM115
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")
    stdout = sys.stdout
    if stdout is sys.__stdout__ and isinstance(stdout, io.TextIOWrapper):  # the caller's own
        sys.stdout = io.TextIOWrapper(
            io.BufferedWriter(StandardOutput(stdout.fileno(), "w", closefd=False)),
            encoding=stdout.encoding,
            errors=stdout.errors,
            line_buffering=stdout.line_buffering or stdout.write_through,
        )


@dataclass(frozen=True, kw_only=True)
class Printer:
    """Where messages go.

    Attributes:
        json: Print one JSON document to stdout and nothing else there.
        quiet: Print neither tables, notes nor progress; errors always.
        verbose: Print every decision and the figures behind it.
    """

    json: bool = False
    quiet: bool = False
    verbose: bool = False

    def note(self, message: str) -> None:
        """Something good to know."""
        if not self.quiet:
            self._print_line(f"note: {message}")

    def warn(self, message: str) -> None:
        """Something that may be wrong."""
        if not self.quiet:
            self._print_line(f"warning: {message}")

    @staticmethod
    def _print_line(message: str) -> None:
        from automix.files.names import printable

        print(printable(message), file=sys.stderr)

    def document(self, content: dict[str, Any]) -> None:
        """Prints ``content`` as JSON; numbers that JSON has no word for become null."""
        print(json.dumps(_finite(content), indent=2, allow_nan=False))

    @contextmanager
    def progress(self, stages: int) -> Iterator[Callable[[str], None]]:
        """Gives a function that is told the name of each stage; draws a bar on a terminal."""
        if self.quiet or not sys.stderr.isatty():
            yield lambda stage: None
            return
        from rich.console import Console
        from rich.progress import (
            BarColumn,
            Progress,
            TextColumn,
            TimeElapsedColumn,
            TimeRemainingColumn,
        )

        columns = (TextColumn("{task.description:10}"), BarColumn(), TimeElapsedColumn())
        console = Console(stderr=True)
        with Progress(*columns, TimeRemainingColumn(), console=console, transient=True) as bar:
            task = bar.add_task("", total=stages)
            begun = False

            def report(stage: str) -> None:
                nonlocal begun
                bar.update(task, description=stage, advance=1 if begun else 0)
                begun = True

            yield report


def _finite(content: Any) -> Any:
    if isinstance(content, dict):
        return {key: _finite(value) for key, value in content.items()}
    if isinstance(content, list | tuple):
        return [_finite(value) for value in content]
    if isinstance(content, float) and not math.isfinite(content):
        return None
    return content
