"""The journal of a batch: what was begun and how it ended, one JSON record per line.

It is only ever appended to, each record in one write. Lines that are no records, such as one that
a power failure cut off, are ignored.
"""

import contextlib
import errno
import fcntl
import json
import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Literal, Self

from automix.errors import OutputError

NAME = "automix-batch.jsonl"

Status = Literal["started", "died", "failed", "done"]


@dataclass(frozen=True, slots=True)
class JournalEntry:
    """The last word of the journal on one item.

    Attributes:
        status: ``"died"`` is a worker's death that another attempt was to follow.
        fingerprint: Of what it was made from; see `automix.batch.item.Item.fingerprint`.
        is_ours: Whether what is under the name of its output was, or may have been, written by
            this batch.
    """

    status: Status
    fingerprint: str
    is_ours: bool


class Journal:
    """The journal in a folder, locked against other runs until it is closed or the process ends.

    It comes into being with its first record.

    Args:
        folder: Folder of the batch.

    Raises:
        OutputError: It may not be written, or another run holds it.
    """

    def __init__(self, folder: str) -> None:
        self.path = os.path.join(folder, NAME)
        self._descriptor: int | None = None
        self._start = 0
        with _report_failures(self.path), contextlib.suppress(FileNotFoundError):
            self._descriptor = _open_locked(self.path, 0)
            self._start = os.fstat(self._descriptor).st_size

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        if self._descriptor is not None:
            os.close(self._descriptor)

    def append(self, record: Mapping[str, Any], *, sync: bool = True) -> None:
        """Adds a record.

        Args:
            record: Anything that JSON has words for.
            sync: Whether it has to outlast a power failure.

        Raises:
            OutputError: The disk is full or fails, or another run began at the same time.
        """
        line = json.dumps(record, separators=(",", ":")).encode() + b"\n"
        with _report_failures(self.path, len(line)):
            if self._descriptor is None:
                os.makedirs(os.path.dirname(self.path), exist_ok=True)
                self._descriptor = _open_locked(self.path, os.O_CREAT | os.O_EXCL)
            end = os.fstat(self._descriptor).st_size
            if end and os.pread(self._descriptor, 1, end - 1) != b"\n":
                line = b"\n" + line  # the last record was cut off: keep clear of it
            if os.write(self._descriptor, line) < len(line):
                raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
            if sync:
                os.fsync(self._descriptor)

    def new_records(self) -> Iterator[dict[str, Any]]:
        """What was appended since it was opened."""
        return _records(self.path, self._start)


def last_entries(folder: str) -> dict[str, JournalEntry]:
    """The last word of a folder's journal on every item that was begun, by its output.

    Raises:
        OutputError: It cannot be read.
    """
    found: dict[str, JournalEntry] = {}
    for record in _records(os.path.join(folder, NAME)):
        status, was = record["status"], record.get("output_was")
        written = status == "done" and not record.get("kept")
        is_ours = was == "ours" or (was == "free" and status != "failed") or written
        found[record["item"]] = JournalEntry(status, record.get("fingerprint", ""), is_ours)
    return found


def _records(path: str, start: int = 0) -> Iterator[dict[str, Any]]:
    with _report_failures(path), contextlib.suppress(FileNotFoundError), open(path, "rb") as file:
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


def _open_locked(path: str, flags: int) -> int:
    """A descriptor of the journal that no other run has."""
    at_work = f"{path}: another run is at work on this folder; wait for it or choose another -o"
    try:
        descriptor = os.open(path, flags | os.O_RDWR | os.O_APPEND | os.O_CLOEXEC, 0o666)
    except FileExistsError as error:
        raise OutputError(at_work) from error
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError as error:
        os.close(descriptor)
        raise OutputError(at_work) from error
    except OSError:
        pass  # a file system without locks
    return descriptor


@contextlib.contextmanager
def _report_failures(path: str, size_bytes: int = 0) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        from pathlib import Path

        from automix.files.disk import report_write_failures  # only now: it loads NumPy

        with report_write_failures(Path(path), size_bytes):
            raise error
