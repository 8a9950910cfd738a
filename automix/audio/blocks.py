"""The block rule of `AudioSource`, kept by whatever produces samples."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import chain

import numpy as np

from automix.audio.samples import BLOCK_FRAMES, Audio, AudioSource, Samples


def reblock(pieces: Iterable[Samples]) -> Iterator[Samples]:
    """Cuts pieces of any length into blocks of `BLOCK_FRAMES`; only the last may be shorter."""
    waiting: list[Samples] = []
    frames = 0
    for piece in pieces:
        while frames + piece.shape[1] >= BLOCK_FRAMES:
            cut = BLOCK_FRAMES - frames
            yield _join([*waiting, piece[:, :cut]])
            waiting, frames, piece = [], 0, piece[:, cut:]
        if piece.shape[1]:
            waiting.append(piece)
            frames += piece.shape[1]
    if waiting:
        yield _join(waiting)


def _join(pieces: list[Samples]) -> Samples:
    joined = pieces[0] if len(pieces) == 1 else np.concatenate(pieces, axis=1)
    return np.ascontiguousarray(joined)


def skip_frames(pieces: Iterable[Samples], frames: int) -> Iterator[Samples]:
    """Leaves out the first ``frames`` frames of pieces of any length."""
    for piece in pieces:
        yield piece[:, frames:]
        frames = max(0, frames - piece.shape[1])


def fit_length(pieces: Iterable[Samples], channels: int, frames: int) -> Iterator[Samples]:
    """Makes pieces add up to ``frames``: cuts the surplus off, or adds silence at the end.

    Args:
        pieces: Arrays ``(channels, n)`` in order.
        channels: Number of channels, for the silence.
        frames: Length of all that is yielded together.
    """
    left = frames
    for piece in pieces:
        if left <= 0:
            return
        yield piece[:, :left]
        left -= piece.shape[1]
    while left > 0:
        yield np.zeros((channels, min(left, BLOCK_FRAMES)), np.float32)
        left -= BLOCK_FRAMES


def collect(source: AudioSource) -> Audio:
    """Reads a source into memory; needs hardly more memory than the samples themselves take.

    Raises:
        InputError: The file behind the source changed or cannot be read.
    """
    return Audio(join_and_empty(list(source.blocks()), source.channels), source.sample_rate)


def join_and_empty(blocks: list[Samples], channels: int) -> Samples:
    """Joins blocks, giving each back as soon as it is copied: the peak is one signal, not two."""
    joined = np.empty((channels, sum(block.shape[1] for block in blocks)), np.float32)
    blocks.reverse()
    position = 0
    while blocks:
        block = blocks.pop()
        joined[:, position : position + block.shape[1]] = block
        position += block.shape[1]
    return joined


@dataclass(frozen=True, eq=False)
class Padded:
    """A source with silence at its ends, or without them.

    Attributes:
        source: The audio between the silences.
        frames: Length with the silence, or of what is kept of the source, in frames.
        start: Frames of silence before it; negative for frames of it that are left out there.
    """

    source: AudioSource
    frames: int
    start: int = 0

    @property
    def sample_rate(self) -> int:
        """Frames per second."""
        return self.source.sample_rate

    @property
    def channels(self) -> int:
        """Number of channels, the same as in the source."""
        return self.source.channels

    def blocks(self) -> Iterator[Samples]:
        """Yields the audio from its start, in blocks as `AudioSource.blocks` describes them."""
        pieces: Iterable[Samples] = self.source.blocks()
        if self.start > 0:
            pieces = chain(fit_length((), self.channels, self.start), pieces)
        elif self.start < 0:
            pieces = skip_frames(pieces, -self.start)
        return reblock(fit_length(pieces, self.channels, self.frames))


@dataclass(frozen=True, eq=False)
class Picked:
    """A mono source: one channel of another source.

    Attributes:
        source: The audio with all channels.
        channel: The one that is heard, counted from 0.
        channels: Number of channels, always 1.
    """

    source: AudioSource
    channel: int
    channels: int = 1

    @property
    def sample_rate(self) -> int:
        """Frames per second."""
        return self.source.sample_rate

    @property
    def frames(self) -> int:
        """Length in frames."""
        return self.source.frames

    def blocks(self) -> Iterator[Samples]:
        """Yields the audio from its start, in blocks as `AudioSource.blocks` describes them."""
        for block in self.source.blocks():
            yield np.ascontiguousarray(block[self.channel : self.channel + 1])


def pick_channel(source: AudioSource, channel: int) -> AudioSource:
    """Makes a mono source of one channel, counted from 0; audio in memory stays there."""
    picked = Picked(source, channel)
    return collect(picked) if isinstance(source, Audio) else picked


@dataclass(frozen=True, eq=False)
class Joined:
    """A stereo source whose sides are two mono sources of one sample rate and length.

    Attributes:
        left: Mono source of the left side.
        right: Mono source of the right side.
        channels: Number of channels, always 2.
    """

    left: AudioSource
    right: AudioSource
    channels: int = 2

    @property
    def sample_rate(self) -> int:
        """Frames per second."""
        return self.left.sample_rate

    @property
    def frames(self) -> int:
        """Length in frames."""
        return self.left.frames

    def blocks(self) -> Iterator[Samples]:
        """Yields the audio from its start, in blocks as `AudioSource.blocks` describes them."""
        for left, right in zip(self.left.blocks(), self.right.blocks(), strict=True):
            yield np.concatenate([left, right])


@dataclass(frozen=True, eq=False)
class Folded:
    """A mono source: the mean of the channels of another source.

    Attributes:
        source: Stereo source that is folded.
        channels: Number of channels, always 1.
    """

    source: AudioSource
    channels: int = 1

    @property
    def sample_rate(self) -> int:
        """Frames per second."""
        return self.source.sample_rate

    @property
    def frames(self) -> int:
        """Length in frames."""
        return self.source.frames

    def blocks(self) -> Iterator[Samples]:
        """Yields the audio from its start, in blocks as `AudioSource.blocks` describes them."""
        for block in self.source.blocks():
            yield fold_block(block)[np.newaxis]


def fold_block(block: Samples) -> Samples:
    """Folds a block ``(channels, n)`` to mono ``(n,)``: the mean of its one or two channels."""
    return block[0] if len(block) == 1 else np.asarray((block[0] + block[1]) * np.float32(0.5))


def fold_to_mono(source: AudioSource) -> AudioSource:
    """Folds a source to mono (see `fold_block`); a mono source comes back as it is."""
    return source if source.channels == 1 else Folded(source)


def join_sides(left: AudioSource, right: AudioSource) -> AudioSource:
    """Makes a stereo source of two mono sources, left first.

    Raises:
        ValueError: The sources are not mono, or differ in sample rate or length.
    """
    if left.channels != 1 or right.channels != 1:
        raise ValueError("both sides must be mono")
    if (left.sample_rate, left.frames) != (right.sample_rate, right.frames):
        raise ValueError("both sides must have one rate and one length")
    return Joined(left, right)


def pad(source: AudioSource, frames: int) -> AudioSource:
    """Adds silence at the end, without a copy of the source.

    Args:
        source: The audio to lengthen.
        frames: New length in frames, not below the present one.

    Raises:
        ValueError: The source is longer than ``frames``.
    """
    if frames < source.frames:
        raise ValueError(f"cannot pad {source.frames} frames to {frames}")
    return fit(source, frames)


def fit(source: AudioSource, frames: int, start: int = 0) -> AudioSource:
    """Adds silence at the ends, or leaves the ends out, without a copy of the source.

    Args:
        source: The audio.
        frames: New length in frames.
        start: Frames of silence before the audio; negative for frames of it that are left out.
    """
    unchanged = start == 0 and frames == source.frames
    return source if unchanged else Padded(source, frames, start)
