"""Ogg pages: whether a file has its end, and stream numbers that do not change from run to run.

Source: RFC 3533, section 6.
"""

import os
import struct
import zlib

_MAX_PAGE_BYTES = 27 + 255 + 255 * 255
_LAST_PAGE = 4
_REVERSED_BITS = bytes(int(f"{byte:08b}"[::-1], 2) for byte in range(256))


def has_end(descriptor: int, size: int) -> bool:
    """Tells whether the last page of a file of ``size`` bytes is whole and marked as the end."""
    start = max(size - 2 * _MAX_PAGE_BYTES, 0)
    tail = os.pread(descriptor, size - start, start)
    at = tail.rfind(b"OggS")
    if at < 0 or len(tail) < at + 27:
        return False
    length = _measure_page(tail, at)
    return length is not None and at + length <= len(tail) and bool(tail[at + 5] & _LAST_PAGE)


def number_streams(descriptor: int, serial: int) -> None:
    """Gives every page the stream number ``serial``: the encoder draws one by the clock.

    Args:
        descriptor: File with one logical stream, open for reading and writing.
        serial: Stream number, 0 … 2³² − 1.
    """
    position = 0
    while len(page := bytearray(os.pread(descriptor, _MAX_PAGE_BYTES, position))) >= 27:
        length = _measure_page(page, 0)
        if page[:4] != b"OggS" or length is None:
            return
        del page[length:]
        struct.pack_into("<I", page, 14, serial)
        struct.pack_into("<I", page, 22, 0)
        struct.pack_into("<I", page, 22, compute_checksum(bytes(page)))
        os.pwrite(descriptor, page, position)
        position += length


def compute_checksum(page: bytes) -> int:
    """Computes CRC-32 as Ogg has it: polynomial 0x04C11DB7, bits not reflected, starting from 0.

    The CRC of zlib is the reflected one, so the bits are reversed on the way in and out.
    """
    reflected = zlib.crc32(page.translate(_REVERSED_BITS), 0xFFFFFFFF) ^ 0xFFFFFFFF
    return int(f"{reflected:032b}"[::-1], 2)


def _measure_page(data: bytes | bytearray, at: int) -> int | None:
    segments = data[at + 26]
    table = data[at + 27 : at + 27 + segments]
    return 27 + segments + sum(table) if len(table) == segments else None
