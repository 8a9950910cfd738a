"""The boxes of MP4 and QuickTime files: which tracks there are, and how long their audio is.

ffmpeg rounds edit lists to the movie's clock, often milliseconds; what the track itself says is
exact to the sample. Nothing here allocates by a size that the file names.

Sources: ISO/IEC 14496-12, sections 8.4.2, 8.4.3 and 8.6.6; Apple, QuickTime File Format; Native
Instruments, Stems specification 1.2 (the box ``stem``).
"""

import os
import struct
from collections.abc import Iterator
from dataclasses import dataclass

from automix.errors import InputError
from automix.files.text import parse_json

_MAX_BOXES = 4096
_MAX_TEXT_BYTES = 1 << 20
_OUTER = {b"moov", b"trak", b"mdia", b"edts", b"udta"}


@dataclass
class MovieTrack:
    """One track of a movie.

    Attributes:
        handler: What it holds: ``"soun"`` for audio, ``"vide"`` for video, and others.
        timescale: Units per second of the two that follow.
        duration: Length in the file, with what the encoder put before and after; 0 if not told.
        media_time: Where its audio begins, behind the delay of the encoder; none without an edit
            list that says so.
    """

    handler: str = ""
    timescale: int = 0
    duration: int = 0
    media_time: int | None = None

    def count_frames(self, sample_rate: int) -> int | None:
        """Computes the length without the encoder's delay in frames; none where it is not told."""
        length = self.duration - (self.media_time or 0)
        if length <= 0 or self.timescale <= 0:
            return None
        return round(length * sample_rate / self.timescale)


@dataclass
class Movie:
    """What the boxes of a file say.

    Attributes:
        timescale: Units per second of the edit lists.
        tracks: The tracks, in the order of the file.
        stems: Names of the stems, in the order of their tracks; empty if it is no file of stems.
    """

    timescale: int = 0
    tracks: list[MovieTrack] | None = None
    stems: tuple[str, ...] = ()

    def list_tracks(self, handler: str) -> list[MovieTrack]:
        """Lists the tracks of one kind."""
        return [track for track in self.tracks or [] if track.handler == handler]


def read_movie(descriptor: int) -> Movie:
    """Reads what the boxes of an MP4 or QuickTime file say; what is not there stays empty.

    Args:
        descriptor: File open for reading; its position is left alone.
    """
    movie = Movie(tracks=[])
    tracks = movie.tracks or []
    for name, start, end in _walk(descriptor, 0, os.fstat(descriptor).st_size):
        if name == b"trak":
            tracks.append(MovieTrack())
        elif name == b"mvhd":
            movie.timescale, _ = _read_clock(os.pread(descriptor, 32, start))
        elif name == b"stem":
            movie.stems = _read_stems(
                os.pread(descriptor, min(end - start, _MAX_TEXT_BYTES), start)
            )
        elif tracks and name == b"mdhd":
            clock = _read_clock(os.pread(descriptor, 32, start))
            tracks[-1].timescale, tracks[-1].duration = clock
        elif tracks and name == b"hdlr" and not tracks[-1].handler:
            tracks[-1].handler = os.pread(descriptor, 4, start + 8).decode("latin-1")
        elif tracks and name == b"elst":
            tracks[-1].media_time = _read_media_time(os.pread(descriptor, 68, start))
    movie.tracks = tracks
    return movie


def _walk(descriptor: int, start: int, end: int) -> Iterator[tuple[bytes, int, int]]:
    """Yields name, start and end of the body of each box, and of the boxes in those of `_OUTER`."""
    waiting = [(start, end)]
    for _ in range(_MAX_BOXES):
        while waiting and waiting[-1][0] + 8 > waiting[-1][1]:
            waiting.pop()
        if not waiting:
            return
        position, limit = waiting.pop()
        header = os.pread(descriptor, 16, position)
        if len(header) < 8:
            continue
        size, name = struct.unpack_from(">I4s", header)
        body = position + 8
        if size == 1 and len(header) == 16:
            (size,) = struct.unpack_from(">Q", header, 8)
            body += 8
        following = limit if size == 0 else min(position + size, limit)
        if following < body:
            continue
        waiting.append((following, limit))
        yield name, body, following
        if name in _OUTER:
            waiting.append((body, following))


def _read_clock(body: bytes) -> tuple[int, int]:
    """Reads timescale and duration of a movie's or a track's header."""
    long = body[:1] == b"\1"
    try:
        timescale, duration = struct.unpack_from(">IQ" if long else ">II", body, 20 if long else 12)
    except struct.error:
        return 0, 0
    unknown = (1 << 64 if long else 1 << 32) - 1
    return timescale, 0 if duration == unknown else duration


def _read_media_time(body: bytes) -> int | None:
    """Reads where an edit list begins; none if it leaves out or repeats more than the start."""
    entry = ">Qq" if body[:1] == b"\1" else ">Ii"
    step = struct.calcsize(entry) + 4
    try:
        (count,) = struct.unpack_from(">I", body, 4)
        times = [struct.unpack_from(entry, body, 8 + step * at)[1] for at in range(min(count, 3))]
    except struct.error:
        return None
    played = [time for time in times if time >= 0]  # -1 is silence before the audio
    return int(played[0]) if len(played) == 1 else None


def _read_stems(body: bytes) -> tuple[str, ...]:
    try:
        rows = parse_json(body.decode("utf-8", "replace"), "stem")["stems"]
        return tuple(str(row.get("name", "")) for row in rows)
    except (InputError, KeyError, TypeError, AttributeError):
        return ()
