"""Audio files of every container, taken apart, damaged and put together again."""

import functools
import io
import random
import shutil
import struct
import subprocess
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import soundfile

from tests.fuzz.numbers import damage_bytes, draw_edge


@dataclass(frozen=True)
class Part:
    """A piece of a file: a chunk, a page, a frame, or a tag.

    Attributes:
        data: All of its bytes.
        field: Place, width and byte order of its size field; width 0 where there is none.
        body: Where its content begins.
        audio: Whether it holds samples.
    """

    data: bytes
    field: tuple[int, int, str] = (0, 0, "little")
    body: int = 0
    audio: bool = False


@dataclass(frozen=True)
class Original:
    """A sound file to begin with.

    Attributes:
        name: Container and encoding.
        extension: Extension of its name.
        parts: The file in pieces.
        frames: How many frames it holds.
    """

    name: str
    extension: str
    parts: tuple[Part, ...]
    frames: int

    @property
    def data(self) -> bytes:
        return b"".join(part.data for part in self.parts)


@dataclass(frozen=True)
class Mutant:
    """A damaged file.

    Attributes:
        name: What it was made from, and how.
        extension: Extension of its name.
        data: Its bytes.
        frames: Frames of the original, all of whose audio is still there, or none.
        tolerance: How many of them may be missing: some bytes look like padding.
    """

    name: str
    extension: str
    data: bytes
    frames: int | None
    tolerance: int = 8


FORMATS = (
    *(("wav", "WAV", kind) for kind in ("PCM_U8", "PCM_16", "PCM_24", "PCM_32", "FLOAT", "DOUBLE")),
    *(("wav", "WAVEX", kind) for kind in ("PCM_16", "PCM_24", "FLOAT")),
    *(("wav", "RF64", kind) for kind in ("PCM_16", "PCM_24", "FLOAT")),
    *(("w64", "W64", kind) for kind in ("PCM_16", "PCM_24", "FLOAT")),
    *(("aiff", "AIFF", kind) for kind in ("PCM_S8", "PCM_16", "PCM_24", "FLOAT")),
    *(("caf", "CAF", kind) for kind in ("PCM_16", "PCM_24", "FLOAT", "ALAC_16")),
    *(("flac", "FLAC", kind) for kind in ("PCM_16", "PCM_24")),
    ("ogg", "OGG", "VORBIS"),
    ("opus", "OGG", "OPUS"),
    ("mp3", "MP3", "MPEG_LAYER_III"),
)

EXACT = {extension for extension, _, _ in FORMATS}
"""Extensions of the formats whose length is known to the frame."""


@functools.cache
def make_originals() -> tuple[Original, ...]:
    """One or two sound files of every container and encoding."""
    found = []
    for number, (extension, container, encoding) in enumerate(FORMATS):
        for channels in (1, 2):
            rate = 48000 if encoding == "OPUS" else 22050
            coded = encoding in ("VORBIS", "OPUS", "MPEG_LAYER_III") or container == "FLAC"
            noise = np.random.default_rng(number).standard_normal((12000 if coded else 700, 2))
            file = io.BytesIO()
            soundfile.write(file, 0.1 * noise[:, :channels], rate, encoding, format=container)
            data = clear_time(file.getvalue())
            with soundfile.SoundFile(io.BytesIO(data)) as read:
                frames = len(read.read())
            parts = SPLITTERS.get(extension, split_riff)(data)
            if container == "WAV" and channels == 2:
                parts = [*parts[:2], *DESCRIPTIONS, *parts[2:]]
            name = f"{container} {encoding} {channels}"
            found.append(Original(name, extension, tuple(parts), frames))
    return tuple(found)


FOREIGN = (
    ("m4a", "aac"),
    ("m4a", "alac"),
    ("mp4", "aac"),
    ("aac", "aac"),
    ("wma", "wmav2"),
    ("ac3", "ac3"),
    ("mka", "flac"),
    ("webm", "libopus"),
)
"""Formats that automix reads through ffmpeg, with the encoders that write them."""


