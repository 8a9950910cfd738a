"""Finds out what an audio file holds without decoding it."""

import functools
import os
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
import soundfile

from automix.audio.downmix import find_speaker_order, name_layout
from automix.audio.samples import BLOCK_FRAMES
from automix.errors import InputError
from automix.files import flac, mpeg, ogg
from automix.files.chunks import ChunkLayout, begins_file, cut_to_frames, make_view, read_layout
from automix.files.extensions import EXTENSIONS
from automix.files.ffmpeg import ForeignAudio, describe_unreadable, list_streams
from automix.files.foreign import FOREIGN
from automix.files.info import AudioInfo, ReadOptions
from automix.files.names import printable
from automix.files.opening import (
    CONVERT,
    LABELS,
    UNKNOWN_FRAMES,
    open_decoder,
    read_frames,
    sniff,
)
from automix.files.regular import Signature, identify, open_regular_file
from automix.files.speakers import (
    AMBISONIC,
    ChannelMap,
    find_ambisonic_word,
    read_mask,
    read_opus_mapping,
)
from automix.files.view import Recording, View, skip_bytes

MIN_SAMPLE_RATE = 8000
MAX_SAMPLE_RATE = 192000

_LEAST_BYTES_PER_S = 4000  # of coded audio that does not tell its length

_SUBTYPES = {  # libsndfile's name -> bytes per sample (0 for coded audio), depth that holds it
    "PCM_U8": (1, "16"),
    "PCM_S8": (1, "16"),
    "PCM_16": (2, "16"),
    "PCM_24": (3, "24"),
    "PCM_32": (4, "24"),
    "FLOAT": (4, "32f"),
    "DOUBLE": (8, "32f"),
    "ULAW": (1, "16"),
    "ALAW": (1, "16"),
    "ALAC_16": (0, "16"),
    "ALAC_20": (0, "24"),
    "ALAC_24": (0, "24"),
    "ALAC_32": (0, "24"),
    "VORBIS": (0, "16"),
    "OPUS": (0, "16"),
    "MPEG_LAYER_I": (0, "16"),
    "MPEG_LAYER_II": (0, "16"),
    "MPEG_LAYER_III": (0, "16"),
}
_CODED_CONTAINERS = {"VORBIS": "ogg", "OPUS": "ogg", "MPEG_LAYER_III": "mp3"}


@dataclass(frozen=True, kw_only=True)
class Inspected:
    """All that decoding a file needs to know.

    Attributes:
        info: Format and length of the audio.
        signature: State of the file at the time; the rest is true of that state only.
        order: Speakers in channel order of a file to be mixed down, none for mono and stereo.
        recordings: What decoders read, one after the other; several where files were joined.
        frame_bytes: Size of a frame of audio in the file, 0 if it is coded or in several parts.
        foreign: The audio of a file that only ffmpeg decodes, else none.
    """

    info: AudioInfo
    signature: Signature
    order: tuple[str, ...] | None
    recordings: tuple[Recording, ...]
    frame_bytes: int
    foreign: ForeignAudio | None = None

    @property
    def is_exact(self) -> bool:
        """Whether the length is known without decoding and no sample can be NaN."""
        return self.frame_bytes > 0 and self.info.bits != "32f"


@dataclass
class _Findings:
    """Collects notes and what there is to decode while a file is inspected."""

    name: str
    options: ReadOptions
    notes: list[str] = field(default_factory=list)
    recordings: list[Recording] = field(default_factory=list)
    channel_map: ChannelMap = ChannelMap()
    is_nameless: bool = False
    time_stamp: int | None = None
    ambisonic_word: str | None = None
    layouts: list[ChunkLayout] = field(default_factory=list)

    def note_contradiction(self, message: str) -> None:
        """Notes that header and file disagree; raises an `InputError` when strict."""
        if self.options.strict:
            raise InputError(describe_contradiction(self.name, message))
        self.notes.append(message)

    def note_truncation(self, message: str) -> None:
        """Notes that the end is missing; raises an `InputError` unless that is allowed."""
        if not self.options.allow_truncated:
            raise InputError(describe_truncation(self.name, message))
        self.notes.append(message)


