"""Looking into an open file without trusting it: what it holds, and a way to read it.

The content decides over the name, and the formats are those of an allow-list: libsndfile knows many
more, few of them as well tested.
"""

import os
import struct
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from io import SEEK_CUR, SEEK_END, SEEK_SET
from typing import cast

import numpy as np
import soundfile

from automix.audio.samples import Samples
from automix.errors import InputError
from automix.files.mpeg import is_mpeg, measure_tag

LABELS = {
    "wav": "WAV",
    "rf64": "RF64",
    "w64": "W64",
    "aiff": "AIFF",
    "caf": "CAF",
    "flac": "FLAC",
    "ogg": "Ogg",
    "mp3": "MP3",
}
"""What people call each container."""

_FOREIGN = {  # (offset, bytes) -> what it is
    (4, b"ftyp"): "MP4 (AAC or ALAC)",
    (0, b"\xff\xf1"): "AAC",
    (0, b"\xff\xf9"): "AAC",
    (0, b"\x30\x26\xb2\x75"): "Windows Media",
    (0, b"\x1a\x45\xdf\xa3"): "Matroska or WebM",
    (0, b"wvPk"): "WavPack",
    (0, b"MAC "): "Monkey's Audio",
    (0, b"DSD "): "DSD",
    (0, b"FRM8"): "DSD",
    (0, b"MThd"): "MIDI notes, no audio",
    (0, b".snd"): "AU",
    (0, b"RIFX"): "big-endian WAV",
}

UNKNOWN_FRAMES = 1 << 48
"""Lengths from here on are libsndfile's stand-in for one that the header leaves open."""


@dataclass(frozen=True)
class Patch:
    """A header field put right: bytes that a reader sees instead of those in the file.

    Attributes:
        offset: Position of the first byte in the file.
        replacement: The bytes to see there.
    """

    offset: int
    replacement: bytes


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
        return "caf"
    if head[:4] == b"OggS":
        return "ogg"
    audio = measure_tag(head)
    if os.pread(descriptor, 4, audio) == b"fLaC":
        return "flac"
    if is_mpeg(descriptor, audio):
        return "mp3"
    for (offset, mark), what in _FOREIGN.items():
        if head[offset : offset + len(mark)] == mark:
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
