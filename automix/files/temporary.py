"""Makes and locks temporary files, and removes what killed runs left of theirs.

The lock (`flock`) tells a run at work from a leftover: the system lifts it when a process ends,
however it ends.
"""

import contextlib
import fcntl
import hashlib
import os
import re
import stat
import time
from pathlib import Path

from automix.errors import OutputError
from automix.files.names import printable

_TEMPORARY = re.compile(r"\.automix-[0-9a-f]{16}\.part")
_LOCK_ATTEMPTS = 10
_LOCK_PAUSE_S = 0.02


def name_temporary(target: Path) -> str:
    """Makes a short name, the same for all runs that write ``target`` and for no others."""
    return f".automix-{hashlib.sha256(os.fsencode(target.name)).hexdigest()[:16]}.part"


def lock_temporary(temporary: Path, target: Path) -> int:
    """Makes the temporary file and locks it.

    Args:
        temporary: The temporary file.
        target: The file that it will become, for the message.

    Returns:
        A descriptor of the temporary file, open for reading and writing.

    Raises:
        OutputError: Another run holds it.
        OSError: The folder cannot be written.
    """
    flags = os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC
    for attempt in range(_LOCK_ATTEMPTS):
        if attempt:  # another run may hold it for a moment, to see whether it is a leftover
            time.sleep(_LOCK_PAUSE_S)
        descriptor = os.open(temporary, flags, 0o666)
        try:
            if _lock(descriptor) is not False and _is_ours(descriptor, temporary):
                return descriptor
        except BaseException:
            os.close(descriptor)
            raise
        os.close(descriptor)
    raise OutputError(
        f"{printable(target)}: another run is writing it; wait for it or choose another"
    )


def _lock(descriptor: int) -> bool | None:
    """Tries to lock a file.

    Returns:
        True if it is locked now, False if another run holds it, None if the file system has no
        locks.
    """
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    except OSError:
        return None
    return True


def _is_ours(descriptor: int, temporary: Path) -> bool:
    """Tells whether the locked file is still the one under its name, and no killed run's target."""
    status = os.fstat(descriptor)
    try:
        named = os.lstat(temporary)
    except FileNotFoundError:
        return False
    if (status.st_dev, status.st_ino) != (named.st_dev, named.st_ino):
        return False
    if status.st_nlink > 1:  # of a run killed in `rename_to_new`: emptying it empties the target
        os.unlink(temporary)
        return False
    return True


def remove_leftovers(folder: Path, keep: str) -> None:
    """Removes the temporary files of killed runs from ``folder``, except the one named ``keep``."""
    with os.scandir(folder) as entries:
        leftovers = [
            entry.path
            for entry in entries
            if entry.name != keep and _TEMPORARY.fullmatch(entry.name)
        ]
    for path in leftovers:
        remove_if_unlocked(path)


def remove_if_unlocked(path: str | Path) -> None:
    """Removes a temporary file, unless a run is at work on it."""
    with contextlib.suppress(OSError):
        descriptor = os.open(path, os.O_RDWR | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
        try:
            if stat.S_ISREG(os.fstat(descriptor).st_mode) and _lock(descriptor):
                os.unlink(path)
        finally:
            os.close(descriptor)


def rename_to_new(temporary: Path, target: Path) -> None:
    """Renames the temporary file, unless ``target`` exists.

    Raises:
        FileExistsError: The target exists.
        OSError: The disk fails.
    """
    try:
        os.link(temporary, target)  # unlike `rename`, fails where the target exists
    except FileExistsError:
        raise
    except OSError:  # a file system without hard links
        if os.path.lexists(target):
            raise FileExistsError(f"{target} exists") from None
        os.rename(temporary, target)
    else:
        os.unlink(temporary)


def sync_folder(folder: Path) -> None:
    """Makes renames in ``folder`` last through a power failure.

    Raises:
        OSError: The disk fails.
    """
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
