"""The chunk structure of WAV, RF64, W64, AIFF and CAF files, read from the bytes alone.

libsndfile reads the samples; this module finds what it does not tell: how much audio the header
promises, whether that much is there, and what lies behind it. Nothing here allocates by a size that
the file names.

Sources: Microsoft/IBM RIFF 1991; EBU Tech 3306 (RF64) and 3285 (BWF); Sony W64; Apple AIFF-C 1991;
Apple CAF 1.0.
"""

import os
import re
import struct
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

from automix.errors import InputError
from automix.files.mpeg import measure_tag
from automix.files.speakers import (
    AMBISONIC,
    ChannelMap,
    find_ambisonic_word,
    read_adm,
    read_core_audio,
    read_mask,
)
from automix.files.view import View

_MAX_CHUNKS = 4096  # a file of zeros would otherwise be walked eight bytes at a time
_MAX_TEXT = 1 << 16
_UNKNOWN_SIZE = 0xFFFFFFFF
_LARGEST_FORMAT = 4096


@dataclass(frozen=True)
class Chunk:
    """One chunk of a file.

    Attributes:
        name: First four bytes of its identifier, such as ``b"data"``.
        offset: Position of its body in the file, in bytes.
        claimed: Bytes of the body that its header claims; none where it leaves them open.
        size: Bytes of the body that are there, at most what is claimed.
        end: Position behind it, with its padding; not behind the end of the file.
    """

    name: bytes
    offset: int
    claimed: int | None
    size: int
    end: int


@dataclass(kw_only=True)
class ChunkLayout:
    """The places of the audio in a chunked file, and what the header says about it.

    Attributes:
        form: Identifier of the form of an AIFF file: ``b"AIFF"`` or ``b"AIFC"``.
        format: Body of the format chunk: ``fmt ``, ``COMM`` or ``desc``.
        audio: Where the audio lies in the file: a range for each audio chunk.
        claimed_bytes: Bytes of audio that the header promises.
        is_open: Whether the header leaves the length open, which CAF allows.
        is_early: Whether the audio comes before its format.
        offset_bytes: Bytes in front of the first sample of an AIFF sound chunk.
        unclaimed: What follows the last chunk and is no chunk itself.
        stray_bytes: Bytes after the last chunk, too few to be one.
        next_file: Position of another file of the same kind that follows, or none.
        claimed_frames: Frames that the format chunk of an AIFF file promises, or none.
        channels: Number of channels, from the format chunk. The same holds for the next two.
        sample_rate: Frames per second.
        frame_bytes: Bytes per frame; 0 for coded audio.
        block_bytes: Bytes per frame that a WAV file claims beside its bits per sample, or none.
        is_wide: Whether `format` was mended, since samples lie in more bytes than their bits need.
        channel_map: What the file says of its channels.
        time_stamp: Frames from midnight to the start of the audio (BWF ``TimeReference``), or none.
        marks_ambisonics: Word in its texts that only Ambisonics is called by, or none.
    """

    form: bytes = b""
    format: bytes = b""
    audio: list[range] = field(default_factory=list)
    claimed_bytes: int = 0
    is_open: bool = False
    is_early: bool = False
    offset_bytes: int = 0
    unclaimed: range = range(0)
    stray_bytes: int = 0
    next_file: int | None = None
    claimed_frames: int | None = None
    channels: int | None = None
    sample_rate: int | None = None
    frame_bytes: int = 0
    block_bytes: int | None = None
    is_wide: bool = False
    channel_map: ChannelMap = ChannelMap()
    time_stamp: int | None = None
    marks_ambisonics: str | None = None

    @property
    def present_bytes(self) -> int:
        """Bytes of audio that are there, at most what is promised."""
        return sum(map(len, self.audio))


@dataclass(frozen=True)
class _Grammar:
    """How a container writes its chunks.

    Attributes:
        head_bytes: Bytes in front of the first chunk.
        name_bytes: Bytes of an identifier.
        size_format: Format of a size, as `struct` takes it.
        alignment: Multiple of bytes that chunks are padded to.
        covers_header: Whether a size counts the chunk's own header.
    """

    head_bytes: int
    name_bytes: int
    size_format: str
    alignment: int
    covers_header: bool = False


