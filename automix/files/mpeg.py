"""The frame structure of MPEG audio (MP3): how many frames there are, and how many there should be.

Decoders stop where they do not understand a file, estimate lengths by the first frame, or believe a
tag that speaks of a part of the file alone. Walking the frame headers finds every frame.

Sources: ISO/IEC 11172-3 section 2.4.1.3, ISO/IEC 13818-3; the Xing/Info tag as LAME writes it; the
VBRI tag of Fraunhofer IIS; ID3v1, ID3v2.4, APEv2, Lyrics3.
"""

import functools
import re
import struct
from dataclasses import dataclass, field

from automix.files.view import Gap, Recording, View, Window

_BITRATES_KBPS = {  # (MPEG 1?, layer) -> by index 1…14
    (True, 1): (32, 64, 96, 128, 160, 192, 224, 256, 288, 320, 352, 384, 416, 448),
    (True, 2): (32, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320, 384),
    (True, 3): (32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320),
    (False, 1): (32, 48, 56, 64, 80, 96, 112, 128, 144, 160, 176, 192, 224, 256),
    (False, 2): (8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160),
    (False, 3): (8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160),
}
_RATES_HZ = (44100, 48000, 32000)
_HEADER = re.compile(rb"\xff[\xe2-\xe7\xf2-\xff][\x10-\xeb]")
_MOST_FOREIGN_BYTES = 1 << 24
USUAL_DELAY_FRAMES = 1105
"""Delay of the encoder LAME, 576 frames, with the 529 of every decoder (LAME, tech FAQ)."""

_SURE_FRAMES = 4
"""Frames of one format in a row that are no coincidence, where anything may precede them."""


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

    @property
    def kind(self) -> tuple[int, int, int, int]:
        """What all frames of a stream have in common."""
        return self.version, self.layer, self.sample_rate, self.channels

    @property
    def tag_offset(self) -> int:
        """Position of a Xing or Info tag in the frame: behind the side information."""
        if self.version == 3:
            return 36 if self.channels == 2 else 21
        return 21 if self.channels == 2 else 13


@dataclass(frozen=True)
class XingTag:
    """The Xing, Info or VBRI tag, which describes a stream in place of its first frame.

    Attributes:
        frame: All bytes of the frame that holds the tag.
        at: Position of the tag in the frame; none for VBRI, which decoders do not know.
        flags: Bit 0 says that the frame count is given, bit 1 that the size in bytes is.
        frames: Number of frames that the tag claims.
    """

    frame: bytes
    at: int | None
    flags: int
    frames: int

    @property
    def tells_delay(self) -> bool:
        """Whether the encoder has written its delay behind the tag, as LAME does."""
        if self.at is None:
            return False
        extension = self.at + 8
        for bit, length in ((1, 4), (2, 4), (4, 100), (8, 4)):
            extension += length if self.flags & bit else 0
        return any(self.frame[extension + 21 : extension + 24])

    @property
    def size(self) -> int | None:
        """Bytes of the stream with the tag's frame that the tag claims; none if it does not."""
        if self.at is None or not self.flags & 2:
            return None
        return int.from_bytes(self.frame[self.at + 12 : self.at + 16])

    def correct(self, frames: int, size: int) -> bytes:
        """Writes the frame of the tag anew for a stream of ``frames`` frames, ``size`` bytes.

        Where their number was wrong, the encoder's padding belongs to an end that is not there, so
        that nothing is trimmed there.
        """
        if self.at is None:
            return b""
        corrected = bytearray(self.frame)
        extension = self.at + 12
        if self.flags & 2:
            struct.pack_into(">I", corrected, self.at + 12, size)
        if frames == self.frames:
            return bytes(corrected)
        struct.pack_into(">I", corrected, self.at + 8, frames)
        for bit, length in ((2, 4), (4, 100), (8, 4)):
            extension += length if self.flags & bit else 0
        if len(corrected) >= extension + 24:  # twelve bits of delay, twelve of padding
            corrected[extension + 22] &= 0xF0
            corrected[extension + 23] = 0
        return bytes(corrected)


