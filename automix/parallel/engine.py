"""Engines run the items of a batch somewhere: on this machine or on a cluster.

This module says what every engine does; `local_engine` and `ray_engine` hold the two there are.
"""

from collections.abc import Callable
from dataclasses import dataclass
from types import TracebackType
from typing import Any, Protocol, Self


@dataclass(frozen=True, kw_only=True, slots=True)
class Job:
    """One item of a batch, as a worker gets it.

    Attributes:
        key: Text that identifies the item among those of the batch.
        work: What is to be done, as the function that does it understands it; it is pickled.
        folder: Folder that relative paths start from.
    """

    key: str
    work: Any
    folder: str


@dataclass(frozen=True, kw_only=True, slots=True)
class Outcome:
    """How an item of a batch ended.

    Attributes:
        exit_code: Exit code of the work; 0 is success.
        error: Sentence that says what went wrong, or empty.
        seconds: Time that the item took, or none if it is not known.
        result: What came of it, if it went well; it is pickled.
        died: Whether the worker process ended before the item did.
    """

    exit_code: int
    error: str = ""
    seconds: float | None = None
    result: Any = None
    died: bool = False


RunJob = Callable[[Job], Outcome]
"""Runs one item. It has to be a function of a module, so that other processes find it."""


class WorkEngine(Protocol):
    """Runs items, `slots` of them at a time; leaving its context ends those that are at work."""

    slots: int
    """Largest number of items that are at work at a time."""

    def __enter__(self) -> Self:
        """The engine itself."""

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """Ends what is at work."""

    def submit(self, task: Job) -> None:
        """Begins an item. The caller makes sure that fewer than `slots` are at work."""

    def next_outcome(self) -> tuple[str, Outcome]:
        """Waits for any item to end and returns its key and outcome; one must be at work."""

    def end(self) -> None:
        """Ends what is at work within a fraction of a second; may be called from any thread."""