_GRAMMARS = {
    "wav": _Grammar(12, 4, "<I", 2),
    "rf64": _Grammar(12, 4, "<I", 2),
    "w64": _Grammar(40, 16, "<Q", 8, covers_header=True),
    "aiff": _Grammar(12, 4, ">I", 2),
    "caf": _Grammar(8, 4, ">q", 1),
}
_COMMON_NAMES = (b"data", b"SSND", b"fmt ", b"COMM", b"desc", b"LIST", b"bext", b"iXML", b"id3 ")
"""Chunks that are believed to be some even if they claim more than the file holds."""

_AUDIO_PREAMBLES = {"aiff": 8, "caf": 4}
"""An AIFF sound chunk starts with an offset and a block size, a CAF one with an edit count."""


def begins_file(head: bytes) -> str | None:
    """Tells the container of a chunked file by its first 64 bytes; none if it is none."""
    kind = head[8:12]
    if head[:4] == b"RIFF" and kind == b"WAVE":
        return "wav"
    if head[:4] in (b"RF64", b"BW64") and kind == b"WAVE":
        return "rf64"
    if head[:4] == b"FORM" and kind in (b"AIFF", b"AIFC"):
        return "aiff"
    if head[:4] == b"riff" and head[24:28] == b"wave":
        return "w64"
    return "caf" if head[:4] == b"caff" and head[4:8] == b"\0\1\0\0" else None


class _Walk:
    """Walks over the chunks of a file, in order.

    Attributes:
        position: Where the next chunk would begin.
        next_file: Position of another file that begins there, or none.
    """

    def __init__(self, descriptor: int, container: str, start: int, size: int) -> None:
        self._descriptor = descriptor
        self._container = container
        self._grammar = _GRAMMARS[container]
        self._start = start
        self._size = size
        self._long_sizes: dict[bytes, int] = {}
        self.position = start + self._grammar.head_bytes
        self.next_file: int | None = None

    def chunks(self) -> Iterator[Chunk]:
        """Yields chunks as long as what follows can be one."""
        for _ in range(_MAX_CHUNKS):
            chunk = self._read(self.position)
            if chunk is None and self._container in ("wav", "rf64", "aiff"):
                chunk = self._read_unpadded()
            if chunk is None:
                return
            if chunk.name == b"ds64" and self._container == "rf64":
                self._read_long_sizes(chunk)
            self.position = chunk.end
            yield chunk

    def _read(self, position: int) -> Chunk | None:
        grammar = self._grammar
        header_bytes = grammar.name_bytes + struct.calcsize(grammar.size_format)
        head = os.pread(self._descriptor, 64, position)
        if len(head) < header_bytes:
            return None
        name = head[:4]
        if begins_file(head):
            self.next_file = position
            return None
        claimed: int | None
        (claimed,) = struct.unpack_from(grammar.size_format, head, grammar.name_bytes)
        if grammar.covers_header:
            claimed = max(claimed - header_bytes, 0)
        if self._container == "caf":
            claimed = None if claimed == -1 else claimed % 2**64
        if claimed == _UNKNOWN_SIZE and name in self._long_sizes:
            claimed = self._long_sizes[name]
        offset = position + header_bytes
        present = max(self._size - offset, 0)
        if name == b"data" and self._container == "wav" and claimed == _UNKNOWN_SIZE < present:
            claimed = None  # a pipe that went on for longer than a size can say
        size = present if claimed is None else min(claimed, present)
        end = min(offset + size + -size % grammar.alignment, self._size)
        chunk = Chunk(name, offset, claimed, size, end)
        return chunk if self._is_plausible(chunk) else None

    def _is_plausible(self, chunk: Chunk) -> bool:
        """Tells a chunk from audio, or a tag, that happens to stand where a chunk would."""
        if chunk.name in _COMMON_NAMES:
            return True
        fits = chunk.claimed is not None and chunk.claimed <= chunk.size
        is_word = all(32 <= byte < 127 for byte in chunk.name)
        return fits and (is_word or chunk.end == self._size)

    def _read_unpadded(self) -> Chunk | None:
        """Finds a chunk behind one of odd size whose padding was forgotten."""
        before = self.position - 1
        if before < self._start + self._grammar.head_bytes:
            return None
        chunk = self._read(before)
        is_known = chunk is not None and chunk.name in _COMMON_NAMES and chunk.claimed == chunk.size
        return chunk if is_known else None

    def _read_long_sizes(self, chunk: Chunk) -> None:
        body = os.pread(self._descriptor, min(chunk.size, 28), chunk.offset)
        if len(body) >= 16:
            (self._long_sizes[b"data"],) = struct.unpack_from("<Q", body, 8)


