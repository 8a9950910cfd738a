"""Sources that are computed while they are read, and reading ahead in a thread."""

import queue
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TypeVar

from automix.audio.samples import Samples
from automix.parallel.workers import count_workers

Item = TypeVar("Item")


@dataclass(frozen=True, kw_only=True, eq=False)
class Stream:
    """An `AudioSource` whose blocks are computed anew on each pass.

    Attributes:
        sample_rate: Frames per second.
        channels: 1 (mono) or 2 (stereo).
        frames: Length in frames.
        make_blocks: Begins a pass: returns an iterator over the blocks from the start.
    """

    sample_rate: int
    channels: int
    frames: int
    make_blocks: Callable[[], Iterator[Samples]]

    def blocks(self) -> Iterator[Samples]:
        """Yields the audio from its start, in blocks as `AudioSource.blocks` describes them."""
        return self.make_blocks()


_LOOK_S = 1.0
"""Seconds after which a reader looks whether the thread that it waits for is still there."""


def prefetch(items: Iterator[Item], depth: int = 3) -> Iterator[Item]:
    """Yields the same items, computed ahead in a thread if more than one worker may work.

    Args:
        items: The items; the thread computes them. Exceptions that it raises are raised here.
        depth: Largest number of items that are ready and wait.
    """
    if count_workers() == 1:
        yield from items
        return
    waiting: queue.Queue[tuple[Item | None, BaseException | None, bool]] = queue.Queue(depth)
    stopped = threading.Event()

    def offer(entry: tuple[Item | None, BaseException | None, bool]) -> None:
        while not stopped.is_set():
            try:
                waiting.put(entry, timeout=0.1)
                return
            except queue.Full:
                continue

    def work() -> None:
        try:
            for item in items:
                offer((item, None, False))
                if stopped.is_set():
                    return
            offer((None, None, True))
        except BaseException as error:  # handed to the reader, whatever it is
            offer((None, error, True))

    thread = threading.Thread(target=work, daemon=True)
    thread.start()
    try:
        while True:
            try:
                item, error, last = waiting.get(timeout=_LOOK_S)
            except queue.Empty:
                if thread.is_alive():
                    continue
                if waiting.empty():  # too little memory even to say so
                    raise MemoryError("a thread ended without a word") from None
                continue
            if error is not None:
                raise error
            if last:
                return
            yield item  # type: ignore[misc]
    finally:
        stopped.set()
        thread.join()