@functools.cache
def make_foreign() -> tuple[Original, ...]:
    """Sound files that ffmpeg makes; none where it is not installed."""
    program = shutil.which("ffmpeg")
    if program is None:
        return ()
    found = []
    times = np.arange(24000) / 48000
    with tempfile.TemporaryDirectory() as folder:
        sound = Path(folder, "sound.wav")
        soundfile.write(sound, 0.1 * np.sin(2 * np.pi * 440 * times), 48000)
        for extension, encoder in FOREIGN:
            target = Path(folder, f"{encoder}.{extension}")
            exact = ("-fflags", "+bitexact", "-flags:a", "+bitexact", "-map_metadata", "-1")
            command = (program, "-v", "quiet", "-i", sound, "-c:a", encoder, *exact, target)
            if subprocess.run(command, check=False).returncode == 0:
                data = target.read_bytes()
                parts = split_atoms(data) if extension in ("m4a", "mp4") else split_evenly(data)
                found.append(Original(f"{extension} {encoder}", extension, tuple(parts), 24000))
    return tuple(found)


def split_atoms(data: bytes) -> list[Part]:
    """Takes an MP4 file apart; of atoms that hold others, only the head is a part."""
    parts, start = [], 0
    while start + 8 <= len(data):
        name = data[start + 4 : start + 8]
        nested = name in (b"moov", b"trak", b"mdia", b"minf", b"stbl")
        length = 8 if nested else int.from_bytes(data[start : start + 4], "big")
        end = start + max(length, 8)
        parts.append(Part(data[start:end], (0, 4, "big"), 8, name == b"mdat"))
        start = end
    return parts


def split_evenly(data: bytes) -> list[Part]:
    return [Part(data[at : at + 300], body=8, audio=at > 300) for at in range(0, len(data), 300)]


def clear_time(data: bytes) -> bytes:
    """Clears the time of writing, which a chunk of peaks has."""
    at = data.find(b"PEAK", 0, 200)
    return data if at < 0 else data[: at + 12] + bytes(4) + data[at + 16 :]