def walk_chunks(descriptor: int, container: str, start: int, size: int) -> Iterator[Chunk]:
    """Yields the chunks of a file, in order.

    Args:
        descriptor: File open for reading; its position is left alone.
        container: ``"wav"``, ``"rf64"``, ``"w64"``, ``"aiff"`` or ``"caf"``.
        start: Position of the header in the file, in bytes.
        size: Bytes in the file.
    """
    return _Walk(descriptor, container, start, size).chunks()


def read_layout(descriptor: int, container: str, start: int, size: int) -> ChunkLayout | None:
    """Finds the audio of a chunked file; None if it has no audio chunk.

    Args:
        descriptor: File open for reading; its position is left alone.
        container: ``"wav"``, ``"rf64"``, ``"w64"``, ``"aiff"`` or ``"caf"``.
        start: Position of the header in the file, in bytes.
        size: Bytes in the file.

    Raises:
        InputError: The format chunk contradicts itself; the message lacks the file's name.
        OSError: The file cannot be read.
    """
    layout = ChunkLayout(form=os.pread(descriptor, 4, start + 8))
    walk = _Walk(descriptor, container, start, size)
    preamble = _AUDIO_PREAMBLES.get(container, 0)
    last_audio: Chunk | None = None
    for chunk in walk.chunks():
        if chunk.name in (b"data", b"SSND"):
            last_audio = chunk
            _add_audio(layout, descriptor, chunk, preamble)
        elif chunk.name in _READERS:
            body = os.pread(descriptor, min(chunk.size, _MAX_TEXT), chunk.offset)
            _READERS[chunk.name](layout, body)
    if last_audio is None:
        return None
    layout.next_file = walk.next_file
    if walk.next_file is None:
        lead = max(preamble - last_audio.size, 0) if layout.claimed_bytes == 0 else 0
        _note_rest(layout, descriptor, walk.position + lead, size)
    if layout.unclaimed or layout.claimed_bytes > layout.present_bytes:
        tail = _find_tail(descriptor, container, start, size)
        layout.unclaimed = _cut_range(layout.unclaimed, tail)
        layout.audio[-1] = _cut_range(layout.audio[-1], tail)
    _widen_samples(layout, descriptor)
    if layout.offset_bytes:
        first = layout.audio[0]
        layout.audio[0] = range(min(first.start + layout.offset_bytes, first.stop), first.stop)
        layout.claimed_bytes = max(layout.claimed_bytes - layout.offset_bytes, 0)
    return layout


def read_packet_table(descriptor: int) -> tuple[int, int] | None:
    """Reads delay and length in frames from the packet table of a CAF file; none without one."""
    for chunk in walk_chunks(descriptor, "caf", 0, os.fstat(descriptor).st_size):
        if chunk.name == b"pakt" and chunk.size >= 24:
            _, frames, delay, _ = struct.unpack(">qqii", os.pread(descriptor, 24, chunk.offset))
            return (delay, frames) if delay >= 0 and frames > 0 else None
    return None


def _widen_samples(layout: ChunkLayout, descriptor: int) -> None:
    """Follows the block size of a WAV file, such as 24 bits in 4 bytes, where its audio agrees.

    Samples in wider places are aligned to the left, so that their lowest byte is always zero.
    """
    block, channels, audio = layout.block_bytes or 0, layout.channels or 1, layout.audio[0]
    width = block // channels
    if not layout.frame_bytes < block == width * channels <= 4 * channels:
        return
    middle = audio.start + len(audio) // 2 // block * block  # songs begin with silence
    data = os.pread(descriptor, min(1 << 16, audio.stop - middle), middle)
    if any(data) and not any(data[::width]):
        mended = bytearray(layout.format)
        struct.pack_into("<H", mended, 14, 8 * width)
        layout.format, layout.frame_bytes, layout.is_wide = bytes(mended), block, True


def _add_audio(layout: ChunkLayout, descriptor: int, chunk: Chunk, preamble: int) -> None:
    layout.is_early |= not layout.format
    if not layout.audio and chunk.name == b"SSND":
        layout.offset_bytes = int.from_bytes(os.pread(descriptor, 4, chunk.offset))
    first = min(chunk.offset + preamble, chunk.offset + chunk.size)
    layout.audio.append(range(first, chunk.offset + chunk.size))
    if chunk.claimed is None:
        layout.is_open = True
        layout.claimed_bytes += len(layout.audio[-1])
    else:
        layout.claimed_bytes += max(chunk.claimed - preamble, 0)