def describe_contradiction(name: str, message: str) -> str:
    """Writes the message for a file whose header and content disagree."""
    return f"{name}: {message}; export it again, or leave out --strict to use it"


def describe_truncation(name: str, message: str) -> str:
    """Writes the message for a file whose end is missing."""
    return f"{name}: {message}; fetch it again, or use what is there with --allow-truncated"


def probe(
    path: str | os.PathLike[str],
    options: ReadOptions | None = None,
    *,
    separate: bool = False,
    stream_number: int | None = None,
) -> AudioInfo:
    """Finds out what a file holds: by its content, not its name, and without trusting its header.

    Args:
        path: The file.
        options: Faults that are put up with; none unless given.
        separate: Whether its channels are tracks of their own, not speakers.
        stream_number: Stream of audio in a file of several, from 1; none for the first.

    Raises:
        InputError: The file cannot be read or holds no usable audio; names it and the remedy.
    """
    path = Path(path)
    options = options or ReadOptions()
    with open_regular_file(path) as descriptor:
        return inspect(
            path,
            descriptor,
            options,
            stream_number=stream_number,
            separate=separate,
            try_end=True,
        ).info


def inspect(
    path: Path,
    descriptor: int,
    options: ReadOptions,
    *,
    stream_number: int | None = None,
    separate: bool = False,
    try_end: bool = False,
) -> Inspected:
    """Does what `probe` does, for a file that is open.

    Args:
        path: Name that the file was opened by.
        descriptor: File open for reading.
        options: Faults that are put up with.
        stream_number: Stream of audio in a file of several, from 1; none for the first.
        try_end: Whether to look for the last frame of coded audio, which takes a seek.
        separate: Whether its channels are tracks of their own, not speakers.

    Raises:
        InputError: The file cannot be read or holds no usable audio; names it and the remedy.
    """
    status = os.fstat(descriptor)
    found = _Findings(printable(path), options)
    sniffed = sniff(descriptor, found.name, status.st_size)
    container = sniffed.container
    if path.suffix and path.suffix.lower() not in EXTENSIONS[container]:
        found.notes.append(f"named {printable(path.suffix)}, but holds {LABELS[container]}")
    if container in FOREIGN:
        return _inspect_foreign(
            path, descriptor, container, found, number=stream_number, separate=separate
        )
    if sniffed.foreign_bytes:
        found.note_contradiction(
            f"{sniffed.foreign_bytes} bytes in front of its audio are left out"
        )
    check = {"ogg": _check_ogg, "mp3": _check_mpeg, "flac": _check_flac}.get(container)
    if check is None:
        _check_chunks(descriptor, container, sniffed.start, status.st_size, found)
    else:
        check(_Content(identify(status), sniffed.start, descriptor), found)
    found.ambisonic_word = find_ambisonic_word(path.stem) or found.ambisonic_word
    if path.suffix.lower() == ".amb":
        found.ambisonic_word = path.suffix
    first, *others = found.recordings
    with open_decoder(descriptor, found.name, container, first.view) as file:
        channels, order = _check_format(file, found, container, separate)
        sample_rate, subtype = file.samplerate, file.subtype
        _check_length(file, found, 0)
        frames = _measure(file, first, container, found, try_end)
    recordings = [first]
    for number, recording in enumerate(others, 1):
        with open_decoder(descriptor, found.name, container, recording.view) as file:
            more = _measure(file, recording, container, found, try_end)
            if (file.samplerate, file.channels) == (sample_rate, channels):
                _check_length(file, found, number)
                frames += more
                recordings.append(recording)
            else:
                found.note_contradiction(
                    f"{more / file.samplerate:.1f} s of another format ({file.samplerate} Hz, "
                    f"{file.channels} channel(s)) follow and are left out"
                )
    if frames <= 0:
        raise InputError(f"{found.name}: holds no audio; export it again")
    if len(recordings) > 1:
        found.notes.append(f"holds {len(recordings)} recordings one after another: all are read")
    is_one = bool(found.layouts) and len(recordings) == 1
    info = AudioInfo(
        path=path,
        container=container,
        subtype=subtype,
        bits=_SUBTYPES[subtype][1],
        sample_rate=sample_rate,
        channels=channels,
        frames=frames,
        notes=tuple(dict.fromkeys(found.notes)),
        time_stamp=found.time_stamp,
    )
    return Inspected(
        info=info,
        signature=identify(status),
        order=order,
        recordings=tuple(recordings),
        frame_bytes=_SUBTYPES[subtype][0] * channels if is_one else 0,
    )


