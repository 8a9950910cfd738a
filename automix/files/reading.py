"""Decodes audio files: one loop serves whole files and streams."""

import dataclasses
import os
import re
from collections.abc import Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import cast

import numpy as np
import soundfile
from numpy.typing import NDArray

from automix.audio.blocks import join_and_empty, reblock
from automix.audio.downmix import to_stereo
from automix.audio.samples import BLOCK_FRAMES, Audio, AudioSource, Samples
from automix.errors import InputError
from automix.files.ffmpeg import ForeignAudio, SpoolFile
from automix.files.info import AudioInfo, ReadOptions
from automix.files.names import printable
from automix.files.opening import (
    UNKNOWN_FRAMES,
    Codec,
    check_readable,
    hash_content,
    open_decoder,
    read_frames,
)
from automix.files.probe import Inspected, describe_contradiction, describe_truncation, inspect
from automix.files.regular import identify, open_regular_file
from automix.units import gain_to_db

HIGHEST_SAMPLE = np.float32(1000.0)
"""Magnitude up to which a sample is sound: +60 dBFS, more than any headroom that is made use of."""

_MOST_SPIKES = 100  # more samples beyond that in one block are those of a file of another scale
_BITSTREAMS = {  # their first words: IEC 61937-1, and ETSI TS 102 114 in 16 and in 14 bits
    "surround sound for S/PDIF": re.compile(rb"\x72\xf8\x1f\x4e[\x01-\x1f]"),
    "DTS": re.compile(
        rb"\xfe\x7f\x01\x80.[\xfc-\xff]|\x7f\xfe\x80\x01[\xfc-\xff]"
        rb"|\xff\x1f\x00\xe8[\xf0-\xff]\x07|\x1f\xff\xe8\x00\x07[\xf0-\xff]",
        re.DOTALL,
    ),
}
_OGG_TOLERANCE_S = 0.1  # encoders differ in how they count their delay


@dataclass(frozen=True, kw_only=True)
class Opened:
    """An audio file, ready to be read.

    Attributes:
        info: Format and exact length of the file.
        source: Audio of the file: mono or stereo, finite samples.
        notes: Sentences for the user; the same as ``info.notes``.
        sha256: Checksum of the very bytes that were opened; empty unless it was asked for.
    """

    info: AudioInfo
    source: AudioSource
    notes: tuple[str, ...]
    sha256: str = ""


def open_audio(
    path: str | os.PathLike[str],
    options: ReadOptions | None = None,
    *,
    stream_number: int | None = None,
    in_memory: bool = True,
    with_checksum: bool = False,
    separate: bool = False,
) -> Opened:
    """Opens an audio file, checking all of it: what it returns can be read to its end.

    Integers of up to 24 bits become exact float32 numbers of full scale ±1. Surround is mixed down
    to stereo. The samples do not depend on ``in_memory``.

    Args:
        path: The file.
        options: Faults that are put up with; none unless given.
        stream_number: Stream of audio in a file of several, from 1; none for the first.
        in_memory: Whether to decode now, into an `Audio`; else every pass reads the file again.
        with_checksum: Whether to compute the checksum of the file.
        separate: Whether its channels are tracks of their own, any number of them, and not
            speakers: then nothing is mixed down.

    Raises:
        InputError: The file cannot be read or holds no usable audio; names it and the remedy.
    """
    path, options = Path(path), options or ReadOptions()
    blocks: list[Samples] = []
    with open_regular_file(path) as descriptor:
        inspected = inspect(
            path, descriptor, options, stream_number=stream_number, separate=separate
        )
        info = inspected.info
        if in_memory or not inspected.is_exact:
            decoding = _Decoding(descriptor, inspected, options)
            for block in decoding.blocks():
                if in_memory:
                    blocks.append(block)
            notes = (*info.notes, *decoding.notes)
            info = dataclasses.replace(info, frames=decoding.frames, notes=notes)
        checksum = hash_content(descriptor) if with_checksum else ""
        _check_unchanged(path, descriptor, inspected)
    if info.frames == 0:
        raise InputError(f"{printable(path)}: holds no audio; export it again")
    source: AudioSource = FileSource(dataclasses.replace(inspected, info=info), options)
    if in_memory:
        source = Audio(join_and_empty(blocks, source.channels), info.sample_rate)
    return Opened(info=info, source=source, notes=info.notes, sha256=checksum)


