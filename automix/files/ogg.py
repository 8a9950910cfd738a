"""Ogg pages: the streams of a file and their ends, and stream numbers that do not change by run.

Radio recordings and joined files are chains of streams, of which decoders read the first.

Sources: RFC 3533, section 6; RFC 7845, section 5.1.
"""

import os
import struct
import zlib
from dataclasses import dataclass, field

from automix.files.view import View, Window

_MAX_PAGE_BYTES = 27 + 255 + 255 * 255
_CONTINUED = 1
_FIRST_PAGE = 2
_LAST_PAGE = 4
_BANDWIDTH_RATES = (  # by the upper five bits of an Opus packet (RFC 6716, section 3.1)
    *(4 * (8000,) + 4 * (12000,) + 4 * (16000,) + 2 * (24000,) + 2 * (48000,)),
    *(4 * (8000,) + 4 * (16000,) + 4 * (24000,) + 4 * (48000,)),
)
_REVERSED_BITS = bytes(int(f"{byte:08b}"[::-1], 2) for byte in range(256))


@dataclass
class OggLink:
    """One logical stream of audio; in a chain several follow each other.

    Attributes:
        serial: Its stream number.
        head: The packet that begins it, which names its codec.
        bandwidth_rate: Sample rate that the widest of its Opus packets looked at needs; else 0.
        ranges: Where its pages lie in the file.
        beside: Number of further streams of audio that run beside it.
        has_end: Whether its last page is whole and marked as the end.
        lost_pages: Number of pages that are missing within it, by their numbers.
    """

    serial: int
    head: bytes
    ranges: list[range] = field(default_factory=list)
    beside: int = 0
    has_end: bool = False
    lost_pages: int = 0
    first_granule: int | None = None
    last_granule: int = 0
    next_page: int | None = None
    bandwidth_rate: int = 0

    @property
    def channel_mapping(self) -> int:
        """Mapping family of an Opus stream (RFC 7845, section 5.1.1): 1 names speakers; else 0."""
        return self.head[18] if self.head.startswith(b"OpusHead") and len(self.head) > 18 else 0

    @property
    def granules(self) -> int:
        """Frames that are surely there: those after its first page of audio."""
        return self.last_granule - (self.first_granule or 0)

    def add(self, page: bytes, position: int, length: int) -> None:
        """Adds a whole page, of which ``page`` holds the header."""
        if self.ranges and self.ranges[-1].stop == position:
            self.ranges[-1] = range(self.ranges[-1].start, position + length)
        else:
            self.ranges.append(range(position, position + length))
        granule, _, number = struct.unpack_from("<qII", page, 6)
        if self.next_page is not None and self.first_granule is not None:
            self.lost_pages += max(number - self.next_page, 0)
        self.next_page = number + 1
        if granule > 0 and self.head.startswith(b"OpusHead") and not page[5] & _CONTINUED:
            packet = page[27 + page[26] :][:1]  # its first byte tells its bandwidth
            rates = [_BANDWIDTH_RATES[byte >> 3] for byte in packet]
            self.bandwidth_rate = max(self.bandwidth_rate, *rates, 0)
        if granule > 0:
            self.last_granule = granule
            if self.first_granule is None:
                self.first_granule = granule
        self.has_end = bool(page[5] & _LAST_PAGE)

    def make_view(self, descriptor: int) -> View:
        """Makes the view of its pages, whose Opus header does not make the decoder lose treble.

        The header's sample rate is that of what was encoded, 0 if that is not known. The decoder
        takes it, or what is next to it, for the rate to decode at.
        """
        (told,) = struct.unpack_from("<I", self.head.ljust(16, b"\0"), 12)
        taken = next((rate for rate in _BANDWIDTH_RATES[::4] if told <= rate), 48000)
        first, *others = self.ranges
        page = bytearray(os.pread(descriptor, min(_MAX_PAGE_BYTES, len(first)), first.start))
        del page[_measure_page(page, 0) :]
        if taken >= self.bandwidth_rate or len(page) < 27 + page[26] + 16:
            return tuple(self.ranges)
        struct.pack_into("<I", page, 27 + page[26] + 12, 48000)
        _seal_page(page)
        return (bytes(page), range(first.start + len(page), first.stop), *others)


@dataclass(frozen=True)
class OggScan:
    """What walking over all pages of a file found.

    Attributes:
        links: The streams of audio, in order.
        foreign_bytes: Bytes between pages that belong to none.
        breaks_off: Whether the last page is incomplete.
        is_plain: Whether a decoder reads all of the file as it is.
    """

    links: tuple[OggLink, ...]
    foreign_bytes: int
    breaks_off: bool
    is_plain: bool


_AUDIO_HEADS = (b"\x01vorbis", b"OpusHead", b"\x7fFLAC", b"Speex   ")


def walk_pages(descriptor: int, offset: int, size: int) -> OggScan:
    """Finds the streams of audio of a file.

    Args:
        descriptor: File open for reading.
        offset: Position of the first page in the file, in bytes.
        size: Bytes in the file.

    Raises:
        OSError: The file cannot be read.
    """
    window = Window(descriptor, size)
    links: list[OggLink] = []
    open_links: dict[int, OggLink] = {}
    foreign, position, breaks_off, is_plain = 0, offset, False, offset == 0
    is_among_heads = False
    while position < size:
        page = window.peek(position, 27 + 255 + 1)
        length = _measure_page(page, 0) if page[:4] == b"OggS" and len(page) >= 27 else None
        if length is None:
            found = window.find(b"OggS", position + 1, size)
            stop = size if found < 0 else found
            breaks_off = found < 0 and page[:4] == b"OggS"
            tag = page.startswith((b"TAG", b"APETAGEX", b"ID3", b"LYRICSBEGIN"))
            foreign += 0 if breaks_off or tag else stop - position
            position = stop
            continue
        if position + length > size:
            breaks_off = True
            break
        (serial,) = struct.unpack_from("<I", page, 14)
        if page[5] & _FIRST_PAGE:
            if not is_among_heads:
                open_links = {}
            is_among_heads = True
            head = window.peek(position + 27 + page[26], 64)
            if head.startswith(_AUDIO_HEADS):
                if open_links:
                    next(iter(open_links.values())).beside += 1
                else:
                    links.append(OggLink(serial, head))
                    open_links[serial] = links[-1]
        else:
            is_among_heads = False
        if serial in open_links:
            open_links[serial].add(page, position, length)
        position += length
    is_plain = is_plain and len(links) == 1 and links[0].ranges == [range(size)]
    return OggScan(tuple(links), foreign, breaks_off, is_plain)


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
        _seal_page(page)
        os.pwrite(descriptor, page, position)
        position += length


def _seal_page(page: bytearray) -> None:
    """Puts the checksum of a page into it."""
    struct.pack_into("<I", page, 22, 0)
    struct.pack_into("<I", page, 22, compute_checksum(bytes(page)))


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