@dataclass
class MpegPart:
    """A run of frames of one format, as one encoder wrote it.

    Attributes:
        first: The first frame.
        tag: The Xing, Info or VBRI tag, or none.
        ranges: Where its whole frames lie in the file; the tag's frame is not among them.
        frames: Number of whole audio frames.
        breaks_off: Whether the last frame is incomplete.
        borrows: Whether its first frame needs bits of one before it: then it was cut out.
    """

    first: Frame
    tag: XingTag | None = None
    ranges: list[range] = field(default_factory=list)
    frames: int = 0
    breaks_off: bool = False
    borrows: bool = False

    @property
    def untold_delay(self) -> int:
        """Frames that the encoder has most likely put before its audio without saying so, or 0."""
        if self.first.layer != 3 or self.borrows or (self.tag and self.tag.tells_delay):
            return 0
        is_longer = self.frames * self.first.samples > 2 * USUAL_DELAY_FRAMES
        return USUAL_DELAY_FRAMES if is_longer else 0

    def add(self, position: int, length: int) -> None:
        """Adds a whole frame."""
        if self.ranges and self.ranges[-1].stop == position:
            self.ranges[-1] = range(self.ranges[-1].start, position + length)
        else:
            self.ranges.append(range(position, position + length))
        self.frames += 1

    def drop_last(self, length: int) -> None:
        """Takes the last frame back, which turned out to be incomplete."""
        last = self.ranges.pop()
        if len(last) > length:
            self.ranges.append(range(last.start, last.stop - length))
        self.frames -= 1

    @property
    def seconds(self) -> float:
        """Duration of the frames that are there."""
        return self.to_seconds(self.frames)

    def to_seconds(self, frames: int) -> float:
        """Duration of a number of frames."""
        return frames * self.first.samples / self.first.sample_rate

    @property
    def size(self) -> int:
        """Bytes of the frames that are there, with the tag's."""
        return sum(map(len, self.ranges)) + (len(self.tag.frame) if self.tag else 0)

    @property
    def claimed_frames(self) -> int | None:
        """Number of audio frames that the tag promises, none where nothing is promised."""
        return self.tag.frames if self.tag is not None and self.tag.flags & 1 else None

    @property
    def missing_frames(self) -> int:
        """Number of frames promised but absent, negative for frames not spoken of.

        One absent frame is forgiven at a whole end: encoders disagree on whether the tag's frame
        counts.
        """
        if self.claimed_frames is None:
            return 0
        missing = self.claimed_frames - self.frames
        return 0 if missing == 1 and not self.breaks_off else missing

    @property
    def is_cut(self) -> bool:
        """Whether the end is missing: by the tag's count where it has one, else by the last frame.

        A tag whose size is that of the file contradicts itself; then nothing is missing.
        """
        if self.claimed_frames is None:
            return self.breaks_off
        whole_by_size = self.tag is not None and self.tag.size == self.size
        return self.missing_frames > 0 and not (whole_by_size and not self.breaks_off)

    def make_recording(self) -> Recording:
        """Makes the stream that shows a decoder all frames and nothing else."""
        tag = self.tag
        if tag is not None and tag.at is not None and self.claimed_frames is not None:
            frames = self.frames if self.missing_frames else tag.frames
            return Recording(view=(tag.correct(frames, self.size), *self.ranges))
        # the decoder estimates the length by the first frame and the size, and looks for an ID3v1
        # tag at the end: it is led beyond the true end
        beyond: View = (Gap(self.first.length * (self.frames + 16)), bytes(128))
        return Recording(view=(*self.ranges, *beyond), frames=self.frames * self.first.samples)


@dataclass(frozen=True)
class Foreign:
    """Bytes among the frames that are neither frames nor a known kind of tag.

    Attributes:
        size: Number of bytes.
        at_s: Duration of the audio before them, in seconds.
    """

    size: int
    at_s: float


@dataclass(frozen=True)
class MpegScan:
    """What walking over a whole file found.

    Attributes:
        parts: The runs of frames, in order.
        foreign: Bytes that are no audio.
    """

    parts: tuple[MpegPart, ...]
    foreign: tuple[Foreign, ...]

    @property
    def is_whole(self) -> bool:
        """Whether there is one run of whole frames, as many as its tag says if it has one."""
        if len(self.parts) != 1 or self.foreign:
            return False
        (part,) = self.parts
        return not part.breaks_off and part.claimed_frames in (None, part.frames)

    def is_plain(self, start: int, size: int) -> bool:
        """Tells whether a decoder reads all of a file as it is, and without complaining.

        Args:
            start: Bytes of the tag in front.
            size: Bytes in the file.
        """
        if len(self.parts) != 1:
            return False
        (part,) = self.parts
        tag = part.tag
        return (
            len(part.ranges) == 1
            and tag is not None
            and tag.at is not None
            and part.claimed_frames is not None
            and part.missing_frames == 0
            and 100 * (size - start - part.size) < size
            and 100 * abs((tag.size or part.size) - part.size) < size
            and part.ranges[0].start == start + len(tag.frame)
        )


@functools.lru_cache(maxsize=1024)
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
    """Measures the tag that ``head`` starts with, in bytes; 0 without one.

    Args:
        head: At least 32 bytes, or all to the end of the file. Known are ID3v2, ID3v1 (with its
            extension), APE and Lyrics3 tags.
    """
    if head.startswith((b"ID3", b"3DI")) and len(head) >= 10 and max(head[6:10]) < 0x80:
        size = 0
        for byte in head[6:10]:
            size = size << 7 | byte
        if head.startswith(b"3DI"):  # the footer of a tag that was left out
            return 10
        return 10 + size + (10 if head[5] & 0x10 else 0)
    if head.startswith(b"APETAGEX") and len(head) >= 32:
        size, _, flags = struct.unpack_from("<III", head, 12)
        is_header = flags & 0x20000000
        return 32 + size if is_header else 32
    if head.startswith(b"TAG+"):
        return 227
    return 128 if head.startswith(b"TAG") else 0


