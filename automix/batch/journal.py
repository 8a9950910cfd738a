"""The journal of a batch: what was begun and how it ended, one JSON record per line.

It is only ever appended to, each record in one write, on disk before the next item counts. Lines
that are no records, such as one that a power failure cut off, are ignored.
"""

import contextlib
import errno
import fcntl
import json
import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

from automix.errors import OutputError

NAME = "automix-batch.jsonl"


@dataclass(frozen=True, slots=True)
class Entry:
    """The last word of the journal on one item.

    Attributes:
        status: ``"started"``, ``"done"``, ``"crashed"`` (to be tried again) or ``"failed"``.
        state: Fingerprint of what it was made from; see `automix.batch.item.state`.
        owned: Whether an output under its name is the batch's own.
    """

    status: str
    state: str
    owned: bool


class Journal:
    """The journal in a folder, locked against other runs until it is closed or the process ends."""

    def __init__(self, path: Path, descriptor: int, made: list[Path]) -> None:
        self.path = path
        self._descriptor = descriptor
        self._made = made
        self._start = os.fstat(descriptor).st_size

    @classmethod
    def open(cls, folder: Path) -> Self:
        """Opens the journal of a folder; makes both if need be.

        Raises:
            OutputError: The folder cannot be written, or another run holds the journal.
        """
        path = folder / NAME
        with _reported(path):
            made = _make_folder(folder)
            while True:
                descriptor = os.open(path, os.O_RDWR | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC)
                try:
                    _lock(descriptor, path)
                    if _is_at(descriptor, path):
                        return cls(path, descriptor, made)
                except BaseException:
                    os.close(descriptor)
                    raise
                os.close(descriptor)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        self.close()

    def close(self) -> None:
        """Unlocks it. A journal that nothing was written to goes, and so does its new folder."""
        with contextlib.suppress(OSError):
            if os.fstat(self._descriptor).st_size == 0:
                self.path.unlink()
                for folder in reversed(self._made):
                    folder.rmdir()
        os.close(self._descriptor)

    def append(self, record: Mapping[str, Any], *, sync: bool = True) -> None:
        """Adds a record.

        Args:
            record: Anything that JSON has words for.
            sync: Whether it has to outlast a power failure.

        Raises:
            OutputError: The disk is full or fails.
        """
        line = json.dumps(record, separators=(",", ":")).encode() + b"\n"
        with _reported(self.path):
            end = os.fstat(self._descriptor).st_size
            if end and os.pread(self._descriptor, 1, end - 1) != b"\n":
                line = b"\n" + line  # the last record was cut off: keep clear of it
            written = os.write(self._descriptor, line)
            if written < len(line):
                raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
            if sync:
                os.fsync(self._descriptor)

    def new_records(self) -> Iterator[dict[str, Any]]:
        """What was appended since it was opened."""
        return records(self.path, self._start)


def last_entries(path: Path) -> dict[str, Entry]:
    """The last word of a journal on every item that was begun, by its output.

    Raises:
        OutputError: It cannot be read.
    """
    found: dict[str, Entry] = {}
    for record in records(path):
        before = found.get(record["item"])
        owned = bool(record.get("owned")) or (before is not None and before.owned)
        found[record["item"]] = Entry(record["status"], record.get("state", ""), owned)
    return found


def records(path: Path, start: int = 0) -> Iterator[dict[str, Any]]:
    """Reads the records of a journal.

    Args:
        path: The journal; one that does not exist has no records.
        start: Byte to begin at.

    Raises:
        OutputError: It cannot be read.
    """
    with _reported(path), contextlib.suppress(FileNotFoundError), path.open("rb") as file:
        file.seek(start)
        for line in file:
            if not line.endswith(b"\n"):
                return
            try:
                record = json.loads(line)
            except ValueError:
                continue
            if isinstance(record, dict) and {"item", "status"} <= record.keys():
                yield record


def _make_folder(folder: Path) -> list[Path]:
    missing = []
    while not folder.exists():
        missing.append(folder)
        folder = folder.parent
    for folder in reversed(missing):
        folder.mkdir(exist_ok=True)
    return missing[::-1]


def _lock(descriptor: int, path: Path) -> None:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError as error:
        raise OutputError(
            f"{path}: another run is at work on this folder; wait for it or choose another -o"
        ) from error
    except OSError:
        pass  # a file system without locks


def _is_at(descriptor: int, path: Path) -> bool:
    """Whether another run has not removed the file between opening and locking it."""
    try:
        return os.path.samestat(os.fstat(descriptor), os.stat(path))
    except FileNotFoundError:
        return False


@contextlib.contextmanager
def _reported(path: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        from automix.files.disk import reported

        with reported(path):
            raise error
