"""The metadata and the frame headers of FLAC files: how long a stream is, whether others follow.

Source: RFC 9639.
"""

import os
import struct
from dataclasses import dataclass

from automix.files.view import View, Window

_LARGEST_TAIL = 1 << 20
_MARK = b"fLaC\0\0\0\x22"  # with the header of the block that comes first in every stream
_POLYNOMIAL = 0x07


@dataclass(frozen=True, kw_only=True)
class FlacStream:
    """One FLAC stream of a file.

    Attributes:
        start: Position of its mark in the file, in bytes.
        stop: Position behind its last byte.
        total_frames: Length that its header gives, in frames; 0 where it gives none.
        first_frame: Number of its first frame of audio: not 0 where its start was cut off.
        last_frames: Length that the number of its last frame tells; none if none was found.
        sample_rate: Frames per second.
        comments: Its Vorbis comments, ``NAME=value``, with names in capitals.
    """

    start: int
    stop: int
    total_frames: int
    first_frame: int
    last_frames: int | None
    sample_rate: int
    comments: dict[str, str]

    def make_view(self, descriptor: int, frames: int) -> View:
        """Makes the view of the stream that gives its length as ``frames``."""
        head = bytearray(os.pread(descriptor, 42, self.start))
        (packed,) = struct.unpack_from(">Q", head, 18)
        struct.pack_into(">Q", head, 18, packed >> 36 << 36 | frames)
        return (bytes(head), range(self.start + 42, self.stop))


def find_streams(descriptor: int, offset: int, size: int) -> list[FlacStream]:
    """Finds the FLAC streams of a file: one, unless files were joined.

    Args:
        descriptor: File open for reading.
        offset: Position of the first mark in the file, in bytes.
        size: Bytes in the file.

    Raises:
        OSError: The file cannot be read.
    """
    window = Window(descriptor, size)
    starts, position = [offset], offset + 42
    while (position := window.find(_MARK, position, size)) >= 0:
        starts.append(position)
        position += len(_MARK)
    stops = [*starts[1:], size]
    return [
        _read_stream(descriptor, start, stop) for start, stop in zip(starts, stops, strict=True)
    ]


def _read_stream(descriptor: int, start: int, stop: int) -> FlacStream:
    head = os.pread(descriptor, 42, start)
    if len(head) < 42:
        head = head.ljust(42, b"\0")
    block_frames = struct.unpack_from(">H", head, 10)[0]
    (packed,) = struct.unpack_from(">Q", head, 18)
    position, comments = start + 4, {}
    for _ in range(128):
        header = os.pread(descriptor, 4, position)
        if len(header) < 4:
            break
        length = int.from_bytes(header[1:])
        if header[0] & 0x7F == 4:
            comments = _read_comments(os.pread(descriptor, min(length, 1 << 16), position + 4))
        position += 4 + length
        if header[0] & 0x80:
            break
    frame_bytes = int.from_bytes(head[15:18])  # 0 where the encoder did not know the largest
    largest = 2 * frame_bytes + 4096 if frame_bytes else _LARGEST_TAIL
    tail_start = max(stop - min(largest, _LARGEST_TAIL), min(position, stop))
    tail = os.pread(descriptor, stop - tail_start, tail_start)
    first = os.pread(descriptor, 16, position)
    begins = _read_span(first, block_frames)
    return FlacStream(
        start=start,
        stop=stop,
        total_frames=packed & (1 << 36) - 1,
        first_frame=begins.start if begins else 0,
        last_frames=_find_last_frame(tail, first, block_frames),
        sample_rate=packed >> 44,
        comments=comments,
    )


def _read_comments(body: bytes) -> dict[str, str]:
    comments: dict[str, str] = {}
    try:
        (vendor,) = struct.unpack_from("<I", body)
        (count,) = struct.unpack_from("<I", body, 4 + vendor)
        position = 8 + vendor
        for _ in range(min(count, 4096)):
            (length,) = struct.unpack_from("<I", body, position)
            text = body[position + 4 : position + 4 + length].decode(errors="replace")
            name, _, value = text.partition("=")
            comments.setdefault(name.upper(), value)
            position += 4 + length
    except struct.error:
        pass  # the block is longer than what was read, or cut
    return comments


def _find_last_frame(tail: bytes, first: bytes, block_frames: int) -> int | None:
    """Finds the last frame header in ``tail``; the length of the stream that it tells.

    Args:
        tail: The end of the stream.
        first: The start of the first frame: all frames have most of four bytes in common.
        block_frames: Frames of audio per frame of the stream, but for the last.
    """
    if len(first) < 4:
        return None
    at = len(tail)
    while (at := tail.rfind(first[:2], 0, at)) >= 0:
        header = tail[at : at + 16]
        if len(header) > 5 and not (header[2] ^ first[2]) & 15 and not (header[3] ^ first[3]) & 15:
            found = _read_span(header, block_frames)
            if found is not None:
                return found.stop
    return None


_BLOCKS = {1: 192, **{code: 576 << code - 2 for code in range(2, 6)}}
_BLOCKS |= {code: 256 << code - 8 for code in range(8, 16)}


def _read_span(header: bytes, block_frames: int) -> range | None:
    """Decodes a frame header; the frames of audio that it holds, or none if it is none."""
    if len(header) < 6 or header[0] != 0xFF or header[1] & 0xFE != 0xF8:
        return None
    is_variable = header[1] & 1
    code, rate = header[2] >> 4, header[2] & 15
    if code == 0 or rate == 15 or header[3] >> 4 > 10 or header[3] & 1:
        return None
    leading = header[4]
    more = 0
    while more < 7 and leading & 0x80 >> more:
        more += 1
    if more == 1 or more == 7 and leading == 0xFF:
        return None
    number = leading & (0x7F >> more if more else 0x7F)
    extra = max(more - 1, 0)
    for byte in header[5 : 5 + extra]:
        number = number << 6 | byte & 0x3F
    at = 5 + extra
    frames = _BLOCKS.get(code, 0)
    if code in (6, 7):
        frames = int.from_bytes(header[at : at + code - 5]) + 1
        at += code - 5
    at += {12: 1, 13: 2, 14: 2}.get(rate, 0)
    if len(header) <= at or _checksum(header[:at]) != header[at]:
        return None
    start = number if is_variable else number * block_frames
    return range(start, start + frames)


def _checksum(data: bytes) -> int:
    """Computes CRC-8 as FLAC has it: polynomial 0x07, starting from 0."""
    value = 0
    for byte in data:
        value ^= byte
        for _ in range(8):
            value = (value << 1 ^ _POLYNOMIAL if value & 0x80 else value << 1) & 0xFF
    return value
