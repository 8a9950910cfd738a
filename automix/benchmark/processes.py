"""Measures what whole processes and calls cost, in turns."""

import os
import signal
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Generic, TypeVar

from automix.errors import AutomixError

Result = TypeVar("Result")

PACKAGE_FOLDER = Path(__file__).parents[2]
"""Folder in which `python -m automix` finds the package that is running now."""

# On Linux a process inherits the peak memory of the one that forks it, up to its `exec`: a small
# one has to stand in between, or every figure would be at least the size of this process.
_LAUNCHER = """
import os, sys, time
null = [(os.POSIX_SPAWN_OPEN, 1, os.devnull, os.O_WRONLY, 0)]
start = time.perf_counter()
process = os.posix_spawnp(sys.argv[1], sys.argv[1:], os.environ, file_actions=null)
_, status, used = os.wait4(process, 0)
wall_s = time.perf_counter() - start
print(os.waitstatus_to_exitcode(status), wall_s, used.ru_utime + used.ru_stime, used.ru_maxrss)
"""
_MAXRSS_UNIT = 1 if sys.platform == "darwin" else 1024


class CommandFailed(AutomixError):
    """A command that was to be measured ended with an error."""


@dataclass(frozen=True, kw_only=True)
class Cost:
    """What a process cost.

    Attributes:
        wall_s: Time from its start to its end.
        cpu_s: User and system time of all its threads, and of the processes that it waited for.
        peak_bytes: Largest resident size of it or of one of those processes.
    """

    wall_s: float
    cpu_s: float
    peak_bytes: int


def run_process(command: Sequence[str | Path]) -> Cost:
    """Runs a command to its end and measures it; its standard output is thrown away.

    Args:
        command: Program and arguments. It runs in `PACKAGE_FOLDER`, so let its paths be absolute.

    Raises:
        CommandFailed: The command cannot be started, or its exit status is not 0.
    """
    words = [os.fspath(word) for word in command]
    with subprocess.Popen(
        [sys.executable, "-I", "-S", "-c", _LAUNCHER, *words],
        cwd=PACKAGE_FOLDER,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        errors="replace",
        start_new_session=True,
    ) as process:
        try:
            printed, complaints = process.communicate()
        except BaseException:  # Ctrl-C and the like: leave nothing running
            with suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGTERM)
            raise
    status, *figures = printed.split() or ["none: it could not be started"]
    if status != "0":
        last_line = (complaints.strip().splitlines() or ["it said nothing"])[-1]
        raise CommandFailed(f"{' '.join(words[:3])} … ended with status {status}: {last_line}")
    wall_s, cpu_s, peak = map(float, figures)
    return Cost(wall_s=wall_s, cpu_s=cpu_s, peak_bytes=round(peak) * _MAXRSS_UNIT)


def median_cost(costs: Sequence[Cost]) -> Cost:
    """Takes the median of each figure by itself."""
    return Cost(
        wall_s=statistics.median(cost.wall_s for cost in costs),
        cpu_s=statistics.median(cost.cpu_s for cost in costs),
        peak_bytes=round(statistics.median(cost.peak_bytes for cost in costs)),
    )


@dataclass(frozen=True, kw_only=True)
class Timed(Generic[Result]):
    """The cost of a call.

    Attributes:
        seconds: Median time of the call.
        result: Result of the last call.
    """

    seconds: float
    result: Result


def alternate(calls: Sequence[Callable[[], Result]], runs: int) -> list[list[Result]]:
    """Calls each in turn, A B A B …, after one round that does not count.

    Whatever else the machine does then falls on all of them alike.

    Args:
        calls: Calls that are compared.
        runs: Number of rounds that count, 1 or more.

    Returns:
        The results of each call, in the order of the rounds.
    """
    for call in calls:
        call()
    rounds = [[call() for call in calls] for _ in range(runs)]
    return [list(results) for results in zip(*rounds, strict=True)]


def compare_processes(commands: Sequence[Sequence[str | Path]], runs: int) -> list[Cost]:
    """Measures the median cost of each command, in turns.

    Raises:
        CommandFailed: A command cannot be started, or its exit status is not 0.
    """
    calls = [partial(run_process, command) for command in commands]
    return [median_cost(costs) for costs in alternate(calls, runs)]


def compare_calls(calls: Sequence[Callable[[], Result]], runs: int) -> list[Timed[Result]]:
    """Measures the median time of each call within this process, in turns and warm."""

    def time_call(call: Callable[[], Result]) -> tuple[float, Result]:
        start = time.perf_counter()
        result = call()
        return time.perf_counter() - start, result

    measured = alternate([partial(time_call, call) for call in calls], runs)
    return [
        Timed(seconds=statistics.median(seconds for seconds, _ in of_one), result=of_one[-1][1])
        for of_one in measured
    ]