def measure_lyrics(window: Window, position: int) -> int:
    """Measures the Lyrics3 tag at a position of a file, in bytes; 0 without one."""
    if window.peek(position, 11) != b"LYRICSBEGIN":
        return 0
    stop = min(position + (1 << 20), window.size)
    for end in (b"LYRICS200", b"LYRICSEND"):
        at = window.find(end, position, stop)
        if at >= 0:
            return at + len(end) - position
    return 0


def count_run(window: Window, position: int, wanted: int) -> int:
    """Counts frames of one format that follow each other from a position on.

    Args:
        window: The file.
        position: Where the first frame begins.
        wanted: Largest number to count.

    Returns:
        The number found; ``wanted`` as well where at least two frames end exactly with the file.
    """
    kind = None
    for number in range(wanted):
        if number >= 2 and position == window.size:
            return wanted
        frame = read_frame(window.peek(position, 4))
        if frame is None or kind not in (None, frame.kind):
            return number
        kind = frame.kind
        position += frame.length
    return wanted


def find_run(window: Window, position: int, stop: int) -> int | None:
    """Finds where a run of frames begins that is no coincidence, from ``position`` to ``stop``."""
    while (position := window.search(_HEADER, 3, position, stop)) >= 0:
        if count_run(window, position, _SURE_FRAMES) == _SURE_FRAMES:
            return position
        position += 1
    return None


def walk_frames(descriptor: int, offset: int, size: int) -> MpegScan:
    """Finds every frame from ``offset`` to the end of the file.

    Args:
        descriptor: File open for reading.
        offset: Position from which to look, in bytes.
        size: Bytes in the file.

    Raises:
        OSError: The file cannot be read.
    """
    window = Window(descriptor, size)
    parts: list[MpegPart] = []
    foreign: list[Foreign] = []
    part: MpegPart | None = None
    position, last_length = offset, 0
    while position < size:
        frame = read_frame(window.peek(position, 4))
        if frame is not None and (part is None or frame.kind != part.first.kind):
            is_run = count_run(window, position, 2 if part is None else _SURE_FRAMES)
            frame = frame if is_run >= 2 and (part is None or is_run == _SURE_FRAMES) else None
        if frame is not None:
            if position + frame.length > size:
                if part is not None:
                    part.breaks_off = True
                break
            tag = _read_tag(window, position, frame)
            if part is None or tag is not None or frame.kind != part.first.kind:
                part = MpegPart(frame, tag)
                parts.append(part)
            if tag is None:
                if part.frames == 0:
                    part.borrows = _needs_earlier_frame(window, position, frame)
                part.add(position, frame.length)
            position, last_length = position + frame.length, 0 if tag else frame.length
            continue
        tag_size = _measure_silent(window, position)
        if tag_size:
            position, last_length = position + tag_size, 0
            continue
        within = position - last_length + 1  # the last frame may have been cut by what follows
        last = min(size, position + _MOST_FOREIGN_BYTES - sum(each.size for each in foreign))
        found = find_run(window, within if last_length else position + 1, last)
        if found is not None and found < position and part is not None:
            part.drop_last(last_length)
            part.breaks_off = True
            position -= last_length
        stop = size if found is None else found
        foreign.append(Foreign(stop - position, sum(each.seconds for each in parts)))
        position, last_length = stop, 0
    return MpegScan(tuple(each for each in parts if each.frames), tuple(foreign))


def _measure_silent(window: Window, position: int) -> int:
    """Measures what lies between frames without meaning a loss: a tag, or zeros."""
    head = window.peek(position, 32)
    if size := measure_tag(head) or measure_lyrics(window, position):
        return size
    zeros = len(head) - len(head.lstrip(b"\0"))
    if zeros == len(head):
        head = window.peek(position, 1 << 16)
        zeros = len(head) - len(head.lstrip(b"\0"))
    return zeros if zeros == len(head) or zeros > 3 else 0


def _needs_earlier_frame(window: Window, position: int, frame: Frame) -> bool:
    """Whether the data of a frame begin in one before it (``main_data_begin``, section 2.4.1.7)."""
    head = window.peek(position, 8)
    if frame.layer != 3 or len(head) < 8:
        return False
    at = 4 if head[1] & 1 else 6  # behind a checksum, if there is one
    begin = head[at] << 1 | head[at + 1] >> 7 if frame.version == 3 else head[at]
    return begin > 0


def _read_tag(window: Window, position: int, frame: Frame) -> XingTag | None:
    if frame.layer != 3:
        return None
    head = window.peek(position, 52)
    at = frame.tag_offset
    for place in (at, at + 2):  # behind a checksum, if there is one
        if head[place : place + 4] in (b"Xing", b"Info"):
            whole = window.peek(position, frame.length)
            if len(whole) >= place + 16:
                return XingTag(whole, place, *struct.unpack_from(">II", whole, place + 4))
    if head[36:40] == b"VBRI" and frame.length >= 54:
        whole = window.peek(position, frame.length)
        (frames,) = struct.unpack_from(">I", whole, 50)
        return XingTag(whole, None, 1, frames)
    return None
