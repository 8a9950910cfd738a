"""Opens regular files only: a pipe or a device never holds a run up."""

import errno
import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager

from automix.errors import InputError
from automix.files.names import printable
from automix.inputs import remember_input

Signature = tuple[int, int, int, int, int]
"""Device, inode, size, and times of the change of the content and of the file's state, which
nothing can set back: the identity of a file's content."""


def identify(status: os.stat_result) -> Signature:
    """Takes the identity of a file's content (see `Signature`) from the state of the file."""
    return (
        status.st_dev,
        status.st_ino,
        status.st_size,
        status.st_mtime_ns,
        status.st_ctime_ns,
    )


@contextmanager
def open_regular_file(
    path: str | os.PathLike[str], content: str = "audio", *, may_be_empty: bool = False
) -> Iterator[int]:
    """Opens a regular file for reading; never waits for the other end of a pipe.

    The file is an input from then on, and never written over; see `automix.inputs`.

    Args:
        path: The file.
        content: What the file holds, in a word, for messages.
        may_be_empty: Whether a file of 0 bytes will do.

    Raises:
        InputError: The file is missing, empty, not a regular file, or may not be read.
    """
    name = printable(path)

    def check(status: os.stat_result) -> None:
        if stat.S_ISDIR(status.st_mode):
            raise InputError(f"{name}: is a folder; name the {content} file in it")
        if not stat.S_ISREG(status.st_mode):
            raise InputError(f"{name}: is a pipe or device; save its {content} to a file first")
        if status.st_size == 0 and not may_be_empty:
            raise InputError(f"{name}: is empty (0 bytes); export or download it again")

    try:
        check(os.stat(path))
        flags = os.O_RDONLY | os.O_NONBLOCK | os.O_NOCTTY | os.O_CLOEXEC
        descriptor = os.open(path, flags)
    except (OSError, ValueError) as error:
        raise InputError(f"{name}: {_explain(error)}") from error
    try:
        status = os.fstat(descriptor)
        check(status)
        remember_input(path, status)
        yield descriptor
    except OSError as error:  # whatever the file's user does with the descriptor is reading
        raise InputError(f"{name}: {_explain(error)}") from error
    finally:
        os.close(descriptor)


def _explain(error: OSError | ValueError) -> str:
    if not isinstance(error, OSError):
        return "is not a possible file name"
    return {
        errno.ENOENT: "no such file; check the path",
        errno.EACCES: "may not be read; change its permissions (chmod +r)",
        errno.EPERM: "may not be read; change its permissions (chmod +r)",
        errno.ELOOP: "is a link that leads to itself; remove it",
        errno.ENAMETOOLONG: "the name is too long",
        errno.ENOTDIR: "no such file; a part of the path is not a folder",
    }.get(error.errno or 0, f"cannot be read: {error.strerror or error}; copy it to another disk")
