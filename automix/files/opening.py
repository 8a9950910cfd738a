"""Opening a file without trusting it: what kind of file it is, what it holds, and a way to read it.

Only regular files are opened, the content decides over the name, and the formats are those of an
allow-list: libsndfile knows many more, few of them as well tested.
"""

import errno
import os
import stat
import struct
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from io import SEEK_CUR, SEEK_END, SEEK_SET
from pathlib import Path
from typing import cast

import numpy as np
import soundfile

from automix.audio.samples import Samples
from automix.errors import InputError
from automix.files.foreign import FOREIGN, recognize_foreign
from automix.files.mpeg import is_mpeg, measure_tag
from automix.files.names import printable

LABELS = {
    "wav": "WAV",
    "rf64": "RF64",
    "w64": "W64",
    "aiff": "AIFF",
    "caf": "CAF",
    "flac": "FLAC",
    "ogg": "Ogg",
    "mp3": "MP3",
    **{container: foreign.label for container, foreign in FOREIGN.items()},
}
"""What people call each container."""

_UNREAD = {  # first bytes -> what it is
    b"DSD ": "DSD",
    b"FRM8": "DSD",
    b"MThd": "MIDI notes, no audio",
    b"RIFX": "big-endian WAV",  # which ffmpeg takes for little-endian
}

_CAF_CODECS = (b"lpcm", b"alac", b"ulaw", b"alaw")  # what libsndfile decodes

UNKNOWN_FRAMES = 1 << 48
"""Lengths from here on are libsndfile's stand-in for one that the header leaves open."""

Signature = tuple[int, int, int, int]
"""Device, inode, size and time of change: the identity of a file's content."""


@dataclass(frozen=True)
class Patch:
    """A header field put right: bytes that a reader sees instead of those in the file.

    Attributes:
        offset: Position of the first byte in the file.
        replacement: The bytes to see there.
    """

    offset: int
    replacement: bytes


def identify(status: os.stat_result) -> Signature:
    """Takes the identity of a file's content (see `Signature`) from the state of the file."""
    return status.st_dev, status.st_ino, status.st_size, status.st_mtime_ns


@contextmanager
def open_regular_file(path: Path) -> Iterator[int]:
    """Opens a regular file for reading; never waits for the other end of a pipe.

    Raises:
        InputError: The file is missing, empty, not a regular file, or may not be read.
    """
    name = printable(path)
    try:
        _check_regular(name, os.stat(path))
        flags = os.O_RDONLY | os.O_NONBLOCK | os.O_NOCTTY | os.O_CLOEXEC
        descriptor = os.open(path, flags)
    except (OSError, ValueError) as error:
        raise InputError(f"{name}: {_explain(error)}") from error
    try:
        _check_regular(name, os.fstat(descriptor))
        yield descriptor
    finally:
        os.close(descriptor)


def _check_regular(name: str, status: os.stat_result) -> None:
    if stat.S_ISDIR(status.st_mode):
        raise InputError(f"{name}: is a folder; name the audio file in it")
    if not stat.S_ISREG(status.st_mode):
        raise InputError(f"{name}: is a pipe or device; save its audio to a file first")
    if status.st_size == 0:
        raise InputError(f"{name}: is empty (0 bytes); export or download it again")


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
    }.get(error.errno or 0, f"cannot be opened: {error.strerror}")