@dataclass(frozen=True, eq=False)
class FileSource:
    """The audio of a file, decoded anew on each pass.

    Attributes:
        inspected: What was found when the file was opened.
        options: Faults that are put up with.
    """

    inspected: Inspected
    options: ReadOptions

    @property
    def sample_rate(self) -> int:
        """Frames per second."""
        return self.inspected.info.sample_rate

    @property
    def channels(self) -> int:
        """Number of channels: those of the file, or 2 where surround is mixed down."""
        return self.inspected.info.channels if self.inspected.order is None else 2

    @property
    def frames(self) -> int:
        """Length in frames."""
        return self.inspected.info.frames

    def blocks(self) -> Iterator[Samples]:
        """Yields the audio from its start, in blocks as `AudioSource.blocks` describes them.

        Raises:
            InputError: The file is no longer what it was when it was opened.
        """
        path = self.inspected.info.path
        with open_regular_file(path) as descriptor:
            _check_unchanged(path, descriptor, self.inspected)
            decoding = _Decoding(descriptor, self.inspected, self.options)
            yield from decoding.blocks()
            _check_unchanged(path, descriptor, self.inspected)
        if decoding.frames != self.frames:
            raise _report_change(path)


class _Decoding:
    """One pass through an open file.

    Attributes:
        frames: Number of frames decoded so far.
        notes: Sentences for the user about what the pass came upon.
    """

    def __init__(self, descriptor: int, inspected: Inspected, options: ReadOptions) -> None:
        self._descriptor = descriptor
        self._inspected = inspected
        self._info = inspected.info
        self._options = options
        self._name = printable(inspected.info.path)
        self._replaced = 0
        self._huge = 0
        self.frames = 0
        self.notes: list[str] = []

    def blocks(self) -> Iterator[Samples]:
        """Yields finite samples, in blocks as `AudioSource.blocks` describes them.

        Raises:
            InputError: The audio breaks off or is not finite, and the options do not allow it.
        """
        yield from reblock(self._pieces())
        if self._replaced:
            self.notes.append(f"{self._replaced} NaN or infinite sample(s) set to zero")
        if self._huge:
            self.notes.append(f"{self._huge} sample(s) beyond +60 dBFS set to zero")

    def _open_foreign(self, foreign: ForeignAudio) -> AbstractContextManager[soundfile.SoundFile]:
        """Has ffmpeg decode the audio, and says what is wrong with it."""
        spool = foreign.decode(self._descriptor)
        if spool.missing:
            at_s, missing_s = (n / self._info.sample_rate for n in (spool.frames, spool.missing))
            lost = f"{missing_s:.3f} s are missing"
            self._report_truncation(f"cut off or damaged at {at_s:.3f} s: {lost}")
        elif spool.complaint:
            self._report_truncation(f"cut off or damaged: ffmpeg says {spool.complaint!r}")
        if spool.surplus:
            self._report_surplus(spool.surplus)
        if spool.frames == 0:
            raise InputError(f"{self._name}: holds no audio; export it again")
        kind = {"format": "RAW", "subtype": "FLOAT", "endian": "LITTLE"}
        rate, channels = foreign.stream.sample_rate, foreign.stream.channels
        decoder = Codec(SpoolFile(spool), "r", rate, channels, **kind)
        return cast(AbstractContextManager[soundfile.SoundFile], decoder)

    def _pieces(self) -> Iterator[Samples]:
        """Yields arrays ``(channels, n)`` of any length."""
        container = self._info.container
        if self._inspected.foreign is not None:
            with self._open_foreign(self._inspected.foreign) as file:
                yield from self._decode(file, UNKNOWN_FRAMES)
        for recording in self._inspected.recordings:
            with open_decoder(self._descriptor, self._name, container, recording.view) as file:
                start = self.frames
                expected = file.frames if recording.frames is None else recording.frames
                if recording.skip:
                    read_frames(file, np.empty((recording.skip, file.channels), np.float32))
                    expected -= recording.skip
                yield from self._decode(file, expected)
                missing = start + expected - self.frames
                tolerance = _OGG_TOLERANCE_S * file.samplerate if container == "ogg" else 0
                if expected < UNKNOWN_FRAMES and missing > tolerance:
                    check_readable(self._descriptor)
                    self._report_missing_end(missing)

    def _decode(self, file: soundfile.SoundFile, most_frames: int) -> Iterator[Samples]:
        """Yields what one decoder yields: of damaged FLAC files, zeros behind the end as well."""
        stop = self.frames + most_frames
        buffer = np.empty((BLOCK_FRAMES, file.channels), np.float32)
        order = self._inspected.order
        is_silent = True
        while len(samples := read_frames(file, buffer)[: stop - self.frames]):
            piece = np.array(samples.T, order="C")  # never a view: the buffer is used again
            usable = np.abs(piece) <= HIGHEST_SAMPLE  # which NaN is not
            if not usable.all():
                self._repair(piece, usable)
            if is_silent and piece.any():
                is_silent = False
                self._check_beginning(piece)
            self.frames += piece.shape[1]
            yield piece if order is None else to_stereo(piece, order)

    def _check_beginning(self, piece: Samples) -> None:
        """Refuses surround sound that a digital connection carries as if it were stereo."""
        if len(piece) != 2:
            return
        first = int(np.argmax(piece.any(axis=0)))
        words = (piece[:, first : first + 3].T.ravel() * 32768).clip(-32768, 32767).astype("<i2")
        for codec, mark in _BITSTREAMS.items():
            if mark.match(words.tobytes()):
                raise InputError(
                    f"{self._name}: holds {codec} coded as if it were stereo, which would sound as"
                    " noise; decode it first (for example: ffmpeg -i INPUT OUTPUT.wav)"
                )

    def _repair(self, piece: Samples, usable: NDArray[np.bool_]) -> None:
        first = int(np.argmin(usable.all(axis=0)))
        at_s = (self.frames + first) / self._info.sample_rate
        huge = np.abs(piece[~usable & np.isfinite(piece)])
        if not self._options.repair:
            raise InputError(f"{self._name}: {_describe_unusable(huge, at_s)}")
        self._huge += huge.size
        self._replaced += int(np.count_nonzero(~usable)) - huge.size
        piece[~usable] = 0

    def _report_missing_end(self, missing_frames: int) -> None:
        at_s, missing_s = (
            frames / self._info.sample_rate for frames in (self.frames, missing_frames)
        )
        self._report_truncation(
            f"cut off or damaged at {at_s:.1f} s: {missing_s:.1f} s are missing"
        )

    def _report_truncation(self, message: str) -> None:
        if not self._options.allow_truncated:
            raise InputError(describe_truncation(self._name, message))
        self.notes.append(message)

    def _report_surplus(self, surplus_frames: int) -> None:
        surplus_s = surplus_frames / self._info.sample_rate
        message = f"holds {surplus_s:.3f} s more than its header says"
        if self._options.strict:
            raise InputError(describe_contradiction(self._name, message))
        self.notes.append(f"{message}: all of it is used")


