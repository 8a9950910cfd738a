"""Workers on this machine: processes that mix one item after the other.

A worker that dies takes one item with it, and another takes its place. Workers die with the run,
however that ends.
"""

import contextlib
import gc
import multiprocessing
import os
import signal
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from multiprocessing import resource_tracker
from multiprocessing.connection import Connection, wait
from multiprocessing.context import SpawnProcess
from types import TracebackType
from typing import Self

from automix.errors import DeviceError
from automix.parallel.engine import Job, Outcome, RunJob
from automix.parallel.memory import ONE_THREAD

GRACE_S = 0.4
LAST_GRACE_S = 0.15
"""Seconds that workers get to remove unfinished files: the whole run has to end within one."""


@dataclass(frozen=True, slots=True)
class _Worker:
    process: SpawnProcess
    connection: "Connection[Job, Outcome]"


class LocalEngine:
    """Runs items in worker processes on this machine.

    Args:
        mix: Runs one item.
        prepare: Called when a worker begins; has SIGTERM raise an exception that ends it.
        slots: Largest number of workers.
    """

    def __init__(self, mix: RunJob, prepare: Callable[[], None], slots: int) -> None:
        self.slots = slots
        self._start = (mix, prepare)
        self._workers: list[_Worker] = []
        self._idle: list[_Worker] = []
        self._busy: dict[object, tuple[_Worker, str]] = {}

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        if kind is None:
            for worker in self._workers:
                worker.connection.close()  # idle: it ends by itself
            self._wait(LAST_GRACE_S)
        else:
            self._terminate()
            self._wait(GRACE_S)
        self.end()

    def submit(self, task: Job) -> None:
        """Begins an item. The caller makes sure that fewer than `slots` are at work.

        Raises:
            DeviceError: The system has no room for another process.
        """
        worker = self._idle.pop() if self._idle else self._start_worker()
        with contextlib.suppress(OSError):  # it died: `next_outcome` will tell
            worker.connection.send(task)
        self._busy[worker.connection] = worker, task.key

    def next_outcome(self) -> tuple[str, Outcome]:
        """Waits for any item to end and returns its key and outcome; one must be at work."""
        connection = wait([worker.connection for worker, _ in self._busy.values()])[0]
        worker, key = self._busy.pop(connection)
        try:
            outcome = worker.connection.recv()
        except (EOFError, OSError):
            worker.process.join()
            worker.connection.close()
            self._workers.remove(worker)
            return key, _describe_death(worker.process.exitcode or 0)
        self._idle.append(worker)
        return key, outcome

    def end(self) -> None:
        """Ends what is at work within a fraction of a second; may be called from any thread."""
        self._terminate()  # when asked twice, a worker leaves at once
        self._wait(LAST_GRACE_S)
        for worker in self._workers:
            worker.process.kill()

    def _start_worker(self) -> _Worker:
        ours, theirs = multiprocessing.Pipe()
        process = multiprocessing.get_context("spawn").Process(
            target=_serve, args=(theirs, *self._start), daemon=True
        )
        resource_tracker.ensure_running()  # it unblocks signals, so not later
        for name, value in ONE_THREAD.items():  # the workers share the processors
            os.environ.setdefault(name, value)
        # Ctrl-C reaches all processes of a terminal; workers are born deaf to it: the run ends them
        mask = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
        try:
            process.start()
        except OSError as error:
            raise DeviceError(f"no worker can be started: {error}; try fewer with -j") from error
        finally:
            signal.pthread_sigmask(signal.SIG_SETMASK, mask)
            theirs.close()
        worker = _Worker(process, ours)
        self._workers.append(worker)
        return worker

    def _terminate(self) -> None:
        for worker in self._workers:
            worker.process.terminate()

    def _wait(self, seconds: float) -> None:
        deadline = time.monotonic() + seconds
        for worker in self._workers:
            worker.process.join(max(0.0, deadline - time.monotonic()))


def _describe_death(exit_code: int) -> Outcome:
    if exit_code == -signal.SIGKILL:
        cause = "was killed; it may have run out of memory"
    elif exit_code < 0:
        cause = f"was ended by {signal.Signals(-exit_code).name}"
    else:
        cause = f"ended with exit code {exit_code}"
    return Outcome(exit_code=exit_code, error=f"its worker {cause}", died=True)


def _serve(
    connection: "Connection[Outcome, Job]", mix: RunJob, prepare: Callable[[], None]
) -> None:
    """Runs items as they come, until the run closes the connection: the life of a worker."""
    nowhere = os.open(os.devnull, os.O_RDWR)
    for stream in (0, 1, 2):  # what native libraries print would get into the document
        os.dup2(nowhere, stream)
    prepare()
    threading.Thread(target=_end_with_the_run, daemon=True).start()
    gc.disable()  # the first item imports; that leaves no garbage, and to look for it takes time
    with contextlib.suppress(EOFError):
        while True:
            connection.send(mix(connection.recv()))
            gc.enable()
    os._exit(0)  # taking the interpreter down takes longer than some songs


def _end_with_the_run() -> None:
    run = multiprocessing.parent_process()
    if run is not None:
        run.join()
    os.kill(os.getpid(), signal.SIGTERM)