def _inspect_foreign(
    path: Path,
    descriptor: int,
    container: str,
    found: _Findings,
    *,
    number: int | None,
    separate: bool,
) -> Inspected:
    """Does what `inspect` does, for a format that libsndfile does not read."""
    status = os.fstat(descriptor)
    streams = list_streams(descriptor, found.name, container)
    if number is None:
        number = next(n for n, stream in enumerate(streams, 1) if stream is not None)
        if len(streams) > 1:
            used = "the first" if number == 1 else f"number {number}"
            found.notes.append(f"holds {len(streams)} streams of audio: {used} is used")
    if number > len(streams):
        raise InputError(
            f"{found.name}: has no stream of audio {number}: there are {len(streams)}; correct it"
        )
    stream = streams[number - 1]
    if stream is None:
        unreadable = describe_unreadable(container, f"stream of audio {number}")
        raise InputError(f"{found.name}: {unreadable}")
    found.notes.extend(stream.notes)
    _check_sample_rate(stream.sample_rate, found.name)
    order = stream.speakers if stream.channels > 2 and not separate else None
    if order is not None and len(order) != stream.channels:
        raise InputError(
            f"{found.name}: has {stream.channels} channels of which it does not tell 4.0, 5.0 or "
            f"5.1: export it as mono, stereo or one of them, {_LIST_CHANNELS}"
        )
    if order is not None:
        found.notes.append(f"{name_layout(order)} surround mixed down to stereo (ITU-R BS.775)")
    guessed = status.st_size * stream.sample_rate // _LEAST_BYTES_PER_S
    info = AudioInfo(
        path=path,
        container=container,
        subtype=stream.codec.upper(),
        bits=stream.bits,
        sample_rate=stream.sample_rate,
        channels=stream.channels,
        frames=stream.start + (stream.frames or max(guessed, 1)),
        notes=tuple(found.notes),
    )
    foreign = ForeignAudio(found.name, container, stream)
    return Inspected(
        info=info,
        signature=identify(status),
        order=order,
        recordings=(),
        frame_bytes=0,
        foreign=foreign,
    )


_LIST_CHANNELS = (
    "or list its channels as tracks in a session file ([[tracks]] with `file`, `name` and"
    " `channel = 1`, and so on)"
)


def _measure(
    file: soundfile.SoundFile, recording: Recording, container: str, found: _Findings, try_end: bool
) -> int:
    """Measures a recording in frames, by its decoder or better knowledge."""
    if recording.frames is not None:
        return max(recording.frames - recording.skip, 0)
    if file.frames >= UNKNOWN_FRAMES:
        found.notes.append("its header gives no length: a missing end would go unnoticed")
        return _count_frames(file) if try_end else 1
    if try_end and container == "flac":
        _check_last_frame(file, found)
    return max(int(file.frames) - recording.skip, 0)


def _check_chunks(descriptor: int, container: str, start: int, size: int, found: _Findings) -> None:
    """Reads the chunks; shows the decoder a true header where the file's own misleads it."""
    position: int | None = start
    while position is not None:
        here = begins_file(os.pread(descriptor, 64, position)) or container
        try:
            layout = read_layout(descriptor, here, position, size)
        except InputError as error:
            if found.layouts:
                found.note_contradiction(f"another file follows, which is left out: {error}")
                return
            raise InputError(f"{found.name}: {error}; export it again or {CONVERT}") from error
        if layout is None:
            if found.layouts:
                found.note_contradiction("another file follows, which holds no audio")
                return
            raise InputError(
                f"{found.name}: holds a header but no audio; export or download it again"
            )
        _check_sample_rate(layout.sample_rate, found.name)
        _check_channels(layout.channels, found.name)
        _check_claims(layout, found)
        found.recordings.append(_make_recording(descriptor, layout, here, position, size))
        found.layouts.append(layout)
        position = layout.next_file
    first = found.layouts[0]
    found.channel_map, found.time_stamp = first.channel_map, first.time_stamp
    found.is_nameless = True
    found.ambisonic_word = first.marks_ambisonics


