"""The chunk structure of WAV, RF64, W64, AIFF and CAF files, read from the bytes alone.

libsndfile reads the samples; this module finds what it does not tell: how much audio the header
promises and whether that much is there. Nothing here allocates by a size that the file names.

Sources: Microsoft/IBM RIFF 1991; EBU Tech 3306 (RF64); Sony W64; Apple AIFF-C 1991; Apple CAF 1.0.
"""

import os
import struct
from collections.abc import Iterator
from dataclasses import dataclass

from automix.errors import InputError

_MAX_CHUNKS = 4096  # a file of zeros would otherwise be walked eight bytes at a time
_UNKNOWN_SIZE = 0xFFFFFFFF


@dataclass(frozen=True)
class Chunk:
    """One chunk of a file.

    Attributes:
        name: First four bytes of its identifier, such as ``b"data"``.
        offset: Position of its body in the file, in bytes.
        size: Bytes of the body that its header claims; they need not be there.
        size_field: Position of the size in the file, in bytes.
        size_format: Format of the size, as `struct` takes it.
    """

    name: bytes
    offset: int
    size: int
    size_field: int
    size_format: str


@dataclass(frozen=True, kw_only=True)
class ChunkLayout:
    """The place of the audio in a chunked file, and what the header says about it.

    Attributes:
        data: The audio chunk.
        offset: Position of the first byte of audio in the file.
        claimed_bytes: Bytes of audio that the header promises.
        present_bytes: Bytes of audio that are there, at most what is promised.
        unclaimed_bytes: Bytes after an audio chunk of size 0 that are no chunk themselves.
        stray_bytes: Bytes after the last chunk, too few to be one.
        channels: Number of channels, from the format chunk; none where a container keeps it
            elsewhere. The same holds for the next two.
        sample_rate: Frames per second.
        bits: Bits per sample.
        speakers: Bit mask of WAVE_FORMAT_EXTENSIBLE, 0 if there is none.
    """

    data: Chunk
    offset: int
    claimed_bytes: int
    present_bytes: int
    unclaimed_bytes: int
    stray_bytes: int
    channels: int | None = None
    sample_rate: int | None = None
    bits: int | None = None
    speakers: int = 0


def walk_chunks(descriptor: int, container: str, size: int) -> Iterator[Chunk]:
    """Yields the chunks of a file, in order.

    Args:
        descriptor: File open for reading; its position is left alone.
        container: ``"wav"``, ``"rf64"``, ``"w64"``, ``"aiff"`` or ``"caf"``.
        size: Bytes in the file.
    """
    name_bytes, size_format, position = _GRAMMAR[container]
    header_bytes = name_bytes + struct.calcsize(size_format)
    for _ in range(_MAX_CHUNKS):
        header = os.pread(descriptor, header_bytes, position)
        if len(header) < header_bytes:
            return
        (claimed,) = struct.unpack_from(size_format, header, name_bytes)
        body = position + header_bytes
        if container == "w64":
            claimed = max(claimed - header_bytes, 0)
            position = body + claimed + -claimed % 8
        elif container == "caf":
            claimed = size - body if claimed < 0 else claimed
            position = body + claimed
        else:
            position = body + claimed + claimed % 2
        yield Chunk(header[:4], body, claimed, body - header_bytes + name_bytes, size_format)


_GRAMMAR = {  # bytes of the identifier, format of the size, where the first chunk starts
    "wav": (4, "<I", 12),
    "rf64": (4, "<I", 12),
    "w64": (16, "<Q", 40),
    "aiff": (4, ">I", 12),
    "caf": (4, ">q", 8),
}


def read_layout(descriptor: int, container: str, size: int) -> ChunkLayout | None:
    """Finds the audio of a chunked file; None if it has no audio chunk.

    Args:
        descriptor: File open for reading; its position is left alone.
        container: ``"wav"``, ``"rf64"``, ``"w64"``, ``"aiff"`` or ``"caf"``.
        size: Bytes in the file.

    Raises:
        InputError: The format chunk contradicts itself; the message lacks the file's name.
    """
    long_size = 0
    format_fields: dict[str, int] = {}
    data: Chunk | None = None
    stray = 0
    for chunk in walk_chunks(descriptor, container, size):
        name, body = chunk.name, os.pread(descriptor, min(chunk.size, 48), chunk.offset)
        if name == b"ds64" and len(body) >= 16:
            (long_size,) = struct.unpack_from("<Q", body, 8)
        elif name == b"fmt " and len(body) >= 16:
            format_fields = _read_wave_format(body)
        elif name == b"COMM" and len(body) >= 18:
            channels, _, bits = struct.unpack_from(">hIh", body)
            format_fields = {"channels": channels, "bits": bits}
        elif name in (b"data", b"SSND") and data is None:
            data = chunk
            if chunk.size == 0 or (container == "rf64" and chunk.size == _UNKNOWN_SIZE):
                break
        end = chunk.offset + chunk.size
        stray = max(size - end - end % 2, 0) if container in ("wav", "aiff") else 0
    if data is None:
        return None
    # an AIFF sound chunk starts with an offset and a block size, a CAF one with an edit count
    preamble = {"aiff": 8, "caf": 4}.get(container, 0)
    offset = data.offset + preamble
    claimed = max(data.size - preamble, 0)
    if container == "rf64" and data.size == _UNKNOWN_SIZE:
        claimed = long_size
    return ChunkLayout(
        data=data,
        offset=offset,
        claimed_bytes=claimed,
        present_bytes=max(min(claimed, size - offset), 0),
        unclaimed_bytes=0 if claimed else _count_unclaimed(descriptor, data, offset, size),
        stray_bytes=stray if 0 < stray < 8 else 0,
        **format_fields,
    )


def _count_unclaimed(descriptor: int, data: Chunk, offset: int, size: int) -> int:
    """Counts the bytes after an empty audio chunk; 0 if what follows it is another chunk."""
    header_bytes = data.offset - data.size_field + 4  # as far as four-letter names go
    following = os.pread(descriptor, header_bytes, offset)
    if len(following) == 8 and all(32 <= byte < 127 for byte in following[:4]):
        (next_size,) = struct.unpack_from(data.size_format, following, 4)
        if offset + 8 + next_size <= size:
            return 0
    return max(size - offset, 0)


_WAVE_CODECS = (1, 3, 6, 7)  # integer, float, A-law, µ-law


def _read_wave_format(body: bytes) -> dict[str, int]:
    tag, channels, sample_rate, _, _, bits = struct.unpack_from("<HHIIHH", body)
    speakers = 0
    if tag == 0xFFFE and len(body) >= 26:
        (speakers,) = struct.unpack_from("<I", body, 20)
        tag = struct.unpack_from("<H", body, 24)[0]
    if tag not in _WAVE_CODECS:
        raise InputError(f"its codec (tag 0x{tag:04x}) is not read")
    if tag in (1, 3) and bits not in (8, 12, 16, 20, 24, 32, 64):
        raise InputError(f"its header says {bits} bits per sample, which no audio has")
    return {
        "channels": channels,
        "sample_rate": sample_rate,
        "bits": bits,
        "speakers": speakers,
    }
