"""The frame structure of MPEG audio (MP3): how many frames there are, and how many there should be.

Decoders skip over a missing end, and the length in a header may be an estimate; walking the frame
headers tells an intact file from one that was cut.

Sources: ISO/IEC 11172-3 section 2.4.1.3, ISO/IEC 13818-3; the Xing/Info tag as LAME writes it.
"""

import os
import struct
from dataclasses import dataclass
from typing import BinaryIO

_BITRATES_KBPS = {  # (MPEG 1?, layer) -> by index 1…14
    (True, 1): (32, 64, 96, 128, 160, 192, 224, 256, 288, 320, 352, 384, 416, 448),
    (True, 2): (32, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320, 384),
    (True, 3): (32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320),
    (False, 1): (32, 48, 56, 64, 80, 96, 112, 128, 144, 160, 176, 192, 224, 256),
    (False, 2): (8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160),
    (False, 3): (8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160),
}
_RATES_HZ = (44100, 48000, 32000)
_SEARCH_BYTES = 1 << 16


@dataclass(frozen=True)
class Frame:
    """The header of one MPEG audio frame.

    Attributes:
        version: Version bits of the header: 3 for MPEG 1, 2 for MPEG 2, 0 for MPEG 2.5.
        layer: Layer, 1 … 3.
        sample_rate: Frames of audio per second.
        channels: 1 or 2.
        length: Size of the frame with its header, in bytes.
        samples: Samples per channel that the frame decodes to.
    """

    version: int
    layer: int
    sample_rate: int
    channels: int
    length: int
    samples: int

    def continues(self, first: "Frame") -> bool:
        """Tells whether the frame belongs to the same stream as ``first``."""
        return (self.version, self.layer, self.sample_rate) == (
            first.version,
            first.layer,
            first.sample_rate,
        )


@dataclass(frozen=True)
class XingTag:
    """The Xing or Info tag, which describes a stream in place of its first frame.

    Attributes:
        offset: Position of the tag in the file, in bytes.
        flags: Bit 0 says that the frame count is given, bit 1 that the size in bytes is.
        frames: Number of frames that the tag claims.
    """

    offset: int
    flags: int
    frames: int


@dataclass(frozen=True)
class MpegStream:
    """What walking over all frame headers of a file found.

    Attributes:
        first: The first frame.
        frames: Number of whole audio frames, without the tag's frame.
        start: Position of the first frame in the file, in bytes.
        tag: The Xing/Info tag, or none.
        breaks_off: Whether the last frame is incomplete.
    """

    first: Frame
    frames: int
    start: int
    tag: XingTag | None
    breaks_off: bool

    @property
    def claimed_frames(self) -> int | None:
        """Number of audio frames that the tag promises, none where nothing is promised."""
        return self.tag.frames if self.tag is not None and self.tag.flags & 1 else None

    @property
    def missing_frames(self) -> int:
        """Number of frames promised but absent; 0 where nothing was promised."""
        return 0 if self.claimed_frames is None else self.claimed_frames - self.frames

    @property
    def missing_s(self) -> float:
        """Duration of the frames that are promised but absent, in seconds."""
        return self.missing_frames * self.first.samples / self.first.sample_rate

    @property
    def is_cut(self) -> bool:
        """Whether the end is missing.

        One frame is forgiven at a whole end: encoders disagree on whether the tag frame counts.
        """
        if self.claimed_frames is None:
            return self.breaks_off
        return self.missing_frames > (0 if self.breaks_off else 1)

    def corrections(self, size: int) -> list[tuple[int, bytes]]:
        """Finds what to write where so that the tag is true of a file that was cut off.

        Args:
            size: Bytes in the file.

        Returns:
            Positions in the file and the bytes to put there; empty without a tag.
        """
        if self.tag is None or self.claimed_frames is None:
            return []
        corrected = [(self.tag.offset + 8, struct.pack(">I", self.frames))]
        if self.tag.flags & 2:
            corrected.append((self.tag.offset + 12, struct.pack(">I", size - self.start)))
        return corrected


