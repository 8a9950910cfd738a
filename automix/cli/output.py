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
from automix.parallel.memory import check_memory, is_out_of_memory

Arguments = ParamSpec("Arguments")


def report_errors(command: Callable[Arguments, None]) -> Callable[Arguments, None]:
    """Turns the errors of a command into one line on stderr and their exit code."""

    @functools.wraps(command)
    def wrapped(*args: Arguments.args, **kwargs: Arguments.kwargs) -> None:
        try:
            check_memory()
            with keep_inputs():
                command(*args, **kwargs)
            sys.stdout.flush()
        except AutomixError as error:
            if is_out_of_memory(error):  # whatever was made of it on its way
                raise
            from automix.files.names import printable

            print(f"automix: {printable(str(error))}", file=sys.stderr)
            raise typer.Exit(error.exit_code) from error
        except EOFError as error:  # Typer takes it for Ctrl-D, and says no more than "Aborted!"
            raise RuntimeError(f"a file ended too early: {error}") from error
        except BrokenPipeError:
            discard_stdout()  # the reader has seen enough

    return wrapped


def discard_stdout() -> None:
    """Sends what is still to be printed nowhere: Python complains if it cannot flush at exit."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def describe_failure(error: OSError) -> str:
    """Says on one line which file the system refused, and why; names none that may be innocent."""
    from automix.files.names import printable

    found = (error.filename, error.filename2)
    names = [printable(os.fsdecode(name)) for name in found if isinstance(name, str | bytes)]
    if not names and error.errno is None:  # of a library, in its own words
        return printable(str(error))
    where = " and ".join(names) or "a file that the system does not name"
    return f"{where}: {error.strerror or error}"


class StandardOutputError(OSError):
    """Standard output cannot be written; no error of any other file is one of this class."""


class StandardOutput(io.FileIO):
    """Standard output, whose errors say whose they are."""

    def write(self, data: Any) -> int:
        """Writes bytes.

        Returns:
            How many were taken.

        Raises:
            BrokenPipeError: The reader is gone.
            StandardOutputError: The disk is full, or fails.
        """
        try:
            return super().write(data)
        except BrokenPipeError:
            raise
        except OSError as error:
            raise StandardOutputError(error.errno, error.strerror) from error


class StandardError(io.FileIO):
    """Standard error, whose own errors can be told nobody and change nothing."""

    def write(self, data: Any) -> int:
        """Writes bytes, or loses them.

        Returns:
            How many were taken.
        """
        try:
            return super().write(data)
        except OSError:
            return memoryview(data).nbytes


def prepare_streams() -> None:
    """Makes printing possible whatever the caller closed and whatever the locale can spell."""
    for name in ("stdout", "stderr"):
        if getattr(sys, name) is None:  # closed by the caller
            setattr(sys, name, open(os.devnull, "w"))  # noqa: SIM115
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")
    if sys.stdout is sys.__stdout__:  # the caller's own
        sys.stdout = _wrap(sys.stdout, StandardOutput)
    if sys.stderr is sys.__stderr__:
        sys.stderr = _wrap(sys.stderr, StandardError)


def _wrap(stream: Any, kind: type[io.FileIO]) -> Any:
    if not isinstance(stream, io.TextIOWrapper):
        return stream
    return io.TextIOWrapper(
        io.BufferedWriter(kind(stream.fileno(), "w", closefd=False)),
        encoding=stream.encoding,
        errors=stream.errors,
        line_buffering=stream.line_buffering or stream.write_through,
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
