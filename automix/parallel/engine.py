"""What an engine is: where the items of a batch are mixed."""

from collections.abc import Callable
from dataclasses import dataclass
from types import TracebackType
from typing import Any, Protocol, Self


@dataclass(frozen=True, kw_only=True, slots=True)
class Job:
    """An item, as a worker gets it.

    Attributes:
        key: Identifies it.
        work: What is to be done, as the function that does it understands it; it is pickled.
        folder: That paths are relative to.
    """

    key: str
    work: Any
    folder: str


@dataclass(frozen=True, kw_only=True, slots=True)
class Outcome:
    """How an item ended.

    Attributes:
        exit_code: Of the command.
        error: What went wrong, or empty.
        seconds: Time that it took, if known.
        result: What came of it, if it went well; it is pickled.
        died: Whether the worker died of it, or of something else.
    """

    exit_code: int
    error: str = ""
    seconds: float | None = None
    result: Any = None
    died: bool = False


Mix = Callable[[Job], Outcome]
"""A function of a module, so that other processes find it."""


class WorkEngine(Protocol):
    """Mixes items; leaving its context ends those that are at work."""

    slots: int
    """How many items are mixed at a time."""

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
        """Begins an item; fewer than `slots` are at work."""

    def next_outcome(self) -> tuple[str, Outcome]:
        """Waits for any item to end; at least one is at work. Returns its key and outcome."""

    def end(self) -> None:
        """Ends what is at work within a fraction of a second; may be called from any thread."""
