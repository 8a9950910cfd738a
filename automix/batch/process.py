"""Runs one item as a process of its own: whatever it does, it takes nothing down with it."""

import contextlib
import functools
import json
import os
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import IO, Any

PROGRAM = (sys.executable, "-m", "automix.batch.child")
"""Runs ``automix`` with the arguments that follow."""

_SIGNAL_CODES = {128 + number for number in (signal.SIGHUP, signal.SIGINT, signal.SIGTERM)}
_TAIL_BYTES = 4096
_MESSAGE_LENGTH = 500


@dataclass(frozen=True, kw_only=True, slots=True)
class Task:
    """A process to run.

    Attributes:
        key: Output of the item, as the journal names it.
        command: Program and arguments.
        output: File that the program is to leave behind.
        folder: Working folder.
    """

    key: str
    command: tuple[str, ...]
    output: str
    folder: str


@dataclass(frozen=True, kw_only=True, slots=True)
class Outcome:
    """How a process ended.

    Attributes:
        key: As in the task.
        exit_code: 0 if the item is done; that of `subprocess`, negative for a signal.
        crashed: Whether it died of something from outside it, such as a lack of memory.
        error: What went wrong, or empty.
        seconds: Wall time.
        figures: What the program measured, by name.
    """

    key: str
    exit_code: int
    crashed: bool = False
    error: str = ""
    seconds: float = 0.0
    figures: Mapping[str, Any] = field(default_factory=dict)


class Children:
    """The processes at work, so that they can be ended together."""

    def __init__(self) -> None:
        self._running: dict[int, subprocess.Popen[bytes]] = {}
        self._changed = threading.Condition()
        self._closed = False

    def run(self, task: Task) -> Outcome:
        """Runs a task to its end."""
        began = time.perf_counter()
        with tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as err:
            try:
                exit_code = self._run(task, out, err)
            except OSError as error:
                return Outcome(key=task.key, exit_code=1, error=f"cannot be started: {error}")
            seconds = round(time.perf_counter() - began, 3)
            return _outcome(task, exit_code, seconds, out, err)

    def _run(self, task: Task, out: IO[bytes], err: IO[bytes]) -> int:
        with self._changed:
            if self._closed:
                return -signal.SIGTERM
            process = subprocess.Popen(
                task.command,
                stdin=_lifeline(),
                stdout=out,
                stderr=err,
                cwd=task.folder,
                # Items share the cores, and how many there are must not show in the result.
                env={"OMP_NUM_THREADS": "1", **os.environ},
                process_group=0,  # Ctrl-C is for the batch, which tells the children
            )
            self._running[process.pid] = process
        try:
            return process.wait()
        finally:
            _signal_group(process.pid, signal.SIGKILL)  # what it started and left behind
            with self._changed:
                del self._running[process.pid]
                self._changed.notify_all()

    def end(self, grace_s: float) -> None:
        """Ends all processes, and those that they started; no more are started.

        Args:
            grace_s: Time for them to remove what is unfinished.
        """
        with self._changed:
            self._closed = True
            for pid in self._running:
                _signal_group(pid, signal.SIGTERM)
            self._changed.wait_for(lambda: not self._running, grace_s)
            for pid in self._running:
                _signal_group(pid, signal.SIGKILL)


@functools.cache
def _lifeline() -> int:
    """The end to read of a pipe whose other end only this process holds, as long as it lives."""
    reader, _ = os.pipe()
    return reader


def _signal_group(pid: int, number: signal.Signals) -> None:
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(pid, number)


def _outcome(task: Task, exit_code: int, seconds: float, out: IO[bytes], err: IO[bytes]) -> Outcome:
    error, figures = "", {}
    if exit_code == 0:
        figures = _figures(out)
        if not os.path.isfile(task.output):
            exit_code, error = 1, "ended as if done, but its output is not there"
    elif exit_code < 0:
        error = f"killed by {signal.Signals(-exit_code).name}"
        if exit_code == -signal.SIGKILL:
            error += "; it may have run out of memory"
    else:
        error = _last_words(err) or f"ended with exit code {exit_code}"
    return Outcome(
        key=task.key,
        exit_code=exit_code,
        crashed=exit_code < 0 or exit_code in _SIGNAL_CODES,
        error=error,
        seconds=seconds,
        figures=figures,
    )


def _figures(out: IO[bytes]) -> dict[str, Any]:
    """What is worth keeping of the document that the program printed."""
    out.seek(0)
    try:
        document = json.loads(out.read())
        loudness = document.get("loudness") or {}
        figures = {
            "duration_s": document.get("duration_s"),
            "loudness_lufs": loudness.get("integrated_lufs"),
            "true_peak_dbtp": loudness.get("true_peak_dbtp"),
            "warnings": document.get("warnings"),
            "kept": document.get("skipped"),
        }
    except (ValueError, AttributeError):
        return {}
    return {name: value for name, value in figures.items() if value not in (None, [])}


def _last_words(err: IO[bytes]) -> str:
    err.seek(max(0, err.seek(0, os.SEEK_END) - _TAIL_BYTES))
    lines = err.read().decode(errors="backslashreplace").strip().splitlines()
    return lines[-1].removeprefix("automix: ")[:_MESSAGE_LENGTH] if lines else ""