def _check_claims(layout: ChunkLayout, found: _Findings) -> None:
    """Compares the claims of a header with each other and with what lies behind its audio."""
    if layout.block_bytes not in (None, layout.frame_bytes):
        found.note_contradiction(
            f"its header speaks of {layout.block_bytes} bytes per frame, but of samples that make "
            f"{layout.frame_bytes}: the latter are read"
        )
    if len(layout.audio) > 1:
        found.notes.append(f"its audio lies in {len(layout.audio)} chunks: all are read")
    unclaimed = len(layout.unclaimed)
    if layout.claimed_bytes == 0 and unclaimed:
        message = f"its header claims no audio, but {unclaimed} bytes follow"
        if not found.options.repair:
            raise InputError(f"{found.name}: no audio: {message}; --repair reads them")
        found.notes.append(f"{message}: read as audio")
        layout.audio = [layout.unclaimed]
    elif unclaimed:
        amount = f"{unclaimed} bytes"
        if layout.frame_bytes and layout.sample_rate:
            amount = f"{unclaimed / layout.frame_bytes / layout.sample_rate:.1f} s"
        if found.options.repair:
            found.notes.append(f"{amount} more follow than its header claims: read as audio")
            layout.audio.append(layout.unclaimed)
        else:
            found.note_contradiction(
                f"{amount} more follow than its header claims, and are left out (--repair reads"
                " them)"
            )


def _make_recording(
    descriptor: int, layout: ChunkLayout, container: str, start: int, size: int
) -> Recording:
    """Makes the stream of a chunked file: the file as it is, if that says what is true."""
    is_true = (
        len(layout.audio) == 1
        and layout.claimed_bytes == layout.present_bytes
        and not layout.unclaimed
        and not layout.is_open
        and not layout.is_early
        and not layout.is_wide
        and not layout.offset_bytes
        and layout.next_file is None
        and os.pread(descriptor, 4, start) != b"BW64"
    )
    stop = size if layout.next_file is None else layout.next_file
    plain = skip_bytes(start, size) if stop == size else (range(start, stop),)
    if not layout.frame_bytes or is_true and _is_understood(descriptor, layout, container, plain):
        return Recording(view=plain)
    audio = cut_to_frames(layout.audio, layout.frame_bytes)
    return Recording(view=make_view(layout, container, audio))


