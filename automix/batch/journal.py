"""The journal of a batch: what was begun and how it ended, one JSON record per line.

It is only ever appended to, each record in one write. Lines that are no records, such as one that
a power failure cut off, are ignored.
"""

import contextlib
import errno
import fcntl
import json
import os
import stat
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, Self, get_args

from automix.errors import OutputError
from automix.files.state import FileState
from automix.files.temporary import may_be_planted

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
        files: The files that were written, by what they are: ``mix``, ``plan``, ``report``.
    """

    status: Status
    fingerprint: str
    is_ours: bool
    files: Mapping[str, FileState] = field(default_factory=dict)


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
            try:
                if os.write(self._descriptor, line) < len(line):
                    raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
                if sync:
                    os.fsync(self._descriptor)
            except OSError:
                with contextlib.suppress(OSError):
                    os.ftruncate(self._descriptor, end)
                    if end == 0:
                        os.unlink(self.path)
                raise

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
        found[record["item"]] = JournalEntry(
            status, record.get("fingerprint", ""), is_ours, _read_states(record.get("files"))
        )
    return found


def record_states(files: Mapping[str, FileState]) -> dict[str, list[int | str]]:
    """The states of files as a record has them: size, digest, times of change."""
    return {name: [s.size, s.sha256, *s.changed_ns] for name, s in files.items()}


def _read_states(recorded: object) -> dict[str, FileState]:
    found = {}
    for name, state in recorded.items() if isinstance(recorded, dict) else ():
        match state:
            case [int(size), str(sha256), int(content_ns), int(entry_ns)]:
                changed_ns = content_ns, entry_ns
                found[name] = FileState(size=size, sha256=sha256, changed_ns=changed_ns)
    return found


def _records(path: str, start: int = 0) -> Iterator[dict[str, Any]]:
    with (
        _report_failures(path),
        contextlib.suppress(FileNotFoundError),
        open(path, "rb", opener=_open_regular) as file,
    ):
        file.seek(start)
        for line in file:
            if not line.endswith(b"\n"):
                return
            try:
                record = json.loads(line)
            except (ValueError, RecursionError):
                continue
            if _is_record(record):
                yield record


def _is_record(record: object) -> bool:
    """Tells a record from other lines of JSON."""
    return (
        isinstance(record, dict)
        and isinstance(record.get("item"), str)
        and record.get("status") in get_args(Status)
    )


def _open_regular(path: str, flags: int) -> int:
    """Opens a file that is no pipe, whose other end would have to be waited for.

    Raises:
        OSError: It is a pipe or a device, or cannot be opened.
    """
    descriptor = os.open(path, flags | os.O_NONBLOCK | os.O_CLOEXEC, 0o666)
    if not stat.S_ISREG(os.fstat(descriptor).st_mode):
        os.close(descriptor)
        raise OSError(errno.EINVAL, "is a pipe or device, not a journal", path)
    return descriptor


def _open_locked(path: str, flags: int) -> int:
    """A descriptor of the journal that no other run has."""
    if may_be_planted(path):
        raise OutputError(f"{path}: is somebody else's; choose another -o")
    at_work = f"{path}: another run is at work on this folder; wait for it or choose another -o"
    try:
        descriptor = _open_regular(path, flags | os.O_RDWR | os.O_APPEND)
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