def _note_rest(layout: ChunkLayout, descriptor: int, position: int, size: int) -> None:
    """Looks at what follows the last chunk: nothing, a few odd bytes, tags, or more audio."""
    while (tag := measure_tag(os.pread(descriptor, 64, position).ljust(64, b"\0"))) > 0:
        position += tag
    rest = range(min(position, size), size)
    if len(rest) < 8:
        layout.stray_bytes = len(rest)
    elif not _is_silent(descriptor, rest):  # zeros fill a block of the disk or the recorder
        layout.unclaimed = rest


_TAIL_BYTES = 1 << 16


def _find_tail(descriptor: int, container: str, start: int, size: int) -> int:
    """Finds chunks at the end of a file whose audio chunk claims a wrong size.

    Returns:
        Position of the first of them; the size of the file where there are none.
    """
    if container not in ("wav", "rf64"):
        return size
    first = max(size - _TAIL_BYTES, start)
    tail = os.pread(descriptor, size - first, first)
    for match in _TAIL_NAMES.finditer(tail):
        at = match.start()
        while len(tail) - at >= 8 and _TAIL_NAMES.match(tail, at):
            (claimed,) = struct.unpack_from("<I", tail, at + 4)
            at += 8 + claimed + claimed % 2
        if at in (len(tail), len(tail) + 1):
            return first + match.start()
    return size


_TAIL_NAMES = re.compile(rb"LIST|bext|iXML|id3 |ID3 |cue |smpl|inst|_PMX|fact|axml|chna")


def _cut_range(part: range, stop: int) -> range:
    return range(part.start, max(min(part.stop, stop), part.start))


_MOST_SILENT_BYTES = 1 << 25


def _is_silent(descriptor: int, part: range) -> bool:
    if len(part) > _MOST_SILENT_BYTES:
        return False
    for position in range(part.start, part.stop, 1 << 20):
        if os.pread(descriptor, min(1 << 20, part.stop - position), position).strip(b"\0"):
            return False
    return True


def _read_wave_format(layout: ChunkLayout, body: bytes) -> None:
    if len(body) < 16 or layout.format:
        return
    tag, channels, sample_rate, _, block_bytes, bits = struct.unpack_from("<HHIIHH", body)
    if tag == 0xFFFE and len(body) >= 40:
        (mask,) = struct.unpack_from("<I", body, 20)
        (tag,) = struct.unpack_from("<H", body, 24)
        family = body[26:40]
        if family == _AMBISONIC_FAMILY:
            layout.channel_map = ChannelMap(refusal=AMBISONIC)
        elif family == _WAVE_FAMILY:
            layout.channel_map = read_mask(mask, channels)
        else:
            raise InputError(f"its codec ({body[24:40].hex()}) is not read")
    if tag not in _WAVE_CODECS:
        raise InputError(f"its codec (tag 0x{tag:04x}) is not read")
    if tag in (1, 3) and bits not in (8, 12, 16, 20, 24, 32, 64):
        raise InputError(f"its header says {bits} bits per sample, which no audio has")
    layout.format = body[:_LARGEST_FORMAT]
    layout.channels, layout.sample_rate = channels, sample_rate
    layout.frame_bytes = channels * (bits + 7 >> 3)
    layout.block_bytes = block_bytes or layout.frame_bytes


_WAVE_CODECS = (1, 3, 6, 7)  # integer, float, A-law, µ-law
_WAVE_FAMILY = bytes.fromhex("000000001000800000aa00389b71")
_AMBISONIC_FAMILY = bytes.fromhex("00002107d3118644c8c1ca000000")


def _read_aiff_format(layout: ChunkLayout, body: bytes) -> None:
    if len(body) < 18 or layout.format:
        return
    channels, frames, bits = struct.unpack_from(">HIh", body)
    layout.format = body[:_LARGEST_FORMAT]
    layout.channels, layout.claimed_frames = channels, frames
    exponent, mantissa = struct.unpack_from(">HQ", body, 8)  # an extended float of 80 bits
    if 16383 <= exponent < 16383 + 32:
        layout.sample_rate = mantissa >> 63 - (exponent - 16383)
    sample_bytes = _AIFF_SAMPLE_BYTES.get(body[18:22].lower(), bits + 7 >> 3)
    layout.frame_bytes = max(channels * sample_bytes, 0)


