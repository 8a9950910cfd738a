"""The journal of a desk: edits that are not saved yet, in a hidden file beside the plan.

Its first line says which plan the others belong to; each other line is one thing that was done, see
`automix.desk.document`. Lines are only ever appended, each in one write, so that a desk that is
killed loses nothing that it has confirmed; only a failure of power can lose what the system had
not brought to the disk. What cannot be read as a line is where the journal ends.

The lock on the file tells a desk at work from a dead one, and keeps a second desk off the plan.
"""

import contextlib
import errno
import fcntl
import json
import os
import stat
from collections.abc import Hashable, Iterable, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from automix.errors import InputError, OutputError, PlanError
from automix.files.disk import report_write_failures
from automix.files.encode import write_all
from automix.files.names import printable
from automix.files.temporary import is_named, may_be_planted
from automix.files.text import parse_json, read_bytes
from automix.inputs import read_outputs

MOST_JOURNAL_BYTES = 64 << 20
"""Size of the largest journal that is read."""

_SLACK_BYTES = 1 << 20
"""How much of a journal may be void before it is written anew."""

_HEADER = "automix_desk"
_FORMAT = 1

Record = dict[str, Any]


class EditJournal:
    """The journal beside a plan, locked until it is closed or the process ends.

    Attributes:
        path: The journal's file.
        warnings: Sentences about what went wrong with it; the desk works on without it.
        left: The first and the other records that an earlier desk left behind; none if it left
            none.
        left_at: When the last of them was written.
    """

    def __init__(self, plan: Path) -> None:
        """Opens and locks the journal of a plan.

        Args:
            plan: The plan's file; not a link to it.

        Raises:
            OutputError: Another desk has the plan open.
        """
        self.path = plan.with_name(f".{plan.name}.desk")
        self.warnings: list[str] = []
        self.left: tuple[Record, list[Record]] | None = None
        self.left_at: datetime | None = None
        self._plan = plan
        self._descriptor: int | None = None
        self._lines: list[bytes] = []
        self._keys: list[Hashable] = []
        self._waiting: list[bytes] = []
        self._size = self._live_bytes = 0
        self._is_stale = False  # whether the file is not what the lines are
        self._has_lost = False  # whether what was to be written could not be
        try:
            with report_write_failures(self.path):
                self._descriptor = self._open()
        except _InUse:
            raise OutputError(
                f"{printable(plan)}: is open on another desk; go on there, or quit it first"
            ) from None
        except OutputError as error:
            self._warn_of_loss(error)
            return
        try:
            self._read()
        except BaseException:
            os.close(self._descriptor)
            raise

    def _open(self) -> int:
        """A locked descriptor of the file, which is made if it is not there.

        Raises:
            _InUse: Another desk holds it.
            OSError: It cannot be made, or is someone else's.
        """
        if may_be_planted(self.path):
            raise PermissionError(errno.EPERM, os.strerror(errno.EPERM), os.fspath(self.path))
        while True:
            flags = os.O_RDWR | os.O_CREAT | os.O_APPEND
            descriptor = os.open(self.path, flags | _SAFELY, 0o600)
            try:
                if not stat.S_ISREG(os.fstat(descriptor).st_mode):
                    raise OSError(errno.EINVAL, "is a pipe or device", os.fspath(self.path))
                _lock(descriptor)
                if is_named(descriptor, self.path):
                    return descriptor
            except BaseException:
                os.close(descriptor)
                raise
            os.close(descriptor)  # another desk had just removed it, or written it anew

    def _read(self) -> None:
        """Reads what an earlier desk left; what cannot be read is put aside."""
        if self._descriptor is None:
            return
        status = os.fstat(self._descriptor)
        if status.st_size == 0:
            return
        self.left_at = datetime.fromtimestamp(status.st_mtime, UTC)
        try:
            with read_outputs():
                data = read_bytes(self.path, MOST_JOURNAL_BYTES)
            self.left = self._parse(data)
        except (InputError, PlanError) as error:
            aside = self.put_aside()
            self._warn(f"edits of an earlier desk cannot be recovered: {error}{aside}")

    def _parse(self, data: bytes) -> tuple[Record, list[Record]]:
        """The records of a journal, up to the first line that is none.

        Raises:
            PlanError: Even the first line is none.
        """
        name = printable(self.path)
        lines = data.split(b"\n")[:-1]  # what follows the last line break was cut off
        records: list[Record] = []
        for line in lines:
            try:
                record = parse_json(line.decode(), name, refuse=PlanError)
            except (UnicodeDecodeError, PlanError):
                break
            if not isinstance(record, dict):
                break
            records.append(record)
        if not records or records[0].get(_HEADER) != _FORMAT:
            raise PlanError(f"{name}: is no journal that this version of automix reads")
        self._lines = [line + b"\n" for line in lines[: len(records)]]
        self._keys = [None] * len(records)
        self._size = self._live_bytes = sum(map(len, self._lines))
        self._is_stale = self._size < len(data)
        return records[0], records[1:]

    def put_aside(self) -> str:
        """Gives what cannot be read another name, and begins anew; says so."""
        self.left = None
        aside = self.path.with_name(f"{self.path.name}-unread")
        try:
            os.replace(self.path, aside)
            if self._descriptor is not None:
                os.close(self._descriptor)
            self._descriptor = None
            self._descriptor = self._open()
        except (OSError, _InUse):
            return ""
        return f"; it is kept as {printable(aside)}"

    @property
    def live_bytes(self) -> int:
        """Length of what is needed of it."""
        return self._live_bytes

    def restart(self, header: Mapping[str, Any], records: Iterable[Record] = ()) -> None:
        """Begins anew.

        Args:
            header: Says which plan the records belong to.
            records: What else the journal begins with.
        """
        self.left = None
        told = [{_HEADER: _FORMAT, **header}, *records]
        self._lines = [_spell(record) for record in told]
        self._keys = [None] * len(told)
        self._set_lines_anew()

    def keep(self, count: int) -> None:
        """Keeps only so many of the records that were left behind."""
        self.left = None
        if count + 1 < len(self._lines):
            del self._lines[count + 1 :], self._keys[count + 1 :]
            self._set_lines_anew()

    def _set_lines_anew(self) -> None:
        self._live_bytes = sum(map(len, self._lines))
        self._is_stale = True
        self._write_anew()

    def append(self, record: Record, key: Hashable = None) -> None:
        """Adds a record; when this returns, it outlives the process.

        Where that fails, there is a warning, and the record is added with the next one.

        Args:
            record: Anything that JSON has words for.
            key: The record makes the one before it void if that had the same key; none if it does
                not.
        """
        if self._descriptor is None:
            return
        line = _spell(record)
        if key is not None and self._keys[-1] == key:
            self._live_bytes -= len(self._lines[-1])
            self._lines[-1] = line
        else:
            self._lines.append(line)
            self._keys.append(key)
        self._live_bytes += len(line)
        if self._is_stale:
            self._write_anew()
            return
        self._waiting.append(line)
        data = b"".join(self._waiting)
        try:
            with report_write_failures(self.path, len(data)):
                self._append(self._descriptor, data)
        except OutputError as error:
            self._warn_of_loss(error)
            return
        self._waiting.clear()
        if self._size > 2 * self._live_bytes + _SLACK_BYTES:
            self._write_anew()

    def _append(self, descriptor: int, data: bytes) -> None:
        try:
            write_all(descriptor, data)
        except OSError:
            self._is_stale = True  # unless what was written of it can be cut off
            os.ftruncate(descriptor, self._size)
            self._is_stale = False
            raise
        self._size += len(data)
        self._has_lost = False

    def _write_anew(self) -> None:
        """Writes what is needed to a new file, which takes the place of the old one."""
        if self._descriptor is None:
            return
        temporary = self.path.with_name(f"{self.path.name}-new")
        data = b"".join(self._lines)
        try:
            with report_write_failures(self.path, len(data)):
                with contextlib.suppress(FileNotFoundError):
                    os.unlink(temporary)  # of a desk that was killed
                flags = os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_APPEND
                descriptor = os.open(temporary, flags | _SAFELY, 0o600)
                try:
                    _lock(descriptor)
                    write_all(descriptor, data)
                    os.fsync(descriptor)
                    os.replace(temporary, self.path)
                except BaseException:
                    os.close(descriptor)
                    with contextlib.suppress(OSError):
                        os.unlink(temporary)
                    raise
        except OutputError as error:
            self._warn_of_loss(error)
            return
        os.close(self._descriptor)
        self._descriptor, self._size, self._is_stale = descriptor, len(data), False
        self._waiting.clear()
        self._has_lost = False

    def complete(self) -> bool:
        """Tells whether all records are in the file; those that could not be written are now."""
        if self._has_lost:
            self._write_anew()
        return not self._has_lost

    def close(self, *, remove: bool) -> None:
        """Unlocks the journal.

        Args:
            remove: Whether there is nothing in it that anybody would want to recover.
        """
        if self._descriptor is None:
            return
        if remove:
            with contextlib.suppress(OSError):  # it may be gone with its folder
                if is_named(self._descriptor, self.path):
                    os.unlink(self.path)
        os.close(self._descriptor)
        self._descriptor = None

    def _warn_of_loss(self, error: OutputError) -> None:
        self._has_lost = True
        self._warn(f"edits that are not saved would be lost if the desk were ended: {error}")

    def _warn(self, message: str) -> None:
        if message not in self.warnings:
            self.warnings.append(message)


_SAFELY = os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC


class _InUse(Exception):
    """Another desk holds the journal."""


def _lock(descriptor: int) -> None:
    """Locks a journal.

    Raises:
        _InUse: Another desk holds it.
    """
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        raise _InUse from None
    except OSError:
        pass  # a file system without locks


def _spell(record: Mapping[str, Any]) -> bytes:
    return json.dumps(record, separators=(",", ":"), allow_nan=False).encode() + b"\n"
