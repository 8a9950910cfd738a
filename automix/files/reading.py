"""Decodes audio files: one loop serves whole files and streams."""

import dataclasses
import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import soundfile
from numpy.typing import NDArray

from automix.audio.blocks import join_and_empty, reblock
from automix.audio.downmix import to_stereo
from automix.audio.samples import BLOCK_FRAMES, Audio, AudioSource, Samples
from automix.errors import InputError
from automix.files.info import AudioInfo, ReadOptions
from automix.files.names import printable
from automix.files.opening import (
    UNKNOWN_FRAMES,
    open_decoder,
    read_frames,
)
from automix.files.probe import Inspected, describe_truncation, inspect
from automix.files.regular import identify, open_regular_file

_OGG_TOLERANCE_S = 0.1  # encoders differ in how they count their delay


@dataclass(frozen=True, kw_only=True)
class Opened:
    """An audio file, ready to be read.

    Attributes:
        info: Format and exact length of the file.
        source: Audio of the file: mono or stereo, finite samples.
        notes: Sentences for the user; the same as ``info.notes``.
    """

    info: AudioInfo
    source: AudioSource
    notes: tuple[str, ...]


def open_audio(
    path: str | os.PathLike[str], options: ReadOptions | None = None, *, in_memory: bool = True
) -> Opened:
    """Opens an audio file, checking all of it: what it returns can be read to its end.

    Integers of up to 24 bits become exact float32 numbers of full scale ±1. Surround is mixed down
    to stereo. The samples do not depend on ``in_memory``.

    Args:
        path: The file.
        options: Faults that are put up with; none unless given.
        in_memory: Whether to decode now, into an `Audio`; else every pass reads the file again.

    Raises:
        InputError: The file cannot be read or holds no usable audio; names it and the remedy.
    """
    path, options = Path(path), options or ReadOptions()
    blocks: list[Samples] = []
    with open_regular_file(path) as descriptor:
        inspected = inspect(path, descriptor, options)
        info = inspected.info
        if in_memory or not inspected.is_exact:
            decoding = _Decoding(descriptor, inspected, options)
            for block in decoding.blocks():
                if in_memory:
                    blocks.append(block)
            notes = (*info.notes, *decoding.notes)
            info = dataclasses.replace(info, frames=decoding.frames, notes=notes)
        _check_unchanged(path, descriptor, inspected)
    if info.frames == 0:
        raise InputError(f"{printable(path)}: holds no audio; export it again")
    source: AudioSource = FileSource(dataclasses.replace(inspected, info=info), options)
    if in_memory:
        source = Audio(join_and_empty(blocks, source.channels), info.sample_rate)
    return Opened(info=info, source=source, notes=info.notes)


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
        """Number of channels, 1 or 2: surround is mixed down."""
        return min(self.inspected.info.channels, 2)

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
        self.frames = 0
        self.notes: list[str] = []

    def blocks(self) -> Iterator[Samples]:
        """Yields finite samples, in blocks as `AudioSource.blocks` describes them.

        Raises:
            InputError: The audio breaks off or is not finite, and the options do not allow it.
        """
        container, patches = self._info.container, self._inspected.patches
        with open_decoder(self._descriptor, self._name, container, patches) as file:
            yield from reblock(self._pieces(file))
            if container != "mp3" and file.frames < UNKNOWN_FRAMES:  # inspected where it is either
                tolerance = _OGG_TOLERANCE_S * file.samplerate if container == "ogg" else 0
                if file.frames - self.frames > tolerance:
                    self._report_missing_end(file.frames - self.frames)
        if self._replaced:
            self.notes.append(f"{self._replaced} NaN or infinite sample(s) set to zero")

    def _pieces(self, file: soundfile.SoundFile) -> Iterator[Samples]:
        """Yields arrays ``(channels, n)`` of any length."""
        buffer = np.empty((BLOCK_FRAMES, file.channels), np.float32)
        order = self._inspected.order
        while len(samples := read_frames(file, buffer)):
            piece = np.array(samples.T, order="C")  # never a view: the buffer is used again
            finite = np.isfinite(piece)
            if not finite.all():
                self._repair(piece, finite)
            self.frames += piece.shape[1]
            yield piece if order is None else to_stereo(piece, order)

    def _repair(self, piece: Samples, finite: NDArray[np.bool_]) -> None:
        if not self._options.repair:
            first = int(np.argmin(finite.all(axis=0)))
            at_s = (self.frames + first) / self._info.sample_rate
            raise InputError(
                f"{self._name}: holds NaN or infinite samples, the first at {at_s:.3f} s; "
                "export it again, or set them to zero with --repair"
            )
        piece[~finite] = 0
        self._replaced += int(np.count_nonzero(~finite))

    def _report_missing_end(self, missing_frames: int) -> None:
        at_s, missing_s = (
            frames / self._info.sample_rate for frames in (self.frames, missing_frames)
        )
        message = f"cut off or damaged at {at_s:.1f} s: {missing_s:.1f} s are missing"
        if not self._options.allow_truncated:
            raise InputError(describe_truncation(self._name, message))
        self.notes.append(message)


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
