"""Finds out what an audio file holds without decoding it."""

import os
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import soundfile

from automix.audio.downmix import find_speaker_order, name_layout
from automix.audio.samples import BLOCK_FRAMES
from automix.errors import InputError
from automix.files import mpeg, ogg
from automix.files.chunks import ChunkLayout, read_layout
from automix.files.extensions import EXTENSIONS
from automix.files.info import AudioInfo, ReadOptions
from automix.files.names import printable
from automix.files.opening import (
    CONVERT,
    LABELS,
    UNKNOWN_FRAMES,
    Patch,
    open_decoder,
    patch_size,
    read_frames,
    sniff,
)
from automix.files.regular import Signature, identify, open_regular_file

MIN_SAMPLE_RATE = 8000
MAX_SAMPLE_RATE = 192000

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
        patches: Header fields to put right while reading.
        frame_bytes: Size of a frame of audio in the file, 0 if the audio is coded.
    """

    info: AudioInfo
    signature: Signature
    order: tuple[str, ...] | None
    patches: tuple[Patch, ...]
    frame_bytes: int

    @property
    def is_exact(self) -> bool:
        """Whether the length is known without decoding and no sample can be NaN."""
        return self.frame_bytes > 0 and self.info.bits != "32f"


@dataclass
class _Findings:
    """Collects notes and patches while a file is inspected."""

    name: str
    options: ReadOptions
    notes: list[str]
    patches: list[Patch]

    def note_contradiction(self, message: str) -> None:
        """Notes that header and file disagree; raises an `InputError` when strict."""
        if self.options.strict:
            raise InputError(
                f"{self.name}: {message}; export it again, or leave out --strict to use it"
            )
        self.notes.append(message)

    def note_truncation(self, message: str) -> None:
        """Notes that the end is missing; raises an `InputError` unless that is allowed."""
        if not self.options.allow_truncated:
            raise InputError(describe_truncation(self.name, message))
        self.notes.append(message)


def describe_truncation(name: str, message: str) -> str:
    """Writes the message for a file whose end is missing."""
    return f"{name}: {message}; fetch it again, or use what is there with --allow-truncated"


def probe(path: str | os.PathLike[str], options: ReadOptions | None = None) -> AudioInfo:
    """Finds out what a file holds: by its content, not its name, and without trusting its header.

    Args:
        path: The file.
        options: Faults that are put up with; none unless given.

    Raises:
        InputError: The file cannot be read or holds no usable audio; names it and the remedy.
    """
    path = Path(path)
    with open_regular_file(path) as descriptor:
        return inspect(path, descriptor, options or ReadOptions(), try_end=True).info


def inspect(
    path: Path, descriptor: int, options: ReadOptions, *, try_end: bool = False
) -> Inspected:
    """Does what `probe` does, for a file that is open.

    Args:
        path: Name that the file was opened by.
        descriptor: File open for reading.
        options: Faults that are put up with.
        try_end: Whether to look for the last frame of coded audio, which takes a seek.

    Raises:
        InputError: The file cannot be read or holds no usable audio; names it and the remedy.
    """
    status = os.fstat(descriptor)
    found = _Findings(printable(path), options, [], [])
    container = sniff(descriptor, found.name)
    if path.suffix and path.suffix.lower() not in EXTENSIONS[container]:
        found.notes.append(f"named {printable(path.suffix)}, but holds {LABELS[container]}")
    layout, stream = None, None
    if container in ("wav", "rf64", "w64", "aiff", "caf"):
        layout = _check_layout(descriptor, container, status.st_size, found)
    elif container == "ogg" and not ogg.has_end(descriptor, status.st_size):
        found.note_truncation("the end of its Ogg stream is missing")
    elif container == "mp3":
        stream = _check_mpeg(descriptor, status.st_size, found)
    with open_decoder(descriptor, found.name, container, tuple(found.patches)) as file:
        channels, order = _check_format(file, found.name, container, layout)
        frame_bytes = 0 if container == "flac" else _SUBTYPES[file.subtype][0] * channels
        if layout is not None:
            _check_length(layout, frame_bytes, file.samplerate, found)
        frames = file.frames
        if stream is not None and stream.claimed_frames is None:
            frames = stream.frames * stream.first.samples
        if frames >= UNKNOWN_FRAMES:
            found.notes.append("its header gives no length: a missing end would go unnoticed")
            frames = _count_frames(file) if try_end else 1
        elif try_end and container == "flac":
            _check_last_frame(file, found)
        if frames <= 0:
            raise InputError(f"{found.name}: holds no audio; export it again")
        if order is not None:
            found.notes.append(f"{name_layout(order)} surround mixed down to stereo (ITU-R BS.775)")
        info = AudioInfo(
            path=path,
            container=container,
            subtype=file.subtype,
            bits=_SUBTYPES[file.subtype][1],
            sample_rate=file.samplerate,
            channels=channels,
            frames=frames,
            notes=tuple(found.notes),
        )
    return Inspected(
        info=info,
        signature=identify(status),
        order=order,
        patches=tuple(found.patches),
        frame_bytes=frame_bytes,
    )


def _check_layout(descriptor: int, container: str, size: int, found: _Findings) -> ChunkLayout:
    """Reads the chunks; collects the patches without which libsndfile reads nothing."""
    try:
        layout = read_layout(descriptor, container, size)
    except InputError as error:
        raise InputError(f"{found.name}: {error}; export it again or {CONVERT}") from error
    if layout is None:
        raise InputError(f"{found.name}: holds a header but no audio; export or download it again")
    _check_sample_rate(layout.sample_rate, found.name)
    _check_channels(layout.channels, found.name)
    if os.pread(descriptor, 4, 0) == b"BW64":  # the same as RF64 under a later name
        found.patches.append(Patch(0, b"RF64"))
    data = layout.data
    if layout.unclaimed_bytes and container in ("wav", "aiff"):
        message = f"its header claims no audio, but {layout.unclaimed_bytes} bytes follow"
        if not found.options.repair:
            raise InputError(f"{found.name}: no audio: {message}; --repair reads them")
        found.notes.append(f"{message}: read as audio")
        preamble = layout.offset - data.offset
        whole = min(preamble + layout.unclaimed_bytes, 0xFFFFFFFE)
        found.patches.append(patch_size(data.size_field, data.size_format, whole))
    elif container == "caf" and layout.claimed_bytes > layout.present_bytes:
        present = layout.present_bytes + layout.offset - data.offset
        found.patches.append(patch_size(data.size_field, data.size_format, present))
    return layout


def _check_mpeg(descriptor: int, size: int, found: _Findings) -> mpeg.MpegStream | None:
    start = mpeg.measure_tag(os.pread(descriptor, 10, 0))
    stream = mpeg.walk_frames(descriptor, start, size)
    if stream is not None and stream.is_cut:
        missing = f"its last {stream.missing_s:.1f} s are missing"
        if not stream.missing_s:
            missing = "it ends in the middle of a frame"
        found.note_truncation(f"cut off: {missing}")
        found.patches.extend(Patch(*patch) for patch in stream.corrections(size))
    return stream


def _check_format(
    file: soundfile.SoundFile, name: str, container: str, layout: ChunkLayout | None
) -> tuple[int, tuple[str, ...] | None]:
    """Returns the number of channels, and the speaker order of surround or none."""
    expected = _CODED_CONTAINERS.get(file.subtype, container)
    if file.subtype not in _SUBTYPES or expected != container:
        label = LABELS[container]
        raise InputError(f"{name}: {label} with {file.subtype} audio is not read; {CONVERT}")
    _check_sample_rate(file.samplerate, name)
    channels = int(file.channels)
    if channels <= 2:
        return channels, None
    order = find_speaker_order(channels, container, layout.speakers if layout else 0)
    if order is None:
        raise InputError(
            f"{name}: has {channels} channels; automix takes mono, stereo, 4.0, 5.0 and 5.1: "
            "export it as one of them"
        )
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


def _check_length(
    layout: ChunkLayout, frame_bytes: int, sample_rate: int, found: _Findings
) -> None:
    """Compares the audio that the header promises with what is there."""
    missing = layout.claimed_bytes - layout.present_bytes
    if frame_bytes == 0:
        if missing > 0:  # ALAC decodes what is missing to stale samples: no use allowing it
            raise InputError(f"{found.name}: cut off: {missing} bytes are missing; fetch it again")
        return
    seconds = missing / frame_bytes / sample_rate
    if missing >= frame_bytes:
        found.note_contradiction(f"its header claims {seconds:.1f} s more than there is")
    present = layout.present_bytes or layout.unclaimed_bytes
    trailing = present % frame_bytes or layout.stray_bytes
    if trailing:
        found.note_contradiction(f"{trailing} odd byte(s) at its end are left out")


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
