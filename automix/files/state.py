"""Files that were written, recognized later: still the same, or changed since."""

import hashlib
import os
from dataclasses import dataclass
from typing import Self


@dataclass(frozen=True, kw_only=True, slots=True)
class FileState:
    """A file as it was when it was written. Loading this loads no package.

    Attributes:
        size: Its length in bytes.
        sha256: Its hexadecimal digest.
        changed_ns: Times of the last change of its content and of its entry, which nobody can set;
            while they are the same, the content is.
    """

    size: int
    sha256: str
    changed_ns: tuple[int, int]

    @classmethod
    def of(cls, status: os.stat_result, sha256: str) -> Self:
        """The state of a file whose digest is known."""
        changed_ns = status.st_mtime_ns, status.st_ctime_ns
        return cls(size=status.st_size, sha256=sha256, changed_ns=changed_ns)

    def is_that_of(self, path: str | os.PathLike[str]) -> bool:
        """Tells whether a file is there and holds what it held; it is read only in doubt."""
        try:
            status = os.stat(path)
            if status.st_size != self.size:
                return False
            if (status.st_mtime_ns, status.st_ctime_ns) == self.changed_ns:
                return True
            return digest(path) == self.sha256
        except (OSError, ValueError):
            return False


def digest(path: str | os.PathLike[str]) -> str:
    """Computes the hexadecimal SHA-256 of an output; reading it does not make it an input.

    Raises:
        OSError: The file cannot be read, or is none.
    """
    descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_NOCTTY | os.O_CLOEXEC)
    try:
        return digest_open(descriptor)
    finally:
        os.close(descriptor)


def digest_open(descriptor: int) -> str:
    """Computes the hexadecimal SHA-256 of an open file; its position stays where it is.

    Raises:
        OSError: The file cannot be read.
    """
    found, position = hashlib.sha256(), 0
    while data := os.pread(descriptor, _BLOCK_BYTES, position):
        found.update(data)
        position += len(data)
    return found.hexdigest()


_BLOCK_BYTES = 1 << 20