def _describe_unusable(huge: Samples, at_s: float) -> str:
    """Says what is wrong with samples, and the remedy.

    Args:
        huge: Magnitudes of those that are finite.
        at_s: Time of the first that is not usable.
    """
    if not huge.size:
        return (
            f"holds NaN or infinite samples, the first at {at_s:.3f} s; export it again, or set"
            " them to zero with --repair"
        )
    level = f"{gain_to_db(float(huge.max())):+.1f} dBFS"
    if huge.size > _MOST_SPIKES:
        return (
            f"its samples reach {level}, the first beyond +60 dBFS at {at_s:.3f} s, as where"
            " integers were written as floats; export it again with full scale at ±1"
        )
    return (
        f"a sample reaches {level} at {at_s:.3f} s, which is no sound; export it again, or set it"
        " to zero with --repair"
    )


def _check_unchanged(path: Path, descriptor: int, inspected: Inspected) -> None:
    """Compares both the open file and the one now under its name with what was inspected."""
    try:
        states = (os.fstat(descriptor), os.stat(path))
    except OSError as error:
        raise _report_change(path) from error
    if any(identify(state) != inspected.signature for state in states):
        raise _report_change(path)


def _report_change(path: Path) -> InputError:
    return InputError(
        f"{printable(path)}: changed while it was in use; run again when it is complete"
    )