def _is_understood(descriptor: int, layout: ChunkLayout, container: str, view: View) -> bool:
    """Tells whether the decoder finds all of the audio by itself, among whatever chunks."""
    try:
        with open_decoder(descriptor, "", container, view) as file:
            return bool(file.frames == layout.present_bytes // layout.frame_bytes)
    except InputError:
        return False


@dataclass(frozen=True)
class _Content:
    """An open file in a certain state: what was found out about it once holds as long."""

    signature: Signature
    start: int
    descriptor: int = field(compare=False)

    @property
    def size(self) -> int:
        """Bytes in the file."""
        return self.signature[2]


@functools.lru_cache(maxsize=256)
def _scan(walk: Callable[[int, int, int], Any], content: _Content) -> Any:
    """Walks over a file from its start: once for those who probe a file and then decode it."""
    return walk(content.descriptor, content.start, content.size)


def _check_mpeg(content: _Content, found: _Findings) -> None:
    scan: mpeg.MpegScan = _scan(mpeg.walk_frames, content)
    if not scan.parts:
        raise InputError(f"{found.name}: holds no audio; export it again")
    for part in scan.parts:
        claimed_s = part.to_seconds(abs(part.missing_frames))
        if part.is_cut:
            missing = f"its last {claimed_s:.1f} s are missing"
            if not claimed_s:
                missing = "it ends in the middle of a frame"
            found.note_truncation(f"cut off: {missing}")
        elif part.missing_frames:
            than = "more" if part.missing_frames > 0 else "less"
            found.note_contradiction(f"its header claims {claimed_s:.1f} s {than} than there is")
    if scan.foreign:
        total, at_s = sum(each.size for each in scan.foreign), scan.foreign[0].at_s
        found.note_contradiction(
            f"{total} bytes hold no audio that can be read, the first at {at_s:.1f} s"
        )
    head = os.pread(content.descriptor, 64, 0)
    tag = mpeg.measure_tag(head) if head.startswith(b"ID3") else 0
    if scan.is_plain(tag, content.size):
        recordings = [Recording()]
    else:
        recordings = [part.make_recording() for part in scan.parts]
    for part, recording in zip(scan.parts, recordings, strict=True):
        found.recordings.append(replace(recording, skip=part.untold_delay))
    if any(recording.skip for recording in found.recordings):
        found.notes.append(
            "does not tell the delay of its MP3 encoder: the usual"
            f" {mpeg.USUAL_DELAY_FRAMES} frames are left out at its start"
        )


def _check_ogg(content: _Content, found: _Findings) -> None:
    scan: ogg.OggScan = _scan(ogg.walk_pages, content)
    if not scan.links:
        raise InputError(f"{found.name}: holds no Vorbis or Opus audio; {CONVERT}")
    for link in scan.links[:-1]:
        if not link.has_end:
            found.note_contradiction("the end of one of its recordings is missing")
    if scan.breaks_off or not scan.links[-1].has_end:
        found.note_truncation("the end of its Ogg stream is missing")
    if lost := sum(link.lost_pages for link in scan.links):
        found.note_contradiction(f"{lost} of its pages are missing within")
    if beside := sum(link.beside for link in scan.links):
        found.note_contradiction(f"{beside} more stream(s) of audio run beside and are left out")
    if scan.foreign_bytes:
        found.note_contradiction(f"{scan.foreign_bytes} bytes between its pages are left out")
    for link in scan.links:
        found.channel_map = found.channel_map.join(read_opus_mapping(link.channel_mapping))
        found.is_nameless |= link.channel_mapping == 255
        view = link.make_view(content.descriptor)
        is_plain = scan.is_plain and view == tuple(link.ranges)
        found.recordings.append(Recording(view=() if is_plain else view))


def _check_flac(content: _Content, found: _Findings) -> None:
    streams: list[flac.FlacStream] = _scan(flac.find_streams, content)
    for stream in streams:
        total, last = stream.total_frames, stream.last_frames
        if last is not None and 0 < stream.first_frame < last == total:
            missing_s = stream.first_frame / max(stream.sample_rate, 1)
            found.note_contradiction(f"its header claims {missing_s:.1f} s more than there is")
            view: View = (range(stream.start, stream.stop),)
            found.recordings.append(Recording(view=view, frames=last - stream.first_frame))
        elif last is not None and 0 < total < last:
            behind_s = (last - total) / max(stream.sample_rate, 1)
            found.note_contradiction(f"its header claims {behind_s:.1f} s less than there is")
            found.recordings.append(Recording(view=stream.make_view(content.descriptor, last)))
        elif len(streams) > 1:
            found.recordings.append(Recording(view=(range(stream.start, stream.stop),)))
        else:
            found.recordings.append(Recording(view=skip_bytes(content.start, content.size)))
    mask = streams[0].comments.get("WAVEFORMATEXTENSIBLE_CHANNEL_MASK")
    stamp = streams[0].comments.get("TIME_REFERENCE", "")
    found.time_stamp = int(stamp) if stamp.isdecimal() and len(stamp) < 20 else None
    found.channel_map = read_mask(_parse_mask(mask), 8)
    found.is_nameless = mask is not None


def _parse_mask(text: str | None) -> int:
    try:
        return int(text or "0", 0) & 0xFFFFFFFF
    except ValueError:
        return 0


def _check_format(
    file: soundfile.SoundFile, found: _Findings, container: str, separate: bool
) -> tuple[int, tuple[str, ...] | None]:
    """Returns the number of channels, and their speakers where they are to be mixed down.

    ``separate`` says that the channels are tracks of their own.
    """
    expected = _CODED_CONTAINERS.get(file.subtype, container)
    if file.subtype not in _SUBTYPES or expected != container:
        label = LABELS[container]
        raise InputError(f"{found.name}: {label} with {file.subtype} audio is not read; {CONVERT}")
    _check_sample_rate(file.samplerate, found.name)
    channels = int(file.channels)
    if separate:
        return channels, None
    named = found.channel_map.check(channels)
    if named.refusal:
        raise InputError(f"{found.name}: {named.refusal}")
    if channels <= 2:
        if named.speakers != ("FR", "FL"):
            return channels, None
        found.notes.append("its right channel comes first: taken as it says")
        return channels, named.speakers
    if found.ambisonic_word and not named.speakers:
        raise InputError(f"{found.name}: {AMBISONIC} ({found.ambisonic_word!r} says so)")
    order = named.speakers or find_speaker_order(channels, container)
    if not order or not 4 <= channels <= 6:
        raise InputError(
            f"{found.name}: has {channels} channels; automix takes mono, stereo, 4.0, 5.0 and 5.1: "
            f"export it as one of them, {_LIST_CHANNELS}"
        )
    note = f"{name_layout(order)} surround mixed down to stereo (ITU-R BS.775)"
    if not named.speakers and found.is_nameless:
        note += f"; it names no speakers: taken as {' '.join(order)}"
    found.notes.append(note)
    return channels, order


def _check_sample_rate(sample_rate: int | None, name: str) -> None:
    if sample_rate is not None and not MIN_SAMPLE_RATE <= sample_rate <= MAX_SAMPLE_RATE:
        raise InputError(
            f"{name}: its sample rate of {sample_rate} Hz is outside "
            f"{MIN_SAMPLE_RATE} … {MAX_SAMPLE_RATE} Hz; resample it first"
        )


def _check_channels(channels: int | None, name: str) -> None:
    if channels is not None and not 1 <= channels <= 64:
        raise InputError(f"{name}: its header says {channels} channels; export it again")


def _check_length(file: soundfile.SoundFile, found: _Findings, number: int) -> None:
    """Compares the audio that the header of a chunked file promises with what is there."""
    if not found.layouts:
        return
    layout, sample_rate = found.layouts[number], file.samplerate
    frame_bytes = _SUBTYPES[file.subtype][0] * file.channels
    missing = layout.claimed_bytes - layout.present_bytes
    if frame_bytes == 0:
        if missing > 0:  # ALAC decodes what is missing to stale samples: no use allowing it
            raise InputError(f"{found.name}: cut off: {missing} bytes are missing; fetch it again")
        return
    seconds = missing / frame_bytes / sample_rate
    if seconds > _IMPOSSIBLE_S:
        found.note_contradiction("its header gives an impossible length: all that is there is used")
    elif missing >= frame_bytes:
        found.note_contradiction(f"its header claims {seconds:.1f} s more than there is")
    trailing = layout.present_bytes % frame_bytes or layout.stray_bytes
    if trailing:
        found.note_contradiction(f"{trailing} odd byte(s) at its end are left out")
    if layout.claimed_frames is not None:
        frames = layout.present_bytes // frame_bytes
        behind_s = (frames - layout.claimed_frames) / sample_rate
        if 0 < layout.claimed_frames < frames:
            found.note_contradiction(f"its header claims {behind_s:.1f} s less than there is")


_IMPOSSIBLE_S = 1e7


def _check_last_frame(file: soundfile.SoundFile, found: _Findings) -> None:
    """Tries the last frame of a file whose frames carry their numbers."""
    try:
        file.seek(file.frames - 1)
        found_last = len(file.read(1, dtype="float32")) == 1
    except soundfile.LibsndfileError:
        found_last = False
    if not found_last:
        found.note_truncation("cut off or damaged before its end")


def _count_frames(file: soundfile.SoundFile) -> int:
    buffer = np.empty((BLOCK_FRAMES, file.channels), np.float32)
    frames = 0
    while len(samples := read_frames(file, buffer)):
        frames += len(samples)
    return frames
