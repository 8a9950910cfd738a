"""Gives work to threads, and says how many of them work at the same time.

Compiled loops, array arithmetic and FFTs release the interpreter lock, so threads are enough. Their
number changes how long a result takes, never the result.
"""

import os
import sys
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from types import TracebackType
from typing import Self, TypeVar

from automix.parallel.memory import is_scarce

Item = TypeVar("Item")
Result = TypeVar("Result")

_count: int | None = None


def use_workers(count: int | None) -> None:
    """Sets the number of threads of this process; none stands for one per processor."""
    global _count
    _count = count


def count_workers() -> int:
    """Returns the number of threads that work at the same time, 1 or more.

    Unless it is set, one where memory is scarce: each thread takes some for itself.
    """
    return _count or (1 if is_scarce() else count_processors())


def count_processors() -> int:
    """Returns the number of processors that this process may use, 1 or more."""
    if sys.platform == "linux":
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


class Workers:
    """Threads for work that comes piece by piece, such as one block after the other.

    Args:
        most: Largest number of threads; `count_workers` limits it too.
    """

    def __init__(self, most: int) -> None:
        threads = min(count_workers(), most)
        self._pool = ThreadPoolExecutor(threads) if threads > 1 else None

    def map(self, function: Callable[[Item], Result], items: Iterable[Item]) -> list[Result]:
        """Applies the function to each item.

        Returns:
            The results in the order of the items. The first exception is raised here.
        """
        if self._pool is None:
            return [function(item) for item in items]
        return list(self._pool.map(function, items))

    def start(self, function: Callable[[Item], Result], item: Item) -> Callable[[], Result]:
        """Begins one piece of work beside others.

        Returns:
            A function that waits for the result and returns it, or raises the exception.
        """
        if self._pool is None:
            return lambda: function(item)
        return self._pool.submit(function, item).result

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        if self._pool is not None:
            self._pool.shutdown(cancel_futures=True)


def run_in_parallel(function: Callable[[Item], Result], items: Iterable[Item]) -> list[Result]:
    """Applies the function to each item, in as many threads as may work.

    Returns:
        The results in the order of the items. The first exception is raised here.
    """
    waiting = list(items)
    with Workers(len(waiting)) as workers:
        return workers.map(function, waiting)
