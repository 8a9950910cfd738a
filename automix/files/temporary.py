"""Makes and locks temporary files, and removes what killed runs left of theirs.

The lock (`flock`) tells a run at work from a leftover: the system lifts it when a process ends,
however it ends.
"""

import contextlib
import errno
import fcntl
import hashlib
import os
import re
import stat
import time
from collections.abc import Iterator
from pathlib import Path

from automix.errors import OutputError
from automix.files.names import printable

_TEMPORARY = re.compile(r"\.automix-[0-9a-f]{16}\.part")
_LOCK_ATTEMPTS = 10
_LOCK_PAUSE_S = 0.02


def name_temporary(target: Path, number: int = 0) -> str:
    """Makes a short name, the same for all runs that write ``target`` and for no others.

    Args:
        target: The file that will be written.
        number: Which name to make; all but the first are for folders in which someone else has
            taken the one before.
    """
    told = os.fsencode(target.name) + (b"/%d" % number if number else b"")
    return f".automix-{hashlib.sha256(told).hexdigest()[:16]}.part"


def lock_temporary(temporary: Path, target: Path) -> int | None:
    """Makes the temporary file and locks it.

    The file is always made anew: one that is there already may be someone else's, who could read
    and change it ever after, or another name of a file that must not be emptied.

    Args:
        temporary: The temporary file.
        target: The file that it will become, for the message.

    Returns:
        A descriptor of the temporary file, open for reading and writing; none if someone else's
        file has the name and cannot be removed.

    Raises:
        OutputError: Another run holds it.
        OSError: The folder cannot be written.
    """
    flags = os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
    for attempt in range(_LOCK_ATTEMPTS):
        if attempt:  # another run may hold it for a moment, to see whether it is a leftover
            time.sleep(_LOCK_PAUSE_S)
        try:
            descriptor = os.open(temporary, flags, 0o666)
        except FileExistsError:
            if not _make_way(temporary):
                return None
            continue
        try:
            if _lock(descriptor) is not False and is_named(descriptor, temporary):
                return descriptor
        except BaseException:
            os.close(descriptor)
            raise
        os.close(descriptor)
    raise OutputError(
        f"{printable(target)}: another run is writing it; wait for it or choose another"
    )


def _make_way(temporary: Path) -> bool:
    """Removes what has the name of a temporary file, unless a run is at work on it.

    Returns:
        Whether the name is free, or will be when that run ends; not where it stays someone else's.
    """
    try:
        status = os.lstat(temporary)
        if not stat.S_ISREG(status.st_mode):
            os.unlink(temporary)  # a planted link or pipe
            return True
        with _open_leftover(temporary) as descriptor:
            is_free = _lock(descriptor)
            if is_free is None:  # no locks here: who takes over another's is found out at the end
                is_free = status.st_uid == os.geteuid()
            if is_free:
                os.unlink(temporary)
            return True
    except FileNotFoundError:
        return True
    except OSError:
        return False


@contextlib.contextmanager
def _open_leftover(path: str | Path) -> Iterator[int]:
    """Opens a file only to lock it; one of another user may be open for reading only."""
    flags = os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
    try:
        descriptor = os.open(path, os.O_RDWR | flags)
    except PermissionError:
        descriptor = os.open(path, os.O_RDONLY | flags)
    try:
        yield descriptor
    finally:
        os.close(descriptor)


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


def is_named(descriptor: int, path: Path) -> bool:
    """Tells whether an open file is the one under a name."""
    try:
        return os.path.samestat(os.fstat(descriptor), os.lstat(path))
    except FileNotFoundError:
        return False


def may_be_planted(path: str | Path) -> bool:
    """Tells whether a file is somebody else's, in a folder such as ``/tmp`` where all write."""
    try:
        status, folder = os.lstat(path), os.stat(os.path.dirname(path) or ".")
    except OSError:
        return False
    is_everyones = folder.st_mode & stat.S_ISVTX and folder.st_mode & stat.S_IWOTH
    return bool(is_everyones) and status.st_uid not in (os.geteuid(), folder.st_uid)


def remove_leftovers(folder: Path, keep: str) -> None:
    """Removes the temporary files of killed runs from ``folder``, except the one named ``keep``."""
    try:
        with os.scandir(folder) as entries:
            leftovers = [
                entry.path
                for entry in entries
                if entry.name != keep and _TEMPORARY.fullmatch(entry.name)
            ]
    except PermissionError:  # a folder that may be written to, but not looked into
        return
    for path in leftovers:
        remove_if_unlocked(path)


def remove_if_unlocked(path: str | Path) -> None:
    """Removes a temporary file, unless a run is at work on it."""
    with contextlib.suppress(OSError), _open_leftover(path) as descriptor:
        if stat.S_ISREG(os.fstat(descriptor).st_mode) and _lock(descriptor):
            os.unlink(path)


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
    """Makes renames in ``folder`` last through a power failure, where the file system can.

    Raises:
        OSError: The disk fails.
    """
    try:
        descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    except PermissionError:  # it may be written to, but not opened
        return
    try:
        os.fsync(descriptor)
    except OSError as error:
        if error.errno not in (errno.EINVAL, errno.ENOTSUP):  # some of networks sync no folders
            raise
    finally:
        os.close(descriptor)