def read_frame(header: bytes) -> Frame | None:
    """Decodes the four bytes of a frame header; none if they are no such header."""
    if len(header) < 4 or header[0] != 0xFF or header[1] & 0xE0 != 0xE0:
        return None
    version, layer = (header[1] >> 3) & 3, 4 - ((header[1] >> 1) & 3)
    bitrate, rate = header[2] >> 4, (header[2] >> 2) & 3
    if version == 1 or layer == 4 or bitrate in (0, 15) or rate == 3:
        return None
    is_first = version == 3
    sample_rate = _RATES_HZ[rate] // {3: 1, 2: 2, 0: 4}[version]
    bits_per_s = 1000 * _BITRATES_KBPS[is_first, layer][bitrate - 1]
    padding = (header[2] >> 1) & 1
    samples = {1: 384, 2: 1152, 3: 1152 if is_first else 576}[layer]
    length = samples // 8 * bits_per_s // sample_rate + padding
    if layer == 1:
        length = (12 * bits_per_s // sample_rate + padding) * 4
    channels = 1 if header[3] >> 6 == 3 else 2
    return Frame(version, layer, sample_rate, channels, length, samples)


def measure_tag(head: bytes) -> int:
    """Measures the ID3v2 tag that ``head`` starts with, in bytes; 0 without one."""
    if len(head) < 10 or head[:3] != b"ID3":
        return 0
    size = 0
    for byte in head[6:10]:
        size = size << 7 | byte & 0x7F
    return 10 + size + (10 if head[5] & 0x10 else 0)


def is_mpeg(descriptor: int, offset: int) -> bool:
    """Tells whether two frames of one stream follow each other at ``offset``."""
    first = read_frame(os.pread(descriptor, 4, offset))
    if first is None:
        return False
    second = read_frame(os.pread(descriptor, 4, offset + first.length))
    return second is not None and second.continues(first)


def walk_frames(descriptor: int, offset: int, size: int) -> MpegStream | None:
    """Counts the frames from ``offset`` to the end of the file.

    Args:
        descriptor: File open for reading.
        offset: Position of the first frame in the file, in bytes.
        size: Bytes in the file.

    Returns:
        What was found; none if there is no frame at ``offset``.
    """
    with open(descriptor, "rb", buffering=_SEARCH_BYTES, closefd=False) as file:
        file.seek(offset)
        head = file.read(2048)
        first = read_frame(head)
        if first is None:
            return None
        tag = _read_tag(head[: first.length], offset)
        frames, position, breaks_off = 0, offset, False
        while position < size:
            file.seek(position)
            frame = read_frame(file.read(4))
            if frame is None or not frame.continues(first):
                found = _resynchronize(file, position, first)
                if found is None:
                    break
                position = found
                continue
            position += frame.length
            breaks_off = position > size
            frames += not breaks_off
    return MpegStream(first, frames - (tag is not None), offset, tag, breaks_off)


def _read_tag(frame: bytes, offset: int) -> XingTag | None:
    for mark in (b"Xing", b"Info"):
        at = frame.find(mark, 4, 64)
        if at >= 0 and len(frame) >= at + 12:
            return XingTag(offset + at, *struct.unpack_from(">II", frame, at + 4))
    return None


def _resynchronize(file: BinaryIO, position: int, first: Frame) -> int | None:
    """Finds the position of the next frame that another one follows; none behind the last."""
    file.seek(position)
    start = file.read(_SEARCH_BYTES)
    if start.startswith((b"TAG", b"APETAGEX", b"LYRICSBEGIN")):
        return None
    at = start.find(b"\xff", 1)
    while at >= 0:
        frame = read_frame(start[at : at + 4])
        if frame is not None and frame.continues(first):
            following = start[at + frame.length : at + frame.length + 4]
            second = read_frame(following)
            if second is not None and second.continues(first):
                return position + at
        at = start.find(b"\xff", at + 1)
    return None