_AIFF_SAMPLE_BYTES = {b"ulaw": 1, b"alaw": 1, b"fl32": 4, b"fl64": 8, b"in24": 3, b"in32": 4}


def _read_caf_format(layout: ChunkLayout, body: bytes) -> None:
    if len(body) < 32 or layout.format:
        return
    rate, codec, _, packet_bytes, packet_frames, channels, _ = struct.unpack_from(">d4s5I", body)
    layout.format = body[:32]
    layout.channels = channels
    layout.sample_rate = int(rate) if 0 <= rate < 2**32 else 0
    is_plain = codec in (b"lpcm", b"ulaw", b"alaw") and packet_frames == 1
    layout.frame_bytes = packet_bytes if is_plain else 0


def _read_core_layout(layout: ChunkLayout, body: bytes) -> None:
    layout.channel_map = layout.channel_map.join(read_core_audio(body))


def _read_adm_tracks(layout: ChunkLayout, body: bytes) -> None:
    layout.channel_map = layout.channel_map.join(read_adm(body))


def _read_text(layout: ChunkLayout, body: bytes) -> None:
    text = body.decode("utf-8", errors="replace")
    layout.marks_ambisonics = layout.marks_ambisonics or find_ambisonic_word(text)
    stamp = dict(_STAMP.findall(text))
    if len(stamp) == 2 and layout.time_stamp is None:
        layout.time_stamp = int(stamp["HI"]) << 32 | int(stamp["LO"])


_STAMP = re.compile(r"<TIMESTAMP_SAMPLES_SINCE_MIDNIGHT_(HI|LO)>\s*(\d{1,10})\s*<")


def _read_broadcast(layout: ChunkLayout, body: bytes) -> None:
    if len(body) >= 346:
        (layout.time_stamp,) = struct.unpack_from("<Q", body, 338)
    _read_text(layout, body[:256])


_READERS: dict[bytes, Callable[[ChunkLayout, bytes], None]] = {
    b"fmt ": _read_wave_format,
    b"COMM": _read_aiff_format,
    b"desc": _read_caf_format,
    b"chan": _read_core_layout,
    b"CHAN": _read_core_layout,
    b"chna": _read_adm_tracks,
    b"bext": _read_broadcast,
    b"iXML": _read_text,
}


def make_view(layout: ChunkLayout, container: str, audio: list[range]) -> View:
    """Makes the view of a file whose header holds nothing but what is true.

    Args:
        layout: What the file's own header says.
        container: Container as in `read_layout`.
        audio: Where the audio lies in the file.
    """
    size = sum(map(len, audio))
    if container == "caf":
        head = b"caff\0\1\0\0desc" + struct.pack(">q", 32) + layout.format
        return (head + b"data" + struct.pack(">qI", size + 4, 0), *audio)
    if container == "aiff":
        size = min(size, _UNKNOWN_SIZE - 64 - _LARGEST_FORMAT)
        frames = size // layout.frame_bytes if layout.frame_bytes else 0
        common = layout.format[:2] + struct.pack(">I", frames) + layout.format[6:]
        common += b"\0" * (len(common) % 2)
        body = layout.form + b"COMM" + struct.pack(">I", len(common)) + common
        body += b"SSND" + struct.pack(">III", size + 8, 0, 0)
        return (b"FORM" + struct.pack(">I", len(body) + size + size % 2) + body, *audio)
    long_sizes = struct.pack("<QQQI", size + 80 + len(layout.format), size, 0, 0)
    body = b"WAVEds64" + struct.pack("<I", len(long_sizes)) + long_sizes
    body += b"fmt " + struct.pack("<I", len(layout.format)) + layout.format
    body += b"\0" * (len(layout.format) % 2)
    body += b"data" + struct.pack("<I", _UNKNOWN_SIZE)
    return (b"RF64" + struct.pack("<I", _UNKNOWN_SIZE) + body, *audio)


def cut_to_frames(audio: list[range], frame_bytes: int) -> list[range]:
    """Leaves out the odd bytes at the end of each range, so that joined ranges stay in step."""
    if frame_bytes == 0:
        return audio
    return [range(part.start, part.stop - len(part) % frame_bytes) for part in audio]
