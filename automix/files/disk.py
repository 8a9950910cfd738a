"""Room on the disk, failures of writing in words, and checksums of files."""

import errno
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from automix.errors import OutputError
from automix.files.names import printable
from automix.files.opening import hash_content
from automix.files.regular import open_regular_file

_NO_ROOM = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
_REASONS = {
    errno.EACCES: "may not be written; choose another folder or change its permissions",
    errno.EPERM: "may not be written; choose another folder or change its permissions",
    errno.EROFS: "is on a disk that is read-only; choose another folder",
    errno.ENAMETOOLONG: "the name is too long; choose a shorter one",
    errno.ELOOP: "is a link that leads to itself; remove it",
    errno.ENOTDIR: "a part of its path is a file, not a folder; choose another",
    errno.EISDIR: "is a folder; name a file in it",
    errno.EEXIST: "exists; choose another name, or overwrite it with --force",
}


@contextmanager
def report_write_failures(path: Path, size_bytes: int = 0) -> Iterator[None]:
    """Turns failures of writing into messages for people.

    Args:
        path: The file that is written inside the context.
        size_bytes: Its size, for the message of a full disk.

    Raises:
        OutputError: Writing failed, whatever `OSError` said so; names the file and the remedy.
    """
    try:
        yield
    except OSError as error:
        if error.errno in _NO_ROOM:
            reason = (
                f"the disk is full: needs {max(size_bytes / 1e6, 0.1):.1f} MB; make room or write"
                " elsewhere"
            )
        else:
            fallback = f"cannot be written: {error.strerror or error}; choose another folder"
            reason = _REASONS.get(error.errno or 0, fallback)
        raise OutputError(f"{printable(_find_file_at_fault(path, error))}: {reason}") from error
    except ValueError as error:
        if "\0" not in os.fspath(path):
            raise
        raise OutputError(f"{printable(path)}: is not a possible file name") from error


def _find_file_at_fault(path: Path, error: OSError) -> str | os.PathLike[str]:
    """The file that a failure is about: ``path``, unless the failure names one elsewhere.

    Temporary files beside ``path`` and the folders on its way are made for its sake.
    """
    if not isinstance(error.filename, str):
        return path
    other, own = os.path.abspath(error.filename), os.path.realpath(path)
    is_own = other in (os.path.abspath(path), own) or own.startswith(other.rstrip("/") + "/")
    return path if is_own or os.path.dirname(other) == os.path.dirname(own) else error.filename


def check_disk_space(path: str | os.PathLike[str], bytes_needed: int) -> None:
    """Refuses work that the disk has no room for.

    Args:
        path: An existing folder on that disk, or the file that will be written to one.
        bytes_needed: Size of what will be written.

    Raises:
        OutputError: Less is free than needed; the message names the megabytes.
    """
    folder = path if os.path.isdir(path) else os.path.dirname(path) or "."
    free = shutil.disk_usage(folder).free
    if free < bytes_needed:
        raise OutputError(
            f"{printable(path)}: the disk is full: needs {bytes_needed / 1e6:.1f} MB, but"
            f" only {free / 1e6:.1f} MB are free; make room or write elsewhere"
        )


def sha256(path: str | os.PathLike[str]) -> str:
    """Computes the hexadecimal SHA-256 of a file's bytes.

    Raises:
        InputError: The file cannot be read.
    """
    with open_regular_file(Path(path)) as descriptor:
        return hash_content(descriptor)
