"""Looking into an open file without trusting it: what it holds, and a way to read it.

The content decides over the name, and the formats are those of an allow-list: libsndfile knows many
more, few of them as well tested.
"""

import hashlib
import os
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from io import SEEK_SET
from typing import cast

import numpy as np
import soundfile

from automix.audio.samples import Samples
from automix.errors import InputError
from automix.files.chunks import begins_file
from automix.files.foreign import FOREIGN, recognize_foreign
from automix.files.mpeg import count_run, find_run, measure_tag
from automix.files.view import View, ViewFile, Window

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
    b"\0\0\1\xba": "MPEG video",
    b"FLV": "Flash video",
    b".RMF": "RealMedia",
    b"PK\3\4": "a ZIP archive",
    b"RIFX": "big-endian WAV",  # which ffmpeg takes for little-endian
}

_CAF_CODECS = (b"lpcm", b"alac", b"ulaw", b"alaw")  # what libsndfile decodes

UNKNOWN_FRAMES = 1 << 48
"""Lengths from here on are libsndfile's stand-in for one that the header leaves open."""


@dataclass(frozen=True)
class Sniffed:
    """What a file was recognized as.

    Attributes:
        container: Container as in `automix.files.info.AudioInfo`.
        start: Position where it begins in the file, in bytes.
        foreign_bytes: Bytes in front of it that are neither tags nor zeros.
    """

    container: str
    start: int
    foreign_bytes: int


def sniff(descriptor: int, name: str, size: int) -> Sniffed:
    """Tells the container of a file from its content alone, behind tags and other bytes as well.

    Args:
        descriptor: File open for reading.
        name: Name of the file, for messages.
        size: Bytes in the file.

    Raises:
        InputError: automix does not read the file; the message says what it holds, if it is known.
    """
    window = Window(descriptor, size)
    head = window.peek(0, 64)
    start = 0
    while tag := _measure_silent(window, start):
        start += tag
        container = _recognize(window, start)
        if container is not None:
            return Sniffed(container, start, 0)
    container = _recognize(window, start)
    if container is not None:
        return Sniffed(container, start, 0)
    for at in (0, start):  # an MP4 file begins with zeros of its own
        if foreign := recognize_foreign(descriptor, at):
            return Sniffed(foreign, at, 0)
    for mark, what in _UNREAD.items():
        if mark in (head[: len(mark)], window.peek(start, len(mark))):
            raise InputError(f"{name}: holds {what}, which automix does not read; {CONVERT}")
    found = _search(window, start)
    if found is None:
        raise InputError(f"{name}: holds no audio that automix can recognize; {CONVERT}")
    return Sniffed(found[0], found[1], max(found[1] - start, 0))


def _measure_silent(window: Window, position: int) -> int:
    """Measures a tag or a run of zeros at the start of a file."""
    if tag := measure_tag(window.peek(position, 64)):
        return tag
    head = window.peek(position, 1 << 16)
    return len(head) - len(head.lstrip(b"\0"))


def _recognize(window: Window, position: int, sure_frames: int = 2) -> str | None:
    head = window.peek(position, 64)
    if container := begins_file(head):
        return "caf-coded" if container == "caf" and head[28:32] not in _CAF_CODECS else container
    if head[:5] == b"OggS\0":
        return "ogg"
    if head[:4] == b"fLaC":
        return "flac"
    return "mp3" if count_run(window, position, sure_frames) == sure_frames else None


_MARKS = re.compile(
    rb"RIFF....WAVE|RF64|BW64|FORM....AIF|caff\x00\x01|riff\x2e\x91|fLaC\x00{3}\x22|OggS\x00\x02",
    re.DOTALL,
)
_SEARCH_BYTES = 1 << 20


def _search(window: Window, start: int) -> tuple[str, int] | None:
    """Finds the container, and where it begins, that lies behind bytes of no known kind."""
    stop = min(start + _SEARCH_BYTES, window.size)
    frames = find_run(window, 0, stop)  # a tag that claims too much may cover the first ones
    block = window.peek(start, max((frames or stop) - start, 0))
    for match in _MARKS.finditer(block):
        container = _recognize(window, start + match.start())
        if container is not None and container != "mp3":
            return container, start + match.start()
    return None if frames is None else ("mp3", frames)


CONVERT = "convert it to WAV or FLAC (for example: ffmpeg -i INPUT OUTPUT.wav)"


class Codec(soundfile.SoundFile):  # type: ignore[misc]
    """A file of libsndfile that is closed once.

    Ctrl-C that comes while the library closes is raised before soundfile has noted that it is
    closed; its destructor would close once more, which crashes.
    """

    def close(self) -> None:
        """Closes the file, if it is open."""
        try:
            super().close()
        except BaseException:
            self._file = None
            raise


class _Decoder(Codec):
    """libsndfile's decoder, read from its start to its end.

    soundfile seeks to where it is after each read, and after a seek the MP3 decoder lacks the bits
    that its next frames borrow from earlier ones: they would come out wrong.
    """

    def seekable(self) -> bool:
        """Keeps soundfile from seeking by itself."""
        return False


@contextmanager
def open_decoder(
    descriptor: int, name: str, container: str, view: View = ()
) -> Iterator[soundfile.SoundFile]:
    """Puts libsndfile's decoder on an open file.

    Args:
        descriptor: File open for reading.
        name: Name of the file, for messages.
        container: Container as in `automix.files.info.AudioInfo`.
        view: What the decoder is shown of the file.

    Raises:
        InputError: libsndfile refuses the file.
    """
    os.lseek(descriptor, 0, SEEK_SET)
    target = ViewFile(descriptor, view) if view else descriptor
    try:
        file = _Decoder(target, closefd=False)
    except soundfile.LibsndfileError as error:
        check_readable(descriptor)
        label = LABELS[container]
        why = error.error_string.strip().rstrip(".")
        message = f"{name}: cannot be read as {label} ({why}); export it again or {CONVERT}"
        raise InputError(message) from error
    with file:
        yield file


def hash_content(descriptor: int) -> str:
    """Computes the hexadecimal SHA-256 of the bytes of an open file, all of them.

    Raises:
        OSError: The file cannot be read.
    """
    os.lseek(descriptor, 0, SEEK_SET)
    with open(descriptor, "rb", closefd=False) as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def check_readable(descriptor: int) -> None:
    """Reads a file to its end, for the error that a decoder kept to itself.

    Raises:
        OSError: The file cannot be read somewhere.
    """
    position = 0
    while data := os.pread(descriptor, 1 << 20, position):
        position += len(data)


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
