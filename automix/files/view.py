"""A file as a decoder is to see it: without foreign bytes, and with a header that tells the truth.

A decoder trusts what a header says and stops where it does not understand the file. So it is shown
a view: a few bytes of our own where the header lies, and those ranges of the file that hold audio.
"""

import bisect
import itertools
import os
import re
from collections.abc import Callable
from dataclasses import dataclass
from io import SEEK_CUR, SEEK_END, SEEK_SET

_BUFFER_BYTES = 1 << 18


@dataclass(frozen=True)
class Gap:
    """Bytes that a view has by its length, but that nothing can be read from.

    A decoder that estimates the length of a stream by its bytes then reads to the true end.

    Attributes:
        size: Number of bytes.
    """

    size: int


View = tuple[bytes | range | Gap, ...]
"""Pieces in order: bytes of our own, ranges of positions in the file, and gaps. An empty view
stands for the file as it is."""


@dataclass(frozen=True, kw_only=True)
class Recording:
    """A run of audio that one decoder reads from its start to its end.

    Attributes:
        view: What the decoder is shown.
        frames: Length in frames where walking the file tells it better than the decoder; else none.
        skip: Frames of it to leave out at its start: the delay of an encoder.
    """

    view: View = ()
    frames: int | None = None
    skip: int = 0


def skip_bytes(start: int, size: int) -> View:
    """Makes the view of a file of ``size`` bytes that begins at ``start``."""
    return (range(start, size),) if start else ()


class ViewFile:
    """A file object for libsndfile that shows a view of a file."""

    def __init__(self, descriptor: int, view: View) -> None:
        self._descriptor = descriptor
        self._pieces = [piece for piece in view if _measure(piece)]
        self._starts = [0, *itertools.accumulate(_measure(piece) for piece in self._pieces)]
        self._position = 0
        self._buffer = b""
        self._buffer_start = 0

    def seek(self, offset: int, whence: int = SEEK_SET) -> int:
        """Moves to a position and returns it, as `io.IOBase.seek` does."""
        start = {SEEK_SET: 0, SEEK_CUR: self._position, SEEK_END: self._starts[-1]}[whence]
        self._position = max(start + offset, 0)
        return self._position

    def tell(self) -> int:
        """Returns the position, as `io.IOBase.tell` does."""
        return self._position

    def read(self, count: int) -> bytes:
        """Reads up to ``count`` bytes, as `io.RawIOBase.read` does.

        An error of reading ends the data: exceptions cannot pass through the decoder. What is
        missing then is noticed by whoever counts the frames.
        """
        at = self._position - self._buffer_start
        if not (at >= 0 and at + count <= len(self._buffer)):
            try:
                self._buffer = self._gather(self._position, max(count, _BUFFER_BYTES))
            except OSError:
                self._buffer = b""
            self._buffer_start, at = self._position, 0
        data = self._buffer[at : at + count]
        self._position += len(data)
        return data

    def _gather(self, position: int, count: int) -> bytes:
        """Collects the bytes from ``position`` on, at most ``count`` and none behind a gap."""
        found: list[bytes] = []
        index = bisect.bisect_right(self._starts, position) - 1
        while count > 0 and index < len(self._pieces):
            piece, offset = self._pieces[index], position - self._starts[index]
            if isinstance(piece, Gap):
                break
            wanted = min(_measure(piece) - offset, count)
            if isinstance(piece, bytes):
                data = piece[offset : offset + wanted]
            else:
                data = os.pread(self._descriptor, wanted, piece.start + offset)
            found.append(data)
            if len(data) < wanted:
                break
            position += wanted
            count -= wanted
            index += 1
        return b"".join(found)


def _measure(piece: bytes | range | Gap) -> int:
    return piece.size if isinstance(piece, Gap) else len(piece)


class Window:
    """Reads here and there in a file, in order, without a call to the system for each place.

    Attributes:
        size: Bytes in the file.
    """

    def __init__(self, descriptor: int, size: int) -> None:
        self._descriptor = descriptor
        self.size = size
        self.data = b""
        self.start = 0

    def peek(self, position: int, count: int) -> bytes:
        """Returns ``count`` bytes from ``position`` on, fewer at the end of the file.

        Raises:
            OSError: The file cannot be read there.
        """
        at = position - self.start
        if at < 0 or at + count > len(self.data):
            if position >= self.size:
                return b""
            self.data = os.pread(self._descriptor, max(count, _BUFFER_BYTES), position)
            self.start, at = position, 0
        return self.data[at : at + count]

    def find(self, mark: bytes, position: int, stop: int) -> int:
        """Finds where ``mark`` next begins, from ``position`` to before ``stop``; −1 if nowhere."""
        return self._find(lambda data: data.find(mark), len(mark), position, stop)

    def search(self, pattern: re.Pattern[bytes], length: int, position: int, stop: int) -> int:
        """Finds where a pattern of ``length`` bytes next begins, as `find` does."""

        def locate(data: bytes) -> int:
            match = pattern.search(data)
            return -1 if match is None else match.start()

        return self._find(locate, length, position, stop)

    def _find(self, locate: Callable[[bytes], int], length: int, position: int, stop: int) -> int:
        count = 1 << 10  # a little first: most finds are near
        while position < stop:
            count = min(count, stop - position + length - 1)
            data = self.peek(position, count)
            at = locate(data)
            if at >= 0:
                return position + at
            if len(data) < count or position + count >= stop + length - 1:
                return -1
            position += count - length + 1
            count = _BUFFER_BYTES
        return -1
