"""Engines: where the processes of a batch run. The driver holds no more than is at work."""

from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from types import TracebackType
from typing import Protocol, Self

from automix.batch.process import Children, Outcome, Task

GRACE_S = 0.5
"""Time for children to clean up when a run is ended; the whole has to end within a second."""


class Engine(Protocol):
    """Runs tasks; leaving its context ends those that are at work."""

    slots: int

    def __enter__(self) -> Self:
        """The engine itself."""

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """Ends what is at work."""

    def submit(self, task: Task) -> None:
        """Starts a task; at most `slots` are at work."""

    def next_outcome(self) -> Outcome:
        """Waits for any task to end; at least one is at work."""

    def end(self) -> None:
        """Ends what is at work, at once."""


class LocalEngine:
    """Processes of this machine.

    Args:
        slots: How many at a time.
    """

    def __init__(self, slots: int) -> None:
        self.slots = slots
        self._children = Children()
        self._pool = ThreadPoolExecutor(slots)
        self._running: set[Future[Outcome]] = set()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._children.end(GRACE_S)
        self._pool.shutdown()

    def submit(self, task: Task) -> None:
        """Starts a task; at most `slots` are at work."""
        self._running.add(self._pool.submit(self._children.run, task))

    def next_outcome(self) -> Outcome:
        """Waits for any task to end; at least one is at work."""
        done, _ = wait(self._running, return_when=FIRST_COMPLETED)
        future = done.pop()
        self._running.remove(future)
        return future.result()

    def end(self) -> None:
        """Ends what is at work, at once."""
        self._children.end(0.0)