def split_chunks(
    data: bytes, start: int, name_width: int, size: str, *, inclusive: bool = False, align: int = 1
) -> list[Part]:
    """Takes a file of chunks apart; ``size`` is the format of their size fields."""
    width, order = struct.calcsize(size), "big" if size[0] == ">" else "little"
    parts = [Part(data[:start])]
    while start + name_width + width <= len(data):
        name = data[start : start + name_width]
        (length,) = struct.unpack_from(size, data, start + name_width)
        length += 0 if inclusive else name_width + width
        end = min(start + -(-length // align) * align, len(data))
        is_audio = name[:4] in (b"data", b"SSND")
        place = (name_width, width, order)
        parts.append(Part(data[start:end], place, name_width + width, is_audio))
        start = end
    return [*parts, Part(data[start:])] if start < len(data) else parts


def split_riff(data: bytes) -> list[Part]:
    parts = split_chunks(data, 12, 4, "<I", align=2)
    if len(parts) > 2 and data[:4] == b"RF64":
        # The size of its data chunk is in ds64, and says 2**32 - 1 itself.
        at = data.index(b"data")
        parts = split_chunks(data[:at], 12, 4, "<I", align=2)
        parts.append(Part(data[at:], (4, 4, "little"), 8, True))
    return [replace(parts[0], field=(4, 4, "little")), *parts[1:]]


def split_w64(data: bytes) -> list[Part]:
    parts = split_chunks(data, 40, 16, "<Q", inclusive=True, align=8)
    return [replace(parts[0], field=(16, 8, "little")), *parts[1:]]


def split_aiff(data: bytes) -> list[Part]:
    parts = split_chunks(data, 12, 4, ">I", align=2)
    return [replace(parts[0], field=(4, 4, "big")), *parts[1:]]


def split_flac(data: bytes) -> list[Part]:
    parts, start, last = [Part(data[:4])], 4, False
    while not last:
        last = bool(data[start] & 0x80)
        end = start + 4 + int.from_bytes(data[start + 1 : start + 4], "big")
        parts.append(Part(data[start:end], (1, 3, "big"), 4))
        start = end
    while start < len(data):
        end = data.find(b"\xff\xf8", start + 6)
        end = len(data) if end < 0 else end
        parts.append(Part(data[start:end], body=4, audio=True))
        start = end
    return parts


def split_ogg(data: bytes) -> list[Part]:
    parts, start = [], 0
    while data[start : start + 4] == b"OggS":
        count = data[start + 26]
        body = 27 + count
        end = start + body + sum(data[start + 27 : start + 27 + count])
        page = bytearray(data[start:end])
        page[14:18] = b"fuzz"  # libsndfile draws this number by chance
        parts.append(Part(seal_page(bytes(page)), (26, 1, "little"), body, len(parts) > 2))
        start = end
    return parts


def split_mp3(data: bytes) -> list[Part]:
    """MPEG-2 and MPEG-1, layer III, as LAME writes it."""
    rates = {
        1: (0, 32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320),
        2: (0, 8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160),
    }
    parts, start = [], 0
    while data[start : start + 1] == b"\xff":
        version = 1 if data[start + 1] & 8 else 2
        hertz = (44100, 48000, 32000)[data[start + 2] >> 2 & 3] // version
        length = 144000 // version * rates[version][data[start + 2] >> 4] // hertz
        length += data[start + 2] >> 1 & 1
        parts.append(Part(data[start : start + length], body=4, audio=bool(parts)))
        start += length
    return [*parts, Part(data[start:])] if start < len(data) else parts


SPLITTERS: dict[str, Callable[[bytes], list[Part]]] = {
    "w64": split_w64,
    "aiff": split_aiff,
    "caf": lambda data: split_chunks(data, 8, 4, ">q"),
    "flac": split_flac,
    "ogg": split_ogg,
    "opus": split_ogg,
    "mp3": split_mp3,
}


def make_crc_table() -> tuple[int, ...]:
    table = []
    for number in range(256):
        value = number << 24
        for _ in range(8):
            value = (value << 1 ^ (0x04C11DB7 if value & 0x80000000 else 0)) & 0xFFFFFFFF
        table.append(value)
    return tuple(table)


CRC_TABLE = make_crc_table()


def seal_page(page: bytes) -> bytes:
    """Puts the checksum of an Ogg page right, so that a decoder looks at what it holds."""
    blank = page[:22] + bytes(4) + page[26:]
    crc = 0
    for byte in blank:
        crc = (crc << 8 & 0xFFFFFFFF) ^ CRC_TABLE[crc >> 24 ^ byte]
    return blank[:22] + struct.pack("<I", crc) + blank[26:]


def make_chunk(name: bytes, content: bytes, order: str = "little") -> bytes:
    padded = content + bytes(len(content) % 2)
    return name + len(content).to_bytes(4, order) + padded


DESCRIPTIONS = tuple(  # as recorders and editors write them before the audio
    Part(make_chunk(name, content), (4, 4, "little"), 8)
    for name, content in (
        (b"LIST", b"INFOINAM" + struct.pack("<I", 6) + b"a song"),
        (b"bext", b"take one".ljust(602, b"\0")),
        (b"iXML", b'<?xml version="1.0"?><BWFXML><TRACK_LIST/></BWFXML>'),
        (b"cue ", struct.pack("<I4sIIII", 1, b"data", 0, 0, 0, 0)),
    )
)


def make_id3(content: bytes) -> bytes:
    size = len(content)
    digits = bytes(size >> shift & 0x7F for shift in (21, 14, 7, 0))
    return b"ID3\x04\0\0" + digits + content


def make_tag(rng: random.Random) -> bytes:
    """What taggers put in front of audio, or behind it."""
    text = b"TIT2\0\0\0\x05\0\0\0name"
    empty = bytes(rng.choice((0, 1, 100, 4000)))
    ape = struct.pack("<8sIIII8s", b"APETAGEX", 2000, 32, 0, 0xA0000000, bytes(8))
    return rng.choice(
        (
            make_id3(text + empty),
            make_id3(text) + make_id3(empty),
            ape,
            b"TAG" + b"name".ljust(125, b"\0"),
            b"LYRICSBEGIN" + b"IND00002" + b"00" + b"000021LYRICS200",
            empty,
        )
    )


def mutate(seed: int, number: int) -> Mutant:
    """Makes the mutant of a number; the same one for the same seed."""
    rng = random.Random(f"{seed} container {number}")
    originals = make_originals()
    if number % 16 == 15:  # where ffmpeg is missing, the other numbers are the same files
        originals = make_foreign() or originals
    original = rng.choice(originals)
    if original.extension in JOINED and rng.random() < 0.15:
        return join(rng, original)
    parts, names, whole = list(original.parts), [], True
    for _ in range(rng.choice((1, 1, 1, 2, 3, 5))):
        change = rng.choice(CHANGES)
        changed = change(rng, parts)
        if changed is not None:
            parts = changed
            names.append(change.__name__)
            whole = whole and change in WHOLE
    if original.extension in ("ogg", "opus") and rng.random() < 0.7:
        parts = [
            replace(part, data=seal_page(part.data)) if len(part.data) > 27 else part
            for part in parts
        ]
    data = b"".join(part.data for part in parts)
    extension = original.extension if rng.random() < 0.9 else rng.choice(("wav", "mp3", "flac"))
    # Encoders of other formats add a delay, which the decoder takes away if it is told of it.
    frames = original.frames if whole and original.extension in EXACT else None
    return Mutant(f"{original.name}: {', '.join(names)}", extension, data, frames)


JOINED = ("mp3", "ogg", "opus")
"""Extensions of files that stay sound files when several are put together."""


def join(rng: random.Random, original: Original) -> Mutant:
    """Puts a file behind itself, as `cat` does with parts of a stream; with tags between."""
    count = rng.choice((2, 2, 3, 5))
    pieces, data = [], original.data
    for number in range(count):
        if original.extension == "mp3":
            pieces.append(rng.choice((b"", make_tag(rng))))
            parts = original.parts[rng.choice((0, 1)) :]  # with its Xing header, or without
            data = b"".join(part.data for part in parts)
        else:
            serial = f"fuz{number}".encode()
            pages = (part.data[:14] + serial + part.data[18:] for part in original.parts)
            data = b"".join(map(seal_page, pages))
        pieces.append(data)
    whole, frames = b"".join(pieces), original.frames
    # Where one ends and the next begins, decoders leave out what encoders added.
    return Mutant(f"{original.name}: join", original.extension, whole, count * frames, frames // 4)


Parts = list[Part]
Change = Callable[[random.Random, Parts], Parts | None]


def pick(rng: random.Random, parts: Parts, fits: Callable[[Part], bool]) -> int | None:
    places = [place for place, part in enumerate(parts) if fits(part)]
    return rng.choice(places) if places else None


def set_size(rng: random.Random, parts: Parts) -> Parts | None:
    place = pick(rng, parts, lambda part: part.field[1] > 0)
    if place is None:
        return None
    part = parts[place]
    at, width, order = part.field
    present = int.from_bytes(part.data[at : at + width], order)
    value = draw_edge(rng, width, present, sum(len(part.data) for part in parts))
    data = part.data[:at] + value.to_bytes(width, order) + part.data[at + width :]
    return [*parts[:place], replace(part, data=data), *parts[place + 1 :]]


def set_field(rng: random.Random, parts: Parts) -> Parts | None:
    place = pick(rng, parts, lambda part: len(part.data) > part.body)
    if place is None:
        return None
    part = parts[place]
    width = rng.choice((1, 2, 2, 4, 4, 8))
    reach = min(len(part.data) - part.body, 16 if part.audio else 64)
    at = part.body + rng.randrange(reach) // min(width, 4) * min(width, 4)
    present = int.from_bytes(part.data[at : at + width], part.field[2])
    value = draw_edge(rng, width, present, sum(len(part.data) for part in parts))
    data = part.data[:at] + value.to_bytes(width, part.field[2]) + part.data[at + width :]
    return [*parts[:place], replace(part, data=data), *parts[place + 1 :]]


def set_head(rng: random.Random, parts: Parts) -> Parts | None:
    """Changes the head of a part, where its name, its size and its flags are."""
    place = rng.randrange(len(parts))
    part = parts[place]
    head = damage_bytes(rng, part.data[: part.body or 4])
    return [
        *parts[:place],
        replace(part, data=head + part.data[part.body or 4 :]),
        *parts[place + 1 :],
    ]


def drop(rng: random.Random, parts: Parts) -> Parts | None:
    place = rng.randrange(len(parts))
    return parts[:place] + parts[place + 1 :]


def double(rng: random.Random, parts: Parts) -> Parts | None:
    place = rng.randrange(len(parts))
    return parts[: place + 1] * rng.choice((1, 1, 2)) + parts[place:]


def swap(rng: random.Random, parts: Parts) -> Parts | None:
    one, other = rng.randrange(len(parts)), rng.randrange(len(parts))
    changed = list(parts)
    changed[one], changed[other] = changed[other], changed[one]
    return changed


def cut(rng: random.Random, parts: Parts) -> Parts | None:
    data = b"".join(part.data for part in parts)
    return resplit(data[: rng.randrange(len(data))], parts) if data else None


def cut_part(rng: random.Random, parts: Parts) -> Parts | None:
    place = rng.randrange(len(parts))
    part = parts[place]
    data = part.data[: rng.randrange(len(part.data) + 1)]
    return [*parts[:place], replace(part, data=data), *parts[place + 1 :]]


def empty_part(rng: random.Random, parts: Parts) -> Parts | None:
    place = rng.randrange(len(parts))
    part = parts[place]
    return [*parts[:place], replace(part, data=part.data[: part.body]), *parts[place + 1 :]]


def append(rng: random.Random, parts: Parts) -> Parts | None:
    """Puts something behind the end that is no audio of this file."""
    junk = rng.choice((rng.randbytes(1), rng.randbytes(3), rng.randbytes(3000), bytes(513)))
    return [*parts, Part(rng.choice((junk, make_tag(rng))))]


def append_file(rng: random.Random, parts: Parts) -> Parts | None:
    """Puts another file behind the end, or the same one again."""
    more = rng.choice((tuple(parts), rng.choice(make_originals()).parts))
    return [*parts, *more]


def put_in_front(rng: random.Random, parts: Parts) -> Parts | None:
    return [Part(make_tag(rng)), *parts]


def insert_chunk(rng: random.Random, parts: Parts) -> Parts | None:
    """Puts a chunk between others that no reader has to know."""
    order = next((part.field[2] for part in parts if part.field[1]), "little")
    width = next((part.field[1] for part in parts[1:] if part.field[1]), 0)
    if width not in (4, 8) or len(parts) < 2:
        return None
    content = bytes(rng.choice((0, 1, 2, 100, 70000)))
    if width == 4:
        chunk = make_chunk(b"junk", content, order)
    elif order == "big":
        chunk = b"free" + len(content).to_bytes(8, order) + content
    else:
        content = content + bytes(-len(content) % 8)
        chunk = rng.randbytes(16) + (24 + len(content)).to_bytes(8, order) + content
    place = rng.randrange(1, len(parts) + 1)
    return [*parts[:place], Part(chunk), *parts[place:]]


def transplant(rng: random.Random, parts: Parts) -> Parts | None:
    """Takes a part from another file."""
    other = rng.choice(rng.choice(make_originals()).parts)
    place = rng.randrange(len(parts))
    return [*parts[:place], other, *parts[place + rng.choice((0, 1)) :]]


def damage(rng: random.Random, parts: Parts) -> Parts | None:
    return resplit(damage_bytes(rng, b"".join(part.data for part in parts)), parts)


def resplit(data: bytes, parts: Sequence[Part]) -> Parts:
    """Lays the old pieces over new bytes, as far as they go."""
    found, start = [], 0
    for part in parts:
        found.append(replace(part, data=data[start : start + len(part.data)]))
        start += len(part.data)
    found.append(Part(data[start:]))
    return [part for part in found if part.data] or [Part(b"")]


CHANGES: tuple[Change, ...] = (
    *(set_size, set_size, set_size, set_field, set_field, set_field, set_head, drop, double, swap),
    *(cut, cut_part, empty_part, append, append_file, put_in_front, put_in_front, insert_chunk),
    *(transplant, damage, damage, damage),
)
WHOLE = (set_size, put_in_front, append, insert_chunk)
"""Changes that leave all of the audio in the file."""
