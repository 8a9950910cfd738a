"""What a run has read: those files are never written over.

Whatever reads a file that a user named tells it to `remember_input`; whatever puts a file in place
asks `find_input` first. A file is known by its device and inode, so that another spelling, another
case where the disk has none, a symbolic link or a hard link is the same file; and by its path,
since file systems of memory cards and networks may give it another inode each time.
"""

import os
import threading
import unicodedata
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

Inputs = dict[tuple[int, int] | str, tuple[str, str]]
"""By device and inode, and by folded path: the path as it was given, and the absolute one."""

_runs: list[Inputs] = []
_lock = threading.Lock()
_reads_outputs: ContextVar[bool] = ContextVar("reads_outputs", default=False)


@contextmanager
def keep_inputs() -> Iterator[Inputs]:
    """A run: the files that are read within it, by whatever thread, are kept until it ends.

    Yields:
        The files; they become more while the run goes on.
    """
    own: Inputs = {}
    with _lock:
        _runs.append(own)
    try:
        yield own
    finally:
        with _lock:  # by identity: two runs that have read the same are equal
            del _runs[next(n for n, run in enumerate(_runs) if run is own)]


@contextmanager
def read_outputs() -> Iterator[None]:
    """What this thread reads within the context is an earlier output, which may be replaced."""
    token = _reads_outputs.set(True)
    try:
        yield
    finally:
        _reads_outputs.reset(token)


def remember_input(path: str | os.PathLike[str], status: os.stat_result | None = None) -> None:
    """Makes a file one of the inputs of the runs that are going on.

    Args:
        path: The file. One that is not there is no input.
        status: The state of the file, where it is known: that of the open file.
    """
    if not _runs or _reads_outputs.get():
        return
    try:
        status = status or os.stat(path)
    except (OSError, ValueError):
        return
    given = os.fsdecode(path)
    names = given, os.path.abspath(given)
    keys = (status.st_dev, status.st_ino), _fold(path)
    with _lock:
        for run in _runs:
            for key in keys:
                run.setdefault(key, names)


def find_input(path: str | os.PathLike[str]) -> str | None:
    """Finds the input that a file is.

    Args:
        path: The file.

    Returns:
        The path by which it was read; none if no run that is going on has read it, or the file is
        not there.
    """
    if not _runs:
        return None
    try:
        status = os.stat(path)
    except (OSError, ValueError):
        return None
    keys = (status.st_dev, status.st_ino), _fold(path)
    with _lock:
        found = [run[key] for run in _runs for key in keys if key in run]
    for given, absolute in found:
        try:
            if os.path.samestat(status, os.stat(absolute)):
                return given
        except OSError:
            continue  # it is gone, and the system has given its number to another file
    return None


def _fold(path: str | os.PathLike[str]) -> str:
    """What all spellings of a path share: two files that share it may still be two."""
    return unicodedata.normalize("NFC", os.path.realpath(os.fsdecode(path))).casefold()