def sniff(descriptor: int, name: str) -> str:
    """Tells the container of a file from its content alone.

    Raises:
        InputError: automix does not read the file; the message says what it holds, if it is known.
    """
    head = os.pread(descriptor, 64, 0)
    kind = head[8:12]
    if head[:4] in (b"RIFF", b"RF64", b"BW64") and kind == b"WAVE":
        return "wav" if head[:4] == b"RIFF" else "rf64"
    if head[:4] == b"FORM" and kind in (b"AIFF", b"AIFC"):
        return "aiff"
    if head[:4] == b"riff" and head[24:28] == b"wave":
        return "w64"
    if head[:4] == b"caff":
        return "caf" if head[28:32] in _CAF_CODECS else "caf-coded"
    if head[:4] == b"OggS":
        return "ogg"
    audio = measure_tag(head)
    if os.pread(descriptor, 4, audio) == b"fLaC":
        return "flac"
    if is_mpeg(descriptor, audio):
        return "mp3"
    if foreign := recognize_foreign(descriptor, audio):
        return foreign
    for mark, what in _UNREAD.items():
        if head.startswith(mark):
            raise InputError(f"{name}: holds {what}, which automix does not read; {CONVERT}")
    raise InputError(f"{name}: holds no audio that automix can recognize; {CONVERT}")


CONVERT = "convert it to WAV or FLAC (for example: ffmpeg -i INPUT OUTPUT.wav)"


@contextmanager
def open_decoder(
    descriptor: int, name: str, container: str, patches: tuple[Patch, ...] = ()
) -> Iterator[soundfile.SoundFile]:
    """Puts libsndfile's decoder on an open file.

    Raises:
        InputError: libsndfile refuses the file.
    """
    os.lseek(descriptor, 0, SEEK_SET)
    target = PatchedFile(descriptor, patches) if patches else descriptor
    try:
        file = soundfile.SoundFile(target, closefd=False)
    except soundfile.LibsndfileError as error:
        label = LABELS[container]
        why = error.error_string.strip().rstrip(".")
        message = f"{name}: cannot be read as {label} ({why}); export it again or {CONVERT}"
        raise InputError(message) from error
    with file:
        yield file


def read_frames(file: soundfile.SoundFile, buffer: Samples) -> Samples:
    """Decodes the next frames into ``buffer``.

    A decoder that fails has already filled a part of the buffer, without saying how much: NaN,
    which no decoder of integers produces, marks what it did not fill.

    Returns:
        The part of the buffer that was filled, ``(frames, channels)``; no frames where the audio
        ends or breaks off.
    """
    is_coded = not file.subtype.startswith(("FLOAT", "DOUBLE"))
    if is_coded:
        buffer.fill(np.nan)
    try:
        return cast(Samples, file.read(out=buffer))
    except soundfile.LibsndfileError:
        filled = ~np.isnan(buffer).any(axis=1) if is_coded else np.zeros(len(buffer), bool)
        return buffer[: len(buffer) if filled.all() else int(np.argmin(filled))]


class PatchedFile:
    """A file object for libsndfile in which some bytes of the file are replaced."""

    def __init__(self, descriptor: int, patches: tuple[Patch, ...]) -> None:
        self._descriptor = descriptor
        self._patches = patches
        self._position = 0
        self._size = os.fstat(descriptor).st_size

    def seek(self, offset: int, whence: int = SEEK_SET) -> int:
        """Moves to a position and returns it, as `io.IOBase.seek` does."""
        start = {SEEK_SET: 0, SEEK_CUR: self._position, SEEK_END: self._size}[whence]
        self._position = max(start + offset, 0)
        return self._position

    def tell(self) -> int:
        """Returns the position, as `io.IOBase.tell` does."""
        return self._position

    def read(self, count: int) -> bytes:
        """Reads up to ``count`` bytes, as `io.RawIOBase.read` does, with the patches in place."""
        data = bytearray(os.pread(self._descriptor, count, self._position))
        for patch in self._patches:
            for index, byte in enumerate(patch.replacement, patch.offset - self._position):
                if 0 <= index < len(data):
                    data[index] = byte
        self._position += len(data)
        return bytes(data)


def patch_size(field: int, size_format: str, size: int) -> Patch:
    """Makes the patch that puts a chunk's size right.

    Args:
        field: Position of the size in the file, in bytes.
        size_format: Format of the size, as `struct` takes it.
        size: The right size in bytes.
    """
    return Patch(field, struct.pack(size_format, size))
